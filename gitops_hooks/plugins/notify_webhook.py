"""Tells a web hook: one signed POST of JSON a notice. Redirects are not followed, and no proxy of the environment."""

import hashlib
import hmac
import http.client
import json
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import SplitResult, urlsplit

from gitops_hooks.plugin import Deployment, EdgeError, Notice, Outcome, hookimpl
from gitops_hooks.plugins.notify_words import Settings, facts_of, headline

_SECONDS = 10.0
_KEYS = ("url", "url_file", "secret_file", "ca_file")
_LEAST_SECRET = 16


@hookimpl
def gitops_settings(settings: Mapping[str, object]) -> Iterable[str]:
    read = Settings(settings)
    yield from read.unknown(_KEYS)
    yield from read.one_of("url", "url_file")
    yield from read.required("secret_file")
    yield from read.unreadable("url_file", "secret_file", "ca_file")
    if url := read.text("url"):
        yield from _url_faults(url)


@hookimpl
def gitops_deployed(deployment: Deployment, outcome: Outcome, notice: Notice) -> None:
    """Errors: EdgeError where it did not arrive; its words hold nothing of the address or the secret."""
    read = Settings(notice.settings)
    url = read.text("url") or read.secret("url_file")
    if fault := next(_url_faults(url), ""):
        raise EdgeError("url_file", fault)
    body = json.dumps({"text": headline(deployment, outcome, notice), **facts_of(deployment, outcome, notice)}).encode()
    stamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "gitops-hooks",
        "X-Gitops-Event": notice.news.value if notice.news else "ended",
        "X-Gitops-Delivery": notice.id,
        "X-Gitops-Timestamp": stamp,
        "X-Gitops-Signature-256": sign(_secret(read), stamp, body),
    }
    _post(urlsplit(url), body, headers, read.text("ca_file"))


def sign(secret: bytes, stamp: str, body: bytes) -> str:
    """`sha256=` and the HMAC of stamp, a full stop and body in hex: the time is signed, so that nobody replays it."""
    return "sha256=" + hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _secret(read: Settings) -> bytes:
    secret = read.secret("secret_file").encode()
    if len(secret) < _LEAST_SECRET:
        raise EdgeError("secret_file", f"holds less than {_LEAST_SECRET} characters")
    return secret


def _url_faults(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("https", "http") and parts.hostname and (parts.port or 1)
    except ValueError:
        good = False
    if not good or any(char.isspace() or not char.isprintable() for char in url) or "@" in url.split("?")[0]:
        yield "'url' must be https://HOST[:PORT]/PATH (or http://)"


def _post(url: SplitResult, body: bytes, headers: Mapping[str, str], ca_file: str) -> None:
    host, path = url.hostname or "", (url.path or "/") + (f"?{url.query}" if url.query else "")
    connection: http.client.HTTPConnection
    if url.scheme == "https":
        trust = ssl.create_default_context(cafile=ca_file or None)
        connection = http.client.HTTPSConnection(host, url.port, timeout=_SECONDS, context=trust)
    else:
        connection = http.client.HTTPConnection(host, url.port, timeout=_SECONDS)
    try:
        connection.request("POST", path, body, dict(headers))
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise EdgeError(host, f"was not reached: {_reason(error)}") from None
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise EdgeError(host, f"answered with status {status}; 200 to 299 says that it arrived")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or type(error).__name__)
