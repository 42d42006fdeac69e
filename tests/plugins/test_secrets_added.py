# ruff: noqa: E501  # a table is read along its lines
"""The check `secrets` looks at added lines only, and leaves alone what the target branch excepts with a reason."""

import pytest

from gitops_hooks.plugin import Severity
from gitops_hooks.plugins.secrets_check import gitops_checks
from gitops_hooks.plugins.secrets_values import is_about_randomness, is_random
from gitops_hooks.testing import MemoryTree, a_bench, a_change, run_check

(CHECK,) = gitops_checks()
WORD = "Tr0ub4dor-horse"
BODY = "MIIEpAIBAAKCAQEA7bq1aS0m3kZJ5eXhYw9uT8rQvN2pLcD4fG6hJ1kM"
KEY = f"-----BEGIN RSA PRIVATE {'KEY'}-----\n{BODY}\n{BODY}\n-----END RSA PRIVATE {'KEY'}-----\n"
CHANCE = "q7Lx0Vb9" + "TzR4mKd2" + "WpYh6Ns8" + "JgEc3Fa1" + "Uo5X"
LIST = ".gitops/secrets.yaml"


def lines(new: str, old: str | None = None, path: str = "group_vars/all.yml", **more: str) -> list[int]:
    """The lines that are told of a file that was `old` on the target branch, which holds these other files too."""
    target = {name: text.encode() for name, text in more.items()}
    target |= {path: old.encode()} if old is not None else {}
    return [each.line for each in run_check(CHECK, {path: new.encode()}, target=target)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (f"db_password: {WORD}\n", f"db_password: {WORD}\nport: 1\n", []),
        (f"db_password: {WORD}\n", f"port: 1\n\ndb_password: {WORD}\n", []),
        (f"db_password: {WORD}\n", f"db_password: {WORD}\r\nport: 1\r\n", []),
        (f"db_password: {WORD}\n", f"db_password: {WORD}9\n", [1]),
        (f"a: 1\ndb_password: {WORD}\n", f"api_token: {WORD}\ndb_password: {WORD}\n", [1]),
        (f"db_password: |\n  {WORD}\n", f"db_password: |\n  {WORD}9\n", [1]),
        (f"db_password: >-\n  {WORD}\n", f"db_password: >-\n  {WORD}9\n", [1]),
        (None, f"db_password: {WORD}\n", [1]),
        (KEY, KEY + "x: 1\n", []),
        (KEY, KEY.replace("SN2p", "SN2p").replace(BODY, BODY[::-1]), [1]),
    ],
)
def test_only_lines_that_the_change_brings_are_told(old, new, expected):
    assert lines(new, old) == expected


def test_a_file_that_only_gets_another_name_is_not_told_again():
    text = f"db_password: {WORD}\n".encode()
    tree = MemoryTree({"new.yml": text})
    change = a_change(tree, deleted=["old.yml"])
    assert len(list(CHECK.run(change, tree, a_bench(CHECK, None, MemoryTree({"old.yml": text}))))) == 1
    moved = a_change(tree)
    gone = a_change(MemoryTree({"old.yml": text})).files[0]
    gone = type(gone)("old.yml", gone.mode, gone.oid, 0, "0" * 40)
    change = type(moved)(1, moved.target, moved.base, moved.head, (*moved.files, gone))
    assert list(CHECK.run(change, tree, a_bench(CHECK, None, MemoryTree({"old.yml": text})))) == []


def test_a_vault_is_told_when_the_change_brings_something_to_it():
    path = "group_vars/all/vault.yml"
    assert lines("name: shop\nport: 1\n", "name: shop\n", path) == [0]
    assert lines("name: shop\n", "name: shop\nport: 1\n", path) == []


EXCEPTED = "- path: tests/**\n  reason: hosts of tests that nobody reaches\n"


def test_what_is_excepted_with_a_reason_on_the_target_branch_is_left_alone():
    assert lines(KEY, path="tests/a.pem", **{LIST: EXCEPTED}) == []
    assert lines(KEY, path="prod/a.pem", **{LIST: EXCEPTED}) == [1]


def test_an_exception_may_name_one_kind():
    one = EXCEPTED + "  kind: private key\n"
    assert lines(KEY, path="tests/a.pem", **{LIST: one}) == []
    assert lines(f"db_password: {WORD}\n", path="tests/a.yml", **{LIST: one}) == [1]


