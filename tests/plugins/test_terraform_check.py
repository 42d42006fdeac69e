"""What the check `terraform` finds, asked of Terraform itself: of the tests' own, and of one that is installed."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_hooks.edge.workbench import Bench
from gitops_hooks.plugin import Finding, Severity
from gitops_hooks.plugins.terraform.check import check_terraform, gitops_checks
from gitops_hooks.plugins.terraform.hcl import is_too_deep, read_hcl
from gitops_hooks.testing import EXECUTABLE, MemoryTree, a_change, run_check
from tests.plugins.terraform_program import make_program
from tests.plugins.tiny_provider import MODULE, PLACE, PROGRAM

(CHECK,) = gitops_checks()
GOOD = {"main.tf": 'variable "x" {\n  type = string\n}\n\noutput "x" {\n  value = var.x\n}\n', "a.tfvars": 'x = "1"\n'}
CROOKED = {"main.tf": "locals {\n  b = 2\na = 1\n}\n", "more/b.tf": "locals {\n  b = 2\n}\n"}
BROKEN = {"a.tf": "x {\n  a =\n}\n", "b.tf": "locals {\na = 1\n}\n", "c.tfvars": "x = [\n"}
REACHING = {
    "main.tf": """\
terraform {
  backend "http" {
    address = "http://state.example"
  }
}

data "external" "a" {
  program = ["sh", "-c", "id"]
}

