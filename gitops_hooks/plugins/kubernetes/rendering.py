"""The folder of the tree → rendered manifests, by kustomize without network and credentials."""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gitops_hooks.plugin import EdgeError, Workplace
from gitops_hooks.plugins.deployed_program import Place
from gitops_hooks.plugins.granted import one_line
from gitops_hooks.plugins.kubernetes import alone
from gitops_hooks.plugins.kubernetes.kubectl import is_too_large, read_said, run_bounded
from gitops_hooks.plugins.kubernetes.objects import Refusal

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_ENDINGS = (".yaml", ".yml", ".json")
_MOST_FILES = 2_000
_SECONDS = 120.0
_SIZE = 16 * 1024 * 1024
_MEMORY = 2 * 1024**3
_LOG = re.compile(r"^[IW][0-9]{4} .*$|^E[0-9]{4} [^\]]*\] \"command failed\" err=", re.MULTILINE)
_OUTSIDE = re.compile(r"://|git@|github\.com|'git'|\bgit fetch\b|no 'git' program")


def render(folder: str, program: str, workplace: Workplace, place: Place) -> bytes:
    """What is to be in the cluster, as YAML. Errors: Refusal, Halted, EdgeError."""
    found = (workplace.project / folder).resolve()
    if not found.is_relative_to(workplace.project.resolve()) or not found.is_dir():
        raise Refusal(f"manifests: {folder} is no folder of the repository; correct the environment's entry")
    if not any((found / name).is_file() for name in NAMES):
        _lay_kustomization(found, folder)
    said = workplace.scratch / "rendered"
    words = [*_alone(workplace), program, "kustomize", str(found)]
    ended = run_bounded(words, replace(place, folder=found), said, _SECONDS, _SIZE, _MEMORY)
    out, errors = read_said(said)
    if is_too_large(ended, errors):
        raise Refusal(f"{folder} renders more than {_SIZE // 1024**2} MiB; split the environment")
    if ended.status == alone.FAILED and errors.startswith(alone.SAID):
        raise EdgeError("kustomize", f"cannot be kept from the network here: {one_line(errors)[:300]}")
    if ended.status:
        raise Refusal(f"{folder} cannot be rendered: {_told(errors, workplace) or f'it ended with {ended.status}'}")
    return out


def _told(errors: str, workplace: Workplace) -> str:
    text = one_line(_LOG.sub("", errors)).removeprefix("error: ").replace(f"{workplace.project}/", "")[:600]
    if _OUTSIDE.search(text):
        return f"{text}; nothing is fetched from outside the repository: put it into the tree"
    return text


def _alone(workplace: Workplace) -> list[str]:
    """What is rendered was approved; what a kustomization names elsewhere was not, and it needs no credential."""
    empty = workplace.scratch / "empty"
    empty.mkdir(exist_ok=True)
    hidden = {str(path.parent) for _, path in workplace.credentials.files}
    return [sys.executable, "-I", alone.__file__, str(empty), ":".join(sorted(hidden))]


def _lay_kustomization(found: Path, folder: str) -> None:
    """Plain files are read as kustomize reads them, so that nothing changes when the folder gets a kustomization."""
    paths = sorted(_files(found))
    if not paths:
        raise Refusal(
            f"manifests: {folder} holds no kustomization and no YAML or JSON; correct the environment's entry"
        )
    if len(paths) > _MOST_FILES:
        raise Refusal(f"{folder} holds more than {_MOST_FILES} manifests; split the environment")
    inner = next((path for path in paths if path.name in NAMES), None)
    if inner is not None:
        words = f"{inner.parent.relative_to(found)} is a kustomization in a folder that is none"
        raise Refusal(f"manifests: {words}; add a kustomization.yaml to {folder}, or name the inner folder")
    listed = {"resources": [str(path.relative_to(found)) for path in paths]}
    (found / NAMES[0]).write_text(json.dumps(listed))


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and (path.suffix in _ENDINGS or path.name in NAMES):
            yield path
