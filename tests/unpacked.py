"""Where install.sh lays programs that checks ask: a folder of tools as in server.toml, nothing of it installed."""

import sys
from pathlib import Path

TOOLS = Path(sys.prefix) / "tools"
PROGRAMS = ("vtysh", "ifquery", "nft")


def missing_tools() -> list[str]:
    return [name for name in PROGRAMS if not (TOOLS / "bin" / name).exists()]