resource "terraform_data" "b" {
  provisioner "local-exec" {
    command = "id"
  }
}
"""
}
INVALID = {"net/main.tf": 'resource "terraform_data" "a" {\n  input = var.y\n}\n'}
LOCAL = {
    "main.tf": 'module "m" {\n  source = "./mod"\n  z      = 1\n}\n',
    "mod/a.tf": 'output "x" {\n  value = 1\n}\n',
}
ABSENT = {"main.tf": 'module "m" {\n  source = "./mod"\n}\n'}
FOREIGN = {"main.tf": 'module "vpc" {\n  source = "terraform-aws-modules/vpc/aws"\n}\n'}
PROVIDER = {"main.tf": 'resource "null_resource" "a" {\n}\n'}
OPTION = {"-write=true.tf": "x = [\n"}

Find = Callable[..., list[Finding]]
PROGRAMS = ["library", *(["installed"] if shutil.which("terraform") else [])]


@pytest.fixture(params=PROGRAMS)
def find(request: pytest.FixtureRequest, tmp_path: Path) -> Find:
    """The findings of one change, from one of the two programs."""
    folders = [make_program(tmp_path)] if request.param == "library" else []

    def ask(files: dict[str, str], **options) -> list[Finding]:
        texts = {path: text.encode() for path, text in files.items()}
        asked = {"program": "terraform", **options}
        return list(run_check(CHECK, texts, modes={PLACE: EXECUTABLE}, options=asked, tool_folders=folders))

    return ask


def test_good_files_pass(find: Find):
    assert find(GOOD) == []


def test_a_file_that_fmt_would_write_in_another_way_is_told_with_its_line_and_the_cure(find: Find):
    told = Finding(
        "main.tf", 3, "terraform fmt writes this in another way; run: terraform fmt main.tf", Severity.WARNING
    )
    assert find(CROOKED) == [told]
    (told,) = find(CROOKED, format="error")
    assert told.severity is Severity.ERROR
    assert find(CROOKED, format="ignore") == []


def test_every_file_that_cannot_be_read_is_told(find: Find):
    assert find(BROKEN) == [
        Finding(
            "a.tf",
            2,
            "Invalid expression: Expected the start of an expression, but found an invalid expression token",
        ),
        Finding(
            "c.tfvars",
            2,
            "Missing expression: Expected the start of an expression, but found the end of the file",
        ),
        Finding("b.tf", 2, "terraform fmt writes this in another way; run: terraform fmt b.tf", Severity.WARNING),
    ]


def test_what_runs_programs_or_asks_others_is_named(find: Find):
    expected = [
        (2, 'backend "http" keeps the state, with every secret in it, at an address; whoever approves should know'),
        (7, 'data "external" "a" runs a program whenever a plan is made; whoever approves should know'),
        (12, 'provisioner "local-exec" runs programs where Terraform runs, or on the new machine; whoever approves '
             "should know"),
    ]  # fmt: skip
    off = {"validate": False}
    assert [(told.line, told.message) for told in find(REACHING, **off)] == expected
    assert {told.severity for told in find(REACHING, **off)} == {Severity.WARNING}
    told = find(REACHING, provisioners="error", external_data="ignore", http_backend="ignore", **off)
    assert [(one.line, one.severity) for one in told] == [(12, Severity.ERROR)]


def test_a_module_that_is_not_valid_is_told_where_it_is_wrong(find: Find):
    assert find(INVALID) == [
        Finding(
            "net/main.tf",
            2,
            'Reference to undeclared input variable: An input variable with the name "y" has not been declared. This '
            'variable can be declared with a variable "y" {} block',
        )
    ]


def test_modules_of_the_same_repository_are_looked_into(find: Find):
    assert find(LOCAL) == [Finding("main.tf", 3, 'Unsupported argument: An argument named "z" is not expected here')]
    (first, *_) = find(ABSENT)
    assert (first.path, first.severity) == ("main.tf", Severity.ERROR)
    assert first.message.startswith("Unreadable module directory: ")


@pytest.mark.parametrize("files", [FOREIGN, PROVIDER])
def test_what_is_neither_in_the_tree_nor_on_the_server_is_said_not_to_be_seen(find: Find, files: dict[str, str]):
    (told,) = find(files)
    assert (told.path, told.line, told.severity) == ("main.tf", 0, Severity.WARNING)
    assert told.message.startswith(
        "terraform validate did not see this module: it needs what neither the tree nor the server has ("
    )


def vendored(body: str) -> dict[str, str]:
    return {"main.tf": f'{MODULE}resource "tiny_note" "a" {{\n{body}}}\n', PLACE: PROGRAM}


def test_a_module_is_held_against_the_provider_that_the_tree_brings(find: Find):
    assert find(vendored('  text = "x"\n')) == []
    assert find(vendored('  text = "x"\n  size = 1\n')) == [
        Finding("main.tf", 11, 'Unsupported argument: An argument named "size" is not expected here')
    ]
    assert find(vendored("")) == [
        Finding("main.tf", 9, 'Missing required argument: The argument "text" is required, but no definition was found')
    ]


def test_a_provider_of_the_tree_runs_in_the_box_alone(find: Find):
    there = Path(__file__).parent / "conftest.py"
    (told,) = find(vendored(f'  text = "x"\n  sees = "{there}"\n'))
    assert told.message == "What this provider sees: the file is not there, and of networks lo"


def test_without_a_program_files_are_read_all_the_same_and_the_rest_is_said_not_to_be_seen():
    tree = MemoryTree({path: text.encode() for path, text in BROKEN.items()})
    options = {option.name: option.default for option in CHECK.options}
    assert list(check_terraform(a_change(tree), tree, Bench(options, MemoryTree({})))) == [
        Finding("a.tf", 2, "this cannot be read as HCL"),
        Finding("c.tfvars", 1, "this cannot be read as HCL"),
        Finding(
            "a.tf",
            0,
            "neither terraform nor tofu is installed on the server, so formatting and validity were not seen",
            Severity.WARNING,
        ),
    ]


def test_deep_nesting_is_read_to_its_end():
    assert read_hcl("a.tf", b"a = " + b"[" * 100_000).fault is not None


def test_what_is_nested_as_only_a_machine_would_is_given_to_no_program():
    deep = "a = " + "[" * 25_000 + "]" * 25_000 + "\n"
    assert list(run_check(CHECK, {"a.tf": deep.encode()})) == [
        Finding("a.tf", 0, "nested too deep; HCL of so many levels is not read")
    ]
    assert not is_too_deep(b"a = [" + b"[{b = 1}]," * 5_000 + b"]\n")


def test_files_that_the_policy_leaves_out_are_left_out(find: Find):
    assert find(BROKEN, ignore=("**",)) == []


def test_a_file_with_the_name_of_an_option_is_a_file(find: Find):
    assert [told.path for told in find(OPTION, validate=False)] == ["-write=true.tf"]
