"""More hosts, more eyes: approvals by reach; and approvals by bots, which never stand alone."""

import json

import pytest

from gitops_hooks.edge.identities import load_people, write_authorized_keys
from gitops_hooks.edge.keys import make_key
from gitops_hooks.entry.authorised import judge_tip
from gitops_hooks.entry.sitting import open_sitting
from tests.push.desk import HOST, MAIN, POLICY, Desk, refusal
from tests.world import REPOSITORY

ENVIRONMENT = """\
environments:
  - {name: staging, branch: main, playbook: site.yml, inventory: inventories/staging}
"""
REACH = (
    POLICY.replace(
        "    checks:",
        "      - {count: 2, from: ['@ops'], reach: {hosts: '>2'}}\n"
        "      - {from: [dave], reach: {groups: [db]}}\n    checks:",
    )
    + ENVIRONMENT
)
FILES = {
    ".gitops/policy.yaml": REACH,
    "site.yml": "- hosts: all\n  tasks: []\n",
    "inventories/staging/hosts": "[web]\nweb[1:3]\n[db]\ndb1\n",
}
BOTS = POLICY.replace("    checks:", "      - {count: 1, from: [robot], bots: true}\n    checks:")


def is_authorised(desk: Desk) -> bool:
    return judge_tip(open_sitting(desk.world.home, REPOSITORY), MAIN) is None


@pytest.fixture
def staging(desk: Desk) -> Desk:
    """A server that also has what an Ansible environment asks for."""
    server = desk.world.home.server_file
    checks = '"gitops_hooks.plugins.yaml_check"'
    server.write_text(server.read_text().replace(checks, f'{checks}, "gitops_hooks.plugins.ansible.check"'))
    return desk


def test_how_many_must_approve_follows_from_the_hosts_that_a_change_reaches(staging: Desk) -> None:
    desk = staging
    desk.land(FILES)
    narrow = desk.commit("alice", {"inventories/staging/host_vars/web1.yml": "a: 1\n"})
    assert desk.push("alice", f"{narrow}:refs/for/main").must().remote_lines[2:] == [
        "  reaches    1 of 4 hosts of staging: web1",
        "             web1: inventories/staging/host_vars/web1.yml",
        "  renders    staging: web1: a: not set → 1",
        "  needs      1 approval by @senior",
    ]
    desk.push("bob", f"{narrow}:refs/approve/2").must()
    assert desk.tip(MAIN) == narrow
    group = desk.propose("alice", {"inventories/staging/group_vars/web.yml": "a: 1\n"})
    assert desk.push("bob", f"{group}:refs/approve/3").must().remote_lines[1:] == [
        "  needs      1 of 2 approvals by @ops where it reaches more than 2 hosts"
    ]
    desk.push("carol", f"{group}:refs/approve/3").must()
    assert desk.tip(MAIN) == group
    wide = desk.commit("alice", {"site.yml": "- hosts: web\n  tasks: []\n"})
    assert desk.push("alice", f"{wide}:refs/for/main").must().remote_lines[2:] == [
        "  reaches    4 of 4 hosts of staging: db1 web1 web2 web3",
        "             db1 web1 web2 and 1 more: site.yml → hosts: all",
        "  needs      1 approval by @senior",
        "  needs      2 approvals by @ops where it reaches more than 2 hosts",
        "  needs      1 approval by dave where it reaches hosts of db",
    ]
    assert is_authorised(desk)


ROLES = {
    **FILES,
    "site.yml": "- {hosts: web, roles: [web]}\n- {hosts: db, tasks: []}\n",
    "roles/web/tasks/main.yml": "- copy: {src: motd, dest: /etc/motd}\n",
    "roles/web/files/motd": "hello\n",
}


def test_a_change_tells_why_it_reaches_whom_it_reaches(staging: Desk) -> None:
    desk = staging
    desk.land(ROLES)
    desk.propose("alice", {"roles/web/files/motd": "hello, all\n", "group_vars/db.yml": "a: 1\n"})
    why = [
        "  reaches    4 of 4 hosts of staging: db1 web1 web2 web3",
        "             db1: group_vars/db.yml → db",
        "             web1 web2 web3: roles/web/files/motd → role web → hosts: web",
    ]
    shown = desk.world.ssh("bob", "change show 2").must().out.split("\n")
    assert [line for line in shown if line in why] == why
    told = json.loads(desk.world.ssh("bob", "change show 2 --json").must().out)["reach"]
    assert told == [
        {
            "environment": "staging",
            "bounded": True,
            "hosts": ["db1", "web1", "web2", "web3"],
            "of": 4,
            "why": [
                {"hosts": ["db1"], "words": "group_vars/db.yml → db"},
                {"hosts": ["web1", "web2", "web3"], "words": "roles/web/files/motd → role web → hosts: web"},
            ],
        }
    ]
    explained = desk.world.ssh("bob", "policy explain --path README.md").must().out
    assert "    NOT_APPLICABLE  reach         none of 4 hosts of staging\n" in explained
    assert "2 approvals by @ops where it reaches more than 2 hosts: it does not reach that far." in " ".join(
        explained.split()
    )
    crossing = desk.commit("alice", {"roles/web/tasks/main.yml": "- debug: {msg: '{{ hostvars }}'}\n"})
    assert desk.push("alice", f"{crossing}:refs/for/main/crossing").must().remote_lines[2:4] == [
        "  reaches    4 of 4 hosts of staging: db1 web1 web2 web3",
        "             db1 web1 web2 and 1 more: roles/web/tasks/main.yml:1 uses hostvars",
    ]


