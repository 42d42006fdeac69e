"""A server whose policy asks for commands of the repository, and what its stories wait for."""

import atexit
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache

from tests.push.desk import MAIN, POLICY, Desk
from tests.waiting import wait_until
from tests.world import Template, World

CHECKS = 'checks = ["gitops_hooks.plugins.yaml_check", "gitops_hooks.plugins.command_check"]'
OPTIONS = """\
checks:
  command:
    commands:
      test: sh test.sh
    seconds: 60
"""
COMMANDS = POLICY.replace("checks: [yaml]", "checks: [yaml, command]") + OPTIONS
GOOD = "echo all is well\n"
BAD = "echo it is broken; exit 3\n"


@lru_cache
def _template(policy: str, files: tuple[tuple[str, str], ...], limits: str) -> Template:
    """Made once and copied for each story, until the tests have ended."""
    template = Template.build(policy, {"test.sh": GOOD, **dict(files)})
    atexit.register(template.remove)
    server = template.folder / "home" / "server.toml"
    text = server.read_text().replace("[plugins]\n", f"[plugins]\n{CHECKS}\n", 1)
    server.write_text(text.replace("[limits]\n", f"[limits]\n{limits}", 1))
    return template


@contextmanager
def commanded(policy: str = COMMANDS, files: Mapping[str, str] | None = None, limits: str = "") -> Iterator[Desk]:
    """A server of one story's own, with this policy in force."""
    world = World.copied_from(_template(policy, tuple((files or {}).items()), limits))
    try:
        yield Desk.beside(world)
    finally:
        world.close()


@contextmanager
def nobody_runs(desk: Desk) -> Iterator[None]:
    """What is proposed meanwhile waits: there is no reconciler, and no visitor starts one."""
    launcher = desk.world.home.path / "bin" / "gitops-reconcile"
    text = launcher.read_text()
    launcher.write_text("")
    desk.world.stop_reconciler()
    yield
    launcher.write_text(text)
    desk.world.admin("reconcile", "--ensure").must()


def results(desk: Desk, number: int) -> list[tuple[str, str]]:
    """Command and state of each recorded run of a change, oldest first."""
    events = [event for event in desk.world.events(f"refs/changes/{number}/meta") if event.fact("Event") == "ran"]
    return [(event.fact("Name"), event.fact("State")) for event in events]


def await_results(desk: Desk, number: int, count: int) -> list[tuple[str, str]]:
    """The runs of a change once there are so many."""
    wait_until(lambda: len(results(desk, number)) >= count, words=lambda: (results(desk, number), reconciler_log(desk)))
    return results(desk, number)


def await_tip(desk: Desk, tip: str) -> None:
    wait_until(lambda: desk.tip(MAIN) == tip, words=lambda: reconciler_log(desk))


def reconciler_log(desk: Desk) -> str:
    log = desk.world.home.run / "reconcile.log"
    return log.read_text() if log.exists() else "no reconciler was here"


def verify(desk: Desk) -> None:
    """Everything that is recorded holds, judged from a mirror and the server's public key alone."""
    mirror = desk.world.folder / "mirror.git"
    desk.ask("clone", "-q", "--mirror", str(desk.world.repository), str(mirror))
    key = desk.world.home.signing_key.with_suffix(".pub")
    desk.world.admin("verify", str(mirror), "--server-key", str(key)).must()
