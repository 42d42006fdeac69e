"""What known_hosts pins for one host: only its own lines are made keys of, however many hosts the file names.

Paramiko's own reading compares each line with all before it, for each host anew, and a line that it does not
understand (`@cert-authority`, `@revoked`, a broken one) ends it for all hosts.
"""

from collections.abc import Iterator
from pathlib import Path

from paramiko import HostKeys, PKey, SSHException
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

_HASHED = "|1|"


def pinned_keys(path: Path, name: str) -> Iterator[PKey]:
    """The keys under this name, as OpenSSH would look for it; of each type the first. Errors: OSError."""
    types: set[str] = set()
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            names = line.split(maxsplit=1)[:1]
            if names and _is_named(name, names[0]) and (key := _key(line.strip(), number)):
                if key.get_name() not in types:
                    yield key
                types.add(key.get_name())


def _is_named(name: str, names: str) -> bool:
    return any(_is_hash_of(name, one) if one.startswith(_HASHED) else one == name for one in names.split(","))


def _is_hash_of(name: str, hashed: str) -> bool:
    try:
        return HostKeys.hash_host(name, hashed) == hashed
    except (ValueError, AssertionError, IndexError):
        return False


def _key(line: str, number: int) -> PKey | None:
    """None for a line that is no pin, which pins nothing."""
    try:
        entry = HostKeyEntry.from_line(line, number)
    except (SSHException, InvalidHostKey, ValueError):
        return None
    return entry.key if entry else None
