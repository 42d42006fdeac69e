"""What doctor looks at around the gate: keys past it, what sshd lets through, who could write what it stands on."""

import fnmatch
import os
import pwd
import stat
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from gitops_hooks.edge.authorized_keys import BEGIN, END
from gitops_hooks.edge.diagnosis import Line, State, verdict
from gitops_hooks.edge.gpgv import INSTALL, find_gpgv
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.keys import fingerprint, public_half
from gitops_hooks.edge.launchers import package_folder, reconcile_launcher
from gitops_hooks.edge.living import list_living
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.people import People
from gitops_hooks.model.server import ServerFile

# Read by the dynamic linker or by a shell before our program has its first word.
_DANGEROUS = ("LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "BASH_ENV", "ENV", "SHELLOPTS", "PATH", "IFS")
_FOREIGN_WAYS = ("authorizedkeyscommand", "trustedusercakeys")
_MOST_FILES = 20_000
_WRITE_CURE = "chmod go-w, and chown to root or the server's user"


def foreign_key_lines(home: Home, server: ServerFile) -> Iterable[Line]:
    """Keys that open a session without our forced command."""
    ours = server.authorized_keys or home.authorized_keys
    own_folder = Path(pwd.getpwuid(os.geteuid()).pw_dir) / ".ssh"
    beside = [path for path in (own_folder / "authorized_keys", own_folder / "authorized_keys2") if path != ours]
    # The file of a server that has a user of its own is ours alone; in a person's own file their keys may stand.
    is_alone = ours.is_relative_to(home.path)
    state = State.FAIL if is_alone else State.NOTE
    found = [f"{path}:{number}" for path in (ours, *beside) for number in _other_keys(path)]
    for place in found:
        yield Line(state, "foreign keys", f"{place} lets a key in without our forced command", "take that line out")
    if not found:
        yield Line(State.OK, "foreign keys", "every key that logs in meets the forced command")


def _other_keys(path: Path) -> Iterator[int]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return
    inside = False
    for number, line in enumerate(lines, 1):
        inside = line == BEGIN or (inside and line != END)
        if line.strip() and not line.lstrip().startswith("#") and not inside:
            yield number


def sshd_lines(folder: Path = Path("/etc/ssh")) -> Iterable[Line]:
    """What sshd would hand to our program or to its shell, and keys that come from elsewhere."""
    faults = []
    for place, key, value in _settings(folder):
        if key == "acceptenv":
            taken = [name for name in _DANGEROUS if any(fnmatch.fnmatchcase(name, word) for word in value.split())]
            faults += [f"{place}: AcceptEnv lets a client set {', '.join(taken)}"] if taken else []
        elif key == "permituserenvironment" and value.lower() != "no":
            faults.append(f"{place}: PermitUserEnvironment lets a file set what our program starts with")
        elif key in _FOREIGN_WAYS and value.lower() != "none" and not _closed(folder, key):
            faults.append(f"{place}: {key} lets keys in without our forced command")
    cure = "take it out of sshd_config, or close it for this user: Match User NAME"
    return verdict("sshd settings", faults, "let nothing reach the forced command but GIT_PROTOCOL", cure)


def _settings(folder: Path) -> Iterator[tuple[str, str, str]]:
    for path in (folder / "sshd_config", *sorted((folder / "sshd_config.d").glob("*.conf"))):
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            continue
        for number, line in enumerate(lines, 1):
            key, _, value = line.strip().replace("=", " ", 1).partition(" ")
            yield f"{path}:{number}", key.lower(), value.strip().strip('"')


def _closed(folder: Path, key: str) -> bool:
    """Whether our own part of the configuration, which wins for our user, says none."""
    own = folder / "sshd_config.d" / "gitops-hooks.conf"
    return any(
        place.startswith(f"{own}:") and (name, value) == (key, "none") for place, name, value in _settings(folder)
    )


def writable_lines(home: Home, server: ServerFile) -> Iterable[Line]:
    """Files that decide and that somebody else could write; and folders above them."""
    roots = (package_folder() / "gitops_hooks", home.hooks, home.path / "bin")
    faults = [f"{path} {fault}" for root in roots for path in _below(root) if (fault := _writable(path))]
    above = {parent for root in (home.path, package_folder()) for parent in (root, *root.parents)}
    faults += [f"{path} {fault}" for path in sorted(above) if (fault := _writable(path, folder_above=True))]
    for entry in server.repositories:
        parts = (entry.path, *(entry.path / name for name in ("HEAD", "packed-refs", "refs", "objects", "config")))
        faults += [f"{path} {fault}" for path in parts if path.exists() and (fault := _writable(path))]
    return verdict(
        "writable files", faults, "nobody else writes what decides", "chmod go-w, and chown to the server's user"
    )


def _below(root: Path) -> Iterator[Path]:
    yield root
    for number, path in enumerate(root.rglob("*")):
        if number > _MOST_FILES:
            return
        yield path


def _writable(path: Path, *, folder_above: bool = False) -> str:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        return ""
    if found.st_uid not in (0, os.geteuid()):
        return f"belongs to user {found.st_uid}"
    # In a folder with the sticky bit nobody renames what is another's.
    if folder_above and found.st_mode & stat.S_ISVTX:
        return ""
    group_counts = not folder_above or found.st_gid not in (0, os.getegid())
    return "is writable by others" if found.st_mode & (0o022 if group_counts else 0o002) else ""


def key_pair_lines(home: Home) -> Iterable[Line]:
    """The public half is what verifiers are given: it must be the one of the key that signs."""
    from gitops_hooks.edge.signer import public_of

    shown = public_half(home.signing_key)
    faults = []
    try:
        signs = fingerprint(public_of(home.signing_key).text)
        if not shown.exists() or fingerprint(shown.read_text()) != signs:
            faults.append(f"{shown} is not the public half of server_key ({signs})")
    except EdgeError as error:
        faults.append(str(error))
    cure = f"ssh-keygen -y -f {home.signing_key} >{shown}; if server_key itself was replaced, put it back"
    return verdict("server key", faults, "its public half is the one that is shown", cure)


def openpgp_lines(people: People) -> Iterable[Line]:
    """Whoever has an OpenPGP key can sign with it only where gpgv is."""
    holders = [person.name for person in people.everybody if person.openpgp]
    if not holders:
        return ()
    try:
        words = f"{find_gpgv()} checks the OpenPGP signatures of {', '.join(holders)}"
    except EdgeError as error:
        return (Line(State.FAIL, "gpgv", f"{', '.join(holders)} cannot sign: {error}", INSTALL),)
    return (Line(State.OK, "gpgv", words), *_ended_keys(people))


def _ended_keys(people: People) -> Iterator[Line]:
    from gitops_hooks.edge.openpgp_key import read_openpgp

    now = datetime.now(UTC).timestamp()
    for person in people.everybody:
        for key in person.openpgp:
            if all(0 < end <= now for _, end in read_openpgp(key.text).signing):
                words = f"the OpenPGP key {key.fingerprint} of {person.name} has expired and signs no more"
                yield Line(
                    State.NOTE, "gpgv", words, f"once it is renewed: gitops-hooks user key add {person.name} FILE"
                )


def release_lines(home: Home) -> Iterable[Line]:
    """Older releases, and programs that still run from one."""
    here = Path(sys.prefix).parent
    if here.parent.name == "releases":
        for folder in sorted(here.parent.iterdir()):
            if folder.is_dir() and folder != here:
                cure = "the next ./install.sh server removes it where nothing runs from it"
                yield Line(State.NOTE, "releases", f"{folder.name} is kept beside this one", cure)
    launcher = str(reconcile_launcher(home))
    for one in list_living():
        if launcher in one.argv and "--ensure" not in one.argv and not _same_interpreter(one.argv[0]):
            words = "the one that runs runs from another release"
            yield Line(
                State.FAIL, "reconciler", words, "gitops-hooks reconcile --stop; what keeps it alive starts it again"
            )


def _same_interpreter(program: str) -> bool:
    return Path(program).parent == Path(sys.executable).parent
