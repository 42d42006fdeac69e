"""`gitops-hooks plugin list|new`: what there is and what of it is enabled, and a package to begin with."""

import importlib.metadata
import importlib.util
from pathlib import Path

import click

from gitops_hooks.core.plugin_package import module_of, name_fault, new_package
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.discovery import GROUP, Found, find_plugins
from gitops_hooks.edge.home import Home
from gitops_hooks.entry import guard
from gitops_hooks.entry.printing import Facts, json_option, print_list
from gitops_hooks.hookspec import API_VERSION
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.server import ExecCheck, ServerFile


@click.group()
def plugin() -> None:
    """The plugins of this environment, and a new one."""


@plugin.command("list")
@json_option
@click.pass_obj
def list_plugins(home: Home, as_json: bool) -> int:
    """What is discovered, enabled, or refused and why; exit code 1 where anything is refused.

    Without a server's file, as its defaults would have it.
    """
    server = load_server(home) if home.server_file.exists() else ServerFile()
    found = find_plugins(server.plugins)
    rows = [(_facts(one), _line(one)) for one in found]
    offered = {name for one in found for name in one.offers}
    rows += [_program_row(program, program.name in offered) for program in server.plugins.programs]
    print_list(rows, "no plugins", as_json)
    return guard.REFUSED if any(facts["fault"] for facts, _ in rows) else guard.DONE


def _facts(one: Found) -> Facts:
    return {
        "module": one.module,
        "state": one.state,
        "list": one.listed,
        "package": one.package,
        "version": one.version,
        "offers": list(one.offers),
        "fault": one.fault,
    }


def _line(one: Found) -> str:
    origin = f"  ({one.package} {one.version})".replace(" )", ")") if one.package else ""
    offers = f": {', '.join(one.offers)}" if one.offers else ""
    said = {"refused": one.fault, "enabled": one.listed + offers}
    words = said.get(one.state, "not enabled; [plugins] in server.toml may name it")
    return f"{one.state:<11}{one.module}  {words}{origin}"


def _program_row(program: ExecCheck, taken: bool) -> tuple[Facts, str]:
    state, fault = ("refused", "a plugin offers a check of that name") if taken else ("enabled", "")
    facts: Facts = {
        "module": "",
        "state": state,
        "list": "exec_check",
        "package": program.command[0],
        "version": "",
        "offers": [program.name],
        "fault": fault,
    }
    words = f"{program.name}: {fault}" if fault else program.name
    return facts, f"{state:<11}[[exec_check]]  {words}  ({program.command[0]})"


def _taken(module: str) -> str:
    """Why a module of this name would hide another one, or be hidden by it; one's own plugin may be made again."""
    if module in {point.module for point in importlib.metadata.entry_points(group=GROUP)}:
        return ""
    return f"there is a module '{module}' already" if importlib.util.find_spec(module) else ""


@plugin.command("new")
@click.argument("name")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), help="The folder to make (NAME).")
def new(name: str, into: Path | None) -> int:
    """Make a package NAME with a check, its tests and its packaging, ready to install."""
    if fault := name_fault(name) or _taken(module_of(name)):
        raise click.BadParameter(fault, param_hint="NAME")
    folder = into or Path(name)
    try:
        if folder.exists() and any(folder.iterdir()):
            raise EdgeError(str(folder), "is there already and not empty")
        for path, text in new_package(name, API_VERSION).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise EdgeError(str(folder), f"cannot be written: {error.strerror}") from None
    click.echo(f"made {folder}\n")
    click.echo(f"  pip install -e '{folder}[test]' && pytest {folder}")
    click.echo(f'  [plugins] in server.toml:  checks = ["gitops_hooks.plugins.yaml_check", …, "{module_of(name)}"]')
    return guard.DONE
