# ruff: noqa: E501  # a table is read along its lines
"""What the check `ansible` finds in playbooks, tasks, roles and inventories, and what it leaves alone."""

import functools

import pytest

from gitops_hooks.plugin import Finding, Severity
from gitops_hooks.plugins.ansible.check import gitops_checks
from gitops_hooks.testing import SYMLINK, run_check

CHECK = {check.name: check for check in gitops_checks()}["ansible"]

# What Ansible's own programs add is told in test_ansible_tools.py.
read = functools.partial(run_check, CHECK, options={"tools": False})


def findings(path: str, text: str, others: dict[str, str] | None = None) -> list[tuple[int, str]]:
    files = {path: text.encode()} | {name: content.encode() for name, content in (others or {}).items()}
    return [(finding.line, finding.message) for finding in read(files, changed=[path])]


TASKS = "roles/web/tasks/main.yml"


def test_a_decimal_mode_is_told_as_people_write_it():
    text = "- name: motd\n  ansible.builtin.copy:\n    content: hello\n    dest: /etc/motd\n    mode: 644\n"
    assert read({TASKS: text.encode()}) == (
        Finding(TASKS, 5, "'mode: 644' is a decimal number; write '0644'", Severity.WARNING),
    )


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("755", "'mode: 755' is a decimal number; write '0755'"),
        ("1777", "'mode: 1777' is a decimal number; write '1777'"),
        ("420", "'mode: 420' is a decimal number; write '0420'"),
        ("493", "'mode: 493' is a decimal number; write it octal and in quotes, as in '0644'"),
        ("0x1a4", "'mode: 0x1a4' is a decimal number; write it octal and in quotes, as in '0644'"),
    ],
)
def test_modes_that_are_numbers_are_told(mode, message):
    assert findings(TASKS, f"- file: {{path: /x, mode: {mode}}}\n") == [(1, message)]


def test_an_unquoted_octal_mode_is_a_warning():
    assert read({TASKS: b"- file: {path: /x, mode: 0644}\n"}) == (
        Finding(TASKS, 1, "'mode: 0644' is octal to YAML 1.1 alone; write '0644' in quotes", Severity.WARNING),
    )


@pytest.mark.parametrize("mode", ["'0644'", '"644"', "u=rw,g=r", "preserve", "'{{ mode }}'"])
def test_modes_that_are_text_are_fine(mode):
    assert findings(TASKS, f"- file:\n    path: /x\n    mode: {mode}\n") == []


def test_modes_in_args_are_looked_at_and_modes_of_other_modules_are_not():
    text = "- file: path=/x mode=644\n  args:\n    mode: 644\n- acme.radio.channel:\n    mode: 802\n"
    assert findings(TASKS, text) == [(3, "'mode: 644' is a decimal number; write '0644'")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [(0, "this playbook is empty")]),
        ("---\n# later\n", [(3, "this playbook is empty")]),
        ("[]\n", [(1, "this playbook is empty")]),
        ("hosts: web\ntasks: []\n", [(1, "a playbook is a list of plays; begin each play with '- '")]),
        ("- hosts: web\n", [(1, "this play is empty: it has neither tasks nor roles")]),
        ("- hosts: web\n  tasks:\n", [(1, "this play is empty: it has neither tasks nor roles")]),
        ("- hosts:\n  tasks: [{debug: }]\n", [(1, "'hosts' names nobody")]),
        ("- hosts: web\n  tasks: [{debug: }]\n- name: x\n  tasks: [{debug: }]\n", [(3, "a play needs 'hosts'")]),
        ("- hosts: web\n  tasks: [{debug: }]\n- text\n", [(3, "a play is a mapping with 'hosts'")]),
        ("- hosts: web\n  task:\n    - debug:\n  roles: []\n  gather_facts: true\n", [(2, "'task' is no keyword of a play; did you mean 'tasks'?")]),
        ("- hosts: web\n  tasks:\n    debug:\n", [(3, "'tasks' is a list of tasks; begin each task with '- '")]),
        ("- hosts: web\n  tasks:\n    - debug\n", [(3, "a task is a mapping with a module's name in it")]),
        ("- hosts: web\n  tasks:\n    - name: nothing\n", [(3, "this task does nothing: it names no module")]),
        ("- hosts: web\n  tasks:\n    - debug:\n      whne: x\n", [(4, "one task names two modules: debug, whne; did you mean 'when'?")]),
        ("- hosts: web\n  tasks:\n    - debug:\n      command: id\n", [(4, "one task names two modules: debug, command")]),
        ("- hosts: web\n  tasks:\n    - block:\n        - debug\n      resuce: []\n", [(4, "a task is a mapping with a module's name in it"), (5, "'resuce' is no keyword of a block; did you mean 'rescue'?")]),
        ("- hosts: web\n  tasks: [\n", [(3, "did not find expected node content, while parsing a flow node")]),
        ("- hosts: web\n  hosts: db\n  tasks: [{debug: }]\n", [(2, "duplicate key 'hosts', first on line 1")]),
    ],
)  # fmt: skip
def test_a_playbook_that_ansible_would_not_take_is_told(text, expected):
    assert findings("site.yml", text) == expected


