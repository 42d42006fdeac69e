"""One YAML text of Ansible's → what it needs read besides itself, or why nobody can say which hosts it touches.

What a mapping means is not asked of its place: a key that includes something does so wherever it stands. That finds
too much in variables that are named like modules, and never too little.
"""

from collections.abc import Iterable, Iterator
from dataclasses import field

from gitops_hooks.core.ansible_tables import (
    BLOCK_SECTIONS,
    COLLECTIONS,
    CONNECTIONS,
    CROSSING,
    EVALUATED,
    FILE_LOOPS,
    MODULES,
    PLAIN_LOOPS,
    PLAY_SECTIONS,
    QUIET_META,
    STRATEGIES,
    TASK_WORDS,
    UNREAD,
    short_name,
)
from gitops_hooks.core.ansible_words import crossing_word, disk_word, includes, is_notable, is_templated, unread_word
from gitops_hooks.core.posted_files import posted_files
from gitops_hooks.core.yaml_text import Marked, YamlLimits, parse_yaml
from gitops_hooks.model.lazy_dataclass import dataclass

LIMITS = YamlLimits(size=256 * 1024, depth=48, nodes=20_000, expanded=50_000)
_KNOWN_TAGS = frozenset({"null", "bool", "int", "float", "str", "map", "seq", "timestamp", "binary", "!unsafe"})
_VAULT = b"$ANSIBLE_VAULT"
# Module → its argument that names a file of the tree.
_READING = {
    **dict.fromkeys(("copy", "template", "unarchive", "assemble", "uri"), "src"),
    **dict.fromkeys(("ansible.posix.patch", "ansible.posix.synchronize"), "src"),
    **dict.fromkeys(("include_vars", "import_tasks", "include_tasks"), "file"),
    "script": "cmd",
}
_KINDS = {"template": "template", "include_vars": "vars", "import_tasks": "tasks", "include_tasks": "tasks"}
_OPTIONALLY_REMOTE = ("copy", "unarchive", "assemble", "uri", "ansible.posix.patch")
_TRUE = frozenset({"true", "yes", "on", "1"})
_OWN_MARKS = ("variable_start_string", "variable_end_string", "block_start_string", "block_end_string")


class Wide(Exception):
    """Nobody can say which hosts are touched; the words say why."""


@dataclass(frozen=True, slots=True)
class Need:
    """A role, or a text of this kind (tasks, vars, template, file), that is named at a line; `parts` of a role."""

    kind: str
    name: str
    line: int
    parts: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Needs:
    """Everything that a text needs.

    `loose` is why it may read any file of the tree, if it may, and `crossing` why one host may be touched by what is
    another's.
    """

    found: list[Need] = field(default_factory=list)
    loose: str = ""
    crossing: str = ""

    def add(self, other: "Needs") -> None:
        self.found += other.found
        self.loose = self.loose or other.loose
        self.crossing = self.crossing or other.crossing


def read_documents(path: str, text: bytes) -> tuple[Marked, ...]:
    """The one document of a text, or none. Errors: Wide where it cannot be read as Ansible reads it."""
    if text.startswith(_VAULT):
        raise Wide(f"{path} is encrypted")
    documents, faults = parse_yaml(text, LIMITS)
    if faults or len(documents) > 1:
        line = faults[0].line if faults else documents[1].line
        raise Wide(f"{path}:{line} cannot be read")
    return documents


def read_needs(path: str, nodes: Iterable[Marked], evaluated: bool = False, structural: bool = True) -> Needs:
    """What these nodes of a text need. Errors: Wide.

    `evaluated` says that they are variables, which may become expressions; `structural` that keys are words of
    Ansible's.
    """
    needs = Needs()
    waiting = [(node, evaluated) for node in nodes]
    seen = set[tuple[int, bool]]()
    while waiting:
        node, strict = waiting.pop()
        if (id(node), strict) in seen:
            continue
        seen.add((id(node), strict))
        _check_tag(path, node)
        if node.text:
            if includes(node.text):
                raise Wide(f"{path}:{node.line} includes a template")
            check_text(f"{path}:{node.line}", node.text, strict, needs)
        if structural and node.pairs:
            _read_mapping(path, node, needs)
        waiting += [(item, strict) for item in node.items]
        for name, value in node.pairs:
            waiting += [(name, False), (value, strict or short_name(name.text) in EVALUATED)]
    return needs


