"""One playbook run through ansible-runner, on rails: a fresh folder, our environment, events kept by ourselves."""

import importlib
import json
import os
import shlex
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gitops_hooks.plugin import Deployment, EdgeError, Workplace
from gitops_hooks.plugins.ansible.ahead import Ahead
from gitops_hooks.plugins.ansible.answers import Refusal
from gitops_hooks.plugins.ansible.events import Listener
from gitops_hooks.plugins.ansible.loaded_ahead import Question
from gitops_hooks.plugins.ansible.outcome import late
from gitops_hooks.plugins.ansible.pinned import FORKS, Pinned

_POLL_SECONDS = 0.2
_ASK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Rails:
    """What every run of one deployment has in common."""

    deployment: Deployment
    workplace: Workplace
    pinned: Pinned
    listener: Listener
    canceled: Callable[[], bool]


class Playbook:
    """One run of the environment's playbook, or of another one, on the hosts of the limit that is pinned by then.

    Begun ahead: Ansible is loaded, which takes half a second, while hosts are looked at. It answers questions about the
    tree meanwhile, and waits for `run`.
    """

    def __init__(self, rails: Rails, seconds: float, playbook: str = "") -> None:
        """`seconds` bound all of it, the wait too."""
        self.rails, self._seconds = rails, seconds
        self._playbook = playbook or rails.deployment.environment.playbook
        self._given_up = False
        # A rollout in batches runs more than once, each time in a folder of its own.
        self._folder = Path(tempfile.mkdtemp(prefix="runner-", dir=rails.workplace.scratch))
        self._ahead = Ahead(self._folder / "bin")
        self._thread = ThreadPoolExecutor(1)
        self._status = self._thread.submit(self._start)

    def close(self) -> None:
        """End what was not asked to run; nothing of it is left."""
        self._given_up = True
        self._ahead.leave()
        self._thread.shutdown()
        self._ahead.close()

    def ask(self, questions: Sequence[Question]) -> list[int]:
        """The exit code of each of these commands of Ansible, which were run side by side.

        Errors: Refusal where their time is up; EdgeError where ansible-runner or Ansible is not there or breaks.
        """
        # What the run needs next, SSH above all, is loaded meanwhile.
        importlib.import_module("gitops_hooks.plugins.ansible.rolling")
        codes = self._ahead.ask(questions, _ASK_SECONDS, self._status.done)
        if codes is not None:
            return codes
        if self._status.done():
            if (why := self._status.result()) == "timeout":
                raise Refusal(late(self._seconds), nothing=True)
            raise EdgeError("ansible-runner", f"ended before it was asked to run: {why}")
        raise Refusal(f"Ansible gave no answer within {_ASK_SECONDS:.0f} s; simplify what it has to read")

    def run(self) -> str:
        """To the end: ansible-runner's word, one of successful, failed, canceled and timeout.

        Errors: EdgeError where ansible-runner is not installed or breaks.
        """
        self._ahead.go()
        return self._status.result()

    def _start(self) -> str:
        try:
            import ansible_runner
            from ansible_runner.exceptions import AnsibleRunnerException
        except ImportError:
            raise EdgeError("ansible-runner", "not installed beside this Python; install ansible-runner") from None
        rails, pinned = self.rails, self.rails.pinned
        inventory = str(rails.workplace.project / rails.deployment.environment.inventory)
        look = " --check --diff" if rails.deployment.look else ""
        try:
            runner = ansible_runner.run(
                private_data_dir=str(self._lay_settings()),
                project_dir=str(rails.workplace.project),
                playbook=self._playbook,
                inventory=[inventory, str(pinned.routes)],
                limit=f"@{pinned.limit}",
                cmdline=f"-e @{shlex.quote(str(pinned.extra_vars))}{look}",
                envvars={**pinned.environment, "PATH": f"{self._ahead.folder}:{os.environ['PATH']}"},
                forks=FORKS,
                ident=rails.deployment.run_id,
                timeout=max(1, round(self._seconds)),
                quiet=True,
                event_handler=rails.listener.take,
                # Without one the library takes over this program's signal handlers.
                cancel_callback=lambda: self._given_up or rails.canceled(),
            )
        except (AnsibleRunnerException, OSError, ValueError) as error:
            raise EdgeError("ansible-runner", f"broke: {type(error).__name__}") from error
        return str(runner.status)

    def _lay_settings(self) -> Path:
        (self._folder / "env").mkdir(mode=0o700)
        # Settings that are given as an argument are dropped where there is no file. Nothing that Ansible prints is
        # kept: it is no channel, and it may carry what must not be shown. The pty's wait is what an end or a cancel
        # costs.
        settings = {"pexpect_timeout": _POLL_SECONDS, "suppress_output_file": True, "suppress_ansible_output": True}
        (self._folder / "env" / "settings").write_text(json.dumps(settings))
        return self._folder


class Runs:
    """The runs of one deployment, of which the first one is begun ahead."""

    def __init__(self, rails: Rails) -> None:
        self.rails = rails
        self._ahead: Playbook | None = Playbook(rails, rails.workplace.run_timeout)

    def close(self) -> None:
        """End what was begun ahead and not asked to run."""
        if self._ahead:
            self._ahead.close()

    def ask(self, questions: Sequence[Question]) -> list[int]:
        """As Playbook.ask, before the first run."""
        if self._ahead is None:
            raise EdgeError("ansible", "is asked before its first run only")
        return self._ahead.ask(questions)

    def run(self, seconds: float, playbook: str = "") -> str:
        """As Playbook.run; `seconds` bound a run that was not begun ahead. Errors: EdgeError."""
        ahead = None
        if not playbook:
            ahead, self._ahead = self._ahead, None
        with closing(ahead or Playbook(self.rails, seconds, playbook)) as one:
            return one.run()
