"""Two networks with one cable between them: a server's and a host's, each a namespace that nothing else is in."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.enclosed import open_inside
from tests.world import World

SERVER, HOST = "10.77.0.1", "10.77.0.2"
_CABLE = Path(__file__).with_name("cable.py")
_SECONDS = 30.0


@dataclass(slots=True)
class Network:
    """A namespace that lives as long as its holder; an open resource."""

    holder: "subprocess.Popen[str]"
    pid: int

    @classmethod
    def open(cls) -> "Network":
        # It lives until its standard input ends, also where whoever runs the tests is killed.
        command = ["unshare", "--net", "sh", "-c", "echo $$; exec cat >/dev/null"]
        holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/")
        return cls(holder, int(holder.stdout.readline() if holder.stdout else ""))

    def inside(self, words: Sequence[str]) -> list[str]:
        """The command that runs these words there."""
        return ["nsenter", f"--target={self.pid}", "--net", "--", *words]

    def lay(self, *words: str) -> None:
        subprocess.run(self.inside([sys.executable, str(_CABLE), *words]), check=True, timeout=_SECONDS)

    def close(self) -> None:
        self.holder.communicate(timeout=10)


def connect(server: Network, host: Network) -> None:
    """Lay the cable."""
    server.lay("pair", str(host.pid))
    for network, address in ((server, SERVER), (host, HOST)):
        network.lay("address", "cable", address)
        network.lay("up", "lo")
        network.lay("up", "cable")


@dataclass(slots=True)
class NetworkedWorld(World):
    """A world whose server stands in a network of its own; people and administrator type there too."""

    network: Network | None = None
    far: Network | None = None

    def open(self, port: int = 0) -> None:
        self.network, self.far = Network.open(), Network.open()
        connect(self.network, self.far)
        open_inside(self, f"ListenAddress {SERVER}:22")

    def on_server(self, words: Sequence[str]) -> list[str]:
        return self.network.inside(words) if self.network else list(words)

    def cut(self) -> None:
        """Pull the plug at the server's end: the host is told nothing."""
        assert self.network
        self.network.lay("down", "cable")

    def mend(self) -> None:
        assert self.network
        self.network.lay("up", "cable")

    def close_server(self) -> None:
        World.close_server(self)  # slots make a second class of this one, which super() does not know
        for network in (self.network, self.far):
            if network:
                network.close()
