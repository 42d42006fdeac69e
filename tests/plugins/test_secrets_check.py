# ruff: noqa: E501  # a table is read along its lines
"""What the check `secrets` finds, that it never says it, and that ordinary Ansible is left alone.

Every secret here is put together while the test runs, so that no scanner takes this file for a leak.
"""

import time

import pytest

from gitops_hooks.plugin import Finding
from gitops_hooks.plugins.secrets_check import gitops_checks
from gitops_hooks.plugins.secrets_values import is_literal_secret, is_secret_name
from gitops_hooks.testing import SYMLINK, MemoryTree, a_bench, a_change, run_check

(CHECK,) = gitops_checks()
CURE = "encrypt it with ansible-vault, then change the secret: it was pushed"
BODY = "MIIEpAIBAAKCAQEA7bq1aS0m3kZJ5eXhYw9uT8rQvN2pLcD4fG6hJ1kM" + "\n"
WORD = "Tr0ub4dor-horse"


def findings(path: str, text: str) -> list[tuple[int, str]]:
    return [(finding.line, finding.message) for finding in run_check(CHECK, {path: text.encode()})]


def begin(kind: str) -> str:
    return f"-----BEGIN {kind}-----\n"


SHAPES = [
    ("a private key", begin("RSA PRIVATE " + "KEY") + BODY),
    ("a private key", begin("PRIVATE " + "KEY") + BODY),
    ("a private key", begin("OPENSSH PRIVATE " + "KEY") + BODY),
    ("a private key", begin("ENCRYPTED PRIVATE " + "KEY") + BODY),
    ("a private key", begin("PGP PRIVATE " + "KEY BLOCK") + "Version: GnuPG\n\n" + BODY),
    ("a private key", 'key: "' + begin("EC PRIVATE " + "KEY").strip() + "\\n" + BODY.strip() + '"'),
    ("an AWS access key", "AKIA" + "QYLPMN5HHHFPZAM2"),
    ("a GitHub token", "ghp_" + "a1B2c3D4" * 5),
    ("a GitHub token", "github_pat_" + "a" * 22 + "_" + "b1" * 29 + "c"),
    ("a GitLab token", "glpat-" + "a1B2c3D4e5F6g7H8i9J0"),
    ("a Slack token", "xoxb-" + "123456789012-abcdefABCDEF"),
    ("a Slack webhook", "https://hooks.slack.com/services/" + "T0123ABCD/B0123ABCD/" + "a1B2c3D4" * 3),
    ("a Stripe key", "sk_live_" + "a1B2c3D4" * 3),
    ("a Google API key", "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6q"),
    ("an npm token", "npm_" + "a1B2" * 9),
    ("a PyPI token", "pypi-" + "AgEIcHlwaS5vcmc" + "a1B2" * 20),
    ("a DigitalOcean token", "dop_v1_" + "0a1b2c3d" * 8),
    ("a HashiCorp Vault token", "hvs." + "a1B2c3D4" * 4),
    ("a JSON web token", "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0" + "." + "a1B2c3D4" * 5),
    ("a password in an address", "postgres://app:" + WORD + "@db.internal/app"),
    ("an age private key", "AGE-SECRET-" + "KEY-1" + "QPZRY9X8GF" * 5 + "QPZRY9X8"),
]


@pytest.mark.parametrize(("kind", "secret"), SHAPES, ids=[f"{n}-{kind}" for n, (kind, _) in enumerate(SHAPES)])
@pytest.mark.parametrize("path", ["notes.txt", "roles/web/files/x.conf", "main.tf"])
def test_what_its_shape_gives_away_is_told_by_kind_and_line(path, kind, secret):
    assert (2, f"{kind}; {CURE}") in findings(path, f"first line\nx {secret} y\n".replace("x -", "-"))


@pytest.mark.parametrize(("kind", "secret"), SHAPES, ids=[f"{n}-{kind}" for n, (kind, _) in enumerate(SHAPES)])
def test_no_finding_holds_the_secret(kind, secret):
    said = " ".join(message for _, message in findings("a.yml", f"db_password: {WORD}\nx: '{secret.strip()}'\n"))
    assert said
    assert not any(part in said for part in (secret, secret.strip(), WORD))


