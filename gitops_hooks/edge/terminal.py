"""The pusher's terminal: what a hook writes to stderr arrives there behind `remote:`."""

import os
import select
from collections.abc import Iterable


def tell(lines: Iterable[str]) -> bool:
    """Write lines at once; False when the pusher has gone, which is nobody's fault and stops nothing."""
    text = "".join(f"{line}\n" for line in lines)
    try:
        os.write(2, text.encode("utf-8", "backslashreplace"))
    except OSError:
        return False
    return True


def is_open(descriptor: int) -> bool:
    """Whether the other end of a pipe or socket is still held by somebody."""
    asked = select.poll()
    asked.register(descriptor, 0)
    return not asked.poll(0)
