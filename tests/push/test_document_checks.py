"""Stories of the checks of documents: faults are told by line, and what decides is read from the target branch."""

import re
from collections.abc import Iterator

import pytest

from gitops_hooks.model.server import CHECKS
from tests.push.desk import POLICY, Desk
from tests.push.rules_desk import judged
from tests.world import Template, World

ASKED = POLICY.replace("checks: [yaml]", "checks: [yaml, json, toml, schema, kubernetes, secrets]")
OPTIONS = """\
checks:
  schema:
    schemas: {schemas/app.json: ['apps/**']}
  kubernetes:
    version: '1.31'
    manifests: ['k8s/**']
"""
SCHEMA = '{"type": "object", "required": ["name"], "properties": {"port": {"type": "integer"}}}\n'
LINT = """\
#!/bin/sh
for path; do :; done
echo "$path:1:5: [error] too many spaces after colon (colons)"
exit 1
"""
KEY = f"-----BEGIN PRIVATE {'KEY'}-----\n{'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC' * 2}\n"
CURE = "encrypt it with ansible-vault, then change the secret: it was pushed"
EXCEPTION = "- path: tests/*.pem\n  reason: a key of hosts that exist for a minute\n"


@pytest.fixture(scope="module")
def documents() -> Iterator[Template]:
    template = Template.build(ASKED + OPTIONS)
    server = template.folder / "home" / "server.toml"
    asked = ", ".join(f'"{module}"' for module in CHECKS)
    server.write_text(server.read_text().replace("[plugins]\n", f"[plugins]\nchecks = [{asked}]\n", 1))
    yield template
    template.remove()


@pytest.fixture
def desk(documents: Template) -> Iterator[Desk]:
    world = World.copied_from(documents)
    yield Desk.beside(world)
    world.close()


def told(desk: Desk, files: dict) -> list[str]:
    """What the checks say of a proposal that is refused, a line each, however long."""
    done = desk.push("alice", f"{desk.commit('alice', files)}:refs/for/main")
    assert done.code != 0
    text = done.remote[done.remote.index("\n  checks\n") + 10 :]
    return [" ".join(each.split()) for each in re.split(r"\n    (?=\S+:)", text) if each.strip()]


def test_every_fault_of_every_kind_of_document_is_told_in_one_push(desk: Desk):
    desk.land({"schemas/app.json": SCHEMA})
    wrong = {
        "a.json": '{"a": 1,\n "a": 2}\n',
        "b.toml": "a = 1\n\na = 2\n",
        "apps/shop.yaml": "name: shop\nport: eighty\n",
        "k8s/ns.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\nspek: {}\n",
        "group_vars/all.yml": "db_password: Tr0ub4dor-horse\n",
    }
    assert told(desk, wrong) == [
        "a.json:2: duplicate key 'a', first on line 1",
        "b.toml:3: cannot overwrite a value",
        "apps/shop.yaml:2: port: must be a whole number (schemas/app.json)",
        "k8s/ns.yaml:4: 'spek' is not known here",
        "group_vars/all.yml:1: a literal value under 'db_password'; " + CURE,
    ]
    right = {
        "a.json": '{"a": 1}\n',
        "b.toml": "a = 1\n",
        "apps/shop.yaml": "name: shop\nport: 80\n",
        "k8s/ns.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n",
        "group_vars/all.yml": "db_password: '{{ vault_db_password }}'\n",
    }
    desk.land(right)
    assert judged(desk) == ""


def test_nobody_loosens_a_schema_in_the_change_that_needs_it_loose(desk: Desk):
    wrong = {"apps/shop.yaml": "port: 80\n"}
    assert told(desk, wrong) == [
        "apps/shop.yaml: cannot be judged by schemas/app.json on the target branch: there is no such file in this tree"
    ]
    desk.land({"schemas/app.json": SCHEMA})
    loose = {"schemas/app.json": "{}\n"}
    assert told(desk, wrong | loose) == ["apps/shop.yaml:1: 'name' is missing (schemas/app.json)"]
    desk.land(loose)
    desk.propose("alice", wrong)


def test_a_schema_that_is_none_does_not_land(desk: Desk):
    assert told(desk, {"schemas/app.json": '{\n "type": "objekt"}\n'}) == [
        "schemas/app.json:2: is no JSON Schema: type: fits none of the forms that are allowed here (must be one of "
        "array, boolean, integer, null, number, object, string; or must be a list)"
    ]


def test_a_secret_is_excepted_once_its_exception_has_landed_with_a_reason(desk: Desk):
    key = {"tests/host.pem": KEY}
    assert told(desk, key | {".gitops/secrets.yaml": EXCEPTION}) == [f"tests/host.pem:1: a private key; {CURE}"]
    assert told(desk, {".gitops/secrets.yaml": "- path: tests/*.pem\n"}) == [
        ".gitops/secrets.yaml:1: an exception says its reason, in 10 characters at least"
    ]
    desk.land({".gitops/secrets.yaml": EXCEPTION})
    desk.land(key)
    desk.propose("alice", {"tests/host.pem": KEY + "# a remark\n"})


def test_the_version_of_kubernetes_must_be_one_that_the_server_knows(desk: Desk):
    policy = ASKED + OPTIONS.replace("'1.31'", "'1.3'")
    done = desk.push("alice", f"{desk.commit('alice', {'.gitops/policy.yaml': policy})}:refs/for/main")
    assert done.code != 0
    assert "checks: kubernetes: version: '1.3' is not one of 1.25, 1.26" in " ".join(done.remote.split())


def test_rules_of_yamllint_are_those_of_the_target_branch_and_it_runs_in_a_box(desk: Desk):
    tools = desk.world.folder / "tools"
    tools.mkdir()
    desk.land({".yamllint": "extends: default\n"})
    (tools / "yamllint").write_text(LINT)
    (tools / "yamllint").chmod(0o755)
    tools.chmod(0o755)
    server = desk.world.home.server_file
    server.write_text(f'tool_folders = ["{tools}"]\n' + server.read_text())
    assert told(desk, {"a.yml": "a:   1\n"}) == [
        "a.yml:1: too many spaces after colon (colons); yamllint, by .yamllint"
    ]
