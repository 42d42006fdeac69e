"""Verdicts as words of a record, and as text between two hooks."""

import pytest

from gitops_hooks.core.verdict_words import read_verdicts, verdict_words, write_verdicts
from gitops_hooks.model.verdict import CheckOutcome, Finding, Severity, Verdict

VERDICTS = (
    Verdict("yaml", "a" * 40, CheckOutcome.OK),
    Verdict("secrets", "a" * 40, CheckOutcome.FINDINGS, (Finding("k\udcff/\n", 3, "a key", Severity.WARNING),)),
    Verdict("ansible", "a" * 40, CheckOutcome.ERROR, detail="took too long"),
)


def test_the_record_names_check_outcome_and_tree():
    assert verdict_words(VERDICTS) == (
        f"yaml:ok:{'a' * 40}",
        f"secrets:findings:{'a' * 40}",
        f"ansible:error:{'a' * 40}",
    )


def test_the_other_hook_reads_what_was_written():
    assert read_verdicts(write_verdicts(VERDICTS)) == VERDICTS


@pytest.mark.parametrize(
    "text", ["", "{}x", "[1]", '[["yaml"]]', '[["yaml","t","fine","",[]]]', '[["y","t","ok","",[[1]]]]']
)
def test_anything_else_is_an_error_and_never_a_verdict(text):
    with pytest.raises((ValueError, TypeError, KeyError)):
        read_verdicts(text)
