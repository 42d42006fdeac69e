"""Why this machine gives no sandbox, and the one line that changes it."""

import contextlib
from pathlib import Path

_SWITCHES = (
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "15000"),
)

_OTHERWISE = (
    "Use Linux 6.7 or newer with Landlock, "
    "or start the container with --cap-add SYS_ADMIN --security-opt apparmor=unconfined"
)


def cure() -> str:
    """One line for an administrator; the settings that are known to forbid user namespaces are looked at."""
    for name, forbidding, allowing in _SWITCHES:
        with contextlib.suppress(OSError):
            if Path("/proc/sys", *name.split(".")).read_text(encoding="ascii").strip() == forbidding:
                line = f"echo {name}={allowing} > /etc/sysctl.d/60-gitops-hooks.conf && sysctl --system"
                return f"Run as root: {line}"
    return _OTHERWISE
