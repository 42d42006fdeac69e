"""What a rule names through a symlink of the tree is bound by it, whatever the real path is."""

from tests.push.desk import FILE, MAIN, SYMLINK, Desk, refusal
from tests.push.rules_desk import HEAD, judged, line_of, rule

POLICY = (
    HEAD
    + """\
    approvals:
      - {count: 1, from: ['@ops']}
      - {count: 2, from: ['@ops'], paths: ['prod/**']}
    owners: {dialect: github}
    files:
      forbidden: ['vendor/**']
"""
)


def test_a_change_below_the_target_of_a_symlink_meets_the_rules_for_its_name(desk: Desk) -> None:
    layout = {
        "CODEOWNERS": "/net/ @carol\n",
        "envs/prod/x.yml": "a: 1\n",
        "theirs/x.yml": "a: 1\n",
        "prod": (SYMLINK, "envs/prod"),
        "net": (SYMLINK, "envs/net"),
        "vendor": (SYMLINK, "theirs"),
    }
    desk.land(layout)
    rule(desk, POLICY)
    first = desk.commit("alice", {"envs/prod/x.yml": "a: 2\n", "envs/net/y.yml": (FILE, "a: 1\n")})
    asked = desk.push("alice", f"{first}:refs/for/main").must()
    assert asked.remote_lines[2:] == [
        "  needs      1 approval by @ops",
        "  needs      2 approvals by @ops for prod/**",
        "  needs      1 approval by @carol (code owners of net/y.yml)",
    ]
    theirs = desk.commit("alice", {"theirs/x.yml": "a: 2\n"})
    assert desk.push("alice", f"{theirs}:refs/for/main/other").remote == refusal(
        "refs/for/main/other",
        "files",
        f"theirs/x.yml in {theirs[:7]}: a path that is forbidden here",
        "Each commit counts: git rebase -i takes it out of the one that brings it. (policy.yaml:"
        f"{line_of(POLICY, 'forbidden')})",
    )
    for name in ("bob", "carol"):
        desk.push(name, f"{first}:refs/approve/{desk.newest()}").must()
    assert desk.tip(MAIN) == first
    assert judged(desk) == ""
