"""OpenPGP keys and signatures: what gpg makes is read, and what is weak, old, foreign or doubled is not."""

import resource
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gitops_hooks.edge import gpgv
from gitops_hooks.edge.diagnosis import State
from gitops_hooks.edge.diagnosis_access import openpgp_lines
from gitops_hooks.edge.openpgp_key import OpenPgpKey, read_openpgp, take_openpgp
from gitops_hooks.edge.openpgp_signature import find_key, judge_status, read_armour, signature_fault
from gitops_hooks.entry.signed import find_signer, judge_now
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.people import People, Person
from tests.gpg import LONG_AGO, Gpg, gpg_home

PAYLOAD = b"certificate version 0.1\n\nwhat is signed\n"
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def gpg() -> Iterator[Gpg]:
    with gpg_home() as home:
        yield home


def take(gpg: Gpg, key: str, now: datetime = NOW) -> OpenPgpKey:
    return take_openpgp(gpg.export(key), now)


def reason(call: object, *arguments: object) -> str:
    with pytest.raises(EdgeError) as raised:
        call(*arguments)  # type: ignore[operator]
    return str(raised.value)


@pytest.mark.parametrize("kind", ["ed25519", "rsa2048", "rsa4096", "nistp256", "nistp521"])
def test_what_gpg_signs_is_proved_for_exactly_these_bytes_and_this_key(gpg, kind):
    fingerprint = gpg.make(f"plain-{kind}", kind)
    armour = gpg.sign(fingerprint, PAYLOAD)
    key = take(gpg, fingerprint)
    other = take(gpg, gpg.make(f"other-{kind}", "ed25519"))
    assert (key.fingerprint, read_openpgp(key.text)) == (fingerprint, key)
    assert signature_fault(key.text, PAYLOAD, armour, NOW) == ""
    assert signature_fault(key.text, PAYLOAD + b"\n", armour, NOW) == "the signature does not fit what was signed"
    assert signature_fault(other.text, PAYLOAD, armour, NOW) == "the signature cannot be checked with that key"
    signed = read_armour(armour)
    assert not isinstance(signed, str)
    assert find_key([other.text, key.text], signed) == key.text and find_key([other.text], signed) == ""


def test_a_subkey_signs_for_its_key_and_only_what_verifies_is_kept(gpg):
    fingerprint = gpg.make("whole", "ed25519", "cert")
    gpg.add_subkey(fingerprint)
    gpg.add_subkey(fingerprint, "cv25519", "encr")
    gpg("--quick-add-uid", fingerprint, "Whole <second@example.org>")
    key = take(gpg, fingerprint)
    assert [name == fingerprint for name, _ in key.signing] == [False]
    assert len(key.keyring) < len(gpg("--export", fingerprint)) and len(key.keyring) < 700
    assert signature_fault(key.text, PAYLOAD, gpg.sign(fingerprint, PAYLOAD), NOW) == ""
    assert take_openpgp(f"\n{gpg.export(fingerprint)}".replace("\n", "\r\n"), NOW) == key


def test_weak_keys_and_weak_bindings_are_refused_with_the_cure(gpg):
    cure = "make a new one: gpg --quick-generate-key 'NAME <ADDRESS>' ed25519"
    small = gpg.make("small", "rsa1024")
    assert reason(take, gpg, small) == (f"OpenPGP key: {small} is an RSA key of 1024 bits, and 2048 are needed; {cure}")
    old = gpg.make("dsa", "dsa2048")
    assert reason(take, gpg, old) == f"OpenPGP key: {old} is a DSA key, which is not taken; {cure}"
    strange = gpg.make("strange", "brainpoolP256r1")
    assert "of a type that is not taken (ed25519, RSA, and ECDSA on NIST's curves are)" in reason(take, gpg, strange)
    gpg("--cert-digest-algo", "SHA1", "--quick-generate-key", "sha1 <sha1@example.org>", "ed25519", "sign", "never")
    sha1 = gpg.fingerprints()[-1]
    assert reason(take, gpg, sha1) == (
        f"OpenPGP key: {sha1} is held together by SHA-1 or weaker; "
        f"gpg --cert-digest-algo SHA256 --quick-set-expire {sha1} 2y, then export it again"
    )
    weak = gpg.make("weak-subkey", "ed25519", "cert")
    gpg.add_subkey(weak, "rsa1024")
    assert "an RSA key of 1024 bits" in reason(take, gpg, weak)


