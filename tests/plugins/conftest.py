"""An environment in which somebody writes a plugin: the suite is installed there, and the plugin in no other."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.world import ROOT

_SCRIPTS = {"pip": "pip", "pytest": "pytest -p no:cacheprovider", "gitops-hooks": "gitops_hooks.entry.cli"}


@dataclass(frozen=True, slots=True)
class Desk:
    """A virtual environment of an author's own, and the folder that they work in."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    @property
    def environment(self) -> dict[str, str]:
        """Its shell: packages come from this machine alone, and setuptools is there already."""
        offline = {"PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        path = f"{self.python.parent}:{os.environ['PATH']}"
        return {**os.environ, **offline, "PATH": path, "HOME": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(self, *words: str, where: str = ".", seconds: float = 240.0) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=self.folder / where,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
        )


@pytest.fixture(scope="module")
def author() -> Iterator[Desk]:
    """Its packages are those of this environment: another hundred megabytes would say no more."""
    desk = Desk(Path(tempfile.mkdtemp(prefix="author-")))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(desk.folder / "venv")], check=True, timeout=120)
    (site,) = desk.folder.glob("venv/lib/python3*/site-packages")
    (packages,) = {Path(path) for path in sys.path if path.endswith("site-packages")}
    lines = (f"import site; site.addsitedir({str(packages)!r})", str(ROOT))
    (site / "suite.pth").write_text("".join(f"{line}\n" for line in lines))
    for name, module in _SCRIPTS.items():
        script = desk.python.parent / name
        script.write_text(f'#!/bin/sh\nexec {desk.python} -m {module} "$@"\n')
        script.chmod(0o755)
    yield desk
    shutil.rmtree(desk.folder)
