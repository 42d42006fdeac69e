"""How the cluster differs from what was deployed: `kubectl diff --server-side`, and no secret is told."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitops_hooks.plugin import Difference, Drift, EdgeError, HostDrift, Sync
from gitops_hooks.plugins.granted import WITHHELD
from gitops_hooks.plugins.kubernetes.inventory import read_inventory
from gitops_hooks.plugins.kubernetes.kubectl import is_unknown
from gitops_hooks.plugins.kubernetes.objects import SECRET, Manifest, Object

if TYPE_CHECKING:
    from gitops_hooks.plugins.kubernetes.deployer import Work

_MOST = 20
_MOST_TEXT = 4_000
_CUT = "\n… the rest is too long to be kept"
_SECONDS = 600.0
_SAME, _DIFFERENT = 0, 1
_HEAD = re.compile(r"^diff .*/(\S+)$")
_NEW = "@@ -0,0 "


@dataclass(slots=True)
class _Found:
    differences: list[Difference] = field(default_factory=list)
    unknown: str = ""


def find_drift(work: "Work") -> Drift:
    """Errors: Overtaken, Unreachable, Halted, EdgeError."""
    found = _Found()
    if not read_inventory(work.cluster, work.deployment, work.namespace).seen:
        found.differences.append(Difference("", "the inventory of this environment is gone"))
    work.telling.say("diff")
    _compare(work, work.manifests, found)
    sync = Sync.OUT if found.differences else (Sync.UNKNOWN if found.unknown else Sync.SYNCED)
    kept, more = tuple(found.differences[:_MOST]), max(0, len(found.differences) - _MOST)
    return Drift((HostDrift(work.telling.folder, sync, kept, more, found.unknown),))


def _compare(work: "Work", manifests: Sequence[Manifest], found: _Found) -> None:
    """All at once; where that fails one by one, since the failure of one hides the others."""
    path = work.cluster.lay("compared.yaml", [one.text for one in manifests])
    # Forced: a look is no attempt, and whoever changed a field by hand owns it now.
    words = ["diff", "--server-side", "--force-conflicts", f"--field-manager={work.cluster.manager}"]
    answer = work.cluster.run(*words, f"--filename={path}", seconds=_SECONDS)
    if answer.status in (_SAME, _DIFFERENT):
        text = answer.out.decode("utf-8", "replace")
        found.differences += _differences(text, _names(manifests, work.namespace), work)
    elif len(manifests) > 1:
        for one in manifests:
            _compare(work, [one], found)
    elif is_unknown(answer.complaint):
        found.differences.append(Difference("", f"create {manifests[0].object}"))
    else:
        words_of_it = WITHHELD if manifests[0].object.kind == SECRET else answer.complaint
        found.unknown = found.unknown or f"{manifests[0].object}: {words_of_it}"


def _names(manifests: Sequence[Manifest], namespace: str) -> Mapping[str, Object]:
    """The names that kubectl gives to the files of each object."""
    named: dict[str, Object] = {}
    for one in (each.object for each in manifests):
        start = f"{one.version.replace('/', '.')}.{one.kind}"
        named |= {f"{start}.{space}.{one.name}": one for space in (one.namespace or namespace, "")}
    return named


def _differences(text: str, named: Mapping[str, Object], work: "Work") -> Iterator[Difference]:
    for name, lines in _parts(text):
        one = named.get(name)
        verb = "create" if any(line.startswith(_NEW) for line in lines) else "update"
        if one is None:
            raise EdgeError("kubectl diff", "told of an object that was not asked for")
        body = "\n".join(("--- cluster", "+++ deployed", *lines))
        shown = WITHHELD if one.kind == SECRET else work.cluster.hide(body)
        cut = shown if len(shown) <= _MOST_TEXT else shown[:_MOST_TEXT] + _CUT
        yield Difference("", f"{verb} {one}", cut)


def _parts(text: str) -> Iterator[tuple[str, list[str]]]:
    """The name of a file, and its hunks; what stands in them begins with a blank, + or -."""
    name, lines = "", list[str]()
    for line in text.split("\n"):
        if head := _HEAD.match(line):
            if name:
                yield name, lines
            name, lines = head[1], []
        elif not line.startswith(("--- /", "+++ /")) and line:
            lines.append(line)
    if name:
        yield name, lines
