"""doctor finds each way in which the gate could be open, and what it is told is true again once it was mended."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitops_hooks.edge.config_edit import set_value
from gitops_hooks.edge.diagnosis import State
from gitops_hooks.edge.diagnosis_access import sshd_lines
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.keys import make_key
from gitops_hooks.entry.doctor import examine
from tests.copying import copy_folder
from tests.entry.test_doctor import build

SETS = "lets a file set what our program starts with"
LETS_IN = "lets keys in without our forced command"
SITE = "repositories/site.git"
POLICY = """\
version: 1
branches:
  - match: main
    propose: ['*']
    land: [bob]
    approvals:
      - {count: 1, from: [zoe]}
    checks: [nowhere]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return build(tmp_path_factory.mktemp("gate"))


@pytest.fixture
def home(made: Home) -> Iterator[Home]:
    """A whole server; afterwards it is put back to what it was."""
    kept = made.path.with_name("kept")
    copy_folder(made.path, kept)
    yield made
    subprocess.run(["rm", "-rf", str(made.path)], check=True)
    kept.rename(made.path)


def git(home: Home, *words: str, text: str = "") -> str:
    command = ["git", "--git-dir", str(home.path / SITE), *words]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout.strip()


def commit_on_main(home: Home, message: str = "By hand") -> str:
    commit = git(home, "commit-tree", "-p", "main", "-m", message, "main^{tree}")
    git(home, "update-ref", "refs/heads/main", commit)
    return commit


def a_foreign_line(home: Home) -> None:
    public = make_key(home.path / "other", "other")
    text = home.authorized_keys.read_text()
    home.authorized_keys.write_text(f"# a comment is none\n\n{public}\n{text}")


def a_forged_record(home: Home) -> None:
    """An event whose text was changed keeps its signature, which no longer fits."""
    raw = git(home, "cat-file", "commit", "refs/gitops/log")
    changed = raw.replace("adopted by server", "adopted by nobody") + "\n"
    forged = git(home, "hash-object", "-t", "commit", "-w", "--stdin", text=changed)
    git(home, "update-ref", "refs/gitops/log", forged)


def another_server_key(home: Home) -> None:
    home.signing_key.unlink()
    home.signing_key.with_name("server_key.pub").unlink()
    make_key(home.signing_key, "another")


def a_stranger_policy(home: Home) -> None:
    from gitops_hooks.edge.adoption import with_file
    from gitops_hooks.edge.config import load_server
    from gitops_hooks.edge.repository import open_repository
    from gitops_hooks.entry.recovery import adopt_tip

    server = load_server(home)
    repository = open_repository(home.path / SITE, server.limits, server.git)
    tip = repository.tip("refs/heads/main")
    tree = with_file(repository.git2, repository.tree_of(tip), ".gitops/policy.yaml", POLICY.encode())
    git(home, "update-ref", "refs/heads/main", git(home, "commit-tree", "-p", tip, "-m", "By hand", tree))
    adopt_tip(home, "site", "refs/heads/main", "a test")


def write(name: str, text: str) -> Callable[[Home], None]:
    return lambda home: (home.path / name).write_text(text) and None


def mode(name: str, bits: int) -> Callable[[Home], None]:
    return lambda home: (home.path / name).chmod(bits)


