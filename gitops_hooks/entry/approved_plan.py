"""Which approved plan a deployment keeps to: that of the newest landing which it brings, of its environment."""

from itertools import islice

from gitops_hooks.core.approved_plan import environment_key, items_of
from gitops_hooks.core.log_state import PINNED
from gitops_hooks.edge.plan_notes import digest_key, read_plan
from gitops_hooks.edge.record import LOG
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.approved_plan import ApprovedPlan
from gitops_hooks.model.change_plan import NOTHING, PlanMade
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.event import Finished, Landing, Started
from gitops_hooks.model.event_words import Word
from gitops_hooks.model.policy import Environment

_MOST_BACK = 1000
_MOST_RUNS = 200


def approved_for(
    sitting: Sitting, environment: Environment, commit: str, record: str, carries: tuple[Word, ...]
) -> ApprovedPlan | None:
    """The plan, or None where none had to be approved.

    A way back, and another run of what is live there, bring what was approved before.
    """
    live = sitting.repository.tip(f"refs/environments/{environment.name}/deployed")
    if PINNED in carries or live == commit:
        return None
    found = _find(sitting, environment, record, live)
    if found is None or isinstance(found, ApprovedPlan):
        return found
    landing, made = found
    return _describe(sitting, environment, landing, made, commit)


def _find(
    sitting: Sitting, environment: Environment, record: str, live: str
) -> tuple[Landing, PlanMade] | ApprovedPlan | None:
    """The newest landing on the way from what is live that rested on a plan of this environment."""
    reading, left = False, _MOST_BACK
    for event in sitting.record.events(LOG):
        left -= 1
        landing = event.body
        if event.oid == record and not isinstance(landing, Landing):
            # An administrator put the branch there, by a word of their own.
            return None
        reading = reading or event.oid == record
        if left < 0:
            return ApprovedPlan("the plan of its landing", why="it lies too far back in the record")
        if not reading or not isinstance(landing, Landing) or landing.ref != environment.branch:
            continue
        if landing.new == live or not landing.plan:
            # Nothing of it is missing there, or no rule asked for a plan then.
            return None
        if landing.plan != NOTHING and (found := _made(sitting, environment, landing)):
            return found
    return None


def _made(
    sitting: Sitting, environment: Environment, landing: Landing
) -> tuple[Landing, PlanMade] | ApprovedPlan | None:
    """The plan that a landing rested on, where it was one of this environment."""
    name = f"the plan of change {landing.change}"
    try:
        record = sitting.record.change_as_of(landing.change, landing.meta)
    except EdgeError as error:
        return ApprovedPlan(name, why=str(error))
    made = next((one for one in record.plans if one.event == landing.plan), None) if record else None
    if made is None:
        return ApprovedPlan(name, why="its record is gone")
    return (landing, made) if any(one.name == environment.name for one in made.environments) else None


def _describe(
    sitting: Sitting, environment: Environment, landing: Landing, made: PlanMade, commit: str
) -> ApprovedPlan:
    name = f"plan {made.digest[:12]} of change {landing.change}"
    digest = next(one.digest for one in made.environments if one.name == environment.name)
    try:
        key = environment_key(digest_key(sitting.state), environment.name)
        notes = read_plan(sitting.state, landing.change, made.digest)
    except OSError as error:
        return ApprovedPlan(name, why=f"the key of plans cannot be read: {error.strerror}")
    plan = notes.plans.get(environment.name) if notes else None
    items = items_of(plan, key) if plan else ()
    return ApprovedPlan(name, made.tree, key, digest, items, _begun(sitting, environment, commit))


def _begun(sitting: Sitting, environment: Environment, commit: str) -> bool:
    """Whether an earlier run of this commit may have brought something of it there."""
    events = islice(sitting.record.events(f"refs/environments/{environment.name}/log"), _MOST_RUNS)
    found = [event.body for event in events]
    starts = sum(isinstance(body, Started) and body.commit == commit for body in found)
    # One of which no end is recorded may have done anything.
    untouched = sum(isinstance(body, Finished) and body.commit == commit and _is_untouched(body) for body in found)
    return starts > untouched


def _is_untouched(body: Finished) -> bool:
    return bool(body.hosts) and all(host.untouched for host in body.hosts)
