"""`policy explain|check|replay` and `owners`: what people ask of the rules, over SSH and on the server alike."""

import json
import sys
from pathlib import Path

import click

from gitops_hooks.core.approvers import missing_approvers
from gitops_hooks.core.floor import with_floor
from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.entry import explain_words, guard
from gitops_hooks.entry.caller import Caller
from gitops_hooks.entry.printing import json_option
from gitops_hooks.entry.replay import replay
from gitops_hooks.entry.sitting import POLICY_PATH, POLICY_SIZE, Sitting, open_sitting
from gitops_hooks.model.errors import EdgeError, Fault, PolicyError
from gitops_hooks.model.explanation import Answer
from gitops_hooks.model.policy import Policy
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.request import Refusal

_BRANCH = click.option("--branch", default="", help="A short name; the default branch where none is given.")

_STANDARD_INPUT = Refusal("words", "the policy comes over standard input", "ssh <host> policy check - <policy.yaml")


@click.group()
def policy() -> None:
    """The rules of a repository, asked before a push."""


def _sitting(caller: Caller) -> Sitting:
    sitting = open_sitting(caller.home, caller.repository.name, server=caller.server)
    sitting.record.ensure_changes()
    return sitting


@policy.command("explain")
@click.argument("number", required=False, type=click.IntRange(1, 10**9))
@click.option("--path", "path", default="", help="What a change of this path would need.")
@click.option("--person", default="", help="Whose rights; over SSH your own.")
@_BRANCH
@json_option
@click.pass_obj
def explain(caller: Caller, number: int | None, path: str, person: str, branch: str, as_json: bool) -> int:
    """Why the judge answers as it does: for change NUMBER, a path, or a person."""
    sitting = _sitting(caller)
    who = _person(caller, sitting, person)
    if isinstance(who, Refusal):
        return _refuse(who)
    if number is not None and (path or branch):
        return _refuse(Refusal("words", "a change has its branch and its paths; give its number alone"))
    head, answers = _explain(sitting, number, path, who, branch)
    if isinstance(answers, Refusal):
        return _refuse(answers)
    if as_json:
        click.echo(json.dumps({"asked": head, "answers": explain_words.answer_facts(answers)}, indent=2))
    else:
        click.echo("\n".join(explain_words.answer_lines(head, answers)))
    return guard.DONE


def _person(caller: Caller, sitting: Sitting, named: str) -> str | Refusal:
    """An SSH caller asks for themselves; the administrator for anybody whom the server knows."""
    if caller.actor is not None and named not in ("", caller.actor.name):
        return Refusal("words", "you may ask for yourself; the administrator may ask for others")
    if named and sitting.people.named(named) is None:
        return Refusal("words", f"the server knows nobody by the name {named}")
    return named or (caller.actor.name if caller.actor else "")


def _explain(
    sitting: Sitting, number: int | None, path: str, person: str, branch: str
) -> tuple[str, tuple[Answer, ...] | Refusal]:
    if number is not None:
        record = sitting.record.change(number)
        if record is None:
            return "", Refusal("change", f"There is no change {number}.")
        who = person or record.owner
        head = f"change {number} for {record.target.removeprefix('refs/heads/')}, for {who}"
        return head, explain_words.of_change(sitting, record, who)
    governing = explain_words.find_branch(sitting, branch)
    if isinstance(governing, Refusal):
        return "", governing
    short = governing.ref.removeprefix("refs/heads/")
    if path:
        head = f"a change of {path} on {short}" + (f", by {person}" if person else "")
        return head, explain_words.of_path(sitting, governing, path, person)
    if person:
        return f"{person} on {short}", explain_words.of_person(sitting, governing, person)
    return "", Refusal("words", "what is to be explained?", "policy explain NUMBER | --path PATH | --person NAME")


@policy.command("check")
@click.argument("file")
@json_option
@click.pass_obj
def check(caller: Caller, file: str, as_json: bool) -> int:
    """Every fault that a push of FILE (`-`: standard input) would be refused for."""
    if caller.actor is not None and file != "-":
        return _refuse(_STANDARD_INPUT)
    text = read_policy(file)
    sitting = _sitting(caller)
    try:
        found = parse_for(sitting, text)
    except PolicyError as error:
        return print_faults(error, as_json)
    words = f"{len(found.branches)} branch rules, {len(found.environments)} environments, no fault"
    click.echo("[]" if as_json else words)
    return guard.DONE


@policy.command("replay")
@click.argument("file")
@click.option("--last", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many landings.")
@_BRANCH
@json_option
@click.pass_obj
def replay_policy(caller: Caller, file: str, last: int, branch: str, as_json: bool) -> int:
    """Judge the last landings again under the policy in FILE, and print what would differ."""
    if caller.actor is not None and file != "-":
        return _refuse(_STANDARD_INPUT)
    text = read_policy(file)
    sitting = _sitting(caller)
    try:
        other = parse_for(sitting, text)
    except PolicyError as error:
        return print_faults(error, as_json)
    short = branch.removeprefix("refs/heads/")
    found = replay(sitting.record, other, last, f"refs/heads/{short}" if short else "")
    facts = explain_words.replay_facts(found)
    click.echo(json.dumps(facts, indent=2) if as_json else "\n".join(explain_words.replay_lines(found)))
    return guard.REFUSED if any(one.refused for one in found) else guard.DONE


@click.command("owners")
@click.argument("path")
@_BRANCH
@json_option
@click.pass_obj
def owners(caller: Caller, path: str, branch: str, as_json: bool) -> int:
    """Whose approval a change of PATH needs, entry by entry."""
    sitting = _sitting(caller)
    governing = explain_words.find_branch(sitting, branch)
    if isinstance(governing, Refusal):
        return _refuse(governing)
    found = explain_words.owners_of(sitting, governing, path)
    head = f"{path} on {governing.ref.removeprefix('refs/heads/')}"
    facts = explain_words.owner_facts(found)
    click.echo(json.dumps(facts) if as_json else "\n".join(explain_words.owner_lines(head, found)))
    return guard.DONE


def read_policy(file: str) -> bytes:
    """A policy's text, one byte more than is allowed at most. Errors: EdgeError where it cannot be read."""
    if file == "-":
        return sys.stdin.buffer.read(POLICY_SIZE + 1)
    try:
        with Path(file).open("rb") as stream:
            return stream.read(POLICY_SIZE + 1)
    except OSError as error:
        raise EdgeError(file, f"cannot be read: {error.strerror}") from None


def parse_for(sitting: Sitting, text: bytes) -> Policy:
    """The policy that a push of this text would bring. Errors: PolicyError with every fault."""
    written = parse_policy(
        text,
        commit=NO_OID,
        known=sitting.people.names,
        deployers=sitting.plugins.looking(),
        checks=sitting.plugins.declared(),
        default_branch=sitting.default_name,
        source=POLICY_PATH,
    )
    found = with_floor(written, sitting.policy.floor)
    if missing := missing_approvers(found, sitting.default.ref, sitting.people):
        raise PolicyError(POLICY_PATH, tuple(Fault(0, words) for words in missing))
    return found


def print_faults(error: PolicyError, as_json: bool) -> int:
    facts = [{"line": fault.line, "message": fault.message} for fault in error.faults]
    click.echo(json.dumps(facts) if as_json else str(error))
    return guard.REFUSED


def _refuse(refusal: Refusal) -> int:
    click.echo(f"gitops: {refusal.reason}" + (f"\n{refusal.cure}" if refusal.cure else ""), err=True)
    return guard.REFUSED