def test_tasks_of_a_role_are_asked_for_tasks():
    assert findings(TASKS, "debug:\n") == [(1, "'tasks' is a list of tasks; begin each task with '- '")]
    assert findings("roles/web/handlers/main.yml", "- hosts: web\n  tasks: []\n") == [
        (1, "a play among tasks; a file holds plays or tasks, never both")
    ]


@pytest.mark.parametrize(
    "path", ["group_vars/all.yml", "host_vars/web1", "roles/web/defaults/main.yml", "roles/web/vars/main.yml"]
)
def test_variables_are_a_mapping(path):
    assert findings(path, "- a\n") == [(1, "variables are a mapping of names to values")]
    assert findings(path, "a: 1\n") == findings(path, "---\n") == []


PLAY = "- hosts: web\n  roles:\n    - web\n    - role: db\n"


def test_roles_that_a_play_names_must_exist():
    assert findings("site.yml", PLAY, {"roles/web/tasks/main.yml": ""}) == [
        (4, "role 'db' does not exist; expected roles/db/")
    ]


def test_roles_are_found_beside_the_playbook_and_above_it():
    files = {"playbooks/roles/web/tasks/main.yml": "", "roles/db/tasks/main.yml": ""}
    assert findings("playbooks/site.yml", PLAY, files) == []


def test_roles_behind_a_symbolic_link_are_taken_to_exist():
    files = {"site.yml": PLAY.encode(), "roles": b"../shared/roles"}
    assert read(files, modes={"roles": SYMLINK}) == ()


def test_roles_of_collections_templates_and_requirements_are_not_errors():
    text = "- hosts: web\n  roles:\n    - acme.net.web\n    - '{{ which }}'\n    - src: https://x/y.git\n"
    assert findings("site.yml", text) == []
    assert read({"site.yml": PLAY.encode(), "requirements.yml": b""}, changed=["site.yml"]) == (
        Finding(
            "site.yml", 3, "role 'web' is not in the repository; it must be installed on the server", Severity.WARNING
        ),
        Finding(
            "site.yml", 4, "role 'db' is not in the repository; it must be installed on the server", Severity.WARNING
        ),
    )


def test_requirements_beside_the_playbook_count_too():
    files = {"elk/play.yml": PLAY.encode(), "elk/roles/requirements.yml": b"", "elk/roles/db/tasks/main.yml": b""}
    assert [found.severity for found in read(files, changed=["elk/play.yml"])] == [Severity.WARNING]


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("template: {src: vhost.j2, dest: /x}", "file 'vhost.j2' does not exist (looked in templates/ too)"),
        ("ansible.builtin.copy: {src: motd, dest: /x}", "file 'motd' does not exist (looked in files/ too)"),
        ("include_tasks: more.yml", "file 'more.yml' does not exist (looked in tasks/ too)"),
        ("import_tasks: {file: more.yml}", "file 'more.yml' does not exist (looked in tasks/ too)"),
        ("include_vars: more.yml", "file 'more.yml' does not exist (looked in vars/ too)"),
        ("script: setup.sh --now", "file 'setup.sh' does not exist (looked in files/ too)"),
        ("import_role: {name: nginx}", "role 'nginx' does not exist; expected roles/nginx/"),
        ("copy: {src: ../../../../etc/passwd, dest: /x}", "file '../../../../etc/passwd' does not exist (looked in files/ too)"),
    ],
)  # fmt: skip
def test_files_that_a_task_names_must_exist(task, message):
    assert findings(TASKS, f"- name: x\n  {task}\n") == [(2, message)]


