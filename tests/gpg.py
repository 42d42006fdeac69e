"""Real OpenPGP keys, made by gpg in a home of their own, whose agent is ended with it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

_SECONDS = 60.0
LONG_AGO = "20250101T000000!"


@dataclass(frozen=True, slots=True)
class Gpg:
    """A home of gpg's, below a short path: the agent's socket has to fit into 108 bytes."""

    home: Path

    def __call__(self, *words: str, text: bytes = b"", at: str = "") -> bytes:
        """The output of one gpg command that has to work; `at` is the time that it takes for now."""
        clock = ("--faked-system-time", at) if at else ()
        quiet = ("--batch", "--yes", "--quiet", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", "")
        command = ["gpg", "--homedir", str(self.home), *quiet, *clock, *words]
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C"}
        done = subprocess.run(command, input=text, capture_output=True, timeout=_SECONDS, env=environ)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def make(self, name: str, kind: str = "ed25519", use: str = "sign", ends: str = "never", at: str = "") -> str:
        """A new key; answers its fingerprint."""
        before = set(self.fingerprints())
        self("--quick-generate-key", f"{name} <{name}@example.org>", kind, use, ends, at=at)
        (made,) = set(self.fingerprints()) - before
        return made

    def fingerprints(self) -> list[str]:
        """Of the primary keys, oldest first."""
        lines = [line.split(":") for line in self("--list-keys", "--with-colons").decode().splitlines()]
        return [after[9] for line, after in pairwise(lines) if line[0] == "pub"]

    def add_subkey(self, key: str, kind: str = "ed25519", use: str = "sign", ends: str = "never", at: str = "") -> None:
        self("--quick-add-key", key, kind, use, ends, at=at)

    def export(self, *keys: str) -> str:
        return self("--armor", "--export", *keys).decode()

    def sign(self, key: str, payload: bytes, *words: str, at: str = "") -> bytes:
        """As git does it."""
        return self(*words, "-u", key, "--armor", "--detach-sign", text=payload, at=at)

    def revoke(self, key: str) -> None:
        text = (self.home / "openpgp-revocs.d" / f"{key}.rev").read_text()
        self("--import", text=text.replace("\n:-----", "\n-----").encode())


@contextmanager
def gpg_home() -> Iterator[Gpg]:
    home = Path(tempfile.mkdtemp(prefix="gpg-"))
    try:
        yield Gpg(home)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True, timeout=_SECONDS)
        shutil.rmtree(home, ignore_errors=True)
