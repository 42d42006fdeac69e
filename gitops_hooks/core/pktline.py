"""The proc-receive conversation with git receive-pack as a state machine on bytes, without input or output.

Written down in git's githooks(5), and in builtin/receive-pack.c where that page is silent.
"""

import re
import unicodedata
from collections.abc import Sequence
from enum import Enum

from gitops_hooks.core.receive import check_options, read_commands, shown
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import RefUpdate
from gitops_hooks.model.request import Refusal

FLUSH = b"0000"
_LENGTH = re.compile(rb"[0-9a-fA-F]{4}")
_LONGEST = 65520
_REASON = 400
_FEATURES = (b"push-options", b"atomic")


class Stage(Enum):
    """What is read next; BROKEN keeps its reason in `refusal` and reads nothing more."""

    VERSION = "versions"
    COMMANDS = "commands"
    OPTIONS = "options"
    DONE = "done"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Moved:
    """One ref that the server moved for a command: what the client shows and tracks instead of the pushed name."""

    ref: str
    old: str
    new: str
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to one command; `fall_through` leaves the move to git, `reason` goes with a refusal only."""

    ref: str
    accepted: bool
    reason: str = ""
    fall_through: bool = False
    moved: tuple[Moved, ...] = ()


class _Broken(Exception):
    """The other side does not keep to the protocol or to a limit."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


class Conversation:
    """Feed it what git wrote; it keeps commands and options, and the bytes to send back.

    `most_refs` and `most_options` bound what is kept. Faults never raise: the stage becomes BROKEN.
    """

    def __init__(self, *, most_refs: int, most_options: int) -> None:
        self.stage = Stage.VERSION
        self.refusal: Refusal | None = None
        self.commands: tuple[RefUpdate, ...] = ()
        self.options: tuple[str, ...] = ()
        self.atomic = False
        self._limits = {Stage.VERSION: 1, Stage.COMMANDS: most_refs, Stage.OPTIONS: most_options}
        self._with_options = False
        self._buffer = bytearray()
        self._packets: list[bytes] = []
        self._outgoing = bytearray()

    @property
    def done_reading(self) -> bool:
        """Nothing more is to be fed: all was read, or the conversation broke."""
        return self.stage in (Stage.DONE, Stage.BROKEN)

    def feed(self, data: bytes) -> None:
        """Take what arrived; no bytes means that the other side has closed."""
        if self.done_reading:
            return
        self._buffer += data
        try:
            self._take_packets()
            if not data and not self.done_reading:
                raise _broken(f"git went away while its {self.stage.value} were awaited")
        except _Broken as broken:
            self.stage, self.refusal = Stage.BROKEN, broken.refusal
            self.commands = self.options = ()

    def outgoing(self) -> bytes:
        """What is to be sent now; each byte is handed out once."""
        ready = bytes(self._outgoing)
        self._outgoing.clear()
        return ready

    def _take_packets(self) -> None:
        at = 0
        while not self.done_reading and (length := _packet_length(self._buffer, at)) is not None:
            if length == 0:
                at += len(FLUSH)
                self._end_section()
                continue
            if len(self._buffer) < at + length:
                break
            self._keep(bytes(self._buffer[at + 4 : at + length]))
            at += length
        if self.done_reading and len(self._buffer) > at:
            raise _broken("more arrived after the end")
        del self._buffer[:at]

    def _keep(self, payload: bytes) -> None:
        self._packets.append(payload)
        if len(self._packets) > (most := self._limits[self.stage]):
            raise _broken(f"more than {most} {self.stage.value}")

    def _end_section(self) -> None:
        packets, self._packets = self._packets, []
        match self.stage:
            case Stage.VERSION:
                self._agree(packets)
                self.stage = Stage.COMMANDS
            case Stage.COMMANDS:
                self.commands = _read_commands(packets, self._limits[self.stage])
                self.stage = Stage.OPTIONS if self._with_options else Stage.DONE
            case _:
                self.options = _read_options(packets)
                self.stage = Stage.DONE

    def _agree(self, packets: list[bytes]) -> None:
        """Answer with those features that the other side offered: git sends options only where they are asked for."""
        version, _, features = b"".join(packets).removesuffix(b"\n").partition(b"\0")
        if version != b"version=1":
            raise _broken(f"this release speaks version=1 with git, which said {shown(version) or 'nothing'}")
        offered = features.split(b" ")
        self.atomic = b"atomic" in offered
        self._with_options = b"push-options" in offered
        agreed = b" ".join(feature for feature in _FEATURES if feature in offered)
        self._outgoing += _packet(b"version=1" + (b"\0" + agreed if agreed else b"")) + FLUSH


def encode_report(results: Sequence[Report]) -> bytes:
    """All answers in the order of the commands, as git reads them."""
    lines = [line for report in results for line in _report_lines(report)]
    return b"".join(_packet(_one_line(line)) for line in lines) + FLUSH


def _report_lines(report: Report) -> list[str]:
    if not report.accepted:
        return [f"ng {report.ref} {report.reason or 'refused'}"]
    if report.fall_through:
        return [f"ok {report.ref}", "option fall-through"]
    # A second `ok` with the same name opens the next set of options for that command.
    return [line for moved in report.moved for line in _moved_lines(report.ref, moved)] or [f"ok {report.ref}"]


def _moved_lines(ref: str, moved: Moved) -> list[str]:
    lines = [f"ok {ref}", f"option refname {moved.ref}", f"option old-oid {moved.old}", f"option new-oid {moved.new}"]
    return [*lines, "option forced-update"] if moved.forced else lines


def _one_line(text: str) -> bytes:
    """Git ends a line at the first LF and prints what it got: nothing else may stand in a report."""
    words = " ".join(text.split())
    clean = "".join("?" if unicodedata.category(char)[0] == "C" else char for char in words)
    return clean.encode("utf-8")[: 255 + _REASON].decode("utf-8", "ignore").encode("utf-8")


def _packet(payload: bytes) -> bytes:
    return b"%04x" % (len(payload) + 5) + payload + b"\n"


def _packet_length(buffer: bytearray, at: int) -> int | None:
    """The length of the packet at this place, head and all; 0 for a flush, None where its head is not there yet."""
    head = bytes(buffer[at : at + 4])
    if len(head) < 4:
        return None
    length = int(head, 16) if _LENGTH.fullmatch(head) else -1
    if length != 0 and not 4 <= length <= _LONGEST:
        raise _broken(f"not a packet length: {shown(head)}")
    return length


def _read_commands(packets: list[bytes], most: int) -> tuple[RefUpdate, ...]:
    # A packet may hold a line feed, and would then forge a second command.
    if forged := next((packet for packet in packets if b"\n" in packet), None):
        raise _broken(f"a line feed in a command: {shown(forged)}")
    read = read_commands(b"".join(packet + b"\n" for packet in packets), most=most)
    if isinstance(read, Refusal):
        raise _Broken(read)
    return read


def _read_options(packets: list[bytes]) -> tuple[str, ...]:
    read = check_options(tuple(packet.decode("utf-8", "surrogateescape") for packet in packets))
    if isinstance(read, Refusal):
        raise _Broken(read)
    return read


def _broken(reason: str) -> _Broken:
    return _Broken(Refusal("proc-receive", reason))
