"""Templates that a change makes another text of, host by host, where all that they ask for is known from files."""

from collections.abc import Iterator, Sequence
from posixpath import join

from gitops_hooks.plugin import WITHHELD, Environment, Inventory, Preview, Rendered, Side, Unrendered
from gitops_hooks.plugins.ansible.host_variables import HostVariables
from gitops_hooks.plugins.ansible.preview_jinja import Resolving, Unknown, names_in, render_text
from gitops_hooks.plugins.ansible.preview_names import NamesSet
from gitops_hooks.plugins.ansible.variable_values import VAULT, Unreadable, Values, read_file, read_values
from gitops_hooks.plugins.unsaid import Plain, masked_value, text_difference

_MOST = 200
_MANAGED = "Ansible managed"


class Known:
    """What files of one side tell: the variables of each host, and which names do not keep them while plays run."""

    def __init__(self, environment: Environment, side: Side, inventory: Inventory, hosts: Sequence[str]) -> None:
        told = HostVariables(environment, side, inventory)
        self.side, self.sets = side, NamesSet(side)
        self.values = {host: told.of(host) for host in hosts}
        self.groups = {host: [group for group in told.groups_of(host) if group != "all"] for host in hosts}
        self.hidden = tuple(told.hidden)
        self._of_roles: dict[str, Values] = {}

    def of_role(self, folder: str) -> Values:
        """The variables of a folder of a role, such as its defaults. Errors: Unreadable."""
        if folder not in self._of_roles:
            values: Values = {}
            for path in (join(folder, f"main{ending}") for ending in (".yml", ".yaml", "")):
                if text := read_file(self.side, path):
                    if text.startswith(VAULT):
                        raise Unreadable(f"{path} is encrypted")
                    values |= read_values(path, text)
            self._of_roles[folder] = values
        return self._of_roles[folder]


def template_differences(preview: Preview, before: Known | None, after: Known) -> Iterator[Rendered | Unrendered]:
    """Each template with every way in which it differs, and the hosts of each."""
    changed = set(preview.paths)
    paths = _templates(after.side) | (_templates(before.side) if before else {})
    for path in list(paths)[:_MOST]:
        texts = [_text(one.side, path) if one else None for one in (before, after)]
        if texts != [None, None]:
            yield from _of_one(path, texts, (before, after), path in changed)
    if len(paths) > _MOST:
        yield Unrendered(f"{len(paths) - _MOST} more templates were not looked at")


def _templates(side: Side) -> dict[str, None]:
    return {path: None for play in side.plays for path in play.texts if _is_template(path)}


def _is_template(path: str) -> bool:
    return path.endswith(".j2") or "templates" in path.split("/")[:-1]


def _text(side: Side, path: str) -> str | None:
    text = read_file(side, path) if any(path in play.texts for play in side.plays) else None
    return None if text is None else text.decode("utf-8", "replace")


def _of_one(
    path: str, texts: Sequence[str | None], sides: tuple[Known | None, Known], changed: bool
) -> Iterator[Rendered | Unrendered]:
    told: dict[tuple[bool, str], list[str]] = {}
    pairs = zip(texts, sides, strict=True)
    makings = [_Making(path, text, known) if known and text is not None else None for text, known in pairs]
    for host in sides[1].values:
        if answer := _difference(host, makings, changed):
            told.setdefault(answer, []).append(host)
    for (known, words), hosts in told.items():
        yield Rendered(path, tuple(hosts), words) if known else Unrendered(f"{path}: {words}", tuple(hosts))


def _difference(host: str, makings: Sequence["_Making | None"], changed: bool) -> tuple[bool, str] | None:
    """How the template differs on a host, or (False) why nobody knows; None where it is the same, or none of its."""
    asked = [one if one and one.concerns(host) else None for one in makings]
    if asked == [None, None]:
        return None
    try:
        masked = [one.sign(host, masked=True) if one else "" for one in asked]
        signs = [one.sign(host, masked=False) if one else "" for one in asked]
        if not changed and signs[0] == signs[1]:
            return None
        old, new = (one.made(host) if one else "" for one in asked)
    except Unknown as why:
        # One that nobody could tell before either, and of which nothing is known to change, is no news.
        return (False, str(why)) if changed or _moves(host, asked) else None
    words = text_difference(old, new)
    if not words and signs[0] != signs[1] and masked[0] == masked[1]:
        words = WITHHELD  # nothing differs but what is not told
    return (True, words) if words else None


