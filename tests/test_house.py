"""The house rules that a machine can check."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "gitops_hooks"
LONGEST_FILE = 300
LONGEST_FUNCTION = 40
MOST_PARAMETERS = 7
EMPTY_WORDS = frozenset(
    {"manager", "handler", "helper", "helpers", "util", "utils", "common", "misc"}
    | {"base", "data", "process", "service", "context"}
)
# Words of git's own that hold an empty one.
GIT_WORDS = ("merge_base", "merge_bases")
HEAVY = ("ansible_runner", "paramiko", "asyncio")
# Put together from halves, so that this file does not hold what it looks for.
FOREIGN = re.compile(
    "|".join(
        (
            "/" + "work/",
            "/" + "farm/",
            "/" + r"root/(?!\.ssh)",
            "pypi" + r"\.org",
            "python" + "hosted",
            "deb" + r"\.debian",
        )
    )
)


def own_files() -> list[Path]:
    """Every file of the project: what git tracks, and what stands there newly and is not ignored."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return [path for name in names if name and (path := ROOT / name).is_file()]


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))


def place(path: Path, node: ast.FunctionDef | ast.ClassDef) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


def test_no_file_is_longer_than_three_hundred_lines() -> None:
    kinds = (".py", ".sh", "")
    code = [path for path in own_files() if path.suffix in kinds and path.name not in ("LICENSE", ".gitignore")]
    # A table of cases may be as long as its cases.
    code = [path for path in code if not path.name.startswith("test_")]
    long = {path.relative_to(ROOT): path.read_text().count("\n") for path in code}
    assert {name: lines for name, lines in long.items() if lines > LONGEST_FILE} == {}


def test_what_starts_for_each_push_compiles_no_methods_of_classes_that_it_never_uses() -> None:
    own = [path for path in modules() if "plugins" not in path.parts and path.name != "lazy_dataclass.py"]
    took = re.compile(r"^from dataclasses import .*\bdataclass\b|^@dataclasses\.dataclass", re.MULTILINE)
    assert [str(path.relative_to(ROOT)) for path in own if took.search(path.read_text())] == []


def test_no_function_is_longer_than_forty_lines() -> None:
    long = [
        place(path, node)
        for path in modules()
        for node in functions(path)
        if node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


def test_no_function_takes_more_than_seven_parameters() -> None:
    wide = [
        place(path, node)
        for path in modules()
        for node in functions(path)
        if len(node.args.posonlyargs + node.args.args + node.args.kwonlyargs) > MOST_PARAMETERS
    ]
    assert wide == []


def test_names_say_what_a_thing_is() -> None:
    empty = [str(path.relative_to(ROOT)) for path in modules() if words_of(path.stem) & EMPTY_WORDS]
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and words_of(node.name) & EMPTY_WORDS:
                empty.append(place(path, node))
    assert empty == []


def words_of(name: str) -> set[str]:
    for word in GIT_WORDS:
        name = re.sub(rf"(^|_){word}(?=_|$)", r"\1", name)
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def test_yaml_is_read_behind_its_guard_only() -> None:
    guard = PACKAGE / "core" / "yaml_text.py"
    reading = re.compile(r"\byaml\.(safe_|full_|unsafe_|c)?(load|parse|compose|scan)(_all)?\(")
    assert [path for path in modules() if path != guard and reading.search(path.read_text())] == []


def test_no_command_goes_through_a_shell() -> None:
    shells = re.compile(r"shell=" + r"True|os\.system\(|os\.popen\(")
    assert [path for path in modules() if shells.search(path.read_text())] == []


def test_the_text_speaks_of_the_project_alone() -> None:
    told = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in own_files()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if FOREIGN.search(line)
    ]
    assert told == []


def test_no_test_is_skipped() -> None:
    skips = re.compile(r"pytest\.(mark\.)?(skip|xfail|importor" + r"skip)")
    assert [path for path in (ROOT / "tests").rglob("*.py") if skips.search(path.read_text())] == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-test.lock"])
def test_the_lock_pins_every_package_by_digest_and_names_no_index(name: str) -> None:
    text = (ROOT / name).read_text().replace("\\\n", " ")
    entries = [line for line in text.splitlines() if line and not line.startswith("#")]
    pinned = re.compile(r"[a-z0-9-]+==[^ ]+( ; [^-]+)?( +--hash=sha256:[0-9a-f]{64})+")
    assert entries
    assert [entry for entry in entries if not pinned.fullmatch(entry)] == []


def test_the_tests_run_on_the_versions_that_servers_get() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9-]+==[^ ]+", (ROOT / name).read_text(), re.M))

    assert pins("requirements.lock") <= pins("requirements-test.lock")


def specifications() -> list[str]:
    return [node.name for node in functions(PACKAGE / "hookspec.py") if node.name.startswith("gitops_")]


@pytest.mark.parametrize("name", specifications())
def test_every_hook_is_used_documented_and_tested(name: str) -> None:
    shipped = [path for path in (PACKAGE / "plugins").rglob("*.py") if f"def {name}(" in path.read_text()]
    documented = [path for path in (ROOT / "docs").rglob("*.md") if name in path.read_text()]
    tests = [path for path in (ROOT / "tests").rglob("test_*.py") if name in path.read_text()]
    assert shipped, "no plugin that ships uses it"
    assert documented, "no page below docs/ shows it"
    assert tests, "no test names it"


@pytest.mark.parametrize("entry", ["pre_receive", "proc_receive", "post_receive", "shell"])
def test_no_hook_loads_what_only_a_deployment_needs(entry: str) -> None:
    assert {name.partition(".")[0] for name in loaded_by(entry)}.isdisjoint(HEAVY)


def test_a_login_loads_neither_policies_nor_events() -> None:
    """They would be half of the start of each push and fetch, which reads none."""
    assert loaded_by("shell").isdisjoint({"gitops_hooks.model.policy", "gitops_hooks.model.event", "pygit2", "yaml"})


def loaded_by(entry: str) -> set[str]:
    code = f"import sys, json, gitops_hooks.entry.{entry}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))
