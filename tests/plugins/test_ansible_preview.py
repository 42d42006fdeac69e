"""What files alone tell of a change of an Ansible environment: variables as Ansible stacks them, and templates."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from gitops_hooks.hookspec import Rendering
from gitops_hooks.plugins.ansible.host_variables import HostVariables
from gitops_hooks.plugins.ansible.preview import render
from tests.plugins.previewed import STAGING, Files, lines, preview_of, rendered

HOSTS = "inventories/staging/hosts"
WEB = "inventories/staging/group_vars/web.yml"
TEMPLATE = "roles/web/templates/web.j2"
SITE = {
    "site.yml": "- {hosts: web, roles: [web]}\n- {hosts: db, tasks: [{template: {src: db.j2, dest: /x}}]}\n",
    HOSTS: "[web]\nweb[1:3]\n[db]\ndb1\n[web:vars]\nlevel=3\n",
    "inventories/staging/group_vars/all.yml": "domain: example.org\nurl: 'http://{{ domain }}:{{ port }}/'\n",
    WEB: "port: 80\ndb_password: first\n",
    "inventories/staging/host_vars/web2.yml": "port: 81\n",
    "roles/web/defaults/main.yml": "workers: 4\n",
    "roles/web/tasks/main.yml": "- template: {src: web.j2, dest: /etc/web}\n",
    TEMPLATE: "listen {{ port }}\nworkers {{ workers }}\nurl {{ url }}\npassword {{ db_password }}\n",
    "templates/db.j2": "name {{ ansible_hostname }} {{ domain }}\n",
}
PORT = "@@ -1,4 +1,4 @@\n-listen 80\n+listen 8080\n workers 4\n-url http://example.org:80/\n+url http://example.org:8080/\n"


def told(edit: Files, files: Mapping[str, str] = SITE, hosts: list[str] | None = None) -> list[str]:
    return list(lines(rendered(Rendering(render), preview_of(files, edit, hosts=hosts))))


def test_a_value_that_becomes_another_is_told_with_its_hosts_and_the_templates_that_name_it() -> None:
    assert told({WEB: "port: 8080\ndb_password: first\n"}) == [
        "web1 web3: port: 80 → 8080",
        f"web1 web3: {TEMPLATE}: {PORT} password withheld",
    ]


def test_hosts_out_of_reach_are_not_looked_at() -> None:
    assert told({WEB: "port: 8080\ndb_password: first\n"}, hosts=["web3"])[0] == "web3: port: 80 → 8080"


def test_a_variable_that_another_one_names_reaches_the_template() -> None:
    found = told(
        {"inventories/staging/group_vars/all.yml": "domain: example.com\nurl: 'http://{{ domain }}:{{ port }}/'\n"}
    )
    assert found[0] == "db1 web1 web2 web3: domain: example.org → example.com"
    assert "+url http://example.com:81/" in found[2]
    assert found[-1] == "? db1: templates/db.j2: it asks for ansible_hostname"


def test_defaults_of_a_role_are_the_weakest() -> None:
    assert told({"roles/web/defaults/main.yml": "workers: 8\nport: 1\n"})[0].startswith(f"web1 web3: {TEMPLATE}: @@")
    assert "-listen" not in told({"roles/web/defaults/main.yml": "workers: 8\nport: 1\n"})[0]


@pytest.mark.parametrize(
    "tasks",
    [
        "- set_fact: {port: 3}\n",
        "- {command: x, register: port}\n",
        "- {debug: {msg: x}, loop: [1], loop_control: {loop_var: port}}\n",
        "- {debug: {msg: x}, vars: {port: 9}}\n",
    ],
)
def test_a_name_that_a_play_sets_is_not_known(tasks: str) -> None:
    edit = {"roles/web/tasks/main.yml": f"{tasks}- template: {{src: web.j2, dest: /x}}\n", TEMPLATE: "{{ port }}\n"}
    assert told(edit) == [f"? web1 web2 web3: {TEMPLATE}: it asks for port, which a play sets"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ nobody | default('x') }}", "it asks for nobody"),
        ("{% if ansible_os is defined %}{% endif %}", "it asks for ansible_os"),
        ("{{ port | ipaddr }}", "it is not read: No filter named 'ipaddr'."),
        ("{{ [1, 2] | random }}", "it is not read: No filter named 'random'."),
        ("{{ lookup('env', 'HOME') }}", "it asks for lookup"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ {}[db_password] }}", "'dict object' has no attribute 'withheld'"),
        ("{{ {}['ghp_0123456789abcdefghijABCDEFGHIJ012345'] }}", "withheld"),
        ("{{ port.__class__.__mro__ }}", "access to attribute '__class__' of 'int' object is unsafe."),
        ("{% set x = 'a' * 300000 %}{{ x }}{{ port }}", "it becomes too long"),
    ],
)
def test_what_is_not_known_says_so(text: str, why: str) -> None:
    (found,) = told({TEMPLATE: text})
    assert found == f"? web1 web2 web3: {TEMPLATE}: {why}"


def test_a_secret_that_becomes_another_is_withheld_everywhere() -> None:
    assert told({WEB: "port: 80\ndb_password: second\n"}) == [
        "web1 web2 web3: db_password: withheld",
        f"web1 web2 web3: {TEMPLATE}: withheld",
    ]


@pytest.mark.parametrize(
    "edit",
    [
        {WEB: "port: 80\ndb_password: first\nplain: ghp_0123456789abcdefghijABCDEFGHIJ012345\n"},
        {WEB: "port: 80\ndb_password: first\nplain: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3031\n"},
        {WEB: "port: 80\ndb_password: first\nmail: {smtp: {password: hunter2hunter2, port: 25}}\n"},
        {TEMPLATE: "token = hunter2hunter2\n"},
        {WEB: "port: 80\ndb_password: first\nplain: 8sK2mQ9xT4vB7nL1pR6wZ3cY5dF0gH8j\n"},
    ],
)
def test_no_secret_is_told_whatever_names_or_hides_it(edit: Files) -> None:
    text = "\n".join(told(edit))
    assert "withheld" in text
    assert not any(secret in text for secret in ("ghp_", "3031", "hunter2", "8sK2"))


def test_an_encrypted_file_is_told_by_its_name_and_may_say_otherwise() -> None:
    vault = "inventories/staging/group_vars/web/vault.yml"
    files = {path: text for path, text in SITE.items() if path != WEB}
    files |= {vault: "$ANSIBLE_VAULT;1.1;AES256\n3031\n", "inventories/staging/group_vars/web/vars.yml": "port: 80\n"}
    assert told({vault: "$ANSIBLE_VAULT;1.1;AES256\n3132\n"}, files) == [f"{vault}: withheld"]
    assert (
        told({"inventories/staging/group_vars/web/vars.yml": "port: 82\n"}, files)[-1]
        == f"? {vault} is encrypted, and may say otherwise"
    )


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        ({"inventories/staging/extra.py": "#!/bin/sh\n"}, "its inventory is none that can be read"),
        ({WEB: "port: [\n"}, f"{WEB}:2 cannot be read"),
        ({WEB: "port: 1\n", "ansible.cfg": "[defaults]\nhash_behaviour = merge\n"}, "ansible.cfg says hash_behaviour"),
        (
            {
                "site.yml": "- import_playbook: books/a.yml\n",
                "books/a.yml": "- hosts: web\n",
                "books/group_vars/web.yml": "port: 2\n",
            },
            "books/group_vars is read by some of the plays alone",
        ),
    ],
)
def test_what_stands_in_the_way_of_all_is_told_once(edit: Files, why: str) -> None:
    assert told(edit) == [f"? {why}"]


def test_hosts_that_come_and_go_are_told() -> None:
    assert told({HOSTS: "[web]\nweb1\nweb2\nweb4\n[db]\ndb1\n[web:vars]\nlevel=3\n"})[:2] == [
        "web4: new in the inventory",
        "web3: not in the inventory any more",
    ]


def test_what_renders_nothing_is_not_even_read() -> None:
    assert told({"roles/web/tasks/main.yml": "- debug: {msg: '{{ port }}'}\n", "README.md": "x\n"}) == []


STACKED = {
    "site.yml": "- hosts: all\n",
    "inventories/staging/hosts": """\