@pytest.mark.parametrize(
    "text",
    [
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0q alice@example.org",
        begin("PUBLIC KEY") + BODY,
        begin("CERTIFICATE") + BODY,
        begin("PGP PUBLIC KEY BLOCK") + BODY,
        "grep -q 'BEGIN RSA PRIVATE " + "KEY-----' /etc/ssl/key.pem",
        begin("PRIVATE " + "KEY") + "{{ tls_key }}\n",
        "AKIA" + "IOSFODNN7EXAMPLE",
        "https://user:password@example.org/",
        "https://user:" + WORD + "@example.com/",
        "https://user:{{ token }}@host.internal/",
        "https://user:$TOKEN@host.internal/",
        "http://host.internal:8080/path@here",
        "commit 9be0d13f4c1c2aa5b6e7d8f90a1b2c3d4e5f6a7b",
        "sha256:" + "0a1b2c3d" * 8,
        "ghp_short",
        "sk-learn and sk_live_docs",
    ],
)
def test_what_only_looks_like_a_secret_is_left_alone(text):
    assert findings("notes.txt", f"{text}\n") == []


@pytest.mark.parametrize(
    "name",
    ["password", "db_password", "mysql_root_password", "user_password", "login_password", "ansible_become_password",
     "ansible_ssh_pass", "apiKey", "api_key", "API_KEY", "secret", "client_secret", "secret_key_base", "auth_token",
     "githubToken", "passphrase", "aws_secret_access_key", "vault_db_password", "encryption_key", "DB_PASSWORD",
     "service_account_token", "admin_pwd"],
)  # fmt: skip
def test_names_that_stand_for_secrets(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["update_password", "token_ttl", "password_file", "no_log", "key", "public_key", "ssh_key", "secretName",
     "password_hash", "passwordAuthentication", "PasswordAuthentication", "password_lock", "secretKeyRef", "max_tokens",
     "private_key_path", "password_expire_min", "require_password", "generate_token", "secret_id", "passthrough", "bypass",
     "compass", "tokenizer", "monkey", "keyboard", "secrets", "access_key_id", "token_url", "", "123",
     "token_pki_crt", "password_hashing_algo", "secret__ldap_delegate_to"],
)  # fmt: skip
def test_names_that_are_about_secrets_or_nothing_of_the_kind(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "value", [WORD, "hunter2", "123456", "correct horse battery staple", "c2VjcmV0IHZhbHVl", "s3cr3t!", "a/b+c=="]
)
def test_values_that_are_the_secret_itself(value):
    assert is_literal_secret(value)


@pytest.mark.parametrize(
    "value",
    ["", "{{ vault_password }}", "{{ lookup('env', 'X') }}", "${TOKEN}", "$TOKEN", "$(cat x)", "<password>", "changeme",
     "CHANGE_ME", "xxxx", "****", "...", "null", "true", "always", "on_create", "30", "/etc/ssl/key.pem", "~/.ssh/id",
     "file:/etc/x", "vault:secret/x", "env:X", "ENC[AES256_GCM,data:x]", "var.db_password", "secrets.TOKEN", "%PASSWORD%",
     "$6$rounds=5000$salt$hash", "$2b$12$abcdefghijklmnopqrstuv", "$y$j9T$x$y", "{SSHA}abcdef", "!", "*", "!!", "your-token-here",
     "md5" + "0a1b2c3d" * 4, "ssh-ed25519 AAAAC3Nz alice", "https://vault.internal/v1", "example-password", "omit"],
)  # fmt: skip
def test_values_that_are_a_way_to_a_secret_or_none(value):
    assert value == "on_create" or not is_literal_secret(value)


@pytest.mark.parametrize(
    ("path", "text", "line", "name"),
    [
        ("group_vars/all.yml", f"a: 1\ndb_password: {WORD}\n", 2, "db_password"),
        ("group_vars/all", f"db_password: {WORD}\n", 1, "db_password"),
        ("host_vars/web1.json", f'{{"api_key": "{WORD}"}}', 1, "api_key"),
        (
            "site.yml",
            f"- hosts: all\n  vars:\n    users:\n      - name: bob\n        password: {WORD}\n",
            5,
            "password",
        ),
        ("roles/db/tasks/main.yml", f"- mysql_user:\n    login_password: '{WORD}'\n", 2, "login_password"),
        ("tokens.yaml", f"token:\n  - {WORD}\n", 2, "token"),
        ("k8s/secret.yaml", "kind: Secret\ndata:\n  password: aHVudGVyMg==\n", 3, "password"),
        ("inventories/prod/hosts", f"[db]\ndb1 x=1 db_password={WORD}\n", 2, "db_password"),
        ("inventories/prod/hosts.ini", f"[db:vars]\ndb_password = '{WORD}'\n", 2, "db_password"),
        (".env", f"A=1\nexport API_TOKEN={WORD}\n", 2, "API_TOKEN"),
        (".env.production", f'SECRET_KEY="{WORD}"\n', 1, "SECRET_KEY"),
        ("terraform.tfvars", f'db_password = "{WORD}"\n', 1, "db_password"),
    ],
)
def test_a_literal_value_under_a_secret_name_is_told(path, text, line, name):
    assert findings(path, text) == [(line, f"a literal value under '{name}'; {CURE}")]