@pytest.mark.parametrize(
    ("task", "place"),
    [
        ("template: {src: vhost.j2, dest: /x}", "roles/web/templates/vhost.j2"),
        ("template: {src: ../files/vhost.j2, dest: /x}", "roles/web/files/vhost.j2"),
        ("copy: {src: motd, dest: /x}", "roles/web/files/motd"),
        ("copy: {src: conf.d/, dest: /x}", "roles/web/files/conf.d/a"),
        ("copy: {src: files/motd, dest: /x}", "files/motd"),
        ("include_tasks: more.yml", "roles/web/tasks/more.yml"),
        ("include_vars: Debian.yml", "roles/web/vars/Debian.yml"),
        ("include_role: {name: nginx}", "roles/nginx/tasks/main.yml"),
    ],
)
def test_files_are_found_where_ansible_looks(task, place):
    assert findings(TASKS, f"- {task}\n", {place: ""}) == []


@pytest.mark.parametrize(
    "task",
    [
        "template: {src: '{{ item }}.j2', dest: /x}",
        "copy: {src: /etc/hosts, dest: /x, remote_src: true}",
        "copy: {content: hello, dest: /x}",
        "unarchive: {src: 'https://example.org/x.tgz', dest: /x, remote_src: yes}",
        "include_vars: {dir: vars}",
        "include_tasks: '{{ ansible_os_family }}.yml'",
        "copy: src=motd dest=/x",
        "script: '{{ tool }} now'",
    ],
)
def test_names_that_cannot_be_judged_are_left_alone(task):
    assert findings(TASKS, f"- {task}\n") == []


def test_variable_files_and_imported_playbooks_must_exist():
    text = "- import_playbook: db.yml\n- hosts: web\n  vars_files: [a.yml, [b.yml, c.yml]]\n  roles: []\n  tasks: [{debug: }]\n"
    assert findings("site.yml", text, {"vars/c.yml": ""}) == [
        (1, "file 'db.yml' does not exist"),
        (3, "file 'a.yml' does not exist (looked in vars/ too)"),
    ]


def test_dependencies_of_a_role_must_exist():
    text = "galaxy_info: {}\ndependencies:\n  - common\n  - role: db\n"
    assert findings("roles/web/meta/main.yml", text, {"roles/db/tasks/main.yml": ""}) == [
        (3, "role 'common' does not exist; expected roles/common/")
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[web\nweb1\n", [(1, "a section is [group], [group:vars] or [group:children]")]),
        ("[web:hosts]\nweb1\n", [(1, "':hosts' is no kind of section; only :vars and :children are")]),
        ("[web:vars]\nhttp_port 80\n", [(2, "a variable is written name=value")]),
        ("[web]\nweb1 note='a\n", [(2, "a quote is opened and never closed")]),
        ("[web]\nweb1 http_port 80\n", [(2, "'http_port' is no variable; after a host's name stand name=value pairs")]),
        ("[all:children]\nweb\ndb x=1\n[web]\n", [(3, "a child group stands alone on its line")]),
        ("[site:children]\nweb\ndb\n[web]\nweb1\n", [(3, "group 'db' is named here and defined nowhere in this file")]),
    ],
)
def test_an_ini_inventory_that_ansible_would_not_take_is_told(text, expected):
    assert findings("inventories/prod/hosts", text) == expected
    assert findings("hosts.ini", text) == expected


def test_good_ini_inventories_are_left_alone():
    text = (
        "# all\nlone\n[web]  # servers\nweb[01:20].example.org ansible_host=10.0.0.1 note='a b' # remark\n"
        "[2001:db8::1]:22 x=1\n[db:vars]\nnote = it's ours\n[db]\n[site:children]\nweb\ndb # and this\n"
    )
    assert findings("inventories/prod/hosts", text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- web1\n", [(1, "an inventory is a mapping of groups, with 'all' at its top")]),
        ("all:\n  host:\n    web1:\n", [(2, "'host' is not read in a group; only hosts, vars and children are")]),
        ("all:\n  hosts: [web1]\n", [(2, "'hosts' of group 'all' is a mapping; write names with ':'")]),
        ("all:\n  children:\n    web: web1\n", [(3, "group 'web' is a mapping of hosts, vars and children")]),
    ],
)
def test_a_yaml_inventory_that_ansible_would_not_take_is_told(text, expected):
    assert findings("inventories/prod/hosts.yml", text) == expected


