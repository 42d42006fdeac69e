"""The only driver of pluggy: plugins are loaded by the module paths that the server's file names."""

import importlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import Any, TypeVar

import pluggy

from gitops_hooks import hookspec
from gitops_hooks.edge import journal
from gitops_hooks.edge.declarations import ahead_fault, api_fault, check_fault
from gitops_hooks.edge.exec_check import exec_check
from gitops_hooks.edge.home import Home
from gitops_hooks.hookspec import Check, Deployer
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.news import NotifyEntry
from gitops_hooks.model.options import Declared
from gitops_hooks.model.push import Actor, Push
from gitops_hooks.model.server import ExecCheck, PluginLists
from gitops_hooks.model.verdict import Decision

CHECK_HOOKS = frozenset({"gitops_checks"})
NOTIFY_HOOKS = frozenset({"gitops_deployed", "gitops_settings"})
ALL_HOOKS = frozenset(name for name in vars(hookspec) if name.startswith("gitops_"))

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_Record = TypeVar("_Record", Check, Deployer)
_Answer = TypeVar("_Answer")
Tell = Callable[[Mapping[str, object]], object]
_READY: dict[tuple[tuple[str, ...], tuple[str, ...]], pluggy.PluginManager] = {}


class Plugins:
    """The plugins that were loaded, in the order of the server's file."""

    def __init__(self, driver: pluggy.PluginManager, home: Home | None, programs: Sequence[ExecCheck] = ()) -> None:
        self._driver = driver
        self._home = home
        self._programs = programs

    def checks(self) -> Mapping[str, Check]:
        """Every check by its name. Errors: EdgeError where a plugin raises or two offer one name."""
        found = dict(self._collect("gitops_checks", Check))
        for program in self._programs:
            if program.name in found:
                raise EdgeError("server.toml", f"[[exec_check]] '{program.name}': a plugin offers a check of that name")
            found[program.name] = exec_check(program)
        return found

    def declared(self) -> Declared:
        """What the policy may set for each check. Errors: as checks."""
        return {name: check.options for name, check in self.checks().items()}

    def deployers(self) -> Mapping[str, Deployer]:
        """Every deployer by its name. Errors: EdgeError where a plugin raises or two offer one name."""
        return self._collect("gitops_deployers", Deployer)

    def looking(self) -> Mapping[str, bool]:
        """Every deployer's name, with whether it can say how what it deployed differs by now. Errors: as deployers."""
        return {name: deployer.drift is not None for name, deployer in self.deployers().items()}

    def actor(self, environ: Mapping[str, str]) -> Actor | None:
        """Who pushes; None where nobody says so. Errors: EdgeError unless exactly one source answers well."""
        sources = self._implementations("gitops_actor")
        if len(sources) != 1:
            named = ", ".join(module for module, _ in sources) or "none"
            raise EdgeError("server.toml", f"exactly one plugin must say who pushes; enabled: {named}")
        module, ask = sources[0]
        found = _run(module, ask, {"environ": environ})
        if found is None or isinstance(found, Actor):
            return found
        raise EdgeError(module, f"gitops_actor answered {type(found).__name__} instead of Actor")

    def decided(self, push: Push, decision: Decision) -> None:
        """Tell every notifier; what goes wrong there is journalled and changes nothing."""
        self._tell("gitops_decided", {"push": push, "decision": decision})

    def notifiers(self) -> tuple[tuple[str, Tell], ...]:
        """Who is told of the ends of deployments, by module. What is called raises EdgeError where it fails."""
        found = self._implementations("gitops_deployed")
        # What a notifier says of its failure names the receiver, which is worth more than the module's name.
        return tuple((module, partial(_run, module, tell, passed=(EdgeError,))) for module, tell in found)

    def settings_faults(self, settings: Mapping[str, object]) -> tuple[str, ...]:
        """What its plugin finds wrong with the settings of a `[[notify]]`. Errors: EdgeError where it raises."""
        asked = self._implementations("gitops_settings")
        found = [fault for module, ask in asked for fault in _run_list(module, partial(ask, settings=settings))]
        return tuple(str(fault) for fault in found)

    def _implementations(self, hook: str) -> list[tuple[str, Callable[..., object]]]:
        found = getattr(self._driver.hook, hook).get_hookimpls()
        return [(each.plugin_name, _with_named(each.function, each.argnames)) for each in found]

    def _collect(self, hook: str, kind: type[_Record]) -> Mapping[str, _Record]:
        found: dict[str, _Record] = {}
        owners: dict[str, str] = {}
        for module, offer in self._implementations(hook):
            for record in _run_list(module, offer):
                if not isinstance(record, kind) or not _NAME.fullmatch(record.name):
                    raise EdgeError(module, f"{hook} offered {record!r}, which is no well-named {kind.__name__}")
                if isinstance(record, Check) and (fault := check_fault(record)):
                    raise EdgeError(module, f"check {record.name}: {fault}")
                if owner := owners.get(record.name):
                    raise EdgeError(module, f"{kind.__name__} '{record.name}' is already offered by {owner}")
                found[record.name], owners[record.name] = record, module
        return found

    def _tell(self, hook: str, news: Mapping[str, object]) -> None:
        for module, tell in self._implementations(hook):
            try:
                _run(module, tell, news)
            except EdgeError as error:
                if self._home is not None:
                    journal.append(self._home, "plugin", {"hook": hook, "plugin": module, "error": error.what})


