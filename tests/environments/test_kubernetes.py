"""An environment that is a cluster: from a landing to its objects, and back from what somebody changed by hand."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.cluster.server import TOKEN, Cluster, serving
from tests.delivery.kubernetes_desk import CONFIG, WEB
from tests.environments.conftest import Site
from tests.environments.planned import RULES, ask, planned, propose
from tests.unpacked import KUBECTL
from tests.waiting import wait_until
from tests.world import POLICY, REPOSITORY, Template, World

ENVIRONMENT = """\
environments:
  - name: shop
    branch: main
    deployer: kubernetes
    manifests: k8s
    namespace: shop
    force_conflicts: true
    wait: 5s
"""
CREDENTIAL = f"""
[[credential]]
repository = "{REPOSITORY}"
environment = "shop"
branch = "main"
kubeconfig = "credentials/shop"
"""
# Each is a story of several runs.
pytestmark = pytest.mark.timeout(300)


@dataclass(slots=True)
class Place:
    """One server, and the cluster that its environment is granted."""

    site: Site
    cluster: Cluster

    def say(self, words: str) -> str:
        return re.sub(r"[\d.]+ s\b", "… s", self.site.world.ssh("bob", words).must().out)

    def await_that(self, holds: Callable[[], bool], words: str) -> None:
        """Wait for it; where it does not come, the answer to these words says why."""
        wait_until(holds, words=lambda: self.say(words))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    template = Template.build(POLICY + ENVIRONMENT)
    world = World.copied_from(template)
    try:
        with serving(tmp_path_factory.mktemp("cluster")) as cluster:
            grant(world, cluster)
            yield Place(Site(world, []), cluster)
    finally:
        world.close()
        template.remove()


def grant(world: World, cluster: Cluster) -> None:
    folder = world.home.path / "credentials"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "shop").write_text(cluster.kubeconfig())
    (folder / "shop").chmod(0o600)
    file = world.home.server_file
    file.write_text(f'tool_folders = ["{KUBECTL.parent}"]\n{file.read_text()}{CREDENTIAL}')


def test_a_landing_brings_the_manifests_of_the_tree_into_the_cluster(place: Place) -> None:
    shown = place.site.land({"k8s/page.yaml": CONFIG % "first", "k8s/web.yaml": WEB % 1}).err
    assert "shop       ok 1, changed 1, failed 0" in shown
    assert place.cluster.get("ConfigMap", "page")["data"] == {"text": "first"}
    newest = place.say("env log shop").splitlines()[0].split()[2]
    assert place.say(f"env log shop {newest}").splitlines()[1:] == [
        "      … s  k8s              changed      create ConfigMap shop/page",
        "      … s  k8s              changed      create Deployment shop/web",
        "successful: ok 1, changed 1, failed 0 (… s)",
    ]
    place.site.world.stop_reconciler()
    told = [path.read_text(errors="replace") for path in place.site.world.home.path.rglob("*") if path.is_file()]
    assert sum(TOKEN in text for text in told) == 1


def test_what_does_not_get_well_is_a_degraded_environment_with_the_reason(place: Place) -> None:
    place.cluster.sick.add("web")
    shown = place.site.land({"k8s/web.yaml": WEB % 2}).err
    assert "k8s: failed: Deployment shop/web: not healthy after 5 s: 0 of 2 replicas are available" in shown
    assert place.say("env show shop").startswith("shop: OutOfSync, Degraded\n")
    place.cluster.sick.clear()
    place.site.land({"k8s/web.yaml": WEB % 3})
    assert place.say("env show shop").startswith("shop: Synced, Healthy\n")


def test_what_somebody_changed_by_hand_is_told_and_brought_back_where_the_policy_says_so(place: Place) -> None:
    place.cluster.edit("ConfigMap", "page", ("data", "text"), "by hand")
    shown = place.say("env drift shop --now")
    assert "k8s: OutOfSync\n  update ConfigMap page\n" in shown
    assert "    -  text: by hand\n    +  text: first\n" in shown
    assert place.say("env show shop").startswith("shop: OutOfSync, Healthy\n")

    place.site.land({".gitops/policy.yaml": POLICY + ENVIRONMENT + "    drift: 1h\n    self_heal: true\n"})
    place.cluster.edit("ConfigMap", "page", ("data", "text"), "by hand again")
    place.say("env drift shop --now")
    deadline = time.monotonic() + 150
    while place.cluster.get("ConfigMap", "page")["data"] != {"text": "first"} and time.monotonic() < deadline:
        time.sleep(0.2)
    assert place.cluster.get("ConfigMap", "page")["data"] == {"text": "first"}


PLANNED = RULES + ENVIRONMENT + "    operate: [bob]\n"


def test_a_change_is_planned_with_another_account_before_it_lands(place: Place) -> None:
    world = place.site.world
    place.site.land({".gitops/policy.yaml": PLANNED})
    (world.home.path / "credentials" / "plans").write_text(place.cluster.kubeconfig())
    (world.home.path / "credentials" / "plans").chmod(0o600)
    with world.home.server_file.open("a") as server:
        server.write(CREDENTIAL.replace("credentials/shop", "credentials/plans") + 'use = "plan"\n')
    number = propose(place.site, {"k8s/page.yaml": CONFIG % "planned"})
    world.approve("bob", number).must()
    shown = ask(place.site, "bob", number).must().out
    assert "shop: 1 host changes, 0 unchanged\nk8s: changes\n  update ConfigMap page\n" in shown
    assert "    -  text: first\n    +  text: planned\n" in shown
    assert place.cluster.get("ConfigMap", "page")["data"] == {"text": "first"}
    assert TOKEN not in shown


def test_what_was_planned_and_approved_is_applied_or_nothing(place: Place) -> None:
    world = place.site.world
    policy = propose(
        place.site, {".gitops/policy.yaml": PLANNED.replace("    checks:", "    require: plan\n    checks:")}
    )
    world.approve("bob", policy).must()
    world.verb("alice", "land", policy).must()
    number = propose(place.site, {"k8s/page.yaml": CONFIG % "approved"})
    world.approve("bob", number).must()
    place.await_that(lambda: bool(planned(place.site, number)), f"change show {number}")
    world.approve("bob", number).must()
    place.cluster.edit("ConfigMap", "page", ("data", "text"), "meanwhile")
    told = " ".join(world.verb("alice", "land", number).must().remote.split())
    assert (
        f"nothing was applied: what would be done is not plan {planned(place.site, number)[0][:12]} of change" in told
    )
    assert place.cluster.get("ConfigMap", "page")["data"] == {"text": "meanwhile"}
    place.cluster.edit("ConfigMap", "page", ("data", "text"), "first", "gitops-hooks-shop")
    world.ssh("bob", "env deploy shop").must()
    place.await_that(lambda: place.cluster.get("ConfigMap", "page")["data"] == {"text": "approved"}, "env show shop")
