"""Before the first task: every host answers, shows the pinned key, lets us in, and belongs to this run."""

import contextlib
import dataclasses
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko

from gitops_hooks.plugin import OWN_HOST, Deployment, EdgeError, HostOutcome, HostState, Workplace
from gitops_hooks.plugins.ansible.fence import LINE_SECONDS, TAKE_SECONDS, Taken, take
from gitops_hooks.plugins.ansible.pinned_keys import pinned_keys
from gitops_hooks.plugins.ansible.target import Target
from gitops_hooks.plugins.ansible.way_out import go_out

_AT_ONCE = 16
# Paramiko looks ten times a second whether a silent connection was closed: half a core for a thousand hosts.
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Ready:
    """A host that passed, with its open connection; `close` gives the host back."""

    target: Target
    client: paramiko.SSHClient
    taken: Taken

    def close(self) -> None:
        # Else its thread would wait on a descriptor that may be somebody else's by then.
        with contextlib.suppress(OSError):
            self.taken.channel.get_transport().sock.shutdown(socket.SHUT_RDWR)
        self.client.close()


class _KeyRefused(Exception):
    """The host showed a key that known_hosts does not pin under its name; `known` says whether it pins another."""

    def __init__(self, key: paramiko.PKey, known: bool) -> None:
        super().__init__(key)
        self.key = key
        self.known = known


class ClosedError(Exception):
    """A host does not let us in; the reason in words."""


class _Understood(paramiko.Transport):
    """What its thread met with, paramiko raises in ours, of whatever kind: here it is always one of SSH's.

    Else a host that speaks nonsense would end the run of all others. And one that begins to change its keys and never
    ends would keep whoever tells it something for half a minute.
    """

    def __init__(self, sock: Any, /, **words: Any) -> None:  # noqa: ANN401  # paramiko's own, by release
        super().__init__(sock, **words)
        self.clear_to_send_timeout = LINE_SECONDS

    def get_exception(self) -> Exception | None:
        error = super().get_exception()
        if error is None or isinstance(error, OSError | EOFError | paramiko.SSHException):
            return error
        return paramiko.SSHException(f"its SSH cannot be understood: {type(error).__name__}")


def _make_transport(sock: Any, /, **words: Any) -> paramiko.Transport:  # noqa: ANN401  # paramiko's own, by release
    return _Understood(sock, **words)


@contextlib.contextmanager
def at_most(seconds: float, client: paramiko.SSHClient) -> Iterator[None]:
    """For some answers paramiko waits without end: the connection is closed then, and with it what waits.

    Errors: TimeoutError.
    """
    late = threading.Event()

    def give_up() -> None:
        late.set()
        client.close()

    timer = threading.Timer(seconds, give_up)
    timer.start()
    try:
        yield
    except (OSError, EOFError, paramiko.SSHException):
        if not late.is_set():
            raise
    finally:
        timer.cancel()
    if late.is_set():  # also where the answer came in that very moment: its connection is closed
        raise TimeoutError


class _Strict(paramiko.MissingHostKeyPolicy):
    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        raise _KeyRefused(key, bool(client.get_host_keys().lookup(hostname)))


def check_hosts(
    targets: Sequence[Target], deployment: Deployment, workplace: Workplace
) -> tuple[tuple[Ready, ...], tuple[HostOutcome, ...]]:
    """All hosts at once, bounded: those that are ready, and for each other one the reason with its cure.

    Errors: EdgeError where key or known_hosts cannot be used at all.
    """
    key = _load_key(workplace.credentials.ssh()[0])
    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(targets))) as pool:
        answers = list(pool.map(lambda target: _check(target, key, deployment, workplace), targets))
    ready = tuple(answer for answer in answers if isinstance(answer, Ready))
    return ready, tuple(answer for answer in answers if isinstance(answer, HostOutcome))


def _load_key(path: Path) -> paramiko.PKey:
    try:
        return paramiko.PKey.from_path(path)
    except paramiko.PasswordRequiredException:
        raise EdgeError("key", "the key of this environment has a passphrase; give it one without") from None
    except (OSError, ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType):
        raise EdgeError("key", "the key of this environment is no private SSH key that can be read") from None


