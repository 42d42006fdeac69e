"""What a policy may say of an environment's gates, and every fault with its line."""

import pytest

from gitops_hooks.model.bounds import Window
from gitops_hooks.model.gates import OPEN, Gates
from tests.core.test_policy_file import branch, faults, parse

FORMS = "'Mon-Thu 09:00-16:00 Europe/Berlin' or 'Sat 08:00 - Sun 20:00'"


def entry(name: str, *lines: str) -> str:
    head = (f"- name: {name}", "  branch: main", "  playbook: site.yml", f"  inventory: {name}")
    return "\n".join((*head, *(f"  {line}" for line in lines))) + "\n"


def policy(*entries: str) -> str:
    return branch() + "environments:\n" + "".join(entries)


def test_all_of_it_is_read():
    text = policy(
        entry("staging"),
        entry(
            "production",
            "manual: true",
            "paused: until the audit is over",
            "after: staging",
            "soak: 30m",
            "windows: ['Sat 22:00-02:00 Europe/Berlin']",
            "freeze: ['Mon 08:00 - Mon 12:00']",
            "manual_sync: true",
        ),
    )
    staging, production = parse(text).environments
    assert staging.gates == OPEN
    assert production.gates == Gates(
        manual=True,
        paused="until the audit is over",
        after=("staging",),
        soak=1800,
        windows=(Window("policy.yaml:17", "Sat 22:00-02:00 Europe/Berlin", "Europe/Berlin", weekly=(8520, 8760)),),
        freeze=(Window("policy.yaml:18", "Mon 08:00 - Mon 12:00", "UTC", weekly=(480, 720)),),
        manual_sync=True,
    )
    assert parse(policy(entry("a", "after: [b, c]"), entry("b"), entry("c"))).environments[0].gates.after == ("b", "c")
    assert parse(policy(entry("a", "paused: true"))).environments[0].gates.paused == "no reason is given"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("manual: maybe", "manual must be yes or no, not text"),
        ("paused: [x]", "paused must be text, not a list"),
        ("after: nowhere", "after: there is no environment nowhere; there are: a"),
        ("after: a", "after: a → a: an environment cannot wait for itself"),
        ("after: []", "after: [] waits for nothing; take it out"),
        ("after: Staging", "after: 'Staging' is not the name of an environment"),
        ("soak: 30m", "soak: needs after: it says how long those environments must be Healthy"),
        ("windows: Mon", "windows must be a list, not text"),
        ("windows: []", "windows: [] never opens; take it out, or write manual: true or paused: true"),
        ("windows: [soon]", f"windows: 'soon' is not of the form {FORMS}"),
        ("freeze: [soon]", "freeze: 'soon' is not of the form 'Fri 16:00 - Mon 09:00 Europe/Berlin' or "),
        ("manual_sync: true", "manual_sync: needs windows or freeze, which it lets env deploy pass"),
        ("window: x", "window: not enforced by this release; take it out"),
    ],
)
def test_a_fault_is_told_with_its_line(line, found):
    (number, message), *more = faults(policy(entry("a", line)))
    assert (number, message[: len(found)], more) == (9, found, [])


def test_a_soak_has_an_end():
    text = policy(entry("a", "after: b", "soak: 31d"), entry("b"))
    assert faults(text) == [(10, "soak: 31d is longer than 30d")]


def test_a_circle_is_told_at_each_of_its_places():
    text = policy(entry("a", "after: b"), entry("b", "after: [c]"), entry("c", "after: a"))
    assert faults(text) == [
        (9, "after: a → b → c → a: an environment cannot wait for itself"),
        (14, "after: b → c → a → b: an environment cannot wait for itself"),
        (19, "after: c → a → b → c: an environment cannot wait for itself"),
    ]
