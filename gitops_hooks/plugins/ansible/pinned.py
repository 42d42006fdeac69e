"""What every Ansible program of a run is given: its whole environment, its configuration, and files of 0600.

Inventory variables beat the environment, and extra vars beat inventory variables: so what decides whom we connect
to, as whom, and whose key is trusted is pinned as extra vars.
"""

import json
import secrets
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gitops_hooks.plugin import OWN_HOST, Credentials, EdgeError, Environment, Workplace
from gitops_hooks.plugins.ansible import way_out
from gitops_hooks.plugins.ansible.loaded_ahead import PYTHONS
from gitops_hooks.plugins.ansible.mitogen import MITOGEN, mitogen_variables, strategy_settings

FORKS = 10
ASKED_TIMES = 3
# With Mitogen a connection stands once its Python there has what it needs from here.
_START_SECONDS = 60
_SHARED = " -o ControlMaster=auto -o ControlPersist=60s"
_PLUGIN_PATHS = (
    "ACTION_PLUGINS", "BECOME_PLUGINS", "CACHE_PLUGINS", "CALLBACK_PLUGINS", "CLICONF_PLUGINS", "CONNECTION_PLUGINS",
    "DOC_FRAGMENT_PLUGINS", "FILTER_PLUGINS", "HTTPAPI_PLUGINS", "INVENTORY_PLUGINS", "LIBRARY", "LOOKUP_PLUGINS",
    "MODULE_UTILS", "NETCONF_PLUGINS", "STRATEGY_PLUGINS", "TERMINAL_PLUGINS", "TEST_PLUGINS", "VARS_PLUGINS",
)  # fmt: skip

# -F names the only configuration that is read, so nothing of the user's or the system's applies. A host that stalls in
# the middle is given up: the others wait for it at the end of each task.
_SSH_CONFIG = """\
Host *
  BatchMode yes
  CheckHostIP no
  ForwardAgent no
  GlobalKnownHostsFile /dev/null
  IdentitiesOnly yes
  IdentityAgent none
  IdentityFile {key}
  KbdInteractiveAuthentication no
  LogLevel ERROR
  PasswordAuthentication no
  PreferredAuthentications publickey
  ServerAliveCountMax {count}
  ServerAliveInterval {interval}
  StrictHostKeyChecking yes
  UpdateHostKeys no
  UserKnownHostsFile {known_hosts}
  VerifyHostKeyDNS no
"""
# Where the box has no network, its door connects, and hands the descriptor over.
_BY_THE_DOOR = """\
  ProxyCommand {python} -I -S {program} {door} {place} {seconds}
  ProxyUseFdpass yes
"""
_ON_THIS_MACHINE = f"  HostKeyAlias {OWN_HOST}\n"

# What follows the options and the host is the remote command, which goes through the fence as one quoted word; a call
# without one, or with options that nobody knows, would be a way beside it. Quoting is done by the shell itself: another
# program per task would cost more than the fence.
_SSH = """\
#!/bin/sh
while getopts :46AaCfGgKkMNnqsTtVvXxYyB:b:c:D:E:e:F:I:i:J:L:l:m:O:o:P:p:Q:R:S:W:w: option; do
  case $option in O) exec {ssh} "$@" ;; [:?]) exit 255 ;; esac
done
passed=0
command=
for word; do
  shift
  passed=$((passed + 1))
  if [ $passed -le $OPTIND ]; then set -- "$@" "$word"; else command="$command${{command:+ }}$word"; fi
done
[ -n "$command" ] || exit 255
quoted=
while :; do
  case $command in
    *\\'*) quoted=$quoted${{command%%\\'*}}"'\\\\''"; command=${{command#*\\'}} ;;
    *) break ;;
  esac
done
exec {ssh} "$@" {prefix}" '$quoted$command'"{whole}
"""

# It takes the module that is on its way in first: Ansible says its own words, and not these, where its pipe breaks.
# A terminal has nothing on its way and no end, and Mitogen sends nothing before it was greeted.
_NO_SSH = """\
#!/bin/sh
echo {words} >&2
{take}
exit 255
"""
_TAKE = "[ -t 0 ] || cat > /dev/null"


@dataclass(frozen=True, slots=True)
class Pinned:
    """Files of one run, all below its private scratch folder, and the environment that names them."""

    folder: Path
    credentials: Credentials
    environment: Mapping[str, str]
    mitogen: bool

    @property
    def extra_vars(self) -> Path:
        return self.folder / "extra-vars.json"

    @property
    def routes(self) -> Path:
        return self.folder / "routes.yml"

    @property
    def limit(self) -> Path:
        return self.folder / "limit"


