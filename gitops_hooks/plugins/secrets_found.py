"""What of a change is a secret: each file through every way of telling, less what is excepted."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import basename, splitext

from gitops_hooks.plugin import (
    Change,
    ChangedFile,
    EdgeError,
    Finding,
    Marked,
    Severity,
    Tree,
    Workbench,
    matches_any,
    parse_yaml,
)
from gitops_hooks.plugins.secrets_added import Lines, added_lines
from gitops_hooks.plugins.secrets_excepted import Excepted, load_exceptions, told_of_target
from gitops_hooks.plugins.secrets_shapes import shapes_in
from gitops_hooks.plugins.secrets_values import (
    is_about_randomness,
    is_literal_secret,
    is_name_of_secret,
    is_random,
    is_secret_name,
)

_FILES = (0o100644, 0o100755)
# Whole: what stands behind a vault, in a file that was put together badly, is in the clear.
_VAULTED = re.compile(rb"\$ANSIBLE_VAULT;[\w.;-]{1,200}[ \t]*(?:\r?\n[0-9a-f]*[ \t]*)*")
_MOST = 50  # of a kind in one file
_VARIABLES = ("group_vars", "host_vars")
_ENV = re.compile(r"^(?:\.env(?:\..+)?|.+\.env)$")
_EXAMPLES = (".example", ".sample", ".template", ".dist", ".tpl", ".j2")
_ASSIGNMENT = re.compile(r"(?<![\w.-])([\w.-]{1,100})\s{0,20}=\s{0,20}(\"[^\"]*\"|'[^']*'|[^\s\"']+)")
# Kinds of Kubernetes whose secret-like keys hold ciphertext, or the names of keys elsewhere.
_NO_SECRETS = ("SealedSecret", "ExternalSecret", "ClusterExternalSecret", "PushSecret", "SecretProviderClass")
_CURE = "encrypt it with ansible-vault, then change the secret: it was pushed"


@dataclass(frozen=True, slots=True)
class Told:
    """What was found: first and last line, the kind by which an exception names it, and the words."""

    first: int
    last: int
    kind: str
    words: str
    severity: Severity = Severity.ERROR


def find_secrets(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    place = bench.options["exceptions"]
    excepted, faults = load_exceptions(bench.target, place) if place != "none" else ((), ())
    if any(file.path == place and not file.deleted for file in change.files):
        yield from load_exceptions(tree, place)[1]
    else:
        yield from told_of_target(faults)
    for file in change.files:
        if file.mode in _FILES and not matches_any(bench.options["ignore"], file.path):
            yield from _check_file(file, change, tree, bench.target, excepted)


def _check_file(
    file: ChangedFile, change: Change, tree: Tree, target: Tree, excepted: tuple[Excepted, ...]
) -> Iterator[Finding]:
    try:
        text = tree.read(file.path)
    except EdgeError as error:
        yield Finding(file.path, 0, f"{error.what}; what is not read cannot be judged")
        return
    if _VAULTED.fullmatch(text):
        return
    lines = added_lines(file, text, change, target)
    found = {each for each in _found(file.path, text, lines) if lines.bring(each.first, each.last)}
    kept = [each for each in found if not any(one.covers(file.path, each.kind) for one in excepted)]
    for each in sorted(kept, key=lambda told: (told.first, told.words)):
        yield Finding(file.path, each.first, each.words, each.severity)


def _found(path: str, text: bytes, lines: Lines) -> Iterator[Told]:
    told = Counter[str]()
    for first, last, kind in shapes_in(text):
        # Those that were there before count for nothing: fifty of them would hide the next one.
        if told[kind] < _MOST and lines.bring(first, last):
            told[kind] += 1
            yield Told(first, last, kind, f"{_article(kind)} {kind}; {_CURE}")
    if b"\0" not in text[:8192]:
        yield from _named_values(path, text, lines)
        yield from _open_vault(path, text)


def _article(kind: str) -> str:
    return "an" if kind[0] in "AOaeio" or kind.startswith("npm") else "a"


def _open_vault(path: str, text: bytes) -> Iterator[Told]:
    """A file whose name says vault: whole, since part of it may be a secret that nothing else gives away."""
    name, kind = splitext(basename(path).lower())
    folders = path.split("/")[:-1]
    variables = any(folder in _VARIABLES for folder in folders)
    if variables:
        meant = ("vault" in name or name in ("secret", "secrets")) and kind in (".yml", ".yaml", ".json", "")
    else:
        meant = name == "vault" and kind in (".yml", ".yaml") and "roles" not in folders
    if meant and _says_something(text) and not _all_vaulted(text):
        yield Told(0, 0, "open vault", f"is named like a vault and is not encrypted; ansible-vault encrypt {path}")


def _says_something(text: bytes) -> bool:
    return any(
        line.strip() not in (b"", b"---", b"...") and not line.lstrip().startswith(b"#") for line in text.split(b"\n")
    )


def _all_vaulted(text: bytes) -> bool:
    """Whether every value inside is a `!vault` of its own or a template; a playbook holds none to be sealed."""
    documents, _ = parse_yaml(text)
    if documents and all(document.tag == "seq" for document in documents):
        return True
    values = [node for document in documents for node in _scalars(document)]
    return bool(values) and all(node.tag == "!vault" or "{{" in node.text for node in values)


def _scalars(node: Marked) -> Iterator[Marked]:
    waiting, seen = [node], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        waiting.extend(node.items)
        waiting.extend(value for _, value in node.pairs)
        if node.tag not in ("map", "seq"):
            yield node


def _named_values(path: str, text: bytes, lines: Lines) -> Iterator[Told]:
    name, kind = basename(path), splitext(path)[1].lower()
    if name.endswith(_EXAMPLES):
        return
    folders = path.split("/")[:-1]
    if kind in (".yml", ".yaml") or (kind in ("", ".json") and any(folder in _VARIABLES for folder in folders)):
        documents, _ = parse_yaml(text)
        for document in documents:
            kind_of = document.get("kind")
            if kind_of is None or kind_of.text not in _NO_SECRETS:
                yield from _in_mappings(document, lines)
    elif _ENV.match(name) or kind in (".ini", ".cfg", ".conf", ".properties", ".tfvars") or _is_inventory(path):
        yield from _in_lines(text)


def _is_inventory(path: str) -> bool:
    bare = "." not in basename(path)
    return bare and (basename(path) in ("hosts", "inventory") or any("inventor" in part for part in path.split("/")))


def _in_mappings(document: Marked, lines: Lines) -> Iterator[Told]:
    waiting, seen = [document], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        waiting.extend(node.items)
        for key, value in node.pairs:
            waiting.append(value)
            for item in (value, *(value.items if is_secret_name(key.text) else ())):
                if item.tag in ("str", "int", "float") and (told := _judge(key.text, item.text)):
                    kind, words, severity = told
                    yield Told(item.line, lines.end_of(item.line, item.text), kind, words, severity)


def _judge(name: str, value: str) -> tuple[str, str, Severity] | None:
    """The kind, the words and the severity for a value under a name; None where it may stand there."""
    if is_secret_name(name) and is_literal_secret(value) and not is_name_of_secret(name, value):
        return "literal value", f"a literal value under '{name[:60]}'; {_CURE}", Severity.ERROR
    if is_random(value) and not is_about_randomness(name):
        return "random text", f"a random text under '{name[:60]}'; if it is a secret, {_CURE}", Severity.WARNING
    return None


def _in_lines(text: bytes) -> Iterator[Told]:
    for number, line in enumerate(text.decode("utf-8", "replace").split("\n"), 1):
        if line.lstrip().startswith(("#", ";", "//")):
            continue
        for match in _ASSIGNMENT.finditer(line):
            if told := _judge(match.group(1), match.group(2).strip("\"'")):
                yield Told(number, number, *told)
