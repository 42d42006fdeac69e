"""Stories of files that a network's own programs read: FRR's at once, nftables' once the administrator says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.push.desk import POLICY, Desk
from tests.push.test_check_run import put, run
from tests.unpacked import TOOLS
from tests.world import Template, World

ASKED = POLICY.replace("checks: [yaml]", "checks: [network]") + (
    "checks:\n  network: {frr: ['routers/*.conf'], nftables: ['firewall/*.nft']}\n"
)
ROUTER = "hostname r1\nrouter bgp 65001\n nieghbor 10.0.0.1 remote-as 65002\nexit\n"
RULESET = "table inet t {\n  chain c {\n    jump nowhere\n  }\n}\n"
REFUSED = "firewall/a.nft:3: Could not process rule: No such file or directory; nft"
UNSEEN = (
    "firewall/a.nft: this and other rulesets of nftables were not read: this server has no nft, or own_network of its "
    "server.toml does not name it"
)


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    template = Template.build(ASKED)
    world = World.copied_from(template)
    template.remove()
    server = world.home.server_file
    server.write_text(f'tool_folders = ["{TOOLS}"]\n' + server.read_text())
    yield Desk.beside(world)
    world.close()


def test_a_router_that_would_not_come_up_is_refused(desk: Desk):
    done = desk.push("alice", f"{desk.commit('alice', {'routers/r1.conf': ROUTER})}:refs/for/main/router")
    assert done.code == 1
    assert "routers/r1.conf:3: Unknown command: nieghbor 10.0.0.1 remote-as 65002; vtysh" in done.remote


def test_the_kernel_is_asked_about_rulesets_once_the_administrator_says_so(desk: Desk, tmp_path: Path):
    before = desk.push("alice", f"{desk.commit('alice', {'firewall/a.nft': RULESET})}:refs/for/main/unseen").must()
    assert UNSEEN in " ".join(before.remote.split())
    server = desk.world.home.server_file
    server.write_text('own_network = ["nft"]\n' + server.read_text())
    after = desk.push("alice", f"{desk.commit('alice', {'firewall/a.nft': RULESET}, 'Again')}:refs/for/main/seen")
    assert after.code == 1
    assert REFUSED in after.remote


def test_checks_in_a_clone_are_told_by_a_copy_of_the_servers_file(desk: Desk, tmp_path: Path):
    clone = desk.world.clone("alice")
    put(clone, {"firewall/a.nft": RULESET})
    for line, said in (("", UNSEEN), ('own_network = ["nft"]\n', REFUSED)):
        (tmp_path / "server.toml").write_text(f'{line}tool_folders = ["{TOOLS}"]\n')
        done = run(clone, "--all", GITOPS_HOOKS_HOME=str(tmp_path))
        assert said in " ".join(done.stdout.split()), done.stderr
