"""What an agent does next with a host."""

import dataclasses

import pytest

from gitops_hooks.core.agent_work import Agenda, Pace, plan_work
from gitops_hooks.model.agent_mark import EnvironmentMark, Standing, Target
from gitops_hooks.model.gates import OPEN, Gates
from gitops_hooks.model.policy import Environment

NOW = 1_000_000.0
DAY = 86400.0
PAUSED = Gates(paused="the disk is replaced")
TARGET = Target(5, "c" * 40, "e" * 40, "run", 6)


def stands(state="ok", sync="Synced", ago=10.0, generation=5, **more):
    return Standing(generation, "c" * 40, state, sync, 0, "", NOW - ago, **more)


def work(standing, *, drift=300, self_heal=True, paused=0, canceled=0, stopped="", gates=OPEN):
    """`apply` or `look`, or in how many seconds something is due (None: nothing is)."""
    environment = Environment(
        "staging", "refs/heads/main", "ansible", "", "", None, "policy:1", gates=gates, drift=drift, self_heal=self_heal
    )
    mark = EnvironmentMark("t" * 40, 9, None, (("web1", TARGET),), canceled, paused, stopped=stopped)
    agenda = plan_work(mark, {"web1": standing} if standing else {}, environment, NOW, Pace())
    if agenda.apply or agenda.look:
        (found,) = agenda.apply or agenda.look
        assert (found.target, found.hosts) == (TARGET, ("web1",))
        return "apply" if agenda.apply else "look"
    return round(agenda.due - NOW) if agenda.due else None


@pytest.mark.parametrize(
    ("standing", "terms", "expected"),
    [
        (None, {}, "apply"),
        (stands(generation=4), {}, "apply"),
        (stands(generation=4, state="failed", tries=9), {}, "apply"),
        (None, {"paused": 7}, None),
        # What was released after the pause was released in spite of it.
        (None, {"paused": 5}, "apply"),
        (None, {"canceled": 5}, None),
        (None, {"canceled": 4}, "apply"),
        (stands(), {"drift": 0}, None),
        (stands(ago=400), {}, "look"),
        (stands(ago=400), {"paused": 7}, None),
        (stands(ago=400), {"paused": 5}, None),
        (stands(sync="OutOfSync", ago=400, looked=NOW - 1), {}, "apply"),
        (stands(sync="OutOfSync", ago=400, looked=NOW - 400), {"self_heal": False}, "look"),
        (stands(sync="OutOfSync", looked=NOW, heals=1, ago=10), {}, 5),
        (stands(sync="OutOfSync", looked=NOW, heals=2, ago=31), {}, "apply"),
        # What was brought back is looked at again at once, and left alone after the third time.
        (stands(heals=1, looked=NOW - 20), {}, "look"),
        (stands(sync="OutOfSync", looked=NOW - 400, ago=500, heals=3), {}, "look"),
        (stands(state="failed", tries=1), {}, 5),
        (stands(state="failed", tries=1, ago=15), {}, "apply"),
        (stands(state="unreachable", tries=20, ago=899), {}, 1),
        (stands(state="unreachable", tries=20, ago=900), {}, "apply"),
        (stands(state="failed", tries=1, ago=900), {"paused": 7}, None),
        # Under the stop nothing is begun, tried again, looked at or brought back, whenever it was released.
        (None, {"stopped": "by the administrator"}, None),
        (stands(generation=4), {"stopped": "by the administrator"}, None),
        (stands(state="failed", tries=1, ago=900), {"stopped": "by the administrator"}, None),
        (stands(ago=400), {"stopped": "by the administrator"}, None),
        (stands(sync="OutOfSync", ago=400, looked=NOW - 1), {"stopped": "by the administrator"}, None),
        # Under a pause of the policy's as well, as the server does.
        (None, {"gates": PAUSED}, None),
        (stands(state="failed", tries=1, ago=900), {"gates": PAUSED}, None),
        (stands(sync="OutOfSync", ago=400, looked=NOW - 1), {"gates": PAUSED}, None),
        # A clock that was set back by a day.
        (stands(state="failed", tries=1, ago=-DAY), {}, "apply"),
        (stands(ago=-DAY), {}, "look"),
    ],
)
def test_what_is_due(standing, terms, expected):
    assert work(standing, **terms) == expected


def test_looks_are_spread_over_a_tenth_of_the_interval():
    due = {work(stands(ago=ago)) + ago for ago in range(1, 40)}
    assert min(due) >= 300 and max(due) <= 330 and len(due) > 5


def test_a_host_that_the_server_has_been_on_is_left_alone():
    left = dataclasses.replace(TARGET, pushed=True)
    environment = Environment(
        "staging", "refs/heads/main", "ansible", "", "", None, "policy:1", drift=300, self_heal=True
    )
    for standing in ({}, {"web1": stands(generation=4)}, {"web1": stands(sync="OutOfSync", ago=400)}):
        mark = EnvironmentMark("t" * 40, 9, None, (("web1", left),))
        assert plan_work(mark, standing, environment, NOW, Pace()) == Agenda()
