"""Who people are: users.toml, read strictly and changed by the administrator's commands."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from gitops_hooks.edge.authorized_keys import write_block
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.locks import hold
from gitops_hooks.edge.public_key import parse_key
from gitops_hooks.edge.store import replace_file
from gitops_hooks.edge.toml_text import REPOSITORY_ID, Faults, parse_toml, read_toml
from gitops_hooks.edge.toml_text import Table as Read
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.people import EVERY_HOST, Charge, People, Person, PublicKey
from gitops_hooks.model.push import ActorKind

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Table

SOURCE = "users.toml"
NAME = re.compile(r"[a-z][a-z0-9._-]{0,31}")
RESERVED = frozenset({"server", "all", "none"})

_ADDRESS = re.compile(r"[^\s\x00-\x1f\x7f<>@,]{1,120}@[^\s\x00-\x1f\x7f<>@,]{1,120}")
_KINDS = {kind.value: kind for kind in ActorKind}
_HOST = re.compile(r"\*|[A-Za-z0-9_][A-Za-z0-9._:/-]{0,252}")
_ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]{0,31}")
_SECONDS = 30.0
_SHOWN = 5
_NEW = "# Who may log in; written by `gitops-hooks user add` and `user remove`.\n"


def load_people(home: Home) -> People:
    """Everybody in users.toml. Errors: PolicyError with every fault of the file and its line."""
    return _people_of(read_toml(home.users_file, SOURCE))


def add_user(home: Home, name: str, key_text: str, addresses: tuple[str, ...], bot: bool = False) -> Person:
    """Write a new person and their line in authorized_keys.

    Errors: EdgeError where the key cannot be used, PolicyError where name, key or address are another's.
    """
    key = parse_key(key_text)
    fields: dict[str, object] = {"name": name, "keys": [key.text], "addresses": list(addresses)}
    return _add(home, name, fields | ({"kind": ActorKind.BOT.value} if bot else {}))


def add_agent(home: Home, name: str, key_text: str, charge: Charge) -> Person:
    """Write a new agent and its line in authorized_keys. Errors: as above, and where a host is another agent's."""
    fields: dict[str, object] = {"name": name, "keys": [parse_key(key_text).text], "kind": ActorKind.AGENT.value}
    answers = {"repository": charge.repository, "environment": charge.environment, "hosts": list(charge.hosts)}
    return _add(home, name, fields | answers)


def _add(home: Home, name: str, fields: dict[str, object]) -> Person:
    def change(document: "TOMLDocument") -> None:
        import tomlkit

        table = tomlkit.table()
        table.update(fields)
        table.trivia.indent = "\n"
        if "user" not in document:
            document.append("user", tomlkit.aot())
        document["user"].append(table)

    return _named(_edit(home, change), name)


def _named(people: People, name: str) -> Person:
    return next(person for person in (*people.everybody, *people.agents) if person.name == name)


def remove_user(home: Home, name: str) -> People:
    """Take a person out of users.toml and authorized_keys. Errors: EdgeError where nobody has that name."""

    def change(document: "TOMLDocument") -> None:
        tables = document.get("user", [])
        places = [index for index, table in enumerate(tables) if table.get("name") == name]
        if not places:
            raise EdgeError(SOURCE, f"there is no user '{name}'")
        del tables[places[0]]
        if not tables:
            del document["user"]

    return _edit(home, change)


def edit_person(home: Home, name: str, change: Callable[["Table"], None]) -> Person:
    """Change one person's table, and their lines in authorized_keys with it. Errors: EdgeError, PolicyError."""

    def change_one(document: "TOMLDocument") -> None:
        found = next((table for table in document.get("user", []) if table.get("name") == name), None)
        if found is None:
            raise EdgeError(SOURCE, f"there is no user '{name}'")
        change(found)

    return _named(_edit(home, change_one), name)


def write_authorized_keys(home: Home, people: People) -> None:
    """Rewrite our block of authorized_keys. Errors: OSError, and PolicyError of server.toml."""
    write_block(home, load_server(home).authorized_keys or home.authorized_keys, people)


def _edit(home: Home, change: Callable[["TOMLDocument"], None]) -> People:
    import tomlkit

    with hold(home.run, SOURCE, _SECONDS):
        before = home.users_file.read_text(encoding="utf-8") if home.users_file.exists() else _NEW
        _people_of(before)
        document = tomlkit.parse(before)
        change(document)
        after = tomlkit.dumps(document)
        people = _people_of(after)
        # A key that is no longer in users.toml is refused by the forced command even while its line still stands,
        # and a line is only written for somebody who is: either order of a crash fails closed.
        replace_file(home.users_file, after.encode("utf-8"))
        write_authorized_keys(home, people)
    return people


