"""How often hosts are looked at, and whether they are brought back, as the policy says it."""

import pytest

from tests.core.test_policy_file import faults, parse
from tests.core.test_policy_gates import entry, policy


@pytest.mark.parametrize(
    ("lines", "read"),
    [
        ((), (0, False)),
        (("drift: 1m",), (60, False)),
        (("drift: 30d", "self_heal: true"), (30 * 86400, True)),
        (("drift: 1h", "self_heal: false"), (3600, False)),
    ],
)
def test_both_keys_are_read(lines, read):
    environment = parse(policy(entry("staging", *lines))).environments[0]
    assert (environment.drift, environment.self_heal) == read


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("drift: 59s",), "drift: 59s is shorter than 1m"),
        (("drift: 31d",), "drift: 31d is longer than 30d"),
        (("drift: often",), "drift: 'often' is not a time such as 30m, 24h or 7d"),
        (("self_heal: true",), "self_heal: needs drift: it says how often the hosts are looked at"),
    ],
)
def test_a_fault_says_what_is_wrong(lines, told):
    assert [words for _, words in faults(policy(entry("staging", *lines)))] == [told]
