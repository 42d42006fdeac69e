"""A story of one network in several files: what a change breaks is told, also in files that it leaves alone."""

from collections.abc import Iterator

import pytest

from tests.push.desk import POLICY, Desk
from tests.world import Template, World

NETWORK = POLICY.replace("checks: [yaml]", "checks: [network]")
PLAN = "subnets:\n  - {name: office, subnet: 10.0.0.0/24}\n  - {name: lab, subnet: 10.0.1.0/24}\n"
ROUTES = "routes:\n  - {prefix: 10.9.0.0/16, next_hop: 10.0.1.200}\n"


@pytest.fixture(scope="module")
def planned() -> Iterator[Template]:
    template = Template.build(NETWORK)
    server = template.folder / "home" / "server.toml"
    checks = 'checks = ["gitops_hooks.plugins.network_check"]'
    server.write_text(server.read_text().replace("[plugins]\n", f"[plugins]\n{checks}\n", 1))
    yield template
    template.remove()


@pytest.fixture
def desk(planned: Template) -> Iterator[Desk]:
    world = World.copied_from(planned)
    yield Desk.beside(world)
    world.close()


def test_a_network_stays_whole_over_changes_of_single_files(desk: Desk):
    desk.land(
        {
            "network/plan.yml": PLAN,
            "network/routes.yml": ROUTES,
            "inventories/prod/hosts": "web1 ansible_host=10.0.0.5\n",
        }
    )
    shrunk = desk.commit("alice", {"network/plan.yml": PLAN.replace("10.0.1.0/24", "10.0.1.0/25")})
    done = desk.push("alice", f"{shrunk}:refs/for/main")
    assert done.code == 1
    assert done.remote == (
        "gitops: refused refs/for/main\n\n"
        "  checks\n"
        "    network/routes.yml:2: next hop 10.0.1.200 is in no subnet that is known; is it mistyped, or its\n"
        "    subnet missing?"
    )
    files = {
        "host_vars/db1.yml": "ansible_host: 10.0.0.5\n",
        "network/guests.yml": "subnets:\n  - {name: guests, subnet: 10.0.0.128/25}\n",
    }
    done = desk.push("alice", f"{desk.commit('alice', files)}:refs/for/main")
    assert done.code == 1
    assert done.remote == (
        "gitops: refused refs/for/main\n\n"
        "  checks\n"
        "    inventories/prod/hosts:1: address 10.0.0.5 of web1 is db1's too (host_vars/db1.yml:1)\n"
        "    network/guests.yml:2: subnet 10.0.0.128/25 of guests overlaps 10.0.0.0/24 of office\n"
        "    (network/plan.yml:2)"
    )
    desk.propose("alice", {"host_vars/db1.yml": "ansible_host: 10.0.0.6\n"})
