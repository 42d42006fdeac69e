"""What Ansible answers about a tree: each question for itself, in bounded time, and nothing is left of it."""

import sys
from pathlib import Path

import pytest

from gitops_hooks.edge import living
from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.deployment import Workplace
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.plugins.ansible import answers
from gitops_hooks.plugins.ansible.answers import Refusal, ask_ansible
from gitops_hooks.plugins.ansible.pinned import Pinned

INVENTORY = "all: {hosts: {web1: {ansible_port: 2222}}}\n"


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    for name in ("project", "scratch"):
        (tmp_path / name).mkdir()
    (tmp_path / "project" / "hosts.yml").write_text(INVENTORY)
    (tmp_path / "project" / "site.yml").write_text("[{hosts: all, tasks: []}]\n")
    return Workplace(tmp_path / "project", tmp_path / "scratch", Credentials((), None, None))


def ask(place: Workplace, *questions: list[str], withhold: bool = False) -> tuple[str, ...]:
    pinned = Pinned(place.scratch, place.credentials, {"ANSIBLE_HOME": str(place.scratch)}, mitogen=False)
    return ask_ansible(questions, place, pinned, withhold)


def test_each_question_has_its_own_answer(place: Workplace) -> None:
    listed, matched = ask(
        place,
        ["ansible-inventory", "-i", "hosts.yml", "--list"],
        ["ansible-playbook", "-i", "hosts.yml", "--list-hosts", "site.yml"],
    )

    assert '"ansible_port": 2222' in listed
    assert "hosts (1):\n      web1\n" in matched


def test_of_several_the_one_that_cannot_be_answered_is_named(place: Workplace) -> None:
    (place.project / "site.yml").write_text("{not: plays}\n")
    listed = ["ansible-inventory", "-i", "hosts.yml", "--list"]
    matched = ["ansible-playbook", "-i", "hosts.yml", "--list-hosts", "site.yml"]

    with pytest.raises(Refusal, match=r"^ansible-playbook cannot read this: .*playbook"):
        ask(place, listed, matched)
    with pytest.raises(Refusal, match=r"^ansible-playbook cannot read this: its words are withheld"):
        ask(place, listed, matched, withhold=True)


def test_what_takes_too_long_is_ended_with_all_that_it_started(place: Workplace, monkeypatch) -> None:
    monkeypatch.setattr(answers, "_SECONDS", 5.0)
    script = place.project / "hosts.sh"
    script.write_text("#!/bin/sh\necho $$ > pid\nexec sleep 60\n")
    script.chmod(0o755)

    with pytest.raises(Refusal, match=r"^Ansible gave no answer within 5 s"):
        ask(place, ["ansible-inventory", "-i", "hosts.sh", "--list"])

    found = living.look_at(int((place.project / "pid").read_text()))
    assert found is None or living.wait_gone([found], 5) == ()


def test_a_python_without_ansible_is_an_error_and_no_answer(place: Workplace, monkeypatch) -> None:
    python = place.scratch / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(python))

    with pytest.raises(EdgeError, match=r"does not start beside this Python: .*No module named 'ansible'"):
        ask(place, ["ansible-inventory", "-i", "hosts.yml", "--list"])
