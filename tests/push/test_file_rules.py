"""How many files a push may bring, how large, where, and what they may be: on each commit that would land."""

from tests.push.desk import FILE, MAIN, SUBMODULE, SYMLINK, Desk, refusal
from tests.push.rules_desk import HEAD, judged, line_of, rule

LIMITS = (
    HEAD
    + """\
    files:
      max_size: 1K
      max_files: 3
      max_path: 40
      forbidden: ['vendor/**', '**/*.pem']
      forbidden_extensions: [exe]
  - match: '**'
    push: ['*']
    propose: ['*']
    land: ['*']
    files: {allowed: ['**/*.yml', 'Vendor/**', 'tools/**', '.gitops/**'], max_size: 2K}
"""
)
ENVIRONMENT = """\
environments:
  - name: staging
    branch: main
    playbook: site.yml
    inventory: hosts
"""
KINDS = HEAD + "    files: {symlinks: [away], submodules: [lib/theirs], lfs: [big.bin]}\n" + ENVIRONMENT
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "a" * 64 + "\nsize 12345\n"
CURE = "Each commit counts: git rebase -i takes it out of the one that brings it."


def test_each_commit_keeps_to_the_limits_of_every_rule(desk: Desk) -> None:
    base = rule(desk, LIMITS)
    inner, outer = (
        f"policy.yaml:{line_of(LIMITS, words) + plus}" for words, plus in (("    files:", 1), ("{allowed", 0))
    )
    big = desk.commit("alice", {"a.yml": "a: 1\n" + "#" * 3000, "Vendor/KEY.PEM": "k"}, onto=base)
    head = desk.commit("alice", {"a.yml": None, "Vendor/KEY.PEM": None, "tools/Run.EXE": "x"}, onto=big)
    long = desk.commit("alice", {f"tools/{'x' * 40}": "x", "README.md": "y"}, onto=head)
    expected = refusal(
        "refs/for/main",
        "files",
        f"tools/{'x' * 40} in {long[:7]}: a path of 46 bytes; at most 40",
        f"tools/Run.EXE in {head[:7]}: .exe is forbidden here",
        f"a.yml in {big[:7]}: 3005 bytes; at most 1024",
        f"Vendor/KEY.PEM in {big[:7]}: a path that is forbidden here",
        f"{CURE} ({inner})",
        f"a.yml in {big[:7]}: 3005 bytes; at most 2048",
        "README.md: is not among the paths allowed here",
        f"{CURE} ({outer})",
    )
    assert desk.push("alice", f"{long}:refs/for/main").remote == expected
    assert desk.push("alice", f"{long}:{MAIN}").remote == expected.replace("refs/for/main", MAIN)

    many = desk.commit("alice", {f"{name}.yml": "a: 1\n" for name in "abcd"}, onto=base)
    assert desk.push("alice", f"{many}:{MAIN}").remote == refusal(
        MAIN, "files", "4 files change; at most 3 may. Split the change.", f"{CURE} ({inner})"
    )
    few = desk.commit("alice", {f"{name}.yml": "a: 1\n" for name in "abc"}, onto=base)
    desk.push("alice", f"{few}:{MAIN}").must()
    assert judged(desk) == ""


def test_what_a_deployment_could_not_carry_is_refused_where_one_deploys(desk: Desk) -> None:
    server = desk.world.home.server_file
    enabled = '"gitops_hooks.plugins.yaml_check"'
    server.write_text(server.read_text().replace(enabled, f'{enabled}, "gitops_hooks.plugins.ansible.check"'))
    rule(desk, HEAD + ENVIRONMENT)
    free = desk.commit("alice", {"l": (SYMLINK, "/etc/passwd")})
    desk.push("alice", f"{free}:refs/heads/free").must()
    odd = {
        "a/up": (SYMLINK, "../../x"),
        "a/in": (SYMLINK, "../README.md"),
        "round": (SYMLINK, "a/../../x"),
        "away": (SYMLINK, "/etc/passwd"),
        "lib/theirs": (SUBMODULE, "1" * 40),
        "big.bin": (FILE, POINTER),
    }
    head = desk.commit("alice", odd)
    lines = (
        f"a/up in {head[:7]}: a symlink to ../../x, which leaves the repository",
        f"away in {head[:7]}: a symlink to /etc/passwd, which leaves the repository",
        f"round in {head[:7]}: a symlink to a/../../x, which leaves the repository",
        f"{CURE} (built in)",
        f"lib/theirs in {head[:7]}: a submodule, whose files are not deployed",
        f"{CURE} (built in)",
        f"big.bin in {head[:7]}: a pointer to LFS, which is deployed as it is",
        f"{CURE} (built in)",
    )
    for ref in ("refs/for/main", MAIN):
        assert desk.push("alice", f"{head}:{ref}").remote == refusal(ref, "files", *lines)

    rule(desk, KINDS)
    place = f"policy.yaml:{line_of(KINDS, 'symlinks')}"
    head = desk.commit("alice", odd)
    assert desk.push("alice", f"{head}:{MAIN}").remote == refusal(
        MAIN,
        "files",
        f"a/up in {head[:7]}: a symlink to ../../x, which leaves the repository",
        f"round in {head[:7]}: a symlink to a/../../x, which leaves the repository",
        f"{CURE} ({place})",
    )
    named = desk.commit("alice", {name: odd[name] for name in ("away", "a/in", "lib/theirs", "big.bin")})
    desk.push("alice", f"{named}:{MAIN}").must()
    assert judged(desk) == ""
    moved = desk.commit("alice", {"lib/ours": (SUBMODULE, "1" * 40)})
    assert "lib/ours in " in desk.push("alice", f"{moved}:{MAIN}").remote
