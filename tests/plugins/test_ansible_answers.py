"""What Ansible answers about a tree: each question for itself, in bounded time, and nothing is left of it."""

import sys
from contextlib import closing
from pathlib import Path

import pytest

from gitops_hooks.edge import living
from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.deployment import Deployment, Workplace
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.policy import Environment
from gitops_hooks.plugins.ansible import run
from gitops_hooks.plugins.ansible.answers import Refusal, ask_ansible
from gitops_hooks.plugins.ansible.events import Listener
from gitops_hooks.plugins.ansible.pinned import Pinned
from gitops_hooks.plugins.ansible.run import Playbook, Rails
from gitops_hooks.plugins.ansible.withheld import withholder
from tests.waiting import so_far

INVENTORY = "all: {hosts: {web1: {ansible_port: 2222}}}\n"


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    for name in ("project", "scratch"):
        (tmp_path / name).mkdir()
    (tmp_path / "project" / "hosts.yml").write_text(INVENTORY)
    (tmp_path / "project" / "site.yml").write_text("[{hosts: all, tasks: []}]\n")
    return Workplace(tmp_path / "project", tmp_path / "scratch", Credentials((), None, None))


def begin(place: Workplace, canceled: bool = False, seconds: float = 60) -> Playbook:
    pinned = Pinned(place.scratch, place.credentials, {"ANSIBLE_HOME": str(place.scratch)}, mitogen=False)
    staging = Environment("staging", "refs/heads/main", "ansible", "site.yml", "hosts.yml", None, "policy:1")
    listener = Listener(place.project, lambda _: None, str)
    return Playbook(
        Rails(Deployment("r1", staging, "c" * 40, 1, "run-1"), place, pinned, listener, lambda: canceled), seconds
    )


def ask(place: Workplace, *commands: list[str], withhold: bool = False) -> tuple[str, ...]:
    with closing(begin(place)) as playbook:
        return ask_ansible(commands, place, playbook.ask, withhold)


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
    script = place.project / "hosts.sh"
    script.write_text("#!/bin/sh\necho $$ > pid\nexec sleep 60\n")
    script.chmod(0o755)

    seconds, pid = 2.5, ""
    while not pid:
        # Until its time is over while the script runs, and not before.
        seconds *= 2
        monkeypatch.setattr(run, "_ASK_SECONDS", seconds)
        with pytest.raises(Refusal, match=rf"^Ansible gave no answer within {seconds:.0f} s"):
            ask(place, ["ansible-inventory", "-i", "hosts.sh", "--list"])
        pid = so_far(place.project / "pid")

    found = living.look_at(int(pid))
    assert found is None or living.wait_gone([found], 5) == ()


def test_one_whose_time_is_over_before_it_was_asked_to_run_has_failed(place: Workplace) -> None:
    script = place.project / "hosts.sh"
    script.write_text("#!/bin/sh\nexec sleep 60\n")
    script.chmod(0o755)
    late = pytest.raises(Refusal, match=r"^did not end within 1 s; raise the limit or split the play$")

    with closing(begin(place, seconds=1)) as playbook, late as refused:
        ask_ansible([["ansible-inventory", "-i", "hosts.sh", "--list"]], place, playbook.ask, withhold=False)
    assert refused.value.nothing


def test_a_python_without_ansible_is_an_error_and_no_answer(place: Workplace, monkeypatch) -> None:
    python = place.scratch / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(python))

    with pytest.raises(EdgeError, match=r"does not start beside this Python: .*No module named 'ansible'"):
        ask(place, ["ansible-inventory", "-i", "hosts.yml", "--list"])


def test_one_that_was_canceled_gives_no_answer(place: Workplace) -> None:
    ended = pytest.raises(EdgeError, match=r"^ansible-runner: ended before it was asked to run: canceled$")
    with closing(begin(place, canceled=True)) as playbook, ended:
        ask_ansible([["ansible-inventory", "-i", "hosts.yml", "--list"]], place, playbook.ask, withhold=False)


def test_a_credential_is_withheld_also_where_its_spaces_were_made_one(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("key", "known_hosts", "vault_password")}
    for path in files.values():
        path.write_text("correct  horse\tbattery\n")
    withhold = withholder(Credentials.of(files), False)
    assert withhold("it said: correct horse battery") == "its output is withheld, since it carries a credential"
    assert withhold("it said: correct horses") == ""
