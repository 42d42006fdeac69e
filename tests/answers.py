"""What a command answered and what a history ref holds, as a test reads them."""

import re
from dataclasses import dataclass

EVENT_FORMAT = "%H%x00%s%x00%(trailers:only,unfold)%x1e"


@dataclass(frozen=True, slots=True)
class Result:
    """What a command answered; `remote_lines` are the server's lines of it, without git's prefix and padding.

    Signs of life are none of them: whether a check takes long enough for one is up to the machine.
    """

    code: int
    out: str
    err: str

    @property
    def remote_lines(self) -> list[str]:
        # git pads each line with blanks or a clearing sequence, and cuts at CR as well as at LF.
        lines = re.split(r"[\r\n]+", self.err)
        said = [line.removeprefix("remote:")[1:].removesuffix("\x1b[K").rstrip() for line in lines if _is_remote(line)]
        return [line for line in said if not line.startswith("gitops: still checking: ")]

    @property
    def remote(self) -> str:
        return "\n".join(self.remote_lines)

    def must(self) -> "Result":
        """The same, for a step of the set-up that has to work."""
        assert self.code == 0, f"exit code {self.code}\n{self.out}\n{self.err}"
        return self


def _is_remote(line: str) -> bool:
    return line.startswith("remote:")


@dataclass(frozen=True, slots=True)
class Event:
    """One event commit: its object id, its first line and its facts in order."""

    commit: str
    subject: str
    facts: tuple[tuple[str, str], ...]

    def fact(self, key: str) -> str | None:
        return next((value for name, value in self.facts if name == key), None)


def change_number(result: Result) -> int:
    """The number in `gitops: change 12, revision 1 for main`."""
    found = re.search(r"change (\d+)", result.remote)
    assert found, f"no change number in:\n{result.remote}"
    return int(found[1])


def parse_event(record: str) -> Event:
    """One record of `git log` in EVENT_FORMAT."""
    commit, subject, block = record.split("\0", 2)
    pairs = [line.partition(": ") for line in block.strip().split("\n") if line]
    return Event(commit, subject, tuple((key, value) for key, _, value in pairs))
