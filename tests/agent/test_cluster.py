"""An agent beside a cluster: it applies what lands, brings back what somebody changed, and the server is told."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops_hooks.edge.launch_box import SYSTEM_PATH
from tests.agent.conftest import Site
from tests.agent.pulling import Agent, end, follow_for, lay_agent
from tests.cluster.server import TOKEN, Cluster, serving
from tests.delivery.kubernetes_desk import CONFIG, WEB
from tests.unpacked import KUBECTL
from tests.world import POLICY, Template, World

ENVIRONMENT = """\
environments:
  - name: staging
    branch: main
    deployer: kubernetes
    manifests: k8s
    namespace: shop
    force_conflicts: true
    wait: 5s
    mode: pull
    drift: 5m
    self_heal: true
    prune: true
"""

pytestmark = pytest.mark.timeout(600)


@dataclass(slots=True)
class Place:
    """One server that reaches no cluster, and one cluster with its agent."""

    site: Site
    cluster: Cluster

    def show(self) -> dict[str, object]:
        return json.loads(self.site.world.ssh("bob", "env show staging --json").must().out)

    def text(self) -> object:
        found = self.cluster.get("ConfigMap", "page")
        return found and found["data"]["text"]

    def is_told(self, sync: str, health: str) -> None:
        def holds() -> bool:
            shown = self.show()
            return (shown["sync"], shown["health"]) == (sync, health)

        self.site.await_that(holds)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    template = Template.build(POLICY + ENVIRONMENT)
    world = World.copied_from(template)
    template.remove()
    agent = Agent(world, world.folder / "cluster-agent", host="k8s")
    try:
        follow_for(world, 1)
        with serving(tmp_path_factory.mktemp("cluster")) as cluster:
            lay_agent(agent, answers="*")
            grant(agent, cluster)
            yield Place(Site(world, agent), cluster)
    finally:
        for process in agent.running:
            end(process)
        world.close()


def grant(agent: Agent, cluster: Cluster, folder: Path = KUBECTL.parent) -> None:
    (agent.folder / "kubeconfig").write_text(cluster.kubeconfig())
    (agent.folder / "kubeconfig").chmod(0o600)
    agent.set(connection='"kubernetes"', tool_folders=json.dumps([str(folder)]))
    with agent.config.open("a") as config:
        config.write('[credential]\nkubeconfig = "kubeconfig"\n')


def test_what_lands_is_applied_by_the_agent_and_told_to_the_server(place: Place) -> None:
    agent = place.site.agent
    agent.start()
    place.site.land({"k8s/page.yaml": CONFIG % "first", "k8s/web.yaml": WEB % 1})
    place.is_told("Synced", "Healthy")
    assert place.text() == "first"
    assert place.site.world.refs()["refs/environments/staging/deployed"] == place.site.tip()
    (host,) = agent.report()["hosts"]
    assert (host["name"], host["state"], host["changed"], host["sync"]) == ("k8s", "changed", 2, "synced")
    (shown,) = place.show()["agents"]
    assert [(one["name"], one["sync"]) for one in shown["hosts"]] == [("k8s", "Synced")]
    # Nobody writes while it is read.
    end(agent.running.pop())
    place.site.world.stop_reconciler()
    told = [path.read_text(errors="replace") for path in place.site.world.home.path.rglob("*") if path.is_file()]
    assert not any(TOKEN in text for text in [*told, agent.log(), json.dumps(agent.report())])


def test_what_somebody_changed_by_hand_is_found_and_brought_back(place: Place) -> None:
    agent = place.site.agent
    place.cluster.edit("ConfigMap", "page", ("data", "text"), "by hand")
    agent.let_pass(seconds=400)
    lines = [line.split(" ", 1)[1].split(" (")[0] for line in agent.run("--once").must().out.splitlines()]
    assert lines[0] == "looked at 1 hosts: out of sync k8s"
    assert lines[-2:] == ["looked at 1 hosts: in sync", "1 of 1 hosts synced"]
    assert place.text() == "first"


def test_what_does_not_get_well_is_degraded_and_tried_again(place: Place) -> None:
    agent = place.site.agent
    agent.start()
    place.cluster.sick.add("web")
    place.site.land({"k8s/web.yaml": WEB % 2})
    place.is_told("OutOfSync", "Degraded")
    (host,) = agent.report()["hosts"]
    assert host["state"] == "failed"
    assert "Deployment shop/web: not healthy after 5 s: 0 of 2 replicas are available" in host["detail"]
    place.cluster.sick.clear()
    place.is_told("Synced", "Healthy")


def test_what_is_not_in_the_tree_any_more_is_pruned(place: Place) -> None:
    place.site.land({"k8s/web.yaml": None})
    place.site.await_that(lambda: place.cluster.get("Deployment", "web") is None)
    place.is_told("Synced", "Healthy")
    assert place.text() == "first"


def test_a_cluster_that_is_away_is_told_and_found_again(place: Place) -> None:
    agent = place.site.agent
    end(agent.running.pop())
    config = agent.folder / "kubeconfig"
    there = config.read_text()
    config.write_text(there.replace(place.cluster.address, "https://127.0.0.1:1"))
    place.site.land({"k8s/page.yaml": CONFIG % "second"})
    place.site.await_that(lambda: agent.once()[0] == 1)
    assert "k8s unreachable" in agent.once()[1]
    config.write_text(there)
    agent.let_pass(seconds=100)
    assert agent.once() == (0, "1 of 1 hosts synced")
    assert place.text() == "second"


def test_without_kubectl_a_check_says_where_it_is_put(place: Place) -> None:
    agent = place.site.agent
    assert agent.run("--check").err == ""
    agent.set(tool_folders='["/opt/none"]')
    places = {Path(folder, "kubectl").resolve() for folder in SYSTEM_PATH.split(":")}
    hidden = [word for path in sorted(places) if path.exists() for word in ("--ro-bind", "/dev/null", str(path))]
    words = ["bwrap", "--dev-bind", "/", "/", *hidden, *agent.command("--check")]
    done = subprocess.run(words, env=agent.environ, cwd=agent.folder, capture_output=True, text=True, timeout=60)
    said = "gitops: kubectl: not installed; put it into a folder of tool_folders in agent.toml\n"
    assert (done.returncode, done.stderr) == (2, said)
