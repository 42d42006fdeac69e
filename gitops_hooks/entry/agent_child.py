"""One round of an agent as a program of its own: what it loads and opens goes with it."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from gitops_hooks.edge.agent_toml import load_agent
from gitops_hooks.entry import guard
from gitops_hooks.entry.agent import say
from gitops_hooks.entry.agent_round import Round


def main(words: Sequence[str]) -> int:
    """`FILE`: the exit code of the round."""
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    signal.signal(signal.SIGINT, lambda number, _: asked.append(number))
    file = load_agent(Path(words[0]))
    return guard.command(lambda: Round(file, say, lambda: bool(asked)).go().code, "agent", os.environ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:]))  # behind the import path (launch_box.own_program)
