"""The commands of `change`, `env`, `policy` and `owners`, run for one caller, over SSH and on the server's shell."""

import importlib
import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from gitops_hooks.edge.pushes import open_push
from gitops_hooks.entry.caller import Caller
from gitops_hooks.entry.click_run import run_click
from gitops_hooks.entry.vocabulary import WRITING


def run_group(group: str, words: Sequence[str], shown: str, caller: Caller | None) -> int:
    """Run `words` of this group; answers the exit code. No caller is enough for `--help`."""
    module = "policy_words" if group in ("policy", "owners") else "words"
    commands = getattr(importlib.import_module(f"gitops_hooks.entry.{module}"), group)
    with _marked(group, words, caller):
        return run_click(commands, shown, words, caller)


def _marked(group: str, words: Sequence[str], caller: Caller | None) -> AbstractContextManager[object]:
    """A word that writes is marked like a push, so that what it leaves when it is killed is swept."""
    if caller is None or (group, *words[:1]) not in WRITING:
        return nullcontext()
    return open_push(caller.home, caller.repository, secrets.token_hex(16))
