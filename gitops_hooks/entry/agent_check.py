"""What has to be installed beside an agent, each with the line that installs it."""

import shutil
from collections.abc import Iterator

from gitops_hooks.edge.launch import probe
from gitops_hooks.edge.launch_box import SYSTEM_PATH
from gitops_hooks.edge.signatures import load_verifier
from gitops_hooks.model.agent_file import AgentFile, Connection
from gitops_hooks.model.errors import EdgeError

_PROGRAMS = {"git": "git", "ssh": "openssh-client", "ssh-keygen": "openssh-client"}


def faults_here(file: AgentFile) -> tuple[str, ...]:
    """Everything that is missing or does not work on this machine."""
    return tuple(_faults(file))


def _faults(file: AgentFile) -> Iterator[str]:
    programs = dict(_PROGRAMS)
    if file.connection is Connection.LOCAL:
        programs["sshd"] = "openssh-server"
    for program, package in programs.items():
        if shutil.which(program, path=SYSTEM_PATH) is None:
            yield f"{program}: not installed; run: apt-get install {package}"
    tools = [str(folder / name) for folder in file.credentials.tools for name in ("bin", ".")]
    if file.connection is Connection.KUBERNETES and not shutil.which("kubectl", path=":".join([*tools, SYSTEM_PATH])):
        yield f"kubectl: not installed; put it into a folder of tool_folders in {file.path.name}"
    if why := probe():
        yield why
    try:
        load_verifier(file.roots.server_key)
    except EdgeError as error:
        yield f"{file.path.name}:server_key: {error}"
