"""What a host answers to a question about its health; a real socket answers each."""

import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitops_hooks.plugin import Credentials, HealthCheck, HealthKind, Workplace
from gitops_hooks.plugins.ansible.asking import ask
from gitops_hooks.plugins.ansible.preflight import Ready
from gitops_hooks.plugins.ansible.target import Target

WORKPLACE = Workplace(Path("/nowhere"), Path("/nowhere"), Credentials())


@contextmanager
def answering(*parts: bytes):
    """A port on which whoever connects gets these bytes, a tenth of a second apart, and what was asked there."""
    listening = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def answer():
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            heard.append(connection.recv(4096))
            for part in parts:
                try:
                    connection.sendall(part)
                except OSError:
                    return
                time.sleep(0.1)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield listening.getsockname()[1], heard
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)


def asked(kind: HealthKind, what: str, status: int = 200, seconds: float = 5.0) -> str:
    ready = Ready(Target("web1", "127.0.0.1", 22, "nobody"), None, None)
    fault, said = ask(HealthCheck(kind, what, status), ready, WORKPLACE, seconds)
    assert said == ""
    return fault


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", ""),
        (b"HTTP/1.0 200\r\n\r\n", ""),
        (b"HTTP/1.1 503 Down\r\n\r\n", "answered with status 503, not 200"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", "answered with status 302, not 200"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "it answers with something that is no HTTP"),
        (b"SSH-2.0-OpenSSH\r\n", "it answers with something that is no HTTP"),
        (b"", "it answers with something that is no HTTP"),
    ],
)
def test_a_page_is_judged_by_its_status_and_no_redirect_is_followed(answer, fault):
    with answering(answer) as (port, heard):
        assert asked(HealthKind.HTTP, f"http://{{host}}:{port}/healthz?deep") == fault
    assert heard[0].startswith(b"GET /healthz?deep HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % port)


def test_the_status_is_the_one_that_is_asked_for():
    with answering(b"HTTP/1.1 404 Gone\r\n\r\n") as (port, _):
        assert asked(HealthKind.HTTP, f"http://{{host}}:{port}", status=404) == ""


def test_an_answer_that_drips_is_late():
    began = time.monotonic()
    with answering(*[b"H"] * 40) as (port, _):
        assert asked(HealthKind.HTTP, f"http://{{host}}:{port}", seconds=0.5) == "no answer in time"
        assert time.monotonic() - began < 3


def test_an_open_port_is_well_and_a_closed_one_is_not():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
        assert asked(HealthKind.TCP, port) == ""
    assert asked(HealthKind.TCP, port) == "Connection refused"


def test_a_page_without_a_trusted_certificate_is_not_well():
    with answering(b"HTTP/1.1 200 OK\r\n\r\n") as (port, _):
        assert "SSL" in asked(HealthKind.HTTP, f"https://{{host}}:{port}")
