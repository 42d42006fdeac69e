"""What rules ask of the files that would land: how many, how large, where, and of what kind."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence

from gitops_hooks.core.brought import Brought, extension_of
from gitops_hooks.core.commit_rules import told
from gitops_hooks.core.report import escape
from gitops_hooks.model.bounds import FileBounds
from gitops_hooks.model.content import SUBMODULE, SYMLINK, Introduced
from gitops_hooks.model.policy import BranchRule
from gitops_hooks.model.verdict import Requirement, Status

BUILT_IN = "built in"

_SHOWN = 120


def judge_files(bounds: FileBounds, brought: Brought) -> Requirement:
    """Every bound of one rule on each file that some commit brings, and on all that differ in the end."""
    faults = [f"{_where(file)}: {fault}" for file in brought.suspects(bounds) for fault in _faults(bounds, file)]
    if hit := brought.hit_by(bounds.forbidden):
        faults += [f"{_where(file)}: a path that is forbidden here" for file in brought.files if file.path in hit]
    if bounds.max_files and len(brought.paths) > bounds.max_files:
        faults.insert(0, f"{len(brought.paths)} files change; at most {bounds.max_files} may. Split the change.")
    if bounds.allowed is not None:
        faults += [f"{_name(path)}: is not among the paths allowed here" for path in brought.outside(bounds.allowed)]
    return _answer(faults, bounds.place)


def _answer(faults: Sequence[str], place: str) -> Requirement:
    if not faults:
        return Requirement("files", Status.SATISFIED, "within bounds", place)
    cure = "Each commit counts: git rebase -i takes it out of the one that brings it."
    return Requirement("files", Status.UNSATISFIED, told(faults, cure), place)


def _where(file: Introduced) -> str:
    return f"{_name(file.path)} in {file.commit[:7]}"


def _name(path: str) -> str:
    name = escape(path)
    return name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"


def _faults(bounds: FileBounds, file: Introduced) -> list[str]:
    found = []
    if bounds.max_size and file.size > bounds.max_size:
        found.append(f"{file.size} bytes; at most {bounds.max_size}")
    if bounds.max_path and len(file.path) * 4 > bounds.max_path:
        length = len(file.path.encode("utf-8", "surrogateescape"))
        found += [f"a path of {length} bytes; at most {bounds.max_path}"] if length > bounds.max_path else []
    if bounds.forbidden_extensions or bounds.allowed_extensions is not None:
        found += _extension_faults(bounds, extension_of(file.path))
    return found


def _extension_faults(bounds: FileBounds, extension: str) -> list[str]:
    found = [f".{extension} is forbidden here"] if extension in bounds.forbidden_extensions else []
    if bounds.allowed_extensions is not None and extension not in bounds.allowed_extensions:
        allowed = ", ".join(f".{one}" for one in bounds.allowed_extensions) or "none"
        found.append(f"its extension is none of {allowed}")
    return found


def judge_kinds(rules: Iterable[BranchRule], brought: Sequence[Introduced], deployed: bool) -> tuple[Requirement, ...]:
    """Symlinks that leave the tree, submodules and LFS pointers: refused where an environment deploys the branch.

    A rule that has the key allows exactly its paths, on any branch; several such rules must all allow a path.
    """
    bounds = [rule.bounds.files for rule in rules if rule.bounds.files]
    files = [file for file in brought if file.lfs or file.mode in (SYMLINK, SUBMODULE)]
    found = []
    for allowed, fault in _KINDS:
        lists = [(one.place, paths) for one in bounds if (paths := allowed(one)) is not None]
        if deployed and not lists:
            lists = [(BUILT_IN, ())]
        for place, paths in lists:
            faults = [words for file in files if (words := fault(file)) and not _is_named(paths, file.path)]
            found += [_answer(faults, place)] if faults else []
    return tuple(found)


def _is_named(paths: tuple[str, ...], path: str) -> bool:
    return unicodedata.normalize("NFC", path) in paths


def _symlink_fault(file: Introduced) -> str:
    if file.mode != SYMLINK or stays_inside(file.path, file.target):
        return ""
    return f"{_where(file)}: a symlink to {_name(file.target)}, which leaves the repository"


def _submodule_fault(file: Introduced) -> str:
    return f"{_where(file)}: a submodule, whose files are not deployed" if file.mode == SUBMODULE else ""


def _lfs_fault(file: Introduced) -> str:
    return f"{_where(file)}: a pointer to LFS, which is deployed as it is" if file.lfs else ""


_KINDS: tuple[tuple[Callable[[FileBounds], tuple[str, ...] | None], Callable[[Introduced], str]], ...] = (
    (lambda bounds: bounds.symlinks, _symlink_fault),
    (lambda bounds: bounds.submodules, _submodule_fault),
    (lambda bounds: bounds.lfs, _lfs_fault),
)


def stays_inside(path: str, target: str) -> bool:
    """Whether a symlink at this path cannot leave the tree, whatever other symlinks of the tree it goes through.

    `..` may only come first: after a name it would start from wherever that name, a symlink too, leads.
    """
    parts = target.split("/")
    ups = next((at for at, part in enumerate(parts) if part not in ("..", ".")), len(parts))
    depth = path.count("/")
    return bool(target) and parts[0] != "" and ".." not in parts[ups:] and parts[:ups].count("..") <= depth
