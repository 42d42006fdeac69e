"""Values → the text that a person reads; whatever came from a pusher goes out escaped."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import replace

from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.command import Awaited
from gitops_hooks.model.judgement import Note
from gitops_hooks.model.policy import Policy
from gitops_hooks.model.verdict import CheckOutcome, Decision, Finding, Requirement, Severity, Verdict

WIDTH = 100
_MOST_FINDINGS = 50
_LONGEST = 200
_HALF = re.compile("[\ud800-\udbff\udc00-\udc7f]")


def escape(text: str) -> str:
    """Printable characters as they are, all others as `\\x1b` or `\\u2028`: no pusher moves a terminal's cursor."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in _clean(text))


def _clean(text: str) -> str:
    # YAML can spell half a pair, which stands for no byte and cannot be encoded.
    text = _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def field(name: str, words: str, indent: int = 2) -> list[str]:
    """`  needs      1 approval by @senior`, wrapped under itself."""
    head = " " * indent + name.ljust(11)
    return textwrap.wrap(
        escape(words), WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_long_words=False
    ) or [head.rstrip()]


def reason(name: str, words: str) -> list[str]:
    """A reason under its name; the lines after its first are commands, which are not wrapped."""
    first, *commands = words.split("\n")
    return field(name, first) + [" " * 13 + escape(command) for command in commands]


def refused(decision: Decision) -> list[str]:
    """What was refused, by which rule and why, all of it, and what to do now."""
    lines = [f"gitops: refused {escape(decision.ref)}", ""]
    for rule, group in _by_rule(decision.requirements):
        lines.append(f"  {rule}")
        lines += [line for requirement in group for line in _reason(requirement)]
    if failing := [verdict for verdict in decision.verdicts if verdict.refuses]:
        lines += ["  checks", *_indented(findings(_marked(verdict) for verdict in failing))]
    lines += _advice(decision.advice)
    return lines


def _marked(verdict: Verdict) -> Verdict:
    """Beside what refuses, what is only told says so."""
    return replace(
        verdict,
        findings=tuple(
            replace(finding, message=f"{finding.message} (only a warning)")
            if finding.severity is Severity.WARNING
            else finding
            for finding in verdict.findings
        ),
    )


def _by_rule(requirements: Iterable[Requirement]) -> list[tuple[str, list[Requirement]]]:
    groups: dict[str, list[Requirement]] = {}
    for requirement in requirements:
        if not requirement.holds:
            groups.setdefault(requirement.rule, []).append(requirement)
    return list(groups.items())


def _reason(requirement: Requirement) -> list[str]:
    texts = requirement.reason.split("\n")
    if requirement.place:
        # Never behind a command, which people copy with the line that it stands in.
        last = max(at for at in range(len(texts)) if not at or not _is_command(texts, at))
        texts[last] += f" ({requirement.place})"
    return [line for text in texts for line in _wrap(text, "    ")]


def _is_command(texts: Sequence[str], at: int) -> bool:
    """`Rebase it:  git rebase main`, or the line below one that ends with a colon."""
    return ":  " in texts[at] or texts[at - 1].endswith(":")


def _wrap(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        escape(text),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    ) or [""]


def _advice(advice: Iterable[str]) -> list[str]:
    lines = [escape(line) for text in advice for line in text.split("\n")]
    return ["", *lines] if lines else []


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def verdict_line(verdicts: Iterable[Verdict]) -> str:
    """`yaml ok · secrets ok · ansible 1 finding`."""
    return " · ".join(f"{verdict.check} {_outcome(verdict)}" for verdict in verdicts) or "none"


def _outcome(verdict: Verdict) -> str:
    if verdict.outcome is CheckOutcome.ERROR:
        return "ERROR"
    if verdict.outcome is CheckOutcome.PENDING:
        return states(verdict.awaited)
    if not verdict.findings:
        return "ok"
    return "1 finding" if len(verdict.findings) == 1 else f"{len(verdict.findings)} findings"


