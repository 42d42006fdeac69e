"""Refused updates and the end of every deployment, as lines in the server's journal."""

import os

from gitops_hooks.plugin import (
    Decision,
    Deployment,
    Notice,
    Outcome,
    Push,
    Requirement,
    Status,
    Verdict,
    hookimpl,
    write_journal,
)


@hookimpl
def gitops_decided(push: Push, decision: Decision) -> None:
    """What was refused, and what was accepted in spite of a rule; the rest stands in the repository's own log."""
    if not decision.accepted:
        refused = [requirement for requirement in decision.requirements if not requirement.holds]
        _decided("refused", push, decision, refused, [verdict for verdict in decision.verdicts if verdict.refuses])
        return
    for kind, status in (("overridden", Status.OVERRIDDEN), ("evaluated", Status.BYPASSED)):
        found = [requirement for requirement in decision.requirements if requirement.status is status]
        verdicts = [verdict for verdict in decision.verdicts if verdict.waived is status]
        if found or verdicts:
            _decided(kind, push, decision, found, verdicts)


def _decided(
    kind: str, push: Push, decision: Decision, requirements: list[Requirement], verdicts: list[Verdict]
) -> None:
    facts: dict[str, str | int] = {
        "repository": push.repository,
        "actor": push.actor.name,
        "key": push.actor.key,
        "ref": decision.ref,
        "rules": " ".join(requirement.rule for requirement in requirements),
        "checks": " ".join(verdict.check for verdict in verdicts),
        "reason": "; ".join(requirement.reason for requirement in requirements),
    }
    _write(kind, facts)


@hookimpl
def gitops_deployed(deployment: Deployment, outcome: Outcome, notice: Notice) -> None:
    """Every end of a deployment, with what it changed and what became of its hosts."""
    facts: dict[str, str | int] = {
        "id": notice.id,
        "news": notice.news.value if notice.news else "",
        "repository": deployment.repository,
        "environment": deployment.environment.name,
        "commit": deployment.commit,
        "generation": deployment.generation,
        "state": outcome.state.value,
        "seconds": round(outcome.seconds),
        "hosts": " ".join(f"{host.name}={host.state.value}" for host in outcome.hosts),
        "detail": outcome.detail,
    }
    _write("deployed", facts)


def _write(kind: str, facts: dict[str, str | int]) -> None:
    if home := os.environ.get("GITOPS_HOOKS_HOME"):
        write_journal(home, kind, facts)
