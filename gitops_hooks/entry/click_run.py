"""One way to run a click command, over SSH and on the server's shell alike."""

from collections.abc import Sequence

import click

from gitops_hooks.entry import guard


def run_click(command: click.Command, name: str, words: Sequence[str], caller: object = None) -> int:
    """The exit code: what the command answered, or what click made of wrong use. Other errors go on to the guard."""
    try:
        answer = command.main(list(words), prog_name=name, standalone_mode=False, obj=caller)
    except click.ClickException as error:
        error.show()
        return guard.WRONG_USE
    except click.Abort:
        return guard.INTERRUPTED
    return answer if isinstance(answer, int) else guard.DONE
