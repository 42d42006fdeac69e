"""`ansible-inventory --list` over changed inventories, in the box."""

import re
from collections.abc import Iterator

from gitops_hooks.plugin import ChangedFile, EdgeError, Finding, Severity, Tree, Workbench
from gitops_hooks.plugins.ansible.files import EXECUTABLE, FILE, VAULT, extension, folders, is_inventory, is_yaml
from gitops_hooks.plugins.ansible.settings import GIVEN_SETTINGS, environment, settings
from gitops_hooks.plugins.ansible.static import is_yaml_inventory

PROGRAM = "ansible-inventory"
_MOST = 20
_RUNS = 5
_DYNAMIC = re.compile(rb"^['\"]?plugin['\"]?\s*:\s*['\"]?([\w.]+)", re.MULTILINE)
_REASON = "Failed to parse inventory with '{}' plugin: "


def listed_findings(bench: Workbench, tree: Tree, files: tuple[ChangedFile, ...]) -> Iterator[Finding]:
    """Faults of changed inventories that only Ansible sees, and those that cannot be asked without a network."""
    waiting: list[str] = []
    for file in files:
        if file.mode not in (FILE, EXECUTABLE) or not is_inventory(file.path) or "roles" in folders(file.path):
            continue
        plugin = _dynamic(tree, file.path)
        if plugin is None:
            continue
        if plugin:
            words = f"the inventory plugin {plugin} is not asked during a push, so no host of it was seen"
            yield Finding(file.path, 0, words, Severity.WARNING)
        elif file.mode == FILE:
            waiting.append(file.path)
    for path in waiting[_MOST:]:
        yield Finding(path, 0, f"only {_MOST} inventories of a change are given to Ansible", Severity.WARNING)
    yield from _run(bench, waiting[:_MOST])


def _dynamic(tree: Tree, path: str) -> str | None:
    """The name of the plugin whose settings this is, "" for an inventory as it stands, None for neither."""
    try:
        text = tree.read(path)
    except EdgeError:
        return None
    if text.startswith((VAULT, b"#!")) or b"\0" in text or extension(path) not in ("", ".ini", ".yml", ".yaml"):
        return None
    if is_yaml(path) and not is_yaml_inventory(path, text):
        return None
    found = _DYNAMIC.search(text) if is_yaml(path) else None
    return found[1].decode() if found else ""


def _run(bench: Workbench, paths: list[str]) -> Iterator[Finding]:
    for _ in range(_RUNS):
        if not paths:
            return
        named = [word for path in paths for word in ("-i", f"/tree/{path}")]
        words = [*environment(), PROGRAM, *named, "--list", "--output", "/dev/null"]
        ran = bench.run(words, files=paths, given={GIVEN_SETTINGS: settings(("roles",))})
        if not ran.status:
            return
        text = ran.stderr.decode("utf-8", "replace")
        faulty = next((path for path in paths if f"failed to parse inventory source /tree/{path}\n" in text), paths[0])
        yield Finding(faulty, 0, f"ansible-inventory: {_reason(text, faulty)}")
        paths = [path for path in paths if path != faulty]


def _reason(text: str, path: str) -> str:
    """Ansible tries one plugin after the other; what the one says that was meant is the reason."""
    start = _REASON.format("yaml" if is_yaml(path) else "ini")
    places = [match.start() for match in re.finditer(re.escape(start), text)]
    error = text.rpartition("[ERROR]: ")[2]
    words = text[places[-1] + len(start) :] if places else error
    return " ".join(words.partition("\n")[0].split()).replace("/tree/", "")[:300] or "no reason given"
