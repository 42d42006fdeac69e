"""`dataclass` of the standard library, whose methods are not compiled before a first value is made.

A program that starts for each push makes some three hundred of these classes and uses a few: compiling the methods of
all was half of its start. Fields, `replace`, `astuple` and the rest are the standard library's own; decision 54 says
what else was looked at. A program that forks compiles what its forks need once, by `complete`.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # for type checkers it is the same
else:

    def dataclass(*, frozen: bool = False, slots: bool = False, eq: bool = True) -> Callable[[type], type]:
        """As dataclasses.dataclass with these three, for classes whose values are equal by all of their fields."""

        def make(cls: type) -> type:
            # Without these words the standard library would ask for the signature, which costs as much as all else.
            cls.__doc__ = cls.__doc__ or cls.__name__
            with _thawed(cls.__mro__[1:] if frozen else ()):
                made = dataclasses.dataclass(cls, init=False, repr=False, eq=False, slots=slots)
            made.__dataclass_params__.frozen = frozen
            for name, method in _methods(made, frozen=frozen, eq=eq):
                if name not in cls.__dict__:
                    setattr(made, name, method)
            return made

        return make


_waiting: dict[type, None] = {}
_MISSING = dataclasses.MISSING
_NOT_GIVEN = object()


def complete() -> None:
    """Compile now what is still to be compiled."""
    for cls in list(_waiting):
        _complete(cls)


@contextmanager
def _thawed(bases: Sequence[type]) -> Iterator[None]:
    """The standard library makes what freezes a class at once, and refuses to leave that out below a frozen one."""
    known = [getattr(base, "__dataclass_params__", None) for base in bases]
    frozen = [each for each in known if each and each.frozen]
    for each in frozen:
        each.frozen = False
    try:
        yield
    finally:
        for each in frozen:
            each.frozen = True


def _methods(cls: type, *, frozen: bool, eq: bool) -> list[tuple[str, object]]:
    names = tuple(field.name for field in dataclasses.fields(cls))
    values = _values(names)
    methods: list[tuple[str, object]] = [("__init__", _lazy_init(cls)), ("__repr__", _repr(cls))]
    if eq:
        methods.append(("__eq__", lambda one, other: _equal(one, other, values)))
        methods.append(("__hash__", (lambda one: hash(values(one))) if frozen else None))
    if frozen:
        methods += [("__setattr__", _refuse_to_set), ("__delattr__", _refuse_to_delete)]
        # What the pickle of a class with slots needs, since nothing can be set; an attrgetter alone is no method.
        methods += [
            ("__getstate__", lambda one: values(one)),
            ("__setstate__", lambda one, state: _restore(one, names, state)),
        ]
    return methods


def _values(names: tuple[str, ...]) -> Callable[[object], tuple[object, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda one: tuple(getattr(one, name) for name in names)


def _equal(one: object, other: object, values: Callable[[object], tuple[object, ...]]) -> bool:
    return values(one) == values(other) if other.__class__ is one.__class__ else NotImplemented


def _repr(cls: type) -> Callable[[Any], str]:
    shown = [field.name for field in dataclasses.fields(cls) if field.repr]

    def text(one: object) -> str:
        return f"{type(one).__qualname__}({', '.join(f'{name}={getattr(one, name)!r}' for name in shown)})"

    return text


def _refuse_to_set(one: object, name: str, value: object) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(one: object, name: str) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _restore(one: object, names: tuple[str, ...], state: tuple[object, ...]) -> None:
    for name, value in zip(names, state, strict=True):
        object.__setattr__(one, name, value)


def _lazy_init(cls: type) -> Callable[..., None]:
    _waiting[cls] = None

    def __init__(self: object, *args: object, **words: object) -> None:
        _complete(cls)(self, *args, **words)

    return __init__


def _complete(cls: type) -> Callable[..., None]:
    _waiting.pop(cls, None)
    fields = dataclasses.fields(cls)
    known: dict[str, Any] = {"_set_field": object.__setattr__, "_not_given": _NOT_GIVEN}
    known |= {f"_default_{field.name}": field.default_factory if _is_made(field) else field.default for field in fields}
    parameters = ", ".join(["self", *(_parameter(field) for field in fields if field.init)])
    lines = [f" _set_field(self, {field.name!r}, {value})" for field in fields if (value := _value(field))]
    lines += [" self.__post_init__()"] if hasattr(cls, "__post_init__") else []
    text = f"def __init__({parameters}):\n" + ("\n".join(lines) or " pass")
    exec(text, known)  # noqa: S102  # as the standard library does, of names that are fields
    init: Callable[..., None] = known["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    type.__setattr__(cls, "__init__", init)
    return init


def _parameter(field: "dataclasses.Field[Any]") -> str:
    if _is_made(field):
        return f"{field.name}=_not_given"
    return field.name if field.default is _MISSING else f"{field.name}=_default_{field.name}"


def _value(field: "dataclasses.Field[Any]") -> str:
    """What is put into the field, as it is written; empty where nothing is."""
    if not _is_made(field):
        return field.name if field.init else "" if field.default is _MISSING else f"_default_{field.name}"
    new = f"_default_{field.name}()"
    return f"{new} if {field.name} is _not_given else {field.name}" if field.init else new


def _is_made(field: "dataclasses.Field[Any]") -> bool:
    return field.default_factory is not _MISSING
