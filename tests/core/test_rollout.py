"""What the policy says of batches and health, and what a share of hosts is."""

import pytest

from gitops_hooks.model.rollout import AT_ONCE, HealthCheck, HealthKind, Rollout, Share
from tests.core.test_policy_file import environment, faults, parse


@pytest.mark.parametrize(
    ("share", "hosts", "count"),
    [
        (Share(3), 40, 3),
        (Share(3), 2, 3),
        (Share(25, percent=True), 40, 10),
        (Share(25, percent=True), 41, 11),
        (Share(1, percent=True), 3, 1),
        (Share(100, percent=True), 7, 7),
    ],
)
def test_a_part_of_a_host_counts_as_one(share, hosts, count):
    assert share.of(hosts) == count


@pytest.mark.parametrize(
    ("share", "found", "hosts", "exceeded"),
    [
        (Share(0), 1, 9, True),
        (Share(0), 0, 9, False),
        (Share(1), 1, 1, False),
        (Share(1), 2, 9, True),
        (Share(25, percent=True), 1, 4, False),
        (Share(25, percent=True), 2, 4, True),
        (Share(25, percent=True), 1, 3, True),
        (Share(0, percent=True), 1, 9, True),
    ],
)
def test_a_limit_is_exceeded_by_more_and_not_by_as_many(share, found, hosts, exceeded):
    assert share.exceeded(found, hosts) is exceeded


def test_batches_are_read_as_they_stand():
    found = parse(environment(batches="[1, 25%, 100%]", max_failed="10%")).environments[0]
    batches = (Share(1), Share(25, percent=True), Share(100, percent=True))
    assert found.rollout == Rollout(batches, Share(10, percent=True))
    assert parse(environment(batches="[5]")).environments[0].rollout == Rollout((Share(5),), Share(0))
    assert parse(environment()).environments[0].rollout == AT_ONCE


def test_what_follows_a_failure_is_read_as_it_stands():
    assert parse(environment(on_failure="rollback")).environments[0].rolls_back
    assert not parse(environment(on_failure="stop")).environments[0].rolls_back
    assert not parse(environment()).environments[0].rolls_back


def test_health_is_read_as_it_stands():
    lines = "[{tcp: 443}, {http: 'https://{host}:8443/healthz', status: 204, retries: 0, delay: 0s}, "
    lines += "{command: systemctl is-active nginx, timeout: 2m}, {playbook: health.yml}]"
    assert parse(environment(health=lines)).environments[0].rollout.health == (
        HealthCheck(HealthKind.TCP, "443", timeout=10, retries=3, delay=5),
        HealthCheck(HealthKind.HTTP, "https://{host}:8443/healthz", status=204, retries=0, delay=0),
        HealthCheck(HealthKind.COMMAND, "systemctl is-active nginx", timeout=120),
        HealthCheck(HealthKind.PLAYBOOK, "health.yml", timeout=300),
    )


_KINDS = "tcp, http, command, playbook"
_HTTP = "http://{host}, with a port and a path where they are needed; {host} stands for the host's address"
_NUMBER = "a number of hosts from 1 to 9999 or a part such as 25%"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ({"batches": "2"}, [(9, "batches must be a list, not a number")]),
        ({"batches": "[]"}, [(9, "batches: an empty list would deploy to nobody; write [100%] for all hosts at once")]),
        ({"batches": "[0]"}, [(9, f"batches: '0' is not {_NUMBER}")]),
        ({"batches": "[0%]"}, [(9, f"batches: '0%' is not {_NUMBER}")]),
        ({"batches": "[101%]"}, [(9, f"batches: '101%' is not {_NUMBER}")]),
        ({"batches": "[-1]"}, [(9, f"batches: '-1' is not {_NUMBER}")]),
        ({"batches": "[1, true]"}, [(9, f"batches: 'true' is not {_NUMBER}")]),
        ({"batches": "['2']"}, [(9, f"batches: '2' is not {_NUMBER}")]),
        (
            {"batches": "[1]", "max_failed": "some"},
            [(10, "max_failed: 'some' is not a number of hosts from 0 to 9999 or a part such as 25%")],
        ),
        (
            {"max_failed": "1"},
            [(9, "max_failed says which batch is the last, and there are no batches; add them, or take it out")],
        ),
        (
            {"deployer": "other", "batches": "[1]", "max_failed": "1"},
            [
                (10, "batches: only the deployer ansible knows it; take it out"),
                (11, "max_failed: only the deployer ansible knows it; take it out"),
            ],
        ),
        (
            {"limit": "all", "max_changed": "20%"},
            [(10, "max_changed: with limit: all every deployment visits all hosts; take one of them out")],
        ),
        ({"max_changed": "0"}, [(9, f"max_changed: '0' is not {_NUMBER}")]),
        ({"health": "[]"}, [(9, "health: an empty list asks nothing; take it out")]),
        ({"health": "[{timeout: 1s}]"}, [(9, f"an entry of health asks one thing: {_KINDS}")]),
        ({"health": "[{tcp: 1, command: 'true'}]"}, [(9, f"an entry of health asks one thing: {_KINDS}")]),
        ({"health": "[{tcp: 0}]"}, [(9, "tcp: '0' is not a number from 1 to 65535")]),
        ({"health": "[{tcp: 65536}]"}, [(9, "tcp: '65536' is not a number from 1 to 65535")]),
        ({"health": "[{tcp: 1, status: 200}]"}, [(9, "status: only http answers with one, tcp does not")]),
        ({"health": "[{http: 'http://example.org/'}]"}, [(9, f"http: 'http://example.org/' is not {_HTTP}")]),
        (
            {"health": "[{http: 'http://{host}@example.org/'}]"},
            [(9, f"http: 'http://{{host}}@example.org/' is not {_HTTP}")],
        ),
        ({"health": "[{http: 'http://{host}:70000/'}]"}, [(9, "http: 70000 is no port")]),
        ({"health": "[{http: 'http://{host}', status: 99}]"}, [(9, "status: '99' is not a number from 100 to 599")]),
        ({"health": "[{command: ''}]"}, [(9, "command: '' is not a command on one line")]),
        ({"health": "[{playbook: /etc/x}]"}, [(9, "playbook: '/etc/x' must be relative to the repository")]),
        ({"health": "[{tcp: 1, timeout: 0s}]"}, [(9, "timeout: '0s' is not a time from 1s to 10m, such as 10s or 2m")]),
        ({"health": "[{tcp: 1, timeout: 5}]"}, [(9, "timeout must be text, not a number; write it in quotes")]),
        ({"health": "[{tcp: 1, retries: 101}]"}, [(9, "retries: '101' is not a number from 0 to 100")]),
        ({"health": "[{tcp: 1, delay: 11m}]"}, [(9, "delay: '11m' is not a time from 0s to 10m, such as 10s or 2m")]),
        (
            {"health": "[{tcp: 1, port: 2}]"},
            [(9, f"unknown key 'port'; allowed here: {_KINDS}, status, timeout, retries, delay")],
        ),
    ],
)
def test_a_fault_in_a_rollout_is_told_with_its_line(lines, found):
    assert faults(environment(**lines)) == found