def test_good_yaml_inventories_are_left_alone():
    text = "all:\n  vars: {a: 1}\n  children:\n    web:\n      hosts:\n        web1:\n        web2: {b: 2}\n    db:\n"
    assert findings("inventories/prod/hosts.yml", text) == findings("inventory/main", text) == []


GOOD_SITE = """---
- name: Web servers
  hosts: web
  become: true
  gather_facts: false
  serial: [1, 25%]
  vars_files: [vars/common.yml]
  pre_tasks:
    - name: Look
      ansible.builtin.command: id
      register: who
      changed_when: false
      tags: [always]
  roles:
    - web
    - {role: web, vars: {port: 80}, tags: web}
  tasks:
    - name: Together
      when: who.rc == 0
      block:
        - ansible.builtin.template:
            src: site.conf.j2
            dest: /etc/site.conf
            mode: '0644'
          loop: "{{ sites }}"
          loop_control: {label: "{{ item.name }}"}
          notify: Reload
        - debug: msg=x
          with_items: [1]
      rescue:
        - fail: {msg: x}
      always:
        - meta: flush_handlers
    - action: ping
  handlers:
    - name: Reload
      listen: reload
      ansible.builtin.service: {name: nginx, state: reloaded}
- hosts: all
  gather_facts: true
- import_playbook: acme.net.more
"""

OTHER_YAML = {
    "docker-compose.yml": "services:\n  db: {image: x, tasks: 1}\n",
    "k8s/tasks/build.yaml": "apiVersion: tekton.dev/v1\nkind: Task\nspec: {steps: [{name: x, image: y}]}\n",
    "Taskfile.yml": "version: 3\ntasks:\n  build:\n    cmds: [x]\n",
    ".github/workflows/ci.yml": "on: push\njobs: {x: {steps: [{run: y}]}}\n",
    ".gitlab-ci.yml": "test:\n  script: [x]\n",
    ".pre-commit-config.yaml": "repos:\n- repo: local\n  hooks: []\n",
    "requirements.yml": "- src: geerlingguy.nginx\n- name: x\n  version: 1\n",
    "mkdocs.yml": "site_name: x\n",
    "docs/site.yml": "site: {title: x}\ncontent: {sources: []}\n",
    "data/list.yml": "- name: x\n  mode: 644\n- name: y\n",
    "two.yml": "kind: A\n---\nkind: B\n",
    "galaxy.yml": "namespace: a\nname: b\n",
    "roles/web/templates/x.yml": "{% if a %}\na: {{ b }}\n{% endif %}\n",
    "roles/web/files/x.yml": "a: b: c\n",
    "group_vars/all/vault.yml": "$ANSIBLE_VAULT;1.1;AES256\n6162\n",
    "inventories/prod/README.md": "[web\n",
    "inventories/prod/group_vars/all.yml": "a: 1\n",
    "dynamic-inventory/Vagrantfile": "VERSION = 2\nVagrant.configure(VERSION) do |config|\nend\n",
    "inventory/report": "#!/bin/sh\necho now then\n",
    "inventory/gather.yml": "- hosts: all\n  tasks: []\n",
    "roles/tor/docs/inventory/vars.yml": "tor_dir: /x\n",
    "files/cloud-init.yml": "a:\n{% if b %}\n  c: {{ d }}\n{% endif %}\n",
}


@pytest.mark.parametrize("path", OTHER_YAML)
def test_files_of_other_tools_are_left_alone(path):
    assert findings(path, OTHER_YAML[path]) == []


def test_a_good_playbook_is_left_alone():
    others = {"vars/common.yml": "", "roles/web/tasks/main.yml": "", "templates/site.conf.j2": ""}
    assert findings("site.yml", GOOD_SITE, others) == []
