"""The proc-receive conversation, byte for byte."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_hooks.core.pktline import Conversation, Moved, Report, Stage, encode_report
from gitops_hooks.model.push import RefUpdate
from gitops_hooks.model.request import Refusal

A, B = "a" * 40, "b" * 40
FLUSH = b"0000"


def pkt(payload: bytes) -> bytes:
    return b"%04x" % (len(payload) + 4) + payload


def command(ref: str, old: str = A, new: str = B) -> bytes:
    return pkt(f"{old} {new} {ref}".encode())


def talk() -> Conversation:
    return Conversation(most_refs=3, most_options=2)


VERSION = pkt(b"version=1\0push-options atomic\n") + FLUSH
WHOLE = VERSION + command("refs/heads/a") + command("refs/for/main") + FLUSH + pkt(b"topic=x") + pkt(b"help") + FLUSH


def test_a_whole_conversation_is_read():
    conversation = talk()
    assert (conversation.stage, conversation.outgoing()) == (Stage.VERSION, b"")
    conversation.feed(WHOLE)
    assert conversation.outgoing() == pkt(b"version=1\0push-options atomic\n") + FLUSH
    assert conversation.outgoing() == b""
    assert conversation.done_reading
    assert conversation.stage is Stage.DONE
    assert conversation.commands == (RefUpdate(A, B, "refs/heads/a"), RefUpdate(A, B, "refs/for/main"))
    assert conversation.options == ("topic=x", "help")
    assert conversation.atomic is True
    assert conversation.refusal is None


def test_it_does_not_matter_where_the_bytes_are_split():
    conversation = talk()
    sent = b""
    for at in range(len(WHOLE)):
        assert not conversation.done_reading
        conversation.feed(WHOLE[at : at + 1])
        sent += conversation.outgoing()
    assert conversation.stage is Stage.DONE
    assert len(conversation.commands) == len(conversation.options) == 2
    assert sent == pkt(b"version=1\0push-options atomic\n") + FLUSH


def test_the_answer_comes_before_the_first_command():
    conversation = talk()
    conversation.feed(VERSION)
    assert conversation.stage is Stage.COMMANDS
    assert conversation.outgoing() == pkt(b"version=1\0push-options atomic\n") + FLUSH


@pytest.mark.parametrize(
    ("offer", "answer", "atomic"),
    [
        (b"version=1\n", b"version=1\n", False),
        (b"version=1", b"version=1\n", False),
        (b"version=1\0atomic\n", b"version=1\0atomic\n", True),
        (b"version=1\0something-new=2 atomic\n", b"version=1\0atomic\n", True),
    ],
)
def test_options_are_not_awaited_where_git_does_not_offer_them(offer, answer, atomic):
    conversation = talk()
    conversation.feed(pkt(offer) + FLUSH + command("refs/heads/a") + FLUSH)
    assert conversation.outgoing() == pkt(answer) + FLUSH
    assert conversation.stage is Stage.DONE
    assert (conversation.atomic, conversation.options) == (atomic, ())


@pytest.mark.parametrize(
    ("read", "rule", "reason"),
    [
        (b"", "proc-receive", "git went away while its versions were awaited"),
        (b"00", "proc-receive", "git went away while its versions were awaited"),
        (VERSION, "proc-receive", "git went away while its commands were awaited"),
        (VERSION + command("refs/heads/a")[:-1], "proc-receive", "git went away while its commands were awaited"),
        (VERSION + command("refs/heads/a") + FLUSH, "proc-receive", "git went away while its options were awaited"),
        (b"xxxx", "proc-receive", "not a packet length: xxxx"),
        (b"0001", "proc-receive", "not a packet length: 0001"),
        (b"0003", "proc-receive", "not a packet length: 0003"),
        (b"+004", "proc-receive", "not a packet length: +004"),
        (b"fff1", "proc-receive", "not a packet length: fff1"),
        (FLUSH, "proc-receive", "this release speaks version=1 with git, which said nothing"),
        (
            pkt(b"version=2") + FLUSH,
            "proc-receive",
            "this release speaks version=1 with git, which said version=2",
        ),
        (
            pkt(b"version=1") + pkt(b"version=1") + FLUSH,
            "proc-receive",
            "more than 1 versions",
        ),
        (VERSION + FLUSH, "intake", "no ref update arrived"),
        (VERSION + pkt(b"x") + FLUSH, "intake", "not `old new ref` with two ids of 40 digits: x"),
        (
            VERSION + command("refs/heads/a") * 2 + FLUSH,
            "intake",
            "refs/heads/a: more than once in one push",
        ),
        (
            VERSION + command("refs/heads/a") * 4,
            "proc-receive",
            "more than 3 commands",
        ),
        (
            VERSION + command(f"x\n{A} {B} refs/heads/main") + FLUSH,
            "proc-receive",
            f"a line feed in a command: {A} {B[:39]}…",
        ),
        (
            VERSION + command("refs/heads/a") + FLUSH + pkt(b"o") * 3,
            "proc-receive",
            "more than 2 options",
        ),
        (
            VERSION + command("refs/heads/a") + FLUSH + pkt(b"o\n") + FLUSH,
            "options",
            "o\\n: a control character, or not UTF-8",
        ),
        (
            VERSION + command("refs/heads/a") + FLUSH + pkt(b"\xff") + FLUSH,
            "options",
            "\\udcff: a control character, or not UTF-8",
        ),
        (WHOLE + b"0", "proc-receive", "more arrived after the end"),
    ],
)
def test_what_does_not_keep_to_the_protocol_breaks_the_conversation(read, rule, reason):
    conversation = talk()
    conversation.feed(read)
    conversation.feed(b"")
    assert conversation.stage is Stage.BROKEN
    assert conversation.done_reading
    assert conversation.refusal is not None
    assert (conversation.refusal.rule, conversation.refusal.reason) == (rule, reason)
    assert (conversation.commands, conversation.options) == ((), ())


def test_a_broken_conversation_reads_nothing_more():
    conversation = talk()
    conversation.feed(b"xxxx")
    conversation.feed(WHOLE)
    assert conversation.refusal == Refusal("proc-receive", "not a packet length: xxxx")
    assert conversation.outgoing() == b""


@pytest.mark.parametrize(
    ("report", "lines"),
    [
        (Report("refs/heads/a", True), [b"ok refs/heads/a"]),
        (Report("refs/heads/a", True, fall_through=True), [b"ok refs/heads/a", b"option fall-through"]),
        (Report("refs/for/main", False, "not now"), [b"ng refs/for/main not now"]),
        (Report("refs/for/main", False), [b"ng refs/for/main refused"]),
        (
            Report("refs/for/main", False, " two\nlines\tand\r\x1b[31mred\u2028end "),
            [b"ng refs/for/main two lines and ?[31mred end"],
        ),
        (
            Report("refs/for/main", False, "x" * 70_000),
            [b"ng refs/for/main " + b"x" * (655 - len("ng refs/for/main "))],
        ),
        (
            Report("refs/heads/größe", False, "größe"),
            ["ng refs/heads/größe größe".encode()],
        ),
        (
            Report("refs/approve/1", True, moved=(Moved("refs/heads/main", A, B),)),
            [
                b"ok refs/approve/1",
                b"option refname refs/heads/main",
                f"option old-oid {A}".encode(),
                f"option new-oid {B}".encode(),
            ],
        ),
        (
            Report("refs/approve/1", True, moved=(Moved("refs/heads/m", A, B, forced=True), Moved("refs/x/y", B, A))),
            [
                b"ok refs/approve/1",
                b"option refname refs/heads/m",
                f"option old-oid {A}".encode(),
                f"option new-oid {B}".encode(),
                b"option forced-update",
                b"ok refs/approve/1",
                b"option refname refs/x/y",
                f"option old-oid {B}".encode(),
                f"option new-oid {A}".encode(),
            ],
        ),
    ],
)
def test_a_report_is_written_in_gits_words(report, lines):
    assert encode_report([report]) == b"".join(pkt(line + b"\n") for line in lines) + FLUSH


def test_reports_keep_the_order_of_the_commands():
    reports = [Report("refs/heads/b", True), Report("refs/heads/a", False, "no")]
    assert encode_report(reports) == pkt(b"ok refs/heads/b\n") + pkt(b"ng refs/heads/a no\n") + FLUSH
    assert encode_report([]) == FLUSH


PIECES = st.sampled_from([VERSION, FLUSH, command("refs/heads/a"), command("refs/for/main"), pkt(b"x"), b"0004", b"f"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(PIECES, st.binary(max_size=8)), max_size=8), st.integers(1, 50))
def test_no_bytes_make_it_raise_and_the_split_changes_nothing(pieces, step):
    stream = b"".join(pieces)
    whole, split = talk(), talk()
    whole.feed(stream)
    whole.feed(b"")
    for at in range(0, len(stream), step):
        split.feed(stream[at : at + step])
    split.feed(b"")
    if Stage.DONE in (whole.stage, split.stage) and whole.stage is not split.stage:
        # What follows the end is seen only where it came along with it.
        assert whole.refusal == Refusal("proc-receive", "more arrived after the end")
        return
    assert (whole.stage, whole.commands, whole.options) == (split.stage, split.commands, split.options)
    assert (whole.stage is Stage.BROKEN) == (whole.refusal is not None)
    assert whole.stage in (Stage.DONE, Stage.BROKEN)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=100))
def test_no_reason_can_forge_a_line_of_the_report(reason):
    written = encode_report([Report("refs/for/main", False, reason)])
    assert written.endswith(b"\n" + FLUSH)
    assert written.count(b"\n") == 1
    assert b"\0" not in written
