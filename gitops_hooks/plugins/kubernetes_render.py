"""Kustomizations that a change touches, rendered in the tools' box, and what they make judged like every manifest."""

import re
from collections.abc import Iterator

from gitops_hooks.plugin import Finding, Ran, Severity
from gitops_hooks.plugins.documents import Document, read_documents
from gitops_hooks.plugins.kubernetes_manifests import items_of, judge_manifest, kind_of
from gitops_hooks.plugins.kubernetes_reading import Reading

_MOST = 20
# What kubectl writes before an error: a time, which no verdict may hold, and the place in its own source.
_ERROR = re.compile(r'^E[0-9]{4} \S+ +[0-9]+ \S+\] "command failed" err=|^[Ee]rror: ')
_WORDS = {"kustomize": ("build",), "kubectl": ("kustomize",)}


def render_all(reading: Reading) -> Iterator[Finding]:
    """What is wrong with what the touched kustomizations make, or why that was not looked at."""
    folders = sorted(_touched(reading))
    if not folders:
        return  # without a look at the tools: a verdict stands on those that were looked at
    tool = next((name for name in _WORDS if reading.bench.tool(name)), "")
    for number, folder in enumerate(folders[:_MOST]):
        path = reading.kustomizations.path(folder)
        read, outside = reading.kustomizations.below(folder)
        if outside:
            words = f"brings {outside[0][:100]} from outside the repository, so what it makes was not looked at"
            yield Finding(path, 0, words, Severity(reading.bench.options["remote"]))
        elif not tool:
            words = "not rendered, and so not looked at: this server has neither kustomize nor kubectl for its checks"
            yield Finding(path, 0, words, Severity.WARNING)
        else:
            reading.bench.say(f"rendering {folder or '.'} ({number + 1} of {len(folders)})")
            files = [each or "." for each in read]
            ran = reading.bench.run([tool, *_WORDS[tool], f"/tree/{folder}".rstrip("/")], files=files)
            yield from _judge(reading, path, ran)
    if len(folders) > _MOST:
        words = f"not rendered, nor {len(folders) - _MOST - 1} more: a change renders {_MOST} kustomizations at most"
        yield Finding(reading.kustomizations.path(folders[_MOST]), 0, words, Severity.WARNING)


def _touched(reading: Reading) -> set[str]:
    """The folder of the nearest kustomization of each changed file, and those of the option that read such a file."""
    changed = [file.path for file in reading.change.files]
    found = {folder for path in changed if (folder := reading.kustomizations.nearest(path)) is not None}
    for folder in (each.strip("/").removeprefix(".") for each in reading.bench.options["kustomizations"]):
        read, _ = reading.kustomizations.below(folder)
        if any(path == each or path.startswith(f"{each}/") or not each for path in changed for each in read):
            found.add(folder)
    return {folder for folder in found if reading.kustomizations.path(folder)}


def _judge(reading: Reading, path: str, ran: Ran) -> Iterator[Finding]:
    if ran.status:
        words = _ERROR.sub("", " ".join(ran.stderr.decode("utf-8", "replace").split()))[:300]
        yield Finding(path, 0, f"cannot be rendered: {words or f'it ended with {ran.status}'}")
        return
    for document in (item for whole in read_documents("rendered.yaml", ran.stdout)[0] for item in items_of(whole)):
        kind = kind_of(document)
        for each in (judge_manifest(document, kind, reading.schemas, reading.minor) or ()) if kind else ():
            words = f"{_name(document)} as rendered: {each.fault.message}"
            yield Finding(path, 0, words, each.severity)


def _name(document: Document) -> str:
    metadata = document.value.get("metadata")
    name = metadata.get("name", "") if isinstance(metadata, dict) else ""
    return f"{document.value['kind'][:60]} {str(name)[:60]}".strip()
