"""One playbook run through ansible-runner, on rails: a fresh folder, our environment, events kept by ourselves."""

import json
import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path

from gitops_hooks.plugin import Deployment, EdgeError, Workplace
from gitops_hooks.plugins.ansible.events import Listener
from gitops_hooks.plugins.ansible.pinned import FORKS, Pinned

_POLL_SECONDS = 0.2


def run_playbook(
    deployment: Deployment,
    workplace: Workplace,
    pinned: Pinned,
    listener: Listener,
    canceled: Callable[[], bool],
    playbook: str = "",
) -> str:
    """Run the environment's playbook, or another one, to the end, on the hosts of the pinned limit.

    Answers ansible-runner's word: successful, failed, canceled or timeout.

    Errors: EdgeError where ansible-runner is not installed or breaks.
    """
    try:
        import ansible_runner
        from ansible_runner.exceptions import AnsibleRunnerException
    except ImportError:
        raise EdgeError("ansible-runner", "not installed beside this Python; install ansible-runner") from None
    try:
        runner = ansible_runner.run(
            private_data_dir=str(_private_folder(workplace, pinned)),
            project_dir=str(workplace.project),
            playbook=playbook or deployment.environment.playbook,
            inventory=[str(workplace.project / deployment.environment.inventory), str(pinned.routes)],
            limit=f"@{pinned.limit}",
            cmdline=f"-e @{shlex.quote(str(pinned.extra_vars))}" + (" --check --diff" if deployment.look else ""),
            envvars=dict(pinned.environment),
            forks=FORKS,
            ident=deployment.run_id,
            timeout=max(1, round(workplace.run_timeout)),
            quiet=True,
            event_handler=listener.take,
            # Without one the library takes over this program's signal handlers.
            cancel_callback=canceled,
        )
    except (AnsibleRunnerException, OSError, ValueError) as error:
        raise EdgeError("ansible-runner", f"broke: {type(error).__name__}") from error
    return str(runner.status)


def _private_folder(workplace: Workplace, pinned: Pinned) -> Path:
    # A rollout in batches runs more than once, each time in a folder of its own.
    folder = Path(tempfile.mkdtemp(prefix="runner-", dir=workplace.scratch))
    (folder / "env").mkdir(mode=0o700)
    # Settings that are given as an argument are dropped where there is no file. Nothing that Ansible prints is kept:
    # it is no channel, and it may carry what must not be shown. The pty's wait is what an end or a cancel costs.
    settings = {"pexpect_timeout": _POLL_SECONDS, "suppress_output_file": True, "suppress_ansible_output": True}
    (folder / "env" / "settings").write_text(json.dumps(settings))
    return folder
