"""Which files of the tree a task of `uri` sends: those that the fields of its form name."""

from collections.abc import Iterable, Iterator

from gitops_hooks.core.ansible_words import is_templated
from gitops_hooks.core.yaml_text import Marked

_WITHOUT_FILES = ("raw", "json", "form-urlencoded")


def posted_files(sources: Iterable[Marked]) -> Iterator[Marked]:
    """The names; a body or field that is made at run time stands for the name of any file."""
    for source in sources:
        body, told = source.get("body"), source.get("body_format")
        if body is None or told is None or told.text in _WITHOUT_FILES:
            continue
        for field in (body, *(value for _, value in body.pairs)):
            if is_templated(field.text):
                yield field
            elif name := field.get("filename"):
                yield name
