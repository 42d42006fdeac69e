"""Hook stdin and push options → values, or one refusal with all faults; by exact grammar on bytes.

Ref names and old ids are claims of the pusher: git checks a name only when it moves the ref, after the hooks.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

from gitops_hooks.model.push import NO_OID, RefUpdate
from gitops_hooks.model.request import Refusal

MAGIC_VERBS = (
    *("for", "approve", "reject", "withdraw", "comment", "land", "rebase", "plan"),
    *("close", "reopen", "deploy", "rollback", "pause", "resume", "cancel"),
)
SERVER_NAMESPACES = ("changes", "environments", "gitops", "agents")
NAME_BYTES = 255
OPTION_BYTES = 32 * 1024

_LINE = re.compile(rb"([0-9a-f]{40}) ([0-9a-f]{40}) ([^\n\0]+)")
_COUNT = re.compile(r"0|[1-9][0-9]{0,5}")
_ASCII = re.compile(r"[A-Za-z0-9._/%,=+{}@#-]+")
_ONLY_OID = re.compile(r"[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?")
_HEAD_LIKE = re.compile(r"@|[A-Z_]*HEAD")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|\Z)")
_HIDDEN_KINDS = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"))
_MOST_FAULTS = 20
_SHOWN = 80


class Place(Enum):
    """Which namespace a ref stands in, and so who writes it."""

    HEADS = "heads"
    TAGS = "tags"
    MAGIC = "magic"
    SERVER = "server"
    OTHER = "other"


def place_of(ref: str) -> Place:
    """The namespace of a full ref name; a namespace without a name below it is OTHER."""
    root, _, rest = ref.partition("/")
    space, _, name = rest.partition("/")
    if root != "refs" or not name:
        return Place.OTHER
    if space in SERVER_NAMESPACES:
        return Place.SERVER
    if space in MAGIC_VERBS:
        return Place.MAGIC
    return {"heads": Place.HEADS, "tags": Place.TAGS}.get(space, Place.OTHER)


def shown(text: str | bytes) -> str:
    """Pusher text for a message: printable ASCII, all else escaped, cut at 80 characters."""
    if isinstance(text, bytes):
        text = text[: 4 * _SHOWN + 4].decode("utf-8", "backslashreplace")
    plain = "".join(char if " " <= char <= "~" else ascii(char)[1:-1] for char in text[: _SHOWN + 1])
    return plain if len(plain) <= _SHOWN else plain[:_SHOWN] + "…"


def read_commands(stdin: bytes, *, most: int) -> tuple[RefUpdate, ...] | Refusal:
    """The commands of one push from `old SP new SP ref LF` lines; `most` bounds their number."""
    if not stdin:
        return Refusal("intake", "no ref update arrived")
    if not stdin.endswith(b"\n"):
        return Refusal("intake", "the list of ref updates was cut short: its last line has no end", "push again")
    count = stdin.count(b"\n")
    if count > most:
        return Refusal("intake", f"{count} refs in one push; at most {most}", "push them in several pushes")
    # Only LF ends a line: splitlines() would also split at U+2028 and others inside a name.
    read = [_read_command(line) for line in stdin[:-1].split(b"\n")]
    faults = [item for item in read if isinstance(item, str)]
    updates = tuple(item for item in read if isinstance(item, RefUpdate))
    faults += _twice(update.ref for update in updates)
    return refuse_all("intake", faults, "push again without these, or under other names") if faults else updates


def refuse_all(rule: str, faults: Sequence[str], cure: str = "") -> Refusal:
    """One refusal with every fault on a line of its own; the first twenty are written out."""
    lines = list(faults[:_MOST_FAULTS])
    if len(faults) > _MOST_FAULTS:
        lines.append(f"and {len(faults) - _MOST_FAULTS} more")
    return Refusal(rule, "\n".join(lines), cure)


def _read_command(line: bytes) -> RefUpdate | str:
    """One command, or its fault in words."""
    match = _LINE.fullmatch(line)
    if match is None:
        return f"not `old new ref` with two ids of 40 digits: {shown(line)}"
    old, new, raw = match[1].decode("ascii"), match[2].decode("ascii"), match[3]
    if fault := name_fault(raw):
        return f"{shown(raw)}: {fault}"
    ref = raw.decode("utf-8")
    # git sends the delete of a ref that is not there as 0 → 0, and `:refs/close/<n>` is never there.
    if old == new == NO_OID and place_of(ref) is not Place.MAGIC:
        return f"{shown(raw)}: neither an old nor a new commit"
    return RefUpdate(old, new, ref)


def _twice(refs: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for ref in refs:
        if ref in seen:
            twice[ref] = None
        seen.add(ref)
    return [f"{shown(ref)}: more than once in one push" for ref in twice]


def name_fault(raw: bytes) -> str:
    """What is wrong with a ref name, or an empty string."""
    if len(raw) > NAME_BYTES:
        return f"a name of {len(raw)} bytes; at most {NAME_BYTES}"
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        return "the name is not UTF-8"
    if not _is_well_formed(name):
        return "not a name that git allows for a ref"
    if place_of(name) in (Place.HEADS, Place.TAGS):
        return _free_name_fault(name) or _short_name_fault(name)
    if not _ASCII.fullmatch(name):
        return "only ASCII letters, digits and ._/%,=+{}@#- may stand here"
    return _short_name_fault(name) if place_of(name) is Place.MAGIC else ""


def _is_well_formed(name: str) -> bool:
    """git check-ref-format, and below refs/ only."""
    return name.startswith("refs/") and name[-1] not in "/." and not _FORBIDDEN.search(name)


def _free_name_fault(name: str) -> str:
    """Characters that people cannot see or tell apart have no place in a branch or tag."""
    for char in name:
        if unicodedata.category(char) in _HIDDEN_KINDS:
            return f"U+{ord(char):04X} is a control, format, space, private or unassigned character"
    return "" if unicodedata.is_normalized("NFC", name) else "the name is not in Unicode normal form NFC"


def _short_name_fault(name: str) -> str:
    """Names that git or a reader could take for something else where the namespace is left out."""
    short = name.split("/", 2)[2]
    if short.startswith("-"):
        return "a name that starts with - could be taken for an option"
    if short == "refs" or short.startswith("refs/"):
        return f"{shown(short)} below {shown(name[: -len(short)])} could be taken for a full ref name"
    if _HEAD_LIKE.fullmatch(short):
        return f"{shown(short)} could be taken for a name of git's own"
    return "a name of hexadecimal digits could be taken for an object id" if _ONLY_OID.fullmatch(short) else ""


def read_options(count_env: Mapping[str, str], most: int) -> tuple[str, ...] | Refusal:
    """The push options from GIT_PUSH_OPTION_COUNT and GIT_PUSH_OPTION_<n>; none where there is no count."""
    count = count_env.get("GIT_PUSH_OPTION_COUNT", "0")
    if not _COUNT.fullmatch(count):
        return Refusal("options", f"GIT_PUSH_OPTION_COUNT is not a number: {shown(count)}")
    if int(count) > most:
        return Refusal("options", f"{count} push options; at most {most}", "push with fewer -o")
    found = [count_env.get(f"GIT_PUSH_OPTION_{number}") for number in range(int(count))]
    missing = [f"GIT_PUSH_OPTION_{number} is missing" for number, option in enumerate(found) if option is None]
    options = tuple(option for option in found if option is not None)
    return refuse_all("options", missing) if missing else check_options(options)


def check_options(options: tuple[str, ...]) -> tuple[str, ...] | Refusal:
    """The same options, if each is short enough and one line of text."""
    faults = []
    for option in options:
        if len(option.encode("utf-8", "surrogateescape")) > OPTION_BYTES:
            faults.append(f"{shown(option)}: longer than {OPTION_BYTES} bytes")
        elif any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in option):
            faults.append(f"{shown(option)}: a control character, or not UTF-8")
    cure = "write several lines as -o description={base64}…"
    return refuse_all("options", faults, cure) if faults else options


def whole_push(updates: Sequence[RefUpdate]) -> Refusal | None:
    """Why the whole push is refused for the namespaces that it touches, or None.

    A hook sees commands on hidden refs too, and the other refs of that push would move if it let them pass.
    """
    refs = {place: [update.ref for update in updates if place_of(update.ref) is place] for place in Place}
    faults = [f"{shown(ref)} is written by the server alone" for ref in refs[Place.SERVER]]
    faults += [f"{shown(ref)} is neither a branch, a tag nor a verb" for ref in refs[Place.OTHER]]
    if faults:
        return refuse_all("namespaces", faults, "push to refs/heads/…, refs/tags/… or refs/for/<branch>")
    ordinary = refs[Place.HEADS] + refs[Place.TAGS]
    if not (ordinary and refs[Place.MAGIC]):
        return None
    return Refusal(
        "namespaces",
        f"{shown(refs[Place.MAGIC][0])} is a verb and {shown(ordinary[0])} a ref that moves:\n"
        "one push carries the one kind or the other, never both",
        "push them apart; where git added tags by itself, push with --no-follow-tags",
    )
