"""Facts for people, or with --json for programs."""

import json
from collections.abc import Sequence

import click

Facts = dict[str, "str | int | bool | list[str]"]

json_option = click.option("--json", "as_json", is_flag=True, help="Print facts for programs.")


def print_facts(facts: Facts, line: str, as_json: bool) -> None:
    """One thing: its facts as one JSON object, or its line."""
    click.echo(json.dumps(facts) if as_json else line)


def print_list(rows: Sequence[tuple[Facts, str]], empty: str, as_json: bool) -> None:
    """Many things: a JSON array, or a line each, or the words for none."""
    if as_json:
        click.echo(json.dumps([facts for facts, _ in rows]))
        return
    for _, line in rows:
        click.echo(line)
    if not rows:
        click.echo(empty)
