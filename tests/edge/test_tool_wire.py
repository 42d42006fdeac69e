"""What a check asks and hears arrives as it was said, whatever pieces the socket makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_hooks.edge.tool_wire import (
    MOST_GIVEN,
    Malformed,
    Over,
    Run,
    Say,
    encode_fault,
    encode_ran,
    encode_run,
    encode_say,
    parse_answer,
    parse_request,
)
from gitops_hooks.model.tool import Ran

WORDS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=9)
RUNS = st.builds(
    Run,
    st.lists(WORDS, max_size=4).map(tuple),
    st.lists(WORDS, max_size=4).map(tuple),
    st.lists(st.tuples(WORDS, st.binary(max_size=99)), max_size=3).map(tuple),
    st.binary(max_size=99),
    st.none() | st.floats(0.001, 1000),
    st.booleans(),
)
RANS = st.builds(Ran, st.integers(0, 255), st.binary(max_size=99), st.binary(max_size=99), WORDS)


def reading(said: bytes, piece: int = 7):
    left = [said]

    def read(most: int) -> bytes:
        part, left[0] = left[0][: min(most, piece)], left[0][min(most, piece) :]
        return part

    return read


@given(RUNS)
def test_a_request_arrives_as_it_was_made(run):
    assert parse_request(reading(encode_run(run))) == run


@given(RANS)
def test_an_answer_arrives_as_it_was_given(ran):
    assert parse_answer(reading(encode_ran(ran))) == ran


@given(RUNS, st.integers(1, 400))
def test_a_request_that_is_cut_short_is_none(run, cut):
    said = encode_run(run)
    with pytest.raises(Malformed):
        parse_request(reading(said[: max(1, len(said) - cut)] if cut < len(said) else said[:1]))


def test_paths_that_are_no_utf8_arrive_too():
    run = Run(("cat",), ("bad\udcff",), (("n\udcff", b"\xff"),))
    assert parse_request(reading(encode_run(run))) == run


def test_words_and_refusals_arrive_and_long_ones_are_cut():
    assert parse_request(reading(encode_say("x" * 900))) == Say("x" * 500)
    assert parse_answer(reading(encode_fault("why not"))) == "why not"


def test_the_end_between_two_messages_is_no_fault():
    with pytest.raises(Over):
        parse_request(reading(b""))


def test_more_than_can_be_held_is_refused_before_it_is_sent():
    with pytest.raises(ValueError, match="more than 67108864 bytes are given to a tool"):
        encode_run(Run(("cat",), stdin=bytes(MOST_GIVEN)))
