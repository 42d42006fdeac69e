"""Somebody leaves: what would be left without anybody is told before anything is changed, and the record stays."""

from tests.push.desk import POLICY, Desk

TWO = POLICY.replace("{count: 1, from: ['@senior']}", "{count: 2, from: ['@ops']}") + (
    "  - match: release/**\n    push: []\n    propose: ['*']\n    land: [bob]\n"
    "    approvals:\n      - {count: 1, from: [bob]}\n    checks: [yaml]\n"
    "environments:\n  - name: staging\n    branch: release/one\n    deployer: ansible\n    playbook: site.yml\n"
    "    inventory: hosts.yml\n    operate: [bob]\n"
)


def test_everything_that_somebody_alone_could_do_is_told_before_anything_is_changed(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": TWO, "site.yml": "---\n- hosts: all\n", "hosts.yml": "all:\n"})
    desk.world.add_hosts("web1", branch="release/one")
    kept = desk.propose("bob", {"b.yml": "b: 1\n"})
    commit = desk.propose("alice", {"a.yml": "a: 1\n"}, "main/two")
    desk.push("bob", f"{commit}:refs/approve/{desk.newest()}").must()
    users = desk.world.home.users_file.read_bytes()
    refused = desk.world.admin("user", "remove", "bob")
    assert refused.code == 1
    key = desk.world.home.path / "credentials/staging/key"
    lines = refused.err.splitlines()
    assert lines == [
        "warning: site: policy.yaml:18 needs 1 approval by bob, and the server knows 0 who could",
        "warning: site: policy.yaml:13: nobody else may land on release/**",
        "warning: site: policy.yaml:21: nobody else may operate staging",
        f"warning: site: {key} deploys to staging, which nobody else may operate",
        "warning: site: change 2 for main is open and bob's",
        "warning: site: change 3 for main is open, and bob's approval of it would no longer count",
        "Nothing was changed. If it is meant:  gitops-hooks user remove bob --yes",
    ]
    assert desk.world.home.users_file.read_bytes() == users
    assert kept in desk.refs().values()


def test_an_approval_by_somebody_who_has_left_no_longer_counts_and_stays_in_the_record(desk: Desk) -> None:
    desk.land({".gitops/policy.yaml": TWO, "site.yml": "---\n- hosts: all\n", "hosts.yml": "all:\n"})
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    desk.push("bob", f"{commit}:refs/approve/2").must()
    desk.world.admin("user", "remove", "bob", "--yes").must()
    assert desk.push("bob", f"{commit}:refs/approve/2").code == 128
    before = desk.tip("refs/heads/main")
    desk.push("carol", f"{commit}:refs/approve/2").must()
    assert desk.tip("refs/heads/main") == before
    assert "1 of 2 approvals by @ops" in desk.world.ssh("alice", "change show 2").must().out
    assert desk.said(2)[1] == f"change 2 at {commit[:7]} approved by bob"
