"""A real OpenSSH server on a loopback port, with a folder of its own; root and other users alike may start it."""

import hashlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from gitops_hooks.edge import living
from gitops_hooks.edge.keys import fingerprint, make_key
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass

_ADDRESS = "127.0.0.1"
_START_SECONDS = 10.0
_TRIES = 5
_MARK = "GITOPS_HOOKS_SSHD"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# UsePAM no: an unprivileged server cannot ask PAM. SetEnv marks every session, so that stop() finds what a
# session left behind after its connection was gone; SHLVL keeps bash from the ~/.bashrc of whoever runs this, which
# it reads for a bare command too, and which may wait, print into git's protocol, or cost more than the push.
# Penalties (9.8 and later) would lock out a loopback user. Nobody records what goes over loopback to decrypt it in
# twenty years, and that one key exchange costs each login 70 ms of a core where OpenSSH prefers it (9.0 to 9.8).
_CONFIG = """\
ListenAddress {address}:{port}
HostKey "{folder}/host_key"
PidFile "{folder}/sshd.pid"
AuthorizedKeysFile "{authorized_keys}"
AuthenticationMethods publickey
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
UseDNS no
PrintMotd no
PrintLastLog no
X11Forwarding no
AllowAgentForwarding no
AllowTcpForwarding no
LoginGraceTime 30
MaxStartups 200:30:400
MaxSessions 200
LogLevel VERBOSE
AcceptEnv GIT_PROTOCOL
SetEnv {mark}={name} SHLVL=1{environment}
Subsystem sftp internal-sftp
{more}
KexAlgorithms -sntrup*
"""


