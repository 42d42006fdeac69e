"""What Ansible's programs say of a fault: where it is, what it is, and whether the server lacks something."""

import re
from dataclasses import dataclass

_PLACE = re.compile(r"^Origin: /(?P<root>tree|given)/(?P<path>.*?):(?P<line>\d+)(?::\d+)?$", re.MULTILINE)
# ansible-core before 2.19.
_OLD_PLACE = re.compile(r"appears to be in '/(?P<root>tree|given)/(?P<path>[^']*)': line (?P<line>\d+)")
_ERROR = re.compile(r"^(?:\[ERROR\]: |ERROR! )", re.MULTILINE)
_ABSENT = re.compile(r"Error loading plugin '([\w.]+)': No module named 'ansible_collections\.")
_UNKNOWN_MODULE = re.compile(r"couldn't resolve module/action '([\w.]+)'")
_UNKNOWN_ROLE = re.compile(r"the role '([^']+)' was not found")
_SECRET = ("no vault secrets", "Decryption failed")
_ENDS = ("\n\n", "\nOrigin: ", "\n<<<", "\nThe error appears")


@dataclass(frozen=True, slots=True)
class Told:
    """One fault. `path` is "" where none was told; `unseen` says why it may be the server that lacks something."""

    path: str
    line: int
    message: str
    given: bool = False
    unseen: str = ""


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
        return Told("", 0, message, unseen=_unseen(text, error))
    return Told(place["path"], int(place["line"]), message, place["root"] == "given", _unseen(text, error))


def _shortened(error: str) -> str:
    cut = min((error.find(end) for end in _ENDS if end in error), default=len(error))
    words = " ".join(error[:cut].split()).replace("/tree/", "").replace(" on the Ansible Controller", "")
    words = re.sub(r" was not found in \S+$", " was not found", words.split(" This often indicates")[0])
    return words[:300].rstrip(".") or "no reason given"


def _unseen(text: str, error: str) -> str:
    """Why an error says nothing against what was pushed."""
    if module := _UNKNOWN_MODULE.search(error):
        lacking = {name.rpartition(".")[0] for name in _ABSENT.findall(text)}
        own = module[1].rpartition(".")[0]
        named = own if own in lacking else "".join(sorted(lacking)[:1]) if not own else ""
        return f"this server has no collection {named}" if named else ""
    if role := _UNKNOWN_ROLE.search(error):
        return f"this server has no role {role[1]}" if "." in role[1] else ""
    if any(words in error for words in _SECRET):
        return "a file on the way is encrypted"
    return "it depends on a variable that is set elsewhere" if "is undefined" in error else ""
