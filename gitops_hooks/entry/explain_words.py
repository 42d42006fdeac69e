"""`policy explain`, `policy replay` and `owners` in words, and as facts for programs."""

import textwrap
from collections.abc import Iterable

from gitops_hooks.core.decide import Case
from gitops_hooks.core.explain import (
    explain_approvals,
    explain_case,
    explain_person,
    imagine,
    who_counts,
)
from gitops_hooks.core.floor import parse_floor, with_floor
from gitops_hooks.core.govern import Governing, govern
from gitops_hooks.core.rehearse import trial_checks
from gitops_hooks.core.report import escape, states
from gitops_hooks.edge.record import meta_ref
from gitops_hooks.entry.awaiting import command_checks
from gitops_hooks.entry.demanding import imagine_demands, known_owners
from gitops_hooks.entry.matter import Matter, check_names, gather, judge_policy
from gitops_hooks.entry.noting import reach_of_matter
from gitops_hooks.entry.reach_words import reach_answer
from gitops_hooks.entry.reaching import find_reach
from gitops_hooks.entry.replay import Replayed, judge_again
from gitops_hooks.entry.sitting import Sitting, policy_at
from gitops_hooks.entry.wanting import open_verdicts
from gitops_hooks.model.change import ChangeRecord, ChangeState
from gitops_hooks.model.change_event import Proposed
from gitops_hooks.model.event import Landing
from gitops_hooks.model.explanation import Answer, Counting
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import CheckOutcome, Requirement, Status, Verdict

_WIDTH = 100


def find_branch(sitting: Sitting, branch: str) -> Governing | Refusal:
    """The rules of a branch by its short name; of the default branch where none is named."""
    short = branch.removeprefix("refs/heads/") or sitting.default_name
    governing = govern(sitting.policy, f"refs/heads/{short}")
    return governing or Refusal("target", f"No rule governs {escape(short)}: whoever may write may push to it.")


def of_change(sitting: Sitting, record: ChangeRecord, person: str) -> tuple[Answer, ...] | Refusal:
    """What the judge says of a change's newest head now, for this person."""
    if record.state is not ChangeState.OPEN:
        closed = Refusal("change", f"Change {record.number} is {record.state.value}.")
        return closed if record.state is ChangeState.CLOSED else _landed(sitting, record.number)
    governing = govern(sitting.policy, record.target)
    if governing is None:
        return Refusal("target", f"No rule governs {record.target} any more.")
    standing = sitting.record.standing(record.target)
    matter = gather(sitting, governing, standing, record.head.head, frozenset(), record)
    if isinstance(matter, Refusal):
        return matter
    more = (*judge_policy(sitting, matter), *_checks(sitting, matter))
    said = tuple(
        Answer(answer.question, (*answer.requirements, *more)) if answer.question == "land" else answer
        for answer in explain_case(matter.case, person)
    )
    return (*reach_answer(reach_of_matter(sitting, matter)), *said)


def _landed(sitting: Sitting, number: int) -> tuple[Answer, ...] | Refusal:
    """Why a change could land, under the policy that was in force then."""
    landed = sitting.record.newest_landing(number)
    if landed is None or not isinstance(landed.body, Landing):
        return Refusal("change", f"Change {number} is landed, and its record is not closed yet.")
    policy = with_floor(policy_at(sitting.repository, landed.body.policy), parse_floor(landed.body.floor))
    return (Answer("land, as it did", judge_again(sitting.record, landed, landed.body, policy).requirements),)


def of_path(sitting: Sitting, governing: Governing, path: str, person: str) -> tuple[Answer, ...]:
    """What a change of this path would need; without a person only the approvals."""
    case = _imagined(sitting, governing, (path,), person)
    tree = sitting.repository.tree_of(sitting.record.standing(governing.ref).real)
    reached = find_reach(sitting.repository, sitting.policy, governing.ref, (tree, tree), (path,))
    return (*reach_answer(reached), *(explain_case(case, person) if person else explain_approvals(case)))


def of_person(sitting: Sitting, governing: Governing, person: str) -> tuple[Answer, ...]:
    return explain_person(governing, person, sitting.ledger.clock())


def _imagined(sitting: Sitting, governing: Governing, paths: tuple[str, ...], person: str) -> Case:
    """A change of these paths, with the code owners and inventories of the branch as it stands."""
    tip = sitting.record.standing(governing.ref).real
    demands = imagine_demands(sitting.repository, governing, tip, paths, known_owners(sitting.people))
    return imagine(governing, paths, sitting.ledger.clock(), person, demands)


