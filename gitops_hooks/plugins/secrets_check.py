"""The check `secrets`: no private key, token or password goes into the repository in the clear.

Told: what its shape gives away, in any file; literal values under keys that say password, secret or token, in YAML,
INI and .env files; files that by their name belong into a vault and are not in one. A finding names kind, line and
cure, and never the secret. Left alone: templates, `!vault` and whole vaulted files, references to files and
environment variables, placeholders, public keys, certificates, and hashes of passwords (a users file holds those by
Ansible's own advice). Not seen: secrets without shape or name, binary files, what was in history already.
"""

import re
from collections.abc import Iterable, Iterator
from posixpath import basename, splitext

from gitops_hooks.plugin import (
    Change,
    ChangedFile,
    Check,
    EdgeError,
    Finding,
    Marked,
    Tree,
    Workbench,
    hookimpl,
    parse_yaml,
)
from gitops_hooks.plugins.secrets_shapes import shapes_in
from gitops_hooks.plugins.secrets_values import is_literal_secret, is_secret_name

_FILES = (0o100644, 0o100755)
_VAULT = b"$ANSIBLE_VAULT;"
_VARIABLES = ("group_vars", "host_vars")
_ENV = re.compile(r"^(?:\.env(?:\..+)?|.+\.env)$")
_EXAMPLES = (".example", ".sample", ".template", ".dist", ".tpl", ".j2")
_ASSIGNMENT = re.compile(r"(?<![\w.-])([\w.-]{1,100})\s{0,20}=\s{0,20}(\"[^\"]*\"|'[^']*'|[^\s\"']+)")
_CURE = "encrypt it with ansible-vault, then change the secret: it was pushed"


@hookimpl
def gitops_checks() -> Iterable[Check]:
    """One check over every changed file."""
    return [Check("secrets", "no private key, token or password in the clear", check_secrets)]


def check_secrets(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    for file in change.files:
        if file.mode in _FILES:
            yield from _check_file(file, tree)


def _check_file(file: ChangedFile, tree: Tree) -> Iterator[Finding]:
    try:
        text = tree.read(file.path)
    except EdgeError as error:
        yield Finding(file.path, 0, f"{error.what}; what is not read cannot be judged")
        return
    if text.startswith(_VAULT):
        return
    found = {(line, f"{_article(kind)} {kind}; {_CURE}") for line, kind in shapes_in(text)}
    if b"\0" not in text[:8192]:
        found |= set(_named_values(file.path, text)) | set(_open_vault(file.path, text))
    for line, message in sorted(found):
        yield Finding(file.path, line, message)


def _article(kind: str) -> str:
    return "an" if kind[0] in "AOaeio" or kind.startswith("npm") else "a"


def _open_vault(path: str, text: bytes) -> Iterator[tuple[int, str]]:
    """A file whose name says vault: whole, since part of it may be a secret that nothing else gives away."""
    name, kind = splitext(basename(path).lower())
    folders = path.split("/")[:-1]
    variables = any(folder in _VARIABLES for folder in folders)
    if variables:
        meant = ("vault" in name or name in ("secret", "secrets")) and kind in (".yml", ".yaml", ".json", "")
    else:
        meant = name == "vault" and kind in (".yml", ".yaml") and "roles" not in folders
    if meant and _says_something(text) and not _all_vaulted(text):
        yield 0, f"is named like a vault and is not encrypted; ansible-vault encrypt {path}"


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


def _named_values(path: str, text: bytes) -> Iterator[tuple[int, str]]:
    name, kind = basename(path), splitext(path)[1].lower()
    if name.endswith(_EXAMPLES):
        return
    folders = path.split("/")[:-1]
    if kind in (".yml", ".yaml") or (kind in ("", ".json") and any(folder in _VARIABLES for folder in folders)):
        documents, _ = parse_yaml(text)
        for document in documents:
            kind_of = document.get("kind")
            if kind_of is None or kind_of.text != "SealedSecret":
                yield from _in_mappings(document)
    elif _ENV.match(name) or kind in (".ini", ".cfg", ".conf", ".properties", ".tfvars") or _is_inventory(path):
        yield from _in_lines(text)


def _is_inventory(path: str) -> bool:
    bare = "." not in basename(path)
    return bare and (basename(path) in ("hosts", "inventory") or any("inventor" in part for part in path.split("/")))


def _in_mappings(document: Marked) -> Iterator[tuple[int, str]]:
    waiting, seen = [document], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        waiting.extend(node.items)
        for key, value in node.pairs:
            waiting.append(value)
            for item in value.items if is_secret_name(key.text) else ():
                yield from _literal(key.text, item)
            yield from _literal(key.text, value)


def _literal(name: str, value: Marked) -> Iterator[tuple[int, str]]:
    if value.tag in ("str", "int", "float") and is_secret_name(name) and is_literal_secret(value.text):
        yield value.line, f"a literal value under '{name[:60]}'; {_CURE}"


def _in_lines(text: bytes) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.decode("utf-8", "replace").split("\n"), 1):
        if line.lstrip().startswith(("#", ";", "//")):
            continue
        for match in _ASSIGNMENT.finditer(line):
            if is_secret_name(match.group(1)) and is_literal_secret(match.group(2).strip("\"'")):
                yield number, f"a literal value under '{match.group(1)[:60]}'; {_CURE}"
