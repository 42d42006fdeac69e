"""A repository out of a mirror: its refs and objects, and none of the settings and hooks that lie beside them."""

import os
import shutil
import subprocess
from pathlib import Path

from gitops_hooks.core.govern import govern
from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.edge.adoption import POLICY_PATH, make_repository
from gitops_hooks.edge.record import Record
from gitops_hooks.edge.refs import clean_environment
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.push import NO_OID

_SECONDS = 4 * 3600.0
_TAKEN = ("HEAD", "packed-refs", "refs", "objects")


def bring_back(path: Path, mirror: str, git: str) -> str:
    """Make the repository at `path` from a mirror, a folder or an address; what was done, in words.

    It stands there whole or not at all. Errors: EdgeError where something is there, or the mirror is not whole.
    """
    if path.exists():
        raise EdgeError(path.name, f"there is something at {path} already; --from makes a new folder, so move it away")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        if Path(mirror).is_dir():
            _copy(Path(mirror), beside, git)
        else:
            _fetch(mirror, beside, git)
        _git(git, "--git-dir", str(beside), "fsck", "--connectivity-only", "--no-dangling", "--no-progress")
        beside.rename(path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return f"made a repository at {path} from {mirror}"


def moved_since(record: Record) -> tuple[str, ...]:
    """Governed branches that do not stand where the record says: the mirror was taken while they moved."""
    default = record.standing(record.default_branch)
    text = record.repository.file(default.recorded, POLICY_PATH, 256 * 1024) if default.recorded != NO_OID else None
    policy = parse_policy(text, commit=default.recorded, known=None) if text is not None else None
    standings = (record.standing(tip.ref) for tip in record.index.tips())
    return tuple(
        f"{each.ref} stands at {each.real[:12]}, and the record says {each.recorded[:12]}: "
        "gitops-hooks recovery restore|adopt"
        for each in standings
        if not each.trusted and (policy is None or govern(policy, each.ref))
    )


def _copy(mirror: Path, beside: Path, git: str) -> None:
    """By hand: git would not read a folder of another owner's, and a copy would bring settings and hooks along."""
    if not (mirror / "objects").is_dir() or not (mirror / "HEAD").is_file():
        raise EdgeError(str(mirror), "is no mirror; make one with: git clone --mirror")
    make_repository(beside, git)
    try:
        for name in _TAKEN:
            if (mirror / name).is_dir():
                # What lies elsewhere and is only linked to is copied too: the mirror may be taken away afterwards.
                shutil.copytree(mirror / name, beside / name, dirs_exist_ok=True)
            elif (mirror / name).is_file():
                shutil.copyfile(mirror / name, beside / name)
    except (OSError, shutil.Error) as error:
        raise EdgeError(str(mirror), f"cannot be copied: {error}") from None
    _take_in_borrowed(mirror, beside, git)


def _take_in_borrowed(mirror: Path, beside: Path, git: str) -> None:
    """A mirror made with --shared or --reference borrows objects; the copy has them itself, and borrows nothing."""
    borrowing = beside / "objects" / "info" / "alternates"
    if not borrowing.exists():
        return
    folder = mirror.absolute() / "objects"
    # Those that are relative start where they were written.
    lenders = [folder / os.fsdecode(line) for line in borrowing.read_bytes().splitlines() if line]
    borrowing.write_bytes(b"".join(bytes(lender) + b"\n" for lender in lenders))
    _git(git, "--git-dir", str(beside), "repack", "-A", "-d", "-q")
    borrowing.unlink()


def _fetch(mirror: str, beside: Path, git: str) -> None:
    _git(git, "clone", "--quiet", "--mirror", "--template=", "--", mirror, str(beside))
    _git(git, "--git-dir", str(beside), "config", "--remove-section", "remote.origin")


def _git(git: str, *words: str) -> None:
    # The administrator's own keys are what reaches a mirror on another machine.
    env = {**clean_environment(), "HOME": str(Path("~").expanduser()), "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run([git, *words], capture_output=True, env=env, timeout=_SECONDS, check=False)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip() or f"exit {done.returncode}"
        raise EdgeError("the mirror", f"is not whole or cannot be read: {said}")