@dataclass(frozen=True, slots=True)
class Route:
    """How one host of the inventory is reached; an empty `prefix` means that this run may not touch it.

    `pythons` says where names of Pythons lead there, as far as that was seen.
    """

    name: str
    address: str
    port: int
    user: str
    prefix: str = ""
    pythons: Mapping[str, str] = field(default_factory=dict)


def pin(workplace: Workplace, environment: Environment) -> Pinned:
    """Lay the files down. Errors: EdgeError where what it needs is not installed beside this interpreter."""
    if not (Path(sys.executable).parent / "ansible-playbook").exists():
        raise EdgeError("ansible", "not installed beside this Python; install ansible-core into its environment")
    folder = workplace.scratch / "pinned"
    for path in (folder, folder / "none", folder / "cp", folder / "home", folder / "ssh"):
        path.mkdir(mode=0o700)
    credentials = _own_copies(workplace.credentials, folder)
    key, known_hosts = credentials.ssh()
    known = {"key": _quoted(key), "known_hosts": _quoted(known_hosts)}
    patience = {"count": ASKED_TIMES, "interval": asked_after(workplace.connect_timeout)}
    _lay(folder / "ssh_config", _SSH_CONFIG.format(**known, **patience) + _way_out(workplace))
    _lay(folder / "ansible.cfg", "[defaults]\n")
    values = _environment(folder, credentials, workplace) | strategy_settings(environment.strategy)
    return Pinned(folder, credentials, values, environment.strategy == MITOGEN)


def _way_out(workplace: Workplace) -> str:
    if workplace.door is None:
        return ""
    words = {"python": sys.executable, "program": way_out.__file__, "door": str(workplace.door)}
    quoted = {name: shlex.quote(word) for name, word in words.items()}
    place = f"{OWN_HOST} 22" if workplace.own else "%h %p"
    lines = _BY_THE_DOOR.format(**quoted, place=place, seconds=asked_after(workplace.connect_timeout))
    return lines + (_ON_THIS_MACHINE if workplace.own else "")


def pin_routes(
    pinned: Pinned,
    routes: Iterable[Route],
    reachable: Iterable[str],
    seconds: float,
    more: Mapping[str, object] | None = None,
) -> None:
    """Lay down how each host is reached: an inventory of our own, one ssh program per host, extra vars, the limit.

    A host variable says it, because in a delegated task `inventory_hostname` is the other host's name; its own
    name is made anew for each run, so that no play can set it. Whatever is no host of the inventory has what is said
    for all. `more` are further extra vars.
    """
    mine, routes = f"gitops_hooks_{secrets.token_hex(8)}", tuple(routes)
    told = {route.name: {mine: _route_vars(pinned, route, str(n))} for n, route in enumerate(routes)}
    nowhere = {mine: _route_vars(pinned, Route("", "127.0.0.1", 1, "nobody"), "none")}
    # JSON is YAML, and the plugin for YAML reads it.
    _lay(pinned.routes, json.dumps({"all": {"hosts": told, "vars": nowhere}}))
    _lay(pinned.extra_vars, json.dumps({**_connection_vars(_parts(mine, routes), pinned, seconds), **(more or {})}))
    _lay(pinned.limit, "".join(f"{name}\n" for name in reachable))


def asked_after(connect_seconds: float) -> int:
    """A host that says nothing for so many seconds is asked whether it is there, ASKED_TIMES times."""
    return max(1, round(connect_seconds))


def _route_vars(pinned: Pinned, route: Route, number: str) -> dict[str, object]:
    program = pinned.folder / "ssh" / number
    _lay(program, _ssh_program(route, pinned.mitogen) if route.prefix else _no_ssh(route, pinned.mitogen), mode=0o700)
    _lay(program.with_name(number + PYTHONS), json.dumps(dict(route.pythons)))
    return {"address": route.address, "port": route.port, "user": route.user, "ssh": str(program)}


def _parts(name: str, routes: Sequence[Route]) -> dict[str, object]:
    """How each part of a route is found in the variable of this name.

    Each task of each host makes a template anew, some ten times, in a process of its own: a filter would load all
    filters, and what all hosts have in common is no template. The program, which decides, is never common.
    """
    found: dict[str, object] = {part: f"{{{{ {name}.{part} }}}}" for part in ("address", "port", "user", "ssh")}
    common = {part: {getattr(route, part) for route in routes} for part in ("address", "port", "user")}
    return found | {part: values.pop() for part, values in common.items() if len(values) == 1}


