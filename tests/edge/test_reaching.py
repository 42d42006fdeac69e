"""Reach, asked of real trees: what stands for something else, what is missing, what a file and a folder are."""

from pathlib import Path

import pygit2
import pytest
from pygit2.enums import FileMode

from gitops_hooks.core.reach import Reached
from gitops_hooks.edge.repository import Repository, open_repository
from gitops_hooks.entry.reaching import find_reach
from gitops_hooks.model.policy import Environment, Policy
from gitops_hooks.model.server import Limits

MAIN = "refs/heads/main"
SITE = {"site.yml": "- {hosts: web, tasks: []}\n"}
HOSTS = {**SITE, "inventories/staging/hosts": "[web]\nweb[1:3]\n"}
STAGING = Environment("staging", MAIN, "ansible", "site.yml", "inventories/staging", None, "")
OTHER = Environment("other", "refs/heads/next", "ansible", "site.yml", "inventories/other", None, "")
WEB1 = "inventories/staging/host_vars/web1.yml"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    pygit2.init_repository(str(tmp_path / "site.git"), bare=True)
    return open_repository(tmp_path / "site.git", Limits())


def tree(repository: Repository, files: dict[str, str], links: dict[str, str] | None = None) -> str:
    index = pygit2.Index()
    for kind, names in ((FileMode.BLOB, files), (FileMode.LINK, links or {})):
        for path, content in names.items():
            index.add(pygit2.IndexEntry(path, repository.git2.create_blob(content.encode()), kind))
    return str(index.write_tree(repository.git2))


def reached(repository: Repository, *trees: str, path: str = WEB1, inventory: str = "inventories/staging") -> Reached:
    environment = Environment("staging", MAIN, "ansible", "site.yml", inventory, None, "")
    (answer,) = find_reach(repository, Policy("c" * 40, (), (), (environment, OTHER)), MAIN, trees, (path,))
    return answer


def test_host_vars_reach_their_host(repository: Repository) -> None:
    answer = reached(repository, tree(repository, HOSTS))
    assert (answer.hosts, answer.bounded) == ({"web1"}, True)


def test_an_environment_of_another_branch_is_not_asked(repository: Repository) -> None:
    policy = Policy("c" * 40, (), (), (OTHER,))
    assert find_reach(repository, policy, MAIN, (tree(repository, HOSTS),), (WEB1,)) == ()


def test_old_tip_and_result_are_both_read(repository: Repository) -> None:
    gone = tree(repository, {**SITE, "inventories/staging/hosts": "[web]\nweb9\n"})
    answer = reached(repository, tree(repository, HOSTS), gone, path="inventories/staging/group_vars/web.yml")
    assert answer.hosts == {"web1", "web2", "web3", "web9"}
    fresh = reached(repository, tree(repository, {"README": "x"}), tree(repository, HOSTS))
    assert (fresh.hosts, fresh.bounded) == ({"web1"}, True)


def test_an_inventory_that_is_nowhere_has_no_number(repository: Repository) -> None:
    assert not reached(repository, tree(repository, {"README": "x"})).bounded


def test_a_link_among_the_variables_makes_every_path_reach_all(repository: Repository) -> None:
    linked = tree(repository, HOSTS, {"inventories/staging/group_vars/web.yml": "../../other/group_vars/web.yml"})
    answer = reached(repository, linked, path="inventories/other/group_vars/web.yml")
    assert (answer.hosts, answer.bounded) == ({"web1", "web2", "web3"}, True)
    assert reached(repository, tree(repository, HOSTS), path="inventories/other/group_vars/web.yml").hosts == set()


@pytest.mark.parametrize("link", ["inventories", "inventories/staging", "inventories/staging/hosts", "site.yml"])
def test_an_inventory_behind_a_link_has_no_number(repository: Repository, link: str) -> None:
    files = {path: text for path, text in HOSTS.items() if not path.startswith(link)}
    assert not reached(repository, tree(repository, files, {link: "elsewhere"})).bounded


def test_an_inventory_may_be_a_file(repository: Repository) -> None:
    flat = tree(repository, HOSTS)
    assert reached(repository, flat, inventory="inventories/staging/hosts").hosts == {"web1"}


ROLES = {
    **HOSTS,
    "inventories/staging/more": "[db]\ndb1\n",
    "site.yml": "- {hosts: web, roles: [web]}\n- {hosts: db, tasks: []}\n",
    "roles/web/tasks/main.yml": "- copy: {src: big, dest: /etc/big}\n",
}


def test_a_role_reaches_the_hosts_of_its_play(repository: Repository) -> None:
    answer = reached(repository, tree(repository, ROLES), path="roles/web/files/big")
    assert (answer.hosts, answer.why[0].words) == (
        {"web1", "web2", "web3"},
        "roles/web/files/big → role web → hosts: web",
    )
    assert reached(repository, tree(repository, ROLES), path="README.md").hosts == set()


@pytest.mark.parametrize("link", ["roles/web/files/x", "roles/web/files", "roles/common"])
def test_a_link_in_a_role_makes_every_path_reach_all(repository: Repository, link: str) -> None:
    more = {**ROLES, "roles/web/meta/main.yml": "dependencies: [common]\n"}
    if link != "roles/common":
        more["roles/common/tasks/main.yml"] = "[]\n"
    answer = reached(repository, tree(repository, more, {link: "elsewhere"}), path="README.md")
    assert answer.hosts == {"web1", "web2", "web3", "db1"}
    assert answer.why[0].words == f"{link} is a link, or lies behind one"


def test_more_texts_than_are_looked_through_make_every_path_reach_all(repository: Repository) -> None:
    names = [f"{number}.j2" for number in range(9)]
    tasks = "".join(f"- template: {{src: {name}, dest: /x}}\n" for name in names)
    more = {f"roles/web/templates/{name}": "# long\n" * 20_000 for name in names}
    answer = reached(repository, tree(repository, {**ROLES, "roles/web/tasks/main.yml": tasks, **more}), path="README")
    assert answer.why[0].words == "its playbook reads more than is looked through"
    assert len(answer.hosts) == 4


def test_a_large_inventory_is_not_read(repository: Repository) -> None:
    large = tree(repository, {"inventories/staging/hosts": "# long\n" * 100_000 + "web1\n"})
    assert not reached(repository, large).bounded