def _check_tag(path: str, node: Marked) -> None:
    if node.tag == "!vault":
        raise Wide(f"{path}:{node.line} is encrypted")
    if node.tag not in _KNOWN_TAGS and node.tag != "merge":
        raise Wide(f"{path}:{node.line} has the tag {node.tag[:40]}")


def check_text(at: str, text: str, evaluated: bool, needs: Needs) -> None:
    """What expressions of a text reach for. Errors: Wide."""
    if not is_notable(text):
        return
    if word := unread_word(text, evaluated):
        raise Wide(f"{at} uses {word}")
    if not needs.crossing and (word := crossing_word(text, evaluated)):
        needs.crossing = f"{at} uses {word}"
    if not needs.loose and (word := disk_word(text, evaluated)):
        needs.loose = f"{at} uses {word}"


def _read_mapping(path: str, node: Marked, needs: Needs) -> None:
    for key, value in node.pairs:
        word = short_name(key.text)
        at = f"{path}:{key.line}"
        if key.tag == "merge":
            raise Wide(f"{at} merges another mapping into this one")
        if word in UNREAD:
            raise Wide(f"{at} uses {word}")
        if word in ("connection", "strategy") and short_name(value.text) not in (*CONNECTIONS, *STRATEGIES):
            raise Wide(f"{at} uses {word}: {value.text[:40]}")
        _cross(at, node, word, value, needs)
        if word in FILE_LOOPS:
            needs.loose = needs.loose or f"{at} uses {word}"
        elif word.startswith("with_") and word not in PLAIN_LOOPS:
            raise Wide(f"{at} uses {word[:40]}")
        if word in ("import_role", "include_role"):
            needs.found.append(_role_need(path, value))
        elif word in _READING:
            needs.found += _file_needs(path, node, word, value, needs)


def _cross(at: str, node: Marked, word: str, value: Marked, needs: Needs) -> None:
    """Note a word by which a host's task concerns others."""
    # A pause runs for one host and tells all of them what it says.
    told = word == "pause" and node.get("register") is not None
    ended = word == "meta" and value.text.strip() not in QUIET_META
    if word in CROSSING or told or ended:
        needs.crossing = needs.crossing or f"{at} uses {word}"
    if word == "delegate_to":
        needs.loose = needs.loose or f"{at} uses {word}"


def role_entry(path: str, entry: Marked) -> Need:
    """One entry of `roles:` or of a role's dependencies. Errors: Wide."""
    named = entry.get("role") or entry.get("name") or entry
    if entry.get("src") is not None:
        raise Wide(f"{path}:{entry.line} fetches a role")
    return Need("role", literal(path, named, "a role"), entry.line)


def _role_need(path: str, value: Marked) -> Need:
    named = value.get("name") or value.get("role")
    if named is None or value.get("apply") is not None:
        raise Wide(f"{path}:{value.line} includes a role in a way that is not followed")
    parts = []
    for folder in ("tasks", "vars", "defaults", "handlers"):
        if chosen := value.get(f"{folder}_from"):
            parts.append((folder, literal(path, chosen, f"{folder}_from")))
    return Need("role", literal(path, named, "a role"), value.line, tuple(parts))


def literal(path: str, node: Marked, what: str) -> str:
    """The plain name that a node is. Errors: Wide where it is made at run time or is none."""
    name = node.text.strip()
    if not name or node.tag != "str" or is_templated(name):
        raise Wide(f"{path}:{node.line} names {what} that is made at run time")
    return name


