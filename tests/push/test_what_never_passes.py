"""Refs that are the server's, moves that no right allows, policies with faults: refused whole, and nothing moves."""

import pytest

from tests.push.desk import MAIN, SUBMODULE, SYMLINK, Desk


def _refused(desk: Desk, *words: str, who: str = "alice") -> str:
    """Push, which must be refused whole and move nothing; answers what the server said."""
    before = desk.refs()
    done = desk.push(who, *words)
    assert done.code != 0
    assert desk.refs() == before
    return done.remote


@pytest.mark.parametrize(
    "ref",
    [
        "refs/changes/1/head",
        "refs/changes/1/meta",
        "refs/gitops/log",
        "refs/environments/staging/deployed",
        "refs/agents/a",
        "refs/notes/commits",
        "refs/replace/1111111111111111111111111111111111111111",
        "refs/heads/refs/heads/main",
        "refs/heads/-main",
        "refs/heads/m\u00a0ain",
        "refs/heads/m\u2028ain",
        "refs/for/main\u00e4",
        "refs/deploy/staging",
        "refs/for/",
    ],
)
def test_a_push_to_it_refuses_the_whole_push(shared: Desk, ref: str):
    commit = shared.commit("alice", {"a.yml": "a: 1\n"})
    said = _refused(shared, f"{commit}:{ref}", f"{commit}:refs/heads/beside")
    assert "gitops: refused" in said or ref == "refs/for/"


def test_ordinary_and_magic_refs_never_come_together(shared: Desk):
    commit = shared.commit("alice", {"a.yml": "a: 1\n"})
    said = _refused(shared, f"{commit}:refs/for/main", f"{commit}:refs/tags/v1")
    assert "--no-follow-tags" in said


@pytest.mark.parametrize("words", [(f":{MAIN}",), ("--force", f"{{root}}:{MAIN}"), ("--force", f"{{behind}}:{MAIN}")])
def test_a_protected_branch_is_not_deleted_nor_moved_aside(shared: Desk, words: tuple[str, ...]):
    root = shared.commit("alice", {"a.yml": "a: 1\n"}, onto=None)
    beside = shared.commit_tree("alice", shared.tree({"b.yml": "b: 1\n"}), [], "beside")
    _refused(shared, *(word.format(root=root, behind=beside) for word in words))


def test_tags_and_branches_without_a_rule_are_peoples_own(shared: Desk):
    one, two = (shared.commit("alice", {"a.yml": text}) for text in ("a: 1\n", "a: 2\n"))
    shared.push("alice", f"{one}:refs/heads/mine", f"{one}:refs/tags/v1").must()
    shared.push("alice", "--force", f"{two}:refs/heads/mine").must()
    shared.push("alice", ":refs/heads/mine", ":refs/tags/v1").must()


def test_an_annotated_tag_is_no_commit_to_propose(shared: Desk):
    shared.ask("tag", "-a", "-m", "a tag", "annotated", shared.commit("alice", {"a.yml": "a: 1\n"}))
    assert "is not a commit" in _refused(shared, "refs/tags/annotated:refs/for/main")


def test_a_policy_with_three_faults_is_refused_with_all_of_them(shared: Desk):
    policy = "version: 2\ngroups:\n  ops: [bob]\nbranches:\n  - match: main\n    push: nobody\n    windows: []\n"
    commit = shared.commit("alice", {".gitops/policy.yaml": policy})
    said = _refused(shared, f"{commit}:refs/for/main")
    for line in (1, 6, 7):
        assert f".gitops/policy.yaml:{line}: " in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "would be gone; the default branch always carries the policy"),
        ((SYMLINK, "elsewhere"), "must be a regular file that is not executable"),
        (("100755", "version: 1\n"), "must be a regular file that is not executable"),
        ((SUBMODULE, "1" * 40), "must be a regular file that is not executable"),
        ("#" * 300_000, "is larger than 262144 bytes"),
    ],
)
def test_the_policy_stays_a_regular_file_of_bounded_size(shared: Desk, content, words: str):
    commit = shared.commit("alice", {".gitops/policy.yaml": content})
    assert words in _refused(shared, f"{commit}:refs/for/main")


def test_a_tree_of_ten_billion_paths_is_refused_at_once(shared: Desk):
    tree = shared.ask("mktree", text=f"100644 blob {shared.blob('x')}\tx.yml")
    for _ in range(10):
        tree = shared.ask("mktree", text="".join(f"040000 tree {tree}\t{name}\n" for name in range(10)))
    commit = shared.commit_tree("alice", tree, [shared.tip(MAIN)])
    assert "more than 20000 paths differ" in _refused(shared, f"{commit}:refs/for/main")


def test_a_huge_file_in_a_small_pack_is_refused_by_its_size(shared: Desk):
    commit = shared.commit("alice", {"huge.yml": b"#" * 80_000_000})
    assert "huge.yml: " in _refused(shared, f"{commit}:refs/for/main")


def test_names_that_deceive_a_terminal_go_out_escaped(shared: Desk):
    commit = shared.commit("alice", {"a\x1b[2Jb.yml": "a: [\n", "n\newline.yml": "a: [\n"})
    said = _refused(shared, f"{commit}:refs/for/main")
    assert "\x1b[2J" not in said and "a\\x1b[2Jb.yml:2" in said and "n\\newline.yml:2" in said


def test_more_refs_than_the_limit_are_refused(shared: Desk):
    commit = shared.commit("alice", {"a.yml": "a: 1\n"})
    said = _refused(shared, *(f"{commit}:refs/heads/many/{number}" for number in range(1_001)))
    assert "1000" in said


def test_a_push_past_the_forced_command_is_refused(shared: Desk):
    commit = shared.commit("alice", {"a.yml": "a: 1\n"})
    done = shared.git("alice", "push", str(shared.world.repository), f"{commit}:refs/heads/by-path")
    assert done.code != 0 and "takes pushes over SSH only" in done.remote


def test_what_the_client_sends_of_its_environment_has_no_effect(shared: Desk):
    commit = shared.commit("alice", {"a.yml": "a: 1\n"})
    words = ("-c", "core.sshCommand=ssh -o SetEnv=GITOPS_HOOKS_ACTOR=bob -o SendEnv=GIT_*")
    shared.git("alice", *words, "push", "host:site", f"{commit}:refs/for/main/env").must()
    assert shared.said(shared.newest())[0].endswith("by alice")
