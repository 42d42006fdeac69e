"""Who is told: a web server and a mail server of the test's own, on loopback."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


@dataclass(slots=True)
class Post:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def facts(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass(slots=True)
class WebHook:
    """Answers each POST with `status`, after `wait` is set where it hangs; `posts` are those that it took."""

    port: int = 0
    status: int = 200
    hangs: bool = False
    posts: list[Post] = field(default_factory=list)
    tried: int = 0
    go_on: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?room=ops"

    def renew(self) -> None:
        """Nothing came yet, and all is taken."""
        self.posts.clear()
        self.status, self.hangs, self.tried = 200, False, 0
        self.go_on = threading.Event()

    def await_posts(self, count: int, seconds: float = 60.0) -> list[Post]:
        deadline = time.monotonic() + seconds
        while len(self.posts) < count:
            assert time.monotonic() < deadline, [post.facts for post in self.posts]
            time.sleep(0.05)
        return self.posts


@contextmanager
def web_hook() -> Iterator[WebHook]:
    hook = WebHook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hook.tried += 1
            if hook.hangs:
                hook.go_on.wait(60)
                return
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if hook.status == 200:
                hook.posts.append(Post(self.path, dict(self.headers), body))
            self.send_response(hook.status)
            if hook.status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hook.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hook
    finally:
        hook.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(slots=True)
class MailBox:
    """Takes every mail, but for those to `unknown`, from who logs in as it wants."""

    port: int = 0
    user: str = ""
    password: str = ""
    unknown: str = ""
    mails: list[Message] = field(default_factory=list)

    async def handle_RCPT(self, server, session, envelope, address, options):  # aiosmtpd's name
        if address == self.unknown:
            return "550 nobody here of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # aiosmtpd's name
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def authenticate(self, server, session, envelope, mechanism, given) -> AuthResult:
        known = given.login == self.user.encode() and given.password == self.password.encode()
        return AuthResult(success=known, handled=False)


@contextmanager
def mail_box(user: str = "", password: str = "", tls: Any = None) -> Iterator[MailBox]:
    box = MailBox(user=user, password=password)
    login = {"authenticator": box.authenticate, "auth_required": True} if user else {}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        box.port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port, tls_context=tls, **login)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