def _file_needs(path: str, task: Marked, module: str, value: Marked, needs: Needs) -> Iterator[Need]:
    kind, at = _KINDS.get(module, "file"), f"{path}:{value.line}"
    # Arguments may stand beside the module too.
    sources = [value, *([args] if (args := task.get("args")) else [])]
    if any(source.get(mark) is not None for source in sources for mark in _OWN_MARKS):
        raise Wide(f"{at} has marks of its own for templates")
    if module == "include_vars" and any(source.get("dir") is not None for source in sources):
        raise Wide(f"{at} reads a folder of variables")
    if _stays_remote(module, sources):
        return
    argument = _READING[module]
    named = [found for source in sources for name in (argument, "_raw_params") if (found := source.get(name))]
    for source in sources:
        named += _free_form(at, module, argument, source) if source.text else []
    named += posted_files(sources) if module == "uri" else ()
    for node in named:
        for name in _names(task, node):
            if name is None and kind == "file":
                needs.loose = needs.loose or f"{at} names a file that is made at run time"
            elif name is None:
                raise Wide(f"{at} names a {kind} file that is made at run time")
            else:
                yield Need(kind, name, node.line)


def _stays_remote(module: str, sources: Iterable[Marked]) -> bool:
    """Whether the name is one of a file on the host."""
    told = [flag.text.lower() for source in sources if (flag := source.get("remote_src"))]
    return module in _OPTIONALLY_REMOTE and bool(told) and set(told) <= _TRUE


def _free_form(at: str, module: str, argument: str, source: Marked) -> list[Marked]:
    """The names in arguments that are written as one text."""
    if module in ("import_tasks", "include_tasks", "include_vars"):
        if "=" in source.text:
            raise Wide(f"{at} writes arguments of {module} as one text; write them as a mapping")
        return [source]
    words = source.text.split()
    if module == "script":
        # Up to the first word that can be no option of Ansible's; what follows it are arguments of the script.
        first = next((count for count, word in enumerate(words) if "=" not in word), len(words) - 1)
        words = words[: first + 1]
        if any(is_templated(word) for word in words):
            return [source]
    if any(set(word) & set("'\"\\") or is_templated(word) for word in words):
        raise Wide(f"{at} writes arguments of {module} as one text; write them as a mapping")
    if module == "script":
        return [Marked(source.line, "str", word.partition("=")[2] or word) for word in words]
    return [Marked(source.line, "str", word.partition("=")[2]) for word in words if word.startswith(f"{argument}=")]


def _names(task: Marked, node: Marked) -> list[str | None]:
    """The names that a node can stand for; None among them where that is open."""
    name = node.text.strip()
    if not is_templated(name):
        return [name or None]
    before, _mark, rest = name.partition("{{")
    inside, end, after = rest.partition("}}")
    loop = task.get("loop") or task.get("with_items") or task.get("with_list")
    key = inside.strip()
    if not end or is_templated(before + after) or loop is None or loop.tag != "seq" or task.get("loop_control"):
        return [None]
    found: list[str | None] = []
    for item in loop.items:
        chosen = item if key == "item" else item.get(key.removeprefix("item.")) if key.startswith("item.") else None
        plain = chosen is not None and chosen.tag == "str" and not is_templated(chosen.text)
        found.append(f"{before}{chosen.text}{after}" if chosen is not None and plain and chosen.text else None)
    return found


def check_tasks(path: str, tasks: Marked | None) -> None:
    """Every task of a list has a module that is known to stay with its host. Errors: Wide."""
    waiting = [tasks] if tasks else []
    seen = set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen or node.tag == "null":
            continue
        seen.add(id(node))
        if node.tag != "seq":
            raise Wide(f"{path}:{node.line} is no list of tasks")
        for task in node.items:
            inner = [value for key, value in task.pairs if key.text in BLOCK_SECTIONS]
            waiting += inner
            if not inner:
                _check_task(path, task)


def _check_task(path: str, task: Marked) -> None:
    words = [key.text for key, _ in task.pairs]
    modules = [word for word in words if word not in TASK_WORDS and not word.startswith("with_")]
    if task.tag != "map" or len(modules) != 1:
        raise Wide(f"{path}:{task.line} is no task that is known here")
    module = modules[0]
    if short_name(module) not in MODULES and not module.startswith(COLLECTIONS):
        raise Wide(f"{path}:{task.line} uses {module[:60]}, which is not known to stay with its host")


def sections(play: Marked) -> Iterator[Marked]:
    """The lists of tasks of a play."""
    yield from (section for name in PLAY_SECTIONS if (section := play.get(name)))
