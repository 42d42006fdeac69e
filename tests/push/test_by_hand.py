"""A client that is not git: what it sends is a claim, and each is held against what is."""

import pytest

from tests.push.desk import MAIN, Desk, refusal
from tests.push.wire import NONE, look, push_by_hand

MINE = "refs/heads/mine"


@pytest.mark.parametrize("forged", [MAIN, MINE])
def test_a_newline_in_a_name_forges_no_second_command(shared: Desk, forged: str) -> None:
    main = shared.tip(MAIN)
    other = shared.commit("alice", {"a.yml": "a: 1\n"}, onto=None)
    before = shared.refs()
    old = main if forged == MAIN else NONE
    answer = push_by_hand(shared, "alice", [(NONE, shared.tip(MAIN), f"refs/heads/x\n{old} {other} {forged}")])
    assert answer.report[-1].startswith("ng refs/heads/x")
    assert shared.refs() == before


def test_the_same_ref_twice_refuses_the_push(shared: Desk) -> None:
    one = shared.tip(MAIN)
    before = shared.refs()
    answer = push_by_hand(shared, "alice", [(NONE, one, "refs/heads/twice"), (NONE, one, "refs/heads/twice")])
    assert answer.told == refusal(
        "the whole push",
        "intake",
        "refs/heads/twice: more than once in one push",
        cure="push again without these, or under other names",
    )
    assert shared.refs() == before


@pytest.mark.parametrize("ref", [MAIN, "refs/heads/none", "refs/tags/none"])
def test_nothing_to_nothing_is_no_update(shared: Desk, ref: str) -> None:
    before = shared.refs()
    answer = push_by_hand(shared, "alice", [(NONE, NONE, ref)])
    assert answer.told == refusal(
        "the whole push",
        "intake",
        f"{ref}: neither an old nor a new commit",
        cure="push again without these, or under other names",
    )
    assert shared.refs() == before


def test_a_claimed_old_commit_is_held_against_the_real_tip(shared: Desk) -> None:
    main = shared.tip(MAIN)
    other = shared.propose("dave", {"claimed.yml": "a: 1\n"}, "main/claimed")
    before = shared.refs()
    for old, new in ((other, other), (NONE, other)):
        answer = push_by_hand(shared, "alice", [(old, new, MAIN)])
        assert answer.told == refusal(MAIN, "tip", f"{MAIN} is at {main[:12]}, not at {old[:12]}. Fetch and try again.")
    answer = push_by_hand(shared, "alice", [(other, NONE, MAIN)])
    assert "is at" in answer.told
    named = push_by_hand(shared, "alice", [(main, other, "refs/for/main")])
    assert named.told == refusal(
        "refs/for/main", "magic", f"refs/for/main is never there, yet the push names it at {main[:10]}"
    )
    assert shared.refs() == before


def test_a_tag_or_a_file_is_no_commit_wherever_it_is_pushed(shared: Desk) -> None:
    shared.ask("tag", "-f", "-a", "-m", "a tag", "annotated", shared.tip(MAIN))
    tag, main = shared.ask("rev-parse", "refs/tags/annotated"), shared.tip(MAIN)
    shared.push("alice", "refs/tags/annotated").must()
    before = shared.refs()
    assert push_by_hand(shared, "alice", [(main, tag, MAIN)]).told == refusal(
        MAIN, "object", f"{tag[:12]} is not a commit."
    )
    answer = push_by_hand(shared, "alice", [(NONE, tag, "refs/heads/tagged")])
    assert answer.report[-1].startswith("ng refs/heads/tagged")
    blob = shared.tip(f"{MAIN}:README.md")
    assert "is not a commit." in push_by_hand(shared, "alice", [(NONE, blob, "refs/for/main")]).told
    assert shared.refs() == before


def test_an_abbreviated_or_unknown_commit_is_nothing(shared: Desk) -> None:
    commit = shared.propose("dave", {"short.yml": "a: 1\n"}, "main/short")
    number = shared.newest()
    before = shared.refs()
    short = push_by_hand(shared, "bob", [(NONE, commit[:12], f"refs/approve/{number}")])
    assert "protocol error" in short.errors
    missing = push_by_hand(shared, "bob", [(NONE, "1" * 40, f"refs/approve/{number}")])
    assert missing.report[-1] == f"ng refs/approve/{number} missing necessary objects"
    assert shared.refs() == before


def test_a_flood_of_options_or_one_that_holds_lines_is_refused(shared: Desk) -> None:
    commit = shared.propose("dave", {"flood.yml": "a: 1\n"}, "main/flood")
    before = shared.refs()
    many = push_by_hand(shared, "dave", [(NONE, commit, "refs/for/main/flood")], ["topic=x"] * 33)
    assert many.told == refusal("the whole push", "options", "33 push options; at most 32", cure="push with fewer -o")
    odd = push_by_hand(shared, "dave", [(NONE, commit, "refs/for/main/flood")], ["title=a\nb", b"topic=\xff"])
    assert odd.told == refusal(
        "the whole push",
        "options",
        "title=a\\nb: a control character, or not UTF-8",
        "topic=\\udcff: a control character, or not UTF-8",
        cure="write several lines as -o description={base64}…",
    )
    long = push_by_hand(shared, "dave", [(NONE, commit, "refs/for/main/flood")], ["title=" + "x" * 40_000])
    assert "longer than\n    32768 bytes" in long.told
    assert shared.refs() == before


def test_an_unknown_option_is_refused_with_the_list_and_help_shows_it(shared: Desk) -> None:
    commit = shared.propose("dave", {"options.yml": "a: 1\n"}, "main/options")
    before = shared.refs()
    words = ("-o", "colour=red", "-o", "private", "-o", "hashtag=web", "-o", "change=x")
    result = shared.push("dave", f"{commit}:refs/for/main/options", *words)
    assert result.remote == refusal(
        "refs/for/main/options",
        "options",
        "colour: no such option",
        "private: not in this release",
        "hashtag: not in this release",
        "change: not the number of a change",
        cure=(
            "built: topic title description|message|m change draft|wip ready reviewer|r cc base stack "
            "submit|land|auto-land old-oid merge_request.target merge_request.create break-glass reason help"
        ),
    )
    told = shared.push("dave", f"{commit}:refs/for/main/options", "-o", "help").remote_lines
    assert told[2] == "  help" and any("auto-land" in line for line in told)
    plain = shared.push("dave", f"{commit}:refs/heads/optioned", "-o", "topic=x")
    assert "topic=x: options belong to a proposal or a verb" in plain.remote
    assert shared.refs() == before


def test_what_the_server_keeps_is_not_shown_to_a_push_and_open_to_a_fetch(shared: Desk) -> None:
    commit = shared.propose("dave", {"shown.yml": "a: 1\n"}, "main/shown")
    number = shared.newest()
    shown = look(shared, "alice").advertised
    assert MAIN in shown
    assert not [name for name in shown if name.startswith(("refs/changes/", "refs/gitops/"))]
    shared.git("carol", "fetch", "-q", "host:site", f"refs/changes/{number}/head:refs/heads/seen").must()
    assert shared.ask("rev-parse", "refs/heads/seen") == commit
    remote = shared.git("carol", "ls-remote", "host:site", "refs/gitops/log").must()
    assert remote.out.split()[1] == "refs/gitops/log"
