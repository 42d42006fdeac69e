"""Approvals and tags that are signed with OpenPGP keys: by real gpg over real sshd, and proved again elsewhere."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gitops_hooks.edge.openpgp_key import take_openpgp
from gitops_hooks.entry.recovery import open_bench
from gitops_hooks.entry.signing import judge_approvals
from gitops_hooks.model.change_event import Approved
from gitops_hooks.model.event_words import Oid, Text, Word
from gitops_hooks.model.push import NO_OID, Actor
from tests.answers import Result
from tests.gpg import LONG_AGO, Gpg, gpg_home
from tests.push.desk import MAIN, POLICY, Desk, refusal
from tests.push.rules_desk import line_of, rule
from tests.push.test_signed_approvals import _options, _propose, _sign
from tests.push.test_tag_rules import POLICY as TAGS
from tests.push.test_tag_rules import V2, _wrong
from tests.push.test_verify import Auditor

THEN = datetime(2025, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def gpg() -> Iterator[Gpg]:
    with gpg_home() as home:
        yield home


def _key_file(desk: Desk, gpg: Gpg, key: str) -> str:
    path = desk.world.folder / f"{key}.asc"
    path.write_text(gpg.export(key))
    return str(path)


def _give(desk: Desk, gpg: Gpg, who: str, key: str) -> Result:
    return desk.world.admin("user", "key", "add", who, _key_file(desk, gpg, key))


def _settings(desk: Desk, gpg: Gpg, key: str) -> tuple[str, ...]:
    """What makes git sign with this key of this home of gpg's."""
    program = desk.world.folder / "gpg"
    quiet = "--batch --no-tty --pinentry-mode loopback --passphrase ''"
    program.write_text(f'#!/bin/sh\nexec gpg --homedir {gpg.home} {quiet} "$@"\n')
    program.chmod(0o755)
    return "-c", "gpg.format=openpgp", "-c", f"gpg.program={program}", "-c", f"user.signingKey={key}"


def _approve(desk: Desk, gpg: Gpg, who: str, key: str, head: str, number: int) -> Result:
    said = [word for name, value in _options(desk).items() for word in ("-o", f"{name}={value}")]
    refspec = f"{head}:refs/approve/{number}"
    return desk.git(who, *_settings(desk, gpg, key), "push", "--signed", *said, "host:site", refspec)


def test_an_openpgp_key_signs_an_approval_that_anybody_can_prove_again(desk: Desk, gpg: Gpg) -> None:
    key = gpg.make("bob", "ed25519", "cert")
    gpg.add_subkey(key, ends="1y")
    head, number = _propose(desk)
    foreign = _approve(desk, gpg, "bob", key, head, number)
    assert foreign.code != 0 and "it is signed with a key that is none of bob's here (policy.yaml:11)" in foreign.remote
    assert _give(desk, gpg, "bob", key).must().out == f"added {key} to bob, who has 1 OpenPGP key\n"
    unsigned = desk.push("bob", f"{head}:refs/approve/{number}")
    assert unsigned.remote_lines[-1] == f"Or:       git config gpg.format openpgp; git config user.signingKey {key}"
    _approve(desk, gpg, "bob", key, head, number).must()
    assert desk.tip(MAIN) == head
    event = desk.world.events(f"refs/changes/{number}/meta")[1]
    signer = json.loads(event.fact("Signer") or "")
    assert signer.startswith("openpgp ") and len(signer) < 1000

    # Who has which key today is asked no more.
    desk.world.admin("user", "key", "remove", "bob", key).must()
    auditor = Auditor(desk)
    facts = auditor.look("--from", desk.log()[2].commit)
    assert (facts["authorised"], facts["judged"], facts["unsigned"]) == (True, 1, 0)
    pins = desk.world.person("dave") / "approvers"
    since = ("--from", desk.log()[2].commit, "--approvers", str(pins))
    pins.write_text(f"bob openpgp {key.lower()} bob@example.org\n")
    assert auditor.verify(*since).code == 0
    pins.write_text(f"bob openpgp {gpg.make('stranger')}\n")
    unsure = auditor.verify(*since)
    assert unsure.code == 1 and "the key that signed it is not pinned for bob" in " ".join(unsure.out.split())
    pins.write_text(f"bob openpgp {key[-16:]}\n")
    assert f"{pins}:1: public key: an OpenPGP key is pinned by its whole fingerprint" in auditor.verify(*since).err


def test_a_signature_of_another_person_or_of_other_bytes_counts_for_nobody(desk: Desk, gpg: Gpg) -> None:
    bobs, carols = gpg.make("bob2"), gpg.make("carol2")
    _give(desk, gpg, "bob", bobs).must()
    _give(desk, gpg, "carol", carols).must()
    head, number = _propose(desk)
    other = _approve(desk, gpg, "bob", carols, head, number)
    assert other.code != 0 and "it is signed with a key that is none of bob's here" in other.remote
    taken = _give(desk, gpg, "carol", bobs)
    assert taken.code == 2 and taken.err.endswith(f"the key {bobs} belongs to 'bob' already\n")
    assert len(desk.said(number)) == 1


def test_two_keys_of_one_person_are_one_approval(desk: Desk, gpg: Gpg) -> None:
    first, second = gpg.make("bob3"), gpg.make("bob4")
    for key in (first, second):
        _give(desk, gpg, "bob", key).must()
    two = POLICY.replace("{count: 1, from: ['@senior']}", "{count: 2, from: ['@senior'], signed: true}")
    desk.land({".gitops/policy.yaml": two})
    head = desk.propose("alice", {"a.yml": "a: 1\n"})
    number = desk.newest()
    _approve(desk, gpg, "bob", first, head, number).must()
    again = _approve(desk, gpg, "bob", second, head, number).must()
    assert "1 of 2 signed approvals by @senior" in again.remote and desk.tip(MAIN) != head
    _sign(desk, "carol", f"{head}:refs/approve/{number}", _options(desk)).must()
    assert desk.tip(MAIN) == head


