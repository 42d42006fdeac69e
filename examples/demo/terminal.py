"""What the audience sees: each command as typed, and its output as it comes, which must tell what it should."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

_SECONDS = 300.0


class StoryError(Exception):
    """A step did not do what the story says."""


@dataclass(frozen=True, slots=True)
class Shell:
    """Somebody's terminal: their prompt, environment and folder."""

    prompt: str
    environment: Mapping[str, str]
    folder: Path

    def type(self, *words: str, code: int = 0, expect: Sequence[str] = ()) -> str:
        """Print the command, run it with its output as it comes, and answer that.

        Errors: StoryError where its exit code or an expected text is missing.
        """
        line = _typed(words)
        emit(f"{_bold(self.prompt + '$')} {_bold(line)}\n")
        found, text = _stream(words, self.environment, self.folder)
        emit("\n")
        if found != code:
            _fail(line, f"exit code {found}, and the story says {code}")
        for wanted in expect:
            if wanted not in _plain(text):
                _fail(line, f"this was to stand in its output: {wanted}")
        return text

    def quietly(self, *words: str) -> str:
        """What a command answers, unseen. Errors: StoryError where it fails."""
        done = subprocess.run(
            words, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=_SECONDS
        )
        if done.returncode:
            _fail(shlex.join(words), done.stdout + done.stderr)
        return done.stdout.strip()

    def edit(self, path: str, before: str, after: str) -> None:
        """Change a file as an editor would, and show the change."""
        file = self.folder / path
        text = file.read_text()
        if text.count(before) != 1:
            _fail(f"edit {path}", f"the place to change is not there once: {before}")
        file.write_text(text.replace(before, after))
        emit(f"{_bold(self.prompt + '$')} {_bold('$EDITOR ' + path)}\n")
        lines = self.quietly("git", "diff", "--unified=1", "--", path).splitlines()
        emit("".join(f"    {line}\n" for line in lines if not line.startswith(("diff", "index", "---", "+++"))) + "\n")

    def at(self, folder: Path) -> "Shell":
        return Shell(self.prompt, self.environment, folder)


def tell(text: str) -> None:
    """A line of the narrator."""
    emit(_colour("36", f"# {text}") + "\n\n")


def emit(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _stream(words: Sequence[str], environment: Mapping[str, str], folder: Path) -> tuple[int, str]:
    program = subprocess.Popen(
        words, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said = bytearray()
    try:
        assert program.stdout is not None
        while part := os.read(program.stdout.fileno(), 65536):
            said += part
            emit(part.decode(errors="replace"))
        return program.wait(_SECONDS), said.decode(errors="replace")
    finally:
        if program.poll() is None:
            program.kill()
            program.wait()


def _typed(words: Sequence[str]) -> str:
    # HEAD:refs/for/main needs no quotes, and nobody types them.
    return " ".join(word if re.fullmatch(r"[\w@%+=:,./^~-]+", word) else shlex.quote(word) for word in words)


def _plain(text: str) -> str:
    """Without git's prefix, padding and clearing: what stands on the lines."""
    lines = re.split(r"[\r\n]+", text.replace("\x1b[K", ""))
    return "\n".join(line.removeprefix("remote: ").rstrip() for line in lines)


def _fail(line: str, why: str) -> NoReturn:
    raise StoryError(f"the story broke at: {line}\n  {why}")


def _bold(text: str) -> str:
    return _colour("1", text)


def _colour(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if sys.stdout.isatty() else text
