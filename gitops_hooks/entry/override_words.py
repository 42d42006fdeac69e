"""Break-glass in words: what was overridden, what is owed until when, and the line that settles it."""

from collections.abc import Iterable
from datetime import datetime

from gitops_hooks.core.debts import line, moment
from gitops_hooks.core.report import escape, field
from gitops_hooks.model.debt import Debt, Override
from gitops_hooks.model.event import Event, Landing


def override_lines(override: Override | None, debts: Iterable[Debt], now: datetime) -> list[str]:
    """What whoever broke the glass reads after the landing."""
    if override is None:
        return []
    lines = [text for words in override.overridden for text in field("OVERRIDDEN", words)]
    return lines + [text for debt in debts for text in owed_lines(debt, now)]


def glass_lines(event: Event) -> list[str]:
    """Who broke the glass for a landing, why, and in spite of what."""
    landing = event.body
    if not isinstance(landing, Landing):
        return []
    lines = field("landed", f"by break-glass of {event.stamp.actor} at {moment(event.stamp.at)}: {landing.reason}")
    return lines + [text for words in landing.overridden.split("\n") for text in field("OVERRIDDEN", words)]


def owed_lines(debt: Debt, now: datetime) -> list[str]:
    """`  owed       an approval by somebody else who counts, by 2026-11-26 10:00 UTC, or main closes:`."""
    branch = escape(debt.ref.removeprefix("refs/heads/"))
    if debt.paid:
        return field("settled", f"approved after it had landed by break-glass on {branch}")
    due = moment(debt.due)
    when = f"by {due}, or {branch} closes" if now < debt.due else f"since {due}; {branch} is closed"
    return [*field("owed", f"an approval by somebody else who counts, {when}:"), *field("", line(debt))]


def debt_facts(debt: Debt) -> dict[str, object]:
    """One debt for programs."""
    due = debt.due.isoformat().replace("+00:00", "Z")
    return {"landing": debt.landing, "ref": debt.ref, "head": debt.head, "due": due, "settled": bool(debt.paid)}
