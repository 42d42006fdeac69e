"""CODEOWNERS as GitHub reads it: the last line that matches a path decides."""

from gitops_hooks.core.owners_lines import numbered_lines, pattern_fault, read_owners, single_stars, split_words
from gitops_hooks.core.receive import shown
from gitops_hooks.model.errors import Fault
from gitops_hooks.model.owners import OwnerLine, OwnersText

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")


def parse_github(path: str, text: bytes) -> OwnersText:
    """All lines, or all faults."""
    faults: list[Fault] = []
    lines = []
    for number, line in numbered_lines(text, faults):
        pattern, *owners = split_words(line)
        fault = "begins with !, which GitHub does not read" if pattern.startswith("!") else pattern_fault(pattern)
        if fault:
            faults.append(Fault(number, f"the pattern '{shown(pattern)}' {fault}"))
        lines.append(OwnerLine(number, pattern, read_owners(number, owners, faults)))
    return OwnersText(path, tuple(lines), tuple(faults))


def github_glob(pattern: str) -> str:
    """GitHub's pattern as ours: without a slash inside it holds in every folder, and a folder is all below it."""
    folder = pattern.endswith("/")
    parts = [single_stars(part) for part in pattern.strip("/").split("/")]
    anchored = pattern.startswith("/") or len(parts) > 1
    if parts[-1] == "**" and len(parts) > 1:
        parts, folder = parts[:-1], True
    # A last `*` means the files of one folder; any other name also means all below it.
    only_here = anchored and parts[-1] == "*" and not folder
    below = [] if only_here else ["*", "**"] if folder else ["**"]
    return "/".join([*([] if anchored else ["**"]), *parts, *below])