def test_whoever_brings_a_secret_with_its_exception_has_excepted_nothing_yet():
    files = {LIST: EXCEPTED.encode(), "tests/a.pem": KEY.encode()}
    assert [each.path for each in run_check(CHECK, files, target={})] == ["tests/a.pem"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("- path: a\n", 1, "an exception says its reason, in 10 characters at least"),
        ("- path: a\n  reason: ok\n", 1, "an exception says its reason, in 10 characters at least"),
        ("- reason: long enough to say it\n", 1, "an exception names its path"),
        ("- path: a\n  why: b\n  reason: long enough to say it\n", 2, "unknown key 'why'; allowed here: path, kind, reason"),
        ("- path: [a]\n  reason: long enough to say it\n", 1, "path must be text"),
        ("path: a\n", 1, "must be a list of exceptions, each with path and reason"),
        ("- path: a: b\n", 1, "mapping values are not allowed in this context"),
        ("- a\n", 1, "an exception names its path"),
        ("[" * 25_000, 1, "nested deeper than 64 levels"),
    ],
)  # fmt: skip
def test_a_list_of_exceptions_with_a_fault_is_refused_and_excepts_nothing(text, line, words):
    found = run_check(CHECK, {LIST: text.encode()}, target={})
    assert (LIST, line, words) in [(each.path, each.line, each.message) for each in found]
    broken = {LIST: (EXCEPTED + text).encode() if text.startswith("- ") else text.encode()}
    told = run_check(CHECK, {"tests/a.pem": KEY.encode()}, target=broken)
    assert [each.path for each in told if each.severity is Severity.ERROR] == ["tests/a.pem"]
    assert all("nothing is excepted while the target branch has this: " in each.message for each in told[:-1])
    assert len(told) > 1


def test_a_broken_list_on_the_target_branch_can_be_mended():
    assert run_check(CHECK, {LIST: EXCEPTED.encode()}, target={LIST: b"- path: a\n"}) == ()


def test_the_policy_may_want_no_exceptions_or_name_another_file():
    files, target = {"tests/a.pem": KEY.encode()}, {LIST: EXCEPTED.encode(), "other.yaml": b"[]"}
    for place in ("none", "other.yaml"):
        assert len(run_check(CHECK, files, target=target, options={"exceptions": place})) == 1
    assert run_check(CHECK, files, target={}, options={"ignore": ("tests/**",)}) == ()


@pytest.mark.parametrize("path", ["a.yml", "a.env", "hosts.ini"])
def test_a_random_text_is_told_and_refuses_nothing(path):
    text = f"wireguard_peer: {CHANCE}=\n" if path == "a.yml" else f"WIREGUARD_PEER={CHANCE}=\n"
    ((line, severity, words),) = [
        (each.line, each.severity, each.message) for each in run_check(CHECK, {path: text.encode()}, target={})
    ]
    assert (line, severity) == (1, Severity.WARNING)
    assert words.startswith("a random text under '") and CHANCE not in words


@pytest.mark.parametrize(
    "value",
    ["9be0d13f4c1c2aa5b6e7d8f90a1b2c3d4e5f6a7b", "AAAAC3NzaC1lZDI1NTE5AAAAIJ0q7Lx0Vb9TzR4mKd2WpYh6Ns8JgEc3Fa1Uo5X", "a" * 64,
     "f47ac10b-58cc-4372-a567-0e02b2c3d479", "MIIDazCCAlOgAwIBAgIUVbq7Lx0Vb9TzR4mKd2WpYh6Ns8JgEc3Fa1Uo5X", CHANCE[:31],
     "org-apache-kafka-connect-Runtime-Version-2x", "VeryLongCamelCaseNamesOfClasses123", "roles/web/templates/Site4Conf"],
)  # fmt: skip
def test_what_is_long_and_not_drawn_by_chance(value):
    assert not is_random(value)


def test_names_of_what_is_random_and_public():
    assert (
        is_about_randomness("sha256_checksum") and is_about_randomness("caBundle") and not is_about_randomness("peer")
    )


def test_a_private_key_in_base64_is_told():
    data = "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQ" + BODY * 2
    assert lines(f"kind: Secret\ndata:\n  tls.key: {data}\n", path="k8s/a.yaml") == [3]
    assert lines(f"data:\n  ca.crt: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t{BODY}{BODY}\n", path="k8s/a.yaml") == []


def test_names_of_secrets_in_kubernetes_are_no_secrets():
    chart = "existingSecret: shop-tls\ngithubConfigSecret: runner\n"
    external = "kind: ExternalSecret\nspec: {data: [{secretKey: app_id, remoteRef: {key: app}}]}\n"
    noted = "metadata:\n  annotations:\n    secret.reloader.example/reload: cloudflare-token\n"
    assert lines(chart) == lines(external) == lines(noted) == []
    assert lines("clientSecret: shop-tls\n") == lines("tlsSecret: Tr0ub4dor\n") == [1]


def test_a_file_is_not_judged_without_the_rest_of_its_change_since_another_may_have_been_its_old_name():
    assert not CHECK.each


def test_however_many_there_were_before_the_next_one_is_told():
    old = "".join(f"a{number}: https://deploy:{WORD}{number}@git.acme.org/\n" for number in range(60))
    new = f"next: https://deploy:{WORD}-new@git.acme.org/\n"
    assert lines(old + new, old, path="notes.txt") == [61]
    assert lines(new + old, old, path="notes.txt") == [1]
    # Placeholders are none either.
    assert lines("x://user:password@host\n" * 60 + new, path="notes.txt") == [61]
    assert len(lines(old, path="notes.txt")) == 50


def test_what_stands_behind_a_vault_is_in_the_clear():
    vault = "$ANSIBLE_VAULT;1.2;AES256;prod\n6162636465\n6667\n"
    assert lines(vault) == lines(vault.replace("\n", "\r\n")) == lines(vault + "\n") == []
    assert lines(vault + KEY) == [4]
    assert lines(vault + KEY, path="group_vars/vault.yml") == [0, 4]
