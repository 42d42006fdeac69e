"""`change …` and `env …`: what people ask of the record, over SSH and on the server alike."""

import json
import sys
from collections.abc import Sequence

import click

from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.entry import change_words, env_words, hosts_words, run_words, verb_words
from gitops_hooks.entry.caller import Caller
from gitops_hooks.entry.judge_environment import find_environment
from gitops_hooks.entry.operating import say_operation
from gitops_hooks.entry.reach_words import reach_of_change
from gitops_hooks.entry.sitting import Sitting, open_sitting
from gitops_hooks.entry.vocabulary import VERBS
from gitops_hooks.model.request import EnvironmentVerb, Refusal

_JSON = click.option("--json", "as_json", is_flag=True, help="Facts for programs.")
_NAME = click.argument("name")
_NUMBER = click.argument("number", type=click.IntRange(1, 10**9))


@click.group()
def change() -> None:
    """The proposals of a repository."""


@click.group()
def env() -> None:
    """The environments of a repository."""


def _sitting(caller: Caller) -> Sitting:
    sitting = open_sitting(caller.home, caller.repository.name, server=caller.server)
    sitting.record.ensure_changes()
    return sitting


def _print(lines: Sequence[str] | Refusal, facts: object, as_json: bool) -> None:
    """Print lines or facts; a refusal ends with exit code 1."""
    if isinstance(lines, Refusal):
        sys.stdout.flush()
        if lines.reason:
            click.echo(f"gitops: {lines.reason}" + (f"\n{lines.cure}" if lines.cure else ""), err=True)
        raise SystemExit(1)
    click.echo(json.dumps(facts, indent=2) if as_json else "\n".join(lines))


@change.command("list")
@click.option("--all", "everything", is_flag=True, help="Closed and landed ones too.")
@_JSON
@click.pass_obj
def change_list(caller: Caller, everything: bool, as_json: bool) -> None:
    """The open changes, newest first."""
    records = change_words.list_changes(_sitting(caller), everything)
    _print(change_words.list_lines(records), [change_words.facts(record) for record in records], as_json)


@change.command("show")
@_NUMBER
@_JSON
@click.pass_obj
def change_show(caller: Caller, number: int, as_json: bool) -> None:
    """One change: revisions, approvals, and what it still needs."""
    sitting = _sitting(caller)
    record = sitting.record.change(number)
    if record is None:
        _print(Refusal("change", f"There is no change {number}."), None, as_json)
        return
    debts = sitting.record.index.debts_of(number)
    if as_json:
        _print((), change_words.facts(record, debts, *reach_of_change(sitting, record)), True)
    else:
        _print(change_words.show_lines(sitting, record), None, False)


@change.command("diff")
@_NUMBER
@click.pass_obj
def change_diff(caller: Caller, number: int) -> None:
    """What the newest revision changes, as a patch."""
    sitting = _sitting(caller)
    record = sitting.record.change(number)
    if record is None:
        _print(Refusal("change", f"There is no change {number}."), None, False)
        return
    click.echo(change_words.diff(sitting, record), nl=False)


@change.command("purge")
@_NUMBER
@click.option("--reason", required=True, help="Why; kept in the repository's log.")
@click.pass_obj
def change_purge(caller: Caller, number: int, reason: str) -> None:
    """Remove a change's content from the server (the administrator's, on its own shell)."""
    from gitops_hooks.entry.purge import purge

    if caller.actor is not None:
        _print(Refusal("words", "'change purge' is for the administrator, on the server's own shell"), None, False)
    answer = purge(caller.home, caller.repository.name, number, reason)
    _print(answer, None, False)


@change.command("log")
@_NUMBER
@click.option("--follow", is_flag=True, help="Go on until the last command of the newest revision has ended.")
@_JSON
@click.pass_obj
def change_log(caller: Caller, number: int, follow: bool, as_json: bool) -> None:
    """What the commands of a change write, and how they ended; exit code 1 unless all have passed."""
    from gitops_hooks.entry import log_words

    sitting = _sitting(caller)
    record = sitting.record.change(number)
    if record is None:
        _print(Refusal("change", f"There is no change {number}."), None, False)
        return
    if as_json:
        _print((), log_words.facts(sitting, record), True)
        return
    raise SystemExit(0 if log_words.tell_log(sitting, record, click.echo, follow) else 1)


@change.command("check")
@_NUMBER
@click.pass_obj
def change_check(caller: Caller, number: int) -> None:
    """Run once more those commands of a change that did not pass."""
    from gitops_hooks.entry import check_words

    answer = check_words.run_again(_sitting(caller), caller.actor or SERVER, number, administrator=caller.actor is None)
    _print(answer, None, False)


@change.command("plan")
@_NUMBER
@click.argument("commit", default="")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the reason from standard input.")
@click.option("--follow", is_flag=True, help="Wait for the plan that is asked for, and show it.")
@_JSON
@click.pass_obj
def change_plan(caller: Caller, number: int, commit: str, from_stdin: bool, follow: bool, as_json: bool) -> None:
    """What the newest revision would change on the hosts; with COMMIT have it planned now."""
    from gitops_hooks.entry import plan_words

    sitting = _sitting(caller)
    message = verb_words.read_message() if from_stdin else ""
    code = plan_words.ask_plan(caller, sitting, (number, commit), message, follow=follow) if commit else None
    if code is not None:
        raise SystemExit(code)
    _print(*plan_words.show_plan(caller, sitting, number), as_json)


