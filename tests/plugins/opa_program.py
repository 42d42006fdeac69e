"""`opa` as a program: OPA's own engine behind those words of its command line that the check rego says, and no others.

What stands for the command line itself: `version`, `eval` with its JSON (result, expressions, value; errors with
message, code and location) and its exit codes. Columns are none, since the engine tells none. The engine is always
strict about what functions cannot take, so the word for that must be there.
"""

import sys
from pathlib import Path

from tests.unpacked import OPA

_SCRIPT = """\
#!{python} -I
import argparse
import json
import re
import sys

sys.path.insert(0, {library!r})
from opa_bindings import OpaEngine, OpaError

_PLACED = re.compile(r"(?P<file>[^:\\s]+):(?P<row>[0-9]+): (?P<code>[a-z_]+): (?P<message>.*)")


def parse_words():
    words = argparse.ArgumentParser(prog="opa", allow_abbrev=False)
    commands = words.add_subparsers(dest="command", required=True)
    commands.add_parser("version")
    command = commands.add_parser("eval", allow_abbrev=False)
    command.add_argument("--format", choices=["json"], required=True)
    command.add_argument("--strict-builtin-errors", action="store_true", required=True)
    command.add_argument("--data", action="append", default=[])
    command.add_argument("--input")
    command.add_argument("query")
    return words.parse_args()


def evaluate(asked):
    with OpaEngine() as engine:
        for path in asked.data:
            with open(path, encoding="utf-8") as file:
                if path.endswith(".rego"):
                    engine.add_policy(path, file.read())
                else:
                    engine.add_data(json.load(file))
        given = None
        if asked.input:
            with open(asked.input, encoding="utf-8") as file:
                given = json.load(file)
        found = engine.eval_query("answer := " + asked.query, given)
    place = {{"row": 1, "col": 1}}
    return [
        {{"expressions": [{{"value": each["answer"], "text": asked.query, "location": place}}]}} for each in found
    ]


def errors_of(error):
    lines = error.message.split("\\n")
    placed = [match for match in map(_PLACED.search, lines) if match]
    return [
        {{
            "message": match["message"],
            "code": match["code"],
            "location": {{"file": match["file"], "row": int(match["row"]), "col": 0}},
        }}
        for match in placed
    ] or [{{"message": error.message, "code": error.code}}]


asked = parse_words()
if asked.command == "version":
    print("Version: 1.20.2")
    sys.exit(0)
try:
    found = evaluate(asked)
except OpaError as error:
    print(json.dumps({{"errors": errors_of(error)}}))
    sys.exit(2)
print(json.dumps({{"result": found}} if found else {{}}))
"""


def make_program(folder: Path, text: str = _SCRIPT.format(python=sys.executable, library=str(OPA))) -> Path:
    """A folder of tools with the program in it."""
    script = folder / "opa"
    script.write_text(text)
    script.chmod(0o755)
    # Root's tools are nobody, who would find nothing here and go on to whatever is installed.
    folder.chmod(0o755)
    return folder
