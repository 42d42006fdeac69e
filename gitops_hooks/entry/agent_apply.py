"""An agent's deployments and looks: the environment's deployer in its box, let out to what the agent answers for."""

import dataclasses
import hashlib
import os
import secrets
import select
import time
from collections.abc import Callable, Iterator
from dataclasses import field
from pathlib import Path

from gitops_hooks.core.agent_work import GOOD, Work
from gitops_hooks.core.govern import govern
from gitops_hooks.core.policy_deployers import KUBERNETES
from gitops_hooks.edge.launch import RunningDeployment, end_leftovers
from gitops_hooks.edge.own_host import SYSTEM_KEY, lay_own_host
from gitops_hooks.edge.run_log import run_log
from gitops_hooks.edge.tree import whole_tree
from gitops_hooks.entry.agent_trust import Believed
from gitops_hooks.entry.ending import Ending, Watch
from gitops_hooks.entry.granting import granted_to
from gitops_hooks.model.agent_file import AgentFile, Connection
from gitops_hooks.model.agent_mark import Standing
from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.deployment import Deployment, HostOutcome, HostState, Outcome, Progress, RunState
from gitops_hooks.model.drift import Drift, HostDrift, Sync
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.gates import OPEN
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment
from gitops_hooks.model.server import Limits, PluginLists

_DETAIL = 2000
_ANSIBLE = "ansible"
_LISTEN_SECONDS = 0.5
_DEPLOYERS = {
    Connection.LOCAL: (_ANSIBLE,),
    Connection.INVENTORY: (_ANSIBLE,),
    Connection.KUBERNETES: (KUBERNETES,),
}
_STATES = {RunState.SUCCESSFUL: HostState.OK}


@dataclass(frozen=True, slots=True)
class Shop:
    """Where one round works: `why_end` says why a run of a generation has to end early, or nothing."""

    file: AgentFile
    believed: Believed
    environment: Environment
    why_end: Callable[[int], str]
    limits: Limits = field(default_factory=Limits)

    def apply(self, work: Work, standing: dict[str, Standing]) -> Outcome:
        """Bring these hosts to their target; `standing` is what they are left as."""
        began = time.time()
        outcome = next(word for word in self._run(work, look=False) if isinstance(word, Outcome))
        for host in work.hosts:
            standing[host] = _after_run(standing.get(host, Standing()), work, _of(host, outcome, work), began)
        return outcome

    def look(self, work: Work, standing: dict[str, Standing]) -> Drift:
        """How these hosts differ from their target."""
        words = tuple(self._run(work, look=True))
        found = next((word for word in words if isinstance(word, Drift)), None)
        found = found or Drift(detail=next(word.detail for word in words if isinstance(word, Outcome)))
        known = {one.name: one for one in found.hosts}
        for host in work.hosts:
            one = known.get(host) or HostDrift(host, _unseen(found), detail=found.detail)
            standing[host] = _after_look(standing[host], one)
        return found

    def _run(self, work: Work, *, look: bool) -> Iterator[Drift | Outcome]:
        """What a run found, and its outcome, which is the last; a fault of ours is one too."""
        deployment = self._deployment(work, look=look)
        try:
            if left := end_leftovers((self._run_id(work),)):
                raise EdgeError("deployment", f"programs of an earlier run do not end: {[one.pid for one in left]}")
            yield from self._listen(deployment)
        except (EdgeError, OSError) as error:
            yield Outcome(RunState.ERROR, detail=str(error))

    def _deployment(self, work: Work, *, look: bool) -> Deployment:
        governing = govern(self.believed.policy, self.environment.branch)
        # Batches were made by who released the hosts; when it may begin was decided there, too.
        rollout = dataclasses.replace(self.environment.rollout, batches=())
        environment = dataclasses.replace(self.environment, rollout=rollout, gates=OPEN)
        return Deployment(
            self.file.roots.repository,
            environment,
            work.target.commit,
            work.target.generation,
            secrets.token_hex(8) if look else self._run_id(work),
            work.hosts if self.environment.deployer == _ANSIBLE else None,
            allowed=governing.controller if governing else (),
            look=look,
        )

    def _run_id(self, work: Work) -> str:
        """The same for every try of one generation, since its hosts take that from one run alone.

        Where the server has gone there itself, it is its run that goes on.
        """
        if work.target.run:
            return work.target.run
        parts = (self.file.roots.repository, self.file.environment, self.file.name, str(work.target.generation))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def _listen(self, deployment: Deployment) -> Iterator[Drift | Outcome]:
        repository, watch = self.believed.record.repository, Watch()
        running = RunningDeployment.start(
            deployment,
            self._credentials(),
            whole_tree(repository.git2, repository.tree_of(deployment.commit), self.limits.input_size),
            limits=self.limits,
            plugins=PluginLists(),
        )
        try:
            while running.outcome is None:
                why = self.why_end(deployment.generation)
                ending = Ending(RunState.CANCELED, why) if why else watch.silent(self.limits.idle_seconds)
                watch.press(running, ending)
                select.select([running], [], [], _LISTEN_SECONDS)
                for word in running.read():
                    if isinstance(word, Progress):
                        watch.hear(word.task)
                        self._note(deployment, word)
                    elif isinstance(word, Outcome):
                        yield watch.judge(word)
                    elif isinstance(word, Drift):
                        yield word
        finally:
            running.close()

    def _note(self, deployment: Deployment, progress: Progress) -> None:
        if progress.steps and not deployment.look:
            run_log(self.file.state, self.file.environment).append(deployment.generation, progress.steps)

    def _credentials(self) -> Credentials:
        given = self.file.credentials
        if self.file.connection is Connection.KUBERNETES:
            return granted_to(KUBERNETES, given, given.tools)
        if self.file.connection is Connection.INVENTORY:
            return dataclasses.replace(granted_to(_ANSIBLE, given, ()), some=True)
        system = SYSTEM_KEY if os.access(SYSTEM_KEY, os.R_OK) else None
        home = Path(os.environ.get("HOME") or Path.home())
        own = lay_own_host(self.file.state / "own", self.file.host_key or system, home)
        ours = dataclasses.replace(given, key=own.key, known_hosts=own.known_hosts, own=own.config)
        return dataclasses.replace(ours, network=False, door=True, some=True)


