"""Which hosts follow which in a rollout, and when the next batch is not begun."""

import pytest

from gitops_hooks.plugin import HealthCheck, HealthKind, HostOutcome, HostState, Outcome, Rollout, RunState, Share
from gitops_hooks.plugins.ansible.batches import put_together, stop_reason
from gitops_hooks.plugins.ansible.health import Clinic, examine

ONE, QUARTER, ALL = Share(1), Share(25, percent=True), Share(100, percent=True)
TEN = tuple(f"web{number}" for number in range(10))


def end(**hosts: str) -> Outcome:
    found = tuple(HostOutcome(name, HostState(state)) for name, state in hosts.items())
    bad = " ".join(host.name for host in found if host.state is HostState.FAILED)
    return Outcome(RunState.FAILED if bad else RunState.SUCCESSFUL, found, detail=f"failed: {bad}" if bad else "")


@pytest.mark.parametrize(
    ("batches", "sizes"),
    [
        ((), [10]),
        ((ALL,), [10]),
        ((ONE, QUARTER, ALL), [1, 3, 6]),
        ((Share(3),), [3, 3, 3, 1]),
        ((ONE, Share(4)), [1, 4, 4, 1]),
        ((Share(40),), [10]),
    ],
)
def test_hosts_keep_their_order_and_each_is_in_one_batch(batches, sizes):
    found = Rollout(batches).cut(TEN)
    assert [len(batch) for batch in found] == sizes
    assert tuple(name for batch in found for name in batch) == TEN


def test_a_batch_is_bad_with_more_failed_hosts_than_the_policy_allows():
    two = end(a="ok", b="failed", c="failed", d="changed")
    assert stop_reason(two, Rollout((Share(4),))) == "2 of its 4 hosts failed, and max_failed is 0"
    assert stop_reason(two, Rollout((Share(4),), Share(2))) == ""
    assert stop_reason(two, Rollout((Share(4),), Share(49, percent=True))) != ""
    assert stop_reason(end(a="ok"), Rollout((Share(4),))) == ""
    assert stop_reason(end(a="unreachable"), Rollout((Share(4),))) == "1 of its 1 hosts failed, and max_failed is 0"


def test_a_batch_that_did_not_end_by_itself_is_the_last_whatever_is_allowed():
    late = Outcome(RunState.FAILED, end(a="failed").hosts, detail="did not end within 60 s")
    assert stop_reason(late, Rollout((ONE,), ALL)) == "did not end within 60 s"
    canceled = Outcome(RunState.CANCELED, end(a="ok").hosts, detail="ended on request")
    assert stop_reason(canceled, Rollout((ONE,), ALL)) == "ended on request"
    whole = put_together(("a", "b"), (), (canceled,), 2, "ended on request")
    assert (whole.state, whole.detail) == (
        RunState.CANCELED,
        "ended on request; stopped after batch 1 of 2; not begun: b",
    )


def test_hosts_that_were_set_aside_before_are_told_beside_the_batches():
    aside = HostOutcome("b", HostState.UNREACHABLE, detail="is down")
    whole = put_together(("a", "b", "c"), (aside,), (end(a="ok"), end(c="changed")), 2, "")
    assert (whole.state, whole.detail) == (RunState.FAILED, "unreachable: b")
    assert [host.state.value for host in whole.hosts] == ["ok", "unreachable", "changed"]
    good = put_together(("a", "c"), (), (end(a="ok"), end(c="changed")), 2, "")
    assert (good.state, good.detail) == (RunState.SUCCESSFUL, "")


@pytest.mark.parametrize("state", [RunState.ERROR, RunState.CANCELED])
def test_a_host_of_which_it_is_not_known_whether_it_is_well_has_failed(state):
    broken = Outcome(state, end(a="ok", b="unreachable").hosts, detail="broke off")
    canceled = state is RunState.CANCELED
    clinic = Clinic({}, None, None, None, lambda: canceled, lambda: 60.0)
    found = examine(broken, (HealthCheck(HealthKind.TCP, "1"),), clinic)
    assert [host.state.value for host in found.hosts] == ["failed", "unreachable"]
    assert found.hosts[0].detail == "the run ended before it was known whether it is well"
    assert found.state is state
    assert examine(broken, (), clinic) is broken
