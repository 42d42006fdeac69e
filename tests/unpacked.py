"""Where install.sh lays what the tests ask and nobody has to install: TOOLS is a folder as in server.toml."""

import sys
from pathlib import Path

TOOLS = Path(sys.prefix) / "tools"
OPA = Path(sys.prefix) / "opa"
_PLACES = (*(TOOLS / "bin" / name for name in ("vtysh", "ifquery", "nft")), OPA / "opa_bindings")


def missing_tools() -> list[str]:
    return [place.name for place in _PLACES if not place.exists()]
