"""Stories of the check `ansible` in a push: what only Ansible itself can tell, and what the branch's own rules say."""

from collections.abc import Iterator

import pytest

from tests.push.desk import POLICY, Desk
from tests.world import Template, World

FILES = {
    "site.yml": "- name: Web\n  hosts: web\n  roles: [web]\n",
    "roles/web/tasks/main.yml": "- name: Here\n  ansible.builtin.ping:\n",
    ".ansible-lint": "profile: basic\nskip_list: [yaml]\n",
}


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    template = Template.build(POLICY.replace("checks: [yaml]", "checks: [ansible]"), FILES)
    world = World.copied_from(template)
    template.remove()
    yield Desk.beside(world)
    world.close()


def told(desk: Desk, files: dict) -> list[str]:
    done = desk.push("alice", f"{desk.commit('alice', files)}:refs/for/main/refused")
    assert done.code != 0 and "  checks" in done.remote, done.remote
    found = [line.strip() for line in done.remote.split("\n")]
    return [line for line in found[found.index("checks") + 1 :] if line]


def test_what_ansible_and_the_rules_of_the_branch_say_is_told_with_path_and_line(desk: Desk):
    files = {
        "other.yml": "- name: Other\n  hosts: all\n  tasks:\n    - name: Copy\n      copyy:\n",
        "roles/web/templates/a.j2": "{{ a }\n",
        "roles/web/tasks/main.yml": "- ansible.builtin.ping:\n",
    }
    assert told(desk, files) == [
        "roles/web/templates/a.j2:1: Jinja2 cannot read this template: unexpected '}'",
        "other.yml:4: ansible-playbook --syntax-check: couldn't resolve module/action 'copyy'; correct its",
        "name",
        "roles/web/tasks/main.yml:1: name[missing]: All tasks should be named",
    ]


def test_a_good_role_lands_and_the_push_says_what_it_waits_for(desk: Desk):
    files = {"roles/web/tasks/main.yml": "- name: Still here\n  ansible.builtin.ping:\n"}
    done = desk.push("alice", f"{desk.commit('alice', files)}:refs/for/main/good").must()
    assert "gitops: ansible: asking Ansible about 1 role" in done.remote


def test_where_there_is_nothing_to_ask_ansible_nothing_is_said_of_it(desk: Desk):
    files = {"group_vars/all.yml": "colour: red\n", "README.md": "Words.\n"}
    done = desk.push("alice", f"{desk.commit('alice', files)}:refs/for/main/vars").must()
    assert "asking Ansible" not in done.err + "\n".join(done.remote)


def test_a_pushed_plugin_runs_and_finds_nothing_of_the_server(desk: Desk):
    plugin = f"""\
import os
class FilterModule:
    def filters(self):
        return {{"mine": lambda x: "found" if os.path.exists("{desk.world.home.path}/server.toml") else "lonely"}}
"""
    playbook = """\
- name: Web
  hosts: all
  tasks:
    - name: More
      ansible.builtin.import_tasks: "{{ 'x' | mine }}.yml"
"""
    line = " ".join(told(desk, {"p.yml": playbook, "filter_plugins/mine.py": plugin}))
    assert line.startswith("p.yml: ansible-playbook --syntax-check: ") and "lonely.yml" in line
