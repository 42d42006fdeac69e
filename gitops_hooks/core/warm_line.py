"""What a fork that stays with its push says to the warm judge, which ends whoever says anything else or takes too long.

    at rest                                              nothing of the push is here; the next hook may come
    judges <hook> <seconds> <nonce> last|first <push>    whether it is the push's last one, and where that lies
    free                                                 the push is over; another login may come

Each is one message of a socket that keeps messages apart.
"""

import re

from gitops_hooks.core import warm_words as words
from gitops_hooks.model.lazy_dataclass import dataclass

AT_REST, FREE = b"at rest", b"free"
MOST = 256  # bytes of a message
_JUDGES = re.compile(
    rb"judges (%s) ([0-9]{1,6}\.[0-9]{3}) ([0-9a-f]{32}) (last|first) ([A-Za-z0-9-]{1,64}/pushes/[0-9a-f]{32})"
    % b"|".join(words.HOOKS[:2])
)


@dataclass(frozen=True, slots=True)
class Judging:
    """It judges for a hook from here on, for so many seconds at most; `is_last`: this push asks it for no other.

    `push` is the folder of its push below that of all states: the repository, `pushes`, and the push.
    """

    name: bytes
    seconds: float
    nonce: bytes
    is_last: bool
    push: str


def write_judging(judging: Judging) -> bytes:
    """What read_line reads."""
    last, push = b"last" if judging.is_last else b"first", judging.push.encode()
    return b"judges %s %.3f %s %s %s" % (judging.name, judging.seconds, judging.nonce, last, push)


def read_line(said: bytes) -> Judging | bytes:
    """AT_REST and FREE as they are; empty for anything that no fork says."""
    if found := _JUDGES.fullmatch(said):
        return Judging(found[1], float(found[2]), found[3], found[4] == b"last", found[5].decode())
    return said if said in (AT_REST, FREE) else b""
