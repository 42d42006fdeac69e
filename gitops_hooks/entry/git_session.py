"""One push or fetch: whether it may be, and git with an environment of its own. Who runs it is `git_run`."""

import os
import re
import secrets
from pathlib import Path

from gitops_hooks.core.ssh_command import GitProgram
from gitops_hooks.edge import journal
from gitops_hooks.edge.disk import free_bytes
from gitops_hooks.edge.git_settings import agent_settings, receive_settings, settings_environment, signing_settings
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.hooks_folder import lay_for_push, verify_hooks
from gitops_hooks.edge.living_pushes import too_many
from gitops_hooks.edge.pushes import LivePush, begin_push
from gitops_hooks.edge.store import make_folder
from gitops_hooks.edge.warm_place import ensure_warm
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import Actor, ActorKind
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.server import RepositoryEntry, ServerFile

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_PROTOCOL = re.compile(r"version=[012]")
_FETCH_SECONDS = 4 * 3600.0  # a first clone over a slow line is no fault; one that never ends is


@dataclass(frozen=True, slots=True)
class Session:
    """Who runs which program of git in which repository; `protocol` is the client's GIT_PROTOCOL."""

    home: Home
    server: ServerFile
    repository: RepositoryEntry
    actor: Actor
    program: GitProgram
    protocol: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """Git, ready to be started: `folder` and `descriptors` are those of a push, empty for a fetch."""

    argv: tuple[str, ...]
    environ: dict[str, str]
    seconds: float
    folder: str = ""
    descriptors: tuple[int, ...] = ()


def prepare_git(session: Session) -> Start | Refusal:
    """Whether git may be started, and how; a push is begun with it. Errors: EdgeError where it cannot be."""
    if not (session.repository.path / "HEAD").is_file():
        raise EdgeError(session.repository.name, "is not where server.toml says")
    if session.program is GitProgram.UPLOAD_PACK:
        return _start(session, secrets.token_hex(16), None)
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
    live = begin_push(session.home, session.repository, push)
    is_agent, is_warm = session.actor.kind is ActorKind.AGENT, session.server.limits.warm_seconds > 0
    lay_for_push(live.hooks, with_last=is_agent, through_login=is_warm)
    return _start(session, push, live)


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


def _start(session: Session, push: str, live: LivePush | None) -> Start:
    argv = (session.server.git, session.program.value, str(session.repository.path.absolute()))
    if live is None:
        return Start(argv, git_environment(session, push, session.home.hooks), _FETCH_SECONDS)
    environ = git_environment(session, push, live.hooks) | {"GITOPS_HOOKS_UNCLEAN": str(live.unclean)}
    return Start(argv, environ, session.server.limits.push_seconds, str(live.folder), live.descriptors)
