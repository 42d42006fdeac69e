"""Whether an OpenPGP key of somebody's signed some bytes, at the time at which it counts.

The pusher's armour is opened and measured here; gpgv gets one signature packet of a known kind, written by us.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from gitops_hooks.edge import openpgp_packets as form
from gitops_hooks.edge.gpgv import ask_gpgv
from gitops_hooks.edge.openpgp_key import OpenPgpKey, read_openpgp
from gitops_hooks.edge.openpgp_packets import BrokenPacket, Signed
from gitops_hooks.model.errors import EdgeError

BEGIN = b"-----BEGIN PGP SIGNATURE-----"
# A key that ends sooner than a push may last would have signed an approval that nobody can prove a moment later.
MARGIN = timedelta(minutes=10)

_LONGEST = 8 * 1024
_BINARY = 0x00
_SHA2 = (8, 9, 10)
_BAD = {
    "BADSIG": "the signature does not fit what was signed",
    "ERRSIG": "the signature cannot be checked with that key",
    "EXPSIG": "the signature itself has expired",
    "REVKEYSIG": "the key that signed it is revoked",
}
_HARMLESS = (
    *("NEWSIG", "KEY_CONSIDERED", "SIG_ID", "KEYEXPIRED", "VERIFICATION_COMPLIANCE_MODE"),
    *("NOTATION_NAME", "NOTATION_FLAGS", "NOTATION_DATA", "POLICY_URL"),
)


def read_armour(armour: bytes) -> Signed | str:
    """The one signature in an armour, or what is wrong with it."""
    try:
        content = form.open_armour(armour.decode("ascii"), "SIGNATURE") if len(armour) <= _LONGEST else b""
        packets = list(form.read_packets(content))
        if len(packets) != 1:
            count = f"holds {len(packets)} packets" if content else f"is larger than {_LONGEST} bytes"
            return f"the signature {count}; sign with one key, once"
        signed = form.read_signature(packets[0])
    except (BrokenPacket, UnicodeDecodeError):
        return "the signature is not as gpg writes it"
    if signed.kind != _BINARY:
        return "the signature is of another kind than git asks gpg for"
    if signed.digest not in _SHA2:
        return "the signature uses SHA-1 or another weak digest; gpg --digest-algo SHA256"
    return signed


def find_key(texts: Iterable[str], signed: Signed) -> str:
    """Which of these kept keys (`openpgp BASE64`) the signature says that it is by; "" where none is."""
    for text in texts:
        if any(signed.is_by(fingerprint) for fingerprint, _ in read_openpgp(text).signing):
            return text
    return ""


def signature_fault(text: str, payload: bytes, armour: bytes, at: datetime) -> str:
    """What keeps this kept key from having signed these bytes while it was valid; "" where nothing does.

    Errors: EdgeError where gpgv cannot be asked.
    """
    signed = read_armour(armour)
    if isinstance(signed, str):
        return signed
    try:
        key = read_openpgp(text)
    except EdgeError as error:
        return str(error)
    return judge_status(key, ask_gpgv(key.keyring, signed.packet.framed, payload), int(at.timestamp()))


def judge_status(key: OpenPgpKey, lines: Sequence[Sequence[str]], at: int) -> str:
    """gpgv's status lines of one signature, held against the key and the time that counts."""
    said = [line[0] for line in lines]
    bad = next((words for name, words in _BAD.items() if name in said), "")
    if bad:
        return bad
    if said.count("NEWSIG") != 1 or said.count("VALIDSIG") != 1:
        return "gpgv did not find exactly one signature"
    good = [name for name in said if name in ("GOODSIG", "EXPKEYSIG")]
    strange = [name for name in said if name not in ("GOODSIG", "EXPKEYSIG", "VALIDSIG", *_HARMLESS)]
    valid = next(line for line in lines if line[0] == "VALIDSIG")
    if len(good) != 1 or strange or len(valid) != 11:
        return "gpgv's answer is not one that is known here"
    ends = key.ends(valid[1])
    if ends is None or valid[10] != key.fingerprint:
        return "it was signed with another key than it says"
    if valid[4] != "0":
        return "the signature itself ends at some time; make one that does not"
    return _expired([ends, *(_number(line) for line in lines if line[0] == "KEYEXPIRED")], at, good[0])


def _number(line: Sequence[str]) -> int:
    # 1, the second in which every key has ended, where gpgv names no time that can be read.
    return int(line[1]) if len(line) == 2 and line[1].isascii() and line[1].isdigit() else 1


def _expired(ends: Sequence[int], at: int, good: str) -> str:
    """gpgv goes by today's clock: what it says of a key that ended since is held against the time that counts."""
    first = min(filter(None, ends), default=0)
    if first and first <= at:
        return f"the key that signed it is valid until {datetime.fromtimestamp(first, UTC):%Y-%m-%d %H:%M} UTC only"
    return "the key that signed it has expired" if good == "EXPKEYSIG" and not first else ""
