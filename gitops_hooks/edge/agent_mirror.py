"""An agent's mirror of the server's refs: asked for by full names with stock git, its own key and pinned host keys.

What lies in it was said by the server, and is not believed for that: what is believed stands in the mark.
"""

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Sequence
from enum import Enum
from hashlib import sha256
from pathlib import Path

from gitops_hooks.edge.disk import full_disk, is_full
from gitops_hooks.edge.refs import clean_environment
from gitops_hooks.edge.store import make_folder, replace_file
from gitops_hooks.model.agent_file import AgentFile
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass

LOG = "refs/gitops/log"
_SECONDS = 600.0
_LOCAL_SECONDS = 60.0
# More names than this are no longer named one by one.
_MOST_CHANGES = 500
_HOST_KEY = ("Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED", "key is known for")
_NO_REF = "couldn't find remote ref "

# -F names the only configuration that is read, so nothing of the user's or the system's applies.
_SSH_CONFIG = """\
Host *
  BatchMode yes
  CheckHostIP no
  ConnectTimeout 15
  ControlMaster no
  ControlPath none
  ForwardAgent no
  ForwardX11 no
  GlobalKnownHostsFile /dev/null
  IdentitiesOnly yes
  IdentityAgent none
  IdentityFile "{key}"
  KbdInteractiveAuthentication no
  LogLevel ERROR
  PasswordAuthentication no
  PermitLocalCommand no
  PreferredAuthentications publickey
  ServerAliveCountMax 3
  ServerAliveInterval 15
  StrictHostKeyChecking yes
  UpdateHostKeys no
  UserKnownHostsFile "{known_hosts}"
  VerifyHostKeyDNS no
"""


