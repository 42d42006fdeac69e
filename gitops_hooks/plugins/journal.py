"""Refused updates and the end of every deployment, as lines in the server's journal."""

import os

from gitops_hooks.plugin import Decision, Deployment, Outcome, Push, hookimpl, write_journal


@hookimpl
def gitops_decided(push: Push, decision: Decision) -> None:
    """Refusals only: what was accepted stands in the repository's own log."""
    if decision.accepted:
        return
    rules = [requirement.rule for requirement in decision.requirements if not requirement.holds]
    checks = [verdict.check for verdict in decision.verdicts if verdict.refuses]
    facts: dict[str, str | int] = {
        "repository": push.repository,
        "actor": push.actor.name,
        "key": push.actor.key,
        "ref": decision.ref,
        "rules": " ".join(rules),
        "checks": " ".join(checks),
        "reason": "; ".join(requirement.reason for requirement in decision.requirements if not requirement.holds),
    }
    _write("refused", facts)


@hookimpl
def gitops_deployed(deployment: Deployment, outcome: Outcome) -> None:
    """Every end of a deployment, with what became of its hosts."""
    facts: dict[str, str | int] = {
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
