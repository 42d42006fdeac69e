"""Changes to server.toml: comments and order stay, and a text that would not load is never put in place."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gitops_hooks.edge.config import SOURCE, parse_server
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.locks import hold
from gitops_hooks.edge.store import replace_file
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.server import DEPLOY, CredentialEntry, RepositoryEntry, ServerFile

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Table

_SECONDS = 30.0


def add_repository(home: Home, entry: RepositoryEntry) -> ServerFile:
    """Append a `[[repository]]`. Errors: PolicyError where the file would not load with it (a second of that name)."""
    fields: dict[str, object] = {"name": entry.name, "path": _short(home, entry.path), "id": entry.id}
    return _edit(home, lambda text: _append(text, "repository", fields | _rights(entry)))


def remove_repository(home: Home, name: str) -> ServerFile:
    """Take out a repository and every credential of it. Errors: EdgeError where there is none of that name."""

    def change(text: "TOMLDocument") -> None:
        _take_out(text, "credential", "repository", name)
        if not _take_out(text, "repository", "name", name):
            raise EdgeError(SOURCE, f"there is no repository '{name}'")

    return _edit(home, change)


def set_rights(home: Home, name: str, read: tuple[str, ...], write: tuple[str, ...]) -> ServerFile:
    """Say who may read and write a repository. Errors: EdgeError where there is none of that name."""

    def change(text: "TOMLDocument") -> None:
        for table in _tables(text, "repository"):
            if table.get("name") == name:
                table.update({"read": list(read), "write": list(write)})
                return
        raise EdgeError(SOURCE, f"there is no repository '{name}'")

    return _edit(home, change)


def add_credential(home: Home, entry: CredentialEntry) -> ServerFile:
    """Append a `[[credential]]`. Errors: EdgeError where its repository id is unknown, PolicyError as above."""
    given = entry.credentials

    def change(text: "TOMLDocument") -> None:
        names = [table.get("name") for table in _tables(text, "repository") if table.get("id") == entry.repository]
        if not names:
            raise EdgeError(SOURCE, f"there is no repository with the id '{entry.repository}'")
        fields: dict[str, object] = {
            "repository": names[0],
            "environment": entry.environment,
            "branch": entry.branch.removeprefix("refs/heads/"),
        }
        if given.hosts:
            fields["hosts"] = list(given.hosts)
        fields |= {name: _short(home, path) for name, path in given.files}
        if given.state_folder is not None:
            fields["state_folder"] = _short(home, given.state_folder)
        if given.trusted_command:
            fields["trusted_command"] = True
        if entry.use != DEPLOY:
            login = {"user": given.user, "become": given.become}
            fields |= {"use": entry.use, **{name: value for name, value in login.items() if value}}
        _append(text, "credential", fields)

    return _edit(home, change)


def set_value(home: Home, key: str, value: str | int | float | list[str], table: str = "") -> ServerFile:
    """Set one key at the top or in `[table]`. Errors: PolicyError where the file would not load with it."""

    def change(text: "TOMLDocument") -> None:
        from tomlkit import table as new_table

        if not table:
            text[key] = value
            return
        if table not in text:
            section = new_table()
            section.trivia.indent = "\n"
            text.append(table, section)
        text[table][key] = value

    return _edit(home, change)


def _edit(home: Home, change: Callable[["TOMLDocument"], None]) -> ServerFile:
    # tomlkit costs 60 ms to import and only an administrator's command needs it.
    import tomlkit

    with hold(home.run, SOURCE, _SECONDS):
        before = home.server_file.read_text(encoding="utf-8")
        parse_server(home, before)
        document = tomlkit.parse(before)
        change(document)
        after = tomlkit.dumps(document)
        server = parse_server(home, after)
        replace_file(home.server_file, after.encode("utf-8"))
    return server


def _append(text: "TOMLDocument", name: str, fields: dict[str, object]) -> None:
    import tomlkit

    table = tomlkit.table()
    table.update(fields)
    table.trivia.indent = "\n"
    if name not in text:
        text.append(name, tomlkit.aot())
    text[name].append(table)


def _take_out(text: "TOMLDocument", name: str, key: str, value: str) -> bool:
    kept = [table for table in _tables(text, name) if table.get(key) != value]
    found = len(kept) < len(_tables(text, name))
    for index in reversed(range(len(_tables(text, name)))):
        if _tables(text, name)[index].get(key) == value:
            del text[name][index]
    if found and not kept:
        del text[name]
    return found


def _tables(text: "TOMLDocument", name: str) -> list["Table"]:
    return list(text.get(name, []))


def _rights(entry: RepositoryEntry) -> dict[str, object]:
    return {"read": list(entry.read), "write": list(entry.write)}


def _short(home: Home, path: Path) -> str:
    """Relative where it lies in the home folder, so that the folder can be moved."""
    return str(path.relative_to(home.path)) if path.is_relative_to(home.path) else str(path)
