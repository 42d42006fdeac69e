"""A server whose home is a disk of a few megabytes: a real filesystem that really is full, and the machine's is not.

The disk is a tmpfs in a mount namespace that bubblewrap makes, for root and for everybody else alike. The server's sshd
stands in that namespace, and so all that it starts; people and administrator type there too.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.enclosed import open_inside
from tests.world import World

PAGE = 4096  # what a file on a tmpfs grows by
SIZE = 8 * 1024 * 1024


@dataclass(slots=True)
class SmallDisk:
    """The disk mounted at `place`, as long as `holder` lives; an open resource."""

    place: Path
    holder: "subprocess.Popen[str]"
    pid: int

    @classmethod
    def mount(cls, place: Path, size: int = SIZE) -> "SmallDisk":
        """Mount it over a folder and put there what the folder holds."""
        # Read from a pipe, the place is not among the words by which a world finds what still runs in it.
        words, writer = os.pipe()
        os.write(writer, "\0".join(["--size", str(size), "--tmpfs", str(place)]).encode())
        os.close(writer)
        namespace = ["bwrap", "--die-with-parent", "--dev-bind", "/", "/", "--args", str(words)]
        # It lives until its standard input ends, also where whoever runs the tests is killed.
        command = [*namespace, "sh", "-c", "echo $$; exec cat >/dev/null"]
        ends = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        holder = subprocess.Popen(command, **ends, text=True, cwd="/", pass_fds=[words])
        os.close(words)
        said = holder.stdout.readline() if holder.stdout else ""
        disk = cls(place, holder, int(said))
        shutil.copytree(place, disk.seen(place), symlinks=True, dirs_exist_ok=True)
        for entry in place.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        return disk

    def seen(self, path: Path) -> Path:
        """The path as a program outside of the namespace reaches it."""
        return Path(f"/proc/{self.pid}/root{path}")

    def inside(self, words: Sequence[str]) -> list[str]:
        """The command that runs these words in the namespace."""
        own = Path("/proc/self/ns/user").stat().st_ino == Path(f"/proc/{self.pid}/ns/user").stat().st_ino
        user = () if own else ("--user", "--preserve-credentials")
        # Another mount namespace begins at its root: the folder that the command was to start in is named anew.
        enter = 'exec nsenter --wdns="$PWD" "$@"'
        return ["sh", "-c", enter, "sh", f"--target={self.pid}", "--mount", *user, "--", *words]

    def fill(self, *, leave: int = 0) -> None:
        """Fill it to the last byte, then make room for so many pages."""
        with self.seen(self.place / "ballast").open("ab", buffering=0) as ballast:
            for size in (64 * PAGE, PAGE):
                with contextlib.suppress(OSError):
                    while True:
                        ballast.write(bytes(size))
            ballast.truncate(ballast.tell() // PAGE * PAGE - leave * PAGE)

    def make_room(self) -> None:
        self.seen(self.place / "ballast").unlink(missing_ok=True)

    def close(self) -> None:
        self.holder.communicate(timeout=10)


@dataclass(slots=True)
class CrampedWorld(World):
    """A world whose server stands on a small disk."""

    disk: SmallDisk | None = None

    def open(self, port: int = 0) -> None:
        self.disk = SmallDisk.mount(self.home.path)
        open_inside(self)

    def on_server(self, words: Sequence[str]) -> list[str]:
        return self.disk.inside(words) if self.disk else list(words)

    def seen(self, path: Path) -> Path:
        return self.disk.seen(path) if self.disk else path

    def close_server(self) -> None:
        World.close_server(self)  # slots make a second class of this one, which super() does not know
        if self.disk:
            self.disk.close()
