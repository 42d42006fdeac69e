"""What is read from hook stdin and push options, and what is refused there."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_hooks.core.receive import Place, place_of, read_commands, read_options, shown, whole_push
from gitops_hooks.model.push import NO_OID, RefUpdate
from gitops_hooks.model.request import Refusal

A, B = "a" * 40, "b" * 40
CURE = "push again without these, or under other names"


def line(ref: bytes | str, old: str = A, new: str = B) -> bytes:
    raw = ref.encode() if isinstance(ref, str) else ref
    return f"{old} {new} ".encode() + raw + b"\n"


def refused(stdin: bytes, most: int = 10) -> Refusal:
    read = read_commands(stdin, most=most)
    assert isinstance(read, Refusal), read
    assert read.rule == "intake"
    return read


@pytest.mark.parametrize(
    ("ref", "place"),
    [
        ("refs/heads/main", Place.HEADS),
        ("refs/tags/v1", Place.TAGS),
        ("refs/for/main", Place.MAGIC),
        ("refs/approve/12", Place.MAGIC),
        ("refs/reject/12", Place.MAGIC),
        ("refs/withdraw/12", Place.MAGIC),
        ("refs/comment/12", Place.MAGIC),
        ("refs/land/12", Place.MAGIC),
        ("refs/rebase/12", Place.MAGIC),
        ("refs/plan/12", Place.MAGIC),
        ("refs/close/12", Place.MAGIC),
        ("refs/reopen/12", Place.MAGIC),
        ("refs/deploy/staging", Place.MAGIC),
        ("refs/rollback/staging", Place.MAGIC),
        ("refs/pause/staging", Place.MAGIC),
        ("refs/resume/staging", Place.MAGIC),
        ("refs/cancel/staging", Place.MAGIC),
        ("refs/changes/12/head", Place.SERVER),
        ("refs/environments/staging/log", Place.SERVER),
        ("refs/gitops/log", Place.SERVER),
        ("refs/agents/a", Place.SERVER),
        ("refs/heads", Place.OTHER),
        ("refs/heads/", Place.OTHER),
        ("refs/replace/" + A, Place.OTHER),
        ("refs/notes/commits", Place.OTHER),
        ("refs/Heads/main", Place.OTHER),
        ("Refs/heads/main", Place.OTHER),
        ("HEAD", Place.OTHER),
        ("main", Place.OTHER),
        ("", Place.OTHER),
    ],
)
def test_a_ref_stands_in_one_place(ref, place):
    assert place_of(ref) is place


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/main",
        "refs/heads/feature/a-b_c.d",
        "refs/heads/größe",
        "refs/heads/日本語",
        "refs/heads/feature/refs",
        "refs/heads/HEADER",
        "refs/heads/header",
        "refs/heads/a@b",
        "refs/heads/" + A + "0",
        "refs/heads/x/" + A,
        "refs/tags/v1.0",
        "refs/for/main%topic=x,title={base64}aGVsbG8=",
        "refs/for/main/topic#12",
        "refs/approve/12",
        "refs/changes/12/head",
        "refs/heads/" + "x" * 244,
    ],
)
def test_an_ordinary_name_is_read(ref):
    assert read_commands(line(ref), most=1) == (RefUpdate(A, B, ref),)


def test_commands_keep_their_order():
    stdin = line("refs/heads/b", NO_OID, B) + line("refs/heads/a", A, NO_OID)
    assert read_commands(stdin, most=2) == (
        RefUpdate(NO_OID, B, "refs/heads/b"),
        RefUpdate(A, NO_OID, "refs/heads/a"),
    )


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        (b"refs/heads/a\xff", "refs/heads/a\\xff: the name is not UTF-8"),
        ("refs/heads/" + "x" * 245, "refs/heads/" + "x" * 69 + "…: a name of 256 bytes; at most 255"),
        ("refs/heads/a b", "refs/heads/a b: not a name that git allows for a ref"),
        ("refs/heads/a\rb", "refs/heads/a\\rb: not a name that git allows for a ref"),
        ("refs/heads/a\x1b[31m", "refs/heads/a\\x1b[31m: not a name that git allows for a ref"),
        ("refs/heads/a\x7f", "refs/heads/a\\x7f: not a name that git allows for a ref"),
        ("refs/heads/a..b", "refs/heads/a..b: not a name that git allows for a ref"),
        ("refs/heads/a@{1}", "refs/heads/a@{1}: not a name that git allows for a ref"),
        ("refs/heads/.a", "refs/heads/.a: not a name that git allows for a ref"),
        ("refs/heads/a.lock", "refs/heads/a.lock: not a name that git allows for a ref"),
        ("refs/heads/a.lock/b", "refs/heads/a.lock/b: not a name that git allows for a ref"),
        ("refs/heads/a.", "refs/heads/a.: not a name that git allows for a ref"),
        ("refs/heads/a/", "refs/heads/a/: not a name that git allows for a ref"),
        ("refs/heads//a", "refs/heads//a: not a name that git allows for a ref"),
        ("refs/heads/a\\b", "refs/heads/a\\b: not a name that git allows for a ref"),
        ("refs/heads/a*", "refs/heads/a*: not a name that git allows for a ref"),
        ("HEAD", "HEAD: not a name that git allows for a ref"),
        ("heads/main", "heads/main: not a name that git allows for a ref"),
        ("refs/heads/-f", "refs/heads/-f: a name that starts with - could be taken for an option"),
        ("refs/heads/HEAD", "refs/heads/HEAD: HEAD could be taken for a name of git's own"),
        ("refs/heads/FETCH_HEAD", "refs/heads/FETCH_HEAD: FETCH_HEAD could be taken for a name of git's own"),
        ("refs/heads/@", "refs/heads/@: @ could be taken for a name of git's own"),
        (
            "refs/heads/refs/heads/main",
            "refs/heads/refs/heads/main: refs/heads/main below refs/heads/ could be taken for a full ref name",
        ),
        ("refs/tags/refs", "refs/tags/refs: refs below refs/tags/ could be taken for a full ref name"),
        (
            "refs/heads/" + A,
            f"refs/heads/{A}: a name of hexadecimal digits could be taken for an object id",
        ),
        (
            "refs/heads/a\u2028b",
            "refs/heads/a\\u2028b: U+2028 is a control, format, space, private or unassigned character",
        ),
        (
            "refs/heads/a\u0085b",
            "refs/heads/a\\x85b: U+0085 is a control, format, space, private or unassigned character",
        ),
        (
            "refs/heads/a\u00a0b",
            "refs/heads/a\\xa0b: U+00A0 is a control, format, space, private or unassigned character",
        ),
        (
            "refs/heads/a\u202eb",
            "refs/heads/a\\u202eb: U+202E is a control, format, space, private or unassigned character",
        ),
        (
            "refs/tags/a\ue000",
            "refs/tags/a\\ue000: U+E000 is a control, format, space, private or unassigned character",
        ),
        (
            "refs/tags/a\U000e0fff",
            "refs/tags/a\\U000e0fff: U+E0FFF is a control, format, space, private or unassigned character",
        ),
        ("refs/heads/gro\u0308\u00dfe", "refs/heads/gro\\u0308\\xdfe: the name is not in Unicode normal form NFC"),
        ("refs/for/größe", "refs/for/gr\\xf6\\xdfe: only ASCII letters, digits and ._/%,=+{}@#- may stand here"),
        ("refs/changes/1é", "refs/changes/1\\xe9: only ASCII letters, digits and ._/%,=+{}@#- may stand here"),
        ("refs/other/a;b", "refs/other/a;b: only ASCII letters, digits and ._/%,=+{}@#- may stand here"),
        ("refs/for/-main", "refs/for/-main: a name that starts with - could be taken for an option"),
    ],
)
def test_a_name_that_could_deceive_is_refused_and_shown_escaped(ref, reason):
    assert refused(line(ref)) == Refusal("intake", reason, CURE)


@pytest.mark.parametrize(
    ("stdin", "reason"),
    [
        (b"", "no ref update arrived"),
        (line("refs/heads/a")[:-1], "the list of ref updates was cut short: its last line has no end"),
        (line("refs/heads/a") + b"\n", "not `old new ref` with two ids of 40 digits: "),
        (b"\n", "not `old new ref` with two ids of 40 digits: "),
        (b"x\n", "not `old new ref` with two ids of 40 digits: x"),
        (b" " + line("r"), f"not `old new ref` with two ids of 40 digits:  {A[:79]} {B[:38]}…"),
        (line("refs/heads/a", A[:39]), f"not `old new ref` with two ids of 40 digits: {A[:39]} {B}…"),
        (line("refs/heads/a", A.upper()), f"not `old new ref` with two ids of 40 digits: {A.upper()} {B[:39]}…"),
        (line(b"refs/heads/a\0b"), f"not `old new ref` with two ids of 40 digits: {A} {B[:39]}…"),
        (line("refs/heads/a", NO_OID, NO_OID), "refs/heads/a: neither an old nor a new commit"),
        (line("refs/tags/a", NO_OID, NO_OID), "refs/tags/a: neither an old nor a new commit"),
        (line("refs/heads/a") + line("refs/heads/a"), "refs/heads/a: more than once in one push"),
        (line("refs/heads/a") + line("refs/heads/a", B, A), "refs/heads/a: more than once in one push"),
        (line("refs/heads/a\nx"), "not `old new ref` with two ids of 40 digits: x"),
    ],
)
def test_only_the_exact_grammar_is_read(stdin, reason):
    assert refused(stdin).reason == reason


def test_a_line_feed_in_a_name_cannot_bring_a_second_update_of_the_same_ref():
    forged = line("refs/heads/x\n" + line("refs/heads/main").decode().removesuffix("\n"))
    assert refused(forged + line("refs/heads/main")).reason == "refs/heads/main: more than once in one push"


def test_a_delete_of_a_magic_ref_arrives_with_no_ids_at_all():
    assert read_commands(line("refs/close/12", NO_OID, NO_OID), most=1) == (RefUpdate(NO_OID, NO_OID, "refs/close/12"),)


def test_too_many_refs_are_refused_before_any_is_read():
    stdin = b"garbage\n" * 11
    assert refused(stdin) == Refusal("intake", "11 refs in one push; at most 10", "push them in several pushes")


def test_all_faults_come_at_once():
    stdin = line("refs/heads/-a") + line("refs/heads/ok") + line("refs/heads/b..c") + line("refs/heads/ok")
    assert refused(stdin).reason.splitlines() == [
        "refs/heads/-a: a name that starts with - could be taken for an option",
        "refs/heads/b..c: not a name that git allows for a ref",
        "refs/heads/ok: more than once in one push",
    ]


def test_very_many_faults_are_counted_not_printed():
    lines = refused(b"x\n" * 50, most=50).reason.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 30 more"


def test_what_is_shown_is_printable_ascii_of_bounded_length():
    assert shown(b"a\xc3\xa9\xff\x1b") == "a\\xe9\\xff\\x1b"
    assert shown("\u202e" * 500) == ("\\u202e" * 14)[:80] + "…"
    assert shown(b"\xff" * 1_000_000)[:8] == "\\xff\\xff"


def env(*options: str) -> dict[str, str]:
    named = {f"GIT_PUSH_OPTION_{number}": option for number, option in enumerate(options)}
    return {"GIT_PUSH_OPTION_COUNT": str(len(options)), **named}


def test_push_options_are_read_in_order():
    assert read_options(env("topic=x", "title=größe", ""), 3) == ("topic=x", "title=größe", "")
    assert read_options({}, 3) == ()
    assert read_options({"GIT_PUSH_OPTION_COUNT": "0"}, 3) == ()


LINES = "write several lines as -o description={base64}…"


@pytest.mark.parametrize(
    ("environ", "refusal"),
    [
        (env("a", "b", "c", "d"), Refusal("options", "4 push options; at most 3", "push with fewer -o")),
        ({"GIT_PUSH_OPTION_COUNT": ""}, Refusal("options", "GIT_PUSH_OPTION_COUNT is not a number: ")),
        ({"GIT_PUSH_OPTION_COUNT": "-1"}, Refusal("options", "GIT_PUSH_OPTION_COUNT is not a number: -1")),
        ({"GIT_PUSH_OPTION_COUNT": "٣"}, Refusal("options", "GIT_PUSH_OPTION_COUNT is not a number: \\u0663")),
        ({"GIT_PUSH_OPTION_COUNT": "1\n"}, Refusal("options", "GIT_PUSH_OPTION_COUNT is not a number: 1\\n")),
        (
            {"GIT_PUSH_OPTION_COUNT": "3", "GIT_PUSH_OPTION_1": "x"},
            Refusal("options", "GIT_PUSH_OPTION_0 is missing\nGIT_PUSH_OPTION_2 is missing"),
        ),
        (env("a\nb"), Refusal("options", "a\\nb: a control character, or not UTF-8", LINES)),
        (env("a\udcff"), Refusal("options", "a\\udcff: a control character, or not UTF-8", LINES)),
        (env("a\u2028"), Refusal("options", "a\\u2028: a control character, or not UTF-8", LINES)),
        (env("x" * 32769), Refusal("options", "x" * 80 + "…: longer than 32768 bytes", LINES)),
    ],
)
def test_push_options_that_cannot_be_read_are_refused(environ, refusal):
    assert read_options(environ, 3) == refusal


def updates(*refs: str) -> list[RefUpdate]:
    return [RefUpdate(A, B, ref) for ref in refs]


@pytest.mark.parametrize("refs", [(), ("refs/heads/a", "refs/tags/b"), ("refs/for/main",), ("refs/approve/1",)])
def test_a_push_of_one_kind_passes(refs):
    assert whole_push(updates(*refs)) is None


def test_a_ref_of_the_servers_own_refuses_the_whole_push():
    refs = updates("refs/heads/a", "refs/changes/1/head", "refs/gitops/log", "refs/replace/x", "refs/heads")
    assert whole_push(refs) == Refusal(
        "namespaces",
        "refs/changes/1/head is written by the server alone\n"
        "refs/gitops/log is written by the server alone\n"
        "refs/replace/x is neither a branch, a tag nor a verb\n"
        "refs/heads is neither a branch, a tag nor a verb",
        "push to refs/heads/…, refs/tags/… or refs/for/<branch>",
    )


def test_ordinary_and_magic_refs_are_never_mixed():
    assert whole_push(updates("refs/tags/v1", "refs/for/main")) == Refusal(
        "namespaces",
        "refs/for/main is a verb and refs/tags/v1 a ref that moves:\n"
        "one push carries the one kind or the other, never both",
        "push them apart; where git added tags by itself, push with --no-follow-tags",
    )


NAMES = st.one_of(
    st.text(max_size=20).map(lambda text: f"refs/heads/{text}".encode("utf-8", "replace")),
    st.text("ab/.-@{}*~^:?[\\lock\x7f ", max_size=12).map(lambda text: f"refs/heads/{text}".encode()),
    st.text("ab/.%-,=", max_size=12).map(lambda text: f"refs/for/{text}".encode()),
    st.binary(max_size=40),
)
OIDS = st.sampled_from([A, B, NO_OID, A[:7], A.upper()])
STDIN = st.one_of(
    st.binary(max_size=300),
    st.lists(st.builds(line, NAMES, OIDS, OIDS), max_size=6).map(b"".join),
)


@settings(max_examples=500, deadline=None)
@given(STDIN)
def test_no_input_raises_and_what_is_read_is_what_was_written(stdin):
    read = read_commands(stdin, most=4)
    if isinstance(read, Refusal):
        assert all(" " <= char <= "~" or char in "…\n" for char in read.reason)
        return
    assert b"".join(line(update.ref, update.old, update.new) for update in read) == stdin
    assert 1 <= len({update.ref for update in read}) == len(read) <= 4


@settings(max_examples=60, deadline=None)
@given(st.lists(st.builds(line, NAMES), max_size=1).map(b"".join))
def test_every_name_that_is_read_is_one_that_git_allows(stdin):
    read = read_commands(stdin, most=4)
    for update in () if isinstance(read, Refusal) else read:
        assert subprocess.run(["git", "check-ref-format", update.ref], timeout=10).returncode == 0


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from([*env("", "", ""), "X"]), st.text(max_size=8)))
def test_no_environment_makes_the_options_raise(environ):
    assert isinstance(read_options(environ, 3), tuple | Refusal)