def _add_verb(verb: str) -> None:
    @change.command(verb, help=f"{verb.capitalize()} a change at exactly this commit, in full.")
    @_NUMBER
    @click.argument("commit")
    @click.option("--stdin", "from_stdin", is_flag=True, help="Read the reason from standard input.")
    @_JSON
    @click.pass_obj
    def say(caller: Caller, number: int, commit: str, from_stdin: bool, as_json: bool) -> None:
        message = verb_words.read_message() if from_stdin else ""
        sitting = _sitting(caller)
        answer = verb_words.say_verb(caller, sitting, (verb, number, commit), message)
        if isinstance(answer, Refusal):
            _print(answer, None, False)
            return
        record = sitting.record.change(number)
        if as_json and record:
            _print((), change_words.facts(record), True)
        raise SystemExit(0 if answer.report.accepted else 1)


for _each in VERBS:
    _add_verb(_each)


@env.command("list")
@_JSON
@click.pass_obj
def env_list(caller: Caller, as_json: bool) -> None:
    """The environments, and whether each is as desired."""
    sitting = _sitting(caller)
    found = [env_words.look_at(sitting, environment) for environment in sitting.policy.environments]
    _print(env_words.list_lines(found), [view.facts() for view in found], as_json)


@env.command("show")
@_NAME
@_JSON
@click.pass_obj
def env_show(caller: Caller, name: str, as_json: bool) -> None:
    """Desired, attempted and deployed, and the last deployment host by host."""
    sitting = _sitting(caller)
    environment = find_environment(sitting, name)
    if isinstance(environment, Refusal):
        _print(environment, None, as_json)
        return
    view = env_words.look_at(sitting, environment)
    stands = hosts_words.see_hosts(sitting, environment, view.aim.desired)
    lines = env_words.show_lines(view, hosts_words.hosts_lines(stands))
    _print(lines, view.facts() | hosts_words.hosts_facts(stands), as_json)


@env.command("log")
@_NAME
@click.argument("run", required=False, type=click.IntRange(1, 10**9))
@click.option("--follow", is_flag=True, help="Go on until the deployment has ended.")
@_JSON
@click.pass_obj
def env_log(caller: Caller, name: str, run: int | None, follow: bool, as_json: bool) -> None:
    """The newest deployments, newest first; or what each task of one of them did (RUN, or --follow for the newest)."""
    sitting = _sitting(caller)
    environment = find_environment(sitting, name)
    if isinstance(environment, Refusal):
        _print(environment, None, as_json)
        return
    if run or follow:
        found = run_words.find_run(sitting, environment, run)
        if isinstance(found, Refusal):
            _print(found, None, as_json)
            return
        run_words.tell_run(sitting, environment, found, click.echo, as_json=as_json, on=follow)
        return
    events = env_words.log(sitting, environment)
    _print(env_words.log_lines(events), [env_words.event_facts(event) for event in events], as_json)


@env.command("drift")
@_NAME
@click.argument("host", default="")
@click.option("--now", is_flag=True, help="Look now, and wait for what is found.")
@_JSON
@click.pass_obj
def env_drift(caller: Caller, name: str, host: str, now: bool, as_json: bool) -> None:
    """What the last look at its hosts found, in full; exit code 1 where --now came to no end in time."""
    from gitops_hooks.entry import drift_words

    sitting = _sitting(caller)
    environment = find_environment(sitting, name)
    if isinstance(environment, Refusal):
        _print(environment, None, as_json)
        return
    ended = drift_words.look_now(caller, sitting, environment) if now else True
    if isinstance(ended, Refusal):
        _print(ended, None, as_json)
    seen = env_words.look_at(sitting, environment).seen
    _print(list(drift_words.tell_drift(name, seen, host)), drift_words.drift_facts(seen, whole=True), as_json)
    raise SystemExit(0 if ended else 1)


@env.command("plan")
@_NAME
@_NUMBER
@_JSON
@click.pass_obj
def env_plan(caller: Caller, name: str, number: int, as_json: bool) -> None:
    """What change NUMBER would change there."""
    from gitops_hooks.entry import plan_words

    _print(*plan_words.show_plan(caller, _sitting(caller), number, name), as_json)


def _add_operation(verb: EnvironmentVerb) -> None:
    @env.command(verb.value, help=_OPERATIONS[verb])
    @_NAME
    @click.argument("commit", default="")
    @click.option("--reason", default="", help="Why; kept with the verb.")
    @click.option("--stdin", "from_stdin", is_flag=True, help="Read the reason from standard input.")
    @click.pass_obj
    def say(caller: Caller, name: str, commit: str, reason: str, from_stdin: bool) -> None:
        message = verb_words.read_message() if from_stdin else reason
        answer = say_operation(caller, _sitting(caller), verb, name, commit, message)
        if isinstance(answer, Refusal):
            _print(answer, None, False)
        raise SystemExit(0 if answer is True else 1)


_OPERATIONS = {
    EnvironmentVerb.DEPLOY: "Deploy what is desired now, without waiting for the next retry.",
    EnvironmentVerb.ROLLBACK: "Go back to this commit, or to the last good one, until the branch moves on.",
    EnvironmentVerb.PAUSE: "Begin nothing until it is resumed; what runs goes on.",
    EnvironmentVerb.RESUME: "End a pause or a rollback.",
    EnvironmentVerb.CANCEL: "End the run under way, and do not begin it again by itself.",
}

for _operation in EnvironmentVerb:
    _add_operation(_operation)
