"""Jinja2 templates: whether they can be read at all. Nothing of them is run, and no filter is looked up."""

import re
from collections.abc import Iterator
from typing import Any

from gitops_hooks.plugin import Finding
from gitops_hooks.plugins.ansible.files import VAULT, extension, folders

_TEMPLATES = (".j2", ".jinja", ".jinja2")
_HEADER = re.compile(r"\A#jinja2:([^\n]*)\n")
_DELIMITERS = frozenset(
    {
        *("block_start_string", "block_end_string", "variable_start_string", "variable_end_string"),
        *("comment_start_string", "comment_end_string", "line_statement_prefix", "line_comment_prefix"),
    }
)


def is_template(path: str) -> bool:
    """By its name, or since it lies in the folder of a role that holds nothing else."""
    above = folders(path)
    role = above.index("roles") if "roles" in above else len(above)
    return extension(path) in _TEMPLATES or above[role + 2 : role + 3] == ["templates"]


def template_findings(path: str, text: bytes) -> Iterator[Finding]:
    """What Jinja2 cannot read, at its line."""
    if text.startswith(VAULT):
        return
    try:
        words = text.decode()
    except UnicodeDecodeError:
        return  # what is no text is copied, or is another tool's
    header = _HEADER.match(words)
    fault = _fault(words[header.end() :] if header else words, _delimiters(header[1] if header else ""))
    if fault:
        line, message = fault
        yield Finding(path, line + bool(header) if line else 0, f"Jinja2 cannot read this template: {message}")


def _delimiters(header: str) -> dict[str, str]:
    """Ansible's own header: `#jinja2: variable_start_string:'[%', variable_end_string:'%]'`."""
    pairs = re.findall(r"(\w+)\s*:\s*(?:'([^']*)'|\"([^\"]*)\")", header)
    return {name: one or other for name, one, other in pairs if name in _DELIMITERS and (one or other)}


def _fault(text: str, delimiters: dict[str, Any]) -> tuple[int, str] | None:
    import jinja2

    try:
        extensions = ["jinja2.ext.do", "jinja2.ext.loopcontrols"]
        jinja2.Environment(extensions=extensions, **delimiters).parse(text)  # noqa: S701  # never rendered
    except jinja2.TemplateSyntaxError as error:
        return error.lineno, (error.message or "no reason given").rstrip(".")
    except RecursionError:
        return 0, "it is nested too deeply"
    except (ValueError, AssertionError):
        return 0, "its header sets delimiters that do not go together"
    return None