def _check(target: Target, key: paramiko.PKey, deployment: Deployment, workplace: Workplace) -> Ready | HostOutcome:
    if not workplace.own and not _can_be_looked_up(target.address):
        return _unreachable(target, "cannot be looked up, since no name is written so; correct its ansible_host")
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(_Strict())
    try:
        _connect(client, target, key, workplace, workplace.connect_timeout)
        transport = client.get_transport()
        host_key = transport.get_remote_server_key().asbytes() if transport else b""
        with at_most(workplace.connect_timeout + TAKE_SECONDS, client):
            taken = take(client, target.name, host_key, target.python, deployment, workplace.connect_timeout)
    except paramiko.BadHostKeyException as error:
        taken = _key_refused(target, error.key, known=True)
    except _KeyRefused as error:
        taken = _key_refused(target, error.key, error.known)
    except paramiko.AuthenticationException:
        taken = _unreachable(target, f"refuses the login of {target.user}; authorise this environment's key there")
    except (OSError, EOFError, paramiko.SSHException) as error:
        taken = _unreachable(target, f"does not answer ({_reason(error)}); start it, or take it out of the inventory")
    if isinstance(taken, Taken):
        with contextlib.suppress(OSError):  # it has just gone, and the run will say so
            taken.channel.get_transport().sock.settimeout(_LOOK_SECONDS)
        return Ready(target, client, taken)
    client.close()
    return taken


def _can_be_looked_up(address: str) -> bool:
    try:
        address.encode("idna")
    except UnicodeError:
        return False
    return True


def open_client(target: Target, workplace: Workplace, seconds: float) -> paramiko.SSHClient:
    """A connection of its own to a host that was ready once. Errors: ClosedError with the reason in words."""
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(_Strict())
    try:
        _connect(client, target, _load_key(workplace.credentials.ssh()[0]), workplace, seconds)
    except (_KeyRefused, paramiko.BadHostKeyException):
        client.close()
        raise ClosedError("its host key is not the pinned one any more") from None
    except (OSError, EOFError, paramiko.SSHException) as error:
        client.close()
        raise ClosedError(_reason(error)) from None
    return client


def _connect(
    client: paramiko.SSHClient, target: Target, key: paramiko.PKey, workplace: Workplace, seconds: float
) -> None:
    place = dataclasses.replace(target, address=OWN_HOST, port=22) if workplace.own else target
    for pinned in pinned_keys(workplace.credentials.ssh()[1], place.known_as):
        client.get_host_keys().add(place.known_as, pinned.get_name(), pinned)
    way = go_out(str(workplace.door), place.address, place.port, seconds) if workplace.door else None
    client.connect(
        place.address,
        place.port,
        target.user,
        pkey=key,
        timeout=seconds,
        banner_timeout=seconds,
        auth_timeout=seconds,
        channel_timeout=seconds,
        sock=way,
        allow_agent=False,
        look_for_keys=False,
        transport_factory=_make_transport,
    )


def _key_refused(target: Target, key: paramiko.PKey, known: bool) -> HostOutcome:
    seen = f"{key.get_name()} {key.fingerprint}"
    if known:
        detail = (
            f"{target.place} shows host key {seen}, which is not the pinned one; nothing was run there. If the host "
            f"was rebuilt on purpose, pin the new key for {target.known_as} in this environment's known_hosts"
        )
    else:
        detail = (
            f"{target.place} shows host key {seen}, and none is pinned; nothing was run there. Compare it on the host "
            f"itself, then pin it for {target.known_as} in this environment's known_hosts"
        )
    return HostOutcome(target.name, HostState.FAILED, detail=detail, untouched=True)


def _unreachable(target: Target, words: str) -> HostOutcome:
    return HostOutcome(target.name, HostState.UNREACHABLE, detail=f"{target.place} {words}", untouched=True)


def _reason(error: Exception) -> str:
    # What paramiko says where the host's side of SSH does not begin in time.
    if isinstance(error, TimeoutError) or str(error) == "No existing session":
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    if isinstance(error, paramiko.ssh_exception.NoValidConnectionsError):
        return "; ".join(
            sorted({one.strerror or "refused" for one in error.errors.values() if isinstance(one, OSError)})
        )
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:200] or type(error).__name__
