"""What a hook and the warm judge say to each other, as bytes: one request, one answer, both bounded.

    hook    <length> <fields, NUL between them>          asked; nothing of the push is handed over yet
    judge   <nonce> ready <digest of the request> <identity> <sign of the code>
    hook    go, with the push's descriptors               from here on the push is the judge's
    judge   <nonce> accept | refuse
    judge   <nonce> ended                                 nothing of it runs any more

A login (the forced command of a push or fetch) asks in the same way, hands over where it says its messages and nothing
of git's, and hears, in place of a verdict and with the holds of its push:

    judge   <length> <fields>                             git, ready to be started; or an exit code: all is said

Who answered the login of a push may stay for its hooks, which the login then asks for on the same connection:

    judge   <nonce> accept
    judge   <nonce> stays                                 in place of `ended`; the next one may be asked for

In place of `ready` the judge may say `stale`, `busy` or `other`: the hook then judges by itself. The hook's side runs
under `python -I -S`, so nothing is imported here.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VERSION = b"1"
HOOKS = (b"pre_receive", b"proc_receive", b"post_receive")
LOGIN = b"login"
STATUS = b"status"
GO = b"go\n"
STAYS = b"stays"
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


def is_git(command: bytes) -> bool:
    """Whether a login's command is one that a fork of the warm judge answers; who may have git run is decided there."""
    return command.startswith((b"git-", b"git "))


def write_start(
    nonce: bytes, argv: "Sequence[str]", environ: "Mapping[str, str]", seconds: float, folder: str
) -> bytes:
    """Git, ready to be started. Errors: ValueError as write_request."""
    words = [*argv, *(f"{name}={value}" for name, value in environ.items())]
    encoded = [word.encode("utf-8", "surrogateescape") for word in (folder, *words)]
    return write_request([nonce, b"start", b"%.3f" % seconds, b"%d" % len(argv), *encoded])


def write_code(nonce: bytes, code: int) -> bytes:
    """The exit code of a login to which everything has been said."""
    return write_request([nonce, b"exit", b"%d" % code])


def read_start(nonce: bytes, heard: bytes) -> "tuple[list[str], dict[str, str], float, str] | int":
    """What write_start or write_code was given. Errors: ValueError for anything else."""
    fields = fields_of(heard)
    if len(fields) == 3 and fields[:2] == [nonce, b"exit"]:
        return int(fields[2])
    if len(fields) < 6 or fields[:2] != [nonce, b"start"]:
        raise ValueError("no answer to this login")
    seconds, count = float(fields[2]), int(fields[3])
    folder, *rest = [field.decode("utf-8", "surrogateescape") for field in fields[4:]]
    argv, pairs = rest[:count], [word.partition("=") for word in rest[count:]]
    if len(argv) != 3 or count != 3 or not all(name and sign for name, sign, _ in pairs):
        raise ValueError("no answer to this login")
    return argv, {name: value for name, _, value in pairs}, seconds, folder
