"""Proposals and verbs on changes, judged."""

from dataclasses import replace

from gitops_hooks.core.bounded import judge_read_only
from gitops_hooks.core.decide import holds, judge_approval, judge_landing, judge_rejection
from gitops_hooks.core.fold import take_approval
from gitops_hooks.core.govern import Governing, govern
from gitops_hooks.core.rehearse import rehearse
from gitops_hooks.core.report import place_of
from gitops_hooks.entry.choose import change_id_of, choose_change, no_room
from gitops_hooks.entry.conclude import Asking, conclude
from gitops_hooks.entry.judge_plan import judge_plan_asked, judge_said_plan
from gitops_hooks.entry.judge_rebase import judge_rebase
from gitops_hooks.entry.judge_stack import judge_stack
from gitops_hooks.entry.matter import Matter, gather, judge_policy, run_checks_to_land
from gitops_hooks.entry.proposing import Asked, judge_head
from gitops_hooks.entry.settle import judge_settlement
from gitops_hooks.entry.signing import judge_signature
from gitops_hooks.entry.sitting import Checker, Sitting, find_asker
from gitops_hooks.entry.stacking import choose_ground
from gitops_hooks.entry.withdrawal import judge_withdrawal
from gitops_hooks.entry.wording import refusal_judgement, refuse
from gitops_hooks.model.approval import Approval
from gitops_hooks.model.change import ChangeRecord, ChangeState
from gitops_hooks.model.judgement import Approve, Close, Judgement, Land, Reject, Reopen, Say
from gitops_hooks.model.push import NO_OID, Actor, RefUpdate
from gitops_hooks.model.request import Act, Propose, Refusal, Verb
from gitops_hooks.model.verdict import Decision, Requirement, Verdict


def judge_proposal_request(
    sitting: Sitting, actor: Actor, update: RefUpdate, request: Propose, check: Checker
) -> Judgement:
    """A push to refs/for/…: a new change, or a revision of one."""
    place = find_target(sitting, request)
    if isinstance(place, Refusal):
        return refusal_judgement(update, place)
    governing, topic = place
    if not sitting.repository.is_commit(request.head):
        return refuse(update, "object", f"{request.head[:12]} is not a commit.")
    if request.stack:
        return judge_stack(sitting, actor, update, request, (governing, topic), check)
    change_id = change_id_of(sitting.repository.commit(request.head))
    chosen = choose_change(sitting, actor, request, governing.ref, topic, change_id)
    if isinstance(chosen, Refusal):
        return refusal_judgement(update, chosen)
    standing = sitting.record.standing(governing.ref)
    ground = choose_ground(sitting, request.base, chosen, request.head, governing.ref)
    if isinstance(ground, Refusal):
        return refusal_judgement(update, ground)
    matter = gather(sitting, governing, standing, request.head, frozenset({actor.name}), chosen, ground)
    if isinstance(matter, Refusal):
        return refusal_judgement(update, matter)
    if not matter.span.commits:
        return refuse(update, "nothing", f"{request.head[:12]} is in {governing.ref} already.")
    return judge_head(sitting, actor, update, Asked(request, topic, change_id, ground), matter, check)


def find_target(sitting: Sitting, request: Propose) -> tuple[Governing, str] | Refusal:
    """The branch that a proposal is for, and its topic."""
    for ref, topic in request.candidates:
        # A branch that the record knows but that is gone was deleted by hand: it is still what is meant.
        if sitting.repository.tip(ref) == NO_OID and sitting.record.index.tip(ref) is None:
            continue
        governing = govern(sitting.policy, ref)
        branch = ref.removeprefix("refs/heads/")
        if governing is None:
            return Refusal(
                "target", f"No rule governs {branch}.", f"Push to it directly:  git push origin HEAD:{branch}"
            )
        return governing, topic
    name = request.candidates[0][0].removeprefix("refs/heads/")
    return Refusal("target", f"There is no branch {name} here.", "See what there is:  git ls-remote --heads origin")


