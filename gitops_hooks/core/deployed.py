"""The rule `deployed`: a branch takes nothing while what was landed before has not arrived."""

from collections.abc import Iterable

from gitops_hooks.core.govern import Governing
from gitops_hooks.model.verdict import Requirement, Status

NONE, SUCCESSFUL = "none", "successful"
_WORDS = {
    "running": "is running",
    "pending": "is about to begin",
    "failed": "failed",
    "error": "ended in an error",
    "canceled": "was canceled",
    "": "is not known",
}


def judge_deployed(governing: Governing, said: Iterable[str]) -> tuple[Requirement, ...]:
    """`said` are `environment:state` at the moment of the decision; what nobody said refuses."""
    states = dict(word.split(":", 1) for word in said)
    name = governing.ref.removeprefix("refs/heads/")
    return tuple(
        Requirement(
            "deployed",
            Status.UNSATISFIED,
            f"Nothing lands on {name} while the last deployment to {environment} {_spoken(state)}.",
            rule.place,
        )
        for rule in governing.rules
        for environment in rule.deployed
        if (state := states.get(environment, "")) not in (NONE, SUCCESSFUL)
    )


def _spoken(state: str) -> str:
    return _WORDS.get(state, f"is {state}")
