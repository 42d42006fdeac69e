"""What is told of environments: the end of a deployment, and whether it changed the environment's state."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from gitops_hooks.model.deployment import Deployment, Outcome
from gitops_hooks.model.environment_event import Drifted
from gitops_hooks.model.event import Finished
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.news import News


@dataclass(frozen=True, slots=True)
class Notice:
    """What a notifier is told beside the deployment and its outcome.

    `id` is the same however often one end is told; `repository` is its name here; `news` is None where the state
    is what it was. `settings` are those of the `[[notify]]` of server.toml that names the plugin.
    """

    id: str
    repository: str
    at: datetime
    news: News | None
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of one deployment as the environment's log has it, with the end before it that it is measured by.

    `run` is its run id, `number` and `at` are the event's.
    """

    run: str
    number: int
    at: datetime
    end: Finished
    before: Finished | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at the hosts found, as the environment's log has it, with what the look before it had found."""

    number: int
    at: datetime
    found: Drifted
    before: Drifted | None


@dataclass(frozen=True, slots=True)
class Telling:
    """One thing to be told."""

    deployment: Deployment
    outcome: Outcome
    notice: Notice
