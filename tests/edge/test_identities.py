"""Who people are: one name, one key, one address belong to one person, and sshd's file follows."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gitops_hooks.edge.authorized_keys import read_block
from gitops_hooks.edge.config_edit import set_value
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import add_agent, add_user, load_people, remove_user
from gitops_hooks.edge.new_home import make_home
from gitops_hooks.edge.public_key import parse_key
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.people import Charge
from gitops_hooks.model.push import ActorKind


def line(private) -> str:
    return private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def new_key() -> str:
    return line(ed25519.Ed25519PrivateKey.generate())


def key_kind(text: str) -> str:
    """A name for a case without its key: keys are new in every process, and all of these must name the case alike."""
    return text[:11]


SK = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIP" + "A" * 42 + "AAAABHNzaDo="
RSA = rsa.generate_private_key(65537, 2048)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    make_home(home)
    return home


def test_a_new_user_is_known_and_may_log_in_to_the_forced_command_alone(home):
    key = new_key()
    person = add_user(home, "alice", f"{key} alice@laptop\n", ("Alice@Example.org", "a@b"))
    assert load_people(home).named("alice") == person
    assert (person.addresses, person.kind) == (("alice@example.org", "a@b"), ActorKind.PERSON)
    assert load_people(home).with_address("ALICE@example.org") == person
    fingerprint = person.keys[0].fingerprint
    launcher = home.path / "bin/gitops-shell"
    assert home.authorized_keys.read_text() == (
        "# gitops-hooks begin\n"
        f'command="{launcher} --user alice --key {fingerprint}",restrict {key} alice\n'
        "# gitops-hooks end\n"
    )
    assert home.authorized_keys.stat().st_mode & 0o777 == 0o600


def test_the_fingerprint_is_the_one_that_ssh_keygen_prints(home, tmp_path):
    (tmp_path / "k.pub").write_text(new_key())
    done = subprocess.run(["ssh-keygen", "-lf", str(tmp_path / "k.pub")], capture_output=True, text=True, timeout=20)
    assert parse_key((tmp_path / "k.pub").read_text()).fingerprint == done.stdout.split()[1]


def test_a_bot_is_written_as_one(home):
    add_user(home, "ci", new_key(), (), True)
    assert load_people(home).named("ci").kind is ActorKind.BOT


def test_removing_a_user_takes_the_line_and_the_name(home):
    add_user(home, "alice", new_key(), ())
    add_user(home, "bob", new_key(), ())
    assert remove_user(home, "alice").names == {"bob"}
    assert [text.split()[-1] for text in read_block(home.authorized_keys)] == ["bob"]
    assert remove_user(home, "bob").names == frozenset()
    assert read_block(home.authorized_keys) == ()
    assert add_user(home, "carol", new_key(), ()).name == "carol"


def test_somebody_who_is_not_there_cannot_be_removed(home):
    with pytest.raises(EdgeError) as caught:
        remove_user(home, "alice")
    assert str(caught.value) == "users.toml: there is no user 'alice'"


def test_other_lines_of_authorized_keys_stay_where_they_are(home, tmp_path):
    mine = tmp_path / "ssh" / "authorized_keys"
    mine.parent.mkdir(mode=0o700)
    mine.write_bytes(b"# mine \xff\n" + new_key().encode() + b" admin")
    set_value(home, "authorized_keys", str(mine))
    before = mine.read_bytes()
    add_user(home, "alice", new_key(), ())
    assert mine.read_bytes().startswith(before + b"\n# gitops-hooks begin\n")
    with mine.open("a") as out:
        out.write("# after\n")
    add_user(home, "bob", new_key(), ())
    assert mine.read_bytes().startswith(before + b"\n# gitops-hooks begin\n")
    assert mine.read_bytes().endswith(b" bob\n# gitops-hooks end\n# after\n")


def test_a_damaged_block_is_not_guessed_at(home):
    home.authorized_keys.write_text("# gitops-hooks begin\n")
    with pytest.raises(EdgeError) as caught:
        add_user(home, "alice", new_key(), ())
    assert str(caught.value) == (
        "authorized_keys: the lines '# gitops-hooks begin' and '# gitops-hooks end' must stand once each, "
        "in this order; mend the file"
    )


def test_a_home_with_quotes_spaces_and_backslashes_is_still_one_command(tmp_path):
    home = Home(tmp_path / "a \"b\" 'c' \\d")
    make_home(home)
    person = add_user(home, "alice", new_key(), ())
    (text,) = read_block(home.authorized_keys)
    option = text[: text.index(",restrict ssh-ed25519 ")]
    assert option.startswith('command="')
    assert option.endswith('"')
    # What sshd makes of it, and then the account's shell.
    command = option.removeprefix('command="')[:-1].replace('\\"', '"').replace("gitops-shell", "show", 1)
    (home.path / "bin" / "show").write_text('#!/bin/sh\nprintf "%s|" "$0" "$@"\n')
    (home.path / "bin" / "show").chmod(0o700)
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=20)
    assert done.stdout == f"{home.path}/bin/show|--user|alice|--key|{person.keys[0].fingerprint}|"


@pytest.mark.parametrize("name", ["", "Alice", "1a", "-a", "a b", "a/b", "ä", "a\n", "a" * 33, "*", "@ops"])
def test_a_name_outside_the_grammar_is_refused(home, name):
    with pytest.raises(PolicyError, match="'name'"):
        add_user(home, name, new_key(), ())
    assert load_people(home).names == frozenset()


@pytest.mark.parametrize("name", ["server", "all", "none"])
def test_a_reserved_name_is_refused(home, name):
    with pytest.raises(PolicyError, match=f"'{name}' is reserved; take another name"):
        add_user(home, name, new_key(), ())


def test_one_name_one_key_and_one_address_have_one_owner(home):
    key = new_key()
    add_user(home, "alice", key, ("a@example.org",))
    for name, text, address, why in [
        ("alice", new_key(), "x@example.org", "the name 'alice' belongs to 'alice' already"),
        ("bob", key, "x@example.org", f"the key {parse_key(key).fingerprint} belongs to 'alice' already"),
        ("bob", new_key(), "A@EXAMPLE.org", "the address 'a@example.org' belongs to 'alice' already"),
    ]:
        with pytest.raises(PolicyError) as caught:
            add_user(home, name, text, (address,))
        assert str(caught.value).endswith(why)
    assert load_people(home).names == {"alice"}


@pytest.mark.parametrize("address", ["", "alice", "a@b@c", "a b@c", "<a@b>", "a@b\n", "@b", "a@"])
def test_an_address_that_git_would_write_otherwise_is_refused(home, address):
    with pytest.raises(PolicyError, match="'addresses'"):
        add_user(home, "alice", new_key(), (address,))


@pytest.mark.parametrize(
    "text",
    [
        new_key(),
        line(ec.generate_private_key(ec.SECP256R1())),
        line(ec.generate_private_key(ec.SECP384R1())),
        line(ec.generate_private_key(ec.SECP521R1())),
        line(rsa.generate_private_key(65537, 3072)),
        SK,
        f"# a comment\n\n{new_key()} me@here with words\n",
    ],
    ids=key_kind,
)
def test_keys_of_today_are_taken(text):
    assert parse_key(text).fingerprint.startswith("SHA256:")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (line(RSA), "an RSA key needs 3072 bits and this has 2048; make an ed25519 key"),
        (line(dsa.generate_private_key(1024)), "the line must begin with one of ssh-ed25519"),
        (f'command="sh" {new_key()}', "options are not taken"),
        (f"no-pty {new_key()}", "options are not taken"),
        (f"{new_key()}\n{new_key()}", "a file must hold exactly one key"),
        ("", "a file must hold exactly one key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "this is a private key; give the .pub file beside it"),
        (new_key()[:-8], "the key is cut or has something after its end"),
        (new_key() + "AAAA", "the key is cut or has something after its end"),
        ("ssh-ed25519 " + line(RSA).split()[1], "the line says ssh-ed25519, the key itself another type"),
        ("ssh-ed25519 AAAA", "the key is cut or has something after its end"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", "this is no whole ssh-ed25519 key"),
        ("ssh-ed25519", "options are not taken"),
        ("x" * 20_000, "a file must hold exactly one key"),
    ],
    ids=key_kind,
)
def test_any_other_key_is_refused_with_the_reason(text, why):
    with pytest.raises(EdgeError) as caught:
        parse_key(text)
    assert why in str(caught.value)


def test_all_faults_of_the_file_come_at_once(home):
    home.users_file.write_text(
        f'[[user]]\nname = "alice"\nkeys = ["{new_key()}"]\nkind = "robot"\n'
        '[[user]]\nname = "bob"\nkeys = []\nshell = true\n[other]\n'
    )
    with pytest.raises(PolicyError) as caught:
        load_people(home)
    assert str(caught.value).split("\n") == [
        "users.toml:4: 'kind' must be 'person', 'bot' or 'agent', not 'robot'",
        "users.toml:7: 'keys' must hold at least one public key",
        "users.toml:8: unknown key 'shell' in [user]; known: addresses, keys, kind, name, openpgp",
        "users.toml:9: unknown key 'other'; known: user",
    ]


SITE = "r" * 32


def test_an_agent_logs_in_and_is_none_of_the_people(home):
    key = new_key()
    agent = add_agent(home, "web-agent", key, Charge(SITE, "production", ("web1", "web2")))
    people = load_people(home)
    assert (people.everybody, people.agents, people.names) == ((), (agent,), frozenset())
    assert (people.named("web-agent"), people.login("web-agent")) == (None, agent)
    assert agent.charge == Charge(SITE, "production", ("web1", "web2"))
    launcher = home.path / "bin/gitops-shell"
    line = f'command="{launcher} --user web-agent --key {agent.keys[0].fingerprint}",restrict {key} web-agent'
    assert read_block(home.authorized_keys) == (line,)
    remove_user(home, "web-agent")
    assert read_block(home.authorized_keys) == ()


@pytest.mark.parametrize(
    ("hosts", "told"),
    [
        (("web2", "web3"), "'web-agent' answers for web2 of production already"),
        (("*",), "'web-agent' answers for web1 web2 of production already"),
    ],
)
def test_two_agents_never_answer_for_one_host(home, hosts, told):
    add_agent(home, "web-agent", new_key(), Charge(SITE, "production", ("web1", "web2")))
    before = home.users_file.read_text()
    with pytest.raises(PolicyError) as caught:
        add_agent(home, "other", new_key(), Charge(SITE, "production", hosts))
    assert str(caught.value).split(": ", 1)[1] == told
    assert home.users_file.read_text() == before
    add_agent(home, "other", new_key(), Charge(SITE, "staging", hosts))


def test_what_no_agent_has_is_refused(home):
    home.users_file.write_text(
        f'[[user]]\nname = "a..b"\nkind = "agent"\nkeys = ["{new_key()}"]\nrepository = "{SITE}"\n'
        'environment = "production"\nhosts = []\naddresses = ["a@b"]\n'
        f'[[user]]\nname = "c"\nkind = "agent"\nkeys = []\nrepository = "{SITE}"\n'
        'environment = "Production"\nhosts = ["*", "web 1"]\n'
    )
    with pytest.raises(PolicyError) as caught:
        load_people(home)
    assert str(caught.value).split("\n") == [
        "users.toml:2: 'a..b' cannot be the name of a ref; take another name",
        "users.toml:7: 'hosts' must name hosts, or be ['*'] for every host of the environment",
        "users.toml:8: unknown key 'addresses' in [user]; known: environment, hosts, keys, kind, name, repository",
        "users.toml:12: 'keys' must hold at least one public key",
        "users.toml:14: 'environment' has a value that cannot be used: 'Production'",
        "users.toml:15: 'hosts' has an item that cannot be used or stands twice: 'web 1'",
        "users.toml:15: 'hosts' must name hosts, or be ['*'] for every host of the environment",
    ]