def _checks(sitting: Sitting, matter: Matter) -> tuple[Requirement, ...]:
    """What is recorded of the checks on the tree that would land; nothing is run."""
    said = _verdicts(sitting, matter)
    governing = matter.case.governing
    on_trial = trial_checks(sitting.policy, governing.ref)
    found = []
    opened = open_verdicts(sitting, matter.record, command_checks(sitting)) if matter.record else None
    commands = {verdict.check: verdict for verdict in (opened[1] if opened else ()) if verdict.awaited}
    for name in dict.fromkeys((*check_names(sitting, governing), *on_trial)):
        outcome = said.get(f"{name}:{matter.merged.tree}")
        status = Status.UNSATISFIED if outcome is None else Status.SATISFIED
        if verdict := commands.get(name):
            outcome, status = states(verdict.awaited), _status(verdict)
        words = f"{name}: {outcome}" if outcome else f"{name}: not asked yet about the tree that would land"
        place = next((rule.place for rule in governing.rules if name in rule.checks), "")
        found.append(Requirement("checks", Status.BYPASSED if name in on_trial else status, words, place))
    return tuple(found)


def _status(verdict: Verdict) -> Status:
    return Status.SATISFIED if all(each.passed for each in verdict.awaited) else Status.UNSATISFIED


def _verdicts(sitting: Sitting, matter: Matter) -> dict[str, str]:
    """`check:tree` → outcome, of the newest revision."""
    number = matter.record.number if matter.record else 0
    for event in sitting.record.events(meta_ref(number)):
        if isinstance(event.body, Proposed):
            words = (word.split(":") for word in event.body.verdicts)
            outcomes = {outcome.value for outcome in (CheckOutcome.OK, CheckOutcome.FINDINGS)}
            return {f"{name}:{tree}": outcome for name, outcome, tree in words if outcome in outcomes}
    return {}


def answer_lines(head: str, answers: Iterable[Answer]) -> list[str]:
    """A question a paragraph, a requirement a line with its word first."""
    lines = [escape(head)]
    for answer in answers:
        lines.append(f"  {answer.question}")
        lines += [line for requirement in answer.requirements for line in requirement_lines(requirement)]
    return lines


def requirement_lines(requirement: Requirement, indent: str = "    ") -> list[str]:
    place = f" ({requirement.place})" if requirement.place else ""
    words = " ".join(f"{requirement.reason}{place}".split())
    head = f"{indent}{requirement.status.value:<15} {requirement.rule:<13} "
    return textwrap.wrap(
        escape(words), _WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_long_words=False
    ) or [head.rstrip()]


def answer_facts(answers: Iterable[Answer]) -> list[dict[str, object]]:
    return [
        {"question": answer.question, "requirements": [_facts(requirement) for requirement in answer.requirements]}
        for answer in answers
    ]


def _facts(requirement: Requirement) -> dict[str, str]:
    status = requirement.status.value
    return {"rule": requirement.rule, "status": status, "reason": requirement.reason, "place": requirement.place}


def owners_of(sitting: Sitting, governing: Governing, path: str) -> tuple[Counting, ...]:
    """Who could approve a change of this path, entry by entry."""
    return who_counts(_imagined(sitting, governing, (path,), ""), sitting.people)


def owner_lines(head: str, found: Iterable[Counting]) -> list[str]:
    lines = [escape(head)]
    for counting in found:
        names = " ".join(counting.names) or "nobody"
        trial = ", on trial" if counting.evaluate else ""
        lines.append(f"  {escape(counting.needs)}: {names} ({counting.place}{trial})")
    return lines


def owner_facts(found: Iterable[Counting]) -> list[dict[str, object]]:
    return [{"needs": one.needs, "who": list(one.names), "place": one.place, "evaluate": one.evaluate} for one in found]


def replay_lines(found: list[Replayed]) -> list[str]:
    """The landings that would differ, newest first, and how many were judged."""
    lines = []
    for one in found:
        if one.difference:
            change = f"change {one.landing.change}" if one.landing.change else "a push"
            branch = escape(one.landing.ref.removeprefix("refs/heads/"))
            lines.append(f"{one.landing.new[:7]} on {branch}, {change} by {one.event.stamp.actor}: {one.difference}")
            told = (r for r in one.requirements if not r.holds or r.status is Status.BYPASSED)
            lines += [line for requirement in told for line in requirement_lines(requirement, "  ")]
    refused = sum(one.refused for one in found)
    differs = sum(bool(one.difference) for one in found)
    judged = "1 landing" if len(found) == 1 else f"{len(found)} landings"
    return [*lines, f"{judged} judged, {differs} would differ, {refused} would have been refused"]


def replay_facts(found: Iterable[Replayed]) -> list[dict[str, object]]:
    return [
        {
            "landing": one.event.oid,
            "ref": one.landing.ref,
            "commit": one.landing.new,
            "change": one.landing.change,
            "actor": one.event.stamp.actor,
            "refused": one.refused,
            "difference": one.difference,
            "requirements": [_facts(requirement) for requirement in one.requirements],
        }
        for one in found
    ]
