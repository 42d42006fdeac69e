"""What a playbook reads of one tree: each play with its texts, roles and named files, followed from name to name.

Where Ansible looks in a few folders for a name, all of them and some more are looked into here: a text that is read
too much can only make the reach wider.
"""

from collections.abc import Iterator
from dataclasses import field
from posixpath import dirname, join

from gitops_hooks.core.ansible_tables import PLUGIN_FOLDER, short_name
from gitops_hooks.core.ansible_words import included
from gitops_hooks.core.play_text import (
    Need,
    Needs,
    Wide,
    check_tasks,
    check_text,
    literal,
    read_documents,
    read_needs,
    role_entry,
    sections,
)
from gitops_hooks.core.plays import Play, Usage, entries, play_hosts
from gitops_hooks.core.tree_names import DEEPEST, Kind, Place, Source, candidates, inside_tree
from gitops_hooks.core.yaml_text import Marked
from gitops_hooks.model.lazy_dataclass import dataclass

_ENDINGS = (".yml", ".yaml", ".json", "")
_MOST_STEPS = 100_000


def read_usage(playbook: str, source: Source) -> Usage:
    """What a playbook reads of a tree; a `wide` one says why nobody knows."""
    reader = _Reader(source)
    try:
        reader.playbook(playbook, ())
    except Wide as wide:
        return Usage((), tuple(reader.folders), str(wide))
    told = [reader.needs, *(play.needs for play in reader.plays)]
    crossing = next((needs.crossing for needs in told if needs.crossing), "")
    return Usage(tuple(reader.plays), tuple(reader.folders), "", crossing)


