"""Files of variables → values as Ansible takes them; what is encrypted stays sealed."""

from gitops_hooks.plugin import EdgeError, Marked, Side, parse_yaml
from gitops_hooks.plugins.plain_scalars import BadScalar, plain_scalar
from gitops_hooks.plugins.unsaid import Plain, Sealed

VAULT = b"$ANSIBLE_VAULT"
FILES = (0o100644, 0o100755)
FOLDER = 0o40000
_DEEPEST = 60

Values = dict[str, Plain]


class Unreadable(Exception):
    """What hosts have cannot be told; the words say which file is why."""


def read_values(path: str, text: bytes) -> Values:
    """A file of variables. Errors: Unreadable."""
    documents, faults = parse_yaml(text)
    if faults:
        raise Unreadable(f"{path}:{faults[0].line} cannot be read")
    value = plain_value(path, documents[0]) if documents else {}
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unreadable(f"{path} is no mapping")
    return value


def plain_value(path: str, node: Marked, depth: int = 0) -> Plain:
    """Errors: Unreadable for what Ansible may take in another way."""
    if node.tag == "!vault":
        return Sealed(node.text)
    if depth > _DEEPEST or node.tag == "merge" or (node.tag.startswith("!") and node.tag != "!unsafe"):
        raise Unreadable(f"{path}:{node.line} is more than is read here")
    if node.pairs or node.tag == "map":
        return {_key(path, key): plain_value(path, value, depth + 1) for key, value in node.pairs}
    if node.items or node.tag == "seq":
        return [plain_value(path, item, depth + 1) for item in node.items]
    try:
        return plain_scalar(node)
    except BadScalar as error:
        raise Unreadable(f"{path}:{error.line} {error.message}") from None


def _key(path: str, key: Marked) -> str:
    if key.pairs or key.items or key.tag == "merge":
        raise Unreadable(f"{path}:{key.line} is more than is read here")
    return key.text


def read_file(side: Side, path: str) -> bytes | None:
    """A file of a side; None where there is none."""
    entry = side.tree.entry(path)
    if entry is None or entry.mode not in FILES:
        return None
    try:
        return side.tree.read(path)
    except EdgeError:
        return None