def _connection_vars(mine: Mapping[str, object], pinned: Pinned, seconds: float) -> dict[str, object]:
    # Ansible takes the last name of an option that is set, so every name of every option is set.
    by_name: dict[tuple[str, ...], object] = {
        ("connection",): "ssh",
        ("host", "ssh_host"): mine["address"],
        ("port", "ssh_port"): mine["port"],
        ("user", "ssh_user"): mine["user"],
        ("ssh_executable",): mine["ssh"],
        ("scp_executable", "sftp_executable"): "/bin/false",
        ("ssh_args",): f"-F {_quoted(pinned.folder / 'ssh_config')}{'' if pinned.mitogen else _SHARED}",
        ("ssh_common_args", "ssh_extra_args", "scp_extra_args", "sftp_extra_args", "control_path"): "",
        ("password", "ssh_pass", "ssh_password", "sshpass_prompt", "ssh_pkcs11_provider"): "",
        ("private_key", "ssh_private_key", "private_key_passphrase", "ssh_private_key_passphrase"): "",
        ("private_key_file", "ssh_private_key_file"): str(pinned.credentials.key),
        ("control_path_dir",): str(pinned.folder / "cp"),
        ("host_key_checking", "ssh_host_key_checking", "pipelining", "ssh_pipelining"): True,
        # Through the fence too, which sftp would not go through.
        ("ssh_transfer_method",): "piped",
        ("timeout", "ssh_timeout"): max(_START_SECONDS if pinned.mitogen else 1, round(seconds)),
        ("shell_type",): "sh",
    }
    named = {f"ansible_{option}": value for options, value in by_name.items() for option in options}
    return mitogen_variables(asked_after(seconds), ASKED_TIMES) | named


def _ssh_program(route: Route, whole: bool) -> str:
    ssh, prefix = shlex.quote(shutil.which("ssh") or "/usr/bin/ssh"), shlex.quote(route.prefix)
    return _SSH.format(ssh=ssh, prefix=prefix, whole='" whole"' if whole else "")


def _no_ssh(route: Route, mitogen: bool) -> str:
    reason = (
        f"{route.name} is not ready in this run" if route.name else "nothing runs here but on hosts of the inventory"
    )
    return _NO_SSH.format(words=shlex.quote(f"gitops-hooks: {reason}"), take=":" if mitogen else _TAKE)


def _environment(folder: Path, credentials: Credentials, workplace: Workplace) -> dict[str, str]:
    values = {
        "CONFIG": folder / "ansible.cfg",
        "HOME": folder / "home",
        "LOCAL_TEMP": folder / "home" / "tmp",
        "INVENTORY_ENABLED": "ini,yaml",
        "INVENTORY_UNPARSED_FAILED": "True",
        "INVENTORY_ANY_UNPARSED_IS_FAILED": "True",
        "VARS_ENABLED": "host_group_vars",
        "COLLECTIONS_PATH": "/usr/share/ansible/collections",
        "ROLES_PATH": workplace.project / "roles",
        "HOST_KEY_CHECKING": "True",
        "SSH_ARGS": f"-F {_quoted(folder / 'ssh_config')}",
        "PIPELINING": "True",
        "FORKS": str(FORKS),
        "NOCOLOR": "1",
        "DEPRECATION_WARNINGS": "False",
        "PYTHON_INTERPRETER": "auto_silent",
        "ENABLE_TASK_DEBUGGER": "False",
        **dict.fromkeys(_PLUGIN_PATHS, folder / "none"),
    }
    if credentials.vault_password is not None:
        values["VAULT_PASSWORD_FILE"] = credentials.vault_password
    return {f"ANSIBLE_{name}": str(value) for name, value in values.items()}


def _own_copies(credentials: Credentials, folder: Path) -> Credentials:
    """0600 copies: OpenSSH refuses a key that others may read, and Ansible runs a password file that has an x bit."""
    vault = folder / "vault_password" if credentials.vault_password is not None else None
    key, known_hosts = credentials.ssh()
    own = replace(credentials, key=folder / "key", known_hosts=folder / "known_hosts", vault_password=vault)
    copies = replace(own, environment_file=None, state_folder=None)
    _lay(folder / "key", key.read_bytes())
    _lay(folder / "known_hosts", known_hosts.read_bytes())
    if vault is not None and credentials.vault_password is not None:
        _lay(vault, credentials.vault_password.read_bytes())
    return copies


def _lay(path: Path, content: str | bytes, mode: int = 0o600) -> None:
    path.touch(mode=mode)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _quoted(path: Path) -> str:
    return f'"{path}"'
