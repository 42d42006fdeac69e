"""Stories of a guest's check: the policy in force tells it what to find, and exceptions lie on the target branch."""

from collections.abc import Iterator

import pytest

from tests.push.desk import POLICY, Desk
from tests.push.with_guest import guest_server
from tests.world import Template, World

NAMING = POLICY.replace("checks: [yaml]", "checks: [yaml, naming]")


@pytest.fixture(scope="module")
def guest() -> Iterator[Template]:
    with guest_server(NAMING) as template:
        yield template


@pytest.fixture
def desk(guest: Template) -> Iterator[Desk]:
    world = World.copied_from(guest)
    yield Desk.beside(world)
    world.close()


def told(desk: Desk, files: dict, onto: str = "main") -> list[str]:
    """What the check says of a proposal that is refused, a line each."""
    done = desk.push("alice", f"{desk.commit('alice', files)}:refs/for/{onto}")
    assert done.code != 0
    found = [line.strip() for line in done.remote.split("\n")]
    return [line for line in found[found.index("checks") + 1 :] if line]


def test_options_come_from_the_policy_in_force_and_never_from_the_one_that_is_pushed(desk: Desk):
    files = {"roles/web/tasks/main.yml": "[]\n"}
    assert told(desk, files) == ["roles/web/tasks/main.yml: call it acme-web"]
    other = NAMING + "checks: {naming: {prefix: w}}\n"
    assert told(desk, {**files, ".gitops/policy.yaml": other}) == ["roles/web/tasks/main.yml: call it acme-web"]
    desk.land({".gitops/policy.yaml": other})
    desk.propose("alice", files)


def test_a_policy_with_options_that_nobody_takes_is_refused_with_every_fault(desk: Desk):
    wrong = NAMING + "checks:\n  naming: {prefx: a, most: 5}\n  yaml:\n    deep: yes\n  spelling: {}\n"
    done = desk.push("alice", f"{desk.commit('alice', {'.gitops/policy.yaml': wrong})}:refs/for/main")
    assert done.code != 0
    assert [line.strip() for line in done.remote.split("\n") if "policy.yaml:" in line] == [
        ".gitops/policy.yaml:14: check naming has no option 'prefx'; it takes: prefix, most",
        ".gitops/policy.yaml:14: checks: naming: most: '5' is not a whole number from 6 to 99",
        ".gitops/policy.yaml:16: check yaml has no option 'deep'; it takes none",
        ".gitops/policy.yaml:17: there is no check spelling on this server; there are: make, naming,",
    ]


def test_exceptions_count_once_they_have_landed(desk: Desk):
    """Whoever brings a name together with its exception has excepted nothing yet."""
    files = {"roles/web/tasks/main.yml": "[]\n"}
    assert told(desk, {**files, ".naming": "web\n"}) == ["roles/web/tasks/main.yml: call it acme-web"]
    desk.land({".naming": "web\n"})
    desk.propose("alice", files)


def test_policy_check_tells_the_same_faults_before_a_push(desk: Desk):
    file = desk.world.folder / "policy.yaml"
    file.write_text(NAMING + "checks:\n  naming: {prefx: a}\n")
    done = desk.world.admin("policy", "check", str(file))
    assert (done.code, done.out) == (
        1,
        "policy.yaml:14: check naming has no option 'prefx'; it takes: prefix, most\n",
    )
