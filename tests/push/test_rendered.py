"""A proposal tells what hosts will have, as far as files alone say it; that decides nothing, and takes little time."""

import json

import pytest

from tests.push.desk import MAIN, POLICY, Desk

ENVIRONMENT = """\
environments:
  - {name: staging, branch: main, playbook: site.yml, inventory: inventories/staging}
"""
FILES = {
    ".gitops/policy.yaml": POLICY + ENVIRONMENT,
    "site.yml": "- hosts: web\n  roles: [web]\n",
    "inventories/staging/hosts": "[web]\nweb[1:3]\n",
    "inventories/staging/group_vars/web.yml": "port: 80\ndb_password: '{{ vault_password }}'\n",
    "inventories/staging/host_vars/web3.yml": "port: 81\n",
    "roles/web/tasks/main.yml": "- template: {src: web.j2, dest: /etc/web}\n",
    "roles/web/templates/web.j2": "listen {{ port }}\n",
}


@pytest.fixture
def staging(desk: Desk) -> Desk:
    """A server that also has what an Ansible environment asks for."""
    server = desk.world.home.server_file
    checks = '"gitops_hooks.plugins.yaml_check"'
    server.write_text(server.read_text().replace(checks, f'{checks}, "gitops_hooks.plugins.ansible.check"'))
    desk.land(FILES)
    return desk


def shown(desk: Desk, files: dict[str, str]) -> list[str]:
    """What the answer to a proposal tells between the reach and what it needs."""
    head = desk.commit("alice", files)
    lines = desk.push("alice", f"{head}:refs/for/main").must().remote_lines
    first = next(number for number, line in enumerate(lines) if line.startswith("  renders"))
    last = next(number for number, line in enumerate(lines) if line.startswith("  needs"))
    return lines[first:last]


def test_variables_and_templates_are_told_beside_the_reach(staging: Desk) -> None:
    change = {"inventories/staging/group_vars/web.yml": "port: 8080\ndb_password: '{{ vault_password }}'\n"}
    assert shown(staging, change) == [
        "  renders    staging: web1 web2: port: 80 → 8080",
        "  renders    staging: web1 web2: roles/web/templates/web.j2",
        "               @@ -1 +1 @@",
        "               -listen 80",
        "               +listen 8080",
    ]
    seen = staging.world.ssh("bob", "change show 2").must().out
    assert "  renders    staging: web1 web2: port: 80 → 8080\n" in seen and "               +listen 8080\n" in seen
    facts = json.loads(staging.world.ssh("bob", "change show 2 --json").must().out)["rendered"]
    assert facts[0] == {
        "environment": "staging",
        "hosts": ["web1", "web2"],
        "known": True,
        "what": "port",
        "text": "80 → 8080",
    }


def test_what_needs_the_hosts_says_so_and_no_secret_is_told(staging: Desk) -> None:
    change = {
        "inventories/staging/group_vars/web.yml": "port: 80\ndb_password: hunter2hunter2\n",
        "roles/web/templates/web.j2": "listen {{ port }}\nname {{ ansible_fqdn }}\n",
    }
    assert shown(staging, change) == [
        "  renders    staging: web1 web2 web3: db_password: withheld",
        "  renders    staging: web1 web2 web3: not known without the hosts: roles/web/templates/web.j2: it",
        "             asks for ansible_fqdn",
    ]


def test_it_is_bounded_and_says_how_much_more_there_is(staging: Desk) -> None:
    many = "".join(f"line {number} {{{{ port }}}}\n" for number in range(30))
    told = shown(staging, {"roles/web/templates/web.j2": many})
    assert len(told) == 13
    assert told[-1] == "             and 54 more lines: change show"


def test_a_template_that_never_ends_is_told_and_holds_nothing_up(staging: Desk) -> None:
    loop = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}{{ port }}"
    told = shown(staging, {"roles/web/templates/web.j2": loop, "inventories/staging/host_vars/web3.yml": "port: 82\n"})
    assert told == [
        "  renders    staging: web3: port: 81 → 82",
        "  renders    staging: not known without the hosts: it took longer than 2.0 s, and the rest was not",
        "             looked at",
    ]


def test_a_change_of_nothing_that_is_rendered_tells_nothing(staging: Desk) -> None:
    head = staging.commit("alice", {"roles/web/tasks/main.yml": "- debug: {msg: hello}\n"})
    lines = staging.push("alice", f"{head}:refs/for/main").must().remote_lines
    assert not [line for line in lines if "renders" in line]
    assert staging.tip(MAIN) != head
