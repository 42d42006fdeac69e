"""What must hold after every fault, read from the refs alone and not with the code that wrote them."""

from collections import Counter
from itertools import pairwise

from tests.answers import Event
from tests.world import World

MAIN = "refs/heads/main"
LOG = "refs/gitops/log"


def fact(event: Event, key: str) -> str:
    found = event.fact(key)
    assert found is not None, f"{event.commit} has no {key}"
    return found


def main_moves(world: World) -> list[Event]:
    """The landings on main that were carried out, oldest first."""
    events = world.events(LOG)
    done = {fact(event, "Landing") for event in events if event.fact("Event") == "landed"}
    return [event for event in events if event.commit in done and fact(event, "Ref") == MAIN]


def check(world: World) -> None:
    """I1, I10 and what the next push needs of I6: one unbroken, decided chain that ends where main stands."""
    events = world.events(LOG)
    numbers = [int(fact(event, "Number")) for event in events]
    assert numbers == list(range(1, len(events) + 1))
    _every_intent_ends_once(events)
    moves = main_moves(world)
    for earlier, later in pairwise(moves):
        assert fact(later, "Old") == fact(earlier, "New")
    if moves:
        assert fact(moves[-1], "New") == world.refs()[MAIN]
    for move in moves:
        assert fact(move, "Counted") == "bob" and fact(move, "Authors") == "alice"
        world.server_git("merge-base", "--is-ancestor", fact(move, "Old"), fact(move, "New"))
    landed = Counter(fact(move, "Change") for move in moves)
    assert all(count == 1 for count in landed.values()), landed
    _changes_agree(world, landed)


def _every_intent_ends_once(events: list[Event]) -> None:
    intents = [event.commit for event in events if event.fact("Event") == "landing"]
    ends = Counter(fact(event, "Landing") for event in events if event.fact("Event") in ("landed", "voided"))
    assert ends == Counter(intents)


def _changes_agree(world: World, landed: Counter[str]) -> None:
    """Each change's own history says landed exactly where the log does, and its head is its last revision."""
    refs = world.refs()
    for ref in [ref for ref in refs if ref.startswith("refs/changes/") and ref.endswith("/meta")]:
        events = world.events(ref)
        kinds = Counter(event.fact("Event") for event in events)
        number = ref.split("/")[2]
        assert kinds["change-landed"] == landed[number], (ref, kinds)
        revisions = [event for event in events if event.fact("Event") == "proposed"]
        assert refs[f"refs/changes/{number}/head"] == fact(revisions[-1], "Head")


def leftovers(world: World) -> list[str]:
    """Locks and quarantines that a dead process left in the repository, and marks of pushes that are over."""
    found = [str(path) for path in world.repository.rglob("*.lock")]
    found += [str(path) for path in (world.repository / "objects").glob("*incoming*")]
    state = next((world.home.path / "state").iterdir())
    return found + [str(path) for path in (state / "pushes").iterdir()]