def test_expired_and_revoked_keys_are_refused_with_the_cure_and_never_read_as_kept(gpg):
    gone = gpg.make("gone", ends="1d", at=LONG_AGO)
    assert reason(take, gpg, gone) == (
        f"OpenPGP key: {gone} expired on 2025-01-02; gpg --quick-set-expire {gone} 2y, then export it again"
    )
    revoked = gpg.make("revoked")
    gpg.revoke(revoked)
    assert reason(take, gpg, revoked) == f"OpenPGP key: {revoked} is revoked; add the key that replaces it"
    dry = gpg.make("dry", "ed25519", "cert", at=LONG_AGO)
    gpg.add_subkey(dry, ends="1d", at=LONG_AGO)
    assert reason(take, gpg, dry) == (
        f"OpenPGP key: {dry} has no key that signs, or they are expired or revoked; "
        f"gpg --quick-add-key {dry} ed25519 sign 2y, then export it again"
    )


def test_a_file_holds_one_public_key_and_nothing_else(gpg):
    first, second = gpg.make("first"), gpg.make("second")
    armour = gpg.export(first)
    make = "make the file with: gpg --armor --export-options export-minimal --export FINGERPRINT"
    assert reason(take_openpgp, gpg.export(first, second), NOW) == (
        f"OpenPGP key: the file must hold exactly one key; {make}"
    )
    private = gpg("--armor", "--export-secret-keys", first).decode()
    assert "this is a private key" in reason(take_openpgp, private, NOW)
    lines = armour.split("\n")
    for broken in (armour[:-10], armour + "x", "\n".join(lines[:3] + lines[4:]), gpg.sign(first, b"x").decode()):
        assert make in reason(take_openpgp, broken, NOW) or "no name" in reason(take_openpgp, broken, NOW)
    kept = take(gpg, first).text
    for changed in (kept[:-4], kept.replace("openpgp", "pgp"), kept + "AAAA", "openpgp ", "openpgp !"):
        assert reason(read_openpgp, changed).startswith("OpenPGP key: ")


def test_the_time_of_the_event_counts_and_not_todays(gpg):
    fingerprint = gpg.make("timed", ends="1d", at=LONG_AGO)
    then = datetime(2025, 1, 1, 12, tzinfo=UTC)
    key = take(gpg, fingerprint, then)
    armour = gpg.sign(fingerprint, PAYLOAD, at="20250101T110000!")
    assert signature_fault(key.text, PAYLOAD, armour, then) == ""
    late = "the key that signed it is valid until 2025-01-02 00:00 UTC only"
    assert signature_fault(key.text, PAYLOAD, armour, then + DAY) == late
    assert signature_fault(key.text, PAYLOAD, armour, NOW) == late
    living = gpg.make("living", ends="2d")
    key = take(gpg, living)
    armour = gpg.sign(living, PAYLOAD)
    assert signature_fault(key.text, PAYLOAD, armour, NOW) == ""
    assert "valid until" in signature_fault(key.text, PAYLOAD, armour, NOW + 3 * DAY)


