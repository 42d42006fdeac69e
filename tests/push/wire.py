"""A client that speaks git's push protocol by hand, and so may say what git itself would never say."""

import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from tests.push.desk import Desk
from tests.world import REPOSITORY

NONE = "0" * 40
_CAPABILITIES = b"report-status side-band-64k push-options object-format=sha1"
_PACK = b"PACK\0\0\0\2\0\0\0\0"
_EMPTY_PACK = _PACK + hashlib.sha1(_PACK).digest()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server showed first (name → object id), what it told the person, and its report to git."""

    advertised: dict[str, str]
    told: str
    report: list[str]
    errors: str


def packet(content: bytes) -> bytes:
    return b"%04x" % (len(content) + 4) + content


def push_by_hand(
    desk: Desk, who: str, commands: Sequence[tuple[str, str, bytes | str]], options: Sequence[bytes | str] = ()
) -> Answer:
    """Send these `old new ref` commands as they are, with objects that the server has already."""
    lines = [f"{old} {new} ".encode() + _bytes(ref) for old, new, ref in commands]
    said = packet(lines[0] + b"\0" + _CAPABILITIES) + b"".join(packet(line) for line in lines[1:]) + b"0000"
    said += b"".join(packet(_bytes(option)) for option in options) + b"0000"
    if any(new != NONE for _, new, _ in commands):
        said += _EMPTY_PACK
    return _talk(desk, who, said)


def look(desk: Desk, who: str) -> Answer:
    """What a push is shown, and no push."""
    return _talk(desk, who, b"0000")


def _talk(desk: Desk, who: str, said: bytes) -> Answer:
    done = subprocess.run(
        ["ssh", "host", f"git-receive-pack '{REPOSITORY}'"],
        cwd=desk.clone,
        env=desk.world.environment(who),
        input=said,
        capture_output=True,
        timeout=60,
    )
    shown, rest = _packets(done.stdout)
    names = [line.split(b"\0")[0].decode().strip().split(" ", 1) for line in shown]
    bands: dict[int, bytes] = {1: b"", 2: b"", 3: b""}
    for part in _packets(rest)[0]:
        bands[part[0]] += part[1:]
    report = [line.decode(errors="replace").rstrip("\n") for line in _packets(bands[1])[0]]
    told = "\n".join(line.rstrip() for line in bands[2].decode(errors="replace").rstrip("\n").split("\n"))
    errors = (bands[3] + done.stderr).decode(errors="replace")
    return Answer({name: oid for oid, name in names}, told, report, errors)


def _packets(stream: bytes) -> tuple[list[bytes], bytes]:
    """The packets up to the flush, and what follows it."""
    found: list[bytes] = []
    while stream:
        size = int(stream[:4], 16)
        if size == 0:
            return found, stream[4:]
        found.append(stream[4:size])
        stream = stream[size:]
    return found, b""


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text
