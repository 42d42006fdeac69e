"""What a hook and the warm judge say to each other, as bytes: one request, one answer, both bounded.

    hook    <length> <fields, NUL between them>          asked; nothing of the push is handed over yet
    judge   <nonce> ready <digest of the request> <identity> <sign of the code>
    hook    go, with the push's descriptors               from here on the push is the judge's
    judge   <nonce> accept | refuse
    judge   <nonce> ended                                 nothing of it runs any more

In place of `ready` the judge may say `stale`, `busy` or `other`: the hook then judges by itself. The hook's side runs
under `python -I -S`, so nothing is imported here.
"""

VERSION = b"1"
HOOKS = (b"pre_receive", b"proc_receive", b"post_receive")
STATUS = b"status"
GO = b"go\n"
MOST = 1024 * 1024  # bytes of a request; the environment with all push options is the most of it
MOST_ANSWER = 512
MOST_DESCRIPTORS = 64
FIRST_OWN = 200  # the judge's own descriptors begin here; those of a push keep their numbers below
_LENGTH = 8


def write_request(fields: list[bytes]) -> bytes:
    """The whole request. Errors: ValueError for a field that holds a NUL, or for too much."""
    if any(b"\0" in field for field in fields):
        raise ValueError("a field holds a NUL")
    body = b"\0".join(fields)
    if len(body) > MOST:
        raise ValueError("too long")
    return b"%08x" % len(body) + body


def missing(heard: bytes | bytearray) -> int:
    """How many bytes of a request are still to come; 0 for none. Errors: ValueError for what is no request."""
    if len(heard) < _LENGTH:
        return _LENGTH - len(heard)
    length = int(heard[:_LENGTH], 16)
    if not heard[:_LENGTH].isalnum() or length > MOST or len(heard) > _LENGTH + length:
        raise ValueError("no request")
    return _LENGTH + length - len(heard)


def fields_of(heard: bytes) -> list[bytes]:
    """The fields of a whole request."""
    return heard[_LENGTH:].split(b"\0")


def line(nonce: bytes, *words: bytes) -> bytes:
    """One line of the judge's."""
    return b" ".join((nonce, *words)) + b"\n"