plain ansible_host=10.0.0.1 size=5 names="['a', 'b']" word='x y'
[web]
web[1:2] size=7
[front]
web1
[site:children]
web
front
[site:vars]
level = deep
zone=site
[web:vars]
zone=web
""",
    "inventories/staging/more.yml": "db: {hosts: {db1: {size: 9, map: {a: 1}}}, vars: {wide: yes, none: ~}}\n",
    "inventories/staging/group_vars/all.yml": "zone: all\ncolour: red\nwho: all\n",
    "inventories/staging/group_vars/web": "who: web\ncolour: blue\n",
    "inventories/staging/group_vars/front/b.yml": "who: front-b\n",
    "inventories/staging/group_vars/front/a.yml": "who: front-a\nonly: a\n",
    "inventories/staging/host_vars/web2.yml": "size: 8\nwho: web2\n",
    "group_vars/all.yml": "colour: green\nplaybook: 1\n",
    "group_vars/site.json": '{"who": "site", "deep": [1, {"b": null}]}',
    "host_vars/web2.yaml": "who: playbook-web2\n",
}


def test_hosts_have_what_ansible_itself_says_that_they_have(tmp_path: Path) -> None:
    for path, text in STACKED.items():
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    words = ["-i", "inventories/staging", "--playbook-dir", ".", "--list"]
    program = Path(sys.executable).with_name("ansible-inventory")
    ran = subprocess.run([program, *words], cwd=tmp_path, capture_output=True, timeout=60, check=True)
    asked = json.loads(ran.stdout)["_meta"]["hostvars"]
    preview = preview_of(STACKED, {"site.yml": "- hosts: web\n"})
    inventory = preview.old.inventory
    assert inventory is not None and inventory.hosts == set(asked) == {"plain", "web1", "web2", "db1"}
    told = HostVariables(STAGING, preview.old, inventory)
    assert {host: told.of(host) for host in asked} == asked
