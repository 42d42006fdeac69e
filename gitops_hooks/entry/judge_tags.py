"""Pushes to tags, judged: those that a rule governs are recorded and moved like branches, the others are git's own."""

from collections.abc import Iterable
from datetime import datetime

from gitops_hooks.core.decide import fails, holds, judge_standing
from gitops_hooks.core.globs import matches_any
from gitops_hooks.core.govern import govern
from gitops_hooks.core.tag_rules import Tag, TagRight, govern_tag, judge_tag, may_tag
from gitops_hooks.edge.repository import Repository
from gitops_hooks.edge.ssh_signature import is_signed, signing_key
from gitops_hooks.edge.tags import TagObject, read_tag
from gitops_hooks.entry.signed import find_signer, judge_now, unsigned_because
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.commit import Merged, Range
from gitops_hooks.model.event import Landing
from gitops_hooks.model.judgement import FallThrough, Judgement, Land
from gitops_hooks.model.people import People
from gitops_hooks.model.policy import Policy
from gitops_hooks.model.push import NO_OID, Actor, RefUpdate
from gitops_hooks.model.verdict import Decision, Requirement

_UNSIGNED = "it must be signed: git tag -s (for SSH keys: git config gpg.format ssh)"
OPENPGP = b"-----BEGIN PGP SIGNATURE-----"
_FOREIGN = "the key that signed it belongs to nobody whom the server knows"
_BROKEN = "its signature does not fit it"


def judge_tag_update(sitting: Sitting, actor: Actor, update: RefUpdate) -> Judgement:
    """The whole answer to a push to one tag."""
    rules = govern_tag(sitting.policy, update.ref)
    if not rules:
        return Judgement(update, Decision(update.ref, (holds("open", "no rule governs it"),)), FallThrough())
    standing = sitting.record.standing(update.ref)
    if not (record := judge_standing(standing)).holds:
        return _answer(update, (record,))
    if update.old != standing.real:
        reason = f"{update.ref} is at {standing.real[:12]}, not at {update.old[:12]}. Fetch and try again."
        return _answer(update, (fails("tip", reason),))
    right: TagRight = "delete" if update.deletes else "create" if update.creates else "force"
    asked = may_tag(sitting.policy, rules, right, actor.name, update.ref)
    if update.deletes:
        return _answer(update, asked, _land(sitting, actor, update, right, NO_OID, ("", "")))
    at = sitting.ledger.clock().replace(microsecond=0)
    tag, key = _look(sitting, update, at)
    requirements = (*asked, *judge_tag(sitting.policy, rules, right, tag))
    tree = sitting.repository.tree_of(tag.commit or NO_OID)
    return _answer(update, requirements, _land(sitting, actor, update, right, tree, (tag.signer, key)))


def _answer(update: RefUpdate, requirements: tuple[Requirement, ...], effect: Land | None = None) -> Judgement:
    decision = Decision(update.ref, requirements)
    return Judgement(update, decision, effect if decision.accepted else None)


def _land(
    sitting: Sitting, actor: Actor, update: RefUpdate, right: TagRight, tree: str, signed: tuple[str, str]
) -> Land:
    span = Range(update.old, update.new, NO_OID, ())
    at = sitting.ledger.clock().replace(microsecond=0)
    signer, key = signed
    authors = (actor.name,)
    merged = Merged(tree, ())
    return Land(right, update.ref, span, merged, None, authors, (), (), (), at, signer=signer, signer_key=key)


def _look(sitting: Sitting, update: RefUpdate, at: datetime) -> tuple[Tag, str]:
    """The tag that is pushed, and the key that signed it."""
    found = read_tag(sitting.repository, update.new)
    signer, key, unsigned = _signer(found, sitting.people, at) if found and found.armour else ("", "", _UNSIGNED)
    tips = ((tip.ref, tip.tip) for tip in sitting.record.index.tips())
    return look_at_tag(sitting.repository, (update.ref, update.new), sitting.policy, tips, (signer, unsigned)), key


def look_at_tag(
    repository: Repository,
    tag: tuple[str, str],
    policy: Policy,
    tips: Iterable[tuple[str, str]],
    signed: tuple[str, str],
) -> Tag:
    """A tag (ref and object) held against recorded tips; `signed` is the signer, or why there is none."""
    ref, oid = tag
    found = read_tag(repository, oid)
    target = found.target if found else oid
    commit = target if repository.is_commit(target) else ""
    globs = [glob for rule in govern_tag(policy, ref) for glob in rule.branches or ("**",)]
    holding = [
        branch.removeprefix("refs/heads/")
        for branch, tip in tips
        if commit
        and govern(policy, branch)
        and matches_any(globs, branch.removeprefix("refs/heads/"))
        and repository.descends(tip, commit)
    ]
    return Tag(ref, commit, found is not None, found.name if found else "", *signed, tuple(holding))


def _signer(tag: TagObject, people: People, at: datetime) -> tuple[str, str, str]:
    """Who signed it, with which key; or nobody, and why."""
    if tag.armour.startswith(OPENPGP):
        return _openpgp_signer(tag, people, at)
    key = signing_key(tag.armour)
    owner = next((person for person in people.everybody for one in person.keys if one.text == key), None)
    if not key:
        return "", "", _BROKEN
    if owner is None:
        return "", "", _FOREIGN
    return (owner.name, key, "") if is_signed(tag.payload, tag.armour, key) else ("", "", _BROKEN)


def _openpgp_signer(tag: TagObject, people: People, at: datetime) -> tuple[str, str, str]:
    armour = tag.armour.decode("ascii", "replace")
    found = find_signer(armour, people.everybody)
    if isinstance(found, str):
        return "", "", found
    name, key = found
    if not name:
        return "", "", _FOREIGN
    fault = judge_now(key, tag.payload, armour, at)
    return ("", "", fault) if fault else (name, key, "")


def recorded_signer(repository: Repository, landing: Landing) -> tuple[str, str]:
    """The signer as recorded, if the key recorded with it signed this very tag; else nobody, and why.

    Errors: EdgeError where the key is OpenPGP's and gpgv cannot be asked.
    """
    found = read_tag(repository, landing.new)
    if not landing.signer or found is None:
        return "", _UNSIGNED
    if not found.armour.startswith(OPENPGP):
        return (landing.signer, "") if is_signed(found.payload, found.armour, landing.signer_key) else ("", _BROKEN)
    armour = found.armour.decode("ascii", "replace")
    fault = unsigned_because(landing.signer_key, found.payload, armour, landing.judged)
    return ("", fault) if fault else (landing.signer, "")
