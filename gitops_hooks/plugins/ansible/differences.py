"""The differences that `--check --diff` tells, as bounded text; withheld whole where a secret may stand in it."""

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from gitops_hooks.plugin import Difference, Say
from gitops_hooks.plugins.ansible.events import Listener, listed, mapping

_MOST_OF_HOST = 20
_MOST_TEXT = 4_000
_MOST_TEXT_OF_ALL = 512 * 1024
_MOST_LINES = 2_000
_CONTEXT = 2
_CUT = "\n… the rest is too long to be kept"
_WITHHELD = "its output is withheld"
# A template is written here first, to a name that is another one each time.
_OWN_COPY = re.compile(r"\S*/ansible-local-[^/\s]+/[^/\s]+(/(?=\S))?")


class Differences(Listener):
    """A listener that keeps what each task would change on each host."""

    def __init__(self, project: Path, say: Say, withhold: Callable[[str], str]) -> None:
        super().__init__(project, say, withhold)
        self.found: dict[str, list[Difference]] = {}
        self._kept = 0

    def _take_result(self, kind: str, host: str, event: Mapping[str, object]) -> None:
        super()._take_result(kind, host, event)
        result = mapping(event.get("res"))
        found = self.found.setdefault(host, [])
        if kind == "runner_on_ok" and result.get("changed") is True and len(found) < _MOST_OF_HOST:
            text = self._text(result)
            self._kept += len(text)
            found.append(Difference(self._place(event), self._name(event), text))

    def _text(self, result: Mapping[str, object]) -> str:
        if "censored" in result or result.get("_ansible_no_log"):
            return f"{_WITHHELD} (no_log)"
        text = _OWN_COPY.sub("", "\n".join(_differences(result)).replace(self._project, ""))
        if not text:
            return ""
        if instead := self._withhold(text):
            return instead
        if self._kept >= _MOST_TEXT_OF_ALL:
            return _CUT.strip()
        return text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT] + _CUT


def is_withheld(one: Difference) -> bool:
    """Whether its text is not told since a secret may stand in it."""
    return one.text.startswith(_WITHHELD)


def _differences(result: Mapping[str, object]) -> Iterator[str]:
    for one in (result, *listed(result.get("results"))):
        diff = one.get("diff")
        for each in listed(diff) if isinstance(diff, list) else (mapping(diff),):
            if text := _difference(each):
                yield text


def _difference(diff: Mapping[str, object]) -> str:
    """Lines with `-` stand on the host, those with `+` would stand there."""
    if prepared := diff.get("prepared"):
        return str(prepared).rstrip("\n")
    if diff.get("src_binary") or diff.get("dst_binary"):
        return "binary files differ"
    if diff.get("src_larger") or diff.get("dst_larger"):
        return "files differ that are too large to be compared"
    before, after = (_side(diff.get(name)) for name in ("before", "after"))
    names = (str(diff.get("before_header") or "before"), str(diff.get("after_header") or "after"))
    return "\n".join(difflib.unified_diff(before, after, *names, n=_CONTEXT, lineterm=""))


def _side(found: object) -> list[str]:
    text = found if isinstance(found, str) else json.dumps(found, indent=1, sort_keys=True, default=str)
    return (text if found is not None else "").splitlines()[:_MOST_LINES]
