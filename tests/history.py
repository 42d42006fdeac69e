"""A bare repository with a history of one commit, as it was before the server knew it."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path


def lay_history(repository: Path, work: Path, files: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """Commit these files on main in a folder that is made and taken away, and leave a bare clone of it."""
    for name, content in files.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    for words in (
        ("init", "-q", "-b", "main"),
        ("add", "-A"),
        ("commit", "-q", "-m", "The site so far"),
        ("clone", "-q", "--bare", str(work), str(repository)),
        ("--git-dir", str(repository), "remote", "remove", "origin"),
    ):
        subprocess.run(["git", *words], cwd=work, env=environment, check=True, capture_output=True)
    shutil.rmtree(work)
