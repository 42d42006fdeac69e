"""Every value that a plan or a state marks as sensitive, from what `show -json` answers."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from gitops_hooks.plugin import EdgeError, Workplace
from gitops_hooks.plugins.granted import hider
from gitops_hooks.plugins.terraform.heard import Heard
from gitops_hooks.plugins.terraform.started import Started


def hide_values(
    started: Started, workplace: Workplace, values: Iterable[str], heard: Heard
) -> Callable[[str], str] | None:
    """What hides every sensitive value of state and plan in faults; None where they cannot be read."""
    if not heard.faults:
        return hider(workplace.credentials, values)
    try:
        shown = [started.show(), *([started.show(started.plan)] if started.plan.exists() else [])]
    except EdgeError:
        return None
    return hider(workplace.credentials, [*values, *(value for one in shown for value in secret_values(one))])


def secret_values(shown: Mapping[str, Any]) -> Iterator[str]:
    """Texts and numbers, as texts. What is sensitive whole gives every value inside."""
    for values in (shown.get("values"), shown.get("planned_values"), _of(shown, "prior_state").get("values")):
        yield from _of_values(_mapping(values))
    changes = [*_of(shown, "output_changes").values()]
    changes += [_of(one, "change") for one in _list(shown.get("resource_changes"))]
    changes += [_of(one, "change") for one in _list(shown.get("resource_drift"))]
    for change in map(_mapping, changes):
        for side in ("before", "after"):
            yield from _marked(change.get(side), change.get(f"{side}_sensitive"))
    declared = _of(_of(_of(shown, "configuration"), "root_module"), "variables")
    for name, variable in _of(shown, "variables").items():
        yield from _marked(_mapping(variable).get("value"), _of(declared, name).get("sensitive"))


def _of_values(values: Mapping[str, Any]) -> Iterator[str]:
    for output in _of(values, "outputs").values():
        yield from _marked(_mapping(output).get("value"), _mapping(output).get("sensitive"))
    waiting = [_of(values, "root_module")]
    while waiting:
        module = waiting.pop()
        for resource in _list(module.get("resources")):
            yield from _marked(resource.get("values"), resource.get("sensitive_values"))
        waiting += _list(module.get("child_modules"))


def _marked(value: object, mask: object) -> Iterator[str]:
    """The leaves of a value that its mask names, which is true or has the value's own shape."""
    waiting = [(value, mask)]
    while waiting:
        value, mask = waiting.pop()
        if isinstance(value, dict):
            inner = mask if isinstance(mask, dict) else {}
            waiting += [(one, True if mask is True else inner.get(name)) for name, one in value.items()]
        elif isinstance(value, list):
            masks = mask if isinstance(mask, list) else []
            found = [mask is True or (masks[index] if index < len(masks) else None) for index in range(len(value))]
            waiting += zip(value, found, strict=True)
        elif mask is True and isinstance(value, str | int | float) and not isinstance(value, bool):
            yield str(value)


def _of(found: object, name: str) -> Mapping[str, Any]:
    return _mapping(_mapping(found).get(name))


def _mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _list(found: object) -> list[Mapping[str, Any]]:
    return [_mapping(one) for one in found] if isinstance(found, list) else []
