"""The machine that we stand on, as a host that is logged in to: keys and a configuration for `sshd -i`.

Nothing of it listens anywhere: who may log in is whoever reads the login key, which lies in the same 0700 folder.
"""

import getpass
import os
from pathlib import Path

from gitops_hooks.edge.keys import make_key, public_half
from gitops_hooks.edge.store import make_folder, replace_file
from gitops_hooks.model.credentials import OWN_HOST
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass

SYSTEM_KEY = Path("/etc/ssh/ssh_host_ed25519_key")
_SHADOW = Path("/etc/shadow")

# SHLVL keeps bash from the ~/.bashrc of whoever logs in (edge/sshd.py). An own user finds the home that we were started
# with. The host key is the machine's own where we may read it, since leases lie below its name: so a server that logs
# in to the same machine meets them. Between two programs of one machine nobody listens (KexAlgorithms, edge/sshd.py).
_CONFIG = """\
HostKey "{host_key}"
PidFile none
AuthorizedKeysFile "{folder}/authorized_keys"
AuthenticationMethods publickey
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitUserEnvironment no
StrictModes no
UsePAM {pam}
UseDNS no
PrintMotd no
PrintLastLog no
DisableForwarding yes
LoginGraceTime 30
MaxSessions 200
LogLevel ERROR
KexAlgorithms -sntrup*
SetEnv SHLVL=1
Subsystem sftp internal-sftp
Match User {user}
    SetEnv SHLVL=1 HOME="{home}"
"""


@dataclass(frozen=True, slots=True)
class OwnHost:
    """Where the door's configuration, the login key and the pinned host key lie."""

    config: Path
    key: Path
    known_hosts: Path


def lay_own_host(folder: Path, host_key: Path | None, home: Path) -> OwnHost:
    """Lay everything down anew, but for keys that are there. Errors: EdgeError, OSError."""
    make_folder(folder)
    if any(character in str(path) for path in (folder, home, host_key or "") for character in '"%\n'):
        raise EdgeError(str(folder), "sshd cannot take a path with a quote, a percent sign or a line break")
    login, own = folder / "login_key", host_key or folder / "host_key"
    for path in (login, *(() if host_key else (own,))):
        if not path.exists():
            make_key(path, "gitops-hooks agent")
    replace_file(folder / "authorized_keys", _public(login).encode() + b"\n")
    replace_file(folder / "known_hosts", f"{OWN_HOST} {_public(own)}\n".encode())
    values = {"host_key": own, "folder": folder, "pam": _pam(), "user": getpass.getuser(), "home": home}
    replace_file(folder / "sshd_config", _CONFIG.format(**values).encode())
    (folder / "sshd.log").unlink(missing_ok=True)
    return OwnHost(folder / "sshd_config", login, folder / "known_hosts")


def _public(path: Path) -> str:
    """`type base64` of a private key's public half, which lies beside it."""
    try:
        words = public_half(path).read_text().split()
    except OSError as error:
        raise EdgeError(f"{path}.pub", f"cannot be read: {error.strerror}") from None
    return " ".join(words[:2])


def _pam() -> str:
    """Without PAM, sshd lets nobody into an account whose password is locked, as root's often is."""
    try:
        lines = _SHADOW.read_text().splitlines() if os.geteuid() == 0 else []
    except OSError:
        lines = []
    locked = any(line.startswith("root:!") for line in lines)
    return "yes" if locked and Path("/etc/pam.d/sshd").exists() else "no"
