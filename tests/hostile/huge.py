"""A pack with one blob of very many zeros, written by hand: git would take a minute to make it."""

import hashlib
import struct
import zlib
from pathlib import Path

_CHUNK = 1024 * 1024
SIZE = 1500 * _CHUNK
_NAME = bytes.fromhex("2a189ab2aa0a3c38ba9f60dcfda6c1e13f87cf6f")
_BLOB = 3


def lay_huge_blob(objects: Path) -> str:
    """Put a blob of SIZE zeros into the objects of a repository; answers its id, which git counts out on the server."""
    entry = _head(SIZE) + _zeros(SIZE)
    pack = b"PACK" + struct.pack(">LL", 2, 1) + entry
    pack += hashlib.sha1(pack).digest()
    fanout = struct.pack(">256L", *(int(first >= _NAME[0]) for first in range(256)))
    index = b"\xfftOc" + struct.pack(">L", 2) + fanout + _NAME + struct.pack(">LL", zlib.crc32(entry), 12)
    index += pack[-20:]
    index += hashlib.sha1(index).digest()
    place = objects / "pack" / f"pack-{pack[-20:].hex()}"
    place.with_suffix(".pack").write_bytes(pack)
    place.with_suffix(".idx").write_bytes(index)
    return _NAME.hex()


def _head(size: int) -> bytes:
    """Kind and size of an object of a pack: four bits, then seven each, the lowest first."""
    first, left = (_BLOB << 4) | (size & 15), size >> 4
    numbers = [first]
    while left:
        numbers[-1] |= 0x80
        numbers.append(left & 0x7F)
        left >>= 7
    return bytes(numbers)


def _zeros(size: int) -> bytes:
    """A stream of zlib: one part, flushed so that it stands alone, as often as it takes."""
    packer = zlib.compressobj(9)
    start = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    part = packer.compress(bytes(_CHUNK)) + packer.flush(zlib.Z_FULL_FLUSH)
    head, part = (start, part) if start else (part[:2], part[2:])
    # Of zeros the sum of Adler-32 stays 1, and the sum of these sums counts the bytes.
    return head + part * (size // _CHUNK) + b"\x03\0" + struct.pack(">L", (size % 65521) << 16 | 1)
