"""A fork goes on for so many pushes, while it has not grown, and runs nothing that the house does not look after."""

import json
import subprocess
import sys

import pytest

from tests.world import ROOT

# In a fork, as it is: what the kernel tells of a program that was started counts what started it, too.
SCRIPT = """\
import json, os, sys
sys.path.append(sys.argv[1])
from gitops_hooks.entry.serving_place import Strength
if os.fork():
    os.wait()
    sys.exit()

class House:
    knows = True

    def knows_all(self):
        return self.knows

house = House()
strength = Strength(house)
said = [strength.lasts() for _ in range(3)]
exec(sys.argv[2])
print(json.dumps([*said, *(strength.lasts() for _ in range(int(sys.argv[3])))]))
"""


@pytest.mark.parametrize(
    ("deed", "more", "expected"),
    [
        ("pass", 98, [True] * 99 + [False, False]),
        ("bytearray(8 * 1024 * 1024)", 1, [True] * 4),
        ("bytearray(b'x') * (64 * 1024 * 1024)", 1, [True] * 3 + [False]),
        ("house.knows = False", 1, [True] * 3 + [False]),
    ],
    ids=["a hundred pushes", "grown a little", "grown", "loaded more"],
)
def test_it_goes_on_while_it_is_what_it_was(deed: str, more: int, expected: list[bool]) -> None:
    words = [sys.executable, "-c", SCRIPT, str(ROOT), deed, str(more)]
    said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
    assert json.loads(said) == expected
