"""Mitogen, where an environment asks for it: one Python per host and run instead of a command per task.

It is reached through the fence once, as one command that lasts as long as the run (on_host_fence, `whole`).
"""

import importlib.util
from pathlib import Path

from gitops_hooks.plugin import EdgeError

MITOGEN = "mitogen"
_VARIABLES = (
    *("mitogen_via", "mitogen_kind", "mitogen_mask_remote_name", "mitogen_task_isolation"),
    *("mitogen_ssh_compression", "mitogen_ssh_debug_level"),
    *(f"mitogen_{program}_path" for program in ("buildah", "docker", "incus", "kubectl", "lxc", "lxc_attach")),
    *(f"mitogen_{program}_path" for program in ("lxc_info", "machinectl", "podman", "python")),
)


def mitogen_variables(interval: int, times: int) -> dict[str, object]:
    """As extra vars these beat what a repository says: none of them may lead past the fence, or to another program.

    A host that says nothing for `interval` seconds is asked whether it is there, so many times.
    """
    patience = {"mitogen_ssh_keepalive_interval": interval, "mitogen_ssh_keepalive_count": times}
    return dict.fromkeys(_VARIABLES) | patience


def strategy_settings(strategy: str) -> dict[str, str]:
    """What Ansible's environment says of it. Errors: EdgeError where it is not installed beside this interpreter."""
    if strategy != MITOGEN:
        return {}
    found = importlib.util.find_spec("ansible_mitogen")
    if found is None or found.origin is None:
        raise EdgeError("mitogen", "not installed beside this Python; install mitogen into its environment")
    plugins = Path(found.origin).parent / "plugins" / "strategy"
    return {"ANSIBLE_STRATEGY": "mitogen_linear", "ANSIBLE_STRATEGY_PLUGINS": str(plugins)}
