"""What one value says of a network: an address, a prefix, a VLAN, or words that are none of these."""

import ipaddress
import re
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network

_FOUR = re.compile(r"[0-9]+(?:\.[0-9]+){3,}(?:/[0-9]+)?")
_SIX = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(?:%[0-9A-Za-z]+)?(?:/[0-9]+)?")
_HARDWARE = re.compile(r"(?:[0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}|(?:[0-9a-fA-F]{2}:){7}[0-9a-fA-F]{2}")
_TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}")
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Said:
    """Something that a file says: of which kind, in which words, of whom and where.

    `kind` is `address`, `subnet`, `next hop` or `vlan`. `claims` says that it is its owner's alone; `scope` keeps
    apart what different VRFs hold; `within` are the texts of the subnets in whose entry it stands; `mask` is a
    netmask beside an address.
    """

    kind: str
    text: str
    owner: str
    path: str
    line: int
    claims: bool = False
    scope: str = ""
    within: tuple[str, ...] = ()
    mask: str = ""

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"


def looks_numeric(text: str) -> bool:
    """Whether it is meant as an address or a prefix; names, templates, ranges and hardware addresses are not."""
    if len(text) > _LONGEST or _HARDWARE.fullmatch(text) or _TIME.fullmatch(text):
        return False
    return bool(_FOUR.fullmatch(text) or _SIX.fullmatch(text))


def read_address(text: str) -> Address | str:
    """The address, without its length; in words, why there is none."""
    bare, slash, length = text.partition("/")
    found: Address
    try:
        # The general constructor would not say what is wrong.
        found = ipaddress.IPv6Address(bare.partition("%")[0]) if ":" in bare else ipaddress.IPv4Address(bare)
    except ValueError as error:
        return _why(str(error))
    if slash and int(length) > found.max_prefixlen:
        return f"a length is at most {found.max_prefixlen}"
    return found


def read_subnet(text: str) -> Prefix | str:
    """The prefix of an address with its length or mask, whatever its host bits; in words, why there is none."""
    address = read_address(text.partition("/")[0]) if "." in text.partition("/")[2] else read_address(text)
    if isinstance(address, str):
        return address
    try:
        return ipaddress.ip_network(text.partition("%")[0], strict=False)
    except ValueError:
        return "its length cannot be read"


def has_host_bits(text: str, prefix: Prefix) -> bool:
    return ipaddress.ip_address(text.partition("/")[0]) != prefix.network_address


def _why(words: str) -> str:
    if "> 255" in words:
        return "each part is at most 255"
    if "Leading zeros" in words:
        return "a leading zero is read as eights by some"
    if "Expected 4 octets" in words:
        return "there are four parts"
    return "it cannot be read"
