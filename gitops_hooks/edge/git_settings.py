"""The settings of git that our rules stand on: given to every git, written by `repo add`, checked by doctor."""

import subprocess
from pathlib import Path

from gitops_hooks.edge.home import Home
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.server import Limits

Settings = tuple[tuple[str, str], ...]

# What is pushed to and never stored, and what is people's: all of it goes through proc-receive, our one writer.
_PROC_RECEIVE = (
    *("for", "approve", "reject", "withdraw", "comment", "land", "rebase", "plan", "close", "reopen"),
    *("deploy", "rollback", "pause", "resume", "cancel", "heads", "tags"),
)
# Stored, and written by the server alone. Hidden from pushes only: who may read fetches them (no uploadpack.hideRefs).
_HIDDEN = ("changes", "environments", "gitops", "agents")
# A repository's own configuration could take reads away or run a command; doctor tells of it.
_FOREIGN = ("core.alternaterefscommand", "core.worktree", "transfer.hiderefs", "uploadpack.hiderefs", "include.path")
_SECONDS = 20.0
_REPORT_INPUT = 128 * 1024


def receive_settings(home: Home, limits: Limits) -> Settings:
    """Key and value pairs, in order; a key with several values comes several times.

    unpackLimit 100 is git's own default, said aloud: a small push becomes loose objects, so that a thousand
    approvals are not a thousand packs. An evil pack costs the same either way: maxInputSize bounds what arrives.
    """
    return (
        ("core.hooksPath", str(home.hooks.absolute())),
        # Without it each push lists every ref of the repository: ten times slower at 20,000 changes.
        ("core.alternateRefsPrefixes", "refs/heads/"),
        *(("receive.procReceiveRefs", f"refs/{name}") for name in _PROC_RECEIVE),
        *(("receive.hideRefs", f"refs/{name}") for name in _HIDDEN),
        ("receive.advertisePushOptions", "true"),
        ("receive.advertiseAtomic", "true"),
        ("receive.fsckObjects", "true"),
        ("transfer.fsckObjects", "true"),
        ("receive.maxInputSize", str(limits.input_size)),
        ("receive.unpackLimit", "100"),
        ("receive.shallowUpdate", "false"),
        ("receive.autogc", "false"),
        ("receive.updateServerInfo", "false"),
        ("gc.auto", "0"),
        ("maintenance.auto", "false"),
        # The session id is written into every client's traces and tells one connection from another.
        ("transfer.advertiseSID", "false"),
    )


def signing_settings(home: Home) -> Settings:
    """What lets people sign pushes: for git's command scope only, since the seed is a secret.

    Signatures are judged by ours alone (entry/signed.py), so that no byte of a pusher reaches gpg or ssh-keygen.
    Errors: EdgeError where the seed is not there.
    """
    try:
        seed = home.nonce_seed.read_text().strip()
    except OSError as error:
        raise EdgeError("the seed of nonces", f"cannot be read ({error.strerror}); run doctor") from None
    programs = ("gpg.program", "gpg.openpgp.program", "gpg.ssh.program", "gpg.x509.program")
    return (("receive.certNonceSeed", seed), *((program, "false") for program in programs))


def agent_settings(name: str) -> Settings:
    """What differs for a push of an agent's: it sees its own ref alone, and brings a report's few bytes.

    Its ref moves without descending, since each report replaces the one before. Later values of hideRefs win.
    """
    return (
        ("receive.hideRefs", "refs"),
        ("receive.hideRefs", f"!refs/agents/{name}"),
        ("receive.maxInputSize", str(_REPORT_INPUT)),
        ("receive.denyNonFastForwards", "false"),
        ("receive.denyDeletes", "true"),
    )


def settings_environment(settings: Settings, repository: Path) -> dict[str, str]:
    """The settings as git's command scope, which beats every file and is handed on to hooks.

    safe.directory names exactly the repository that the administrator added, whoever owns its folder.
    """
    pairs = (*settings, ("safe.directory", str(repository.absolute())))
    found = {"GIT_CONFIG_COUNT": str(len(pairs))}
    for index, (key, value) in enumerate(pairs):
        found[f"GIT_CONFIG_KEY_{index}"], found[f"GIT_CONFIG_VALUE_{index}"] = key, value
    return found


def write_settings(git: str, repository: Path, settings: Settings) -> None:
    """Write them into the repository's config too, for pushes past the forced command. Errors: EdgeError."""
    config = str(repository / "config")
    for key in dict.fromkeys(key for key, _ in settings):
        first, *others = (value for name, value in settings if name == key)
        _run([git, "config", "--file", config, "--replace-all", key, first])
        for value in others:
            _run([git, "config", "--file", config, "--add", key, value])


def remove_settings(git: str, repository: Path, settings: Settings) -> None:
    """Take them out again, for `repo remove`: other keys stay. Errors: EdgeError."""
    present = {key for key, _ in _read(git, repository)}
    for key in dict.fromkeys(key for key, _ in settings):
        if key.lower() in present:
            _run([git, "config", "--file", str(repository / "config"), "--unset-all", key])


def settings_faults(git: str, repository: Path, settings: Settings) -> tuple[str, ...]:
    """What in the repository's config differs or works against us, a line each. Errors: EdgeError."""
    found = _read(git, repository)
    faults = []
    for key in dict.fromkeys(key for key, _ in settings):
        wanted = [value for name, value in settings if name == key]
        if [value for name, value in found if name == key.lower()] != wanted:
            faults.append(f"{key} is not set as it must be")
    faults.extend(f"{key} must not be set" for key in _FOREIGN if key in {name for name, _ in found})
    return tuple(faults)


def _read(git: str, repository: Path) -> list[tuple[str, str]]:
    words = _run([git, "config", "--file", str(repository / "config"), "--list", "-z"])
    pairs = (item.partition("\n") for item in words.split("\0") if item)
    return [(key, value) for key, _, value in pairs]


def _run(command: list[str]) -> str:
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
    try:
        done = subprocess.run(
            command, env=env, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EdgeError("git config", f"did not run: {error}") from None
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip()
        raise EdgeError("git config", f"failed: {words or f'exit code {done.returncode}'}")
    return done.stdout.decode("utf-8", "surrogateescape")
