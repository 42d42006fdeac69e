"""gitolite3 from Debian as the other server: a home of its own, one repository, and a line for sshd's keys."""

import os
import shutil
import subprocess
from pathlib import Path

REPOSITORY = "site"
SHELL = Path("/usr/share/gitolite3/gitolite-shell")


def is_installed() -> bool:
    return SHELL.exists() and shutil.which("gitolite") is not None


def lay(home: Path, bare: Path, public: str) -> str:
    """Set it up with this key as its administrator's, fill its repository; answers the line for authorized_keys."""
    home.mkdir()
    (home / "alice.pub").write_text(public + "\n")
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "USER": "git", "LOGNAME": "git"}
    run(["gitolite", "setup", "-pk", str(home / "alice.pub")], env)
    (home / ".gitolite" / "conf" / "gitolite.conf").write_text(f"repo {REPOSITORY}\n    RW+ = alice\n")
    run(["gitolite", "setup"], env)
    target = home / "repositories" / f"{REPOSITORY}.git"
    run(["git", "--git-dir", str(bare), "push", "-q", str(target), "refs/heads/*:refs/heads/*"], env | BYPASS)
    return f'command="env HOME={home} {SHELL} alice",restrict {public}'


BYPASS = {"GL_BYPASS_ACCESS_CHECKS": "1", "GL_BINDIR": str(SHELL.parent), "GL_LIBDIR": str(SHELL.parent / "lib")}


def run(command: list[str], env: dict[str, str]) -> None:
    subprocess.run(command, env=env, check=True, capture_output=True)
