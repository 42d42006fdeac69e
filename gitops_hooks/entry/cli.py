"""`gitops-hooks`: the administrator's command. Each group is loaded when it is asked for, and nothing else."""

import importlib
import os
import sys
from pathlib import Path

import click

import gitops_hooks
from gitops_hooks.edge.home import Home
from gitops_hooks.entry import guard
from gitops_hooks.entry.click_run import run_click
from gitops_hooks.entry.vocabulary import LATER, is_later

_PLACES = {
    "agent": ("gitops_hooks.entry.cli_agent", "agent", "Keep a host as the server releases it, from there."),
    "change": ("gitops_hooks.entry.cli_words", "change", "The changes of a repository."),
    "check": ("gitops_hooks.entry.cli_check", "check", "Run checks in a clone, before any push."),
    "doctor": ("gitops_hooks.entry.doctor", "doctor", "Whether this server is safe and whole, with the cure."),
    "env": ("gitops_hooks.entry.cli_words", "env", "The environments of a repository, and what is live."),
    "owners": ("gitops_hooks.entry.cli_policy", "owners", "Whose approval a change of a path needs."),
    "plugin": ("gitops_hooks.entry.cli_plugin", "plugin", "What plugins there are, and a new one to begin with."),
    "policy": ("gitops_hooks.entry.cli_policy", "policy", "Read a policy before it is pushed, explain it, replay it."),
    "reconcile": ("gitops_hooks.entry.cli_reconcile", "reconcile", "Bring what is live to what should be."),
    "recovery": ("gitops_hooks.entry.cli_recovery", "recovery", "The recorded ways back from a broken state."),
    "repo": ("gitops_hooks.entry.cli_repo", "repo", "The repositories of this server."),
    "user": ("gitops_hooks.entry.cli_user", "user", "Who may log in."),
    "verify": ("gitops_hooks.entry.cli_verify", "verify", "Judge the whole history of a mirror again, offline."),
}


class _Lazy(click.Group):
    """Knows its commands by name; imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _PLACES:
            if cmd_name in LATER:
                raise click.UsageError(f"'{cmd_name}' is not in this release")
            return None
        module, name, _ = _PLACES[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, place[2]) for name, place in sorted(_PLACES.items())])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if is_later(tuple(args[:2])):
            raise click.UsageError(f"'{' '.join(args[:2])}' is not in this release")
        return super().resolve_command(ctx, args)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", type=click.Path(path_type=Path), help="The server's folder (default: ~/.gitops-hooks).")
@click.version_option(gitops_hooks.__version__, prog_name="gitops-hooks")
@click.pass_context
def cli(ctx: click.Context, home: Path | None) -> None:
    """GitOps on your own Git server."""
    ctx.obj = Home((home or default_home()).expanduser().absolute())
    os.environ[guard.HOME_VARIABLE] = str(ctx.obj.path)  # where the guard and plugins find the journal
    _refuse_foreign_home(ctx.obj)


def default_home() -> Path:
    """GITOPS_HOOKS_HOME, else the folder below the user's own."""
    return Path(os.environ.get(guard.HOME_VARIABLE) or "~/.gitops-hooks")


def _refuse_foreign_home(home: Home) -> None:
    """Files that another user wrote into the server's folder would lock the server out of it."""
    if home.path.exists() and (owner := home.path.stat().st_uid) != os.geteuid():
        raise click.ClickException(f"the folder {home.path} belongs to user {owner}; run this as that user (sudo -u)")


def main() -> None:
    """The console command; ends the process with interface's exit codes."""
    sys.exit(guard.command(lambda: run_click(cli, "gitops-hooks", sys.argv[1:]), "cli", os.environ))


if __name__ == "__main__":
    main()
