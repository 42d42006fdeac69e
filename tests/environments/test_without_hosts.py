"""Environments that are no hosts: from a landing to what it deployed, as people see it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.environments.conftest import Site
from tests.plugins.terraform_program import make_program
from tests.world import POLICY, REPOSITORY, Template, World

ENVIRONMENTS = """\
environments:
  - name: staging
    branch: main
    deployer: command
    run: [./publish.sh, page]
  - name: dns
    branch: main
    deployer: terraform
    module: infra
"""
MAIN = """\
variable "token" {
  type      = string
  sensitive = true
}

resource "terraform_data" "zone" {
  input = {
    page  = trimspace(file("../page"))
    token = var.token
  }
}
"""
TOKEN = "hunter2hunter2"
PUBLISH = """\
#!/bin/sh -e
echo "publishing $1 as ${NAME:-nobody}"
cp "$1" "$GITOPS_STATE_FOLDER/page"
test ! -e broken || { echo "no room"; exit 4; }
"""


@dataclass(slots=True)
class Place:
    """One server, and the folder that its environment is granted."""

    site: Site
    folder: Path

    def log(self, environment: str = "staging") -> list[str]:
        """What `env log` shows of the newest deployment, without times."""
        newest = self.site.world.ssh("dave", f"env log {environment}").must().out.splitlines()[0].split()[2]
        text = self.site.world.ssh("dave", f"env log {environment} {newest}").must().out
        return [re.sub(r"[\d.]+ s\b", "… s", line) for line in text.splitlines()[1:]]

    def grant(self, environment: str, more: str) -> None:
        table = f'repository = "{REPOSITORY}"\nenvironment = "{environment}"\nbranch = "main"\n'
        with self.site.world.home.server_file.open("a") as file:
            file.write(f"\n[[credential]]\n{table}{more}")


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    template = Template.build(POLICY + ENVIRONMENTS)
    world = World.copied_from(template)
    try:
        folder = world.home.path / "credentials" / "staging_state"
        folder.mkdir(parents=True, mode=0o700)
        yield Place(Site(world, []), folder)
    finally:
        world.close()
        template.remove()


def publish(place: Place, files: dict[str, str | None]) -> str:
    """Land files with the script made executable, and answer what the push showed."""
    world = place.site.world
    world.start_over("alice")
    world.commit("alice", {"publish.sh": PUBLISH, **files}, "A page")
    world.git("alice", "update-index", "--chmod=+x", "publish.sh").must()
    world.git("alice", "commit", "-q", "--amend", "--no-edit").must()
    pushed = world.git("alice", "push", "origin", "HEAD:refs/for/main").must()
    found = re.search(r"refs/approve/(\d+)", pushed.err) or re.search(r"[Cc]hange (\d+)", pushed.err)
    assert found, pushed.err
    return world.approve("bob", int(found[1])).must().err


def test_a_landing_runs_the_script_of_the_tree_without_any_secret(place: Place):
    place.grant("staging", 'state_folder = "credentials/staging_state"\nenvironment_file = "credentials/variables"\n')
    variables = place.folder.parent / "variables"
    variables.write_text("NAME=somebody-in-particular\n")
    variables.chmod(0o600)
    shown = publish(place, {"page": "first\n"})
    assert "staging    ok 1, changed 0, failed 0" in shown
    assert (place.folder / "page").read_text() == "first\n"
    assert place.log() == [
        "      … s  publish.sh       ok           publishing page as nobody",
        "successful: ok 1, changed 0, failed 0 (… s)",
    ]


def test_a_script_that_ends_badly_is_a_failed_deployment(place: Place):
    shown = publish(place, {"page": "second\n", "broken": ""})
    assert "publish.sh: failed: ended with 4: no room" in shown
    assert place.log() == [
        "      … s  publish.sh       ok           publishing page as nobody",
        "      … s  publish.sh       ok           no room",
        "failed: ok 0, changed 0, failed 1 (… s)",
    ]


def test_a_script_that_the_server_trusts_has_its_variables_and_never_shows_them(place: Place):
    file = place.site.world.home.server_file
    file.write_text(file.read_text() + "trusted_command = true\n")
    shown = publish(place, {"page": "third\n", "broken": None})
    assert "staging    ok 1, changed 0, failed 0" in shown
    assert place.log() == [
        "      … s  publish.sh       ok           withheld, since it carries a credential or a sensitive value",
        "successful: ok 1, changed 0, failed 0 (… s)",
    ]
    assert (place.folder / "page").read_text() == "third\n"


def test_a_landing_applies_the_module_of_the_tree_and_its_secrets_stay_where_they_are(place: Place, tmp_path: Path):
    world = place.site.world
    file, folder = world.home.server_file, place.folder.parent
    tools = tmp_path / "tools"
    tools.mkdir()
    make_program(tools)
    file.write_text(f'tool_folders = ["{tools}"]\n' + file.read_text())
    (folder / "dns_state").mkdir(mode=0o700)
    (folder / "dns").write_text(f"TF_VAR_token={TOKEN}\n")
    (folder / "dns").chmod(0o600)
    place.grant("dns", 'state_folder = "credentials/dns_state"\nenvironment_file = "credentials/dns"\n')
    shown = publish(place, {"page": "fourth\n", "infra/main.tf": MAIN})
    assert "dns        ok 1, changed 1, failed 0" in shown
    assert place.log("dns") == [
        "      … s  infra            ok           planned: 1 to add, 0 to change, 0 to destroy",
        "      … s  infra            changed      create terraform_data.zone",
        "      … s  infra            ok           applied: 1 added, 0 changed, 0 destroyed",
        "successful: ok 1, changed 1, failed 0 (… s)",
    ]
    state = (folder / "dns_state" / "terraform.tfstate").read_text()
    assert '"fourth"' in state and TOKEN in state
    world.stop_reconciler()
    told = [path.read_text(errors="replace") for path in world.home.path.rglob("*") if path.is_file()]
    granted = (folder / "dns").read_text(), state
    assert not any(TOKEN in text for text in told if text not in granted)
    assert TOKEN not in world.server_git("log", "--format=%B", "refs/environments/dns/log") + shown


def test_a_module_that_fails_says_where_and_the_script_beside_it_goes_on(place: Place):
    shown = publish(place, {"page": "fifth\n", "infra/main.tf": MAIN.replace("var.token", "var.nothing")})
    assert "infra: failed: infra/main.tf:9: Reference to undeclared input variable" in shown
    assert (place.folder / "page").read_text() == "fifth\n"
