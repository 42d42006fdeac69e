"""Lengths of time in the policy: `30m`, `24h`, `7d`."""

import re

from gitops_hooks.core.policy_nodes import read_text
from gitops_hooks.core.policy_reading import Reading
from gitops_hooks.core.receive import shown
from gitops_hooks.core.yaml_text import Marked

_TIME = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}
_WORDS = "a time such as 30m, 24h or 7d"


def read_seconds(node: Marked, what: str, longest_days: int, reading: Reading) -> int:
    """The seconds, or 0 where there is a fault."""
    text = read_text(node, what, reading.faults, re.compile(r"[ -~]{1,40}"), _WORDS)
    found = _TIME.fullmatch(text)
    if text and not found:
        reading.complain(node, f"{what}: '{shown(text)}' is not {_WORDS}")
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if seconds > longest_days * _SECONDS["d"]:
        reading.complain(node, f"{what}: {text} is longer than {longest_days}d")
    return seconds


def spoken(seconds: int) -> str:
    """`30m`, `1h 30m`, `2d`: as a policy says it."""
    parts = []
    for unit in ("d", "h", "m", "s"):
        count, seconds = divmod(seconds, _SECONDS[unit])
        parts += [f"{count}{unit}"] if count else []
    return " ".join(parts) or "0s"
