"""Tags that a policy protects: who creates, moves and deletes them, signed by whom, and where they may point."""

from gitops_hooks.edge.record import LOG
from gitops_hooks.entry.authorised import judge_record
from gitops_hooks.entry.sitting import open_sitting
from gitops_hooks.model.event import Landing
from tests.push.desk import MAIN, Desk, refusal, status_lines
from tests.push.rules_desk import HEAD, line_of, rule
from tests.world import REPOSITORY

POLICY = (
    HEAD
    + """\
tags:
  - match: 'v*'
    create: [alice, bob]
    delete: [bob]
    force: [bob]
    annotated: true
  - match: 'v2*'
    create: ['@ops']
    signed: true
    branches: [main]
"""
)
V1, V2 = "refs/tags/v1", "refs/tags/v2"
ANY, SIGNED = (f"(policy.yaml:{line_of(POLICY, words)})" for words in ("match: 'v*'", "match: 'v2*'"))


def _tag(desk: Desk, who: str, name: str, commit: str, *words: str) -> str:
    """A tag object of this name, made in the clone; signed with the key of `who` where `words` ask."""
    key = desk.world.key(who).with_suffix(".pub")
    desk.git(
        who,
        "-c",
        "gpg.format=ssh",
        "-c",
        f"user.signingkey={key}",
        "tag",
        "-f",
        "-m",
        "A release",
        *words,
        name,
        commit,
    ).must()
    return desk.ask("rev-parse", f"refs/tags/{name}")


def _wrong(desk: Desk) -> list[str]:
    """Which of all records of moves are not authorised, when each is judged again."""
    sitting = open_sitting(desk.world.home, REPOSITORY)
    record = sitting.record
    moves = [event for event in record.events(LOG) if isinstance(event.body, Landing)]
    policies = {event.body.policy for event in moves}
    return [refusal.reason for event in moves if (refusal := judge_record(record, event, policies))]


def test_a_tag_that_a_rule_protects_is_made_moved_and_deleted_by_those_who_may(desk: Desk) -> None:
    main = rule(desk, POLICY)
    tag = _tag(desk, "alice", "v1", main)
    assert desk.push("carol", f"{tag}:{V1}").remote == refusal(
        V1, "create", f"Only alice, bob may create the tag v1; carol is not among them. {ANY}"
    )
    assert desk.push("alice", f"{main}:{V1}").remote == refusal(
        V1, "tags", f"v1 must be an annotated tag: git tag -a v1 <commit> {ANY}"
    )
    made = desk.push("alice", f"{tag}:{V1}").must()
    assert made.remote == (
        f"gitops: {V1} created by alice, as the policy allows without approval\n  v1         begins at {tag[:7]}"
    )
    assert status_lines(made) == [f" * [new tag]         {tag} -> v1"]
    assert [desk.log()[-2].fact(key) for key in ("Way", "Ref", "New", "Head")] == ["create", V1, tag, tag]
    other = _tag(desk, "bob", "v1", f"{main}~1")
    assert desk.push("alice", f"+{other}:{V1}").remote == refusal(
        V1, "force", f"Only bob may move the tag v1; alice is not among them. {ANY}"
    )
    desk.push("bob", f"+{other}:{V1}").must()
    assert desk.tip(V1) == other and desk.refs()[f"refs/gitops/kept/{tag}"] == tag
    assert desk.push("alice", f":{V1}").remote == refusal(
        V1, "delete", f"Only bob may delete the tag v1; alice is not among them. {ANY}"
    )
    desk.push("bob", f":{V1}").must()
    assert V1 not in desk.refs() and _wrong(desk) == []
    desk.push("dave", f"{main}:refs/tags/free").must()
    assert desk.tip("refs/tags/free") == main


def test_a_tag_leads_to_a_landed_commit_under_its_own_name(desk: Desk) -> None:
    main = rule(desk, POLICY)
    ahead = desk.commit("alice", {"a.yml": "a: 1\n"})
    assert desk.push("alice", f"{_tag(desk, 'alice', 'v1', ahead)}:{V1}").remote == refusal(
        V1,
        "tags",
        f"{ahead[:7]} is not part of any branch that has a rule. Land it first, then push the tag by itself.",
        ANY,
    )
    tag = _tag(desk, "alice", "v1", main)
    assert desk.push("alice", f"{tag}:refs/tags/v1.1").remote == refusal(
        "refs/tags/v1.1", "tags", f"v1.1 holds a tag object that is called v1; make one of its own name {ANY}"
    )
    nested = _tag(desk, "alice", "v1", tag)
    assert desk.push("alice", f"{nested}:{V1}").remote == refusal(
        V1, "tags", f"v1 must lead to a commit, by itself or by one tag object. {ANY}"
    )


def test_a_signed_tag_is_signed_by_somebody_who_may_create_it(desk: Desk) -> None:
    main = rule(desk, POLICY)

    def said(who: str, oid: str) -> str:
        return desk.push(who, f"{oid}:{V2}").remote

    assert said("alice", _tag(desk, "alice", "v2", main)) == refusal(
        V2, "tags", f"v2: it must be signed: git tag -s (for SSH keys: git config gpg.format ssh) {SIGNED}"
    )
    assert said("alice", _tag(desk, "dave", "v2", main, "-s")) == refusal(
        V2,
        "tags",
        f"It is signed by dave. Only @ops may create the tag v2; dave is not among them. {SIGNED}",
    )
    signed = _tag(desk, "carol", "v2", main, "-s")
    text = desk.ask("cat-file", "tag", signed)
    forged = desk.ask("hash-object", "-t", "tag", "-w", "--stdin", text=text.replace("A release", "B release") + "\n")
    assert said("alice", forged) == refusal(V2, "tags", f"v2: its signature does not fit it {SIGNED}")
    desk.push("alice", f"{signed}:{V2}").must()
    record = desk.log()[-2]
    key = desk.world.key("carol").with_suffix(".pub").read_text().split()
    assert (record.fact("Signer"), record.fact("Signer-key")) == ("carol", f'"{key[0]} {key[1]}"')
    assert _wrong(desk) == []
    # Who had which key then stands in the record: nobody asks who has it today.
    desk.world.admin("user", "remove", "carol", "--yes").must()
    assert _wrong(desk) == []


def test_a_protected_tag_that_was_moved_by_hand_takes_nothing(desk: Desk) -> None:
    main = rule(desk, POLICY)
    desk.push("alice", f"{_tag(desk, 'alice', 'v1', main)}:{V1}").must()
    desk.world.server_git("update-ref", V1, f"{main}~1")
    said = desk.push("bob", f":{V1}").remote_lines
    assert said[:3] == [f"gitops: refused {V1}", "", "  record"]
    desk.world.admin("recovery", "restore", REPOSITORY, V1, "--reason", "by hand").must()
    desk.push("bob", f":{V1}").must()
    assert MAIN in desk.refs() and V1 not in desk.refs()
