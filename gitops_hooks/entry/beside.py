"""What the reconciler runs beside deployments, and never in their way: commands of changes, looks at hosts, plans."""

from collections.abc import Callable, Collection, Iterator, Sequence

from gitops_hooks.edge.command_run import RunningCommand
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.launch import RunningDeployment
from gitops_hooks.entry.commanding import Commanding
from gitops_hooks.entry.deploying import Run
from gitops_hooks.entry.drifting import Look, Looks
from gitops_hooks.entry.planning import Plans
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Beside:
    """All of it, an open resource."""

    commanding: Commanding
    looks: Looks
    plans: Plans

    @classmethod
    def open(cls, home: Home) -> "Beside":
        return cls(Commanding(home), Looks(home), Plans(home))

    @property
    def busy(self) -> bool:
        """Whether something runs whose end is to be recorded."""
        return bool(self.commanding.runs or self.looks.runs or self.plans.makings)

    @property
    def children(self) -> Iterator[RunningDeployment | RunningCommand]:
        """Readable whenever they have something to say."""
        yield from (run.child for run in self.commanding.runs)
        yield from self.looks.children
        yield from self.plans.children

    def obey_stop(self) -> None:
        """Nothing that goes to hosts runs while all deployments are stopped."""
        self.looks.obey_stop()
        self.plans.obey_stop()

    def look_at_commands(self, sitting: Sitting) -> tuple[str, ...]:
        """Whatever is wrong there keeps no deployment waiting."""
        return _fault("commands of changes are not run", lambda: self.commanding.look(sitting))

    def start_commands(self) -> str:
        """Start what has a place; what is wrong, or an empty string."""
        try:
            self.commanding.start()
        except (EdgeError, PolicyError) as error:
            return f"commands of changes are not run now: {error}"
        return ""

    def give_way(self, sitting: Sitting) -> None:
        """End what visits hosts that are deployed to now. Errors: EdgeError where it does not end."""
        self.looks.give_way(sitting)
        self.plans.give_way(sitting)

    def look_at_hosts(self, sitting: Sitting, calm: Collection[str]) -> Look:
        """Looks, where nothing is due and nothing is planned."""
        planned = self.plans.planned_in(sitting.entry.name)
        return self.looks.look(sitting, [name for name in calm if name not in planned])

    def look_at_plans(self, sitting: Sitting, busy: Collection[str], began: Sequence[Run]) -> tuple[str, ...]:
        """Plans, where nothing else visits the hosts."""
        seen = {environment for name, environment in self.looks.runs if name == sitting.entry.name}
        taken = {*busy, *seen, *(run.deployment.environment.name for run in began)}
        return _fault("plans of changes are not made", lambda: self.plans.look(sitting, taken))

    def listen(self, ready: list[object]) -> tuple[str, ...]:
        """A line for each that has ended, after which another look is due."""
        return (*self.commanding.listen(ready), *self.looks.listen(ready), *self.plans.listen(ready))

    def close(self) -> None:
        """End all of it; the next reconciler begins it again."""
        self.commanding.close()
        self.looks.close()
        self.plans.close()


def _fault(words: str, act: Callable[[], None]) -> tuple[str, ...]:
    try:
        act()
    except (EdgeError, OSError) as error:
        return (f"{words}: {error}",)
    return ()
