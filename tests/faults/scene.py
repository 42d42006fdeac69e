"""A server under test, with what is asked of it after every fault."""

import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gitops_hooks.edge import living
from gitops_hooks.edge.warm_place import MODULE
from tests.answers import Result
from tests.faults.failpoints import Faults
from tests.faults.invariants import Watch
from tests.push.desk import Desk
from tests.push.waiting_fork import without_waiting_forks
from tests.world import World

_END_SECONDS = 10.0
MAIN = "refs/heads/main"


@dataclass(slots=True)
class Scene:
    """The server, the desk at which everybody sits, and the invariants that watch it."""

    desk: Desk
    faults: Faults
    watch: Watch
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @classmethod
    def open(cls, world: World, faults: Faults) -> "Scene":
        return cls(Desk.beside(world), faults, Watch(world))

    @property
    def world(self) -> World:
        return self.desk.world

    def push(self, who: str, *words: str) -> Result:
        return self.desk.push(who, *words)

    def fresh(self, who: str = "alice", onto: str = MAIN) -> tuple[str, str]:
        """A new topic, and a commit with a file of its own."""
        topic = f"t{next(self.numbers)}"
        return topic, self.desk.commit(who, {f"{topic}.yml": f"name: {topic}\n"}, topic, onto=onto)

    def proposed(self) -> tuple[int, str, str]:
        """An open change of alice's: its number, topic and head."""
        topic, head = self.fresh()
        self.push("alice", f"{head}:refs/for/main/{topic}").must()
        return self.desk.newest(), topic, head

    def changes_at(self, head: str) -> list[int]:
        """The numbers of the changes whose own history proposes this commit."""
        found = [ref for ref in self.desk.refs() if ref.startswith("refs/changes/") and ref.endswith("/meta")]
        at = [ref for ref in found if any(fact.get("Head") == head for fact in self.facts(ref, "proposed"))]
        return sorted(int(ref.split("/")[2]) for ref in at)

    def facts(self, ref: str, kind: str):
        """The events of one kind on a history ref, oldest first."""
        self.watch.faults(settled=False)
        return [fact for fact in self.watch.chains[ref].facts if fact.kind == kind]

    def settle(self) -> None:
        """What a reconciler does when it comes by."""
        self.world.reconcile_once().must()

    def settle_refs(self) -> None:
        """Likewise where there are environments that cannot be deployed: their faults are the exit code."""
        self.world.reconcile_once()

    def hooks_at_work(self) -> str:
        """The command lines of the hooks that run, in one text."""
        # Each push has hooks of its own below the home.
        home = str(self.world.home.path)
        found = [one for one in living.list_living() if any(home in word and "/hooks/" in word for word in one.argv)]
        return " ".join(word for one in found for word in one.argv).replace("-", "_")

    def check(self, *, settled: bool) -> None:
        """Every invariant, and nothing of a push left where nobody pushes."""
        # Whoever still writes has ended before it is read.
        faults = [f"I7: still runs: {argv}" for argv in self.survivors()]
        faults += self.watch.faults(settled=settled)
        faults += [f"I6: left behind: {path}" for path in (self.leftovers() if settled else ())]
        assert not faults, "\n".join(faults)

    def survivors(self) -> list[tuple[str, ...]]:
        """I7: what still runs of a push some seconds after the client was told."""
        deadline = time.monotonic() + _END_SECONDS
        while (left := self._of_pushes()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return [one.argv for one in left]

    def _of_pushes(self) -> list[living.Living]:
        here = str(self.world.folder)
        found = [one for one in living.list_living() if any(here in word for word in one.argv)]
        # The warm judge is the server's, its forks are of pushes, but for the one that waits.
        judges = {one.pid for one in found if any(MODULE in word for word in one.argv)}
        warm = {one.pid for one in found if one.pid in judges and one.parent not in judges}
        known = ("sshd", "reconcile")
        mine = [one for one in found if not any(k in word for word in one.argv for k in known)]
        return without_waiting_forks(mine, warm)

    def leftovers(self) -> list[str]:
        """I6, I9: lock files, quarantines and folders of pushes that no longer live."""
        repository = self.world.seen(self.world.repository)
        names = [Path(folder, name) for folder, _, files in os.walk(repository) for name in files]
        found = [path for path in names if path.suffix == ".lock"]
        found += list((repository / "objects").glob("incoming-*")) + list((repository / "objects").glob("tmp_objdir-*"))
        found += list(self.world.seen(self.world.home.path).glob("state/*/pushes/*"))
        return [str(path) for path in found]
