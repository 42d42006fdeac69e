"""Terraform where there is none: a program of its name that gives back what Terraform 1.11 said to the same question.

No package index has the program, so its answers are kept in recorded_terraform.json. Where the machine has Terraform
the tests ask it as well, so that a recording that no longer holds is noticed.
`python -m tests.plugins.recorded_terraform` records anew the answers to every question of test_terraform_check.py.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

RECORD = Path(__file__).with_suffix(".json")
_FORM = ["fmt", "-check", "-diff", "-write=false", "-no-color", "--"]
_BEGIN = ["init", "-backend=false", "-input=false", "-no-color"]
_VALIDATE = ["validate", "-json", "-no-color"]
_ENVIRONMENT = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_REGISTRY_DISCOVERY_RETRY": "0"}


def make_program(folder: Path) -> Path:
    """A folder of tools with the program in it."""
    script = folder / "terraform"
    script.write_text(f"#!{sys.executable} -I\n{Path(__file__).read_text()}")
    script.chmod(0o755)
    shutil.copy(RECORD, folder / RECORD.name)
    return folder


def key(words: Sequence[str], folder: Path) -> str:
    """The question: what was asked, and every file that it is about."""
    made = hashlib.sha256(json.dumps(list(words)).encode())
    asked = [folder / word for word in words[words.index("--") + 1 :]] if "--" in words else folder.rglob("*.tf*")
    for path in sorted(path for path in asked if ".terraform" not in path.parts and path.is_file()):
        made.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return made.hexdigest()[:16]


def answer() -> int:
    if sys.argv[1:] == ["version"]:
        print("Terraform v1.11.4")
        return 0
    known = json.loads((Path(sys.argv[0]).parent / "recorded_terraform.json").read_text())
    found = known.get(key(sys.argv[1:], Path.cwd()), {"status": 70, "stdout": "", "stderr": "nothing recorded\n"})
    sys.stdout.write(found["stdout"])
    sys.stderr.write(found["stderr"])
    return int(found["status"])


def record(cases: Sequence[dict[str, str]]) -> dict[str, dict[str, object]]:
    known: dict[str, dict[str, object]] = {}
    for files in cases:
        with tempfile.TemporaryDirectory() as made:
            tree = Path(made)
            for name, text in files.items():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                (tree / name).write_text(text)
            paths = sorted(name for name in files if name.endswith((".tf", ".tfvars")))
            while paths:
                told = _ask(known, [*_FORM, *paths], tree)
                faulty = [path for path in paths if f"on {path} line" in told]
                paths = [path for path in paths if path not in faulty] if faulty else []
            for module in sorted({(tree / name).parent for name in files if name.endswith(".tf")}):
                _ask(known, _BEGIN, module)
                _ask(known, _VALIDATE, module)
    return known


def _ask(known: dict[str, dict[str, object]], words: list[str], folder: Path) -> str:
    asked = key(words, folder)
    alone = ["unshare", "--net", *([] if _is_root() else ["--map-root-user"])]
    done = subprocess.run(
        [*alone, "terraform", *words],
        cwd=folder,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), **_ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
    )
    known[asked] = {"status": done.returncode, "stdout": done.stdout, "stderr": done.stderr}
    return done.stderr


def _is_root() -> bool:
    return subprocess.run(["id", "-u"], capture_output=True, check=True).stdout.strip() == b"0"


def main() -> None:
    from tests.plugins.test_terraform_check import CASES

    RECORD.write_text(json.dumps(record(CASES), indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    if Path(sys.argv[0]).name == "terraform":
        sys.exit(answer())
    main()