def load_enabled(lists: PluginLists, home: Home | None = None) -> Plugins:
    """Everything that the server's file enables; what stands under `checks` may offer checks and nothing else.

    Notifiers' faults go to the journal of `home`. Errors: EdgeError that names the module.
    """
    if (ready := _READY.get((lists.checks, lists.trusted))) is not None:
        return Plugins(ready, home, lists.programs)
    return Plugins(_enable(lists), home, lists.programs)


def make_ready(lists: PluginLists) -> None:
    """For the warm judge, whose forks then have them registered already, and loaded what they say they load later.

    What does not load refuses in each fork.
    """
    with suppress(EdgeError):
        _READY[lists.checks, lists.trusted] = driver = _enable(lists)
        for module in driver.get_plugins():
            for path in vars(module).get("LOADED_AHEAD", ()):
                with suppress(EdgeError):  # whoever needs it finds out, and says so
                    _import(path)


def _enable(lists: PluginLists) -> pluggy.PluginManager:
    allowed = [(path, CHECK_HOOKS) for path in lists.checks] + [(path, ALL_HOOKS) for path in lists.trusted]
    return _register_all(allowed)


def load_notifier(entry: NotifyEntry, home: Home) -> Tell:
    """The plugin of a `[[notify]]`. Errors: EdgeError, also for settings that it finds wrong."""
    plugins = load_plugins([entry.plugin], home, NOTIFY_HOOKS)
    if faults := plugins.settings_faults(entry.settings):
        raise EdgeError("settings", "; ".join(faults))
    told = plugins.notifiers()
    if not told:
        raise EdgeError(entry.plugin, "this module implements no gitops_deployed")
    return told[0][1]


def load_plugins(modules: Sequence[str], home: Home | None = None, hooks: Collection[str] = ALL_HOOKS) -> Plugins:
    """Import and validate these modules; `hooks` are the only ones that they may implement. Errors: EdgeError."""
    return Plugins(_register_all([(path, hooks) for path in modules]), home)


def _register_all(allowed: Sequence[tuple[str, Collection[str]]]) -> pluggy.PluginManager:
    driver = pluggy.PluginManager(hookspec.PROJECT)
    driver.add_hookspecs(hookspec)
    for path, hooks in allowed:
        if driver.has_plugin(path):
            raise EdgeError(path, "this plugin is enabled twice in server.toml")
        _register(driver, path, hooks)
    return driver


def _register(driver: pluggy.PluginManager, path: str, hooks: Collection[str]) -> None:
    module = _import(path)
    if fault := api_fault(vars(module).get("NEEDS_API")) or ahead_fault(vars(module).get("LOADED_AHEAD")):
        raise EdgeError(path, fault)
    _refuse_unmarked(driver, path, module)
    try:
        driver.register(module, name=path)
        driver.check_pending()
    except pluggy.PluginValidationError as error:
        raise EdgeError(path, f"this plugin does not fit the contract: {_first_line(error)}") from error
    offered = {caller.name for caller in driver.get_hookcallers(module) or ()}
    if not offered:
        raise EdgeError(path, "this module implements no hook and would enforce nothing")
    if foreign := sorted(offered - set(hooks)):
        raise EdgeError(path, f"{', '.join(foreign)}: only a trusted provider may implement this")


def _import(path: str) -> ModuleType:
    try:
        return importlib.import_module(path)
    except (Exception, SystemExit) as error:
        # A plugin is run here: whatever its import raises must refuse, and by its name.
        raise EdgeError(path, f"this plugin does not load: {_first_line(error)}") from error


def _refuse_unmarked(driver: pluggy.PluginManager, path: str, module: ModuleType) -> None:
    """A hook without its marker would be ignored in silence, and so would whatever it enforces."""
    for name in vars(module):
        if name in ALL_HOOKS and driver.parse_hookimpl_opts(module, name) is None:
            raise EdgeError(path, f"{name} is not marked with @hookimpl")


def _run_list(module: str, offer: Callable[..., Any]) -> list[object]:
    # The list is made inside, because a generator runs the plugin's code as it goes.
    return _run(module, lambda: list(offer()), {})


def _run(
    module: str, ask: Callable[..., _Answer], news: Mapping[str, object], passed: tuple[type[Exception], ...] = ()
) -> _Answer:
    """The answer. Errors: EdgeError with the module's name; `passed` are those that go on as the plugin raised them."""
    try:
        return ask(**news)
    except passed:
        raise
    except (Exception, SystemExit) as error:
        # A plugin is run here: raising is its ERROR, and never ours.
        raise EdgeError(module, f"this plugin failed: {_first_line(error)}") from error


def _with_named(function: Callable[..., object], names: Iterable[str]) -> Callable[..., object]:
    wanted = tuple(names)
    return lambda **news: function(**{name: news[name] for name in wanted})


def _first_line(error: BaseException) -> str:
    text = str(error).splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
