"""A folder whose files name their own place, copied to another place."""

import os
import shutil
from pathlib import Path


def copy_folder(source: Path, target: Path) -> None:
    """Copy a tree and put the new place wherever a file of it names the old one; Git's objects stay as they are."""
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    old, new = os.fsencode(source), os.fsencode(target)
    for path in target.rglob("*"):
        if path.is_symlink() or not path.is_file() or "objects" in path.parts:
            continue
        content = path.read_bytes()
        if old in content:
            path.write_bytes(content.replace(old, new))