def states(awaited: Iterable[Awaited]) -> str:
    """`passed (lint), pending (test)`."""
    states: dict[str, list[str]] = {}
    for each in awaited:
        states.setdefault(each.state.value, []).append(each.command.name)
    return ", ".join(f"{state} ({', '.join(names)})" for state, names in states.items())


def findings(verdicts: Iterable[Verdict]) -> list[str]:
    """`  path:line: message`, one a finding, bounded; a check that failed itself says so.

    What two checks found alike (a file that is no YAML) is told once.
    """
    lines: list[str] = []
    told: set[tuple[str, int, str]] = set()
    for verdict in verdicts:
        if verdict.detail:
            lines += _wrap(f"{verdict.check}: {verdict.detail}", "  ")
        fresh = [one for one in verdict.findings if (one.path, one.line, one.message) not in told]
        told |= {(one.path, one.line, one.message) for one in fresh}
        for finding in fresh[:_MOST_FINDINGS]:
            lines += _wrap(f"{place_of(finding)}: {finding.message}", "  ")
        if len(fresh) > _MOST_FINDINGS:
            lines.append(f"  {verdict.check}: … and {len(fresh) - _MOST_FINDINGS} more findings")
    return lines


def place_of(finding: Finding) -> str:
    """`path:line`, without a line where it is about the whole."""
    return f"{finding.path}:{finding.line}" if finding.line else finding.path


def needs(requirements: Iterable[Requirement]) -> list[str]:
    """`  needs      1 approval by @senior`, one line a requirement that does not hold yet."""
    lines: list[str] = []
    for requirement in requirements:
        # The first sentence; a name or a path may hold a dot.
        first = requirement.reason.removesuffix(".").partition(". ")[0].removeprefix("0 of ")
        lines += reason("needs", first if requirement.rule in ("approvals", "owners") else requirement.reason)
    return lines


def proposed(
    number: int,
    revision: int,
    target: str,
    verdicts: tuple[Verdict, ...],
    unmet: Iterable[Requirement],
    said: Iterable[str] = (),
    notes: Iterable[Note] = (),
) -> list[str]:
    """What the pusher of a proposal reads; `said` is what the change says about itself."""
    branch = target.removeprefix("refs/heads/")
    lines = [f"gitops: change {number}, revision {revision} for {escape(branch)}", *said]
    lines += field("checks", verdict_line(verdicts))
    lines += findings(verdicts)
    if any(verdict.open for verdict in verdicts):
        lines += field("follow", f"ssh <host> change log {number} --follow")
    lines += [line for note in notes for line in note_lines(note)]
    left = [each.command.name for verdict in verdicts for each in verdict.awaited if not each.passed]
    more = f"{', '.join(left)} to pass; then it can land" if left else "nothing more; it can land"
    return lines + (needs(unmet) or field("needs", more))


def note_lines(note: Note) -> list[str]:
    """One note; a verbatim one keeps its spaces, and is cut where it is too long."""
    if not note.verbatim:
        return field(note.name, note.words)
    return [" " * 15 + escape(note.words.expandtabs(4))[:_LONGEST]]


def life(record: ChangeRecord) -> list[str]:
    """What a change stands on, and who was asked to look: nothing where it says nothing of that."""
    newest = record.head
    lines = field("stands on", f"change {newest.depends} at {newest.ground[:7]}") if newest.depends else []
    lines += field("reviewers", " ".join(record.reviewers)) if record.reviewers else []
    return lines + (field("cc", " ".join(record.cc)) if record.cc else [])


def landed(ref: str, old: str, new: str, shape: str) -> list[str]:
    """`  main       4f1c2aa..9be0d13 (fast-forward)`."""
    how = shape if shape == "fast-forward" else f"{shape} made by the server; git fetch brings it"
    return field(ref.removeprefix("refs/heads/"), f"{old[:7]}..{new[:7]} ({how})")


def environments_of(policy: Policy, ref: str) -> tuple[str, ...]:
    """The environments that a landing on this ref concerns."""
    return tuple(environment.name for environment in policy.environments if environment.branch == ref)
