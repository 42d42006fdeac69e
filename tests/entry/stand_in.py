"""Somebody who listens in the warm judge's place: what was asked, and a way to answer."""

import socket

from gitops_hooks.core import warm_words as words
from gitops_hooks.core.warm_request import Request, parse_request
from gitops_hooks.edge import warm_client


class Judge:
    """One connection; `server` is what the server's file holds."""

    def __init__(self, conn: socket.socket, server: bytes) -> None:
        self.conn, self.server = conn, server
        heard = b""
        while need := words.missing(heard):
            heard += conn.recv(need)
        request = parse_request(heard)
        assert isinstance(request, Request)
        self.request, self.digest = request, warm_client.digest(heard)

    def say(self, *said: bytes, nonce: bytes = b"") -> None:
        self.conn.sendall(words.line(nonce or self.request.nonce, *said))

    def get_ready(self) -> None:
        self.say(b"ready", self.digest, warm_client.identity(self.server), b"0" * 64)

    def take_over(self) -> tuple[bytes, list[int]]:
        """Say that it is ready, and hear `go` with what comes along."""
        self.get_ready()
        said, numbers, _, _ = socket.recv_fds(self.conn, 16, 64)
        return said, numbers
