"""The one door for exceptions: what a person reads of them, and what only the journal gets."""

import importlib
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from gitops_hooks.edge import journal
from gitops_hooks.edge.disk import full_disk, says_full
from gitops_hooks.edge.home import Home
from gitops_hooks.model.errors import EdgeError, PolicyError

HOME_VARIABLE = "GITOPS_HOOKS_HOME"
_SERVERS_OWN = ("server.toml", "users.toml")  # what stands in them is no pusher's business
_Answer = TypeVar("_Answer")
DONE, REFUSED, WRONG_USE, OUR_BUG, INTERRUPTED = 0, 1, 2, 3, 130


def judge(name: str, protocol_in: int, protocol_out: int) -> bool:
    """Run one hook's `main`; only True is an acceptance, and whatever it raises is a refusal with a message."""
    try:
        return importlib.import_module(f"gitops_hooks.entry.{name}").main(protocol_in, protocol_out) is True
    except Exception as error:  # noqa: BLE001  # the one door for exceptions
        say(explain(error, name, os.environ)[1])
        return False


def command(act: Callable[[], _Answer], place: str, environ: Mapping[str, str]) -> _Answer | int:
    """Run one command of a person; answers what it answers, or the exit code of its failure."""
    try:
        return act()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has gone; a second complaint at exit would be noise.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return REFUSED
    except Exception as error:  # noqa: BLE001  # the one door for exceptions
        code, lines = explain(error, place, environ)
        say(lines)
        return code


def explain(error: Exception, place: str, environ: Mapping[str, str]) -> tuple[int, tuple[str, ...]]:
    """The exit code and the lines for a person; a bug of ours is described in the journal alone."""
    remote = bool(environ.get("GITOPS_HOOKS_ACTOR"))
    if remote and isinstance(error, PolicyError) and error.source in _SERVERS_OWN:
        _journal(environ, "config", {"place": place, "faults": str(error)})
        return WRONG_USE, ("the server's own files have a fault", "Ask the administrator to run: gitops-hooks doctor")
    if isinstance(error, OSError) and says_full(error):
        error = full_disk()
    if isinstance(error, PolicyError | EdgeError):
        return WRONG_USE, tuple(_without_paths(line, environ) for line in str(error).split("\n"))
    text = "".join(traceback.format_exception(error, limit=-40))
    kept = _journal(environ, "bug", {"place": place, "class": type(error).__name__, "traceback": text})
    return OUR_BUG, (f"our bug: {type(error).__name__}{' (details in the server journal)' if kept else ''}",)


def _journal(environ: Mapping[str, str], kind: str, facts: Mapping[str, str]) -> bool:
    if not environ.get(HOME_VARIABLE):
        return False
    journal.append(Home(Path(environ[HOME_VARIABLE])), kind, facts)
    return True


def say(lines: tuple[str, ...]) -> None:
    """Lines to stderr, each with our name in front and every character that could steer a terminal escaped."""
    text = "".join(f"gitops: {plain(line)}\n" for line in lines)
    try:
        sys.stdout.flush()
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        return


def _without_paths(line: str, environ: Mapping[str, str]) -> str:
    """A pusher learns nothing of where things lie: the home folder's part of a path is taken off."""
    home = environ.get(HOME_VARIABLE, "")
    if not environ.get("GITOPS_HOOKS_ACTOR") or len(home) < 2:
        return line
    return line.replace(f"{home.rstrip('/')}/", "")


def plain(line: str) -> str:
    """The line with every character escaped that could steer a terminal."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode() for char in line
    )