@lru_cache(maxsize=2)
def _people_of(text: str) -> People:
    """A push reads them three times, and the same process may judge the next one. Errors: as load_people."""
    document = parse_toml(text, (), ("user",), Faults(SOURCE))
    document.top.allow(("user",))
    seen: dict[str, str] = {}
    found = tuple(_person(table, seen) for table in document.lists["user"])
    _refuse_shared_hosts(document.lists["user"], found)
    document.top.faults.check()
    agents = tuple(person for person in found if person.charge)
    return People(tuple(person for person in found if not person.charge), agents)


def _person(table: Read, seen: dict[str, str]) -> Person:
    if table.values.get("kind") == ActorKind.AGENT.value:
        return _agent(table, seen)
    table.allow(("name", "keys", "addresses", "kind", "openpgp"), ("expires", "teams"))
    name = table.text("name", NAME)
    if name in RESERVED:
        table.fault("name", f"'{name}' is reserved; take another name")
    _claim(table, "name", name, f"the name '{name}'", seen)
    keys = tuple(_key(table, "keys", text, seen) for text in table.texts("keys"))
    openpgp = tuple(_key(table, "openpgp", text, seen) for text in table.texts("openpgp"))
    if not keys:
        table.fault("keys", "'keys' must hold at least one public key")
    addresses = tuple(address.lower() for address in table.texts("addresses", _ADDRESS))
    for address in addresses:
        _claim(table, "addresses", f"<{address}>", f"the address {address!a}", seen)
    kind = table.text("kind", None, ActorKind.PERSON.value)
    if kind not in _KINDS:
        table.fault("kind", f"'kind' must be 'person', 'bot' or 'agent', not {kind!a}")
    return Person(name, keys, addresses, _KINDS.get(kind, ActorKind.PERSON), openpgp)


def _agent(table: Read, seen: dict[str, str]) -> Person:
    """Keys and a charge, and nothing that a rule about people could count."""
    table.allow(("name", "keys", "kind", "repository", "environment", "hosts"), ("expires",))
    name = table.text("name", NAME)
    if name in RESERVED or ".." in name or name.endswith((".", ".lock")):
        table.fault("name", f"{name!a} cannot be the name of a ref; take another name")
    _claim(table, "name", name, f"the name '{name}'", seen)
    keys = tuple(_key(table, "keys", text, seen) for text in table.texts("keys"))
    if not keys:
        table.fault("keys", "'keys' must hold at least one public key")
    hosts = table.texts("hosts", _HOST)
    if not hosts or (EVERY_HOST in hosts and len(hosts) > 1):
        table.fault("hosts", "'hosts' must name hosts, or be ['*'] for every host of the environment")
    charge = Charge(table.text("repository", REPOSITORY_ID), table.text("environment", _ENVIRONMENT), hosts)
    return Person(name, keys, (), ActorKind.AGENT, charge=charge)


def _refuse_shared_hosts(tables: tuple[Read, ...], found: tuple[Person, ...]) -> None:
    """One host has one agent: two would undo each other's work, and nobody could tell whose word counts."""
    earlier: list[tuple[str, Charge]] = []
    for table, person in zip(tables, found, strict=True):
        if person.charge is None:
            continue
        for name, charge in earlier:
            if shared := person.charge.overlap(charge):
                hosts = " ".join(shared[:_SHOWN])
                table.fault("hosts", f"'{name}' answers for {hosts} of {charge.environment} already")
        earlier.append((person.name, person.charge))


def _key(table: Read, place: str, text: str, seen: dict[str, str]) -> PublicKey:
    try:
        key = parse_key(text) if place == "keys" else _openpgp(text)
    except EdgeError as error:
        table.fault(place, str(error))
        return PublicKey("", "")
    _claim(table, place, key.fingerprint, f"the key {key.fingerprint}", seen)
    return key


def _openpgp(text: str) -> PublicKey:
    # Few have such a key, and each push reads this file.
    from gitops_hooks.edge.openpgp_key import read_openpgp

    return read_openpgp(text).public


def _claim(table: Read, place: str, thing: str, words: str, seen: dict[str, str]) -> None:
    """One name, one key, one address belong to one person; a person's own twice is a slip too."""
    owner = str(table.values.get("name", ""))
    if thing in seen:
        table.fault(place, f"{words} belongs to '{seen[thing]}' already")
    seen.setdefault(thing, owner)