@dataclass(slots=True)
class _Reader:
    source: Source
    plays: list[Play] = field(default_factory=list)
    folders: dict[str, None] = field(default_factory=dict)
    parsed: dict[str, tuple[Marked, ...]] = field(default_factory=dict)
    needs: Needs = field(default_factory=Needs)
    steps: int = 0

    def playbook(self, path: str, above: tuple[str, ...]) -> None:
        if path in above or len(above) >= DEEPEST:
            raise Wide(f"{path} imports itself")
        chain = (*above, path)
        self._enter(dirname(path))
        for document in self._documents(path):
            if document.tag != "seq":
                raise Wide(f"{path}:{document.line} is no list of plays")
            for item in document.items:
                imported = [value for key, value in item.pairs if short_name(key.text) == "import_playbook"]
                if imported:
                    self.needs.add(read_needs(path, [item]))
                    if self.needs.loose:
                        raise Wide(self.needs.loose)
                    self._imported(path, imported[0], chain)
                else:
                    self._play(path, item, chain)

    def _enter(self, folder: str) -> None:
        """A folder of playbooks, whose plugins would be loaded."""
        if folder not in self.folders:
            self.folders[folder] = None
            if odd := next((name for name in self.source.names(folder) if PLUGIN_FOLDER.fullmatch(name)), None):
                raise Wide(f"{join(folder, odd)}/ holds plugins or modules")

    def _imported(self, path: str, value: Marked, chain: tuple[str, ...]) -> None:
        name = literal(path, value, "a playbook")
        found = inside_tree(dirname(path), name)
        if found is None or self.source.kind(found) is not Kind.FILE or " " in name:
            raise Wide(f"{path}:{value.line} imports {name[:60]}, which is not found")
        self.playbook(found, chain)

    def _play(self, path: str, item: Marked, chain: tuple[str, ...]) -> None:
        play = Play(path, item.line, play_hosts(path, item))
        for book in chain:
            play.texts[book] = book
        self.plays.append(play)
        place = Place(tuple(dict.fromkeys((*map(dirname, chain), ""))))
        play.needs.add(needs := read_needs(path, [item]))
        for section in sections(item):
            check_tasks(path, section)
        for entry in entries(item.get("vars_files")):
            for choice in entry.items or (entry,):
                self._variables(play, Need("vars", literal(path, choice, "variables"), choice.line), path, place)
        for role in entries(item.get("roles")):
            self._role(play, role_entry(path, role), path, place)
        self._follow(play, needs, path, place)

    def _follow(self, play: Play, needs: Needs, path: str, place: Place) -> None:
        for need in needs.found:
            match need.kind:
                case "role":
                    self._role(play, need, path, place)
                case "tasks":
                    self._tasks(play, need, path, place)
                case "vars":
                    self._variables(play, need, path, place)
                case "template":
                    self._template(play, need, path, place)
                case _:
                    self._file(play, need, path, place)

    def _found(self, play: Play, need: Need, path: str, place: Place) -> list[str]:
        """Every path that a name can mean; each is noted as one that the play may read."""
        tried = candidates(place, need.name)
        if "." in tried:
            play.needs.loose = play.needs.loose or f"{path}:{need.line} names the whole tree"
        for each in tried:
            play.named.setdefault(each, path)
        found = [each for each in tried if self._step(each) is not Kind.NOTHING]
        if not found and need.kind != "file":
            raise Wide(f"{path}:{need.line} names {need.name[:60]}, which is not found")
        return found

    def _step(self, path: str) -> Kind:
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise Wide("it names more files than are looked for")
        kind = self.source.kind(path)
        if kind is Kind.ODD:
            raise Wide(f"{path} is a link, or lies behind one")
        return kind

    def _file(self, play: Play, need: Need, path: str, place: Place) -> None:
        if need.name.startswith(("/", "~")) or not need.name.strip("./"):
            play.needs.loose = play.needs.loose or f"{path}:{need.line} names {need.name[:60]}"
            return
        for found in self._found(play, need, path, place):
            if self._step(found) is Kind.FOLDER:
                self._links(found)

    def _links(self, folder: str) -> None:
        for path, kind in self.source.below(folder):
            if kind is Kind.ODD:
                raise Wide(f"{path} is a link, or lies behind one")

    def _tasks(self, play: Play, need: Need, path: str, place: Place) -> None:
        for found in self._found(play, need, path, place):
            inside = place.inside(dirname(found), step=dirname(need.name))
            play.texts.setdefault(found, path)
            if self._step(found) is Kind.FILE and play.is_new(found, inside.bases, inside.steps):
                self._task_list(play, found, inside)

    def _task_list(self, play: Play, path: str, place: Place) -> None:
        for document in self._documents(path):
            check_tasks(path, document)
            play.needs.add(needs := read_needs(path, [document]))
            self._follow(play, needs, path, place)

    def _variables(self, play: Play, need: Need, path: str, place: Place) -> None:
        for found in self._found(play, need, path, place):
            if self._step(found) is Kind.FOLDER:
                raise Wide(f"{path}:{need.line} reads a folder of variables")
            self._variable_text(play, found, path)

    def _variable_text(self, play: Play, path: str, by: str) -> None:
        play.texts.setdefault(path, by)
        play.needs.add(read_needs(path, self._documents(path), evaluated=True, structural=False))

    def _template(self, play: Play, need: Need, path: str, place: Place) -> None:
        for found in self._found(play, need, path, place):
            if self._step(found) is Kind.FOLDER:
                continue
            inside = place.inside(dirname(found))
            play.texts.setdefault(found, path)
            if play.is_new(found, inside.bases, inside.steps):
                self._template_text(play, found, inside)

    def _template_text(self, play: Play, path: str, place: Place) -> None:
        raw = self.source.text(path)
        if raw.startswith(b"$ANSIBLE_VAULT"):
            raise Wide(f"{path} is encrypted")
        text = raw.decode("utf-8", "surrogateescape")
        names = included(text)
        if names is None or "#jinja2:" in text:
            raise Wide(f"{path} includes a template that is not plainly named, or has marks of its own")
        check_text(path, text, False, play.needs)
        for name in names:
            self._template(play, Need("template", name, 1), path, place)

    def _role(self, play: Play, need: Need, path: str, place: Place) -> None:
        if need.name.startswith(("/", "~")) or (need.name.count(".") >= 2 and "/" not in need.name):
            raise Wide(f"{path}:{need.line} takes the role {need.name[:60]} from outside")
        starts = [join(base, "roles") for base in place.bases] + [*place.bases, *map(dirname, place.bases)]
        places = dict.fromkeys(found for start in starts if (found := inside_tree(start, need.name)))
        if "." in places:
            raise Wide(f"{path}:{need.line} takes the whole tree for a role")
        folders = [each for each in places if self._step(each) is Kind.FOLDER]
        if not folders:
            raise Wide(f"{path}:{need.line} names the role {need.name[:60]}, which is not found")
        for folder in folders:
            self._role_folder(play, folder, need, path, place)

    def _role_folder(self, play: Play, folder: str, need: Need, by: str, place: Place) -> None:
        if not play.is_new(folder, need.parts, place.bases, place.steps):
            return
        if folder not in play.roles:
            self._whole_role(folder)
        play.roles.setdefault(folder, by)
        chosen = dict(need.parts)
        for part in ("defaults", "vars"):
            self._role_variables(play, join(folder, part), ("main", chosen.get(part, "main")), by)
        self._role_variables(play, join(folder, "meta"), ("argument_specs",), by)
        inside = place.inside(folder, join(folder, "tasks"), join(folder, "handlers"))
        for part in ("tasks", "handlers"):
            for name in dict.fromkeys(("main", chosen.get(part, "main"))):
                for found in self._main(join(folder, part), name):
                    play.texts.setdefault(found, by)
                    self._task_list(play, found, inside)
        for found in self._main(join(folder, "meta"), "main"):
            self._meta(play, found, inside)

    def _role_variables(self, play: Play, folder: str, names: tuple[str, ...], by: str) -> None:
        for name in dict.fromkeys(names):
            for found in self._main(folder, name, folders=True):
                self._variable_text(play, found, by)

    def _whole_role(self, folder: str) -> None:
        self._links(folder)
        if odd := next((name for name in self.source.names(folder) if PLUGIN_FOLDER.fullmatch(name)), None):
            raise Wide(f"{join(folder, odd)}/ holds plugins or modules")

    def _main(self, folder: str, name: str, folders: bool = False) -> Iterator[str]:
        for ending in _ENDINGS:
            path = inside_tree(folder, name + ending)
            kind = self._step(path) if path else Kind.NOTHING
            if kind is Kind.FILE and path:
                yield path
            elif kind is Kind.FOLDER and path and folders:
                for found, below in self.source.below(path):
                    if below is Kind.FILE:
                        yield found

    def _meta(self, play: Play, path: str, place: Place) -> None:
        play.texts.setdefault(path, path)
        for document in self._documents(path):
            play.needs.add(needs := read_needs(path, [document]))
            self._follow(play, needs, path, place)
            for entry in entries(document.get("dependencies")):
                self._role(play, role_entry(path, entry), path, place)

    def _documents(self, path: str) -> tuple[Marked, ...]:
        if path not in self.parsed:
            if self._step(path) is not Kind.FILE:
                raise Wide(f"{path} is no file")
            self.parsed[path] = read_documents(path, self.source.text(path))
        return self.parsed[path]
