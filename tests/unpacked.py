"""Where install.sh lays what the tests ask and nobody has to install: TOOLS is a folder as in server.toml."""

import sys
from pathlib import Path

TOOLS = Path(sys.prefix) / "tools"
OPA = Path(sys.prefix) / "opa"
KUBECTL = Path(sys.prefix) / "kubectl" / "bin"
_PLACES = (*(TOOLS / "bin" / name for name in ("vtysh", "ifquery", "nft")), OPA / "opa_bindings", KUBECTL / "kubectl")


def missing_tools() -> list[str]:
    return [place.name for place in _PLACES if not place.exists()]
