"""Installed by root: people push to one user, and deployments run as another one, through real sudo."""

import threading

from tests.answers import Result
from tests.machine.machine import Machine
from tests.machine.server import CREDENTIALS, HOME, PLAYBOOK, REPOSITORY, Server
from tests.waiting import wait_until

DEPLOY = "$(readlink -f /opt/gitops-hooks/current)/bin/deploy"
SLOW = PLAYBOOK.replace("  tasks:\n", "  tasks:\n    - ansible.builtin.command: sleep 3\n      changed_when: false\n")


def owners(machine: Machine, word: str) -> set[str]:
    """The users whose programs have this word in their command line."""
    lines = machine.run("ps", "-e", "-o", "user:32,args", "--no-headers").must().out.splitlines()
    return {line.split()[0] for line in lines if word in line.split()[1:]}


def test_an_approved_change_is_deployed_by_the_user_who_alone_reads_the_credentials(server: Server) -> None:
    host = server.deploys_to()
    answers: list[Result] = []
    landing = threading.Thread(target=lambda: answers.append(server.lands(server.site(SLOW))))
    landing.start()
    try:
        wait_until(lambda: owners(server.on_it, "gitops_hooks.entry.deployment"))
        seen = owners(server.on_it, "gitops_hooks.entry.deployment")
    finally:
        landing.join()
    assert seen == {"gitops-deploy"}
    assert answers[0].remote_lines[0] == "gitops: change 1 revision 1 approved by bob; landing"
    assert answers[0].remote_lines[-1].startswith("  staging    ok 1, changed 1, failed 0"), answers[0].err
    assert host.holds("etc/motd") == "hello\n"
    shown = server.ssh("alice", "env show staging").must().out
    assert shown.startswith("staging: Synced, Healthy\n"), shown


def test_what_belongs_to_one_user_the_other_neither_reads_nor_changes(server: Server) -> None:
    server.deploys_to()
    machine = server.on_it
    key = f"{CREDENTIALS}/staging_key"
    readable = {
        (user, path): machine.run_as(user, "cat", path).code == 0
        for user in ("git", "gitops-deploy")
        for path in (key, f"{HOME}/server_key", f"{HOME}/server.toml", f"{REPOSITORY}/HEAD")
    }
    assert {place for place, can in readable.items() if can} == {
        ("gitops-deploy", key),
        ("git", f"{HOME}/server_key"),
        ("git", f"{HOME}/server.toml"),
        ("git", f"{REPOSITORY}/HEAD"),
    }
    for user in ("git", "gitops-deploy"):
        for path in (CREDENTIALS, DEPLOY, "/opt/gitops-hooks", "/etc/sudoers.d/gitops-hooks"):
            changed = machine.run_as(user, "sh", "-c", f'[ -w "{path}" ] || [ -w "$(dirname "{path}")" ]')
            assert changed.code == 1, (user, path)


def test_sudo_allows_one_program_and_that_program_only_what_was_laid(server: Server) -> None:
    server.deploys_to()
    machine = server.on_it

    def ask(user: str, command: str) -> tuple[int, str]:
        answer = machine.run_as(user, "sh", "-c", f"cd / && {command}")
        return answer.code, answer.err

    words = f"--run-id r-1 --key {HOME}/server_key --known-hosts {CREDENTIALS}/staging_known_hosts"
    assert ask("git", f"sudo -n -u gitops-deploy -- {DEPLOY} --probe") == (0, "")
    code, complaint = ask("git", f"sudo -n -u gitops-deploy -- {DEPLOY} {words}")
    assert (code, complaint) == (
        2,
        f"deploy: {HOME}/server_key: cannot be read by the deployment user: Permission denied\n",
    )
    for command in (
        f"sudo -n -u gitops-deploy cat {CREDENTIALS}/staging_key",
        f"sudo -n -u gitops-deploy PYTHONPATH=/tmp {DEPLOY} --probe",
        f"sudo -n {DEPLOY} --probe",
        "sudo -n true",
    ):
        assert ask("git", command)[0] == 1, command
        assert ask("gitops-deploy", command)[0] == 1, command


def test_nobody_logs_in_as_the_deployment_user_and_no_password_lets_anybody_in(server: Server) -> None:
    server.deploys_to()
    assert server.ssh("bob", "whoami").must().out.startswith("bob")
    refused = server.run("bob", "ssh", "-l", "gitops-deploy", "host", "whoami", where=server.person("bob"))
    assert (refused.code, refused.out) == (255, "")
    offered = server.run(
        "bob", "ssh", "-o", "PubkeyAuthentication=no", "-v", "host", "whoami", where=server.person("bob")
    )
    assert "Authentications that can continue: publickey\n" in offered.err.replace("\r", "")


def test_doctor_finds_a_credential_that_only_the_deployment_user_may_read_in_order(server: Server) -> None:
    server.deploys_to()
    key = f"{CREDENTIALS}/staging_key"

    def credential() -> list[str]:
        lines = server.admin("doctor").out.splitlines()
        return [line for line in lines if "credential site" in line]

    assert credential() == ["ok    credential site/staging: for web1"]
    server.on_it.run("chmod", "0600", key).must()
    assert credential() == [
        f"FAIL  credential site/staging: {key}: cannot be read by the deployment user: Permission denied"
    ]
    server.on_it.run("chmod", "0644", key).must()
    server.on_it.run("chmod", "0755", CREDENTIALS).must()
    assert credential() == [f"FAIL  credential site/staging: {key} can be read by the server's own user"]
