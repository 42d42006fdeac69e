"""A senior's word on exact bytes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval, bound to everything that it was given for.

    `event` is the commit of the event that records it; `commits` are all of base..head; `policy` is the
    commit whose policy was in force when it was given; `signer` is the key that signed it, "" for none.
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


@dataclass(frozen=True, slots=True)
class Rejection:
    """One refusal by a reviewer of one head; it stands until that reviewer approves that head."""

    event: str
    actor: str
    head: str
