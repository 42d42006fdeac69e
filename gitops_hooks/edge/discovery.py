"""Which plugins there are: those that packages announce by an entry point, and those that ship.

Nothing is imported to find out: a plugin's code runs where the server's file enables it, and nowhere else.
"""

import ast
import importlib.metadata
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from gitops_hooks.edge.plugins import ALL_HOOKS, CHECK_HOOKS, load_enabled, load_plugins
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.server import PluginLists

GROUP = "gitops_hooks"
SHIPPED = "gitops_hooks.plugins"


@dataclass(frozen=True, slots=True)
class Found:
    """One plugin: its module, the package that brings it (empty: found by its path alone), and its version.

    `listed` is the list of server.toml that enables it, or empty; `fault` says why it is refused there; `offers` are
    the checks and deployers of an enabled one.
    """

    module: str
    package: str = ""
    version: str = ""
    listed: str = ""
    fault: str = ""
    offers: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        if self.fault:
            return "refused"
        return "enabled" if self.listed else "discovered"


def find_plugins(lists: PluginLists) -> tuple[Found, ...]:
    """Every plugin that is enabled, in the order of the file, then those that could be."""
    known = {one.module: one for one in (*_shipped(), *_announced())}
    whole = _fault_of_all(lists)
    enabled = [_judge(known, module, name, whole) for name in ("checks", "trusted") for module in getattr(lists, name)]
    taken = {one.module for one in enabled}
    return (*enabled, *(one for module, one in sorted(known.items()) if module not in taken))


def _announced() -> Iterator[Found]:
    """What installed packages say of themselves."""
    for point in importlib.metadata.entry_points(group=GROUP):
        package = point.dist
        yield Found(point.module, package.name if package else "", package.version if package else "")


def _shipped() -> Iterator[Found]:
    """Modules of the suite that define a hook; read and not run."""
    spec = importlib.util.find_spec(SHIPPED)
    version = importlib.metadata.version("gitops-hooks") if _installed() else ""
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder).rglob("*.py")):
            if _defines_hook(path):
                parts = path.relative_to(folder).with_suffix("").parts
                yield Found(".".join((SHIPPED, *parts)), "gitops-hooks", version)


def _installed() -> bool:
    return any(True for _ in importlib.metadata.Distribution.discover(name="gitops-hooks"))


def _defines_hook(path: Path) -> bool:
    tree = ast.parse(path.read_bytes())
    return any(isinstance(node, ast.FunctionDef) and node.name in ALL_HOOKS for node in tree.body)


def _judge(known: dict[str, Found], module: str, name: str, whole: EdgeError | None) -> Found:
    """An enabled plugin, loaded by itself; what only all of them together show is the fault of the one it names."""
    found = known.get(module, Found(module))
    fault, offers = "", tuple[str, ...]()
    try:
        plugins = load_plugins([module], hooks=CHECK_HOOKS if name == "checks" else ALL_HOOKS)
        offers = (*plugins.checks(), *plugins.deployers())
    except EdgeError as error:
        fault = error.what
    if not fault and whole is not None and whole.where == module:
        fault = whole.what
    return Found(module, found.package, found.version, name, fault, offers)


def _fault_of_all(lists: PluginLists) -> EdgeError | None:
    try:
        plugins = load_enabled(lists)
        plugins.checks()
        plugins.deployers()
    except EdgeError as error:
        return error
    return None
