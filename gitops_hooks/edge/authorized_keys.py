"""Our block of sshd's authorized_keys: one line a key, each with its forced command; other lines stay."""

import shlex
from pathlib import Path

from gitops_hooks.edge.home import Home
from gitops_hooks.edge.launchers import shell_launcher
from gitops_hooks.edge.store import make_folder, replace_file
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.people import People, Person, PublicKey

BEGIN = "# gitops-hooks begin"
END = "# gitops-hooks end"


def write_block(home: Home, path: Path, people: People) -> None:
    """Replace our block whole, or append it. Errors: OSError; EdgeError where the block's own marks are damaged."""
    before = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    head, tail = _around(before, path)
    text = "".join(f"{line}\n" for line in (*head, BEGIN, *expected_lines(home, people), END, *tail))
    if not path.parent.exists():
        make_folder(path.parent)
    if text != before or path.stat().st_mode & 0o777 != 0o600:
        replace_file(path, text.encode("utf-8", "surrogateescape"))


def read_block(path: Path) -> tuple[str, ...]:
    """The lines of our block as they stand; empty where there is none. Errors: OSError, EdgeError as above."""
    lines = path.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    if BEGIN not in lines:
        return ()
    _around("\n".join(lines), path)
    return tuple(lines[lines.index(BEGIN) + 1 : lines.index(END)])


def expected_lines(home: Home, people: People) -> tuple[str, ...]:
    """What our block must hold."""
    return tuple(_line(home, person, key) for person in (*people.everybody, *people.agents) for key in person.keys)


def _line(home: Home, person: Person, key: PublicKey) -> str:
    words = [str(shell_launcher(home)), "--user", person.name, "--key", key.fingerprint]
    command = shlex.join(words)
    if not command.isprintable():
        raise EdgeError("authorized_keys", "the home folder's path has control characters; choose another folder")
    # sshd takes \" for a quote inside the option and every other backslash as it stands.
    quoted = command.replace('"', '\\"')
    return f'command="{quoted}",restrict {key.text} {person.name}'


def _around(text: str, path: Path) -> tuple[list[str], list[str]]:
    lines = text.removesuffix("\n").split("\n") if text else []
    if BEGIN not in lines and END not in lines:
        return lines, []
    if lines.count(BEGIN) != 1 or lines.count(END) != 1 or lines.index(END) < lines.index(BEGIN):
        raise EdgeError(
            path.name, f"the lines '{BEGIN}' and '{END}' must stand once each, in this order; mend the file"
        )
    return lines[: lines.index(BEGIN)], lines[lines.index(END) + 1 :]
