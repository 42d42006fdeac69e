"""Notifiers: what is said to a web hook, by mail and to Prometheus, and what they refuse to be set up with."""

import hashlib
import hmac
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitops_hooks.plugin import (
    Deployment,
    EdgeError,
    Environment,
    HostOutcome,
    HostState,
    News,
    Notice,
    Outcome,
    RunState,
)
from gitops_hooks.plugins import notify_email, notify_prometheus, notify_webhook
from gitops_hooks.plugins.notify_words import headline
from tests.certificate import make_certificate
from tests.plugins.receivers import mail_box, web_hook

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
SECRET = "correct horse battery staple"
STAGING = Environment("staging", "refs/heads/main", "ansible", "site.yml", "hosts", None, "policy.yaml:9")
FAILED = Outcome(
    RunState.FAILED,
    (HostOutcome("web1", HostState.OK), HostOutcome("web2", HostState.FAILED, detail="no\x1b[2J\nspace")),
    11.6,
    "one host failed",
)
GOOD = Outcome(RunState.SUCCESSFUL, (HostOutcome("web1", HostState.CHANGED, 1),), 2.0)


def deployment(generation: int = 7) -> Deployment:
    return Deployment("r" * 32, STAGING, "c" * 40, generation, "run")


def notice(news: News | None = News.DEGRADED, **settings: object) -> Notice:
    return Notice("r-staging-9", "site", AT, news, settings)


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    path.chmod(0o600)
    return str(path)


# --- web hook ---


def test_a_web_hook_gets_one_signed_post_with_all_facts(secret):
    with web_hook() as hook:
        notify_webhook.gitops_deployed(deployment(), FAILED, notice(url=hook.url, secret_file=secret))
    (post,) = hook.posts
    assert post.path == "/hook?room=ops"
    assert post.headers["X-Gitops-Event"] == "degraded"
    assert post.headers["X-Gitops-Delivery"] == "r-staging-9"
    signed = post.headers["X-Gitops-Timestamp"].encode() + b"." + post.body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert post.headers["X-Gitops-Signature-256"] == f"sha256={expected}"
    assert post.facts == {
        "text": f"site: staging degraded: deployment 7 of {'c' * 12} failed on web2 (ok 1, failed 1)",
        "id": "r-staging-9",
        "news": "degraded",
        "at": "2026-11-23T09:00:00+00:00",
        "repository": "site",
        "environment": "staging",
        "branch": "refs/heads/main",
        "commit": "c" * 40,
        "generation": 7,
        "state": "failed",
        "seconds": 12,
        "detail": "one host failed",
        "counts": {"ok": 1, "changed": 0, "unreachable": 0, "failed": 1, "skipped": 0},
        "hosts": [
            {"name": "web2", "state": "failed", "detail": "no\x1b[2J\nspace"},
            {"name": "web1", "state": "ok", "detail": ""},
        ],
    }


def test_a_look_at_the_hosts_is_told_in_its_own_words():
    out = HostOutcome("web1", HostState.CHANGED, detail="out of sync")
    look = replace(deployment(), look=True)
    drifted = Outcome(RunState.SUCCESSFUL, (out,), detail="1 out of sync, 3 in sync")
    assert headline(look, drifted, notice(News.DRIFTED)) == (
        "site: staging drifted: 1 out of sync, 3 in sync: web1 (cccccccccccc)"
    )
    back = Outcome(RunState.SUCCESSFUL, detail="0 out of sync, 4 in sync")
    assert headline(look, back, notice(News.SYNCED)) == "site: staging synced: 0 out of sync, 4 in sync (cccccccccccc)"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_any_answer_but_good_is_a_failure_and_nobody_is_sent_elsewhere(status, secret):
    with web_hook() as hook:
        hook.status = status
        with pytest.raises(EdgeError, match=f"answered with status {status}"):
            notify_webhook.gitops_deployed(deployment(), GOOD, notice(url=hook.url, secret_file=secret))
    assert hook.tried == 1


def test_a_receiver_that_is_down_is_told_without_the_words_of_its_address(secret):
    with web_hook() as hook:
        url = hook.url
    with pytest.raises(EdgeError) as caught:
        notify_webhook.gitops_deployed(deployment(), GOOD, notice(url=url, secret_file=secret))
    assert str(caught.value) == "127.0.0.1: was not reached: Connection refused"


def test_an_address_that_is_a_secret_itself_stands_in_a_file(tmp_path, secret):
    file = tmp_path / "url"
    file.touch(0o600)
    with web_hook() as hook:
        file.write_text(hook.url + "\n")
        notify_webhook.gitops_deployed(deployment(), GOOD, notice(url_file=str(file), secret_file=secret))
    assert len(hook.posts) == 1


