"""One person has several keys and addresses, and is one person with all of them."""

import json
from pathlib import Path

import pytest

from gitops_hooks.edge.authorized_keys import expected_lines, read_block
from gitops_hooks.edge.identities import load_people
from tests.entry.test_cli import Admin


@pytest.fixture
def admin(tmp_path: Path) -> Admin:
    admin = Admin(tmp_path)
    admin.add("alice")
    admin.add("bob")
    return admin


def fingerprints(admin: Admin, name: str = "alice") -> list[str]:
    return [key.fingerprint for key in load_people(admin.home).named(name).keys]


def lines_are_whole(admin: Admin) -> bool:
    return read_block(admin.home.authorized_keys) == expected_lines(admin.home, load_people(admin.home))


def test_a_second_key_is_added_and_listed_and_the_first_one_goes(admin: Admin) -> None:
    (first,) = fingerprints(admin)
    done = admin("user", "key", "add", "alice", admin.key("laptop"))
    first_again, second = fingerprints(admin)
    assert first_again == first
    assert (done.returncode, done.stdout) == (0, f"added {second} to alice, who has 2 keys\n")
    assert admin("user", "key", "list", "alice").stdout == f"alice  {first}\nalice  {second}\n"
    assert [row["name"] for row in json.loads(admin("user", "key", "list", "--json").stdout)] == ["alice"] * 2 + ["bob"]
    assert lines_are_whole(admin)
    done = admin("user", "key", "remove", "alice", first)
    assert (done.returncode, done.stdout) == (0, f"removed {first} from alice, who has 1 key\n")
    assert fingerprints(admin) == [second]
    assert lines_are_whole(admin)
    assert first not in admin.home.authorized_keys.read_text()


def test_a_key_by_the_input(admin: Admin) -> None:
    done = admin("user", "key", "add", "alice", "-", text=Path(admin.key("laptop")).read_text())
    assert (done.returncode, len(fingerprints(admin))) == (0, 2)


def test_the_last_key_stays_and_a_key_of_another_or_twice_is_refused(admin: Admin) -> None:
    (alices,), (bobs,) = fingerprints(admin), fingerprints(admin, "bob")
    before = admin.home.users_file.read_bytes()
    done = admin("user", "key", "remove", "alice", alices)
    assert (done.returncode, done.stderr) == (
        2,
        "gitops: users.toml: this is the only key of 'alice'; add another first, or: user remove alice\n",
    )
    done = admin("user", "key", "remove", "alice", bobs)
    assert done.stderr == (f"gitops: users.toml: 'alice' has no key {bobs}; see: gitops-hooks user key list alice\n")
    done = admin("user", "key", "add", "alice", admin.key("bob"))
    assert (done.returncode, done.stderr) == (
        2,
        f"gitops: users.toml:10: the key {bobs} belongs to 'alice' already\n",
    )
    done = admin("user", "key", "add", "alice", admin.key("alice"))
    assert done.stderr.endswith(f"the key {alices} belongs to 'alice' already\n")
    assert admin.home.users_file.read_bytes() == before


def test_addresses_come_and_go_one_by_one(admin: Admin) -> None:
    done = admin("user", "email", "add", "alice", "Alice@home.example")
    assert (done.returncode, done.stdout) == (0, "added alice@home.example to alice, who has 2 addresses\n")
    assert load_people(admin.home).with_address("alice@home.example").name == "alice"
    assert admin("user", "email", "add", "bob", "alice@home.example").returncode == 2
    done = admin("user", "email", "remove", "alice", "ALICE@home.example")
    assert (done.returncode, done.stdout) == (0, "removed ALICE@home.example from alice, who has 1 address\n")
    assert load_people(admin.home).with_address("alice@home.example") is None
