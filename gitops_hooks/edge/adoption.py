"""A repository comes under the policy: looked at, given its first policy, and every tip of it recorded."""

import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pygit2

from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.index import open_index
from gitops_hooks.edge.ledger import SERVER, Ledger
from gitops_hooks.edge.objects import ObjectWriter
from gitops_hooks.edge.record import LOG, Record
from gitops_hooks.edge.refs import LostRace, RefMove, RefWriter, clean_environment
from gitops_hooks.edge.repository import open_repository
from gitops_hooks.edge.signer import load_signer
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.event import Adopted
from gitops_hooks.model.event_words import Oid, Word
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.people import People
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.server import RepositoryEntry, ServerFile

POLICY_PATH = ".gitops/policy.yaml"
_STORED = ("gitops", "environments", "changes", "agents")
_VERBS = ("for", "approve", "reject", "withdraw", "comment", "land", "rebase", "plan", "close", "reopen")
_MAGIC = (*_VERBS, "deploy", "rollback", "pause", "resume", "cancel")
_FIRST_POLICY = """\
version: 1
groups:
  admins: [{admin}]
branches:
  - match: {branch}
    push: []                  # nobody without approval
    propose: ['*']
    land: ['@admins']
    approvals:
      - {{count: 1, from: ['@admins']}}
    checks: [yaml, secrets]
"""


@dataclass(frozen=True, slots=True)
class Adoption:
    """What is adopted, by whom, and when."""

    home: Home
    server: ServerFile
    entry: RepositoryEntry
    admin: str
    people: People
    clock: Callable[[], datetime]


def make_repository(path: Path, git: str) -> bool:
    """Make an empty bare repository unless something is there; whether it was made."""
    if path.exists():
        return False
    _git(git, "init", "--quiet", "--bare", "--object-format=sha1", "--initial-branch=main", "--", str(path))
    return True


def faults_of(path: Path, git: str) -> tuple[str, ...]:
    """Everything that keeps a repository from being adopted, each with its reason."""
    if not (path / "objects").is_dir() or not (path / "HEAD").is_file():
        return ("is not a bare Git repository",)
    found = [*_format_faults(path, git)]
    if found:
        return tuple(found)
    return (*file_faults(path), *_hook_faults(path, git), *_ref_faults(path, git))


def _format_faults(path: Path, git: str) -> list[str]:
    wanted = {"extensions.objectformat": "sha1", "extensions.refstorage": "files"}
    found = [
        f"{key} is {value}: libgit2 cannot open it; only {wanted[key]} is supported"
        for key in wanted
        if (value := _config(path, git, key)) not in ("", wanted[key])
    ]
    if _config(path, git, "core.bare") != "true":
        found.append("is not bare; give a bare repository (git clone --bare)")
    if _config(path, git, "extensions.partialclone"):
        found.append("is a partial clone: objects are missing")
    return found


def file_faults(path: Path) -> list[str]:
    """Files beside the objects that change what is read, each with its reason."""
    reasons = {
        "objects/info/alternates": "borrows objects from another repository; git repack -a -d, then remove the file",
        "shallow": "is shallow: its history is cut off",
        "info/grafts": "has grafts: readers would disagree about history",
        "info/attributes": "has attributes of its own, which would change merges",
    }
    return [f"{name}: {reason}" for name, reason in reasons.items() if (path / name).is_file()]


def _hook_faults(path: Path, git: str) -> list[str]:
    hooks = path / "hooks"
    foreign = sorted(h.name for h in hooks.iterdir() if h.suffix != ".sample") if hooks.is_dir() else []
    found = [f"hooks/{name}: a hook of somebody else's, which would no longer run; move it away" for name in foreign]
    elsewhere = _config(path, git, "core.hookspath")
    if elsewhere and Path(elsewhere).name != "hooks":
        found.append("core.hooksPath points elsewhere; unset it")
    return found


def _ref_faults(path: Path, git: str) -> list[str]:
    found = []
    lines = _git(git, "--git-dir", str(path), "for-each-ref", "--format=%(refname) %(symref)").splitlines()
    # Where our own log stands, so do our other refs; whose they are is told by the signatures that adoption checks.
    taken = _MAGIC if f"{LOG} " in lines else (*_MAGIC, *_STORED)
    for line in lines:
        name, _, target = line.partition(" ")
        parts = name.split("/")
        if target:
            found.append(f"{name} is a symbolic ref; a push to it would move {target} unseen")
        elif parts[1] == "replace":
            found.append(f"{name}: replaced objects make readers disagree; git replace -d")
        elif parts[1] in taken:
            found.append(f"{name} collides with a namespace of gitops-hooks")
        elif name.startswith("refs/heads/refs/") or name.startswith("refs/tags/refs/"):
            found.append(f"{name}: a name like a full ref name deceives readers; rename it")
    return found


