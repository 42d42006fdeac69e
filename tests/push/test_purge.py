"""A secret that was proposed leaves the server, and what stays is told."""

from tests.push.desk import Desk
from tests.push.rules_desk import HEAD, judged, rule
from tests.push.test_verify import Auditor

SECRET = "hunter2 is the password\n"
CURE = "purge or delete that too, then run this again"
UNREACHED = [
    "not reached: clones, mirrors, backups and file system snapshots that have it already",
    "not removed: title, description and messages in refs/changes/1/meta",
    "what was secret is known by now: replace it where it is used",
]


def there(desk: Desk, *oids: str) -> set[str]:
    """Those objects that the server still has, in whatever form."""
    said = desk.world.server_git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    return set(said.split()) & set(oids)


def test_nothing_of_a_purged_change_is_left_but_its_history(desk: Desk) -> None:
    landed = desk.land({"kept.yml": "a: 1\n"})
    blob = desk.blob(SECRET)
    first = desk.propose("alice", {"a.txt": SECRET})
    second = desk.commit("alice", {"a.txt": "nothing\n"}, onto=first)
    number = desk.newest()
    desk.push("alice", f"{second}:refs/for/main", "-o", f"change={number}").must()
    # Merged results of the judge, packed and loose, hold it too.
    desk.world.server_git("repack", "-a", "-d")
    desk.world.server_git("config", "core.logAllRefUpdates", "always")
    assert there(desk, blob, first, second) == {blob, first, second}
    done = desk.world.admin("change", "purge", str(number), "--reason", "a password").must()
    lines = done.out.splitlines()
    assert lines[0] == f"change {number} is purged; refs/gitops/log and refs/changes/{number}/meta say so"
    assert lines[1] == "removed 6 objects; none of them is left on this server"
    assert lines[2:] == [line.replace("/1/", f"/{number}/") for line in UNREACHED]
    assert there(desk, blob, first, second, landed) == {landed}
    assert [name for name in desk.refs() if name.startswith(f"refs/changes/{number}/")] == [
        f"refs/changes/{number}/meta"
    ]
    assert desk.said(number)[-1] == f"change {number} purged by server"
    event = desk.log()[-1]
    assert [event.fact(key) for key in ("Event", "Act", "Ref", "Old", "Reason")] == [
        *("administered", "purge", f"refs/changes/{number}", second, '"a password"')
    ]


def test_a_purged_change_takes_no_verb_and_the_server_goes_on(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.txt": SECRET})
    desk.world.admin("change", "purge", "1", "--reason", "a password").must()
    refused = desk.push("bob", f"{commit}:refs/approve/1")
    assert (refused.code, "change 1" in refused.remote.lower()) == (1, True), refused.err
    reopened = desk.push("alice", ":refs/reopen/1")
    assert "Change 1 was purged: its content is no longer here." in reopened.remote, reopened.err
    assert desk.world.ssh("alice", "change show 1").must().out.startswith("change 1, purged, for main by alice\n")
    assert desk.world.ssh("alice", "change diff 1").must().out == (
        "change 1 was purged: its content is no longer here\n"
    )
    # Twice is once, the index can be built again, and the next change is another one.
    again = desk.world.admin("change", "purge", "1", "--reason", "a password").must()
    assert again.out.splitlines()[1] == "removed 0 objects; none of them is left on this server"
    desk.world.admin("recovery", "index", "site").must()
    assert desk.land({"b.yml": "b: 1\n"}) == desk.tip("refs/heads/main")
    assert desk.newest() == 2
    assert [event.fact("Act") for event in desk.log()].count("purge") == 1
    desk.world.reconcile_once()
    assert "refs/changes/1/head" not in desk.refs()


def test_a_purge_is_told_by_verify_and_breaks_no_record(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.txt": SECRET})
    desk.world.admin("change", "purge", "1", "--reason", "a password").must()
    landed = desk.land({"b.yml": "b: 1\n"})
    auditor = Auditor(desk)
    auditor.fetch()
    lines = auditor.verify().must().out.splitlines()
    assert any(line.startswith(f"  admin      purge of refs/changes/1 {commit[:12]}..") for line in lines)
    assert f"  main       {landed[:12]}  1 landings, 0 by the administrator" in lines


def test_what_another_ref_holds_is_told_and_not_called_gone(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.txt": SECRET})
    desk.push("alice", f"{commit}:refs/for/main/other", "-o", "topic=other")
    desk.push("alice", f"{commit}:refs/heads/mine").must()
    lines = desk.world.admin("change", "purge", "1", "--reason", "a password").must().out.splitlines()
    assert lines[1] == "removed 0 of its 3 objects; 3 are held by something else:"
    assert "  refs/heads/mine" in lines
    assert CURE in lines


def test_what_a_recorded_branch_stood_at_is_kept_and_told(desk: Desk) -> None:
    rights = "  - {match: 'release/**', push: [alice], propose: ['*'], land: [], create: [alice], delete: [alice]}\n"
    rule(desk, HEAD + rights)
    release = "refs/heads/release/1"
    desk.push("alice", f"{desk.tip('refs/heads/main')}:{release}").must()
    secret = desk.propose("alice", {"a.txt": SECRET})
    desk.push("alice", f"{secret}:{release}").must()
    desk.push("alice", f":{release}").must()
    number, blob = desk.newest(), desk.blob(SECRET)
    lines = desk.world.admin("change", "purge", str(number), "--reason", "a password").must().out.splitlines()
    assert lines[1:4] == [
        "removed 0 of its 3 objects; 3 are held by something else:",
        f"  refs/gitops/kept/{secret}",
        "refs/gitops/kept/* stays: a branch or tag stood there, and its recorded history is judged by it",
    ]
    assert there(desk, blob, secret) == {blob, secret}
    assert judged(desk, release) == "refs/heads/release/1 is not there"
    # A second holder that can go is told with what to do about it.
    desk.push("alice", f"{secret}:refs/heads/mine").must()
    lines = desk.world.admin("change", "purge", str(number), "--reason", "a password").must().out.splitlines()
    assert lines[2:5] == [f"  refs/gitops/kept/{secret}", "  refs/heads/mine", CURE]


def test_a_landed_change_is_refused_with_what_to_do_instead(desk: Desk) -> None:
    desk.land({"a.txt": SECRET})
    before = desk.refs()
    refused = desk.world.admin("change", "purge", "1", "--reason", "a password")
    assert (refused.code, refused.err) == (
        1,
        "gitops: Change 1 has landed: it is a part of main, whose recorded history stays as it is.\n"
        "Make the secret worthless where it is used, then land a change that takes it out.\n",
    )
    assert desk.refs() == before
    assert desk.world.admin("change", "purge", "7", "--reason", "x").err == "gitops: There is no change 7.\n"


def test_it_is_the_administrators_alone(desk: Desk) -> None:
    desk.propose("alice", {"a.txt": SECRET})
    refused = desk.world.ssh("alice", "change purge 1 --reason x")
    assert (refused.code, refused.err) == (
        1,
        "gitops: 'change purge' is for the administrator, on the server's own shell\n",
    )
    assert "refs/changes/1/head" in desk.refs()
