"""The backup is a mirror, the server's files and its key: on another server it goes on where it was."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_hooks.edge.new_home import make_home
from tests.push.desk import MAIN, Desk
from tests.world import World

FILES = ("server.toml", "users.toml", "server_key", "server_key.pub")


@pytest.fixture
def other(desk: Desk) -> Iterator[World]:
    """A second server on which nothing is but an installation; the same people have the same keys."""
    world = World(Path(tempfile.mkdtemp(prefix="gw-")), None)
    shutil.copytree(desk.world.folder / "people", world.folder / "people")
    make_home(world.home)
    world.open()
    yield world
    world.close()


def back_up(desk: Desk) -> Path:
    """What the page says: a mirror of every repository, and four files."""
    backup = desk.world.folder / "backup"
    backup.mkdir()
    desk.world.run("bob", "git", "clone", "-q", "--mirror", "host:site", str(backup / "site.git")).must()
    for name in FILES:
        shutil.copy2(desk.world.home.path / name, backup / name)
    return backup


def put_back(world: World, backup: Path, *names: str) -> None:
    for name in names:
        shutil.copy2(backup / name, world.home.path / name)


def test_a_second_server_goes_on_where_the_first_one_was(desk: Desk, other: World) -> None:
    desk.land({"a.yml": "a: 1\n"})
    waiting = desk.propose("alice", {"b.yml": "b: 1\n"})
    number = desk.newest()
    desk.push("bob", f"{waiting}:refs/reject/{number}").must()
    backup = back_up(desk)
    refs, log = desk.refs(), desk.log()
    desk.world.sshd.pause()
    put_back(other, backup, *FILES)
    done = other.admin("repo", "add", "site", "--from", str(backup / "site.git")).must()
    assert done.out.splitlines() == [
        f"made a repository at {other.repository} from {backup}/site.git",
        "wrote git's settings and pointed it at the hooks",
        "is adopted already",
        "opened it to: read nobody else, write bob *",
        "site is served. Clone it:  git clone git@HOST:site",
    ]
    assert (done.err, other.refs()) == ("", refs)
    assert not (other.repository / "hooks").exists() or not [*(other.repository / "hooks").glob("*[!e]")]
    # What waited for an approval lands, and the next change has the next number.
    other.clone("bob")
    landed = other.verb("bob", "approve", number).must()
    assert f"gitops: change {number} revision 1 approved by bob; landing" in landed.remote_lines
    assert other.refs()[MAIN] == waiting
    proposed = other.propose("alice", {"c.yml": "c: 1\n"}).must()
    assert proposed.remote_lines[0] == f"gitops: change {number + 1}, revision 1 for main"
    # One unbroken record, by one key.
    events = other.events("refs/gitops/log")
    assert events[: len(log)] == log
    assert [event.fact("Number") for event in events] == [str(n) for n in range(1, len(events) + 1)]
    assert "FAIL  repository" not in other.admin("doctor").out


def test_without_the_key_that_signed_the_record_it_is_not_continued(desk: Desk, other: World) -> None:
    desk.land({"a.yml": "a: 1\n"})
    backup = back_up(desk)
    put_back(other, backup, "server.toml", "users.toml")
    refused = other.admin("repo", "add", "site", "--from", str(backup / "site.git"))
    assert refused.code == 2
    assert refused.err.endswith(
        "was not signed by this server; "
        "to continue it here, put the server_key of the server that wrote it in place first\n"
    )
    assert not other.repository.exists()
    # With it the same command works.
    put_back(other, backup, "server_key", "server_key.pub")
    other.admin("repo", "add", "site", "--from", str(backup / "site.git")).must()


def test_a_mirror_that_was_taken_while_a_branch_moved_is_told(desk: Desk, other: World) -> None:
    before = desk.tip(MAIN)
    desk.land({"a.yml": "a: 1\n"})
    backup = back_up(desk)
    mirror = str(backup / "site.git")
    desk.world.run("bob", "git", "--git-dir", mirror, "update-ref", MAIN, before).must()
    put_back(other, backup, *FILES)
    warned = other.admin("repo", "add", "site", "--from", mirror).must().err
    assert warned.startswith(f"warning: {MAIN} stands at {before[:12]}, and the record says ")
    assert warned.endswith(": gitops-hooks recovery restore|adopt\n")
    other.admin("recovery", "restore", "site", MAIN, "--reason", "restored").must()
    assert other.refs()[MAIN] == desk.tip(MAIN)


def test_what_is_not_whole_or_in_the_way_leaves_nothing(desk: Desk, other: World) -> None:
    desk.land({"a.yml": "a: 1\n"})
    backup = back_up(desk)
    put_back(other, backup, *FILES)
    mirror = backup / "site.git"
    for pack in (mirror / "objects/pack").glob("*.pack"):
        pack.chmod(0o644)
        pack.write_bytes(pack.read_bytes()[:100])
    refused = other.admin("repo", "add", "site", "--from", str(mirror))
    assert (refused.code, refused.err.startswith("gitops: the mirror: is not whole or cannot be read: ")) == (2, True)
    assert [*other.home.repositories.iterdir()] == []
    other.repository.mkdir()
    refused = other.admin("repo", "add", "site", "--from", str(mirror))
    assert "there is something at" in refused.err
    assert other.admin("repo", "add", "new", "--from", str(mirror)).err.endswith("Missing option '--admin'.\n")


@pytest.mark.parametrize("how", ["absolute", "relative", "linked"])
def test_of_a_mirror_that_borrows_objects_nothing_is_borrowed(desk: Desk, other: World, how: str) -> None:
    """As after `git clone --mirror --reference`, or where packs lie on another disk."""
    desk.land({"a.yml": "a: 1\n"})
    backup = back_up(desk)
    put_back(other, backup, *FILES)
    mirror, lender = backup / "site.git", backup / "lender.git"
    shutil.copytree(mirror, lender)
    shutil.rmtree(mirror / "objects" / "pack")
    if how == "linked":
        (mirror / "objects" / "pack").symlink_to(lender / "objects" / "pack")
    else:
        said = lender / "objects" if how == "absolute" else Path("../../lender.git/objects")
        (mirror / "objects" / "info" / "alternates").write_text(f"{said}\n")
    other.admin("repo", "add", "site", "--from", str(mirror)).must()
    shutil.rmtree(backup)
    checked = subprocess.run(
        ["git", "--git-dir", other.repository, "fsck", "--no-dangling"], capture_output=True, text=True
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    assert other.refs() == desk.refs()
