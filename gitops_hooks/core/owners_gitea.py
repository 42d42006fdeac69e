"""CODEOWNERS as Gitea reads it: regular expressions over the whole path; every line that matches asks its owners."""

from gitops_hooks.core.expressions import expression_faults
from gitops_hooks.core.owners_lines import numbered_lines, read_owners, split_words
from gitops_hooks.core.receive import shown
from gitops_hooks.model.errors import Fault
from gitops_hooks.model.owners import OwnerLine, OwnersText

PLACES = ("CODEOWNERS", "docs/CODEOWNERS", ".gitea/CODEOWNERS")


def parse_gitea(path: str, text: bytes) -> OwnersText:
    """All lines, or all faults."""
    faults: list[Fault] = []
    lines = []
    for number, line in numbered_lines(text, faults):
        word, *owners = split_words(line)
        pattern = word.removeprefix("!")
        lines.append(OwnerLine(number, pattern, read_owners(number, owners, faults), negated=word != pattern))
    for one, said in zip(lines, expression_faults([line.pattern for line in lines]), strict=True):
        faults += [Fault(one.line, f"the expression '{shown(one.pattern)}' {said}")] if said else []
    return OwnersText(path, tuple(lines), tuple(sorted(faults, key=lambda fault: fault.line)))
