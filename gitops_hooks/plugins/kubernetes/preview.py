"""`render` of the deployer `kubernetes`: the objects that the tree makes before and after, held against each other.

It runs confined; kustomize is a tool of the box there, without network.
"""

import re
from collections.abc import Iterator, Mapping
from posixpath import join

from gitops_hooks.plugin import (
    WITHHELD,
    EdgeError,
    Kubernetes,
    Preview,
    Prune,
    Rendered,
    Side,
    Tree,
    Unrendered,
    Workbench,
)
from gitops_hooks.plugins.documents import FILES, JSON, YAML, read_documents
from gitops_hooks.plugins.kubernetes.objects import SECRET, Manifest, Object, Refusal, rank, read_manifests
from gitops_hooks.plugins.kubernetes.pruning import SPARED
from gitops_hooks.plugins.kubernetes_patches import Kustomizations
from gitops_hooks.plugins.unsaid import Plain, masked_value, text_difference

_WORDS = {"kubectl": ("kustomize",), "kustomize": ("build",)}
_MOST_FILES = 2_000
_ERROR = re.compile(r'^E[0-9]{4} \S+ +[0-9]+ \S+\] "command failed" err=|^[Ee]rror: ')

Objects = dict[Object, Plain]


class _Unknown(Exception):
    """What one side makes is not known; the words say why."""


def render(preview: Preview, bench: Workbench) -> Iterator[Rendered | Unrendered]:
    """Each object that is created, updated or pruned."""
    keys = preview.environment.kubernetes
    if keys is None:
        return
    folder = "" if keys.manifests == "." else keys.manifests.strip("/")
    if not any(_reads(side, folder, preview.paths) for side in (preview.old, preview.new)):
        return
    try:
        before, after = (_objects(side, name, folder, bench) for side, name in _sides(preview))
    except (_Unknown, EdgeError) as why:
        yield Unrendered(str(why))
        return
    yield from _differences(before, after, keys)


def _sides(preview: Preview) -> tuple[tuple[Side, str], ...]:
    return (preview.old, "old"), (preview.new, "new")


def _reads(side: Side, folder: str, paths: tuple[str, ...]) -> bool:
    """Whether any of the paths is one that is rendered there."""
    read, _ = Kustomizations(side.tree).below(folder)
    return any(not each or path == each or path.startswith(f"{each}/") for path in paths for each in read)


def _objects(side: Side, name: str, folder: str, bench: Workbench) -> Objects:
    """What a tree makes; nothing where it has no such folder. Errors: _Unknown, EdgeError."""
    rendered = _rendered(side.tree, name, folder, bench)
    if not rendered.strip():
        return {}
    try:
        return {one.object: _value(one) for one in read_manifests(rendered, "")}
    except Refusal as why:
        raise _Unknown(f"{name} tree: {why}") from None


def _value(one: Manifest) -> Plain:
    for document in read_documents("rendered.yaml", one.text)[0]:
        metadata = document.value["metadata"]
        if (document.value["kind"], metadata["name"]) == (one.object.kind, one.object.name):
            return document.value
    return None


def _rendered(tree: Tree, name: str, folder: str, bench: Workbench) -> bytes:
    kustomizations = Kustomizations(tree)
    if not kustomizations.path(folder):
        return b"\n---\n".join(tree.read(path) for path in _files(tree, folder, [_MOST_FILES]))
    read, outside = kustomizations.below(folder)
    if outside:
        raise _Unknown(f"{folder or '.'} brings {outside[0][:100]} from outside the repository")
    tool = next((each for each in _WORDS if bench.tool(each)), "")
    if not tool:
        raise _Unknown("this server has neither kubectl nor kustomize for its checks")
    files = [join(name, each).rstrip("/") for each in sorted(read)]
    ran = bench.run([tool, *_WORDS[tool], f"/tree/{join(name, folder)}".rstrip("/")], files=files)
    if ran.status or ran.cut:
        said = ran.cut or _ERROR.sub("", " ".join(ran.stderr.decode("utf-8", "replace").split()))
        raise _Unknown(f"the {name} tree cannot be rendered: {said.replace(f'/tree/{name}/', '')[:200]}")
    return ran.stdout


def _files(tree: Tree, folder: str, left: list[int]) -> Iterator[str]:
    for entry in tree.list(folder):
        path = join(folder, entry.name)
        if entry.mode in FILES and path.endswith((*YAML, *JSON)):
            left[0] -= 1
            if left[0] < 0:
                raise _Unknown(f"{folder or '.'} holds more files than are looked at")
            yield path
        elif entry.mode not in FILES:
            yield from _files(tree, path, left)


def _differences(before: Objects, after: Objects, keys: Kubernetes) -> Iterator[Rendered]:
    created = sorted(after.keys() - before.keys(), key=rank)
    updated = [one for one in sorted(after.keys() & before.keys(), key=rank) if before[one] != after[one]]
    pruned = sorted(before.keys() - after.keys(), key=rank)
    counts = ((len(created), "created"), (len(updated), "updated"), (len(pruned), "left out"))
    told = [f"{count} {word}" for count, word in counts if count]
    yield Rendered("objects", (), ", ".join(told) or "none differs")
    yield from (Rendered(f"create {one}") for one in created)
    yield from (Rendered(f"{_going(one, keys)} {one}") for one in pruned)
    for one in updated:
        yield Rendered(f"update {one}", (), _update(one, before[one], after[one]))


def _going(one: Object, keys: Kubernetes) -> str:
    spared = keys.prune is Prune.NONE or (keys.prune is not Prune.ALL and one.kind in SPARED)
    return "no more, and left in the cluster:" if spared else "prune"


def _update(one: Object, old: Plain, new: Plain) -> str:
    if one.kind == SECRET:
        return WITHHELD
    return text_difference(_dump(masked_value(old)), _dump(masked_value(new))) or WITHHELD


def _dump(value: Mapping[str, Plain]) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Texts of several lines as such."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return yaml.dump(value, Dumper=Dumper, width=200, allow_unicode=True)
