"""What a fork says to the warm judge is read by exact grammar; everything else is nothing that a fork says."""

import pytest

from gitops_hooks.core.warm_line import AT_REST, FREE, MOST, Judging, read_line, write_judging

NONCE = b"0123456789abcdef" * 2
PUSH = f"{'a1-' * 21}A/pushes/{NONCE.decode()}"
FIRST = Judging(b"pre_receive", 59.25, NONCE, False, PUSH)
LAST = Judging(b"proc_receive", 86_400.0, NONCE, True, PUSH)
GOOD = write_judging(FIRST)


def test_what_is_written_is_read() -> None:
    assert read_line(GOOD) == FIRST
    assert read_line(write_judging(LAST)) == LAST
    assert [read_line(AT_REST), read_line(FREE)] == [AT_REST, FREE]
    assert max(len(write_judging(each)) for each in (FIRST, LAST)) <= MOST


@pytest.mark.parametrize(
    "said",
    [
        b"", b"at rest\n", b"at rest at rest", b"AT REST", GOOD + b"\n", b" " + GOOD, GOOD.replace(b"first", b"only"),
        GOOD.replace(b"pre_receive", b"post_receive"), GOOD.replace(b"59.250", b"-1.000"),
        GOOD.replace(b"59.250", b"nan"),
        GOOD.replace(b"59.250", b"1234567.000"), GOOD.replace(NONCE, NONCE[1:]), GOOD.replace(NONCE, NONCE.upper()),
        GOOD.replace(b"/pushes/", b"/../"), GOOD.replace(b"/pushes/", b"/a/pushes/"), GOOD + b"/..",
    ],
)  # fmt: skip
def test_nothing_else_is(said: bytes) -> None:
    assert read_line(said) == b""
