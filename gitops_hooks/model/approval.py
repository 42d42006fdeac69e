"""A senior's word on exact bytes."""

from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval, bound to everything that it was given for.

    `event` is the commit of the event that records it; `commits` are all of base..head; `policy` is the
    commit whose policy was in force when it was given; `signer` is the key that signed it, "" for none.
    `carries` says that its giver rejected no other head since, without which it never counts for another revision.
    `plan` is the digest of the newest plan of that head at that moment, "" for none.
    """

    event: str
    repository: str
    actor: str
    target: str
    base: str
    head: str
    commits: tuple[str, ...]
    policy: str
    signer: str = ""
    carries: bool = True
    plan: str = ""


@dataclass(frozen=True, slots=True)
class Rejection:
    """One refusal by a reviewer of one head; it stands until that reviewer approves that head, or takes it back.

    `sticks` says that its giver approved no other head since: a veto holds every revision back while it sticks.
    """

    event: str
    actor: str
    head: str
    sticks: bool = True


@dataclass(frozen=True, slots=True)
class Kept:
    """What was said of `head` on `base` holds for another revision too; `kind` is the value of Keep that says why."""

    base: str
    head: str
    kind: str
