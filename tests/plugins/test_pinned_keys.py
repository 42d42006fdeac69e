"""What known_hosts pins for one host is what Paramiko itself finds there, whatever else the file says."""

import subprocess
from pathlib import Path

import pytest
from paramiko import HostKeys

from gitops_hooks.plugins.ansible.pinned_keys import pinned_keys

NAMES = ("web1", "web2", "[web1]:2222", "[10.0.0.1]:22", "10.0.0.1", "db", "nobody", "old", "*.example.com", "broken")


def key(folder: Path, kind: str = "ed25519") -> str:
    """A new one in known_hosts' words."""
    number = len(list(folder.glob("*.pub")))
    path = folder / f"key{number}"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", path], check=True, stdin=subprocess.DEVNULL)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def found(path: Path, name: str) -> list[tuple[str, bytes]]:
    return [(one.get_name(), one.asbytes()) for one in pinned_keys(path, name)]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    lines = (
        "# a comment",
        "",
        f"web1 {key(folder)}",
        f"web1 {key(folder, 'ecdsa')} with a comment",
        f"web1 {key(folder)}",
        f"web2,10.0.0.1 {key(folder)}",
        f"  [web1]:2222\t{key(folder)}  ",
        f"@revoked old {key(folder)}",
        f"*.example.com {key(folder)}",
        "broken ssh-ed25519 !!!",
        "broken ssh-ed25519 AAAA",
        "broken ssh-nothing AAAA",
        "broken",
        f"db\u00e9,db {key(folder)}",
        "|1|not|base64 ssh-ed25519 AAAA",
        "|1| ssh-ed25519 AAAA",
    )
    path = folder / "known_hosts"
    path.write_text("\n".join(lines))
    return path


def paramiko(path: Path, name: str) -> list[tuple[str, bytes]]:
    there = HostKeys(str(path)).lookup(name)
    first = {one: there[one].asbytes() for one in there} if there else {}
    return list(first.items())


def test_each_name_has_the_keys_that_paramiko_finds(known: Path) -> None:
    told = known.with_name("readable")
    # A line that it does not understand ends what paramiko reads.
    understood = [line for line in known.read_text().splitlines() if not line.startswith(("@", "broken", "|1|"))]
    told.write_text("\n".join(understood))

    assert {name: found(known, name) for name in NAMES} == {name: paramiko(told, name) for name in NAMES}
    assert [kind for kind, _ in found(known, "web1")] == ["ssh-ed25519", "ecdsa-sha2-nistp256"]
    assert found(known, "web2") == found(known, "10.0.0.1") != []
    assert found(known, "nobody") == found(known, "old") == found(known, "broken") == []


def test_hashed_names_are_found_too(known: Path) -> None:
    hashed = known.with_name("hashed")
    hashed.write_text("".join(f"{line}\n" for line in known.read_text().splitlines() if line.startswith("web")))
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", hashed], check=True, capture_output=True)
    assert "web" not in hashed.read_text()

    assert found(hashed, "web1") == found(known, "web1") != []
    assert found(hashed, "web2") == found(known, "web2") != []
    assert found(hashed, "nobody") == []
