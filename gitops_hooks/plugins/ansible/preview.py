"""`render` of the deployer `ansible`: what hosts will have, and what templates become, as far as files alone tell.

It runs confined, on the pusher's bytes. Variables first, since a template may be known by them alone.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from posixpath import dirname, join

from gitops_hooks.plugin import WITHHELD, EdgeError, Inventory, Preview, Rendered, Unrendered, Workbench
from gitops_hooks.plugins.ansible.preview_templates import Known, template_differences
from gitops_hooks.plugins.ansible.variable_values import VAULT, Unreadable, read_file
from gitops_hooks.plugins.unsaid import value_differences

_MOST_HOSTS = 2_000
_SETTINGS = ("hash_behaviour", "variable_precedence", "jinja2_")
_TOLD_IN = ("group_vars", "host_vars", "templates", "defaults", "vars")

Found = Iterator[Rendered | Unrendered]


def render(preview: Preview, bench: Workbench) -> Found:
    """What differs; whoever asks bounds it."""
    if not any(_concerns(preview, path) for path in preview.paths):
        return
    try:
        yield from _render(preview)
    except Unreadable as why:
        yield Unrendered(str(why))
    except EdgeError as error:
        yield Unrendered(error.what)


def _concerns(preview: Preview, path: str) -> bool:
    inventory = preview.environment.inventory
    if path == inventory or path.startswith(f"{inventory}/") or path.endswith(".j2"):
        return True
    return any(name in _TOLD_IN for name in path.split("/"))


def _render(preview: Preview) -> Found:
    old, new = preview.old.inventory, preview.new.inventory
    if new is None:
        yield Unrendered("its inventory is none that can be read")
        return
    if odd := _setting(preview):
        yield Unrendered(odd)
        return
    if odd := _elsewhere(preview):
        yield Unrendered(f"{odd} is read by some of the plays alone")
        return
    yield from _sealed_files(preview)
    hosts, more = _hosts(preview, new)
    yield from _moved(hosts, old, new)
    after = Known(preview.environment, preview.new, new, [host for host in hosts if host in new.hosts])
    stood = [host for host in hosts if old and host in old.hosts]
    before = Known(preview.environment, preview.old, old, stood) if old else None
    told = False
    for one in chain(_variables(before, after), template_differences(preview, before, after)):
        told = True
        yield one
    if told and after.hidden:
        yield Unrendered(f"{after.hidden[0]} is encrypted, and may say otherwise")
    if more:
        yield Unrendered(f"{more} more hosts were not looked at")


def _setting(preview: Preview) -> str:
    """Ansible's own settings can change how variables are stacked and templates are read."""
    for side in (preview.old, preview.new):
        for path in dict.fromkeys(("ansible.cfg", join(dirname(preview.environment.playbook), "ansible.cfg"))):
            text = (read_file(side, path) or b"").decode("utf-8", "replace")
            if odd := next((word for word in _SETTINGS if word in text), ""):
                return f"{path} says {odd}"
    return ""


def _elsewhere(preview: Preview) -> str:
    """Beside an imported playbook variables may stand that only its own plays read."""
    own = dirname(preview.environment.playbook)
    for side in (preview.old, preview.new):
        folders = dict.fromkeys(dirname(play.path) for play in side.plays)
        for path in (join(folder, name) for folder in folders for name in ("group_vars", "host_vars") if folder != own):
            if side.tree.entry(path) is not None:
                return path
    return ""


def _sealed_files(preview: Preview) -> Found:
    """Encrypted files: that they differ is all that is told."""
    for path in preview.paths:
        texts = [read_file(side, path) for side in (preview.old, preview.new)]
        if any((text or b"").startswith(VAULT) for text in texts):
            yield Rendered(path, (), WITHHELD)


def _hosts(preview: Preview, inventory: Inventory) -> tuple[list[str], int]:
    """Those that are looked at, of both inventories, and how many are not."""
    known = inventory.hosts | (preview.old.inventory.hosts if preview.old.inventory else frozenset())
    found = sorted(known if preview.hosts is None else known & set(preview.hosts))
    return found[:_MOST_HOSTS], max(0, len(found) - _MOST_HOSTS)


def _moved(hosts: Iterable[str], old: Inventory | None, new: Inventory) -> Found:
    if old is None:
        return
    came = tuple(host for host in hosts if host not in old.hosts)
    went = tuple(host for host in hosts if host not in new.hosts)
    if came:
        yield Rendered("new in the inventory", came)
    if went:
        yield Rendered("not in the inventory any more", went)


def _variables(before: Known | None, after: Known) -> Found:
    """Each variable whose value becomes another, with all hosts where it does so alike."""
    told: dict[tuple[str, str], list[str]] = {}
    for host, values in after.values.items():
        if before and host in before.values:
            for difference in value_differences("", before.values[host], values):
                told.setdefault(difference, []).append(host)
    for (name, text), hosts in told.items():
        yield Rendered(name, tuple(hosts), text)
