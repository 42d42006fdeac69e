"""What Ansible itself answers about a tree, in bounded size."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from gitops_hooks.plugin import Workplace
from gitops_hooks.plugins.ansible.loaded_ahead import Question

Ask = Callable[[Sequence[Question]], list[int]]

_OUTPUT_LIMIT = 64 * 1024 * 1024
_COMPLAINT_LIMIT = 64 * 1024


class Refusal(Exception):
    """This deployment must not run, or has nothing to run on; `nothing`: no host was matched, or none in time."""

    def __init__(self, message: str, nothing: bool = False) -> None:
        super().__init__(message)
        self.nothing = nothing


def ask_ansible(commands: Sequence[Sequence[str]], workplace: Workplace, ask: Ask, withhold: bool) -> tuple[str, ...]:
    """What each of these commands of Ansible prints, in their order; `ask` is that of the run that follows.

    `withhold` keeps Ansible's words to ourselves, since they may quote a decrypted file. Errors: Refusal, with what
    Ansible complains of; those of `ask`.
    """
    with tempfile.TemporaryDirectory(prefix="asked-", dir=workplace.scratch) as name:
        said = [(Path(name, f"{number}.out"), Path(name, f"{number}.err")) for number in range(len(commands))]
        codes = ask([(words, str(out), str(err)) for words, (out, err) in zip(commands, said, strict=True)])
        for words, code, (out, err) in zip(commands, codes, said, strict=True):
            if code or out.stat().st_size > _OUTPUT_LIMIT:
                raise Refusal(f"{words[0]} cannot read this: {_complaint(err, workplace.project, withhold)}")
        return tuple(out.read_text(encoding="utf-8", errors="replace") for out, _ in said)


def _complaint(said: Path, project: Path, withhold: bool) -> str:
    if withhold:
        return "its words are withheld, since this environment has vault values; run it where you may see them"
    with said.open(encoding="utf-8", errors="replace") as text:
        words = text.read(_COMPLAINT_LIMIT).replace(f"{project}/", "")
    lines = [line for line in words.splitlines() if line.strip() and not line.startswith("[WARNING]")]
    return " ".join(" ".join(lines).split())[:500] or "no reason given"