def adopt(adoption: Adoption) -> tuple[str, ...]:
    """Commit the first policy or take the one present, and record every tip; the acts, a line each.

    Errors: EdgeError, PolicyError with every fault of a policy that is there. Safe to run again.
    """
    path, server = adoption.entry.path, adoption.server
    repository = open_repository(path, server.limits, server.git)
    signer = load_signer(adoption.home.signing_key)
    state = adoption.home.state(adoption.entry.id)
    record = Record(repository, adoption.entry.id, signer.public, open_index(state))
    refs = RefWriter(path, server.git)
    ledger = Ledger(record, ObjectWriter(repository.git2, signer), refs, adoption.clock)
    if repository.tip(LOG) != NO_OID:
        return _take_up(record)
    default = _git(server.git, "--git-dir", str(path), "symbolic-ref", "HEAD").strip()
    if not default.startswith("refs/heads/"):
        raise EdgeError("HEAD", "names no branch; git symbolic-ref HEAD refs/heads/main")
    acts = [_give_policy(adoption, ledger, default)]
    tips = _git(server.git, "--git-dir", str(path), "for-each-ref", "--format=%(objectname) %(refname)")
    words = tuple(Word(word) for line in tips.splitlines() for word in line.split(" "))
    body = Adopted(Word(default), words, Oid(repository.tip(default)))
    ledger.log(LOG, body, SERVER)
    record.sync()
    return (*acts, f"recorded {len(words) // 2} refs as adopted, default branch {default.removeprefix('refs/heads/')}")


def _take_up(record: Record) -> tuple[str, ...]:
    """A record that is there goes on; changes and tips are looked up in it. Errors: EdgeError where it is another's."""
    try:
        record.newest(LOG)
    except EdgeError as error:
        cure = "to continue it here, put the server_key of the server that wrote it in place first"
        raise EdgeError(error.where, f"{error.what}; {cure}") from None
    record.sync()
    record.ensure_changes()
    return ("is adopted already",)


def _give_policy(adoption: Adoption, ledger: Ledger, default: str) -> str:
    """The policy that is there when it can be enforced, else a first one on top of the default branch."""
    repository = ledger.record.repository
    tip = repository.tip(default)
    branch = default.removeprefix("refs/heads/")
    text = repository.file(tip, POLICY_PATH, 256 * 1024) if tip != NO_OID else None
    if text is not None:
        parse_policy(text, commit=tip, known=adoption.people.names, default_branch=branch)
        return f"took the policy at {tip[:7]}"
    first = _FIRST_POLICY.format(admin=adoption.admin, branch=branch)
    tree = with_file(repository.git2, repository.tree_of(tip), POLICY_PATH, first.encode())
    parents = (tip,) if tip != NO_OID else ()
    message = f"Put {branch} under a policy\n\nFirst policy, by gitops-hooks repo add.\n"
    commit = ledger.objects.write_commit(tree, parents, message, adoption.clock())
    lost = ledger.refs.move([RefMove(default, tip, commit)])
    if isinstance(lost, LostRace):
        raise EdgeError(default, lost.words)
    return f"committed a first policy to {branch} as {commit[:7]}"


def with_file(repository: pygit2.Repository, tree: str, path: str, content: bytes) -> str:
    """The tree with one regular file more, or with that file's content replaced."""
    builder = repository.TreeBuilder(repository[tree].peel(pygit2.Tree)) if tree != NO_OID else repository.TreeBuilder()
    name, _, rest = path.partition("/")
    if not rest:
        builder.insert(name, repository.create_blob(content), pygit2.enums.FileMode.BLOB)
        return str(builder.write())
    below = builder.get(name)
    inner = str(below.id) if isinstance(below, pygit2.Tree) else NO_OID
    folder = with_file(repository, inner, rest, content)
    builder.insert(name, pygit2.Oid(hex=folder), pygit2.enums.FileMode.TREE)
    return str(builder.write())


def _config(path: Path, git: str, key: str) -> str:
    ran = subprocess.run(
        [git, "--git-dir", str(path), "config", "--local", "--get", key],
        capture_output=True,
        env=clean_environment(),
        timeout=60,
        check=False,
    )
    return ran.stdout.decode().strip()


def _git(git: str, *words: str) -> str:
    ran = subprocess.run([git, *words], capture_output=True, env=clean_environment(), timeout=600, check=False)
    if ran.returncode:
        said = ran.stderr.decode("utf-8", "replace").strip()
        raise EdgeError(f"git {words[0]}", said or f"exit {ran.returncode}")
    return ran.stdout.decode("utf-8", "surrogateescape")