def judge_act(sitting: Sitting, actor: Actor, update: RefUpdate, request: Act, check: Checker) -> Judgement:
    """A verb on a change at one commit."""
    record = sitting.record.change(request.number)
    if record and (settlement := judge_settlement(sitting, actor, update, request, record)):
        return settlement
    refusal = _judge_address(record, request)
    if refusal or record is None:
        return refusal_judgement(update, refusal or Refusal("change", "There is no such change."))
    governing = govern(sitting.policy, record.target)
    if governing is None:
        return refuse(update, "target", f"No rule governs {record.target} any more.")
    match request.verb:
        case Verb.CLOSE | Verb.REOPEN:
            return _judge_end(sitting, actor, update, request, record, governing)
        case Verb.WITHDRAW:
            return judge_withdrawal(sitting, actor, update, request, record, governing)
        case Verb.COMMENT:
            return Judgement(update, Decision(update.ref, (holds("comment"),)), Say(record, request.message))
        case Verb.REBASE:
            return judge_rebase(sitting, actor, update, record, governing, check)
    return _judge_weighed(sitting, actor, update, request, (record, governing), check)


def _judge_weighed(
    sitting: Sitting,
    actor: Actor,
    update: RefUpdate,
    request: Act,
    meant: tuple[ChangeRecord, Governing],
    check: Checker,
) -> Judgement:
    """A verb for which it counts what the commit would make of the branch: approve, reject, plan, land."""
    record, governing = meant
    commit = sitting.record.standing(record.target)
    matter = gather(sitting, governing, commit, request.commit, frozenset(), record)
    if isinstance(matter, Refusal):
        return refusal_judgement(update, matter)
    if not matter.span.commits:
        look = f"Whether it counts as landed:  ssh <host> change show {record.number}"
        return refuse(update, "nothing", f"{request.commit[:12]} is in {record.target} already.", look)
    match request.verb:
        case Verb.APPROVE:
            return _judge_approve(sitting, actor, update, request, matter, check)
        case Verb.REJECT:
            return _judge_reject(update, actor, request, matter, record)
        case Verb.PLAN:
            return judge_plan_asked(sitting, actor, update, request, matter, check)
        case _:
            asking = Asking(actor, "change", lambda case: judge_landing(case, actor.name), plea=request.plea)
            return conclude(sitting, update, matter, asking, check)


def _judge_address(record: ChangeRecord | None, request: Act) -> Refusal | None:
    """Whether the verb names an open change at a commit that it may name."""
    number = request.number
    if record is None:
        return Refusal("change", f"There is no change {number}.", "See what there is:  ssh <host> change list")
    if record.purged:
        return Refusal("change", f"Change {number} was purged: its content is no longer here.")
    if record.state is not (ChangeState.CLOSED if request.verb is Verb.REOPEN else ChangeState.OPEN):
        return Refusal("change", f"Change {number} is {record.state.value}.")
    if request.commit == NO_OID or request.commit == record.head.head:
        return None
    # An approval stays with its commit: an earlier revision stays landable, and takes nothing but what takes that back.
    if request.verb in (Verb.LAND, Verb.WITHDRAW) and record.revision_at(request.commit):
        return None
    head = f"{record.head.head} (revision {record.head.number})"
    fetch = f"Look at it:  git fetch origin refs/changes/{number}/head"
    return Refusal("commit", f"{request.commit[:12]} is not the head of change {number}, which is {head}.", fetch)


def _judge_end(
    sitting: Sitting, actor: Actor, update: RefUpdate, request: Act, record: ChangeRecord, governing: Governing
) -> Judgement:
    """Close and reopen are the owner's, and theirs who may land."""
    verb = request.verb
    own = actor.name == record.owner
    right = holds(verb.value, "its owner") if own else governing.may("land", actor.name)
    room = no_room(sitting, record.owner) if verb is Verb.REOPEN else None
    if room:
        return refusal_judgement(update, room)
    effect = Reopen(record, request.message) if verb is Verb.REOPEN else Close(record, request.message)
    return Judgement(update, Decision(update.ref, (right,)), effect if right.holds else None)


def _judge_reject(update: RefUpdate, actor: Actor, request: Act, matter: Matter, record: ChangeRecord) -> Judgement:
    requirement = judge_rejection(matter.case, actor.name)
    effect = Reject(record, request.message) if requirement.holds else None
    return Judgement(update, Decision(update.ref, (requirement,)), effect)


