"""Values are those of the standard library's dataclasses in all that the project uses of them."""

import copy
import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from typing import Any

import pytest

from gitops_hooks.model import lazy_dataclass


def classes(dataclass: Callable[..., Any]) -> dict[str, Any]:
    """The same classes, made by either."""

    @dataclass(frozen=True, slots=True)
    class Point:
        """A place."""

        x: int
        y: int = 2
        names: tuple[str, ...] = ()

        @property
        def sum(self) -> int:
            return self.x + self.y

    @dataclass(frozen=True, slots=True)
    class Above(Point):
        z: int = 3
        hidden: str = field(default="secret", repr=False)

    @dataclass(frozen=True, slots=True)
    class Nothing:
        pass

    @dataclass(frozen=True, slots=True)
    class One:
        only: str

    @dataclass(frozen=True, slots=True)
    class Names:
        self_: int
        set: int = 1
        default_set: int = 2
        not_given: list[int] = field(default_factory=list)
        set_field: int = 3

    @dataclass(frozen=True, slots=True, eq=False)
    class Node:
        tag: str

    @dataclass(slots=True)
    class Book:
        title: str
        lines: list[str] = field(default_factory=list)
        count: int = field(init=False, default=7)
        pages: dict[str, int] = field(init=False, default_factory=dict)
        told: str = ""
        later: str = field(init=False)

        def __post_init__(self) -> None:
            self.later = self.title.upper()

    return {cls.__name__: cls for cls in (Point, Above, Nothing, One, Names, Node, Book)}


OURS, THEIRS = classes(lazy_dataclass.dataclass), classes(dataclasses.dataclass)
CALLS: list[tuple[str, tuple[object, ...], dict[str, object]]] = [
    ("Point", (1,), {}),
    ("Point", (1, 5), {"names": ("a", "b")}),
    ("Point", (), {"y": 1, "x": 2}),
    ("Point", (), {}),
    ("Point", (1, 2, (), 4), {}),
    ("Point", (1,), {"x": 2}),
    ("Point", (1,), {"w": 2}),
    ("Above", (1,), {"z": 9}),
    ("Above", (1, 2, ("n",), 3, "other"), {}),
    ("Nothing", (), {}),
    ("Nothing", (1,), {}),
    ("One", ("x",), {}),
    ("One", (), {}),
    ("Names", (1,), {}),
    ("Names", (1, 2, 3, [4], 5), {}),
    ("Names", (1,), {"set": 4, "not_given": [1], "set_field": 6}),
    ("Node", ("map",), {}),
    ("Book", ("t",), {}),
    ("Book", ("t", ["line"], "told"), {}),
    ("Book", ("t",), {"count": 1}),
]


def told(work: Callable[[], object]) -> str:
    """What comes of it in words that both must have in common."""
    try:
        return str(work()).replace("classes.<locals>.", "")
    except (TypeError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize(("name", "given", "words"), CALLS)
def test_a_value_is_made_shown_and_changed_as_there(
    name: str, given: tuple[object, ...], words: dict[str, object]
) -> None:
    ours, theirs = OURS[name], THEIRS[name]

    assert told(lambda: ours(*given, **words)) == told(lambda: theirs(*given, **words))
    for look in (dataclasses.astuple, dataclasses.asdict, copy.copy, copy.deepcopy):
        assert told(lambda see=look: see(ours(*given, **words))) == told(lambda see=look: see(theirs(*given, **words)))  # type: ignore[misc]
    for change in ({"x": 8}, {"only": "z"}, {"title": "new"}, {"tag": "seq"}):
        assert told(lambda new=change: dataclasses.replace(ours(*given, **words), **new)) == told(  # type: ignore[misc]
            lambda new=change: dataclasses.replace(theirs(*given, **words), **new)  # type: ignore[misc]
        )


@pytest.mark.parametrize("name", OURS)
def test_a_class_has_the_same_fields_words_and_places(name: str) -> None:
    ours, theirs = OURS[name], THEIRS[name]

    assert ours.__match_args__ == theirs.__match_args__
    assert ours.__slots__ == theirs.__slots__
    assert [one.name for one in dataclasses.fields(ours)] == [one.name for one in dataclasses.fields(theirs)]
    assert dataclasses.is_dataclass(ours) and ours.__qualname__ == theirs.__qualname__
    assert "dataclass" not in str(ours.__doc__)


@pytest.mark.parametrize(
    ("name", "given", "other"), [("Point", (1,), (2,)), ("One", ("a",), ("b",)), ("Nothing", (), None)]
)
def test_values_are_equal_and_hashed_by_their_fields(name: str, given: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    cls = OURS[name]

    assert cls(*given) == cls(*given) and hash(cls(*given)) == hash(cls(*given))
    assert cls(*given) != THEIRS[name](*given)
    if other:
        assert cls(*given) != cls(*other) and len({cls(*given), cls(*other), cls(*given)}) == 2


def test_what_is_not_to_be_equal_is_not_and_what_changes_has_no_hash() -> None:
    node = OURS["Node"]("map")
    assert node != OURS["Node"]("map") and node in {node}
    assert OURS["Point"](1) != OURS["Above"](1)
    assert OURS["Book"]("a") == OURS["Book"]("a")
    with pytest.raises(TypeError, match="unhashable"):
        hash(OURS["Book"]("a"))


def test_a_frozen_value_cannot_be_changed_and_others_share_nothing() -> None:
    point, book = OURS["Point"](1), OURS["Book"]("t")
    for change in (lambda: setattr(point, "x", 2), lambda: delattr(point, "x"), lambda: setattr(point, "w", 2)):
        with pytest.raises(FrozenInstanceError):
            change()
    book.lines.append("mine")
    assert OURS["Book"]("t").lines == [] and book.told == ""


@lazy_dataclass.dataclass(frozen=True, slots=True)
class Packed:
    """One that pickle finds by its name."""

    name: str
    parts: tuple[str, ...] = ()


@pytest.mark.parametrize("base", [OURS["Point"], THEIRS["Point"]])
@pytest.mark.parametrize("below", [dataclasses.dataclass, lazy_dataclass.dataclass])
def test_either_can_stand_below_the_other(base: Any, below: Callable[..., Any]) -> None:
    @below(frozen=True, slots=True)
    class Below(base):  # type: ignore[misc]
        w: int = 4

    assert str(Below(1, w=5)).endswith("Below(x=1, y=2, names=(), w=5)")
    assert Below(1) == Below(1) != Below(2)
    with pytest.raises(FrozenInstanceError):
        Below(1).x = 2
    with pytest.raises(TypeError, match="cannot inherit non-frozen dataclass from a frozen one"):
        below(slots=True)(type("Loose", (base,), {"__annotations__": {"v": int}, "v": 1}))


def test_a_match_takes_it_apart() -> None:
    match Packed("a", ("b",)):
        case Packed(name, (part,)):
            assert (name, part) == ("a", "b")
        case _:
            raise AssertionError


def test_it_is_pickled() -> None:
    assert pickle.loads(pickle.dumps(Packed("a", ("b",)))) == Packed("a", ("b",))


def test_all_are_completed_at_once_where_a_program_forks() -> None:
    program = """
import gitops_hooks.entry.pre_receive
from gitops_hooks.model import lazy_dataclass
before = len(lazy_dataclass._waiting)
lazy_dataclass.complete()
print(before > 100, len(lazy_dataclass._waiting))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "True 0\n"
