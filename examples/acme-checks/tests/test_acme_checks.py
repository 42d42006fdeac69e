"""The checks of Acme: as functions, in a repository of their own, and in a push."""

from acme_checks.roles import ROLES
from acme_checks.shell import SHELL

from gitops_hooks.plugin import CheckOutcome, Finding
from gitops_hooks.testing import MemoryRepository, run_check
from gitops_hooks.testing_server import Server

WEB = "roles/web/tasks/main.yml"
TOLD = "call the role acme-web, or except it in .acme-roles"


def test_a_role_with_another_name_is_told_once() -> None:
    files = {WEB: b"[]\n", "roles/web/vars/main.yml": b"[]\n"}
    assert run_check(ROLES, files) == (Finding("roles/web/tasks/main.yml", 0, TOLD),)
    assert run_check(ROLES, files, options={"prefix": "w"}) == ()


def test_a_role_that_the_branch_excepts_may_come_and_one_that_the_push_excepts_may_not() -> None:
    repository = MemoryRepository({".acme-roles": "old\n"})
    repository.commit({"roles/old/tasks/main.yml": "[]\n"}, branch="good")
    repository.commit({WEB: "[]\n", ".acme-roles": "old web\n"}, branch="bad")
    assert repository.run(ROLES, "good").outcome is CheckOutcome.OK
    assert repository.run(ROLES, "bad").findings == (Finding(WEB, 0, TOLD),)


def test_a_script_that_bash_cannot_parse_is_told_with_its_line() -> None:
    repository = MemoryRepository()
    repository.commit({"a.sh": "echo good\n", "b.sh": "if true\nthen echo (\nfi\n"}, branch="topic")
    words = "syntax error near unexpected token `newline'"
    assert repository.run(SHELL, "topic").findings == (Finding("b.sh", 2, words),)


def test_both_speak_in_a_push_and_what_they_let_pass_lands(gitops_server: Server) -> None:
    gitops_server.enable("acme_checks")
    gitops_server.require("acme-shell")
    gitops_server.require("acme-roles", prefix="house-")
    pushed = gitops_server.propose({WEB: "[]\n", "b.sh": "if true\n"})
    assert pushed.refused
    assert pushed.lines[2:] == (
        "  checks",
        "    b.sh:2: syntax error: unexpected end of file",
        "    roles/web/tasks/main.yml: call the role house-web, or except it in .acme-roles",
    )
    gitops_server.land({"roles/house-web/tasks/main.yml": "[]\n", "b.sh": "true\n"})
