"""The server's key signs, and is in no memory that something confined is forked from."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from gitops_hooks.edge import signer
from gitops_hooks.edge.keys import make_key
from gitops_hooks.edge.signer import have_attendant, load_signer
from gitops_hooks.model.errors import EdgeError
from tests.push.warm_desk import PLUGIN, WarmDesk, warm_desk
from tests.world import ROOT, Template

# What is looked for is held backwards, so that nothing of the look is found.
HOLDS = """
def holds(backwards):
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
        for line in maps:
            begin, end = (int(number, 16) for number in line.split()[0].split("-"))
            if " rw" in line:
                memory.seek(begin)
                part = memory.read(end - begin)[::-1]
                if any(part.find(bytes.fromhex(each)) >= 0 for each in backwards.split(",")):
                    return True
    return False
"""
SCRIPT = f"""
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from gitops_hooks.edge.sandbox import SandboxLimits, run_confined
from gitops_hooks.edge.signer import have_attendant, load_signer
{HOLDS}
if sys.argv[4] == "attended":
    have_attendant(Path(sys.argv[2]))
load_signer(Path(sys.argv[2]), in_place=sys.argv[4] != "apart").sign(b"text")
print(holds(sys.argv[3]))
print(run_confined(lambda: b"ran", readable=()))
"""
SPY = PLUGIN.replace("    mood =", "    print(holds('KEY'), file=(home / 'held').open('a'))\n    mood =")


def backwards(key: Path) -> str:
    """The key's number, and a line of its file that holds a part of it."""
    found = load_ssh_private_key(key.read_bytes(), password=None)
    assert isinstance(found, Ed25519PrivateKey)
    return f"{found.private_bytes_raw()[::-1].hex()},{key.read_bytes().splitlines()[4][::-1].hex()}"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    make_key(tmp_path / "key", "server")
    return tmp_path / "key"


@pytest.fixture
def warm(site: Template) -> Iterator[WarmDesk]:
    with warm_desk(site) as warm:
        yield warm


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("apart", ["False", "Confined(output=b'ran', failure='')"]),
        ("attended", ["False", "Confined(output=b'ran', failure='')"]),
        (
            "in place",
            [
                "True",
                "Confined(output=b'', failure='nothing is confined here: this program holds the server's signing key')",
            ],
        ),
    ],
)
def test_the_key_is_in_another_memory_or_nothing_is_confined(key: Path, where: str, told: list[str]) -> None:
    words = [sys.executable, "-c", SCRIPT, str(ROOT), str(key), backwards(key), where]
    said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    assert [line.replace('"', "'") for line in said] == told


@pytest.mark.parametrize("seconds", ["0", "600"])
def test_who_judges_before_the_lock_never_held_it(warm: WarmDesk, seconds: str) -> None:
    server = warm.world.home.server_file
    server.write_text(server.read_text().replace("[limits]\n", f"[limits]\nwarm_seconds = {seconds}\n", 1))
    warm.write_plugin("1", HOLDS + SPY.replace("KEY", backwards(warm.world.home.signing_key)))
    assert warm.propose("first")[0] == 0
    if seconds != "0":
        warm.warm_up()
    assert set((warm.world.home.path / "held").read_text().split()) == {"False"}


@pytest.mark.parametrize("where", ["in place", "attended"])
def test_all_ways_make_the_same_signature(key: Path, where: str) -> None:
    apart = load_signer(key).sign(b"text")
    script = SCRIPT.partition("print(")[0].replace("load_signer(P", "print(load_signer(P").rstrip() + ")"
    words = [sys.executable, "-c", script, str(ROOT), str(key), "00", where]
    assert subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout.strip() == apart
    assert load_signer(key).public.verifies(b"text", apart)


def test_a_key_that_cannot_sign_says_why(key: Path, tmp_path: Path) -> None:
    make_key(tmp_path / "other", "server")
    (tmp_path / "key.pub").write_text((tmp_path / "other.pub").read_text())
    with pytest.raises(EdgeError, match="is not the one whose public half lies beside it; run doctor"):
        load_signer(key).sign(b"text")
    key.write_text("no key")
    with pytest.raises(EdgeError, match=r"cannot be read \(ValueError\)"):
        load_signer(key).sign(b"text")
    key.unlink()
    with pytest.raises(EdgeError, match="the server's signing key: cannot be read"):
        load_signer(key)


@pytest.fixture
def attended(key: Path) -> Iterator[Path]:
    """A key for which a child of this program signs."""
    have_attendant(key)
    try:
        yield key
    finally:
        signer._attending.pop(key).close()


def test_who_attends_reads_the_key_anew_for_each_signature(attended: Path, tmp_path: Path) -> None:
    first = load_signer(attended)
    assert first.public.verifies(b"text", first.sign(b"text"))
    make_key(tmp_path / "other", "server")
    for suffix in ("", ".pub"):
        (tmp_path / f"other{suffix}").replace(f"{attended}{suffix}")
    assert load_signer(attended).public.verifies(b"text", load_signer(attended).sign(b"text"))
    with pytest.raises(EdgeError, match="is not the one whose public half lies beside it; run doctor"):
        first.sign(b"text")


def test_where_who_attends_was_killed_it_is_signed_all_the_same(attended: Path) -> None:
    os.kill(signer._attending[attended].pid, signal.SIGKILL)
    found = load_signer(attended)
    assert found.public.verifies(b"text", found.sign(b"text"))
