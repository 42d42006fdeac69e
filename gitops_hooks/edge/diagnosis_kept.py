"""Who starts the reconciler again after a reboot or its end: a file that says so is worth nothing unread."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from gitops_hooks.edge.living import list_living, look_at
from gitops_hooks.model.lazy_dataclass import dataclass

_UNITS = ("etc/systemd/system", "run/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")
_READERS = frozenset({"cron", "crond", "fcron", "dcron", "anacron", "systemd-cron"})
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to look: the root folder, the user's own units and crontab, the names of what runs (None: not visible)."""

    root: Path
    own_units: Path
    crontab: str
    programs: frozenset[str] | None

    @classmethod
    def this(cls) -> "Machine":
        return cls(Path("/"), Path("~/.config/systemd/user").expanduser(), _crontab(), _programs())

    @property
    def has_systemd(self) -> bool:
        return (self.root / "run/systemd/system").is_dir()

    @property
    def has_cron(self) -> bool:
        # Other users' programs may be hidden: then nothing can be told from their absence.
        return self.programs is None or bool(self.programs & _READERS)


def who_keeps(launcher: str, machine: Machine) -> tuple[str, tuple[str, ...]]:
    """systemd, cron or '', and what is there and has no effect, a line each."""
    faults = []
    for unit in _units(launcher, machine):
        if not machine.has_systemd:
            faults.append(f"{unit} starts it, but systemd does not run here")
        elif not any(unit.parent.glob(f"*.wants/{unit.name}")):
            faults.append(f"{unit} is not enabled:  systemctl enable --now {unit.name}")
        else:
            return "systemd", ()
    for table in _tables(launcher, machine):
        if machine.has_cron:
            return "cron", ()
        faults.append(f"{table} starts it, but no cron runs here")
    return "", tuple(faults)


def _units(launcher: str, machine: Machine) -> Iterator[Path]:
    for folder in (*(machine.root / name for name in _UNITS), machine.own_units):
        yield from (path for path in sorted(folder.glob("*.service")) if _mentions(path, launcher))


def _tables(launcher: str, machine: Machine) -> Iterator[str]:
    files = (*sorted((machine.root / "etc/cron.d").glob("*")), machine.root / "etc/crontab")
    yield from (str(path) for path in files if _mentions(path, launcher))
    if _names(machine.crontab, launcher):
        yield "your crontab"


def _mentions(path: Path, launcher: str) -> bool:
    try:
        return path.is_file() and _names(path.read_text(encoding="utf-8", errors="replace"), launcher)
    except OSError:
        return False


def _names(text: str, launcher: str) -> bool:
    return any(launcher in line for line in text.split("\n") if not line.lstrip().startswith("#"))


def _programs() -> frozenset[str] | None:
    if look_at(1) is None:
        return None
    return frozenset(Path(one.argv[0]).name for one in list_living() if one.argv)


def _crontab() -> str:
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    try:
        done = subprocess.run(
            ["crontab", "-l"], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
