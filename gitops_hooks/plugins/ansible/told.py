"""What Ansible's programs say of a fault: where it is, what it is, and whether the server lacks something."""

import re
from dataclasses import dataclass

from gitops_hooks.plugins.ansible.moved import moved_to

_PLACE = re.compile(r"^Origin: /(?P<root>tree|given)/(?P<path>.*?):(?P<line>\d+)(?::\d+)?$", re.MULTILINE)
# ansible-core before 2.19.
_OLD_PLACE = re.compile(r"appears to be in '/(?P<root>tree|given)/(?P<path>[^']*)': line (?P<line>\d+)")
_ERROR = re.compile(r"^(?:\[ERROR\]: |ERROR! )", re.MULTILINE)
# The whole name of what is missing: a collection or what is above it, never a module in one that is there.
_ABSENT = re.compile(
    r"Error loading plugin '((?!ansible\.(?:builtin|legacy)\.)[\w.]+)': "
    r"No module named 'ansible_collections(?:\.\w+){0,2}'"
)
_UNKNOWN_MODULE = re.compile(r"couldn't resolve module/action '([\w.]+)'")
_HINTS = re.compile(r"\.? This often indicates |\. If you are using a module ")
_SECRET = ("no vault secrets", "Decryption failed")
_ENDS = ("\n\n", "\nOrigin: ", "\n<<<", "\nThe error appears")


@dataclass(frozen=True, slots=True)
class Told:
    """One fault. `path` is "" where none was told; `unseen` says why nothing speaks against what was pushed.

    `lacking` is the full name of a module of a collection that was not found, `absent` whether its collection was
    not found either.
    """

    path: str
    line: int
    message: str
    given: bool = False
    unseen: str = ""
    lacking: str = ""
    absent: bool = False


def parse_told(stderr: bytes) -> Told:
    """The first error in what a program wrote; there is always one, if only that it said nothing."""
    text = stderr.decode("utf-8", "replace")
    start = _ERROR.search(text)
    error = text[start.end() :] if start else text
    place = _PLACE.search(error) or _OLD_PLACE.search(error)
    message = _shortened(error)
    if _UNKNOWN_MODULE.search(error):
        message += "; correct its name"
    if place is None:
        return Told("", 0, message, unseen=_unseen(error))
    given = place["root"] == "given"
    lacking = _lacking(text, error)
    absent = lacking in _ABSENT.findall(text)
    return Told(place["path"], int(place["line"]), message, given, _unseen(error), lacking, absent)


def _shortened(error: str) -> str:
    cut = min((error.find(end) for end in _ENDS if end in error), default=len(error))
    words = " ".join(error[:cut].split()).replace("/tree/", "").replace(" on the Ansible Controller", "")
    words = _HINTS.split(words.removeprefix("Unable to retrieve file contents. "))[0]
    words = re.sub(r" was not found in \S+$", " was not found", words)
    return words[:300].rstrip(".") or "no reason given"


def _unseen(error: str) -> str:
    if any(words in error for words in _SECRET):
        return "a file on the way is encrypted"
    return "it depends on a variable that is set elsewhere" if "is undefined" in error else ""


def _lacking(text: str, error: str) -> str:
    """Short names are looked for in the collection that they moved to; only an absent one is told of."""
    module = _UNKNOWN_MODULE.search(error)
    if module is None:
        return ""
    absent = next((name for name in _ABSENT.findall(text) if f".{name}".endswith(f".{module[1]}")), "")
    return absent or (module[1] if module[1].count(".") > 1 else moved_to(module[1]))
