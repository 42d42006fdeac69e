"""Secrets that can be told by their shape alone: private keys and the tokens of well-known services.

Each shape is narrow enough that ordinary text does not have it; what they match is never shown.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of secret and the bytes that give it away; `body` must follow soon for the first line to count.

    One of `hints` is in every match: looking for plain bytes first makes most files cost next to nothing.
    """

    kind: str
    hints: tuple[bytes, ...]
    pattern: re.Pattern[bytes]
    body: re.Pattern[bytes] | None = None


def _shape(kind: str, hints: bytes, pattern: bytes, body: bytes = b"") -> Shape:
    return Shape(kind, tuple(hints.split()), re.compile(pattern), re.compile(body) if body else None)


_START, _END = rb"(?<![A-Za-z0-9_-])", rb"(?![A-Za-z0-9_])"
_BODY = rb"[A-Za-z0-9+/]{32}"
_NEAR, _LONGEST = 600, 20_000

# No shape repeats a repetition: each is tried in time linear in the text.
SHAPES = (
    _shape("private key", b"-----BEGIN", rb"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----", _BODY),
    _shape("PuTTY private key", b"PuTTY-User", rb"(?m)^PuTTY-User-Key-File-[23]: ", _BODY),
    _shape(
        "private key in base64",
        b"LS0tLS1CRUdJTiB",
        rb"LS0tLS1CRUdJTiB(?:QUklWQVRF|SU0EgUFJJVkFURS|FQyBQUklWQVRF|PUEVOU1NIIFBSSVZBVEUg)",
        rb"[A-Za-z0-9+/]{64}",
    ),
    _shape("age private key", b"AGE-SECRET", _START + rb"AGE-SECRET-KEY-1[0-9A-Z]{58}" + _END),
    _shape("AWS access key", b"AKIA ASIA ABIA ACCA", _START + rb"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}" + _END),
    _shape("GitHub token", b"ghp_ gho_ ghu_ ghs_ ghr_", _START + rb"gh[pousr]_[A-Za-z0-9]{36,251}" + _END),
    _shape("GitHub token", b"github_pat_", _START + rb"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}" + _END),
    _shape(
        "GitLab token",
        b"glpat- gldt- glrt- glcbt- glptt- glft- glagent- gloas- glsoat-",
        _START + rb"gl(?:pat|dt|rt|cbt|ptt|ft|agent|oas|soat)-[A-Za-z0-9_-]{20,300}" + _END,
    ),
    _shape("Slack token", b"xox", _START + rb"xox[abeoprs]-[0-9A-Za-z-]{10,250}" + _END),
    _shape(
        "Slack webhook",
        b"hooks.slack.com/",
        rb"hooks\.slack\.com/(?:services|workflows)/T[A-Z0-9]{6,12}/[A-Z0-9]{6,12}/[A-Za-z0-9]{16,32}",
    ),
    _shape("Stripe key", b"_live_", _START + rb"(?:sk|rk)_live_[0-9A-Za-z]{20,250}" + _END),
    _shape("Google API key", b"AIza", _START + rb"AIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])"),
    _shape("Google OAuth secret", b"GOCSPX-", _START + rb"GOCSPX-[0-9A-Za-z_-]{28}(?![0-9A-Za-z_-])"),
    _shape("npm token", b"npm_", _START + rb"npm_[A-Za-z0-9]{36}" + _END),
    _shape("PyPI token", b"pypi-AgE", _START + rb"pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,1000}"),
    _shape("SendGrid key", b"SG.", _START + rb"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}" + _END),
    _shape("Mailgun key", b"key-", _START + rb"key-[0-9a-f]{32}" + _END),
    _shape("Twilio key", b"SK", _START + rb"SK[0-9a-f]{32}" + _END),
    _shape("DigitalOcean token", b"_v1_", _START + rb"do[oprt]_v1_[0-9a-f]{64}" + _END),
    _shape("Hugging Face token", b"hf_", _START + rb"hf_[A-Za-z]{34}" + _END),
    _shape(
        "OpenAI key", b"T3BlbkFJ", _START + rb"sk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{20,150}T3BlbkFJ[A-Za-z0-9_-]{20,150}"
    ),
    _shape("Anthropic key", b"sk-ant-", _START + rb"sk-ant-[a-z0-9]{3,8}-[A-Za-z0-9_-]{80,120}"),
    _shape("HashiCorp Vault token", b"hvs. hvb. hvr.", _START + rb"hv[sbr]\.[A-Za-z0-9_-]{24,300}" + _END),
    _shape("Docker Hub token", b"dckr_", _START + rb"dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,40}" + _END),
    _shape("Shopify token", b"shpat_ shpca_ shppa_ shpss_", _START + rb"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}" + _END),
    _shape("Telegram bot token", b":AA", _START + rb"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"),
    _shape("Azure storage key", b"AccountKey=", rb"AccountKey=[A-Za-z0-9+/]{86}=="),
    _shape(
        "JSON web token",
        b"eyJ",
        _START + rb"eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{20,1000}",
    ),
    _shape(
        "password in an address",
        b"://",
        rb"\b[a-z][a-z0-9+.-]{1,15}://[^\s:/@'\"{}<>$]{1,64}:([^\s:/@'\"{}<>$*%]{3,100})@[A-Za-z0-9.-]",
    ),
)

_PLACEHOLDERS = re.compile(rb"(?i)\A(?:pass(?:word|wd)?|secret|token|user|change-?_?me|example|xxx+|\.\.\.+)\Z")
_EXAMPLES = re.compile(rb"\A[\w.-]{0,80}\bexample\.")


def shapes_in(text: bytes) -> Iterator[tuple[int, int, str]]:
    """First and last line and the kind of each secret that its shape gives away, kind after kind."""
    for shape in (shape for shape in SHAPES if any(hint in text for hint in shape.hints)):
        first, at = 1, 0
        for match in shape.pattern.finditer(text):
            if _counts(shape, match, text):
                # From the last one on: counted from the beginning each time, many would take a square of the time.
                first, at = first + text.count(b"\n", at, match.start()), match.start()
                yield first, first + text.count(b"\n", at, _end(shape, match, text)), shape.kind


def _end(shape: Shape, match: re.Match[bytes], text: bytes) -> int:
    """Where a secret ends; of one with a body that is where its last line begins."""
    if shape.body is None:
        return match.end()
    end = text.find(b"-----END", match.end(), match.end() + _LONGEST)
    return end if end >= 0 else min(len(text), match.end() + _NEAR)


def _counts(shape: Shape, match: re.Match[bytes], text: bytes) -> bool:
    """Not the first line of a key alone, not a placeholder, not what documentation says EXAMPLE in."""
    following = text[match.end() : match.end() + _NEAR]
    if shape.body is not None and not shape.body.search(following):
        return False
    if match.groups() and (_PLACEHOLDERS.match(match.group(1)) or _EXAMPLES.match(match.group()[-1:] + following)):
        return False
    return b"EXAMPLE" not in match.group()
