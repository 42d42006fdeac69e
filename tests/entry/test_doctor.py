"""doctor finds each way in which a server is unsafe or lame, and says the cure."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_hooks.edge.config_edit import add_credential, set_value
from gitops_hooks.edge.diagnosis import Line, State
from gitops_hooks.edge.enrolment import Wish, enrol
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import add_user
from gitops_hooks.edge.keys import make_key
from gitops_hooks.edge.new_home import make_home
from gitops_hooks.entry.doctor import examine
from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.server import CredentialEntry

ROOT = Path(__file__).resolve().parents[2]


def build(folder: Path) -> Home:
    """A server with one person, one repository and one credential."""
    home = Home(folder / "home")
    make_home(home)
    add_user(home, "bob", make_key(folder / "bob.key", "bob"), ("bob@example.org",))
    site = enrol(home, Wish("site", home.repositories / "site.git", "bob"))[0]
    make_key(home.path / "deploy_key", "deploy")
    (home.path / "known_hosts").write_text("")
    given = Credentials(("web1",), home.path / "deploy_key", home.path / "known_hosts")
    add_credential(home, CredentialEntry(site.id, "staging", "refs/heads/main", given))
    return home


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, frozenset[Line]]:
    """One server that a test may break and must mend, and what doctor says of it while it is whole."""
    home = build(tmp_path_factory.mktemp("doctor"))
    return home, frozenset(examine(home))


def fails(home: Home) -> list[Line]:
    return [line for line in examine(home) if line.state is State.FAIL]


def test_a_whole_server_fails_only_where_this_machine_keeps_nothing_alive(whole):
    _, lines = whole
    assert {line.name for line in lines if line.state is State.FAIL} <= {"reconciler"}
    assert {line.name for line in lines} >= {
        "home",
        "hooks",
        "launchers",
        "judge",
        "byte code",
        "git",
        "authorized_keys",
        "login shell",
        "sandbox",
        "tools",
        "deployments",
        "reconciler",
        "plugins",
        "repository site",
        "credential site/staging",
    }


def test_every_fault_has_a_cure(whole):
    _, lines = whole
    assert all(
        line.cure for line in lines if line.state is State.FAIL and line.name not in ("sandbox", "tools", "deployments")
    )


SITE = "repositories/site.git"


def append(name: str, text: str) -> Callable[[Home], None]:
    def act(home: Home) -> None:
        with (home.path / name).open("a") as out:
            out.write(text)

    return act


def drop(name: str) -> Callable[[Home], None]:
    return lambda home: (home.path / name).unlink()


def mode(name: str, bits: int) -> Callable[[Home], None]:
    return lambda home: (home.path / name).chmod(bits)


def replaced(name: str, old: str, new: str) -> Callable[[Home], None]:
    return lambda home: (home.path / name).write_text((home.path / name).read_text().replace(old, new))


@pytest.mark.parametrize(
    ("breaks", "touched", "name", "words"),
    [
        (mode("server_key", 0o644), "server_key", "home", "{home}/server_key has mode 644, not 600"),
        (mode("users.toml", 0o640), "users.toml", "home", "{home}/users.toml has mode 640, not 600"),
        (
            drop("hooks/pre-receive"),
            "hooks/pre-receive",
            "hooks",
            "pre-receive cannot be read: No such file or directory",
        ),
        (
            append("hooks/pre-receive", "#"),
            "hooks/pre-receive",
            "hooks",
            "pre-receive was changed, or belongs to another release",
        ),
        (drop("bin/gitops-shell"), "bin/gitops-shell", "launchers", "gitops-shell is missing or cannot be read"),
        (append("server.toml", "\nx = 1\n"), "server.toml", "server.toml", "server.toml:"),
        (replaced("users.toml", "bob@", "b ob@"), "users.toml", "users.toml", "users.toml:"),
        (
            replaced("authorized_keys", ",restrict", ""),
            "authorized_keys",
            "authorized_keys",
            "our block in {home}/authorized_keys is not",
        ),
        (drop("authorized_keys"), "authorized_keys", "authorized_keys", "{home}/authorized_keys is missing"),
        (
            mode("authorized_keys", 0o666),
            "authorized_keys",
            "authorized_keys",
            "{home}/authorized_keys has mode 666, not 644",
        ),
        (
            replaced(f"{SITE}/config", "refs/for\n", "refs/far\n"),
            f"{SITE}/config",
            "repository site",
            "receive.procReceiveRefs is not set as it must be",
        ),
        (
            replaced(f"{SITE}/config", "fsckObjects = true", "fsckObjects = false"),
            f"{SITE}/config",
            "repository site",
            "receive.fsckObjects is not set as it must be",
        ),
        (
            append(f"{SITE}/config", "[uploadpack]\nhideRefs = refs\n"),
            f"{SITE}/config",
            "repository site",
            "uploadpack.hiderefs must not be set",
        ),
        (
            append(f"{SITE}/config", "[core]\nhooksPath = /tmp\n"),
            f"{SITE}/config",
            "repository site",
            "core.hooksPath is not set as it must be",
        ),
        (
            drop(f"{SITE}/refs/gitops/log"),
            f"{SITE}/refs/gitops/log",
            "repository site",
            "its record is missing, or belongs",
        ),
        (drop(f"{SITE}/HEAD"), f"{SITE}/HEAD", "repository site", ""),
        (mode("deploy_key", 0o644), "deploy_key", "credential site/staging", "{home}/deploy_key has mode 644, not 600"),
        (drop("deploy_key"), "deploy_key", "credential site/staging", "{home}/deploy_key is missing"),
        (drop("known_hosts"), "known_hosts", "credential site/staging", "{home}/known_hosts is missing"),
    ],
)
def test_what_is_broken_is_found_by_name(whole, breaks, touched, name, words):
    home, _ = whole
    path = home.path / touched
    kept, bits = path.read_bytes(), path.stat().st_mode & 0o777
    breaks(home)
    try:
        found = [line for line in fails(home) if line.name == name]
    finally:
        path.write_bytes(kept)
        path.chmod(bits)
    assert found, name
    assert any(line.words.startswith(words.format(home=home.path)) for line in found), found
    assert all(line.cure for line in found)


@pytest.mark.parametrize(
    ("table", "key", "value", "name", "words"),
    [
        ("plugins", "checks", ["nowhere.at_all"], "plugins", "nowhere.at_all: this plugin does not load: "),
        (
            "plugins",
            "trusted",
            ["gitops_hooks.plugins.journal"],
            "plugins",
            "server.toml: exactly one plugin must say who",
        ),
        (
            "plugins",
            "checks",
            ["gitops_hooks.plugins.ssh_actor"],
            "plugins",
            "gitops_hooks.plugins.ssh_actor: gitops_actor: only",
        ),
        ("", "git", "/nowhere/git", "git", ""),
        ("", "git", "/bin/sh", "git", "/bin/sh is no git of 2.36 or newer: "),
        ("", "tool_folders", ["/nonexistent/tools"], "tools", "/nonexistent/tools of tool_folders cannot be read"),
        ("limits", "input_size", 77, "repository site", "receive.maxInputSize is not set as it must be"),
    ],
)
def test_what_the_servers_file_says_wrong_is_found(whole, table, key, value, name, words):
    home, _ = whole
    kept = home.server_file.read_bytes()
    set_value(home, key, value, table)
    try:
        found = [line for line in fails(home) if line.name == name]
    finally:
        home.server_file.write_bytes(kept)
    assert any(line.words.startswith(words) for line in found), found


def test_a_fault_in_one_place_keeps_nothing_else_from_being_looked_at(whole):
    home, lines = whole
    kept = (home.path / SITE / "HEAD").read_bytes()
    (home.path / SITE / "HEAD").unlink()
    try:
        names = {line.name for line in examine(home)}
    finally:
        (home.path / SITE / "HEAD").write_bytes(kept)
    assert names == {line.name for line in lines}


def doctor(home: Home, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gitops_hooks.entry.cli", "--home", str(home.path), "doctor", *words],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home.path)} | env,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_each_fail_is_printed_with_its_cure_and_is_exit_code_1(whole):
    home, _ = whole
    home.signing_key.chmod(0o644)
    try:
        done = doctor(home)
        rows = json.loads(doctor(home, "--json").stdout)
    finally:
        home.signing_key.chmod(0o600)
    assert done.returncode == 1
    assert (
        f"FAIL  home: {home.signing_key} has mode 644, not 600\n      chown and chmod below {home.path}\n"
        in done.stdout
    )
    assert [row["name"] for row in rows if row["state"] == "FAIL"][:1] == ["home"]


def test_a_folder_without_a_server_says_how_to_make_one(tmp_path):
    assert list(examine(Home(tmp_path))) == [
        Line(
            State.FAIL,
            "home",
            f"there is no server in {tmp_path}",
            "gitops-hooks user add NAME KEY.pub --email ADDRESS makes one",
        )
    ]
