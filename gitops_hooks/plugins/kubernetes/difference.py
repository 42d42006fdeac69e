"""`kubectl diff --server-side`, object by object: what would change in the cluster, and no secret told."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gitops_hooks.plugin import Difference, EdgeError
from gitops_hooks.plugins.granted import WITHHELD
from gitops_hooks.plugins.kubernetes import comparing
from gitops_hooks.plugins.kubernetes.kubectl import Kubectl, is_unknown
from gitops_hooks.plugins.kubernetes.objects import SECRET, Manifest, Object

_MOST_TEXT = 4_000
_CUT = "\n… the rest is too long to be kept"
_SECONDS = 600.0
_SAME, _DIFFERENT = 0, 1


@dataclass(slots=True)
class Found:
    """All differences; `unknown` is why one of the objects could not be compared."""

    differences: list[Difference] = field(default_factory=list)
    unknown: str = ""


def lay_comparer(scratch: Path) -> Path:
    """A program for kubectl, which takes no words with it but the two folders."""
    program = scratch / "compare"
    program.write_text(f"#!{sys.executable} -I\n{Path(comparing.__file__).read_text()}")
    program.chmod(0o700)
    return program


def find_differences(
    cluster: Kubectl, manifests: Sequence[Manifest], namespace: str, forced: bool, found: Found
) -> None:
    """All at once; where that fails one by one, since the failure of one hides the others.

    Errors: Unreachable, Halted, EdgeError.
    """
    path = cluster.lay("compared.yaml", [one.text for one in manifests])
    words = ["diff", "--server-side", f"--field-manager={cluster.manager}", f"--filename={path}"]
    answer = cluster.run(*words, *(["--force-conflicts"] if forced else []), seconds=_SECONDS)
    if answer.status in (_SAME, _DIFFERENT):
        found.differences += _differences(answer.out, _names(manifests, namespace), cluster)
    elif len(manifests) > 1:
        for one in manifests:
            find_differences(cluster, [one], namespace, forced, found)
    elif is_unknown(answer.complaint):
        # What it stands in or is made of is not there (any more), so it is not either.
        found.differences.append(Difference("", f"create {manifests[0].object}"))
    else:
        said = WITHHELD if manifests[0].object.kind == SECRET else answer.complaint
        found.unknown = found.unknown or f"{manifests[0].object}: {said}"


def _names(manifests: Sequence[Manifest], namespace: str) -> Mapping[str, Object]:
    """The names that kubectl gives to the files of each object."""
    named: dict[str, Object] = {}
    for one in (each.object for each in manifests):
        start = f"{one.version.replace('/', '.')}.{one.kind}"
        named |= {f"{start}.{space}.{one.name}": one for space in (one.namespace or namespace, "")}
    return named


def _differences(out: bytes, named: Mapping[str, Object], cluster: Kubectl) -> Iterator[Difference]:
    for line in out.splitlines():
        try:
            said = json.loads(line)
            one, verb = named[str(said["name"])], "create" if said["new"] else "update"
            text = str(said["text"])
        except (ValueError, KeyError, TypeError):
            raise EdgeError("kubectl diff", "told of an object that was not asked for") from None
        shown = WITHHELD if one.kind == SECRET else cluster.hide(text)
        yield Difference("", f"{verb} {one}", shown if len(shown) <= _MOST_TEXT else shown[:_MOST_TEXT] + _CUT)
