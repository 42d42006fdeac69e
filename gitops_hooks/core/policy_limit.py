"""The policy's `limit:` and `interval:` of an environment → whether deployments visit all hosts, and how often."""

import re

from gitops_hooks.core.policy_nodes import read_text
from gitops_hooks.core.policy_reading import Reading
from gitops_hooks.core.receive import shown
from gitops_hooks.core.yaml_text import Marked

SHORTEST, LONGEST = 10, 30 * 24 * 3600
_LIMIT = re.compile("reach|all")
_ANY = re.compile(r"[ -~]{1,40}")
_TIME = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}
_WORDS = "a time such as 30m, 6h or 1d"


def read_limit(node: Marked | None, reading: Reading) -> bool:
    """Whether each deployment visits all hosts."""
    return node is not None and read_text(node, "limit", reading.faults, _LIMIT, "reach or all") == "all"


def read_interval(node: Marked | None, reading: Reading) -> int:
    """Seconds from one run over all hosts to the next; 0 for never."""
    if node is None:
        return 0
    text = read_text(node, "interval", reading.faults, _ANY, _WORDS)
    found = _TIME.fullmatch(text)
    if found is None:
        if text:
            reading.complain(node, f"interval: '{shown(text)}' is not {_WORDS}")
        return 0
    seconds = int(found[1]) * _SECONDS[found[2]]
    if not SHORTEST <= seconds <= LONGEST:
        reading.complain(node, f"interval: {text} is not from 10s to 30d")
        return 0
    return seconds
