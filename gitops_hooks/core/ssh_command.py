"""SSH_ORIGINAL_COMMAND → what is asked for; an exact grammar on bytes, and everything else is refused."""

import re
from enum import Enum

from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.request import Refusal

_LONGEST = 4096
# Clients of git quote the path in single quotes and write `'` and `!` in it apart; no repository name has either.
_GIT = re.compile(rb"git[ -](receive-pack|upload-pack) '/?([A-Za-z0-9][A-Za-z0-9._-]*)'")
_LOOKS_LIKE_GIT = re.compile(rb"git([ -].*)?", re.DOTALL)
_FILES = re.compile(rb"(scp|rsync|sftp|sftp-server|internal-sftp|(/[^ ]*/)?sftp-server)( .*)?", re.DOTALL)
_WORDS = re.compile(rb"[A-Za-z0-9._@/:,=+%-]+( [A-Za-z0-9._@/:,=+%-]+)*")

_RULE = "ssh"
_NOT_GIT = Refusal(_RULE, "this is not what git sends for a repository's name", "Use:  git clone git@HOST:NAME")


class GitProgram(Enum):
    """The two programs of git that a client may start."""

    RECEIVE_PACK = "receive-pack"
    UPLOAD_PACK = "upload-pack"


@dataclass(frozen=True, slots=True)
class GitCommand:
    """A push or a fetch: the program and the repository's name, without a `.git` at its end."""

    program: GitProgram
    repository: str


@dataclass(frozen=True, slots=True)
class Words:
    """Words to the server itself, such as `env show production`."""

    words: tuple[str, ...]


def parse_ssh_command(command: bytes) -> GitCommand | Words | Refusal:
    """Read one command; no quoting, expansion or path is ever interpreted. No command at all is no words."""
    if len(command) > _LONGEST:
        return Refusal(_RULE, f"a command may have {_LONGEST} bytes at most")
    if not command:
        return Words(())
    if _LOOKS_LIKE_GIT.fullmatch(command):
        return _parse_git(command)
    if _FILES.fullmatch(command):
        return Refusal(_RULE, "no files are copied here", "This account runs git and a few words:  help")
    if not _WORDS.fullmatch(command):
        return Refusal(_RULE, "a word may hold letters, digits and ._@/:,=+%- only", "What there is:  help")
    return Words(tuple(command.decode("ascii").split(" ")))


def _parse_git(command: bytes) -> GitCommand | Refusal:
    found = _GIT.fullmatch(command)
    if found is None:
        return _NOT_GIT
    name = found[2].decode("ascii").removesuffix(".git")
    if ".." in name or not name:
        return _NOT_GIT
    return GitCommand(GitProgram(found[1].decode("ascii")), name)
