"""One push or fetch: git with an environment of its own, under one deadline, and nothing of it left behind."""

import os
import re
import secrets
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from gitops_hooks.core.ssh_command import GitProgram
from gitops_hooks.edge import journal
from gitops_hooks.edge.disk import free_bytes
from gitops_hooks.edge.git_settings import agent_settings, receive_settings, settings_environment, signing_settings
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.hooks_folder import lay_for_push, verify_hooks
from gitops_hooks.edge.living import end, list_living
from gitops_hooks.edge.living_pushes import too_many
from gitops_hooks.edge.pushes import LivePush, open_push
from gitops_hooks.edge.store import make_folder
from gitops_hooks.edge.terminal import tell
from gitops_hooks.edge.warm_place import ensure_warm
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.push import Actor, ActorKind
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.server import RepositoryEntry, ServerFile

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_PROTOCOL = re.compile(r"version=[012]")
_FETCH_SECONDS = 4 * 3600.0  # a first clone over a slow line is no fault; one that never ends is
_GENTLE_SECONDS = 2.0  # git takes its quarantine folder away when it is asked to end


@dataclass(frozen=True, slots=True)
class Session:
    """Who runs which program of git in which repository; `protocol` is the client's GIT_PROTOCOL."""

    home: Home
    server: ServerFile
    repository: RepositoryEntry
    actor: Actor
    program: GitProgram
    protocol: str = ""


class _Ended(BaseException):
    """A signal asked this process to end."""


def run_git(session: Session) -> int | Refusal:
    """Run git to its end; answers its exit code. Errors: EdgeError where the repository is not usable."""
    if not (session.repository.path / "HEAD").is_file():
        raise EdgeError(session.repository.name, "is not where server.toml says")
    if session.program is GitProgram.UPLOAD_PACK:
        return _run(session, secrets.token_hex(16), None)
    # Agents have no rights there: theirs is the one ref that pre-receive lets them push.
    if session.actor.kind is not ActorKind.AGENT and not session.repository.may_write(session.actor.name):
        return Refusal("write", f"you may read '{session.repository.name}' but not push to it")
    if faults := verify_hooks(session.home):
        journal.append(session.home, "hooks", {"faults": "; ".join(faults)}, session.server.limits.journal_size)
        return Refusal(
            "hooks",
            "the server's hooks are not whole, so nothing can be pushed",
            "Ask the administrator to run: gitops-hooks doctor",
        )
    if not _has_room(session):
        cure = "Nothing was pushed. Ask the administrator to make room, then push again."
        return Refusal("disk", "the server's disk is full", cure)
    if refusal := too_many(session.home.state(session.repository.id), session.server.limits.pushes):
        return refusal
    if session.server.limits.warm_seconds:
        ensure_warm(session.home, _fixed_environment(session.home))
    push = secrets.token_hex(16)
    with open_push(session.home, session.repository, push) as live:
        lay_for_push(live.hooks)
        return _run(session, push, live)


def _has_room(session: Session) -> bool:
    """Refused early a push costs nothing, and the last bytes are left for the record of what was begun."""
    folders = (session.home.path, session.repository.path)
    return min(free_bytes(folder) for folder in folders) >= session.server.limits.free_size


def git_environment(session: Session, push: str, hooks: Path) -> dict[str, str]:
    """All that git and the hooks get to know; nothing of what the client's session brought but GIT_PROTOCOL."""
    limits = session.server.limits
    found = _fixed_environment(session.home) | {
        "GITOPS_HOOKS_HOME": str(session.home.path.absolute()),
        "GITOPS_HOOKS_ACTOR": session.actor.name,
        "GITOPS_HOOKS_KEY": session.actor.key,
        "GITOPS_HOOKS_KIND": session.actor.kind.value,
        "GITOPS_HOOKS_REPOSITORY": session.repository.name,
        "GITOPS_HOOKS_PUSH": push,
        "GITOPS_HOOKS_JUDGE_SECONDS": f"{limits.judge_seconds:g}",
        "GITOPS_HOOKS_FOLLOW_SECONDS": f"{limits.follow_seconds:g}",
        "GITOPS_HOOKS_WARM": "1" if limits.warm_seconds else "0",
    }
    if _PROTOCOL.fullmatch(session.protocol):
        found["GIT_PROTOCOL"] = session.protocol
    settings = (*receive_settings(session.home, limits), ("core.hooksPath", str(hooks.absolute())))
    if session.program is GitProgram.RECEIVE_PACK:
        settings += signing_settings(session.home)
    if session.actor.kind is ActorKind.AGENT:
        settings += agent_settings(session.actor.name)
    return found | settings_environment(settings, session.repository.path)


def _fixed_environment(home: Home) -> dict[str, str]:
    """What is the same for every push, and for the warm judge: libraries read it when they are loaded."""
    make_folder(home.run / "empty")
    return {
        "PATH": PATH,
        "HOME": str(home.run.absolute() / "empty"),
        "LANG": "C.UTF-8",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
    }


def _run(session: Session, push: str, live: LivePush | None) -> int:
    env = git_environment(session, push, live.hooks if live is not None else session.home.hooks)
    client = os.dup(1)  # git shows hooks its own pipes only: through this one they see whether the client is there
    if live is not None:
        env["GITOPS_HOOKS_UNCLEAN"] = str(live.unclean)
        env["GITOPS_HOOKS_HOLD"] = str(live.hold)
        env["GITOPS_HOOKS_CLIENT"] = str(client)
    command = [session.server.git, session.program.value, str(session.repository.path.absolute())]
    descriptors = (*live.descriptors, client) if live is not None else ()
    try:
        # A session of its own is what finds every process of the push again.
        git = subprocess.Popen(command, env=env, cwd="/", pass_fds=descriptors, start_new_session=True)
    except OSError as error:
        raise EdgeError("git", f"did not start: {error.strerror}") from None
    code = _wait(session, git)
    if code < 0 and live is not None:
        live.mark_unclean()
    return code if code >= 0 else 128 - code


def _wait(session: Session, git: "subprocess.Popen[bytes]") -> int:
    """Git's exit code; below 0 where it was ended by a signal, ours or another's."""
    is_push = session.program is GitProgram.RECEIVE_PACK
    seconds = session.server.limits.push_seconds if is_push else _FETCH_SECONDS
    for number in _SIGNALS:
        signal.signal(number, _end)
    try:
        return git.wait(seconds)
    except subprocess.TimeoutExpired:
        tell((f"gitops: it took longer than {seconds:g} s and was ended; what is not reported as done was not done.",))
        return _end_session(git)
    except _Ended:
        return _end_session(git)


def _end_session(git: "subprocess.Popen[bytes]") -> int:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    end([each for each in list_living() if _session(each.pid) == git.pid], _GENTLE_SECONDS)
    git.poll()
    return -signal.SIGTERM


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def _end(number: int, frame: object) -> None:
    raise _Ended
