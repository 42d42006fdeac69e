"""Signed approvals: taken at the push, and proved again from the blob that the approval's own event holds."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from gitops_hooks.core.approve import asks_signature
from gitops_hooks.core.certificate import MOST_BYTES, Bound, Certificate, certificate_faults, read_certificate
from gitops_hooks.core.decide import Case, fails, holds
from gitops_hooks.edge.objects import CERTIFICATE
from gitops_hooks.edge.record import Record
from gitops_hooks.edge.repository import Repository
from gitops_hooks.edge.tree import read_blob
from gitops_hooks.entry.signed import find_signer, judge_now, pin_of, unsigned_because
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.change_event import Approved
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.event import Event, Landing
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import NO_OID, Actor, PushCertificate
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import Requirement

_OID = re.compile("(?!0{40})[0-9a-f]{40}")
_OPENPGP_SETTINGS = "git config gpg.format openpgp; git config user.signingKey"
_SETTINGS = "git config gpg.format ssh; git config user.signingKey ~/.ssh/id_ed25519.pub"


@dataclass(frozen=True, slots=True)
class Signature:
    """What was found of one approval's signature: the key, the blob, and whether the rules are content."""

    signer: str
    certificate: str
    requirement: Requirement
    advice: tuple[str, ...] = ()


def with_certificate(sitting: Sitting, environ: Mapping[str, str]) -> Sitting:
    """The sitting with the certificate that git names in pre-receive's environment, if there is one."""
    oid = environ.get("GIT_PUSH_CERT", "")
    if not _OID.fullmatch(oid):
        return sitting
    nonce = environ.get("GIT_PUSH_CERT_NONCE", "") if environ.get("GIT_PUSH_CERT_NONCE_STATUS") == "OK" else ""
    return replace(sitting, certificate=PushCertificate(oid, _blob(sitting.repository, oid), nonce))


def certificate_words(oid: str, nonce: str) -> dict[str, str]:
    """The same words for proc-receive, which git tells nothing."""
    return {"GIT_PUSH_CERT": oid, "GIT_PUSH_CERT_NONCE": nonce, "GIT_PUSH_CERT_NONCE_STATUS": "OK" if nonce else "BAD"}


def _blob(repository: Repository, oid: str) -> bytes:
    return read_blob(repository.git2, oid, MOST_BYTES, "the push certificate")


def judge_signature(sitting: Sitting, actor: Actor, case: Case, change: int, said: tuple[str, ...]) -> Signature:
    """Whether the approval is signed as its rules ask; what it says again of itself must be true in any case."""
    proof = case.proof
    bound = Bound(proof.repository, change, proof.ref, proof.base, proof.head)
    wrong = [option for option in said if option not in bound.options]
    advice = (f"Sign it:  {bound.line}", f"Once:     {_SETTINGS}", *_openpgp_settings(sitting, actor))
    if wrong:
        reason = f"-o {', -o '.join(wrong)}: this change has {', '.join(bound.options)}."
        return Signature("", "", fails("signed", reason), advice)
    signer, faults = _signer(sitting, actor, bound)
    if not faults and sitting.certificate:
        return Signature(signer, sitting.certificate.oid, holds("signed"))
    rule = asks_signature(case.demands.rules, case.policy, proof, actor.name)
    if rule is None:
        return Signature("", "", holds("signed", "no rule asks for it"))
    return Signature("", "", fails("signed", "\n".join(faults), rule.place), advice)


def _openpgp_settings(sitting: Sitting, actor: Actor) -> tuple[str, ...]:
    """The other way, for whoever has such a key here."""
    person = sitting.people.named(actor.name)
    keys = person.openpgp if person else ()
    return tuple(f"Or:       {_OPENPGP_SETTINGS} {key.fingerprint}" for key in keys)


def _signer(sitting: Sitting, actor: Actor, bound: Bound) -> tuple[str, tuple[str, ...]]:
    """The key that signed this approval, or everything that is wrong with it."""
    given = sitting.certificate
    if given is None:
        return "", ("An approval must be signed here, and this push is not.",)
    certificate = read_certificate(given.content)
    if isinstance(certificate, str):
        return "", (certificate,)
    faults = list(certificate_faults(certificate, bound))
    if not given.nonce or certificate.nonce != given.nonce:
        faults.append("its nonce is not the one that this server gave for this push")
    key, fault = _key_of(sitting, actor, certificate)
    return key, (*faults, *([fault] if fault else []))


def _key_of(sitting: Sitting, actor: Actor, certificate: Certificate) -> tuple[str, str]:
    """The approver's own key that signed it, and what is wrong with that."""
    person = sitting.people.named(actor.name)
    found = find_signer(certificate.signature, [person] if person else [])
    if isinstance(found, str):
        return "", found
    key = found[1]
    if not key:
        return "", f"it is signed with a key that is none of {actor.name}'s here"
    return key, judge_now(key, certificate.payload, certificate.signature, sitting.ledger.clock())


def judge_signatures(
    record: Record, landing: Landing, approvers: Mapping[str, frozenset[str]] | None = None
) -> Refusal | None:
    """Prove every signature that a landing rests on again; `approvers` are the keys that a verifier pins."""
    return judge_approvals(record, landing.approvals, approvers)


def judge_approvals(
    record: Record, approvals: Iterable[str], approvers: Mapping[str, frozenset[str]] | None = None
) -> Refusal | None:
    """The same for these approvals (commits of their events)."""
    for oid in approvals:
        event = record.event(oid)
        if isinstance(event.body, Approved) and event.body.signer:
            fault = _unproven(record, event, event.body, approvers)
            if fault:
                return Refusal("signed", f"approval {oid[:12]} by {event.stamp.actor}: {fault}")
    return None


def is_signed(record: Record, landing: Landing) -> bool:
    """Whether people signed for it, and not only the server."""
    found = [record.event(oid).body for oid in landing.approvals]
    return bool(found) and all(isinstance(body, Approved) and body.signer for body in found)


def _unproven(record: Record, event: Event, body: Approved, approvers: Mapping[str, frozenset[str]] | None) -> str:
    """Why its signature proves nothing. Errors: EdgeError where gpgv, which it takes, cannot be asked."""
    actor = event.stamp.actor
    if approvers is not None and pin_of(body.signer) not in approvers.get(actor, ()):
        return f"the key that signed it is not pinned for {actor}"
    entry = record.repository.tree(record.repository.tree_of(event.oid)).entry(CERTIFICATE)
    if body.certificate == NO_OID or entry is None or entry.oid != body.certificate:
        return "its event does not hold the certificate"
    try:
        certificate = read_certificate(_blob(record.repository, body.certificate))
    except EdgeError as error:
        return str(error)
    if isinstance(certificate, str):
        return certificate
    faults = certificate_faults(certificate, Bound(record.identity, body.change, body.target, body.base, body.head))
    plans = [option.removeprefix("plan=") for option in certificate.options if option.startswith("plan=")]
    if not all(body.plan.startswith(plan) for plan in plans):
        return "it was signed for another plan"
    if faults:
        return "; ".join(faults)
    return unsigned_because(body.signer, certificate.payload, certificate.signature, event.stamp.at)
