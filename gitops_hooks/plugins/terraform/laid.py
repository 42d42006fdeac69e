"""A root module made ready: its program, providers that were approved, and a state that outlives the run."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from gitops_hooks.plugin import EdgeError, Workplace
from gitops_hooks.plugins.deployed_program import Place
from gitops_hooks.plugins.granted import hider, one_line
from gitops_hooks.plugins.terraform.program import PROGRAMS, parse_faults
from gitops_hooks.plugins.terraform.started import Started

CHOICE = "GITOPS_TERRAFORM"
_LOCK_FILE = ".terraform.lock.hcl"
# Of several overrides the last by its name has the last word.
_OVERRIDE = "zz_gitops_hooks_state_override.tf"
_STATE = "terraform.tfstate"
_MIRRORS = (Path("/usr/local/share/terraform/plugins"), Path("/usr/share/terraform/plugins"))
_ENDINGS = (".tf", ".tf.json", ".tofu", ".tofu.json")
_BACKEND = """\
terraform {
  backend "local" {
    path          = "%(path)s"
    workspace_dir = "%(folder)s/workspaces"
  }
}
"""


class Refusal(Exception):
    """This module must not be deployed like this; the words say why, with the cure."""


def lay_module(module: str, workplace: Workplace, variables: Mapping[str, str], limits: Place) -> Started:
    """Initialise it. Errors: Refusal, EdgeError."""
    folder = (workplace.project / module).resolve()
    if not folder.is_relative_to(workplace.project.resolve()) or not _holds(folder):
        words = f"module: {module} is no folder of the repository with Terraform files; correct the environment's entry"
        raise Refusal(f"{words} in the policy")
    environ = {**variables, **_environ(workplace, folder)}
    place = replace(limits, folder=folder, environ=environ)
    started = Started(find_program(variables, environ["PATH"]), place, workplace.scratch / "plan")
    _initialise(started, workplace, variables, [])
    if _backend(workplace)[0] in ("", "local"):
        kept = _keep_state(folder, workplace, module)
        _initialise(started, workplace, variables, ["-reconfigure"])
        _refuse_lost(workplace, module, kept)
    _refuse_foreign(workplace)
    return started


def _holds(folder: Path) -> bool:
    return folder.is_dir() and any(path.name.endswith(_ENDINGS) for path in folder.iterdir())


def find_program(variables: Mapping[str, str], path: str) -> str:
    """The one that this server has; two are a choice that nobody has made yet, since they differ in their states."""
    wanted = (variables[CHOICE],) if variables.get(CHOICE) in PROGRAMS else PROGRAMS
    found = [place for name in wanted if (place := shutil.which(name, path=path))]
    if not found:
        raise EdgeError(" or ".join(wanted), "not installed; put it into a folder of tool_folders in server.toml")
    if len(found) > 1:
        words = f"both installed; say which one in the environment_file: {CHOICE}={PROGRAMS[1]}"
        raise EdgeError(" and ".join(PROGRAMS), words)
    return found[0]


def _environ(workplace: Workplace, folder: Path) -> dict[str, str]:
    said = {name: os.environ[name] for name in ("PATH", "LANG", "HOME", "TMPDIR") if name in os.environ}
    settings = workplace.scratch / "terraform.rc"
    settings.write_text(_settings(workplace, folder))
    return said | {
        "TF_CLI_CONFIG_FILE": str(settings),
        "TF_DATA_DIR": str(_kept(workplace)),
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
    }


def _kept(workplace: Workplace) -> Path:
    return workplace.scratch / "terraform"


def _settings(workplace: Workplace, folder: Path) -> str:
    """Without a lock file nobody has approved a download: providers then come from the tree or the server alone."""
    told = "disable_checkpoint = true\n"
    if (folder / _LOCK_FILE).exists():
        return told
    none = workplace.scratch / "none"
    none.mkdir(exist_ok=True)
    mirrors = [path for path in (folder / "terraform.d" / "plugins", *_MIRRORS) if path.is_dir()] or [none]
    blocks = "".join(f"  filesystem_mirror {{\n    path = {json.dumps(str(path))}\n  }}\n" for path in mirrors)
    return f"{told}provider_installation {{\n{blocks}}}\n"


def _initialise(started: Started, workplace: Workplace, variables: Mapping[str, str], more: list[str]) -> None:
    locked = ["-lockfile=readonly"] if (started.place.folder / _LOCK_FILE).exists() and not more else []
    said: list[bytes] = []
    ended = started.run(["init", "-input=false", "-no-color", *locked, *more], said.append, merged=True)
    if ended.stopped:
        raise Refusal("ended before the module was initialised")
    if ended.status:
        fault = next(parse_faults(b"\n".join(said)), None)
        words = fault.message if fault else f"ended with {ended.status}"
        hide = hider(workplace.credentials, variables.values())
        raise Refusal(f"init: {hide(one_line(words))[:500]}{_cure(words)}")


def _cure(words: str) -> str:
    if "provider" not in words:
        return ""
    return (
        "; providers come from terraform.d/plugins beside the module, from the server's mirror, or, with a "
        f"{_LOCK_FILE} in the tree, from where it was made"
    )


def _backend(workplace: Workplace) -> tuple[str, str]:
    """The kind of backend that the module names, and the path of its file, as Terraform itself has read them."""
    try:
        found = json.loads((_kept(workplace) / _STATE).read_bytes())["backend"]
        return str(found["type"]), str(found["config"].get("path"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "", ""


def _keep_state(folder: Path, workplace: Workplace, module: str) -> Path:
    """Where it is kept from now on."""
    state = workplace.credentials.state_folder
    if state is None:
        raise Refusal(
            f"the module {module} keeps its state in a file, which would be lost: it is granted no state_folder; "
            "name a backend in the module, or have an administrator add state_folder to its [[credential]]"
        )
    if (folder / _OVERRIDE).exists():
        raise Refusal(f"{_OVERRIDE} is a name that the server needs; rename that file of the repository")
    (folder / _OVERRIDE).write_text(_BACKEND % {"folder": state, "path": state / _STATE})
    return state / _STATE


def _refuse_lost(workplace: Workplace, module: str, kept: Path) -> None:
    """A state that ends with the run would let the next one make everything once more."""
    if _backend(workplace) != ("local", str(kept)):
        words = f"the module {module} would keep its state in another file than the server's, and lose it"
        raise Refusal(f"{words}; take the backend out of its files that end in _override.tf")


def _refuse_foreign(workplace: Workplace) -> None:
    """Nobody approved what lies elsewhere, and no lock file pins it."""
    try:
        modules = json.loads((_kept(workplace) / "modules" / "modules.json").read_bytes())["Modules"]
        sources = {str(one["Key"]): str(one["Source"]) for one in modules}
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError):
        raise Refusal("where its modules come from cannot be read") from None
    foreign = [key for key, source in sources.items() if source and not source.startswith(("./", "../"))]
    if foreign:
        raise Refusal(
            f"the module {one_line(foreign[0])[:100]} comes from elsewhere, where nobody approved it; put it into the "
            "repository and name it by its path"
        )
