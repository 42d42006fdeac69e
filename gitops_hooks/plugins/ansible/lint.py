"""ansible-lint over changed files, in the box, with the configuration that the target branch has."""

import json
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase as fnmatch
from posixpath import normpath
from typing import Any

from gitops_hooks.plugin import EdgeError, Finding, Severity, Tree, Workbench, parse_yaml
from gitops_hooks.plugins.ansible.settings import GIVEN_SETTINGS, environment, settings
from gitops_hooks.plugins.plain import plain_value

PROGRAM, SHELL = "ansible-lint", "sh"
_NESTED = (".config/ansible-lint.yml", ".config/ansible-lint.yaml")
_CONFIGURATIONS = (".ansible-lint", ".ansible-lint.yml", ".ansible-lint.yaml", *_NESTED)
_IGNORED = (".ansible-lint-ignore", ".config/ansible-lint-ignore.txt")
_RULES = "rules"
_MOST = 50
_FAULTS = (0, 1, 2)
# Told by `ansible-playbook --syntax-check` already, for all playbooks in one run. It would start the program once more
# for each of them, which is most of its time, and has no option against it.
_TOLD = ("syntax-check", "parser-error")
_WITHOUT_SYNTAX = 'mkdir ~/told && ln -s /bin/true ~/told/ansible-playbook && PATH=~/told:$PATH exec "$0" "$@"'


def lint_findings(bench: Workbench, paths: tuple[str, ...], shown: tuple[str, ...]) -> Iterator[Finding]:
    """What the rules of the repository say of these files; nothing where it has none and the policy does not ask."""
    found = configuration(bench.target)
    paths = tuple(path for path in paths if not _excluded(path, found or {}))
    wanted = bench.options["lint"]
    if not paths or wanted == "never" or (wanted == "configured" and found is None):
        return
    if bench.tool(PROGRAM) is None:
        words = "ansible-lint is not installed on the server, so the rules of style were not asked"
        yield Finding(paths[0], 0, words, Severity.WARNING)
        return
    if len(paths) > _MOST:
        words = f"only the first {_MOST} of {len(paths)} files were given to ansible-lint"
        yield Finding(paths[_MOST], 0, words, Severity.WARNING)
    yield from _run(bench, paths[:_MOST], shown, found)


def configuration(target: Tree) -> dict[str, Any] | None:
    """The configuration of the branch as it stands, without what would mean another folder; None where it has none."""
    for path in _CONFIGURATIONS:
        text = _read(target, path)
        if text is not None:
            documents, _ = parse_yaml(text)
            plain = plain_value(documents[0]) if documents else {}
            return _moved(plain if isinstance(plain, dict) else {})
    return None


def _excluded(path: str, found: dict[str, Any]) -> bool:
    """Of files that are named one by one, ansible-lint leaves out none."""
    paths = found.get("exclude_paths")
    left = [str(one).removeprefix("/tree/").removeprefix("./") for one in paths] if isinstance(paths, list) else []
    return any(path == one or path.startswith(f"{one.rstrip('/')}/") or fnmatch(path, one) for one in left)


def _moved(found: dict[str, Any]) -> dict[str, Any]:
    """Paths are meant from the file's own folder, which is another one in the box."""
    if isinstance(paths := found.get("exclude_paths"), list):
        found["exclude_paths"] = [path if str(path).startswith("/") else f"/tree/{path}" for path in paths]
    if isinstance(rules := found.get("rulesdir"), list):
        found["rulesdir"] = [f"/given/{_RULES}/{normpath(str(path))}" for path in rules]
    found.pop("project_dir", None)
    return found


def _rules(target: Tree, found: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Rules of the repository's own are programs, and those of the branch: pushed ones would judge themselves."""
    for folder in found.get("rulesdir", ()):
        place = str(folder).removeprefix(f"/given/{_RULES}/")
        for entry in target.list(place):
            text = _read(target, f"{place}/{entry.name}") if entry.name.endswith(".py") else None
            if text is not None:
                yield f"{_RULES}/{place}/{entry.name}", text


def _run(
    bench: Workbench, paths: tuple[str, ...], shown: tuple[str, ...], found: dict[str, Any] | None
) -> Iterator[Finding]:
    given = {
        GIVEN_SETTINGS: settings(("roles", *bench.options["roles_path"])),
        "lint.yml": json.dumps({"profile": bench.options["profile"]} if found is None else found).encode(),
        "ignored.txt": next((text for path in _IGNORED if (text := _read(bench.target, path))), b""),
        **dict(_rules(bench.target, found or {})),
    }
    words = [PROGRAM, "--offline", "--nocolor", "-q", "-f", "codeclimate", "--project-dir", "/tree"]
    words += ["-c", "/given/lint.yml", "-i", "/given/ignored.txt", "--", *paths]
    command = [*environment(), SHELL, "-c", _WITHOUT_SYNTAX, *words]
    ran = bench.run(command, files=shown, given=given, writable=True)
    issues = _issues(ran.stdout)
    if issues is None or ran.status not in _FAULTS:
        said = " ".join((ran.stderr or ran.stdout).decode("utf-8", "replace").split())[-300:]
        yield Finding(paths[0], 0, f"ansible-lint gave no answer, so nothing of it was seen: {said or ran.status}")
        return
    for issue in issues:
        yield from _told(issue, paths)


def _issues(stdout: bytes) -> list[Any] | None:
    try:
        found = json.loads(stdout)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


def _told(issue: Any, paths: Iterable[str]) -> Iterator[Finding]:  # noqa: ANN401  # what a program wrote
    try:
        place = issue["location"]
        line = place["positions"]["begin"]["line"] if "positions" in place else place["lines"]["begin"]
        rule, path = str(issue["check_name"]), str(place["path"]).removeprefix("/tree/")
        body = str(issue.get("content", {}).get("body", ""))
        warning = issue["severity"] == "minor"
        words = str(issue["description"]).rstrip(".")
    except (KeyError, TypeError, AttributeError):
        return
    if path in paths and not rule.startswith(_TOLD):
        cure = f"; u{' '.join(body.split())[1:160].rstrip('.')}" if body.startswith("Use ") else ""
        yield Finding(path, int(line), f"{rule}: {words}{cure}", Severity.WARNING if warning else Severity.ERROR)


def _read(tree: Tree, path: str) -> bytes | None:
    try:
        return tree.read(path)
    except EdgeError:
        return None
