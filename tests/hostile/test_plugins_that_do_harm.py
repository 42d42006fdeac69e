"""Stories of plugins that hang, fork, eat and kill: each is an error of that check alone, and the push is refused."""

import pytest

from tests.hostile.ground import Ground
from tests.hostile.rogue import DEEDS, name_of

CHECK_SECONDS = 2
SAID = {
    "hang": f"took longer than {CHECK_SECONDS} s",
    "spin": f"took longer than {CHECK_SECONDS} s",
    "leave-others-behind": "left a program running",
    "fork-without-end": f"took longer than {CHECK_SECONDS} s",
    "eat-memory": "raised MemoryError",
    "print-a-gigabyte": "wrote to standard output",
    "exit-silently": "ended without an answer",
    # It is the first program of a namespace of its own, and there is nobody above.
    "kill-its-parents": "still runs after its deed",
    "crash": "killed by signal 11 (SIGSEGV)",
}


@pytest.mark.parametrize("name", [name_of(deed) for deed in DEEDS])
def test_a_check_that_does_harm_refuses_the_push_and_nothing_else(ground: Ground, name: str):
    found = SAID[name].startswith("still")
    told = ground.told("rogue", {f"rogue/{name}": "x\n"})
    assert told == f"checks {'rogue/' if found else ''}{name}: {SAID[name]}"


def test_several_that_do_harm_at_once_are_all_told(ground: Ground):
    names = ("eat-memory", "exit-silently", "crash")
    told = ground.told("rogue", {f"rogue/{name}": "x\n" for name in names})
    assert told == " ".join(["checks", *(f"{name}: {SAID[name]}" for name in names)])


def test_a_rule_of_rego_without_end_is_ended(ground: Ground):
    loops = "".join(f" some {name} in numbers.range(1, 30000)\n" for name in "xy")
    rule = f"deny contains `a` if {{\n{loops} x + y == input.a\n}}\n"
    test = "test_a if count(deny) == 0 with input as {`a`: 0}\n"
    head = "package main\n\nimport rego.v1\n\n"
    told = ground.told("rules", {"policy/a.rego": head + rule, "policy/a_test.rego": head + test})
    assert told == f"checks rego: took longer than {CHECK_SECONDS} s"
