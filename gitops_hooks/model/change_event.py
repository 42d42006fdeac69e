"""What happened to a change: one frozen value per kind of event in refs/changes/<n>/meta."""

from gitops_hooks.model.command import CommandState
from gitops_hooks.model.event_words import Oid, Text, Word
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import NO_OID

_UNSIGNED, _NOTHING, _NONE = Oid(NO_OID), Text(""), Word("")


@dataclass(frozen=True, slots=True)
class Proposed:
    """A revision arrived; `commits` are all of base..head, `policy` the commit whose policy was in force.

    `verdicts` are `check:outcome:tree`, here and in Landing; `reason` is why findings were overridden, where they were.
    `depends` is the change that this one stands on, or 0, and `ground` that change's commit; `draft`, `reviewers` and
    `cc` are how the change stands from now on.
    """

    change: int
    revision: int
    target: Word
    topic: Word
    title: Text
    description: Text
    change_id: Word
    base: Oid
    head: Oid
    commits: tuple[Oid, ...]
    policy: Oid
    auto_land: bool
    verdicts: tuple[Word, ...]
    draft: bool
    depends: int
    ground: Oid
    reviewers: tuple[Word, ...]
    cc: tuple[Word, ...]
    reason: Text = _NOTHING


@dataclass(frozen=True, slots=True)
class Rebased:
    """The server made a revision of `source`, an earlier head, on another base; whoever asked wrote nothing of it."""

    change: int
    revision: int
    source: Oid
    base: Oid
    head: Oid
    commits: tuple[Oid, ...]
    policy: Oid
    verdicts: tuple[Word, ...]
    depends: int
    ground: Oid


@dataclass(frozen=True, slots=True)
class Edited:
    """What is said about a change, from now on, without a new revision; `auto_land` is asked for this head."""

    change: int
    head: Oid
    title: Text
    description: Text
    draft: bool
    auto_land: bool
    reviewers: tuple[Word, ...]
    cc: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Commented:
    """Somebody said something about exactly this head."""

    change: int
    head: Oid
    message: Text


@dataclass(frozen=True, slots=True)
class Approved:
    """A reviewer accepts exactly these commits.

    `certificate` is the push certificate in the event's own tree, `signer` the public key (`type base64`) that signed
    it and was the reviewer's then; NO_OID and "" for an approval that nobody signed. `plan` is the digest of the newest
    plan of this head, where there was one.
    """

    change: int
    target: Word
    base: Oid
    head: Oid
    commits: tuple[Oid, ...]
    policy: Oid
    message: Text
    certificate: Oid = _UNSIGNED
    signer: Text = _NOTHING
    plan: Word = _NONE


@dataclass(frozen=True, slots=True)
class Rejected:
    """A reviewer refuses exactly this head."""

    change: int
    head: Oid
    message: Text


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A reviewer takes back what they said of this head."""

    change: int
    head: Oid
    message: Text


@dataclass(frozen=True, slots=True)
class Closed:
    """The change takes no more verbs and did not land."""

    change: int
    message: Text


@dataclass(frozen=True, slots=True)
class Purged:
    """The administrator took the change's content from the server; it takes no more verbs, and its history stays."""

    change: int
    message: Text


@dataclass(frozen=True, slots=True)
class Reopened:
    """A closed change takes verbs again; approvals from before do not count any more."""

    change: int
    message: Text


@dataclass(frozen=True, slots=True)
class Ran:
    """The server ran a command of the check `check` on `tree`: what `head` made of the branch that stood at `tip`.

    `definition` is the digest of what was run, as the policy at `policy` said it; `status` is its exit code, `log` the
    SHA-256 of what it wrote, of which nothing is recorded: whoever proposes chooses it, and it could not be purged.
    """

    change: int
    check: Word
    name: Word
    definition: Word
    tree: Oid
    tip: Oid
    head: Oid
    policy: Oid
    run: Word
    state: CommandState
    status: int
    seconds: int
    log: Word
    detail: Text


@dataclass(frozen=True, slots=True)
class RunAgain:
    """Somebody asked for the commands that did not pass at this head once more."""

    change: int
    head: Oid


@dataclass(frozen=True, slots=True)
class PlanAsked:
    """Somebody asked for a plan of exactly this head."""

    change: int
    head: Oid
    message: Text


@dataclass(frozen=True, slots=True)
class Planned:
    """The server made a plan of `tree`: what `head` made of the branch that stood at `tip`.

    `environments` are as in PlannedEnvironment, by the policy at `policy`. `digest` stands for what was found on the
    hosts, of which nothing is recorded: only who operates them may read it. It is keyed, so that nobody can guess.
    """

    change: int
    head: Oid
    tip: Oid
    tree: Oid
    policy: Oid
    digest: Word
    environments: tuple[Word, ...]
    seconds: int


@dataclass(frozen=True, slots=True)
class ChangeLanded:
    """The change is part of its branch; `record` is the landing's event in refs/gitops/log."""

    change: int
    head: Oid
    result: Oid
    record: Oid
