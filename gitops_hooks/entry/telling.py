"""Tells notifiers of the ends of deployments: each environment's log is compared with what each was told.

There is no queue that could be lost. A process a notifier, so that one that hangs holds up nobody else. What is tried
is noted before, so that one that is killed is tried again later, like one that fails; so a notice may come twice,
under the same id.
"""

import os
import signal
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial

from gitops_hooks.core.notices import news_of, news_of_look, outcome_of_look, rollback_words, untold, untold_looks
from gitops_hooks.edge import journal
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.locks import try_lock
from gitops_hooks.edge.plugins import Tell, load_enabled, load_notifier
from gitops_hooks.edge.sandbox_kernel import die_with_parent
from gitops_hooks.edge.told import Told, load_told, save_told
from gitops_hooks.entry.deploying import environment_ref
from gitops_hooks.entry.sitting import Sitting, open_sitting
from gitops_hooks.model.deployment import Deployment, Outcome
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.event import Finished
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.news import News, NotifyEntry
from gitops_hooks.model.notice import Ended, Found, Notice
from gitops_hooks.model.policy import Environment
from gitops_hooks.model.server import ServerFile

_BUSY_SECONDS = 2.0
_PAUSE_SECONDS = 1.0
_LATE = "did not come to an end within {0:g} s, and was ended"


@dataclass(frozen=True, slots=True)
class Target:
    """One that is told: what stands in the server's file, and the plugin's hook."""

    entry: NotifyEntry
    tell: Tell

    def wants(self, news: News | None, told: Ended | Found) -> bool:
        """What looks found is no end of a deployment: only who names the news is told."""
        return (not self.entry.on and isinstance(told, Ended)) or news in self.entry.on


def tell_all(home: Home) -> float | None:
    """Tell everybody what is due; answers when the next try is (Unix time), None where all are told."""
    die_with_parent(signal.SIGTERM)
    lock = try_lock(home.run / "tell.lock")
    if lock is None:
        # One that a killed reconciler left behind: it ends soon, within a notifier's time.
        return time.time() + _BUSY_SECONDS
    server = load_server(home)
    children = [(_start(home, server, target), target) for target in find_targets(home, server)]
    for child, target in children:
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == -signal.SIGALRM:
            _note(home, target, _LATE.format(server.limits.notify_seconds))
    return _next_due(home, server, [target.entry.name for _, target in children])


def find_targets(home: Home, server: ServerFile) -> Iterator[Target]:
    """Every `[[notify]]`, and the trusted plugins that are told of every end. Errors: EdgeError, a plugin's fault."""
    for module, tell in load_enabled(server.plugins, home).notifiers():
        yield Target(NotifyEntry(module, module, on=()), tell)
    for entry in server.notify:
        yield Target(entry, partial(_tell_one, home, entry))


def _tell_one(home: Home, entry: NotifyEntry, facts: Mapping[str, object]) -> object:
    # Loaded where it is told: one that does not load is tried again, and no reason not to tell the others.
    return load_notifier(entry, home)(facts)


def _next_due(home: Home, server: ServerFile, names: Sequence[str]) -> float | None:
    """What is left of those who are told no more is due for ever. Nobody is tried without a pause, whatever is due."""
    told = [load_told(home.state(entry.id), name) for entry in server.repositories for name in names]
    due = min((one.due for each in told for one in each.values() if one.tries), default=None)
    return None if due is None else max(due, time.time() + _PAUSE_SECONDS)


def _start(home: Home, server: ServerFile, target: Target) -> int:
    child = os.fork()
    if child:
        return child
    try:
        die_with_parent(signal.SIGKILL)
        for entry in server.repositories:
            _tell_of_repository(home, server, entry.name, target)
    except (OSError, EdgeError):
        os._exit(1)
    os._exit(0)


def _tell_of_repository(home: Home, server: ServerFile, name: str, target: Target) -> None:
    try:
        sitting = open_sitting(home, name, server=server)
    except (EdgeError, PolicyError):
        # The reconciler raises the alarm about it; the others are told all the same.
        return
    wanted = [one for one in sitting.policy.environments if target.entry.wants(name, one.name)]
    _forget_others(sitting, target, wanted)
    for environment in wanted:
        _tell_of_environment(sitting, environment, target)


