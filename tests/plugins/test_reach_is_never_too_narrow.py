"""The reach held against Ansible itself: a host for which anything comes out differently is always among the reached.

Both trees of a change are run with ansible-playbook, on hosts that all are this machine, each with a folder of its own.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.laid import reach

Files = dict[str, str | None]

SITE: Files = {
    "README.md": "words\n",
    "inventories/staging/hosts": "[web]\nweb1\nweb2\n[db]\ndb1\n",
    "inventories/staging/group_vars/web.yml": "port: 80\nscript: one.sh\nconf: a.conf\n",
    "inventories/staging/host_vars/web1.yml": "weight: 1\n",
    "inventories/staging/group_vars/all.yml": "port: 0\nweight: 0\nscript: one.sh\nconf: a.conf\nmotd: hello\n",
    "site.yml": "- {hosts: web, vars_files: [extra.yml], roles: [web]}\n- import_playbook: books/db.yml\n",
    "extra.yml": "extra: 1\n",
    "vars/extra.yml": "extra: 2\n",
    "books/db.yml": "- {hosts: db, tasks: [{include_tasks: steps/db.yml}]}\n",
    "books/steps/db.yml": "- debug: {msg: '{{ port }}'}\n- include_tasks: deep/more.yml\n",
    "books/steps/deep/more.yml": "- template: {src: db.j2, dest: '{{ out }}/db'}\n",
    "books/templates/db.j2": "{% include 'part.j2' %}\n",
    "books/templates/part.j2": "{{ motd }}\n",
    "part.j2": "decoy\n",
    "roles/common/defaults/main.yml": "colour: red\n",
    "roles/common/files/one.sh": "echo one\n",
    "roles/common/files/two.sh": "echo two\n",
    "roles/web/meta/main.yml": "dependencies: [common]\n",
    "roles/web/vars/main/a.yml": "size: 1\n",
    "roles/web/tasks/main.yml": """\
- debug: {msg: '{{ port }} {{ weight }} {{ colour }} {{ size }} {{ extra }}'}
- copy: {src: '{{ item }}', dest: '{{ out }}/'}
  loop: [sub/b.conf]
  when: inventory_hostname == 'web2'
- include_role: {name: late, tasks_from: other}
""",
    "files/sub/b.conf": "b\n",
    "roles/late/tasks/other.yml": "- include_vars: named.yml\n- debug: {msg: '{{ named }}'}\n",
    "roles/late/vars/named.yml": "named: 1\n",
    "roles/unused/tasks/main.yml": "- debug: {msg: '{{ hostvars }}'}\n",
}

EDITS: dict[str, Files] = {
    "a readme": {"README.md": "more\n"},
    "host_vars": {"inventories/staging/host_vars/web1.yml": "weight: 9\n"},
    "variables beside an imported playbook": {"books/group_vars/db.yml": "port: 5433\n"},
    "another place for a file of variables": {"vars/extra.yml": "extra: 4\n"},
    "a dependency, and a folder of variables": {
        "roles/common/defaults/main.yml": "colour: blue\n",
        "roles/web/vars/main/b.yml": "size: 2\n",
    },
    "a file that comes before it": {"roles/web/files/sub/b.conf": "first\n"},
    "a file beside the playbook": {"files/sub/b.conf": "changed\n"},
    "an included template": {"books/templates/part.j2": "changed {{ motd }}\n"},
    "a template that comes before it": {"books/steps/deep/part.j2": "first\n"},
    "variables that are included": {"roles/late/vars/named.yml": "named: 2\n"},
    "a task list that comes first": {"books/tasks/steps/db.yml": "[]\n"},
    "a play for others": {"site.yml": "- {hosts: db, roles: [common], vars: {extra: 1}}\n"},
    "one host sees another": {"roles/common/tasks/main.yml": "- debug: {msg: '{{ hostvars.web1.weight }}'}\n"},
    "a file that is named at run time": {
        "roles/common/tasks/main.yml": "- script: '{{ script }}'\n  register: said\n- debug: {var: said.stdout}\n",
        "inventories/staging/host_vars/web2.yml": "script: two.sh\n",
    },
    "run once": {"roles/common/tasks/main.yml": "- {debug: {msg: '{{ weight }}'}, run_once: true}\n"},
}
# What differs on top of another edit, where that one reads more of the tree.
AFTER: dict[str, tuple[str, Files]] = {
    "of another host": ("one host sees another", EDITS["host_vars"]),
    "of whoever runs it": ("run once", EDITS["host_vars"]),
    "of a name": ("a file that is named at run time", {"roles/common/files/two.sh": "echo three\n"}),
}


_SETTINGS = {
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_GATHERING": "explicit",
    "ANSIBLE_PIPELINING": "1",
    "ANSIBLE_ROLES_PATH": "roles",
}


def run(files: Files, folder: Path) -> dict[str, str]:
    """Of each host what the tasks said, and what lies in its folder afterwards."""
    for path, text in files.items():
        file = folder / "tree" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text or "")
    for host in ("web1", "web2", "db1"):
        (folder / "out" / host).mkdir(parents=True)
    program = Path(sys.executable).parent / "ansible-playbook"
    told = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "out": f"{folder}/out/{{{{ inventory_hostname }}}}",
    }
    ran = subprocess.run(
        [program, "-i", "inventories/staging", "-e", json.dumps(told), "site.yml"],
        cwd=folder / "tree",
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", **_SETTINGS},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    said = dict.fromkeys(("web1", "web2", "db1"), "")
    for found in re.finditer(r"^\w+: \[(\w+)\](.*?)(?=^\w+[:! ]|\n\n|\Z)", ran.stdout, re.MULTILINE | re.DOTALL):
        said[found[1]] += " ".join(found[2].replace(str(folder), "").split())
    for host in said:
        lies = sorted((folder / "out" / host).rglob("*"))
        said[host] += "".join(f"{file.name}={file.read_text()}" for file in lies if file.is_file())
    return said


@pytest.mark.timeout(400)
def test_every_host_for_which_something_differs_is_reached(tmp_path: Path) -> None:
    outcomes = {name: run({**SITE, **edit}, tmp_path / name) for name, edit in {"nothing": {}, **EDITS}.items()}
    assert all(outcomes["nothing"].values())
    missed = {}
    for name, edit in EDITS.items():
        missed[name] = _differing(outcomes["nothing"], outcomes[name]) - reach(SITE, {**SITE, **edit}).hosts
    for name, (first, edit) in AFTER.items():
        before = {**SITE, **EDITS[first]}
        then = run({**before, **edit}, tmp_path / name)
        assert _differing(outcomes[first], then)
        missed[name] = _differing(outcomes[first], then) - reach(before, {**before, **edit}).hosts
    assert {name: hosts for name, hosts in missed.items() if hosts} == {}


def _differing(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {host for host in before if before[host] != after[host]}


def test_what_is_proven_narrow_is_narrow() -> None:
    """So that the test above does not hold because everything is reached."""
    found = {name: sorted(reach(SITE, {**SITE, **edit}).hosts) for name, edit in EDITS.items()}
    assert [name for name, hosts in found.items() if len(hosts) == 3] == [
        "a play for others",
        "one host sees another",
        "run once",
    ]
    assert (found["a readme"], found["host_vars"], found["a file beside the playbook"]) == (
        [],
        ["web1"],
        ["web1", "web2"],
    )