@dataclass(slots=True)
class Sshd:
    """One running server, an open resource: `stop()` ends it and every session that it started.

    Where it was started by an ordinary user, only that user can log in.
    """

    folder: Path
    port: int
    address: str = _ADDRESS
    _kept: socket.socket | None = None

    @property
    def public_key(self) -> str:
        return (self.folder / "host_key.pub").read_text().strip()

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.public_key)

    @property
    def log(self) -> Path:
        return self.folder / "sshd.log"

    def known_hosts_line(self, name: str = "") -> str:
        """The line that pins this server's key, for its own address and port or for `name` as written."""
        kind, blob = self.public_key.split()[:2]
        return f"{name or f'[{self.address}]:{self.port}'} {kind} {blob}"

    def stop(self) -> None:
        """End the server and its sessions' programs. Errors: EdgeError where one of them survives."""
        self._let_go()
        stop_sshd(self.folder)

    def pause(self) -> None:
        """As `stop()`, and nobody else gets its port before `start_again()`; who connects to it is refused."""
        self.stop()
        self._kept = _keep_port(self.port)

    def start_again(self) -> None:
        """Start it once more on the same port after `stop()` or `pause()`. Errors: EdgeError."""
        try:
            _launch(self.folder, self.port)
        except _PortTaken:
            raise EdgeError("sshd", _taken(self.port)) from None
        finally:
            self._let_go()

    def _let_go(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def rotate_host_key(self) -> None:
        """Give the server a new host key on the same port; open sessions end."""
        self.pause()
        for name in ("host_key", "host_key.pub"):
            (self.folder / name).unlink()
        make_key(self.folder / "host_key", "host")
        self.start_again()


def start_sshd(
    folder: Path,
    authorized_keys: Path,
    port: int = 0,
    settings: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Sshd:
    """Start a server whose folder (made 0700) holds its host key, configuration and log.

    Port 0 picks a free one; `settings` are further lines of sshd_config; `environment` is what sessions are given
    (HOME too, so that several hosts on one machine keep apart). An existing host key is kept.
    Errors: EdgeError where sshd is missing or does not answer within ten seconds.
    """
    folder = folder.absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / "host_key").exists():
        make_key(folder / "host_key", "host")
    more = (*settings, *_penalties())
    names = "".join(f' {name}="{value}"' for name, value in (environment or {}).items())
    for _ in range(_TRIES if port == 0 else 1):
        chosen = port or _free_port()
        (folder / "sshd_config").write_text(_configuration(folder, authorized_keys.absolute(), chosen, more, names))
        try:
            _launch(folder, chosen)
        except _PortTaken:
            continue
        return Sshd(folder, chosen)
    raise EdgeError("sshd", _taken(port))


def stop_sshd(folder: Path) -> None:
    """End the server of this folder and its sessions' programs; nothing happens where none runs.

    Errors: EdgeError where one of them survives.
    """
    folder = folder.absolute()
    wanted = _of_folder(folder)
    # A session may start a program between looking and ending, so look until nothing is left.
    for _ in range(_TRIES):
        if not wanted:
            return
        living.end(wanted, gentle_seconds=0)
        wanted = _of_folder(folder)
    if wanted:
        numbers = " ".join(str(one.pid) for one in wanted)
        raise EdgeError("sshd", f"these still run: {numbers}; end them with: kill -9 {numbers}")


class _PortTaken(Exception):
    """Somebody else took the port between choosing and listening."""


def _taken(port: int) -> str:
    return f"{_ADDRESS}:{port or 'any port'} is taken; stop what listens there and try again"


def _keep_port(port: int) -> socket.socket | None:
    """Bound, so that no connection is given this number, and not listening: sshd may still bind beside it.

    None where somebody was faster.
    """
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        kept.bind((_ADDRESS, port))
    except OSError:
        kept.close()
        return None
    return kept


def _of_folder(folder: Path) -> tuple[living.Living, ...]:
    mark = f"{_MARK}={_mark(folder)}".encode()
    marked = [one for one in living.list_living() if mark in _environment(one.pid) or _listens_for(one, folder)]
    below = [child for one in marked for child in living.descendants(one.pid)]
    return tuple({one.pid: one for one in (*marked, *below)}.values())


def _listens_for(one: living.Living, folder: Path) -> bool:
    # sshd rewrites its title to one word: "sshd: /usr/sbin/sshd -D … -f <folder>/sshd_config [listener] …".
    return any("sshd" in word for word in one.argv[:1]) and str(folder / "sshd_config") in " ".join(one.argv).split()


def _environment(pid: int) -> tuple[bytes, ...]:
    try:
        return tuple(Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
    except OSError:
        return ()


def _mark(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]


def _configuration(folder: Path, authorized_keys: Path, port: int, more: Sequence[str], environment: str) -> str:
    for path in (folder, authorized_keys):
        if any(character in str(path) for character in '"%\n'):
            raise EdgeError(str(path), "sshd cannot take a path with a quote, a percent sign or a line break")
    return _CONFIG.format(
        address=_ADDRESS,
        port=port,
        folder=folder,
        authorized_keys=authorized_keys,
        mark=_MARK,
        name=_mark(folder),
        environment=environment,
        more="\n".join(more),
    )


def _launch(folder: Path, port: int) -> None:
    program = shutil.which("sshd", path=_PATH)
    if program is None:
        raise EdgeError("sshd", "not installed; run: apt-get install openssh-server")
    (folder / "sshd.pid").unlink(missing_ok=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with (folder / "sshd.log").open("ab") as log:
        started = subprocess.Popen(
            [program, "-D", "-e", "-f", str(folder / "sshd_config")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={"PATH": _PATH},
            cwd="/",
            start_new_session=True,
        )
    _await_answer(folder, port, started)


def _await_answer(folder: Path, port: int, started: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if started.poll() is not None:
            words = (folder / "sshd.log").read_text(errors="replace").strip().splitlines()[-3:]
            if any("in use" in word for word in words):
                raise _PortTaken
            raise EdgeError("sshd", f"ended at once: {' / '.join(words)}")
        # Its pid file says that it listens; an answer alone may be another server's on a taken port.
        if (folder / "sshd.pid").exists() and _answers(port):
            return
        time.sleep(0.01)
    stop_sshd(folder)
    raise EdgeError("sshd", f"no answer on {_ADDRESS}:{port} within {_START_SECONDS:.0f} s; see {folder}/sshd.log")


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((_ADDRESS, port), timeout=1) as connection:
            connection.settimeout(2)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as chooser:
        chooser.bind((_ADDRESS, 0))
        return int(chooser.getsockname()[1])


def _penalties() -> tuple[str, ...]:
    words = subprocess.run(["ssh", "-V"], stdin=subprocess.DEVNULL, capture_output=True, timeout=10)
    found = re.search(rb"OpenSSH_(\d+)\.(\d+)", words.stderr + words.stdout)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    return ("PerSourcePenalties no",) if version >= (9, 8) else ()
