"""A server whose git can be told where to die, and what alice and bob do on it."""

from dataclasses import dataclass
from pathlib import Path

from tests.answers import Result, change_number
from tests.world import World

_TRIES = 6


@dataclass
class Faulty:
    """A world whose git can be told where to die."""

    world: World
    count: int = 0

    @property
    def point(self) -> Path:
        return self.world.folder / "faults" / "point"

    def arm(self, when: str, who: str, pattern: str) -> None:
        self.point.write_text(f"{when} {who} {pattern}")

    def commit(self) -> str:
        """A new commit of alice's on top of main; answers its file."""
        self.count += 1
        self.world.start_over("alice")
        name = f"files/{self.count}.yml"
        self.world.commit("alice", {name: f"number: {self.count}\n"})
        return name

    def propose(self) -> Result:
        return self.world.git("alice", "push", "origin", f"HEAD:refs/for/main/t{self.count}")

    def proposed(self) -> int:
        """A change that waits for its approval."""
        self.commit()
        return change_number(self.propose().must())

    def settle(self) -> None:
        """What the reconciler does within seconds."""
        for _ in range(_TRIES):
            done = self.world.reconcile_once()
            if done.code == 0:
                return
        raise AssertionError(f"the reconciler does not come to rest:\n{done.err}")

    def state_of(self, number: int) -> str:
        events = self.world.events(f"refs/changes/{number}/meta")
        return str(events[-1].fact("Event"))
