"""The words for what is new in an environment, and who is told; each SSH login reads them with the server's file."""

from collections.abc import Mapping
from dataclasses import field
from enum import Enum

from gitops_hooks.model.lazy_dataclass import dataclass


class News(Enum):
    """How an environment's state changed by the end of a deployment, or by a look at its hosts (the last two)."""

    DEPLOYED = "deployed"
    DEGRADED = "degraded"
    RECOVERED = "recovered"
    DRIFTED = "drifted"
    SYNCED = "synced"


@dataclass(frozen=True, slots=True)
class NotifyEntry:
    """One `[[notify]]`: a plugin (module path), what it is told of, and its settings.

    `repositories` and `environments` are names, empty for all. `on` are the kinds of news; empty means every end.
    """

    name: str
    plugin: str
    repositories: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    on: tuple[News, ...] = tuple(News)
    settings: Mapping[str, object] = field(default_factory=dict)

    def wants(self, repository: str, environment: str) -> bool:
        return (not self.repositories or repository in self.repositories) and (
            not self.environments or environment in self.environments
        )
