"""What Ansible itself answers about a tree, in our environment and in bounded time and size."""

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from gitops_hooks.plugin import EdgeError, Workplace
from gitops_hooks.plugins.ansible import asked_once
from gitops_hooks.plugins.ansible.pinned import Pinned

_SECONDS = 60.0
_OUTPUT_LIMIT = 64 * 1024 * 1024
_COMPLAINT_LIMIT = 64 * 1024


class Refusal(Exception):
    """This deployment must not run, or has nothing to run on; `nothing` says that no host was matched."""

    def __init__(self, message: str, nothing: bool = False) -> None:
        super().__init__(message)
        self.nothing = nothing


def ask_ansible(
    questions: Sequence[Sequence[str]], workplace: Workplace, pinned: Pinned, withhold: bool
) -> tuple[str, ...]:
    """What each of these commands of Ansible prints, in their order.

    `withhold` keeps Ansible's words to ourselves, since they may quote a decrypted file. Errors: Refusal, with what
    Ansible complains of; EdgeError where it cannot be loaded.
    """
    with tempfile.TemporaryDirectory(prefix="asked-", dir=workplace.scratch) as name:
        said = [(Path(name, f"{number}.out"), Path(name, f"{number}.err")) for number in range(len(questions))]
        wanted = [[words, str(out), str(err)] for words, (out, err) in zip(questions, said, strict=True)]
        for words, code, (out, err) in zip(questions, _codes(wanted, workplace.project, pinned), said, strict=True):
            if code or out.stat().st_size > _OUTPUT_LIMIT:
                raise Refusal(f"{words[0]} cannot read this: {_complaint(err, workplace.project, withhold)}")
        return tuple(out.read_text(encoding="utf-8", errors="replace") for out, _ in said)


def _codes(wanted: Sequence[Sequence[object]], project: Path, pinned: Pinned) -> list[int]:
    """The exit code of each; nothing of them is left where their time was up."""
    with subprocess.Popen(
        [sys.executable, "-I", asked_once.__file__, json.dumps(wanted)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**_plain_environment(), **pinned.environment},
        cwd=project,
        process_group=0,
    ) as program:
        # What the run needs next, SSH above all, is loaded meanwhile.
        importlib.import_module("gitops_hooks.plugins.ansible.rolling")
        try:
            said, complaint = program.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            raise Refusal(f"Ansible gave no answer within {_SECONDS:.0f} s; simplify what it has to read") from None
    if program.returncode:
        words = " ".join(complaint.decode("utf-8", "replace").split())[-300:]
        raise EdgeError("ansible", f"does not start beside this Python: {words}")
    return [int(code) for code in json.loads(said)]


def _plain_environment() -> dict[str, str]:
    """The box is empty already; what may pass is named all the same, so that no other start of this leaks more."""
    return {name: os.environ[name] for name in ("PATH", "LANG", "HOME", "TMPDIR") if name in os.environ}


def _complaint(said: Path, project: Path, withhold: bool) -> str:
    if withhold:
        return "its words are withheld, since this environment has vault values; run it where you may see them"
    with said.open(encoding="utf-8", errors="replace") as text:
        words = text.read(_COMPLAINT_LIMIT).replace(f"{project}/", "")
    lines = [line for line in words.splitlines() if line.strip() and not line.startswith("[WARNING]")]
    return " ".join(" ".join(lines).split())[:500] or "no reason given"