def test_a_key_that_ends_while_a_push_may_last_is_refused_until_it_is_renewed(desk: Desk, gpg: Gpg) -> None:
    key = gpg.make("bob5", ends="seconds=3600")
    assert _give(desk, gpg, "bob", key).code == 0
    head, number = _propose(desk)
    gpg("--quick-set-expire", key, "seconds=300")
    _give(desk, gpg, "bob", key).must()
    soon = _approve(desk, gpg, "bob", key, head, number)
    assert soon.code != 0 and "the key that signed it is valid until " in soon.remote
    gpg("--quick-set-expire", key, "1y")
    assert _give(desk, gpg, "bob", key).must().out == f"added {key} to bob, who has 1 OpenPGP key\n"
    _approve(desk, gpg, "bob", key, head, number).must()
    assert desk.tip(MAIN) == head


def test_what_a_key_signed_before_it_ended_stays_proved(desk: Desk, gpg: Gpg) -> None:
    """An approval as the server wrote it long ago; the key has been dead for long when somebody looks."""
    key = gpg.make("bob6", ends="1d", at=LONG_AGO)
    kept = take_openpgp(gpg.export(key), THEN)
    head, number = _propose(desk)
    base = desk.tip(MAIN)
    said = "".join(f"push-option {name}={value}\n" for name, value in _options(desk).items())
    payload = f"certificate version 0.1\nnonce 1-x\n{said}\n{NO_OID} {head} refs/approve/{number}\n".encode()
    signed = payload + gpg.sign(key, payload, at="20250101T110000!")
    (desk.world.folder / "certificate").write_bytes(signed)
    blob = desk.world.server_git("hash-object", "-w", str(desk.world.folder / "certificate")).strip()
    bound = (Word(MAIN), Oid(base), Oid(head), (Oid(head),), Oid(base), Text(""), Oid(blob), Text(kept.text))
    bench = open_bench(desk.world.home, "site")
    for at, fault in ((THEN, ""), (THEN + timedelta(days=1), "is valid until 2025-01-02 00:00 UTC only")):
        log = f"refs/changes/{number}/meta"
        event = bench.ledger.log(log, Approved(number, *bound), Actor("bob", "SHA256:then"), at)
        refused = judge_approvals(bench.ledger.record, (event.oid,))
        assert (refused.reason if refused else "").endswith(fault) and bool(refused) == bool(fault)


def test_a_tag_may_be_signed_with_an_openpgp_key(desk: Desk, gpg: Gpg) -> None:
    key, strange = gpg.make("carol5"), gpg.make("carol6")
    _give(desk, gpg, "carol", key).must()
    main = rule(desk, TAGS)
    place = f"(policy.yaml:{line_of(TAGS, chr(39) + 'v2*' + chr(39))})"

    def tag(signer: str) -> str:
        desk.git("carol", *_settings(desk, gpg, signer), "tag", "-f", "-s", "-m", "A release", "v2", main).must()
        return desk.ask("rev-parse", V2)

    said = desk.push("alice", f"{tag(strange)}:{V2}").remote
    assert said == refusal(V2, "tags", f"v2: the key that signed it belongs to nobody whom the server knows {place}")
    signed = tag(key)
    text = desk.ask("cat-file", "tag", signed)
    forged = desk.ask("hash-object", "-t", "tag", "-w", "--stdin", text=text.replace("A release", "B release") + "\n")
    said = desk.push("alice", f"{forged}:{V2}").remote
    assert said == refusal(V2, "tags", f"v2: the signature does not fit what was signed {place}")
    desk.push("alice", f"{signed}:{V2}").must()
    assert desk.log()[-2].fact("Signer") == "carol"
    assert (desk.log()[-2].fact("Signer-key") or "").startswith('"openpgp ')
    desk.world.admin("user", "remove", "carol", "--yes").must()
    assert _wrong(desk) == []


def test_an_openpgp_key_is_kept_listed_and_told_of_and_logs_nobody_in(desk: Desk, gpg: Gpg) -> None:
    key = gpg.make("alice5", "rsa2048")
    before = desk.world.home.authorized_keys.read_text()
    _give(desk, gpg, "alice", key).must()
    assert desk.world.home.authorized_keys.read_text() == before
    listed = desk.world.admin("user", "key", "list", "alice").out.splitlines()
    assert listed[1:] == [f"alice  {key}  openpgp"] and listed[0].startswith("alice  SHA256:")
    assert "ok    gpgv: /usr/bin/gpgv checks the OpenPGP signatures of alice" in desk.world.admin("doctor").out
    alone = desk.world.admin("user", "add", "erin", _key_file(desk, gpg, key))
    assert (alone.code, alone.err) == (
        2,
        "gitops: public key: an OpenPGP key signs, and logs nobody in; add the person with an SSH key, "
        "then: gitops-hooks user key add NAME FILE\n",
    )
    old = gpg.make("old5", ends="1d", at=LONG_AGO)
    assert f"gitops: OpenPGP key: {old} expired on 2025-01-02; " in _give(desk, gpg, "alice", old).err
    gone = desk.world.admin("user", "key", "remove", "alice", key).must()
    assert gone.out == f"removed {key} from alice, who has 0 OpenPGP keys\n"
    assert "gpgv" not in desk.world.admin("doctor").out
