"""Structured text with lines: what YAML, and later TOML and JSON, become before anything is made of them."""

from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """One node: `tag` is `map seq str int float bool null timestamp merge …` or the text's own `!tag`.

    `text` is a scalar's characters; `pairs` a mapping's entries; `items` a sequence's. `plain` says that a
    scalar was written without quotes.
    """

    line: int
    tag: str
    text: str = ""
    plain: bool = False
    pairs: tuple[tuple["Marked", "Marked"], ...] = ()
    items: tuple["Marked", ...] = ()

    def get(self, key: str) -> "Marked | None":
        return next((value for name, value in self.pairs if name.text == key and not name.items), None)

    def keys(self) -> tuple[str, ...]:
        return tuple(name.text for name, _ in self.pairs)
