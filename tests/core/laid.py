"""Trees as plain mappings of paths to texts, laid out as core/reach takes them; a text of None is a symlink."""

from gitops_hooks.core.play_text import Wide
from gitops_hooks.core.plays import Usage
from gitops_hooks.core.reach import SYMLINK, Laid, LaidFile, Reached, reach_of
from gitops_hooks.core.tree_names import Kind
from gitops_hooks.core.usage import read_usage
from gitops_hooks.model.policy import Environment

STAGING = Environment("staging", "refs/heads/main", "ansible", "site.yml", "inventories/staging", None, "")

Files = dict[str, str | None]


class Texts:
    """A Source of core/tree_names."""

    def __init__(self, files: Files) -> None:
        self.files = files

    def kind(self, path: str) -> Kind:
        if path in self.files:
            return Kind.ODD if self.files[path] is None else Kind.FILE
        if any(self.kind("/".join(path.split("/")[:size])) is Kind.ODD for size in range(1, path.count("/") + 1)):
            return Kind.ODD
        return Kind.FOLDER if not path or any(each.startswith(path + "/") for each in self.files) else Kind.NOTHING

    def text(self, path: str) -> bytes:
        text = self.files[path]
        if text is None:
            raise Wide("a link")
        return text.encode()

    def below(self, folder: str) -> list[tuple[str, Kind]]:
        return [(path, self.kind(path)) for path in self.files if path.startswith(folder + "/")]

    def names(self, folder: str) -> list[str]:
        start = f"{folder}/" if folder else ""
        return [path.removeprefix(start).split("/")[0] for path in self.files if path.startswith(start)]


def usage_of(files: Files, playbook: str = "site.yml") -> Usage:
    return read_usage(playbook, Texts(files))


def lay(files: Files, environment: Environment = STAGING) -> Laid:
    usage = usage_of(files, environment.playbook)
    found = tuple(
        LaidFile(path, SYMLINK if text is None else 0o100644, None if text is None else text.encode())
        for path, text in files.items()
        if path.startswith(environment.inventory + "/") or "host_vars/" in path or "group_vars/" in path
    )
    return Laid(environment.inventory not in files, found, usage=usage)


def reach(before: Files, after: Files, environment: Environment = STAGING) -> Reached:
    """What the difference of two trees touches."""
    changed = sorted(path for path in {*before, *after} if before.get(path, 0) != after.get(path, 0))
    return reach_of(environment, [lay(before, environment), lay(after, environment)], changed)