def test_a_short_secret_signs_nothing(tmp_path):
    file = tmp_path / "short"
    file.write_text("hunter2\n")
    with web_hook() as hook, pytest.raises(EdgeError, match="holds less than 16 characters"):
        notify_webhook.gitops_deployed(deployment(), GOOD, notice(url=hook.url, secret_file=str(file)))
    assert hook.tried == 0


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({}, "exactly one of url and url_file is needed"),
        ({"url": "https://a.example/x", "url_file": "/x"}, "exactly one of url and url_file is needed"),
        ({"url": "ftp://a.example/x"}, "'url' must be https://HOST[:PORT]/PATH (or http://)"),
        ({"url": "https://user:word@a.example/"}, "'url' must be https://HOST[:PORT]/PATH (or http://)"),
        ({"url": "https://a.example:port/"}, "'url' must be https://HOST[:PORT]/PATH (or http://)"),
        ({"url": "https://a.example/", "sercet_file": "/x"}, "unknown setting 'sercet_file'; known: "),
        ({"url": "https://a.example/", "secret_file": 3}, "'secret_file' is missing, or no text"),
        ({"url": "https://a.example/", "secret_file": "secret"}, "'secret_file' must be a whole path"),
        ({"url": "https://a.example/", "secret_file": "/nowhere/x"}, "'secret_file' is no file that "),
    ],
)
def test_what_a_web_hook_cannot_be_set_up_with(settings, fault, secret):
    found = list(notify_webhook.gitops_settings({"secret_file": secret, **settings}))
    assert any(one.startswith(fault) for one in found), found


def test_a_secret_that_everybody_can_read_is_none(tmp_path):
    file = tmp_path / "open"
    file.write_text(SECRET)
    file.chmod(0o644)
    found = list(notify_webhook.gitops_settings({"url": "https://a.example/", "secret_file": str(file)}))
    assert found == [f"'secret_file' can be read by everybody on this machine; run: chmod o= {file}"]


# --- e-mail ---


def test_a_mail_says_what_became_of_every_host_on_lines_that_are_safe_to_show():
    with mail_box() as box:
        settings = {"host": "127.0.0.1", "port": box.port, "tls": "none"}
        people = {"sender": "gitops@example.org", "to": ["ops@example.org", "bob@example.org"]}
        notify_email.gitops_deployed(deployment(), FAILED, notice(**settings, **people))
    (mail,) = box.mails
    assert mail["Subject"] == f"site: staging degraded: deployment 7 of {'c' * 12} failed on web2 (ok 1, failed 1)"
    assert mail["To"] == "ops@example.org, bob@example.org"
    assert mail["Message-ID"] == "<r-staging-9@gitops-hooks>"
    assert mail.get_payload().replace("\r\n", "\n").splitlines() == [
        "repository   site",
        "environment  staging",
        "news         degraded",
        "state        failed",
        f"commit       {'c' * 40}",
        "branch       refs/heads/main",
        "generation   7",
        "seconds      12",
        "at           2026-11-23T09:00:00+00:00",
        "detail       one host failed",
        "",
        "web2                     failed       no?[2J?space",
        "web1                     ok           ",
    ]


def test_a_password_goes_over_tls_to_a_server_whose_certificate_is_known(tmp_path, secret):
    certificate, context = _certificate(tmp_path)
    with mail_box("gitops", SECRET, context) as box:
        settings = {"host": "127.0.0.1", "port": box.port, "user": "gitops", "password_file": secret}
        people = {"sender": "gitops@example.org", "to": ["ops@example.org"]}
        with pytest.raises(EdgeError, match="did not take the mail"):
            notify_email.gitops_deployed(deployment(), GOOD, notice(**settings, **people))
        assert box.mails == []
        notify_email.gitops_deployed(deployment(), GOOD, notice(**settings, **people, ca_file=str(certificate)))
        assert len(box.mails) == 1
        box.password = "another"
        with pytest.raises(EdgeError) as caught:
            notify_email.gitops_deployed(deployment(), GOOD, notice(**settings, **people, ca_file=str(certificate)))
    assert str(caught.value) == "127.0.0.1: did not take the mail: it answered 535"


def _certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that signs itself, and a server's context with it."""
    path, keys = make_certificate(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path, keys)
    return path, context


