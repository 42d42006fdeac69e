"""`gitops-hooks check run`: the checks of a change before any push, in a clone, with the server's own result."""

import json
from pathlib import Path
from typing import Any

import click

import gitops_hooks
from gitops_hooks.core.junit import junit
from gitops_hooks.core.report import escape, field, findings, verdict_line
from gitops_hooks.core.sarif import sarif
from gitops_hooks.core.try_report import verdict_facts
from gitops_hooks.edge.clone import Extent, open_clone, open_shadow
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.floor_toml import load_floor
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.plugins import load_enabled
from gitops_hooks.edge.sandbox import probe
from gitops_hooks.entry import guard
from gitops_hooks.entry.printing import json_option
from gitops_hooks.entry.trying import Rig, Tried, find_against, try_checks, with_modules
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.policy import Floor
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.server import ServerFile

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def check() -> None:
    """Run checks in a clone, before any push."""


@check.command("run")
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--all", "every", is_flag=True, help="Every check that the policy asks for.")
@click.option("--against", default="", metavar="BRANCH", help="The branch it would land on (the remote's default).")
@click.option("--staged", "extent", flag_value="STAGED", default="", help="Only what is staged.")
@click.option("--committed", "extent", flag_value="COMMITTED", help="Only what is committed.")
@click.option("--plugin", "modules", multiple=True, metavar="MODULE", help="Enable this one too; may be repeated.")
@json_option
@click.option("--sarif", "sarif_file", type=_FILE, help="Also write the findings as SARIF 2.1.0.")
@click.option("--junit", "junit_file", type=_FILE, help="Also write the verdicts as JUnit XML.")
@click.pass_obj
def run(
    home: Home,
    /,
    names: tuple[str, ...],
    every: bool,
    against: str,
    extent: str,
    modules: tuple[str, ...],
    **to: Any,  # noqa: ANN401  # _tell types them
) -> int:
    """Run the checks NAME…, or --all of the policy, on the working tree as it would land.

    Exit codes: 0 they would let it pass, 1 they would refuse it, 2 wrong use, or they cannot be run here.
    """
    if bool(names) == every:
        raise click.UsageError("name the checks, or say --all")
    rig = _rig(home, modules)
    if unknown := [name for name in names if name not in rig.plugins.checks()]:
        offered = ", ".join(rig.plugins.checks())
        raise click.UsageError(f"no enabled plugin offers the check '{unknown[0]}'; there are {offered}; see --plugin")
    if fault := probe():
        raise EdgeError("checks", fault)
    wanted = tuple(dict.fromkeys(names))
    tried = _try(rig, against, Extent[extent or "WORKING_TREE"], None if every else wanted)
    return _refuse(tried) if isinstance(tried, Refusal) else _tell(tried, rig, **to)


def _try(rig: Rig, against: str, extent: Extent, names: tuple[str, ...] | None) -> Tried | Refusal:
    clone = open_clone(Path.cwd())
    shadow = open_shadow(clone, rig.server.limits)
    try:
        return try_checks(shadow, find_against(clone, against), extent, rig, names)
    finally:
        shadow.close()


def _rig(home: Home, modules: tuple[str, ...]) -> Rig:
    """The server's own file where there is one (a copy of it will do), else what ships, at its defaults."""
    there = home.server_file.exists()
    server = with_modules(load_server(home) if there else ServerFile(), modules)
    return Rig(server, load_enabled(server.plugins), load_floor(home) if there else Floor())


def _refuse(refusal: Refusal) -> int:
    guard.say(tuple(line for line in (f"{refusal.rule}: {refusal.reason}", refusal.cure) if line))
    return guard.REFUSED


def _tell(tried: Tried, rig: Rig, as_json: bool, sarif_file: Path | None, junit_file: Path | None) -> int:
    if sarif_file:
        summaries = {name: each.summary for name, each in rig.plugins.checks().items()}
        _write(sarif_file, json.dumps(sarif(tried.verdicts, summaries, gitops_hooks.__version__), indent=2) + "\n")
    if junit_file:
        _write(junit_file, junit(tried.verdicts))
    click.echo(json.dumps(_facts(tried)) if as_json else "\n".join(_lines(tried)))
    return guard.REFUSED if tried.refuses else guard.DONE


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EdgeError(str(path), f"cannot be written: {error.strerror}") from None


def _lines(tried: Tried) -> list[str]:
    count = len(tried.change.files)
    paths = f"{count} changed path{'' if count == 1 else 's'}"
    against = f"{tried.against.shown} ({tried.against.tip[:7]})"
    said = [f"gitops: {tried.extent.value} against {escape(against)}: {paths}"]
    said += [*field("checks", verdict_line(tried.verdicts)), *findings(tried.verdicts)]
    return [*said, "gitops: the server would refuse it" if tried.refuses else "gitops: these checks let it pass"]


def _facts(tried: Tried) -> dict[str, object]:
    return {
        "extent": tried.extent.value,
        "target": tried.against.ref,
        "against": tried.against.shown,
        "tip": tried.against.tip,
        "policy": tried.against.policy,
        "base": tried.change.base,
        "tree": tried.tree,
        "files": len(tried.change.files),
        "refuses": tried.refuses,
        "checks": verdict_facts(tried.verdicts),
    }
