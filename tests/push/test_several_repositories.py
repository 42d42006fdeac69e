"""Two repositories on one server: rights, records, credentials and locks of one say nothing in the other."""

from gitops_hooks.edge.locks import hold
from tests.push.desk import MAIN, POLICY, Desk
from tests.world import World

OTHER = "other"
ENVIRONMENT = """\
environments:
  - name: staging
    branch: main
    deployer: ansible
    playbook: site.yml
    inventory: hosts.yml
"""
NOBODY = "gitops: no repository 'other', or you may not read it\n"


def add_other(world: World) -> None:
    """A second repository, which bob administers, carol may read, and alice is not named in."""
    server = world.home.server_file
    server.write_text(server.read_text().replace('checks = ["gitops_hooks.plugins.yaml_check"]\n', "", 1))
    world.admin("repo", "add", OTHER, "--admin", "bob", "--read", "carol").must()


def git_other(world: World, *words: str) -> str:
    world_git = world.home.repositories / f"{OTHER}.git"
    return world.run("bob", "git", "--git-dir", str(world_git), *words, where=world.folder).must().out.strip()


def test_rights_in_one_are_none_in_the_other(desk: Desk) -> None:
    world = desk.world
    add_other(world)
    home = world.folder
    assert world.run("carol", "git", "ls-remote", f"host:{OTHER}", where=home).code == 0
    tip = desk.tip(MAIN)
    for words in (("ls-remote", f"host:{OTHER}"), ("push", f"host:{OTHER}", f"{tip}:refs/for/main")):
        refused = world.run("alice", "git", *words, where=desk.clone)
        assert refused.code == 128
        assert refused.err.startswith(NOBODY)
    commit = desk.commit("carol", {"a.yml": "a: 1\n"})
    refused = world.run("carol", "git", "push", f"host:{OTHER}", f"{commit}:refs/for/main", where=desk.clone)
    assert refused.err.startswith("gitops: you may read 'other' but not push to it\n")
    assert world.ssh("alice", "-R other change list").code != 0
    assert "other" not in world.ssh("alice", "whoami").must().out


def test_numbers_records_and_approvals_are_each_ones_own(desk: Desk) -> None:
    world = desk.world
    add_other(world)
    desk.propose("alice", {"a.yml": "a: 1\n"})
    assert git_other(world, "for-each-ref", "refs/changes") == ""
    ids = {world.events("refs/gitops/log")[0].fact("Repository"), _identity(world)}
    assert len(ids) == 2
    # A record that is carried over is not believed, though this server signed every event of it.
    git_other(world, "fetch", "-q", str(world.repository), "+refs/gitops/log:refs/gitops/log")
    refused = world.ssh("bob", "change list -R other")
    assert refused.code == 2
    assert "belongs to another repository" in refused.err or "was rewritten" in refused.err, refused.err
    assert world.ssh("bob", "change list -R site").code == 0


def test_a_credential_of_one_deploys_nothing_of_the_other(desk: Desk) -> None:
    world = desk.world
    add_other(world)
    host = world.add_hosts("web1")[0]
    policy = git_other(world, "show", f"{MAIN}:.gitops/policy.yaml") + "\n" + ENVIRONMENT
    file = world.folder / "policy.yaml"
    file.write_text(policy)
    world.admin("recovery", "policy", OTHER, str(file), "--reason", "a test").must()
    assert world.reconcile_once().code == 1
    shown = world.ssh("bob", "env show staging -R other").must().out
    assert "staging: the server grants it no credential" in shown, shown
    assert host.files() == {}


def test_what_holds_one_up_holds_nothing_up_in_the_other(desk: Desk) -> None:
    world = desk.world
    add_other(world)
    entry = world.home.path / "state"
    site = next(folder for folder in entry.iterdir() if folder.name != _identity(world))
    clone = world.folder / "clone"
    world.run("bob", "git", "clone", "-q", f"host:{OTHER}", str(clone), where=world.folder).must()
    world.run("bob", "git", "commit", "-q", "--allow-empty", "-m", "One", where=clone).must()
    with hold(site, MAIN, 1.0):
        world.run("bob", "git", "push", "origin", "HEAD:refs/for/main", where=clone, seconds=30).must()
    assert POLICY in world.show(f"{MAIN}:.gitops/policy.yaml")


def _identity(world: World) -> str:
    log = git_other(world, "log", "-1", "--format=%(trailers:key=Repository,valueonly)", "refs/gitops/log")
    return log.strip()
