"""What the record says of the commands that verdicts wait for: a result counts for exactly its tree and definition."""

from collections.abc import Iterable
from dataclasses import replace

from gitops_hooks.edge.bell import ring
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.change_event import Ran
from gitops_hooks.model.command import Awaited, CommandResult, CommandState
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.policy import Policy
from gitops_hooks.model.server import PLAN
from gitops_hooks.model.verdict import Verdict


def look_up(sitting: Sitting, record: ChangeRecord | None, verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """The same verdicts, each command with the result that is recorded for it on the verdict's tree."""
    found = []
    for verdict in verdicts:
        if verdict.awaited:
            sitting.record.ensure_changes()
            known = tuple(_known(sitting, record, verdict, one) for one in verdict.awaited)
            verdict = replace(verdict, awaited=known)
        found.append(verdict)
    return tuple(found)


def _known(sitting: Sitting, record: ChangeRecord | None, verdict: Verdict, one: Awaited) -> Awaited:
    definition = one.command.definition(verdict.check)
    own = [each for each in (record.results if record else ()) if each.definition == definition]
    here = [each for each in own if each.tree == verdict.tree]
    result = here[-1] if here else _elsewhere(sitting, record, definition, verdict.tree)
    if result:
        return Awaited(one.command, result.state, result.event, result.detail)
    head = record.head.head if record else ""
    return Awaited(one.command, before=any(each.head == head for each in own))


def _elsewhere(sitting: Sitting, record: ChangeRecord | None, definition: str, tree: str) -> CommandResult | None:
    """What another change's run says of the same tree; where one was asked for again, only that it passed."""
    again = record is not None and record.head.head in record.again
    for _, event in sitting.record.index.results(definition, tree):
        result = read_result(sitting, event)
        same = result is not None and (result.definition, result.tree) == (definition, tree)
        if result and same and (result.state is CommandState.PASSED or not again):
            return result
    return None


def read_result(sitting: Sitting, event: str) -> CommandResult | None:
    """The result in an event of this server's; the index only says where to look, and may be wrong."""
    try:
        body = sitting.record.event(event).body
    except EdgeError:
        return None
    if not isinstance(body, Ran):
        return None
    what = (body.check, body.name, body.definition, body.tree, body.head)
    return CommandResult(event, *what, body.state, body.seconds, body.detail)


def command_checks(sitting: Sitting) -> tuple[str, ...]:
    """The checks of this server that give commands, as far as any rule for a branch or any deployer asks for one."""
    asked = _asked(sitting.policy).union(*(each.checks for each in sitting.plugins.deployers().values()))
    return tuple(name for name, check in sitting.plugins.checks().items() if check.commands and name in asked)


def plans_are_made(sitting: Sitting) -> bool:
    """Whether the server has a plan credential for this repository; without one there is no plan."""
    return any(one.use == PLAN and one.repository == sitting.entry.id for one in sitting.server.credentials)


def ring_for_commands(sitting: Sitting) -> None:
    """What was said of a change may begin or end commands or plans of it; where there are none, nobody is woken."""
    if plans_are_made(sitting) or command_checks(sitting):
        ring(sitting.home)


def _asked(policy: Policy) -> frozenset[str]:
    return frozenset(name for rule in (*policy.floor.rules, *policy.branches) for name in rule.checks)
