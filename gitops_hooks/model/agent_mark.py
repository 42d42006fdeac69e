"""How far an agent has verified what the server says, and what follows from that for its hosts."""

from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """What a host is released to; `run` is the id of the server's own run ("" where it has none), `number` that of the
    event that released it.

    `pushed`: no release, but where the server itself has brought the host since; the agent leaves it there.
    """

    generation: int
    commit: str
    record: str
    run: str
    number: int
    pushed: bool = False


@dataclass(frozen=True, slots=True)
class OpenLanding:
    """A landing that nothing has closed yet: its ref, its event, and the commits whose policy may have judged it."""

    ref: str
    event: str
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogMark:
    """The repository's log up to the event `tip`, its `number`th: all of it was held against the trust root.

    `default` is the default branch; `tips` are (ref, commit) as recorded, `steps` (event, ref, commit) every recorded
    move. The landings of `judged` branches were judged.
    """

    tip: str = ""
    number: int = 0
    adoption: str = ""
    default: str = ""
    tips: tuple[tuple[str, str], ...] = ()
    steps: tuple[tuple[str, str, str], ...] = ()
    open: tuple[OpenLanding, ...] = ()
    judged: tuple[str, ...] = ()

    def recorded(self, ref: str) -> str:
        """Where a ref was recorded last, or ""."""
        return dict(self.tips).get(ref, "")


@dataclass(frozen=True, slots=True)
class EnvironmentMark:
    """The log of the environment `name` up to the event `tip`, its `number`th, as far as it is about these `hosts`.

    `targets` are (host, what it is released to). `started` is the newest start; `canceled` the newest generation that
    was canceled, `paused` the number of the pause that holds (0: none); `back` are commits that somebody, or the server
    itself, went back to on purpose. `stopped` says why all deployments are stopped; empty where they are not.
    """

    tip: str = ""
    number: int = 0
    started: Target | None = None
    targets: tuple[tuple[str, Target], ...] = ()
    canceled: int = 0
    paused: int = 0
    back: tuple[str, ...] = ()
    name: str = ""
    hosts: tuple[str, ...] = ()
    stopped: str = ""

    def target(self, host: str) -> Target | None:
        return dict(self.targets).get(host)


@dataclass(frozen=True, slots=True)
class Mark:
    """Both, and the branch that the environment follows; it only moves as a whole."""

    log: LogMark = LogMark()
    environment: EnvironmentMark = EnvironmentMark()
    branch: str = ""

    @property
    def branches(self) -> tuple[str, ...]:
        """Those that have to stand where they are recorded."""
        return tuple(dict.fromkeys(ref for ref in (self.log.default, self.branch) if ref))


@dataclass(frozen=True, slots=True)
class Standing:
    """One host as the agent left it last. Times are seconds of the wall clock, which may be set; 0 for never.

    `state` is a HostState's value ("" before the first run), `sync` a Sync's. `began` is when the last run on it began,
    `at` when that ended, `looked` when it was looked at; `tries` counts bad ends in a row, `heals` how often it was
    brought back without being in sync afterwards.
    """

    generation: int = 0
    commit: str = ""
    state: str = ""
    sync: str = "Unknown"
    changed: int = 0
    detail: str = ""
    at: float = 0.0
    looked: float = 0.0
    tries: int = 0
    heals: int = 0
    began: float = 0.0


@dataclass(frozen=True, slots=True)
class Status:
    """How the last round ended: the exit code and its words, when the next thing is due, and what it rested on.

    `refs` is a digest of the server's refs that it was about, `heard` when the server answered last; `reported` is a
    digest of the report that the server took, whose number was `sequence`.
    """

    at: float = 0.0
    code: int = 0
    words: str = ""
    alarm: str = ""
    due: float = 0.0
    refs: str = ""
    heard: float = 0.0
    reported: str = ""
    sequence: int = 0