def wrong_deployer(file: AgentFile, environment: Environment) -> str:
    """Why this agent cannot bring anything to this environment, or an empty string."""
    known = _DEPLOYERS[file.connection]
    if environment.deployer in known:
        return ""
    words = f"{environment.name} is brought by the deployer {environment.deployer}"
    return f'{words}, and connection = "{file.connection.value}" is for {" and ".join(known)}'


def _of(host: str, outcome: Outcome, work: Work) -> HostOutcome:
    """What became of one host; a cluster is one under whatever name its deployer has for it."""
    known = {one.name: one for one in outcome.hosts}
    if host in known:
        return known[host]
    if len(work.hosts) == 1 and len(outcome.hosts) == 1:
        return outcome.hosts[0]
    return HostOutcome(host, _STATES.get(outcome.state, HostState.FAILED), detail=outcome.detail)


def _unseen(found: Drift) -> Sync:
    return Sync.UNKNOWN if found.detail else Sync.SYNCED


def _after_run(before: Standing, work: Work, one: HostOutcome, began: float) -> Standing:
    good, again = one.state.value in GOOD, before.generation == work.target.generation
    return Standing(
        work.target.generation,
        work.target.commit,
        one.state.value,
        (Sync.SYNCED if good else Sync.UNKNOWN).value,
        one.changed,
        one.detail[:_DETAIL],
        time.time(),
        before.looked,
        0 if good else before.tries * again + 1,
        before.heals + 1 if again and before.sync == Sync.OUT.value else 0,
        began,
    )


def _after_look(before: Standing, one: HostDrift) -> Standing:
    differs = "; ".join(f"{each.place}: {each.task}".strip(": ") for each in one.differences[:5])
    more = len(one.differences) - 5 + one.more
    words = (one.detail or differs) + (f" and {more} more" if more > 0 else "")
    return dataclasses.replace(
        before,
        sync=one.sync.value,
        detail=words[:_DETAIL] if one.sync is not Sync.SYNCED else "",
        looked=time.time(),
        heals=0 if one.sync is Sync.SYNCED else before.heals,
    )