class Why(Enum):
    """Why the server could not be asked, or did not take a report."""

    UNREACHABLE = "unreachable"
    HOST_KEY = "host key"
    NO_REF = "no ref"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer, and what ssh or git said of it."""

    why: Why
    words: str


@dataclass(frozen=True, slots=True)
class Mirror:
    """The bare repository in the state folder."""

    file: AgentFile
    git: str = "git"

    @property
    def path(self) -> Path:
        return self.file.state / "mirror.git"

    def lay(self) -> None:
        """Make it where it is missing. Errors: EdgeError, OSError."""
        make_folder(self.file.state)
        for path in (self.file.key, self.file.known_hosts, self.file.state):
            if any(character in str(path) for character in '"%\n'):
                raise EdgeError(str(path), "ssh cannot take a path with a quote, a percent sign or a line break")
        text = _SSH_CONFIG.format(key=self.file.key, known_hosts=self.file.known_hosts)
        if not self._ssh_config.exists() or self._ssh_config.read_text() != text:
            replace_file(self._ssh_config, text.encode())
        if not all((self.path / name).exists() for name in ("HEAD", "objects", "refs")):
            # What is left of one is worth nothing: all of it can be fetched again.
            shutil.rmtree(self.path, ignore_errors=True)
            self.ask("init", "-q", "--bare", str(self.path), here=False)

    @property
    def _ssh_config(self) -> Path:
        return self.file.state / "ssh_config"

    def poll(self, branches: Sequence[str]) -> Silence | None:
        """One round trip where nothing moved: both logs, where the environment is to go, and these branches."""
        silence = self.fetch([LOG, f"refs/environments/{self.file.environment}/*", *branches])
        gone = [ref for ref in branches if silence and silence.why is Why.NO_REF and silence.words.endswith(f" {ref}")]
        if not gone:
            return silence
        # Whether it may be gone is for the record to say.
        self.ask("update-ref", "-d", gone[0])
        return self.poll([ref for ref in branches if ref != gone[0]])

    def fetch(self, refs: Sequence[str]) -> Silence | None:
        """Bring these refs (patterns among them) to where the server has them; what is gone there goes here too."""
        specs = "".join(f"+{ref}:{ref}\n" for ref in refs)
        words = ["fetch", "-q", "--no-tags", "--prune", "--no-write-fetch-head", "--stdin", self.file.url]
        return self._talk([*_STRICT, *words], specs)

    def fetch_changes(self, numbers: Sequence[int]) -> Silence | None:
        """The revisions and histories of these changes."""
        if len(numbers) > _MOST_CHANGES:
            return self.fetch(["refs/changes/*"])
        return self.fetch([f"refs/changes/{number}/*" for number in numbers]) if numbers else None

    def fetch_all(self) -> Silence | None:
        """Whatever the server's record may rest on."""
        return self.fetch(["refs/gitops/*", "refs/changes/*", "refs/environments/*", "refs/heads/*", "refs/tags/*"])

    def push(self, commit: str, ref: str) -> Silence | None:
        """Put a report there, in place of the one before."""
        return self._talk(["push", "-q", self.file.url, f"+{commit}:{ref}"], "")

    def _talk(self, words: Sequence[str], text: str) -> Silence | None:
        try:
            started = subprocess.Popen(
                [self.git, "--git-dir", str(self.path), *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=self._environment(),
                cwd=self.file.state,
                start_new_session=True,
            )
        except OSError as error:
            raise EdgeError("git", f"does not start: {error.strerror}; run: apt-get install git") from None
        try:
            said = started.communicate(text.encode(), timeout=_SECONDS)[1].decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            said = f"no answer within {_SECONDS:.0f} s"
        finally:
            # ssh is a child of git's: neither outlives this, whatever ended us.
            if started.poll() is None:
                os.killpg(started.pid, signal.SIGKILL)
                started.wait()
        if started.returncode and is_full("\n".join(line for line in said.splitlines() if not _is_remote(line))):
            raise full_disk()
        return None if started.returncode == 0 else _silence(said)

    def _environment(self) -> dict[str, str]:
        ssh = f"ssh -F {shlex.quote(str(self._ssh_config))}"
        return clean_environment() | {
            "GIT_SSH_COMMAND": ssh,
            "GIT_SSH_VARIANT": "ssh",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": "ssh",
        }

    # --- what lies here ---

    def ask(self, *words: str, text: bytes = b"", here: bool = True) -> str:
        """One local git command's output. Errors: EdgeError."""
        place = ["--git-dir", str(self.path)] if here else []
        try:
            done = subprocess.run(
                [self.git, *place, *words],
                input=text,
                capture_output=True,
                env=clean_environment() | _NOBODY,
                timeout=_LOCAL_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EdgeError("git", f"cannot be asked: {error}") from None
        if done.returncode:
            raise EdgeError("the mirror", _one_line(done.stderr.decode("utf-8", "replace")))
        return done.stdout.decode("utf-8", "replace").strip()

    def digest(self) -> str:
        """One word for where all refs of the poll stand: another one after any of them has moved."""
        spaces = (LOG, f"refs/environments/{self.file.environment}/", "refs/heads/")
        told = self.ask("for-each-ref", "--format=%(refname) %(objectname)", *spaces)
        return sha256(told.encode()).hexdigest()[:32]

    def write_report(self, blob: bytes) -> str:
        """A parentless commit whose tree holds this report alone."""
        oid = self.ask("hash-object", "-w", "--stdin", text=blob)
        tree = self.ask("mktree", text=f"100644 blob {oid}\treport\n".encode())
        return self.ask("commit-tree", tree, text=b"report\n")

    def read_report(self) -> bytes:
        """The agent's last one, as it was fetched. Errors: EdgeError."""
        return self.ask("cat-file", "blob", f"{self.file.own_ref}:report").encode() + b"\n"


# An object that git itself would refuse is not taken in, and maintenance ends before the command does.
_STRICT = ("-c", "fetch.fsckObjects=true", "-c", "gc.autoDetach=false", "-c", "maintenance.autoDetach=false")
_NOBODY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "agent"), ("EMAIL", "agent@localhost"))
}


def _is_remote(line: str) -> bool:
    """Whether the server said it: its disk is not ours."""
    return line.startswith(("remote:", "error: remote", " ! [remote"))


def _silence(said: str) -> Silence:
    words = _one_line(said)
    if any(sign in said for sign in _HOST_KEY):
        return Silence(Why.HOST_KEY, "the server does not show its pinned host key; nothing was asked of it")
    if _NO_REF in said:
        return Silence(Why.NO_REF, f"the server has no {said.partition(_NO_REF)[2].split()[0]}")
    if "remote rejected" in said or "pre-receive hook declined" in said or "remote: gitops:" in said:
        return Silence(Why.REFUSED, words)
    return Silence(Why.UNREACHABLE, words)


def _one_line(said: str) -> str:
    lines = [" ".join(line.split()) for line in said.splitlines() if line.strip()]
    # Below it git says only that, where ssh ended without a word: as it does when a server falls silent in between.
    noise = ("fatal: Could not read from remote", "Please make sure", "and the repository exists")
    kept = [line for line in lines if not line.startswith(noise)]
    words = "; ".join(kept)[:500] or ("the connection broke off" if lines else "git gave no reason")
    return "".join(char if char.isprintable() else "?" for char in words)
