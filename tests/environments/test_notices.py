"""Who is told of deployments: of what changed and no more, in the end of everything, and never in its way."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from gitops_hooks.edge.launchers import reconcile_launcher
from tests.environments.conftest import Site, open_site
from tests.plugins.receivers import WebHook, web_hook
from tests.waiting import so_far, wait_until
from tests.world import Template

NOTIFY = """
[[notify]]
name = "chat"
plugin = "gitops_hooks.plugins.notify_webhook"
environments = ["staging"]
[notify.settings]
url = "{url}"
secret_file = "{secret}"

[[notify]]
name = "metrics"
plugin = "gitops_hooks.plugins.notify_prometheus"
on = ["every"]
[notify.settings]
file = "{folder}/gitops.prom"
"""


@pytest.fixture(scope="module")
def receiver() -> Iterator[WebHook]:
    with web_hook() as hook:
        yield hook


@pytest.fixture(scope="module")
def told(staged: Template, receiver: WebHook) -> Iterator[Site]:
    """A site that tells a web hook and Prometheus what becomes of it."""
    with open_site(staged) as site:
        folder = site.world.folder
        secret = folder / "secret"
        secret.write_text("correct horse battery staple\n")
        secret.chmod(0o600)
        with site.world.home.server_file.open("a") as server:
            server.write(NOTIFY.format(url=receiver.url, secret=secret, folder=folder))
        # One who is new hears how things stand: the first of all deployments had found no inventory.
        assert [post.facts["news"] for post in receiver.await_posts(1)] == ["recovered"]
        yield site


@pytest.fixture
def hook(told: Site, receiver: WebHook) -> WebHook:
    """As new, where all is well and told."""
    told.await_that(lambda: told.ref("deployed") == told.tip())
    wait_until(lambda: all_told(told), words=lambda: notes(told))
    receiver.renew()
    return receiver


def all_told(site: Site) -> bool:
    end = newest_end(site)
    return all(number >= end and not tries for number, tries in notes(site))


def notes(site: Site) -> list[tuple[int, int]]:
    """Of each who is told: the number of what was told last, and how often the next was tried in vain."""
    texts = [path.read_text() for path in site.world.home.path.glob("state/*/told/*.json")]
    return [(found["number"], found["tries"]) for found in (json.loads(text)["staging"] for text in texts)]


def newest_end(site: Site) -> int:
    """The number of the newest end in the log."""
    events = site.world.events("refs/environments/staging/log")
    return next(int(event.fact("Number") or 0) for event in reversed(events) if event.fact("Event") == "finished")


def news(hook: WebHook) -> list[str]:
    return [post.facts["news"] for post in hook.posts]


def metric(site: Site, name: str) -> float:
    """0.0 for what is not written yet, as it is where it never happened."""
    found = re.findall(rf"^{name} (\S+)$", so_far(site.world.folder / "gitops.prom"), re.M)
    return float(found[0]) if found else 0.0


def test_a_failure_is_told_once_however_often_it_is_tried_again_and_so_is_its_end(told: Site, hook: WebHook):
    total = 'gitops_deployments_total{repository="site",environment="staging",state="failed"}'
    (told.hosts[1].root / "full").touch()
    told.retry_after(1)
    told.land({"page": "broken\n"})
    degraded = hook.await_posts(1)[0].facts
    assert degraded["text"].endswith("failed on web2 (changed 1, failed 1)")
    told.await_that(lambda: metric(told, total) >= 3)
    (told.hosts[1].root / "full").unlink()
    hook.await_posts(2)
    told.await_that(lambda: told.ref("deployed") == told.tip())
    assert news(hook) == ["degraded", "recovered"]
    assert len({post.headers["X-Gitops-Delivery"] for post in hook.posts}) == 2
    told.await_that(lambda: metric(told, 'gitops_environment_healthy{repository="site",environment="staging"}') == 1)


def test_a_receiver_that_was_down_hears_of_it_later_and_doctor_says_so_meanwhile(told: Site, hook: WebHook):
    hook.status = 503
    told.land({"page": "unheard\n"})
    told.await_that(lambda: hook.tried >= 1)
    told.await_that(lambda: "status 503" in so_far(told.world.home.journal))
    late = [line for line in told.world.admin("doctor").out.splitlines() if "notify chat" in line]
    # It is tried again meanwhile.
    assert [re.sub(r"after \d+ tries", "after N tries", line) for line in late] == [
        "note  notify chat: site: staging: not told after N tries: 127.0.0.1: answered with status 503; "
        "200 to 299 says that it arrived"
    ]
    hook.status = 200
    assert hook.await_posts(1)[0].facts["commit"] == told.tip()


def test_one_that_hangs_holds_up_neither_deployments_nor_the_others_nor_the_end(told: Site, hook: WebHook):
    text = told.world.home.server_file.read_text()
    told.world.home.server_file.write_text(text.replace("[limits]\n", "[limits]\nnotify_seconds = 1\n", 1))
    hook.hangs = True
    told.land({"page": "third\n"})
    told.land({"page": "fourth\n"})
    assert told.pages() == ["fourth\n", "fourth\n"]
    generation = 'gitops_deployment_generation{repository="site",environment="staging"}'
    told.await_that(lambda: metric(told, generation) == len(told.world.events("refs/environments/staging/log")) - 1)
    told.await_that(lambda: "did not come to an end within 1 s" in so_far(told.world.home.journal))
    told.world.home.server_file.write_text(text)
    hook.hangs = False
    hook.go_on.set()
    hook.await_posts(2)
    assert news(hook) == ["deployed", "deployed"]


def test_what_a_killed_reconciler_did_not_tell_is_told_by_the_next(told: Site, hook: WebHook):
    hook.hangs = True
    told.land({"page": "killed\n"})
    told.await_that(lambda: hook.tried >= 1)
    told.kill_reconciler()
    hook.hangs = False
    hook.go_on.set()
    told.world.admin("reconcile", "--ensure").must()
    assert hook.await_posts(1)[0].facts["commit"] == told.tip()


def test_the_journal_has_every_end_with_what_it_changed(told: Site):
    told.land({"page": "journalled\n"})
    journal = told.world.home.journal
    told.await_that(lambda: told.tip() in so_far(journal))
    ends = [json.loads(line) for line in journal.read_text().splitlines() if '"kind": "deployed"' in line]
    assert [end["news"] for end in ends[:2]] == ["degraded", "recovered"]
    assert (ends[-1]["news"], ends[-1]["commit"]) == ("deployed", told.tip())
    assert ends[-1]["id"].startswith(f"{ends[-1]['repository']}-staging-")


@pytest.mark.timeout(300)
def test_a_host_that_was_changed_by_hand_is_told_once_and_so_is_that_it_is_in_sync_again(told: Site, hook: WebHook):
    (told.hosts[0].root / "page").write_text("by hand\n")
    for _ in range(2):
        told.world.ssh("bob", "env drift staging --now").must()
    drifted = hook.await_posts(1)[0].facts
    assert drifted["text"].endswith(f"staging drifted: 1 out of sync, 1 in sync: web1 ({told.tip()[:12]})")
    told.world.ssh("bob", "env deploy staging").must()
    told.world.ssh("bob", "env drift staging --now").must()
    hook.await_posts(2)
    assert news(hook) == ["drifted", "synced"]


@pytest.mark.parametrize(("key", "value"), [("environments", '["elsewhere"]'), ("name", '"another"')])
def test_what_nobody_is_told_of_any_more_is_not_tried_for_ever(told: Site, hook: WebHook, key: str, value: str):
    text = told.world.home.server_file.read_text()
    hook.status = 503
    told.land({"page": f"{key}\n"})
    wait_until(lambda: any(tries for _, tries in notes(told)), words=lambda: notes(told))
    told.world.stop_reconciler()
    told.world.home.server_file.write_text(re.sub(rf"(?m)^{key} = .*chat.*$|^{key} = \[.*$", f"{key} = {value}", text))
    hook.status = 200
    wait_until(lambda: next_try(told) is None, words=lambda: next_try(told))
    told.world.home.server_file.write_text(text)
    told.world.admin("reconcile", "--ensure").must()
    hook.await_posts(1)


def next_try(site: Site) -> float | None:
    """When the one who has just told, or tried to, is to be started again; it is at once where that is over."""
    command = [sys.executable, "-I", str(reconcile_launcher(site.world.home)), "--tell"]
    said = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.strip()
    return float(said) if said else None