def test_an_inventory_that_nobody_can_read_reaches_everything(staging: Desk) -> None:
    desk = staging
    desk.land({**FILES, "inventories/staging/hosts": None, "inventories/staging/aws.yml": "plugin: aws_ec2\n"})
    narrow = desk.commit("alice", {"inventories/staging/host_vars/web1.yml": "a: 1\n"})
    assert desk.push("alice", f"{narrow}:refs/for/main").must().remote_lines[2:] == [
        "  reaches    every host of staging, however many: its inventory is none that can be counted",
        "  renders    staging: not known without the hosts: its inventory is none that can be read",
        "  needs      1 approval by @senior",
        "  needs      2 approvals by @ops where it reaches more than 2 hosts",
        "  needs      1 approval by dave where it reaches hosts of db",
    ]


def test_a_bot_counts_where_a_rule_says_so_and_nowhere_else(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": BOTS})
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    robot = desk.push("robot", f"{commit}:refs/approve/2").must()
    assert robot.remote_lines[1:] == ["  needs      1 approval by @senior"]
    desk.push("bob", f"{commit}:refs/approve/2").must()
    assert desk.tip(MAIN) == commit
    intent = desk.log()[-2]
    assert [intent.fact("Counted"), intent.fact("Bots")] == ["bob robot", "robot"]
    assert is_authorised(desk)


def test_where_only_a_bot_is_asked_a_person_is_needed_besides(desk: Desk) -> None:
    only = POLICY.replace("{count: 1, from: ['@senior']}", "{count: 1, from: [robot], bots: true}")
    desk.land({".gitops/policy.yaml": only.replace("land: ['@ops']", "land: ['@ops', robot]")})
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    robot = desk.push("robot", f"{commit}:refs/approve/2").must()
    assert robot.remote_lines[1:] == ["  needs      1 approval by anybody"]
    assert desk.push("robot", f"{commit}:refs/land/2").remote == refusal(
        "refs/land/2",
        "approvals",
        "0 of 1 approval by anybody. The author (alice) does not count. (built in)",
    )
    assert desk.push("carol", f"{commit}:refs/approve/2").must().remote_lines[0].endswith("landing")


def test_who_wrote_or_signed_off_any_revision_does_not_count_by_a_strict_rule(desk: Desk) -> None:
    strict = POLICY.replace("    checks:", "    strict: [every-revision, signed-off]\n    checks:")
    desk.land({".gitops/policy.yaml": strict})
    wrote = desk.propose("alice", {"a.yml": "a: 1\n"}, GIT_AUTHOR_EMAIL="bob@example.org")
    again = desk.commit("alice", {"a.yml": "a: 2\n"}, "Again\n\nSigned-off-by: Carol <carol@example.org>\n")
    desk.push("alice", f"{again}:refs/for/main", "-o", "change=2").must()
    for name in ("bob", "carol"):
        assert desk.push(name, f"{again}:refs/approve/2").remote == refusal(
            "refs/approve/2", "approve", f"{name} pushed, wrote or committed a part of it, and so does not count."
        )
    assert wrote != again


def test_two_keys_of_one_person_count_once(desk: Desk) -> None:
    two = POLICY.replace("count: 1", "count: 2")
    desk.land({".gitops/policy.yaml": two})
    second = desk.world.folder / "second"
    make_key(second, "bob@laptop")
    home = desk.world.home
    line = second.with_suffix(".pub").read_text().rsplit(" ", 1)[0]
    text = home.users_file.read_text()
    mine = desk.world.key("bob").with_suffix(".pub").read_text().rsplit(" ", 1)[0]
    home.users_file.write_text(text.replace(f'"{mine}"', f'"{mine}", "{line}"'))
    write_authorized_keys(home, load_people(home))
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("bob", f"{commit}:refs/approve/2").must()
    ssh = f"ssh -i {second}"
    again = desk.git("bob", "-c", f"core.sshCommand={ssh}", "push", HOST, f"{commit}:refs/approve/2").must()
    first, other = desk.world.events("refs/changes/2/meta")[1:]
    assert first.fact("Actor") == other.fact("Actor") == "bob"
    assert first.fact("Key") != other.fact("Key")
    assert again.remote_lines[1:] == ["  needs      1 of 2 approvals by @senior"]


def test_who_is_a_member_is_asked_at_the_moment_of_landing(desk: Desk) -> None:
    two = POLICY.replace("count: 1", "count: 2").replace("land: ['@ops']", "land: [alice]")
    desk.land({".gitops/policy.yaml": two})
    commit = desk.propose("alice", {"a.yml": "a: 1\n"}, to="main/first")
    for name in ("bob", "carol"):
        desk.push(name, f"{commit}:refs/approve/2").must()
    fewer = two.replace("senior: [bob, carol]", "senior: [bob, dave]")
    change = desk.propose("alice", {".gitops/policy.yaml": fewer}, to="main/policy")
    for name in ("bob", "carol"):
        desk.push(name, f"{change}:refs/approve/3").must()
    desk.push("alice", f"{change}:refs/land/3").must()
    assert desk.push("alice", f"{commit}:refs/land/2").remote_lines[2:4] == [
        "  approvals",
        "    1 of 2 approvals by @senior. The author (alice) does not count. (policy.yaml:11)",
    ]
