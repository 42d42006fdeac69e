"""What a hook says to the warm judge is read by exact grammar; everything else is nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_hooks.core.warm_request import Request, parse_request
from gitops_hooks.core.warm_words import (
    FIRST_OWN,
    MOST,
    MOST_DESCRIPTORS,
    fields_of,
    is_git,
    missing,
    read_start,
    write_code,
    write_request,
    write_start,
)

NONCE, IDENTITY = b"0123456789abcdef" * 2, b"0123456789abcdef" * 4
GOOD = [b"1", NONCE, b"pre_receive", IDENTITY, b"59.250", b"3,7,199", b"A=1", b"B=x=y", b"C="]
FIRST = ("version", "nonce", "name", "identity", "seconds", "descriptors", "environ")


def changed(at: int, value: bytes) -> bytes:
    return write_request([*GOOD[:at], value, *GOOD[at + 1 :]])


def test_a_request_is_read_whole() -> None:
    environ = ((b"A", b"1"), (b"B", b"x=y"), (b"C", b""))
    assert parse_request(write_request(GOOD)) == Request(NONCE, b"pre_receive", IDENTITY, 59.25, (3, 7, 199), environ)


def test_a_hook_may_have_inherited_nothing() -> None:
    found = parse_request(changed(5, b""))
    assert found is not None and found.descriptors == ()


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, b"2"), (0, b""), (1, b""), (1, NONCE[:-1]), (1, NONCE.upper()), (1, NONCE + b"\n"), (2, b"update"),
        (2, b"pre-receive"), (2, b""), (3, b""), (3, IDENTITY + b"0"), (4, b"1"), (4, b"-1.000"), (4, b"nan"),
        (4, b"1e3"), (4, b"9999999.000"), (5, b"2"), (5, b"3,3"), (5, b"3,"), (5, b"-3"), (5, b"x"),
        (5, b"%d" % FIRST_OWN), (5, b",".join(b"%d" % n for n in range(3, 4 + MOST_DESCRIPTORS))),
        (6, b"A"), (6, b"=1"), (6, b""),
    ],
    ids=lambda each: FIRST[each] if isinstance(each, int) else each[:12].decode(),
)  # fmt: skip
def test_anything_else_is_nothing(at: int, value: bytes) -> None:
    assert parse_request(changed(at, value)) is None


def test_too_few_fields_are_nothing() -> None:
    assert [parse_request(write_request(GOOD[:count])) for count in range(1, 6)] == [None] * 5


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(heard: bytes) -> None:
    try:
        if missing(heard) == 0:
            assert parse_request(heard) is None or fields_of(heard)
    except ValueError:
        pass


def test_it_is_known_how_much_is_still_to_come() -> None:
    whole = write_request(GOOD)
    assert [missing(whole[:at]) for at in (0, 3, 8, 9, len(whole))] == [8, 5, len(whole) - 8, len(whole) - 9, 0]


@pytest.mark.parametrize("heard", [b"0000000x", b"+0000001", b"0_000001", b"%08x" % (MOST + 1), b"00000001ab"])
def test_a_length_that_is_none_or_too_much_is_an_error(heard: bytes) -> None:
    with pytest.raises(ValueError, match=r"no request|invalid literal"):
        missing(heard)


def test_what_cannot_be_asked_is_an_error() -> None:
    for fields in ([b"a\0b"], [b"x" * (MOST + 1)]):
        with pytest.raises(ValueError, match=r"holds a NUL|too long"):
            write_request(fields)


def test_a_login_asks_in_the_same_way() -> None:
    found = parse_request(changed(2, b"login"))
    assert found is not None and found.name == b"login"


def test_what_becomes_of_a_login_is_read_as_it_was_written() -> None:
    argv, environ = ("git", "receive-pack", "/srv/ä b.git"), {"PATH": "/bin", "A": "x=y", "B": ""}
    said = write_start(NONCE, argv, environ, 60.5, "/srv/pushes/1")
    assert read_start(NONCE, said) == (list(argv), environ, 60.5, "/srv/pushes/1")
    assert read_start(NONCE, write_code(NONCE, 1)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        [], [NONCE], [NONCE, b"exit"], [NONCE, b"exit", b""], [NONCE, b"exit", b"1", b""], [NONCE, b"accept"],
        [b"0" * 32, b"exit", b"1"], [NONCE, b"start", b"1.0", b"3", b""], [NONCE, b"start", b"1.0", b"x", b"", b"a"],
        [NONCE, b"start", b"1.0", b"2", b"", b"git", b"run"], [NONCE, b"start", b"1.0", b"3", b"", b"git", b"run"],
        [NONCE, b"start", b"1.0", b"3", b"", b"git", b"run", b"/x", b"A"],
        [NONCE, b"start", b"1.0", b"3", b"", b"git", b"run", b"/x", b"=1"],
    ],
)  # fmt: skip
def test_any_other_answer_to_a_login_is_an_error(fields: list[bytes]) -> None:
    with pytest.raises(ValueError):  # also those of int and float
        read_start(NONCE, write_request(fields))


@pytest.mark.parametrize(
    ("command", "is_one"),
    [(b"git-upload-pack 'x'", True), (b"git receive-pack 'x'", True), (b"gitx", False), (b"help", False), (b"", False)],
)
def test_only_what_looks_like_git_is_asked_for(command: bytes, is_one: bool) -> None:
    assert is_git(command) == is_one
