"""One question to one host, bounded in time: the fault that was found, or an empty string where it is well.

Everything goes to the address that the deployment itself uses: no redirect is followed and no proxy is asked.
"""

import re
import shlex
import socket
import ssl
import time

import paramiko

from gitops_hooks.plugin import HealthCheck, HealthKind, Workplace
from gitops_hooks.plugins.ansible.preflight import ClosedError, Ready, at_most, open_client
from gitops_hooks.plugins.ansible.way_out import go_out

_URL = re.compile(r"(https?)://\{host\}(?::(\d+))?(/.*)?")
_LINE_LIMIT = 4096
_OUTPUT_LIMIT = 2048
_SLACK_SECONDS = 1.0
_TOO_LATE = "no answer in time"


def ask(check: HealthCheck, ready: Ready, workplace: Workplace, seconds: float) -> tuple[str, str]:
    """What is wrong in our words, and what the host said of it, which may not be shown as it is."""
    try:
        if check.kind is HealthKind.COMMAND:
            return _ask_command(check.what, ready, workplace, seconds)
        if check.kind is HealthKind.HTTP:
            return _ask_http(check, ready.target.address, workplace, time.monotonic() + seconds), ""
        _connect(workplace, ready.target.address, int(check.what), seconds).close()
    except TimeoutError:
        return _TOO_LATE, ""
    except ssl.SSLCertVerificationError as error:
        return f"its certificate is not trusted: {error.verify_message}", ""
    except (OSError, EOFError, paramiko.SSHException) as error:
        return _words(error), ""
    except ClosedError as error:
        return str(error), ""
    return "", ""


def _connect(workplace: Workplace, address: str, port: int, seconds: float) -> socket.socket:
    """By the door where the box has no network."""
    if workplace.door:
        return go_out(str(workplace.door), address, port, seconds)
    return socket.create_connection((address, port), seconds)


def _words(error: Exception) -> str:
    strerror = error.strerror if isinstance(error, OSError) else None
    return " ".join((strerror or str(error) or type(error).__name__).split())[:200]


def _ask_http(check: HealthCheck, address: str, workplace: Workplace, deadline: float) -> str:
    found = _URL.fullmatch(check.what)
    if found is None:
        return "is no address that may be asked"
    secure, path = found[1] == "https", found[3] or "/"
    port = int(found[2] or (443 if secure else 80))
    with _connect(workplace, address, port, _left(deadline)) as plain:
        plain.settimeout(_left(deadline))
        if not secure:
            line = _status_line(plain, _request(path, address, port), deadline)
        else:
            with ssl.create_default_context().wrap_socket(plain, server_hostname=address) as wrapped:
                line = _status_line(wrapped, _request(path, address, port), deadline)
    answer = re.match(rb"HTTP/1\.[01] (\d{3})(?!\d)", line)
    if answer is None:
        return "it answers with something that is no HTTP"
    return "" if int(answer[1]) == check.status else f"answered with status {int(answer[1])}, not {check.status}"


def _request(path: str, address: str, port: int) -> bytes:
    name = f"[{address}]" if ":" in address else address
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {name}:{port}",
        "User-Agent: gitops-hooks",
        "Accept: */*",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii", "replace")


def _status_line(connection: socket.socket, request: bytes, deadline: float) -> bytes:
    """The first line, whatever follows it; one that drips is late like one that does not come."""
    connection.sendall(request)
    said = b""
    while b"\n" not in said and len(said) < _LINE_LIMIT:
        connection.settimeout(_left(deadline))
        part = connection.recv(_LINE_LIMIT)
        if not part:
            break
        said += part
    return said


def _left(deadline: float) -> float:
    if (left := deadline - time.monotonic()) <= 0:
        raise TimeoutError
    return left


def _ask_command(command: str, ready: Ready, workplace: Workplace, seconds: float) -> tuple[str, str]:
    # Its time is the command's: a login is as patient as every login.
    client = open_client(ready.target, workplace, workplace.connect_timeout)
    deadline = time.monotonic() + seconds
    try:
        with at_most(seconds + 2 * _SLACK_SECONDS, client):
            code, said = _run(client, f"{ready.taken.prefix} {shlex.quote(_bounded(command, seconds))}", deadline)
    finally:
        client.close()
    if code == 0:
        return "", ""
    return (_TOO_LATE if code == _TIMED_OUT else f"exit {code}"), said


def _run(client: paramiko.SSHClient, command: str, deadline: float) -> tuple[int, str]:
    """Its exit code, and what it said. Errors: OSError, EOFError, SSHException."""
    transport = client.get_transport()
    if transport is None:
        raise OSError("the connection is gone")
    channel = transport.open_session(timeout=_left(deadline))
    channel.set_combine_stderr(True)
    channel.exec_command(command)
    said = _output(channel, deadline + _SLACK_SECONDS)
    return channel.recv_exit_status(), said


_TIMED_OUT = 124


def _bounded(command: str, seconds: float) -> str:
    """It is ended on the host itself where that can: what is left working there would keep the next run out."""
    shell = f"sh -c {shlex.quote(command)}"
    limit = f"timeout {max(1, round(seconds))}"
    return f"command -v timeout >/dev/null 2>&1 && exec {limit} {shell}; exec {shell}"


def _output(channel: paramiko.Channel, deadline: float) -> str:
    """Its first bytes, read to its end. Errors: TimeoutError."""
    said = b""
    while True:
        channel.settimeout(_left(deadline))
        part = channel.recv(4096)
        if not part:
            break
        said = (said + part)[:_OUTPUT_LIMIT]
    while not channel.exit_status_ready():
        _left(deadline)
        time.sleep(0.02)
    return said.decode("utf-8", "replace")