VAULT = "$ANSIBLE_VAULT;1.1;AES256\n61626364\n"
ORDINARY = {
    "roles/users/tasks/main.yml": '- user:\n    name: bob\n    password: "{{ bob_hash }}"\n    update_password: on_create\n'
    "    password_expire_max: 90\n    password_lock: true\n  no_log: true\n"
    "- authorized_key: {user: bob, key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0q bob}\n",
    "group_vars/all/users.yml": "users:\n  - name: bob\n    password: $6$rounds=656000$abc$defghijklmnop\n",
    "group_vars/all/main.yml": 'token_ttl: 30\ndb_password: "{{ vault_db_password }}"\ntls_key: /etc/ssl/x.key\n'
    "api_key: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n",
    "group_vars/all/vault.yml": VAULT,
    "host_vars/web1/vault.yml": "db_password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n",
    "host_vars/web2/vault.yml": "---\n# nothing yet\n",
    "host_vars/web3/vault.yml": "db_password: \"{{ lookup('env', 'DB') }}\"\n",
    "playbooks/vault.yml": "- hosts: vault_servers\n  roles: [vault]\n",
    "roles/vault/tasks/vault.yml": "- debug: msg=x\n",
    "roles/sshd/vars/main.yml": "sshd_PasswordAuthentication: 'no'\n",
    ".env.example": "API_TOKEN=abcdefghijkl\n",
    ".github/workflows/ci.yml": "permissions: {id-token: write}\nenv: {TOKEN: '${{ secrets.TOKEN }}'}\n",
    "docker-compose.yml": "services:\n  db:\n    environment: {POSTGRES_PASSWORD: '${PW:?}'}\nsecrets: {a: {file: x}}\n",
    "k8s/sealed.yaml": "kind: SealedSecret\nspec: {encryptedData: {password: AgBy8hCi8bQ}}\n",
    "k8s/pod.yaml": "env:\n- name: PASSWORD\n  valueFrom: {secretKeyRef: {name: db, key: password}}\n",
    "roles/web/templates/app.conf.j2": "password = {{ db_password }}\n",
    "app.conf": "# password = hunter2hunter2\npassword = ${DB}\n",
    "README.md": "Set `password: hunter2hunter2` in the vault.\n",
}


@pytest.mark.parametrize("path", ORDINARY)
def test_ordinary_files_are_left_alone(path):
    assert findings(path, ORDINARY[path]) == []


@pytest.mark.parametrize(
    "path",
    ["group_vars/all/vault.yml", "host_vars/web1/vault", "group_vars/all/db_vault.yaml", "group_vars/prod/secrets.yml",
     "inventories/prod/group_vars/all/vault.yml", "vars/vault.yml", "vault.yml"],
)  # fmt: skip
def test_a_file_named_like_a_vault_must_be_one(path):
    assert findings(path, "db_name: shop\n") == [
        (0, f"is named like a vault and is not encrypted; ansible-vault encrypt {path}")
    ]


def test_only_changed_files_are_read_and_links_and_deleted_ones_are_not():
    secret = f"password: {WORD}\n".encode()
    tree = MemoryTree({"old.yml": secret, "link.yml": secret, "new.yml": b"a: 1\n"}, {"link.yml": SYMLINK})
    assert list(CHECK.run(a_change(tree, ["link.yml", "new.yml"], deleted=["gone.yml"]), tree, a_bench(CHECK))) == []


def test_a_file_that_is_not_read_is_told():
    tree = MemoryTree({"disk.img": b"x" * 11}, most=10)
    assert list(CHECK.run(a_change(tree), tree, a_bench(CHECK))) == [
        Finding("disk.img", 0, "is 11 bytes; at most 10 are read; what is not read cannot be judged")
    ]


def test_binary_files_are_searched_for_shapes_alone():
    text = b"\0\1\2password = hunter2hunter2\n" + SHAPES[6][1].encode()
    assert [finding.line for finding in run_check(CHECK, {"x.conf": text})] == [2]


@pytest.mark.parametrize(
    "text",
    [b"a" * 4_000_000, b"eyJaaaaaaaaaaa-" * 250_000, b"a.b-" * 1_000_000, b"x://" * 1_000_000, b"a " * 2_000_000,
     b"password =" * 400_000, ("AKIA" + "QYLPMN5HHHFPZAM2 ").encode() * 190_000, b"-----BEGIN " * 360_000],
    ids=range(8),
)  # fmt: skip
@pytest.mark.parametrize("path", ["x.txt", "x.conf"])
def test_no_text_takes_long(path, text):
    began = time.process_time()
    assert len(run_check(CHECK, {path: text})) <= 50
    assert time.process_time() - began < 15
