"""The pusher's terminal: what a hook writes to stderr arrives there behind `remote:`."""

import os
from collections.abc import Iterable


def tell(lines: Iterable[str]) -> bool:
    """Write lines at once; False when the pusher has gone, which is nobody's fault and stops nothing."""
    text = "".join(f"{line}\n" for line in lines)
    try:
        os.write(2, text.encode("utf-8", "backslashreplace"))
    except OSError:
        return False
    return True
