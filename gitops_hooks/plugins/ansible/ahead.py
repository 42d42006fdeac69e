"""Our end of the program that loads Ansible ahead: where it lies, what it is told, and what it answers."""

import json
import os
import select
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gitops_hooks.plugin import EdgeError
from gitops_hooks.plugins.ansible import loaded_ahead

_PROGRAM = '#!/bin/sh\nexec {python} -P {program} {way} {answers} "$@"\n'
_LOOK_SECONDS = 0.2
_LIMIT = 65536


class Ahead:
    """A folder with what ansible-runner finds as `ansible-playbook`, and the two FIFOs to and from it.

    Open at both ends: neither side waits for the other, and what is said stays there until it is heard.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir()
        names = {name: folder / f"ansible-playbook.{name}" for name in ("way", "answers")}
        for path in names.values():
            os.mkfifo(path, 0o600)
        self._way, self._answers = (os.open(path, os.O_RDWR | os.O_CLOEXEC) for path in names.values())
        words = {"python": sys.executable, "program": loaded_ahead.__file__} | names
        program = folder / "ansible-playbook"
        program.touch(mode=0o700)
        program.write_text(_PROGRAM.format(**{name: shlex.quote(str(word)) for name, word in words.items()}))

    def close(self) -> None:
        os.close(self._way)
        os.close(self._answers)

    def go(self) -> None:
        """Let it run the playbook."""
        self._tell(loaded_ahead.GO)

    def leave(self) -> None:
        """Let it end, where it was not told to run."""
        self._tell(loaded_ahead.LEAVE)

    def ask(
        self, questions: Sequence[loaded_ahead.Question], seconds: float, ended: Callable[[], bool]
    ) -> list[int] | None:
        """The exit code of each of these commands; None where it gave no answer in time, or has ended.

        Errors: EdgeError where Ansible cannot be loaded.
        """
        self._tell(questions)
        deadline = time.monotonic() + seconds
        while not select.select([self._answers], [], [], _LOOK_SECONDS)[0]:
            if ended() or time.monotonic() > deadline:
                return None
        answer = json.loads(os.read(self._answers, _LIMIT))
        if not isinstance(answer, list):
            raise EdgeError("ansible", f"does not start beside this Python: {answer}")
        return [int(code) for code in answer]

    def _tell(self, word: object) -> None:
        os.write(self._way, json.dumps(word).encode() + b"\n")
