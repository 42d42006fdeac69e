"""Words over SSH: a listed few, with listed options, for the actor's own rights."""

import json
import sys

from gitops_hooks.edge.home import Home
from gitops_hooks.entry.caller import Caller, choose_repository, readable
from gitops_hooks.entry.groups import run_group
from gitops_hooks.entry.vocabulary import HELP, LISTED, LOCAL, LOCAL_WORDS, OWN, is_later
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.people import People
from gitops_hooks.model.push import Actor
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.server import ServerFile

_RULE = "words"
_REPOSITORY = ("-R", "--repo")


@dataclass(frozen=True, slots=True)
class Asked:
    """Words taken apart: `-R` is out, everything else stays in its order."""

    repository: str
    words: tuple[str, ...]


def run_words(home: Home, server: ServerFile, people: People, actor: Actor, words: tuple[str, ...]) -> int | Refusal:
    """Run one listed command as this actor; answers its exit code."""
    if not words or words[0] in ("help", "--help", "-h"):
        sys.stdout.write(
            HELP if words else f"Hello {actor.name}. There is no shell here; this is what there is:\n\n{HELP}"
        )
        return 0
    asked = take_repository(words)
    if isinstance(asked, Refusal):
        return asked
    if refusal := _refuse(asked.words):
        return refusal
    if asked.words[0] == "whoami":
        return _whoami(server, actor, "--json" in asked.words)
    repository = choose_repository(server, actor, asked.repository)
    if isinstance(repository, Refusal):
        return repository
    caller = Caller(home, server, people, repository, actor)
    return run_group(asked.words[0], asked.words[1:], asked.words[0], caller)


def take_repository(words: tuple[str, ...]) -> Asked | Refusal:
    """Take `-R NAME`, `--repo NAME` or `--repo=NAME` out, wherever it stands; twice is refused."""
    named, rest, left = [], [], list(words)
    while left:
        word = left.pop(0)
        if word in _REPOSITORY:
            if not left:
                return Refusal(_RULE, f"{word} needs the name of a repository")
            named.append(left.pop(0))
        elif word.startswith("--repo="):
            named.append(word.removeprefix("--repo="))
        else:
            rest.append(word)
    if len(named) > 1:
        return Refusal(_RULE, "-R names one repository, once")
    if not rest:
        return Refusal(_RULE, "no command", "What there is:  help")
    return Asked("".join(named), tuple(rest))


def _refuse(words: tuple[str, ...]) -> Refusal | None:
    listed = next((LISTED[words[:size]] for size in (1, 2) if words[:size] in LISTED), None)
    shown = " ".join(words[:2])
    if listed is not None:
        unlisted = [word for word in words if word.startswith("-") and word not in ("--json", *listed)]
        return Refusal(_RULE, f"'{shown}' has no option '{unlisted[0]}' here") if unlisted else None
    if words[:2] in LOCAL_WORDS:
        return Refusal(_RULE, f"'{shown}' is for the administrator, on the server's own shell")
    if words[0] in LOCAL:
        return Refusal(_RULE, f"'{words[0]}' is for the administrator, on the server's own shell")
    if words[0] in OWN:
        return Refusal(
            _RULE, f"'{words[0]}' runs on your own machine, without a server", f"gitops-hooks {shown} --help"
        )
    if is_later(words):
        return Refusal(_RULE, f"'{shown}' is not in this release", "What there is:  help")
    return Refusal(_RULE, f"there is no command '{shown}'", "What there is:  help")


def _whoami(server: ServerFile, actor: Actor, as_json: bool) -> int:
    rights = {entry.name: "write" if entry.may_write(actor.name) else "read" for entry in readable(server, actor)}
    if as_json:
        facts = {"name": actor.name, "kind": actor.kind.value, "key": actor.key, "repositories": rights}
        sys.stdout.write(json.dumps(facts) + "\n")
        return 0
    lines = [f"{actor.name} ({actor.kind.value}), key {actor.key}"]
    lines += [f"  {name}: {right}" for name, right in rights.items()] or ["  no repository that you may read"]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0
