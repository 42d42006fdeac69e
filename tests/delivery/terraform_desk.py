"""One environment of Terraform in its real box, with Terraform itself and a state of its own."""

from pathlib import Path

from gitops_hooks.model.credentials import Credentials
from tests.delivery.boxed import Boxed, environment
from tests.plugins.terraform_program import make_program

ONE = """\
variable "name" {
  type    = string
  default = "nobody"
}

resource "terraform_data" "one" {
  input = "%s"
}

output "name" {
  value = var.name
}
"""


def make_desk(folder: Path) -> Boxed:
    """A module of one resource, and a state folder below this one that is granted."""
    made = Boxed(environment("terraform", module="infra"), "gitops_hooks.plugins.terraform.deployer", {})
    tools, state = folder / "tools", folder / "state"
    tools.mkdir()
    state.mkdir(mode=0o700)
    made.granted = Credentials(state_folder=state, tools=(make_program(tools),))
    made.tree["infra/main.tf"] = ONE % "first"
    return made
