"""Tells people by e-mail, through a mail server of theirs."""

import smtplib
import ssl
from collections.abc import Iterable, Mapping
from email.message import EmailMessage
from email.utils import format_datetime

from gitops_hooks.plugin import Deployment, EdgeError, Notice, Outcome, hookimpl
from gitops_hooks.plugins.notify_words import Settings, facts_of, headline, plain

_SECONDS = 10.0
_KEYS = ("host", "port", "tls", "user", "password_file", "sender", "to", "ca_file")
_TLS = ("starttls", "tls", "none")


@hookimpl
def gitops_settings(settings: Mapping[str, object]) -> Iterable[str]:
    read = Settings(settings)
    yield from read.unknown(_KEYS)
    yield from read.required("host", "sender")
    yield from read.unreadable("password_file", "ca_file")
    if not all(_is_address(address) for address in (read.text("sender"), *read.texts("to"))) or not read.texts("to"):
        yield "'sender' must be an address, 'to' a list of them"
    if read.text("tls", "starttls") not in _TLS:
        yield f"'tls' is one of {', '.join(_TLS)}"
    if not 0 < read.number("port", 25) < 65536:
        yield "'port' must be a number from 1 to 65535"
    if bool(read.text("user")) != bool(read.text("password_file")):
        yield "'user' and 'password_file' go together"
    elif read.text("user") and read.text("tls", "starttls") == "none":
        yield "a password is not sent in the clear; set 'tls' to starttls or tls"


@hookimpl
def gitops_deployed(deployment: Deployment, outcome: Outcome, notice: Notice) -> None:
    """Errors: EdgeError where the mail server did not take it for everybody."""
    read = Settings(notice.settings)
    message = _message(read, deployment, outcome, notice)
    trust = ssl.create_default_context(cafile=read.text("ca_file") or None)
    try:
        with _connected(read, trust) as server:
            if read.text("tls", "starttls") == "starttls":
                server.starttls(context=trust)
            if user := read.text("user"):
                server.login(user, read.secret("password_file"))
            refused = server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise EdgeError(read.text("host"), f"did not take the mail: {_reason(error)}") from None
    if refused:
        raise EdgeError(read.text("host"), f"refused {' '.join(sorted(refused))}")


def _connected(read: Settings, trust: ssl.SSLContext) -> smtplib.SMTP:
    host, port = read.text("host"), read.number("port", 25)
    if read.text("tls", "starttls") == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=trust)
    return smtplib.SMTP(host, port, timeout=_SECONDS)


def _message(read: Settings, deployment: Deployment, outcome: Outcome, notice: Notice) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = read.text("sender"), ", ".join(read.texts("to"))
    message["Subject"] = headline(deployment, outcome, notice)[:200]
    message["Date"] = format_datetime(notice.at)
    # The same for the same end: who gets it twice sees it once.
    message["Message-ID"] = f"<{notice.id}@gitops-hooks>"
    message["Auto-Submitted"] = "auto-generated"
    facts = facts_of(deployment, outcome, notice)
    lines = [f"{name:<12} {plain(str(facts[name]))}" for name in _LINES if facts[name] not in ("", None)]
    lines += ["", *(f"{host['name']:<24} {host['state']:<12} {plain(host['detail'])}" for host in facts["hosts"])]
    message.set_content("\n".join(lines) + "\n")
    return message


_LINES = ("repository", "environment", "news", "state", "commit", "branch", "generation", "seconds", "at", "detail")


def _is_address(text: str) -> bool:
    name, at, host = text.rpartition("@")
    return bool(name and at and host) and text.isprintable() and not set(text) & set(" ,;<>\"'")


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it answered {error.smtp_code}"
    return str(getattr(error, "strerror", None) or type(error).__name__)
