"""A revert that lands while what it reverts is deployed: that run is canceled, by the server's own word in the log."""

from collections.abc import Mapping

from gitops_hooks.core.plan import Held
from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.entry.aim import find_reverted, take_aim, would_hold
from gitops_hooks.entry.deploying import Run, environment_ref
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.environment_event import Canceled
from gitops_hooks.model.event_words import Oid, Text, Word
from gitops_hooks.model.policy import Environment


def pre_empt(sitting: Sitting, runs: Mapping[tuple[str, str], tuple[Run, object]]) -> None:
    """Once for each run; a reconciler that dies with it leaves the word to the next one."""
    for (name, environment_name), (run, _) in runs.items():
        environment = sitting.policy.environment(environment_name)
        if name == sitting.entry.name and environment is not None:
            pre_empt_run(sitting, environment, run.deployment.commit, run.deployment.generation)


def pre_empt_run(sitting: Sitting, environment: Environment, commit: str, generation: int) -> None:
    """Cancel the run of this commit where what has landed since takes it back."""
    standing = sitting.record.standing(environment.branch)
    if standing.recorded == commit or not standing.trusted:
        return
    good = _reverted(sitting, environment, commit, standing.recorded)
    if not good:
        return
    aim, ref = take_aim(sitting, environment), environment_ref(environment.name, "log")
    log = aim.log
    if log.canceled or log.finished or aim.desired != standing.recorded:
        # Who rolled back has said what is to run.
        return
    held = would_hold(sitting, environment, standing.recorded, log)
    if isinstance(held, Held) and held.gate != "after":
        # It would have to wait, with hosts that are neither here nor there.
        return
    words = f"{standing.recorded[:7]} brings it back to what {good[:7]} was"
    body = Canceled(Word(environment.name), Oid(commit), generation, Text(words))
    # Where somebody else has written in this moment, the next look sees what that was.
    sitting.ledger.append(ref, body, SERVER, expect=sitting.repository.tip(ref))


def _reverted(sitting: Sitting, environment: Environment, commit: str, tip: str) -> str:
    """What the branch has come back to since this commit, where that was good here and is another tree."""
    repository = sitting.repository
    later = repository.is_commit(commit) and repository.descends(tip, commit)
    if not later or repository.tree_of(commit) == repository.tree_of(tip):
        return ""
    return find_reverted(sitting, environment.name, tip)