def _forget_others(sitting: Sitting, target: Target, wanted: Collection[Environment]) -> None:
    """What was tried in vain, of an environment that is not told of any more, is nothing that is still due."""
    told = load_told(sitting.state, target.entry.name)
    names = {environment.name for environment in wanted}
    if any(one.tries and name not in names for name, one in told.items()):
        kept = {name: one if name in names else Told(one.number) for name, one in told.items()}
        save_told(sitting.state, target.entry.name, kept)


def _tell_of_environment(sitting: Sitting, environment: Environment, target: Target) -> None:
    """In order, and no further than the first that fails."""
    told = load_told(sitting.state, target.entry.name)
    known = told.get(environment.name)
    if known and known.tries and known.due > time.time():
        return
    for ended in _new_ends(sitting, environment, known):
        before = known or Told(ended.number - 1)
        told[environment.name] = before.failed(time.time(), _LATE.format(sitting.server.limits.notify_seconds))
        error = _tell(sitting, environment, ended, target, told)
        if error:
            told[environment.name] = before.failed(time.time(), error)
            save_told(sitting.state, target.entry.name, told)
            _note(sitting.home, target, error)
            return
        known = told[environment.name] = Told(ended.number)
        save_told(sitting.state, target.entry.name, told)


def _new_ends(sitting: Sitting, environment: Environment, known: Told | None) -> tuple[Ended | Found, ...]:
    """One who is new hears of the newest end only."""
    ref = environment_ref(environment.name, "log")
    ends = untold(sitting.record.events(ref), known.number if known else 0)
    if known is None:
        return ends[-1:]
    looks = untold_looks(sitting.record.events(ref), known.number)
    return tuple(sorted((*ends, *looks), key=lambda told: told.number))


def _tell(
    sitting: Sitting, environment: Environment, ended: Ended | Found, target: Target, told: Mapping[str, Told]
) -> str:
    """What went wrong, empty where it was told or is nothing for this one."""
    news = news_of(ended) if isinstance(ended, Ended) else news_of_look(ended)
    if not target.wants(news, ended):
        return ""
    save_told(sitting.state, target.entry.name, told)
    # Ends this process: a plugin that hangs cannot be trusted to hear an exception.
    signal.setitimer(signal.ITIMER_REAL, sitting.server.limits.notify_seconds)
    try:
        notice = _notice(sitting, environment, ended, news, target.entry.settings)
        target.tell(_facts(sitting, environment, ended, notice))
    except EdgeError as error:
        return str(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
    return ""


def _notice(
    sitting: Sitting, environment: Environment, told: Ended | Found, news: News | None, settings: Mapping[str, object]
) -> Notice:
    name = f"{sitting.entry.id}-{environment.name}-{told.number}"
    return Notice(name, sitting.entry.name, told.at, news, settings)


def _facts(sitting: Sitting, environment: Environment, told: Ended | Found, notice: Notice) -> Mapping[str, object]:
    body = told.end if isinstance(told, Ended) else told.found
    if isinstance(body, Finished):
        outcome = Outcome(body.state, body.hosts, float(body.seconds), _detail(sitting, environment, told, body))
    else:
        outcome = outcome_of_look(body)
    run = told.run if isinstance(told, Ended) else ""
    # A deployment that agents carried out names no run either, and is no look.
    look = isinstance(told, Found)
    deployment = Deployment(sitting.entry.id, environment, body.commit, body.generation, run, look=look)
    return {"deployment": deployment, "outcome": outcome, "notice": notice}


def _detail(sitting: Sitting, environment: Environment, told: Ended | Found, end: Finished) -> str:
    """What the deployer said, and what followed from it."""
    if not isinstance(told, Ended) or not environment.rolls_back:
        return end.detail
    words = rollback_words(sitting.record.events(environment_ref(environment.name, "log")), told)
    return "; ".join(filter(None, (end.detail, words)))


def _note(home: Home, target: Target, error: str) -> None:
    facts = {"hook": "gitops_deployed", "plugin": target.entry.plugin, "target": target.entry.name, "error": error}
    journal.append(home, "plugin", facts)