def test_a_mail_that_one_of_them_did_not_get_is_not_told():
    with mail_box() as box:
        box.unknown = "bob@example.org"
        settings = {"host": "127.0.0.1", "port": box.port, "tls": "none"}
        people = {"sender": "gitops@example.org", "to": ["ops@example.org", "bob@example.org"]}
        with pytest.raises(EdgeError, match=r"refused bob@example\.org"):
            notify_email.gitops_deployed(deployment(), GOOD, notice(**settings, **people))


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"to": []}, "'sender' must be an address, 'to' a list of them"),
        ({"to": ["ops"]}, "'sender' must be an address, 'to' a list of them"),
        ({"sender": "a@b.example, c@d.example"}, "'sender' must be an address, 'to' a list of them"),
        ({"sender": "a\nBcc: x@b.example"}, "'sender' must be an address, 'to' a list of them"),
        ({"tls": "perhaps"}, "'tls' is one of starttls, tls, none"),
        ({"port": 0}, "'port' must be a number from 1 to 65535"),
        ({"port": True}, "'port' must be a number from 1 to 65535"),
        ({"user": "gitops"}, "'user' and 'password_file' go together"),
        ({"user": "g", "tls": "none", "password_file": "SECRET"}, "a password is not sent in the clear; "),
        ({"host": ""}, "'host' is missing, or no text"),
    ],
)
def test_what_mail_cannot_be_set_up_with(settings, fault, secret):
    settings = {key: secret if value == "SECRET" else value for key, value in settings.items()}
    good = {"host": "mail.example.org", "sender": "gitops@example.org", "to": ["ops@example.org"]}
    assert list(notify_email.gitops_settings(good)) == []
    found = list(notify_email.gitops_settings({**good, **settings}))
    assert any(one.startswith(fault) for one in found), found


# --- Prometheus ---


def test_prometheus_reads_what_every_environment_is(tmp_path):
    file = tmp_path / "gitops.prom"
    settings = {"file": str(file)}
    notify_prometheus.gitops_deployed(deployment(6), GOOD, notice(None, **settings))
    notify_prometheus.gitops_deployed(deployment(7), FAILED, notice(**settings))
    notify_prometheus.gitops_deployed(deployment(7), FAILED, notice(**settings))
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    name = 'repository="site",environment="staging"'
    assert lines == [
        f"gitops_environment_healthy{{{name}}} 0",
        f"gitops_deployment_generation{{{name}}} 7",
        f"gitops_deployment_end_timestamp_seconds{{{name}}} {AT.timestamp():.0f}",
        f"gitops_deployment_duration_seconds{{{name}}} 11.6",
        f'gitops_deployment_hosts{{{name},state="changed"}} 0',
        f'gitops_deployment_hosts{{{name},state="failed"}} 1',
        f'gitops_deployment_hosts{{{name},state="ok"}} 1',
        f'gitops_deployment_hosts{{{name},state="skipped"}} 0',
        f'gitops_deployment_hosts{{{name},state="unreachable"}} 0',
        f"gitops_deployed_timestamp_seconds{{{name}}} {AT.timestamp():.0f}",
        f'gitops_deployments_total{{{name},state="failed"}} 1',
        f'gitops_deployments_total{{{name},state="successful"}} 1',
    ]
    assert file.stat().st_mode & 0o777 == 0o644


def test_prometheus_hears_of_a_repository_that_begins_anew_under_its_old_name(tmp_path):
    file = tmp_path / "gitops.prom"
    settings = {"file": str(file)}
    notify_prometheus.gitops_deployed(deployment(57), GOOD, notice(**settings))
    anew = replace(notice(**settings), at=AT + timedelta(hours=1))
    for _ in range(2):
        notify_prometheus.gitops_deployed(deployment(1), FAILED, anew)
    name = 'repository="site",environment="staging"'
    lines = file.read_text().splitlines()
    assert f"gitops_environment_healthy{{{name}}} 0" in lines
    assert f"gitops_deployment_generation{{{name}}} 1" in lines
    assert f'gitops_deployments_total{{{name},state="failed"}} 1' in lines
    # What was told later of something earlier changes nothing.
    notify_prometheus.gitops_deployed(deployment(56), GOOD, notice(**settings))
    assert file.read_text().splitlines() == lines


def test_a_text_file_that_was_spoilt_is_written_anew(tmp_path):
    file = tmp_path / "gitops.prom"
    file.write_bytes(b"\xff gitops{} x\nother_metric 3\n")
    notify_prometheus.gitops_deployed(deployment(), GOOD, notice(file=str(file)))
    assert "other_metric" not in file.read_text()
    assert 'gitops_environment_healthy{repository="site",environment="staging"} 1\n' in file.read_text()


@pytest.mark.parametrize("file", ["gitops.prom", "/tmp/gitops.txt", "/nowhere-at-all/gitops.prom", 3])
def test_what_prometheus_cannot_be_set_up_with(file):
    assert list(notify_prometheus.gitops_settings({"file": file}))