def _moves(host: str, asked: Sequence["_Making | None"]) -> bool:
    """Whether any value that is known differs."""
    found = [one.known(host) if one else {} for one in asked]
    return found[0] != found[1]


class _Making:
    """One template on one side: for whom, and what becomes of it there. Rendered once for all that have the same."""

    def __init__(self, path: str, text: str, known: Known) -> None:
        self._path, self._text, self._known = path, text, known
        self._plays = [play for play in known.side.plays if path in play.texts]
        self._role = next((role for play in self._plays for role in play.roles if path.startswith(f"{role}/")), "")
        self._made: dict[str, str] = {}
        self._signs: dict[tuple[str, bool], str] = {}

    def concerns(self, host: str) -> bool:
        return any(play.hosts is None or host in play.hosts for play in self._plays)

    def sign(self, host: str, *, masked: bool) -> str:
        """Everything that it is made of there. Errors: Unknown."""
        if (host, masked) not in self._signs:
            try:
                values = sorted(self._values(host, masked=masked).items())
            except Unknown:
                if masked:
                    raise
                # What Jinja2 says of a value may be that value.
                raise Unknown("what it asks for cannot be made") from None
            self._signs[host, masked] = f"{self._text}\0{values!r}"
        return self._signs[host, masked]

    def made(self, host: str) -> str:
        """Its text there. Errors: Unknown."""
        sign = self.sign(host, masked=True)
        if sign not in self._made:
            self._made[sign] = render_text(self._text, self._values(host, masked=True))
        return self._made[sign]

    def known(self, host: str) -> dict[str, Plain]:
        """The values that it asks for by name, as they are written, as far as they are known."""
        try:
            names = names_in(self._text)
            values = self._stacked(host)
        except Unknown:
            return {}
        return {name: values[name] for name in names if name in values}

    def _values(self, host: str, *, masked: bool) -> dict[str, Plain]:
        stacked = self._stacked(host)
        own = join(self._role, "vars", "main") if self._role else "?"
        sets = [self._known.sets.by(path) for path in self._texts_of(host) if not path.startswith(own)]

        def look(name: str) -> Plain:
            if name not in stacked:
                raise Unknown(f"it asks for {name}")
            if name not in _FIXED:
                self._refuse_set(name, sets)
            value = stacked[name]
            return masked_value({name: value})[name] if masked else value

        return Resolving(look).all_of(names_in(self._text))

    def _refuse_set(self, name: str, sets: Sequence[tuple[frozenset[str], str]]) -> None:
        for names, why in sets:
            if why:
                raise Unknown(f"it asks for {name}, and {why}")
            if name in names:
                raise Unknown(f"it asks for {name}, which a play sets")

    def _texts_of(self, host: str) -> Iterator[str]:
        for play in self._plays:
            if play.hosts is None or host in play.hosts:
                yield from play.texts

    def _stacked(self, host: str) -> Values:
        try:
            weak = self._known.of_role(join(self._role, "defaults")) if self._role else {}
            strong = self._known.of_role(join(self._role, "vars")) if self._role else {}
        except Unreadable as why:
            raise Unknown(str(why)) from None
        return {**weak, **self._known.values[host], **strong, **self._magic(host)}

    def _magic(self, host: str) -> Values:
        groups = sorted(self._known.groups[host])
        names = {"inventory_hostname": host, "inventory_hostname_short": host.partition(".")[0], "group_names": groups}
        return names | {"ansible_managed": _MANAGED}


_FIXED = ("inventory_hostname", "inventory_hostname_short", "group_names", "ansible_managed")
