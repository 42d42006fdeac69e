"""Stories of bytes that are made to break who reads them: told by their line, and nobody else notices."""

import pytest

from tests.hostile.ground import Ground
from tests.push.desk import SYMLINK, Content

CHECK_SECONDS = 20
DEEP = "[" * 25_000
WHOLE = DEEP + "]" * 25_000
MANIFEST = "apiVersion: v1\nkind: ConfigMap\n"
OBJECT = "!!python/object/apply:os.system ['touch {canary}/x']"
PROGRAM = "tag !!python/object/apply:os.system makes programs run; write plain values"
NESTED, UNREAD = "nested too deeply; what is not read cannot be judged", "what is not read cannot be judged"
UTF8 = "not UTF-8; save the file as UTF-8"
FLOW = "did not find expected node content, while parsing a flow node"
INTERACTIVE = "Each commit counts: git rebase -i takes it out of the one that brings it."


def bomb(first: str, line: str) -> str:
    """Twelve lines that mean ten thousand million things."""
    lines = [first, *(line % (n, n, ", ".join([f"*a{n - 1}"] * 9)) for n in range(1, 12))]
    return "".join(f"{each}\n" for each in lines)


LISTS = bomb("a0: &a0 [x, x, x, x, x, x, x, x, x]", "a%d: &a%d [%s]")
MERGES = bomb("a0: &a0 {k: 1}", "a%d: &a%d {<<: [%s]}")
MANY = "aliases expand to more than 1000000 nodes"

CASES: dict[str, tuple[str, dict[str, Content], list[str]]] = {
    "a bomb of aliases": ("documents", {"a.yml": LISTS, "b.yml": MERGES}, [f"a.yml:7: {MANY}", f"b.yml:7: {MANY}"]),
    "a bomb for Ansible": (
        "ansible",
        {"site.yml": LISTS},
        [f"site.yml:7: {MANY}", f"site.yml:7: {MANY}: too much to be judged; split the file"],
    ),
    "a bomb for clusters": (
        "clusters",
        {"a.yaml": MANIFEST + LISTS},
        ["a.yaml:8: aliases expand to more than 200000 nodes"],
    ),
    "a bomb for rules": ("rules", {"apps/a.yaml": LISTS}, [f"apps/a.yaml:7: {MANY}; {UNREAD}"]),
    "brackets": (
        "documents",
        {"a.yml": DEEP, "a.json": DEEP, "a.toml": f"a = {DEEP}", "data/a.json": '{"a":' * 25_000},
        [
            "a.yml:1: nested deeper than 64 levels",
            "a.json:1: nested deeper than 128 levels",
            "data/a.json:1: nested deeper than 128 levels",
            "a.toml: nested too deep; TOML of so many levels is not read",
        ],
    ),
    "brackets that close": (
        "documents",
        {"a.yml": WHOLE, "a.json": WHOLE},
        ["a.yml:1: nested deeper than 64 levels", "a.json:1: nested deeper than 128 levels"],
    ),
    "brackets for clusters": (
        "clusters",
        {"a.yaml": DEEP, "b.json": WHOLE},
        ["a.yaml:1: nested deeper than 64 levels", "b.json:1: nested deeper than 128 levels"],
    ),
    "brackets for Terraform": (
        "infra",
        {"a.tf": f"locals {{\n  a = {WHOLE}\n}}\n"},
        ["a.tf: nested too deep; HCL of so many levels is not read"],
    ),
    "brackets for rules": (
        "rules",
        {"apps/a.json": WHOLE, "apps/a.tf": f"a = {WHOLE}", "apps/b.toml": f"a = {DEEP}"},
        [f"apps/a.json: not JSON: {NESTED}", f"apps/a.tf: not HCL: {NESTED}", f"apps/b.toml: not TOML: {NESTED}"],
    ),
    "an object of Python": ("documents", {"a.yml": f"a: {OBJECT}\n"}, [f"a.yml:1: {PROGRAM}"]),
    "an object in a playbook": (
        "ansible",
        {"site.yml": f"- hosts: all\n  tasks: []\n  vars:\n    a: {OBJECT}\n"},
        [f"site.yml:4: {PROGRAM}"],
    ),
    "an object in a manifest": (
        "clusters",
        {"a.yml": f"{MANIFEST}data:\n  a: {OBJECT}\n"},
        [f"a.yml:4: {PROGRAM}"],
    ),
    "an object for rules": ("rules", {"apps/a.yml": f"a: {OBJECT}\n"}, [f"apps/a.yml:1: {PROGRAM}; {UNREAD}"]),
    "a mark of the byte order": (
        "documents",
        {"a.yml": b"\xef\xbb\xbfa: [\n", "a.toml": b"\xef\xbb\xbfa =\n"},
        [
            f"a.yml:2: {FLOW}",
            "a.toml:1: begins with a byte order mark, on which many programs stumble; save the file as UTF-8 without "
            "one (only a warning)",
            "a.toml:1: invalid value",
        ],
    ),
    "UTF-16": (
        "documents",
        {f"a.{kind}": "a".encode("utf-16") for kind in ("yml", "json", "toml")},
        [f"a.yml:1: {UTF8}", f"a.json:1: {UTF8}", f"a.toml:1: {UTF8}"],
    ),
    "a playbook in UTF-16": ("ansible", {"site.yml": "- hosts: all\n".encode("utf-16")}, [f"site.yml:1: {UTF8}"]),
    "a manifest in UTF-16": ("clusters", {"a.yml": MANIFEST.encode("utf-16")}, [f"a.yml:1: {UTF8}"]),
    "names that are no UTF-8": (
        "documents",
        {"\udcff\udcfe.yml": "a: [\n", "a\x1b[2J.yml": "a: [\n"},
        [rf"a\x1b[2J.yml:2: {FLOW}", rf"\xff\xfe.yml:2: {FLOW}"],
    ),
    "a role with such a name": (
        "ansible",
        {"roles/\udcff/tasks/main.yml": "- a: [\n"},
        [rf"roles/\xff/tasks/main.yml:2: {FLOW}"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_told_and_touches_nothing(ground: Ground, name: str):
    branch, files, told = CASES[name]
    assert ground.told(branch, files) == " ".join(["checks", *told])


LINKS: dict[str, tuple[str, dict[str, tuple[str, str]], list[str]]] = {
    "a file": ("documents", {"a.yml": (SYMLINK, "/etc/passwd"), "b/c.json": (SYMLINK, "../../etc/passwd")}, []),
    "a role": ("ansible", {"roles/web": (SYMLINK, "../../../../etc")}, []),
    "plugins": (
        "ansible",
        {"library": (SYMLINK, "/tmp")},
        ["checks", "library: files in library/ run on the controller; have plugins installed on the server"],
    ),
}


@pytest.mark.parametrize("name", LINKS)
def test_a_symlink_out_of_the_tree_is_refused_and_not_followed(ground: Ground, name: str):
    branch, files, told = LINKS[name]
    commit = ground.desk.commit("alice", files)
    leaves = "which leaves the repository"
    left = (f"{path} in {commit[:7]}: a symlink to {target}, {leaves}" for path, (_, target) in files.items())
    expected = ["files", *left, f"{INTERACTIVE} (policy.yaml:{ground.line_of('symlinks', branch)})", *told]
    assert ground.told_of(branch, commit) == " ".join(expected)
