"""A server with two hosts that may plan what a change would do there, with a key of its own that deploys nothing."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from gitops_hooks.edge.keys import make_key
from tests.answers import Result, change_number
from tests.environments.conftest import ENVIRONMENT, Site, open_site
from tests.hosts import known_hosts
from tests.world import POLICY, REPOSITORY, Template

_TOPICS = itertools.count(1)
STEPS = """\
- hosts: web
  gather_facts: false
  tasks:
    - name: Page
      ansible.builtin.copy: {src: page, dest: "{{ root }}/page", mode: "0644"}
"""
# A plan shows a host that it hangs there, in a file of its own.
SLOW = """\
    - name: Hangs
      ansible.builtin.command: touch {{ root }}/hangs
      when: ansible_check_mode
      check_mode: false
      changed_when: false
    - name: Slow
      ansible.builtin.wait_for: {path: "{{ root }}/slow", state: absent, timeout: 300}
      check_mode: false
"""
OPERATED = f"{ENVIRONMENT}    operate: [bob]\n"
# Whoever approves does not land, so that there is a moment between the two.
RULES = POLICY.replace("land: ['@ops']", "land: [alice]").replace("checks: [yaml, secrets]", "checks: [yaml]")
BY_HAND = RULES + OPERATED
REQUIRED = RULES.replace("    checks:", "    require: plan\n    checks:") + OPERATED


def grant_plans(site: Site) -> None:
    """A key for plans: every host lets it in, and the server's file names it for nothing else."""
    world = site.world
    folder = world.home.path / "credentials" / "plans"
    folder.mkdir(mode=0o700)
    public = make_key(folder / "key", "plans")
    (folder / "known_hosts").write_text(known_hosts(site.hosts))
    for host in site.hosts:
        with (host.folder / "authorized_keys").open("a") as allowed:
            allowed.write(f"{public}\n")
    names = ", ".join(f'"{host.name}"' for host in site.hosts)
    with world.home.server_file.open("a") as server:
        server.write(
            f'\n[[credential]]\nuse = "plan"\nrepository = "{REPOSITORY}"\nenvironment = "staging"\nbranch = "main"\n'
            f'hosts = [{names}]\nkey = "credentials/plans/key"\nknown_hosts = "credentials/plans/known_hosts"\n'
        )


@contextmanager
def open_planned(staged: Template, policy: str, steps: str = STEPS) -> Iterator[Site]:
    """The site under this policy, before anything may be planned."""
    with open_site(staged, steps) as site:
        site.land({".gitops/policy.yaml": policy})
        yield site


def propose(site: Site, files: dict[str, str | None]) -> int:
    """alice proposes it as a change of its own."""
    return change_number(site.world.propose("alice", files, to=f"main/{next(_TOPICS)}").must())


def head(site: Site, number: int) -> str:
    return site.world.refs()[f"refs/changes/{number}/head"]


def ask(site: Site, who: str, number: int) -> Result:
    """Ask for a plan of the head and wait for it."""
    return site.world.ssh(who, f"change plan {number} {head(site, number)} --follow")


def planned(site: Site, number: int) -> list[str]:
    """The digests of the plans that are recorded, oldest first."""
    events = site.world.events(f"refs/changes/{number}/meta")
    return [event.fact("Digest") for event in events if event.fact("Event") == "planned"]
