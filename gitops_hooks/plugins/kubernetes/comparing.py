"""What kubectl diff asks to compare two folders, started as a program of its own: one line of JSON for each object.

Left out is what a cluster counts and stamps by itself, which is another thing each time that it is asked.
"""

import difflib
import json
import sys
from pathlib import Path

_STAMPED = ("  uid:", "  creationTimestamp:", "  resourceVersion:", "  generation:")
_SAME, _DIFFERENT = 0, 1


def compare(live: Path, merged: Path) -> int:
    """Ends as `diff` does."""
    status = _SAME
    for name in sorted({path.name for folder in (live, merged) for path in folder.iterdir()}):
        before, after = _lines(live / name), _lines(merged / name)
        if before != after:
            status = _DIFFERENT
            text = "\n".join(difflib.unified_diff(before, after, "cluster", "deployed", lineterm=""))
            print(json.dumps({"name": name, "new": not before, "text": text}))
    return status


def _lines(path: Path) -> list[str]:
    text = path.read_text(errors="replace") if path.exists() else ""
    kept, inside = [], False
    # A Secret that is not there is masked all the same.
    for line in text.split("\n") if text.strip() != "null" else ():
        inside = line.startswith("metadata:") or (inside and line.startswith(" "))
        if line and not (inside and line.startswith(_STAMPED)):
            kept.append(line)
    return kept


if __name__ == "__main__":
    sys.exit(compare(Path(sys.argv[1]), Path(sys.argv[2])))