@pytest.mark.parametrize(
    ("breaks", "name", "words", "cure"),
    [
        (
            a_foreign_line,
            "foreign keys",
            "{home}/authorized_keys:3 lets a key in without our forced command",
            "take that line out",
        ),
        (
            mode("hooks/pre-receive", 0o775),
            "writable files",
            "{home}/hooks/pre-receive is writable by others",
            "chmod go-w, and chown to the server's user",
        ),
        (
            mode(f"{SITE}/refs", 0o777),
            "writable files",
            f"{{home}}/{SITE}/refs is writable by others",
            "chmod go-w, and chown to the server's user",
        ),
        (mode("bin", 0o770), "writable files", "{home}/bin is writable by others", "chmod go-w, "),
        (
            lambda home: make_key(home.path / "k", "k") and (home.path / "k.pub").replace(home.path / "server_key.pub"),
            "server key",
            "{home}/server_key.pub is not the public half of server_key (SHA256:",
            "ssh-keygen -y -f {home}/server_key >{home}/server_key.pub; ",
        ),
        (another_server_key, "record of site", "event ", "gitops-hooks recovery restore site refs/gitops/log"),
        (a_forged_record, "record of site", "event ", "gitops-hooks recovery restore site refs/gitops/log"),
        (
            commit_on_main,
            "branches of site",
            "refs/heads/main stands at ",
            "gitops-hooks recovery restore|adopt site REF --reason '…'",
        ),
        (
            a_stranger_policy,
            "policy of site",
            ".gitops/policy.yaml:7: ",
            "gitops-hooks recovery policy site FILE --reason '…'",
        ),
        (
            a_stranger_policy,
            "policy of site",
            ".gitops/policy.yaml:8: ",
            "gitops-hooks recovery policy site FILE --reason '…'",
        ),
        (
            write(f"{SITE}/objects/info/alternates", "/elsewhere\n"),
            "folder of site",
            "objects/info/alternates: borrows objects from another repository",
            "",
        ),
        (
            write(f"{SITE}/info/attributes", "* merge=union\n"),
            "folder of site",
            "info/attributes: has attributes of its own",
            "",
        ),
        (
            lambda home: set_value(home, "input_size", 2**60, "limits"),
            "disk",
            "",
            "make room, or lower input_size in [limits]",
        ),
    ],
)
def test_an_open_gate_is_found_with_its_cure(home: Home, breaks, name, words, cure) -> None:
    assert [line for line in examine(home) if line.state is State.FAIL and line.name == name] == []
    breaks(home)
    found = [line for line in examine(home) if line.state is State.FAIL and line.name == name]
    assert [line for line in found if line.words.startswith(words.format(home=home.path))], found
    assert all(cure.format(home=home.path) in line.cure for line in found), found


def test_keys_of_ones_own_beside_ours_are_worth_a_note_only(home: Home, tmp_path: Path) -> None:
    own = tmp_path / "authorized_keys"
    own.write_text(f"{make_key(tmp_path / 'own', 'own')}\n{home.authorized_keys.read_text()}")
    own.chmod(0o600)
    set_value(home, "authorized_keys", str(own))
    found = [line for line in examine(home) if line.name == "foreign keys"]
    assert [(line.state, line.words) for line in found][:1] == [
        (State.NOTE, f"{own}:1 lets a key in without our forced command")
    ]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("AcceptEnv LANG LC_*\nAcceptEnv GIT_PROTOCOL\n", []),
        ("# AcceptEnv *\n", []),
        ("AcceptEnv LD_*\n", ["{file}:1: AcceptEnv lets a client set LD_PRELOAD, LD_LIBRARY_PATH, LD_AUDIT"]),
        ("Port 22\nacceptenv=BASH_ENV\n", ["{file}:2: AcceptEnv lets a client set BASH_ENV"]),
        ("PermitUserEnvironment no\n", []),
        ("PermitUserEnvironment yes\n", [f"{{file}}:1: PermitUserEnvironment {SETS}"]),
        ("TrustedUserCAKeys none\n", []),
        ("TrustedUserCAKeys /etc/ssh/ca.pub\n", [f"{{file}}:1: trustedusercakeys {LETS_IN}"]),
        ("AuthorizedKeysCommand /bin/x\n", [f"{{file}}:1: authorizedkeyscommand {LETS_IN}"]),
    ],
)  # fmt: skip
def test_what_sshd_lets_through_is_read_from_its_files(tmp_path: Path, text: str, faults: list[str]) -> None:
    (tmp_path / "sshd_config").write_text(text)
    found = [line.words for line in sshd_lines(tmp_path) if line.state is State.FAIL]
    assert found == [fault.format(file=tmp_path / "sshd_config") for fault in faults]


def test_our_own_part_of_sshds_configuration_closes_the_other_ways(tmp_path: Path) -> None:
    (tmp_path / "sshd_config").write_text("TrustedUserCAKeys /etc/ssh/ca.pub\nAuthorizedKeysCommand /bin/x\n")
    own = tmp_path / "sshd_config.d" / "gitops-hooks.conf"
    own.parent.mkdir()
    own.write_text("Match User git\n    AuthorizedKeysCommand none\n    TrustedUserCAKeys none\n")
    assert [line.state for line in sshd_lines(tmp_path)] == [State.OK]