def test_signatures_that_are_no_proof_are_refused_by_name(gpg):
    fingerprint, other = gpg.make("signer"), gpg.make("cosigner")
    key = take(gpg, fingerprint)

    def fault(armour: bytes) -> str:
        return signature_fault(key.text, PAYLOAD, armour, NOW)

    assert fault(gpg.sign(fingerprint, PAYLOAD, "--digest-algo", "SHA1")) == (
        "the signature uses SHA-1 or another weak digest; gpg --digest-algo SHA256"
    )
    assert fault(gpg.sign(fingerprint, PAYLOAD, "-u", other)) == (
        "the signature holds 2 packets; sign with one key, once"
    )
    assert fault(gpg.sign(fingerprint, PAYLOAD, "--default-sig-expire", "1d")) == (
        "the signature itself ends at some time; make one that does not"
    )
    assert fault(gpg.sign(fingerprint, PAYLOAD, "--textmode")) == (
        "the signature is of another kind than git asks gpg for"
    )
    assert fault(gpg("--clearsign", "-u", fingerprint, text=PAYLOAD)) == "the signature is not as gpg writes it"
    assert fault(gpg("--armor", "--sign", "-u", fingerprint, text=PAYLOAD)) == "the signature is not as gpg writes it"
    whole = gpg.sign(fingerprint, PAYLOAD)
    assert fault(whole + whole) == fault(b"") == fault(b"\xff") == "the signature is not as gpg writes it"
    assert fault(b"x" * 9000) == "the signature is larger than 8192 bytes; sign with one key, once"
    assert fault(gpg.sign(fingerprint, PAYLOAD, "--sig-notation", "a@example.org=b")) == ""


@pytest.mark.parametrize("at", range(0, 112, 7))
def test_a_changed_or_cut_signature_is_none(gpg, at):
    if "fuzzed@" not in gpg("--list-keys").decode():
        gpg.make("fuzzed")
    key = take(gpg, "fuzzed@example.org")
    signed = read_armour(gpg.sign(key.fingerprint, PAYLOAD))
    assert not isinstance(signed, str)
    body = bytearray(signed.packet.body)
    # The highest bit: the lowest ones of a number's length in bits are not read, and the signature stays the same.
    body[at] ^= 0x80
    lines = gpgv.ask_gpgv(key.keyring, type(signed.packet)(2, bytes(body)).framed, PAYLOAD)
    # What is not signed (the key's id, named a second time) may change; then it is the same signature.
    assert judge_status(key, lines, int(NOW.timestamp())) or _is_beside(signed.packet.body, at)
    cut = gpgv.ask_gpgv(key.keyring, signed.packet.framed[:at], PAYLOAD)
    assert judge_status(key, cut, int(NOW.timestamp())) != ""


def _is_beside(body: bytes, at: int) -> bool:
    start = 6 + int.from_bytes(body[4:6], "big")
    return start <= at < start + 2 + int.from_bytes(body[start : start + 2], "big")


F, P = "A" * 40, "B" * 40
KEY = OpenPgpKey(P, b"", ((F, 0),))
VALID = f"VALIDSIG {F} 2026-01-01 1 0 4 0 22 8 00 {P}"
GOOD = ["NEWSIG", "GOODSIG AAAA bob", VALID]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (GOOD, ""),
        (["NEWSIG", f"BADSIG {F} bob", VALID], "the signature does not fit what was signed"),
        ([*GOOD, "ERRSIG x"], "the signature cannot be checked with that key"),
        (["NEWSIG", "EXPSIG x", VALID], "the signature itself has expired"),
        (["NEWSIG", "REVKEYSIG x", VALID], "the key that signed it is revoked"),
        (["NEWSIG", "EXPKEYSIG x", VALID], "the key that signed it has expired"),
        (["NEWSIG", "KEYEXPIRED 100", "EXPKEYSIG x", VALID], ""),
        (["NEWSIG", "KEYEXPIRED 10", "EXPKEYSIG x", VALID], "the key that signed it is valid until 1970-01-01 00:00"),
        (["NEWSIG", "KEYEXPIRED x", "EXPKEYSIG x", VALID], "the key that signed it is valid until 1970-01-01 00:00"),
        ([*GOOD, *GOOD], "gpgv did not find exactly one signature"),
        ([], "gpgv did not find exactly one signature"),
        (["NEWSIG", "GOODSIG x"], "gpgv did not find exactly one signature"),
        (["NEWSIG", VALID], "gpgv's answer is not one that is known here"),
        ([*GOOD, "FAILURE x"], "gpgv's answer is not one that is known here"),
        ([*GOOD[:2], VALID.replace(P, F)], "it was signed with another key than it says"),
        ([*GOOD[:2], VALID.replace(F, P)], "it was signed with another key than it says"),
        ([*GOOD[:2], VALID.replace(" 1 0 4", " 1 9 4")], "the signature itself ends at some time"),
        ([*GOOD[:2], VALID + " more"], "gpgv's answer is not one that is known here"),
    ],
)
def test_only_one_good_line_of_the_very_key_is_believed(lines, words):
    said = judge_status(KEY, [line.split(" ") for line in lines], 50)
    assert said.startswith(words) and bool(said) == bool(words)


