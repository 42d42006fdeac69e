"""What a ref update asks for: magic ref names and push options → a request, or every fault at once.

The option names are the union of Gerrit's, AGit's and GitLab's; one that is not built is refused by its name.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from gitops_hooks.core.option_values import decode_value, text_fault
from gitops_hooks.core.options import (
    AUTO_LAND,
    BASE,
    CC,
    DRAFT,
    READY,
    REVIEWERS,
    STACK,
    names_fault,
    names_in,
    together,
)
from gitops_hooks.core.options import Option as _Option
from gitops_hooks.core.receive import Place, name_fault, place_of, refuse_all, shown
from gitops_hooks.model.push import NO_OID, RefUpdate
from gitops_hooks.model.request import Act, Direct, EnvironmentVerb, Operate, Propose, Refusal, Request, Verb

TITLE_LENGTH = 200
DESCRIPTION_BYTES = 16 * 1024

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_OID = re.compile(r"[0-9a-f]{40}")
_ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]{0,31}")
_HELP = _Option(("help",), "", "this list; nothing is done")
_TOPIC = _Option(("topic",), "name", "the same as refs/for/<branch>/<topic>")
_TITLE = _Option(
    ("title",), "text", "one line of at most 200 characters", ("merge_request.title",), characters=TITLE_LENGTH
)
_DESCRIPTION = _Option(
    names=("description", "message", "m"),
    value="text",
    summary="at most 16 KiB",
    aliases=("merge_request.description",),
    most=DESCRIPTION_BYTES,
    lines=True,
)
_CHANGE = _Option(("change",), "number", "add a revision to this change")
_OLD_OID = _Option(("old-oid",), "oid", "only if the change's head is this commit, in full")
_TARGET = _Option(("merge_request.target",), "branch", "the branch of refs/for/<branch>, said again")
_CREATE = _Option(("merge_request.create",), "", "what refs/for/<branch> does anyway")
_REASON = _Option(
    names=("reason", "message", "m"),
    value="text",
    summary="kept with the verb, at most 16 KiB",
    most=DESCRIPTION_BYTES,
    lines=True,
)

_REPOSITORY = _Option(("repository",), "id", "only if the change is in the repository of this id")
_FOR_BRANCH = _Option(("target",), "branch", "only if the change is for this branch")
_MERGE_BASE = _Option(("base",), "oid", "only if this is the merge base, in full")
_SEEN = _Option(("plan",), "digest", "only if this is the newest plan of it")
_BREAK_GLASS = _Option(("break-glass",), "", "without what the policy lets you override; with reason=<text>")
_WHY = _Option(("reason",), "text", "why the glass is broken, at most 16 KiB", most=DESCRIPTION_BYTES, lines=True)

_FOR_PROPOSALS = (
    *(_TOPIC, _TITLE, _DESCRIPTION, _CHANGE, DRAFT, READY, REVIEWERS, CC, BASE, STACK),
    *(AUTO_LAND, _OLD_OID, _TARGET, _CREATE, _BREAK_GLASS, _WHY, _HELP),
)
_FOR_VERBS = (_REASON, _BREAK_GLASS, _HELP)
_FOR_ENVIRONMENTS = (_REASON, _HELP)
_SAID_AGAIN = (_REPOSITORY, _FOR_BRANCH, _MERGE_BASE, _SEEN)
_FOR_BRANCHES = (_BREAK_GLASS, _WHY)
_NOT_BUILT = frozenset(
    (
        *("private", "remove-private", "edit", "merged", "issue"),
        *("reviewers", "label", "l", "hashtag", "t", "notify", "publish-comments"),
        *("force-push", "skip-validation", "trace", "deadline"),
    )
)
_KNOWN_FAMILIES = ("merge_request.", "auto", "ci.", "integrations.")


class _Faults(Exception):
    """Everything that is wrong with the options of one request."""

    def __init__(self, lines: list[str], cure: str = "") -> None:
        self.refusal = refuse_all("options", lines, cure)


def parse_request(update: RefUpdate, options: Sequence[str]) -> Request | Refusal:
    """What this update asks for, by its ref name, the options after its `%` and the push options."""
    match place_of(update.ref):
        case Place.MAGIC:
            return _parse_magic(update, options)
        case Place.HEADS | Place.TAGS:
            return _parse_direct(update, options)
        case _:
            return Refusal("namespaces", f"{shown(update.ref)} is not for pushes")


def _parse_direct(update: RefUpdate, options: Sequence[str]) -> Direct | Refusal:
    """A branch takes no options but those that break the glass."""
    if "break-glass" not in options or not update.ref.startswith("refs/heads/"):
        return _refuse_options(options) or Direct(update)
    try:
        return Direct(update, _plea(_read_options(options, _FOR_BRANCHES), _WHY))
    except _Faults as faults:
        return faults.refusal


def _plea(values: Mapping[_Option, str], reason: _Option) -> str:
    """The reason to break the glass, or ""; raises where only one of the two is given."""
    plea = values.get(reason, "")
    if _BREAK_GLASS in values and not plea:
        raise _Faults(["break-glass: needs a reason, which is recorded"], "add  -o reason='why it cannot wait'")
    if reason is _WHY and plea and _BREAK_GLASS not in values:
        raise _Faults(["reason: only with break-glass or on a verb"], "describe a proposal with -o description=…")
    return plea if _BREAK_GLASS in values else ""


def _refuse_options(options: Sequence[str]) -> Refusal | None:
    if "help" in options:
        return _help()
    faults = [f"{shown(option)}: options belong to a proposal or a verb" for option in options]
    return refuse_all("options", faults, "push to refs/for/<branch>, or without options") if faults else None


def _parse_magic(update: RefUpdate, options: Sequence[str]) -> Request | Refusal:
    name, percent, inside = update.ref.partition("%")
    _, word, rest = name.split("/", 2)
    words = [*inside.split(","), *options] if percent else list(options)
    verb = next((verb for verb in Verb if verb.value == word), None)
    operation = next((verb for verb in EnvironmentVerb if verb.value == word), None)
    if "help" in words:
        return _help()
    if update.old != NO_OID:
        return Refusal("magic", f"{shown(name)} is never there, yet the push names it at {update.old[:10]}")
    try:
        if operation:
            return _operate(update, operation, rest, words)
        return _propose(update, rest, words) if verb is None else _act(update, verb, rest, words)
    except _Faults as faults:
        return faults.refusal


def _help() -> Refusal:
    lines = ["refs/for/<branch>[/<topic>][%option,…], or each option with -o:", *_usages(_FOR_PROPOSALS)]
    verbs = ",".join(verb.value for verb in Verb)
    lines += [f"refs/{{{verbs}}}/<number>:", *_usages(_FOR_VERBS)]
    operations = ",".join(verb.value for verb in EnvironmentVerb)
    lines += [f"refs/{{{operations}}}/<environment>:", *_usages(_FOR_ENVIRONMENTS)]
    lines += [f"refs/{Verb.APPROVE.value}/<number>, which --signed must have:", *_usages(_SAID_AGAIN)]
    lines.append("a text may be written as {base64}…, which can hold commas and several lines")
    return Refusal("help", "\n".join(lines))


def _usages(built: Iterable[_Option]) -> list[str]:
    return [f"  {option.usage:<30} {option.summary}" for option in built]


def _propose(update: RefUpdate, rest: str, words: Sequence[str]) -> Propose | Refusal:
    if update.deletes:
        return Refusal("magic", "a delete of refs/for/… proposes nothing", "close a change with :refs/close/<number>")
    values = _read_options(words, _FOR_PROPOSALS)
    topic, target, number = (values.get(option, "") for option in (_TOPIC, _TARGET, _CHANGE))
    if faults := together(values, (_TITLE, _DESCRIPTION, _CHANGE, BASE, _OLD_OID)):
        raise _Faults(faults)
    candidates = _candidates(rest, topic, target)
    if isinstance(candidates, Refusal):
        return candidates
    return Propose(
        head=update.new,
        candidates=candidates,
        title=values.get(_TITLE, ""),
        description=values.get(_DESCRIPTION, ""),
        change=int(number or "0"),
        auto_land=AUTO_LAND in values,
        old_oid=values.get(_OLD_OID, ""),
        draft=True if DRAFT in values else (False if READY in values else None),
        reviewers=names_in(values.get(REVIEWERS, "")),
        cc=names_in(values.get(CC, "")),
        base=int(values.get(BASE, "0")),
        stack=STACK in values,
        plea=_plea(values, _WHY),
    )


def _candidates(rest: str, topic: str, target: str) -> tuple[tuple[str, str], ...] | Refusal:
    """Every way to read `rest` as branch and topic, longest branch first, that topic and target allow."""
    if fault := _rest_fault(rest):
        return Refusal("magic", f"refs/for/{shown(rest)}: {fault}")
    parts = rest.split("/")
    splits = (("/".join(parts[:at]), "/".join(parts[at:])) for at in range(len(parts), 0, -1))
    agreed = [
        (f"refs/heads/{branch}", topic or ending)
        for branch, ending in splits
        if target in ("", branch) and (not topic or ending in ("", topic)) and not name_fault(_branch(branch))
    ]
    return tuple(agreed) or Refusal(
        "magic", f"refs/for/{shown(rest)} and merge_request.target={shown(target)} name different branches"
    )


def _rest_fault(rest: str) -> str:
    """The `%` ends the name that git has checked, so what stands before it is looked at again."""
    return name_fault(_branch(rest)) if rest else "a branch is missing"


def _branch(short: str) -> bytes:
    return f"refs/heads/{short}".encode("utf-8", "surrogateescape")


def _act(update: RefUpdate, verb: Verb, rest: str, words: Sequence[str]) -> Act | Refusal:
    if not _NUMBER.fullmatch(rest):
        return Refusal("magic", f"refs/{verb.value}/{shown(rest)}: not the number of a change")
    if update.deletes and verb not in (Verb.CLOSE, Verb.REOPEN):
        cure = f"git fetch origin refs/changes/{rest}/head && git push origin FETCH_HEAD:refs/{verb.value}/{rest}"
        return Refusal("magic", f"{verb.value} names the exact commit, and a delete names none", cure)
    values = _read_options(words, (*_FOR_VERBS, *_SAID_AGAIN) if verb is Verb.APPROVE else _FOR_VERBS)
    if _BREAK_GLASS in values and verb is not Verb.LAND:
        raise _Faults([f"break-glass: only on refs/land/{rest}, refs/for/<branch> and a push to the branch"])
    said = values.get(_REASON, "")
    if verb is Verb.COMMENT and not said:
        return Refusal("magic", "a comment says something", f"git push -o m='…' origin <commit>:refs/comment/{rest}")
    bound = tuple(f"{option.names[0]}={values[option]}" for option in _SAID_AGAIN if option in values)
    return Act(verb, int(rest), update.new, said, bound, _plea(values, _REASON))


def _operate(update: RefUpdate, verb: EnvironmentVerb, rest: str, words: Sequence[str]) -> Operate | Refusal:
    if not _ENVIRONMENT.fullmatch(rest):
        return Refusal("magic", f"refs/{verb.value}/{shown(rest)}: not the name of an environment")
    values = _read_options(words, _FOR_ENVIRONMENTS)
    return Operate(verb, rest, update.new, values.get(_REASON, ""))


def _read_options(words: Sequence[str], built: Sequence[_Option]) -> dict[_Option, str]:
    """The value of each option that was given; raises with everything that is wrong."""
    values: dict[_Option, str] = {}
    faults: list[str] = []
    for word in words:
        name, equals, text = word.partition("=")
        option = next((option for option in built if name in option.names + option.aliases), None)
        if option is None:
            faults.append(_stranger(name, built))
            continue
        value = decode_value(text)
        if fault := _value_fault(option, value, given=bool(equals)):
            faults.append(f"{name}: {fault}")
        elif option.many and option in values:
            values[option] += f",{value}"
        elif values.setdefault(option, value or "") != value:
            faults.append(f"{name}: given twice with different values")
    if faults:
        raise _Faults(faults, f"built: {' '.join('|'.join(option.names) for option in built)}")
    return values


def _stranger(name: str, built: Sequence[_Option]) -> str:
    elsewhere = _FOR_VERBS if built is _FOR_PROPOSALS else _FOR_PROPOSALS
    if any(name in option.names + option.aliases for option in elsewhere):
        return f"{name}: only on {'a verb' if built is _FOR_PROPOSALS else 'refs/for/<branch>'}"
    if name in _NOT_BUILT or name.startswith(_KNOWN_FAMILIES):
        return f"{shown(name)}: not in this release"
    return f"{shown(name) or 'an empty option'}: no such option"


def _value_fault(option: _Option, value: str | None, *, given: bool) -> str:
    """What is wrong with a value, or an empty string."""
    if value is None:
        return "not base64 of UTF-8"
    if not option.value:
        return "takes no value" if given else ""
    if not value.strip():
        return f"needs a value: {option.usage}"
    if option in (_CHANGE, BASE):
        return "" if _NUMBER.fullmatch(value) else "not the number of a change"
    if option is _OLD_OID:
        return "" if _OID.fullmatch(value) else "not an object id of 40 lower-case digits"
    return names_fault(value) if option.many else text_fault(option, value)
