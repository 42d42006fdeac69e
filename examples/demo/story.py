"""The story of one push, played on this machine: `./install.sh demo [--keep | --stop]`."""

import argparse
import signal
import sys
import time
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.demo.stage import HOSTS, Stage, end_stage, stage_folder
from examples.demo.terminal import Shell, StoryError, emit, tell
from gitops_hooks.model.errors import EdgeError
from tests.world import REPOSITORY

SITES = "inventories/staging/group_vars/web.yml"
BLOG = "etc/nginx/sites-enabled/blog.example.org.conf"
_PLACE = "    proxy: http://127.0.0.1:8080\n"
_WRONG = _PLACE + "  - name: blog.example.org\n     folder: /srv/blog\n"
_RIGHT = _PLACE + "  - name: blog.example.org\n    folder: /srv/blog\n"
_WAIT_SECONDS = 180.0  # seconds where a machine has time; a loaded one gets there too


def play(stage: Stage) -> None:
    """The whole story. Errors: StoryError at the first step that does not do what it says."""
    begin(stage)
    alice = clone(stage, "alice")
    refuse_direct_push(alice)
    refuse_bad_yaml(alice)
    propose(alice)
    refuse_own_approval(alice)
    bob = clone(stage, "bob")
    approve(bob, 1)
    show_hosts(stage, blog=True)
    revert(alice, bob)
    show_hosts(stage, blog=False)
    look_back(bob)


def begin(stage: Stage) -> None:
    tell("The server brings the three hosts to what main says today.")
    stage.administrator().type("gitops-hooks", "reconcile", "--ensure")
    bob = stage.shell("bob")
    await_word(bob, "Synced, Healthy", "ssh", "host", "env", "show", "staging")
    bob.type("ssh", "host", "env", "show", "staging", expect=["Synced, Healthy", "web1", "web3"])


def clone(stage: Stage, name: str) -> Shell:
    shell = stage.shell(name)
    shell.type("git", "clone", f"host:{REPOSITORY}")
    return shell.at(shell.folder / REPOSITORY)


def refuse_direct_push(alice: Shell) -> None:
    tell("alice wants a blog, and pushes it straight to main.")
    alice.edit(SITES, _PLACE, _WRONG)
    alice.type("git", "commit", "-q", "-a", "-m", "A blog")
    alice.type(
        "git", "push", "origin", "HEAD:main", code=1, expect=["gitops: refused refs/heads/main", "HEAD:refs/for/main"]
    )


def refuse_bad_yaml(alice: Shell) -> None:
    tell("Then she proposes it, but an indentation slipped.")
    alice.type("git", "push", "origin", "HEAD:refs/for/main", code=1, expect=[f"{SITES}:10"])


def propose(alice: Shell) -> None:
    tell("She mends it.")
    alice.edit(SITES, _WRONG, _RIGHT)
    alice.type("git", "commit", "-q", "--amend", "-a", "-m", "A blog")
    alice.type("git", "push", "origin", "HEAD:refs/for/main", expect=["gitops: change 1, revision 1 for main"])


def refuse_own_approval(alice: Shell) -> None:
    tell("Nobody approves their own work.")
    alice.type("git", "push", "origin", "HEAD:refs/approve/1", code=1, expect=["gitops: refused refs/approve/1"])


def approve(bob: Shell, number: int) -> None:
    tell("bob reads the change and approves exactly these bytes. It lands, and the hosts follow.")
    bob.type("git", "fetch", "origin", f"refs/changes/{number}/head")
    bob.type("git", "diff", "origin/main...FETCH_HEAD")
    bob.type(
        "git",
        "push",
        "origin",
        f"FETCH_HEAD:refs/approve/{number}",
        expect=[f"gitops: change {number} revision 1 approved by bob; landing", "staging    deploying"],
    )


def revert(alice: Shell, bob: Shell) -> None:
    tell("The blog was a mistake. A revert is a change like any other, and rolls the hosts back.")
    alice.type("git", "pull", "-q", "origin", "main")
    alice.type("git", "revert", "--no-edit", "HEAD")
    alice.type("git", "push", "origin", "HEAD:refs/for/main", expect=["gitops: change 2, revision 1 for main"])
    approve(bob, 2)


def show_hosts(stage: Stage, blog: bool) -> None:
    await_hosts(stage, BLOG, present=blog)
    for name in HOSTS:
        shell = Shell(name, stage.administrator().environment, stage.world.hosts[name].root)
        shell.type("ls", "etc/nginx/sites-enabled")
    shell = Shell("web1", stage.administrator().environment, stage.world.hosts["web1"].root)
    if blog:
        shell.type("cat", BLOG, expect=["server_name blog.example.org;"])
    shell.type("cat", "etc/motd", expect=["web1: www.example.org, shop.example.org" + ", blog.example.org" * blog])


def look_back(bob: Shell) -> None:
    tell("What is live, and everything that happened, is in the repository.")
    await_word(bob, "Synced, Healthy", "ssh", "host", "env", "show", "staging")
    bob.type("ssh", "host", "env", "show", "staging", expect=["Synced, Healthy"])
    bob.type("git", "fetch", "-q", "origin", "+refs/environments/*:refs/environments/*")
    bob.type("git", "log", "--oneline", "refs/environments/staging/log", expect=["successful"])


def await_word(shell: Shell, wanted: str, *words: str) -> None:
    """Ask until the answer holds this. Errors: StoryError after three minutes."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while wanted not in (answer := shell.quietly(*words)):
        if time.monotonic() > deadline:
            raise StoryError(f"not '{wanted}' after three minutes:\n{answer}")
        time.sleep(0.2)


def await_hosts(stage: Stage, path: str, present: bool) -> None:
    """Errors: StoryError where a host does not get there within three minutes."""
    deadline = time.monotonic() + _WAIT_SECONDS
    for name in HOSTS:
        while stage.host_file(name, path).exists() != present:
            if time.monotonic() > deadline:
                raise StoryError(f"{name}: {path} is {'not there' if present else 'still there'} after three minutes")
            time.sleep(0.1)


def main() -> int:
    words = parse()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    folder = stage_folder()
    try:
        if words.stop:
            emit("The demo is ended.\n" if end_stage(folder) else "No demo is running.\n")
            return 0
        return show(folder, words.keep)
    except (StoryError, EdgeError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; everything that the demo started is ended", file=sys.stderr)
        return 130


def show(folder: Path, keep: bool) -> int:
    if end_stage(folder):
        emit("An earlier demo was still there; it is ended.\n\n")
    began = time.monotonic()
    stage = Stage.build(folder)
    kept = False
    try:
        play(stage)
        emit(f"That was the whole way, in {time.monotonic() - began:.0f} s.\n")
        if keep:
            stage.keep()
            kept = True
            emit(continue_by_hand(stage))
    finally:
        if not kept:
            stage.close()
    return 0


def continue_by_hand(stage: Stage) -> str:
    people = stage.folder / "people"
    return f"""
It goes on running. In one terminal, as alice:
  bash --noprofile --rcfile {people}/alice/shell
  $EDITOR {SITES}
  git commit -a -m 'Another site' && git push origin HEAD:refs/for/main
In another, as bob:
  bash --noprofile --rcfile {people}/bob/shell
  git fetch origin refs/changes/3/head && git push origin FETCH_HEAD:refs/approve/3
The hosts lie below {stage.folder}/hosts. To end it:
  ./install.sh demo --stop
"""


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./install.sh demo")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--keep", action="store_true", help="leave it running afterwards")
    kinds.add_argument("--stop", action="store_true", help="end a demo that was left running")
    return parser.parse_args()


def interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