def test_without_gpgv_no_signature_is_taken_and_the_cure_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(gpgv, "SYSTEM_PATH", str(tmp_path))
    assert reason(gpgv.ask_gpgv, b"", b"", b"") == (
        "gpgv: not installed, and no OpenPGP signature is taken without it; run: apt-get install gpgv"
    )


def test_a_server_without_gpgv_refuses_signatures_and_doctor_says_why(gpg, monkeypatch, tmp_path):
    fingerprint = gpg.make("helpless")
    key = take(gpg, fingerprint)
    people = People((Person("bob", (), (), openpgp=(key.public,)), Person("carol", (), ())))
    armour = gpg.sign(fingerprint, PAYLOAD).decode()
    assert find_signer(armour, people.everybody) == ("bob", key.text)
    assert judge_now(key.text, PAYLOAD, armour, NOW) == ""
    monkeypatch.setattr(gpgv, "SYSTEM_PATH", str(tmp_path))
    missing = "gpgv: not installed, and no OpenPGP signature is taken without it; run: apt-get install gpgv"
    assert judge_now(key.text, PAYLOAD, armour, NOW) == missing
    (line,) = openpgp_lines(people)
    assert (line.state, line.words) == (State.FAIL, f"bob cannot sign: {missing}")
    assert list(openpgp_lines(People())) == []


def test_doctor_notes_a_key_that_has_expired_since(gpg):
    fingerprint = gpg.make("faded", ends="1d", at=LONG_AGO)
    kept = take(gpg, fingerprint, datetime(2025, 1, 1, 12, tzinfo=UTC)).public
    good, note = openpgp_lines(People((Person("bob", (), (), openpgp=(kept,)),)))
    assert (good.state, good.words) == (State.OK, "/usr/bin/gpgv checks the OpenPGP signatures of bob")
    assert (note.state, note.words, note.cure) == (
        State.NOTE,
        f"the OpenPGP key {fingerprint} of bob has expired and signs no more",
        "once it is renewed: gitops-hooks user key add bob FILE",
    )


def test_gpgv_is_ended_where_it_takes_too_long_or_says_too_much(gpg, monkeypatch):
    fingerprint = gpg.make("bounded")
    key, signed = take(gpg, fingerprint), read_armour(gpg.sign(fingerprint, PAYLOAD))
    assert not isinstance(signed, str)
    asked = (key.keyring, signed.packet.framed, PAYLOAD)
    with monkeypatch.context() as patch:
        patch.setattr(gpgv, "_SECONDS", 0.001)
        much = PAYLOAD * (64 * 1024 * 1024 // len(PAYLOAD))
        assert reason(gpgv.ask_gpgv, key.keyring, signed.packet.framed, much) == "gpgv: no answer within 0 s"
    with monkeypatch.context() as patch:
        patch.setattr(gpgv, "_LIMITS", ((resource.RLIMIT_FSIZE, 10),))
        assert reason(gpgv.ask_gpgv, *asked) == "gpgv: was ended by SIGXFSZ"
    assert gpgv.ask_gpgv(*asked)[-1][0] == "VALIDSIG"
