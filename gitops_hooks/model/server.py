"""What the server's own file says: repositories, rights, credentials, plugins, limits."""

from dataclasses import field
from pathlib import Path

from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.news import NotifyEntry
from gitops_hooks.model.options import Option

CHECKS = (
    "gitops_hooks.plugins.yaml_check",
    "gitops_hooks.plugins.json_check",
    "gitops_hooks.plugins.toml_check",
    "gitops_hooks.plugins.schema_check",
    "gitops_hooks.plugins.kubernetes_check",
    "gitops_hooks.plugins.secrets_check",
    "gitops_hooks.plugins.ansible.check",
    "gitops_hooks.plugins.cel_check",
    "gitops_hooks.plugins.network_check",
    "gitops_hooks.plugins.terraform.check",
    "gitops_hooks.plugins.precommit.check",
    "gitops_hooks.plugins.rego_check",
    "gitops_hooks.plugins.command_check",
)
TRUSTED = (
    "gitops_hooks.plugins.ssh_actor",
    "gitops_hooks.plugins.ansible.deployer",
    "gitops_hooks.plugins.command_deployer",
    "gitops_hooks.plugins.terraform.deployer",
    "gitops_hooks.plugins.kubernetes.deployer",
    "gitops_hooks.plugins.journal",
)


DEPLOY, PLAN = USES = ("deploy", "plan")


@dataclass(frozen=True, slots=True)
class RepositoryEntry:
    """One `[[repository]]`: `id` was minted by `repo add`; `read` and `write` are names or `*`, default nobody.

    Who may write may read.
    """

    name: str
    path: Path
    id: str
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()

    def may_write(self, name: str) -> bool:
        return name in self.write or "*" in self.write

    def may_read(self, name: str) -> bool:
        return self.may_write(name) or name in self.read or "*" in self.read


@dataclass(frozen=True, slots=True)
class CredentialEntry:
    """One `[[credential]]`: what one environment of one repository (its id) on one full branch ref may use.

    `use` says for what: to deploy, or to plan what a change would do.
    """

    repository: str
    environment: str
    branch: str
    credentials: Credentials
    use: str = DEPLOY


@dataclass(frozen=True, slots=True)
class ExecCheck:
    """One `[[exec_check]]`: a program that judges, in any language.

    It sees the changed paths that match `paths`, further ones that `tree` names, and files of the target branch
    (`target`); `options` are what the policy may set, each with its default. `kept` says that it judges by these
    alone, so that its verdicts may be kept.
    """

    name: str
    summary: str
    command: tuple[str, ...]
    paths: tuple[str, ...] = ("**",)
    tree: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    kept: bool = False


@dataclass(frozen=True, slots=True)
class PluginLists:
    """Module paths of the plugins that are enabled: those that run confined, and the trusted providers.

    `programs` are checks in other languages, which need no module.
    """

    checks: tuple[str, ...] = CHECKS
    trusted: tuple[str, ...] = TRUSTED
    programs: tuple[ExecCheck, ...] = ()

    @property
    def modules(self) -> tuple[str, ...]:
        """All of them, in the order in which they are asked."""
        return (*self.checks, *self.trusted)


@dataclass(frozen=True, slots=True)
class Limits:
    """Stated defaults; times in seconds, sizes in bytes. No `verdicts` (0) are kept where none shall be.

    `warm_seconds` is how long the warm judge waits for the next push before it ends; 0 is for none.
    """

    push_seconds: float = 300.0
    judge_seconds: float = 60.0
    check_seconds: float = 20.0
    check_memory: int = 1024 * 1024 * 1024
    tool_memory: int = 2 * 1024 * 1024 * 1024
    tool_output: int = 8 * 1024 * 1024
    tool_room: int = 256 * 1024 * 1024
    tool_tasks: int = 256
    tool_tree: int = 256 * 1024 * 1024
    tool_files: int = 50_000
    command_seconds: float = 3600.0
    command_log: int = 4 * 1024 * 1024
    commands: int = 2
    input_size: int = 512 * 1024 * 1024
    free_size: int = 16 * 1024 * 1024
    blob_size: int = 4 * 1024 * 1024
    changed_files: int = 20_000
    commits: int = 5_000
    refs: int = 1_000
    options: int = 32
    open_changes: int = 200
    pushes: int = 100
    repository_size: int = 20 * 1024 * 1024 * 1024
    follow_seconds: float = 60.0
    reconcile_seconds: float = 10.0
    upkeep_seconds: float = 600.0
    upkeep_most_seconds: float = 1800.0
    connect_seconds: float = 10.0
    notify_seconds: float = 30.0
    deploy_seconds: float = 3600.0
    plan_seconds: float = 900.0
    idle_seconds: float = 1800.0
    retry_seconds: float = 15.0
    retry_most_seconds: float = 900.0
    journal_size: int = 8 * 1024 * 1024
    warm_seconds: float = 900.0
    verdicts: int = 20_000
    verdict_size: int = 64 * 1024 * 1024


RECORDED_LIMITS = Limits(commits=1_000_000, changed_files=1_000_000, blob_size=64 * 1024 * 1024)
"""What a server let pass under its limits of that time is not refused for those of today, or of another server."""


@dataclass(frozen=True, slots=True)
class ServerFile:
    """The whole of server.toml. `deploy_as` is the system user that deployments run as (empty: the server's own);
    `tool_folders` hold programs that checks may run; `own_network` names those that may configure one of their own.
    `notify` is who is told of deployments.
    """

    repositories: tuple[RepositoryEntry, ...] = ()
    credentials: tuple[CredentialEntry, ...] = ()
    plugins: PluginLists = field(default_factory=PluginLists)
    limits: Limits = field(default_factory=Limits)
    git: str = "git"
    authorized_keys: Path | None = None
    deploy_as: str = ""
    tool_folders: tuple[Path, ...] = ()
    own_network: tuple[str, ...] = ()
    notify: tuple[NotifyEntry, ...] = ()

    def repository(self, name: str) -> RepositoryEntry | None:
        return next((entry for entry in self.repositories if entry.name == name), None)

    def repository_with_id(self, identity: str) -> RepositoryEntry | None:
        return next((entry for entry in self.repositories if entry.id == identity), None)

    def credentials_for(self, repository: str, environment: str, branch: str, use: str = DEPLOY) -> Credentials | None:
        """What the server grants to this environment of this repository (id) on this full branch ref."""
        wanted = (repository, environment, branch, use)
        return next(
            (e.credentials for e in self.credentials if (e.repository, e.environment, e.branch, e.use) == wanted), None
        )
