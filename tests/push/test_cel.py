"""Stories of one-line rules in the policy: they refuse by path and line, and one that is no rule by its name."""

from collections.abc import Iterator

import pytest

from tests.push.desk import POLICY, Desk
from tests.world import Template, World

RULES = """\
checks:
  cel:
    rules:
      - name: replicas
        expr: "!has(doc.spec) || doc.spec.replicas >= 2"
        message: run at least two; one cannot be replaced without an outage
        paths: apps/**/*.yaml
      - name: management
        expr: "!has(doc.address) || cidr('10.20.0.0/16').containsIP(doc.address)"
        message: address must lie in 10.20.0.0/16
        paths: hosts/*.json
        severity: warning
"""
CEL = POLICY.replace("checks: [yaml]", "checks: [cel]") + RULES


@pytest.fixture(scope="module")
def ruled() -> Iterator[Template]:
    template = Template.build(CEL)
    server = template.folder / "home" / "server.toml"
    checks = 'checks = ["gitops_hooks.plugins.cel_check"]'
    server.write_text(server.read_text().replace("[plugins]\n", f"[plugins]\n{checks}\n", 1))
    yield template
    template.remove()


@pytest.fixture
def desk(ruled: Template) -> Iterator[Desk]:
    world = World.copied_from(ruled)
    yield Desk.beside(world)
    world.close()


def test_a_rule_refuses_what_does_not_say_yes_and_what_it_cannot_be_asked(desk: Desk):
    files = {
        "apps/web/a.yaml": "kind: Service\n---\nspec: {replicas: 1}\n",
        "apps/web/b.yaml": "spec: {}\n",
        "hosts/a.json": '{"address": "10.30.0.1"}\n',
        "other/c.yaml": "spec: {replicas: 1}\n",
    }
    done = desk.push("alice", f"{desk.commit('alice', files)}:refs/for/main")
    assert done.code == 1
    assert done.remote == (
        "gitops: refused refs/for/main\n\n"
        "  checks\n"
        "    apps/web/a.yaml:3: run at least two; one cannot be replaced without an outage (rule replicas)\n"
        "    apps/web/b.yaml:1: rule replicas cannot be answered: there is no 'replicas'; ask has(…) first\n"
        "    hosts/a.json:1: address must lie in 10.20.0.0/16 (rule management) (only a warning)"
    )
    desk.propose("alice", {"apps/web/a.yaml": "spec: {replicas: 2}\n", "hosts/a.json": '{"address": "10.30.0.1"}\n'})


def test_a_policy_with_a_rule_that_is_none_is_refused_by_its_line(desk: Desk):
    wrong = CEL.replace("containsIP(doc.address)", "containsIP(dco.address)")
    done = desk.push("alice", f"{desk.commit('alice', {'.gitops/policy.yaml': wrong})}:refs/for/main")
    assert done.code == 1
    assert done.remote == (
        "gitops: refused refs/for/main\n\n"
        "  checks\n"
        "    .gitops/policy.yaml:20: rule management: there is no 'dco' here; there are: doc, path, branch"
    )