def _judge_approve(
    sitting: Sitting, actor: Actor, update: RefUpdate, request: Act, matter: Matter, check: Checker
) -> Judgement:
    record = matter.record
    if record is None:
        return refuse(update, "change", "There is no such change.")
    seen, said = judge_said_plan(record, matter.span.head, request.bound)
    signature = judge_signature(sitting, actor, matter.case, record.number, said)
    requirements = (
        judge_approval(matter.case, actor.name),
        *seen,
        signature.requirement,
        *judge_read_only(matter.case.governing),
    )
    decision = Decision(update.ref, requirements, advice=signature.advice)
    if not decision.accepted:
        return Judgement(update, decision, None)
    trial = _with_approval(sitting, actor, matter, signature.signer)
    needs = tuple(requirement for requirement in trial.case.approvals if not requirement.holds)
    lands, hints, verdicts = complete(sitting, actor, trial, check) if not needs else (None, (), ())
    signed = (signature.certificate, signature.signer)
    effect = Approve(record, matter.span, request.message, lands, needs, hints, *signed)
    # Findings on the resulting tree keep the change from landing, not the reviewer from speaking.
    on_trial = _rehearse_landing(sitting, trial, actor) if lands else ()
    told = Decision(update.ref, (*requirements, *on_trial), verdicts if lands else ())
    return Judgement(update, told, effect)


def _rehearse_landing(sitting: Sitting, matter: Matter, actor: Actor) -> tuple[Requirement, ...]:
    """What rules on trial would have said of the landing that follows an approval."""
    lander = lander_of(sitting, matter, actor)
    return rehearse(lambda case: judge_landing(case, lander), matter.case, judge_landing(matter.case, lander))


def lander_of(sitting: Sitting, matter: Matter, actor: Actor) -> str:
    """Who lands a completed change: its last approver, or whoever may land, asked for auto-land and is still here."""
    revision = matter.record.revision_at(matter.span.head) if matter.record else None
    if revision is None or matter.case.governing.may("land", actor.name).holds:
        return actor.name
    asker = find_asker(sitting, revision)
    return asker.name if asker else actor.name


def _with_approval(sitting: Sitting, actor: Actor, matter: Matter, signer: str) -> Matter:
    """The matter as it will be once this approval is stored; a rejection by the same reviewer is lifted."""
    proof = matter.case.proof
    made = matter.record.plan_of(proof.head) if matter.record else None
    given = Approval(
        "",
        proof.repository,
        actor.name,
        proof.ref,
        proof.base,
        proof.head,
        tuple(commit.oid for commit in matter.span.commits),
        sitting.policy.commit,
        signer,
        plan=made.digest if made else "",
    )
    if matter.record is None:
        return matter
    after = take_approval(matter.record, given)
    proof = replace(proof, approvals=after.approvals, rejections=after.rejections)
    return replace(matter, case=replace(matter.case, proof=proof))


def complete(
    sitting: Sitting, actor: Actor, matter: Matter, check: Checker
) -> tuple[Land | None, tuple[str, ...], tuple[Verdict, ...]]:
    """What follows a completed approval: the landing, or the lines that say what is still in its way."""
    requirements = (*judge_landing(matter.case, lander_of(sitting, matter, actor)), *judge_policy(sitting, matter))
    missing = [requirement for requirement in requirements if not requirement.holds]
    if missing:
        return None, tuple(requirement.reason for requirement in missing), ()
    verdicts = run_checks_to_land(sitting, matter, check)
    if any(verdict.refuses for verdict in verdicts):
        return None, tuple(verdict_lines(verdicts)), verdicts
    return matter.land("change", verdicts), (), verdicts


def verdict_lines(verdicts: tuple[Verdict, ...]) -> list[str]:
    """What keeps a landing back, one line a finding."""
    lines = [f"check {verdict.check}: {verdict.detail}" for verdict in verdicts if verdict.detail]
    found = [finding for verdict in verdicts if verdict.refuses for finding in verdict.findings]
    return lines + [f"{place_of(finding)}: {finding.message}" for finding in found]
