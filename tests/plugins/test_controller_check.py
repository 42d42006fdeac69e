"""What would run on the controller or change how hosts are reached is refused; ordinary Ansible is not."""

import pytest

from gitops_hooks.plugin import Finding
from gitops_hooks.plugins.ansible.check import gitops_checks
from gitops_hooks.plugins.ansible.controller import controller_findings, inventory_findings, refused_variable
from gitops_hooks.testing import EXECUTABLE, FILE, SYMLINK, MemoryTree, a_bench, a_change, run_check

CHECK = {check.name: check for check in gitops_checks()}["controller"]
GITLINK = 0o160000
REACHED = "changes how hosts are reached; only address, port, user and interpreter may be set"
RUNS = "runs on the controller; tasks run on hosts, over SSH"


def findings(path: str, text: str = "", mode: int = FILE) -> list[tuple[int, str]]:
    return [(finding.line, finding.message) for finding in controller_findings(path, mode, text.encode())]


@pytest.mark.parametrize("path", ["ansible.cfg", "playbooks/ansible.cfg", "a/Ansible.CFG", ".ansible.cfg"])
def test_configuration_of_the_controller_is_refused(path):
    message = "configures the controller; remove it, the server sets what a deployment needs"
    assert findings(path) == [(0, message)]
    assert findings(path, mode=SYMLINK) == [(0, message)]


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        *(
            (f"{kind}_plugins/x.py", f"{kind}_plugins")
            for kind in (
                "action",
                "become",
                "cache",
                "callback",
                "cliconf",
                "connection",
                "filter",
                "httpapi",
                "inventory",
                "lookup",
                "netconf",
                "shell",
                "strategy",
                "terminal",
                "test",
                "vars",
            )
        ),
        ("roles/web/library/x.py", "library"),
        ("roles/web/Filter_Plugins/deep/x.py", "Filter_Plugins"),
        ("playbooks/module_utils/x.py", "module_utils"),
        ("doc_fragments/x.py", "doc_fragments"),
        ("plugins/modules/x.py", "modules"),
        ("plugins/filter/x.py", "filter"),
        ("library/tool", "library"),
    ],
)
def test_plugin_and_library_folders_are_refused_anywhere(path, folder):
    assert findings(path) == [(0, f"files in {folder}/ run on the controller; have plugins installed on the server")]


@pytest.mark.parametrize("mode", [SYMLINK, GITLINK])
def test_a_link_or_submodule_in_place_of_a_plugin_folder_is_refused(mode):
    assert len(findings("roles/web/filter_plugins", mode=mode)) == 1
    assert len(findings("library", mode=mode)) == 1
    assert findings("roles/web", mode=mode) == []


@pytest.mark.parametrize(
    "path",
    [
        "filter_plugins/README.md",
        "library/.gitkeep",
        "terraform/modules/vpc/main.tf",
        "plugins/README",
        "modules/a.py",
        "roles/library",
        "filters/x.py",
        "collections/requirements.yml",
        "tests/test.py",
        "src/filter/x.py",
    ],
)
def test_folders_that_ansible_does_not_load_are_left_alone(path):
    assert findings(path) == []


def test_collections_in_the_repository_are_refused():
    path = "collections/ansible_collections/acme/net/plugins/modules/x.py"
    assert findings(path) == [(0, "collections run on the controller; have them installed on the server")]


@pytest.mark.parametrize(
    "path", ["inventories/production/hosts", "inventory/aws.py", "hosts", "inventory.ini", "hosts.yml"]
)
def test_an_executable_inventory_is_refused_with_the_line_that_cures(path):
    message = f"an executable inventory runs on the controller; git update-index --chmod=-x {path}"
    assert findings(path, mode=EXECUTABLE) == [(0, message)]
    assert findings(path) == []


@pytest.mark.parametrize("path", ["scripts/hosts-report.sh", "bin/deploy", "install.sh", "roles/dns/files/hosts"])
def test_other_executables_are_ordinary(path):
    assert findings(path, "#!/bin/sh\n", EXECUTABLE) == []


@pytest.mark.parametrize("path", ["inventories/aws_ec2.yml", "prod.yaml", "inventory/dynamic"])
def test_an_inventory_plugin_is_refused(path):
    message = "inventory plugin 'amazon.aws.aws_ec2' runs on the controller; list the hosts instead"
    assert findings(path, "---\nregions: []\nplugin: amazon.aws.aws_ec2\n") == [(3, message)]


@pytest.mark.parametrize(
    "name",
    [
        "ansible_connection",
        "mitogen_via",
        "mitogen_ssh_debug_level",
        "ansible_ssh_args",
        "ansible_ssh_common_args",
        "ansible_ssh_extra_args",
        "ansible_ssh_executable",
        "ansible_host_key_checking",
        "ansible_ssh_host_key_checking",
        "ansible_paramiko_host_key_checking",
        "ansible_scp_extra_args",
        "ansible_scp_executable",
        "ansible_sftp_extra_args",
        "ansible_sftp_executable",
        "ansible_sftp_batch_mode",
        "ansible_shell_executable",
        "ansible_shell_type",
        "ansible_executable",
        "ansible_pipelining",
        "ansible_ssh_pipelining",
        "ansible_control_path",
        "ansible_control_path_dir",
        "ansible_ssh_private_key_file",
        "ansible_private_key_file",
        "ansible_private_key",
        "ansible_ssh_private_key",
        "ansible_ssh_private_key_passphrase",
        "ansible_password",
        "ansible_ssh_pass",
        "ansible_ssh_password",
        "ansible_ssh_password_mechanism",
        "ansible_sshpass_prompt",
        "ansible_ssh_transfer_method",
        "ansible_ssh_pkcs11_provider",
        "ansible_ssh_use_tty",
        "ansible_ssh_retries",
        "ansible_ssh_timeout",
        "ansible_ssh_verbosity",
        "ansible_timeout",
        "ansible_paramiko_proxy_command",
        "ansible_winrm_server_cert_validation",
        "ansible_psrp_auth",
        "ansible_docker_extra_args",
        "ansible_podman_extra_args",
        "ansible_connection_user",
        "ansible_httpapi_use_ssl",
        "ansible_network_cli_ssh_type",
        "ansible_persistent_connect_timeout",
        "ansible_libssh_proxy_command",
        "_ansible_ansiballz_debugpy_config",
        "ansible_local_become_success_timeout",
    ],
)
def test_what_alters_the_connection_is_refused(name):
    assert refused_variable(name)


@pytest.mark.parametrize(
    "name",
    [
        "ansible_host",
        "ansible_port",
        "ansible_user",
        "ansible_python_interpreter",
        "ansible_perl_interpreter",
        "ansible_become",
        "ansible_become_user",
        "ansible_become_method",
        "ansible_become_password",
        "ansible_managed",
        "ansible_remote_tmp",
        "ansible_facts",
        "ansible_local",
        "ansible_install_method",
        "ansible_distribution",
        "my_ansible_ssh_args",
        "connection",
        "ansible_role_version",
    ],
)
def test_address_port_user_interpreter_and_what_is_no_connection_may_be_set(name):
    assert not refused_variable(name)


def test_old_names_are_refused_with_the_new_one():
    assert findings("hosts", "web1 ansible_ssh_host=10.0.0.1\n") == [
        (1, "'ansible_ssh_host' is an old name; write 'ansible_host'")
    ]


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("inventories/prod/hosts", "[web]\nweb1 ansible_host=10.0.0.1 ansible_connection=local\n", 2),
        ("inventories/prod/hosts.ini", "[web:vars]\nansible_connection = local\n", 2),
        ("prod", "web1 ansible_connection=local\n", 1),
        ("hosts", "web1 'ansible_connection=local'\n", 1),
        ("hosts", 'web1 ansible_"connection"=local\n', 1),
        ("hosts", "web1 ansible_conn\\ection=local\n", 1),
        ("hosts.toml", '[web.hosts]\nweb1 = { ansible_connection = "local" }\n', 2),
        ("inventory/hosts.yml", "all:\n  hosts:\n    web1:\n      ansible_connection: local\n", 4),
        ("inventory/main", "all:\n  hosts:\n    web1: {ansible_connection: local}\n", 3),
        ("group_vars/all", "---\nansible_connection: local\n", 2),
        ("group_vars/all/x.json", '{"ansible_connection": "local"}', 1),
        ("host_vars/web1.yml", '"\\x61nsible_connection": local\n', 1),
        ("host_vars/web1.yml", "base: &x {ansible_connection: local}\nb: *x\n", 1),
        ("site.yml", "- hosts: web\n  vars:\n    ansible_connection: local\n", 3),
        ("vars/any.yml", "---\na: 1\n---\nansible_connection: local\n", 4),
        ("vars/any.json", '{"a": 1,\n "ansible_connection": "local"}', 2),
        ("roles/web/defaults/main.yml", "ansible_connection: local\n", 1),
        ("roles/web/tasks/main.yml", "- set_fact:\n    ansible_connection: local\n", 2),
        ("roles/web/tasks/main.yml", "- ansible.builtin.set_fact: ansible_connection=local\n", 1),
        ("roles/web/tasks/main.yml", "- add_host: name=x ansible_connection=local\n", 1),
        ("roles/web/tasks/main.yml", "- add_host:\n    name: x\n    ansible_connection: local\n", 3),
    ],
)
def test_connection_variables_are_found_wherever_they_are_set(path, text, line):
    assert findings(path, text) == [(line, f"'ansible_connection' {REACHED}")]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("- hosts: web\n  connection: local\n", 2, "connection: local"),
        ("- hosts: web\n  connection: '{{ how }}'\n", 2, "connection: {{ how }}"),
        ("- hosts: localhost\n", 1, "hosts: localhost"),
        ("- hosts: web:localhost\n", 1, "hosts: localhost"),
        ("- hosts: [web, 127.0.0.1]\n", 1, "hosts: 127.0.0.1"),
        ("- hosts: '::1'\n", 1, "hosts: ::1"),
        ("- hosts: web\n  tasks:\n    - local_action: command id\n", 3, "local_action"),
        ("- hosts: web\n  tasks:\n    - command: id\n      delegate_to: LocalHost\n", 4, "delegate_to: LocalHost"),
        (
            "- hosts: web\n  pre_tasks:\n  - block:\n    - block:\n      - command: id\n        connection: local\n",
            6,
            "connection: local",
        ),
        ("- hosts: web\n  roles:\n    - role: x\n      connection: local\n", 4, "connection: local"),
        ("- name: a task\n  command: id\n  delegate_to: 127.0.0.1\n", 3, "delegate_to: 127.0.0.1"),
    ],
)
def test_plays_and_tasks_on_the_controller_are_refused(text, line, said):
    assert findings("any/where.yml", text) == [(line, f"'{said}' {RUNS}")]


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("group_vars/all.yml", "a: 1\nb: \"{{ lookup('pipe', 'id') }}\"\n", 2),
        ("roles/web/templates/x.j2", "a\n{{ query( \"ansible.builtin.pipe\", 'id') }}\n", 2),
        ("roles/web/templates/x.conf.j2", "{{ q('pipe', 'id') }}\n", 1),
        ("roles/web/templates/x.conf", "{{ q('pipe', 'id') }}\n", 1),
        ("roles/web/templates/motd", "a\n{{ q('pipe', 'id') }}\n", 2),
        ("inventories/prod/hosts", "---\nall: {vars: {x: \"{{ lookup('pipe', 'id') }}\"}}\n", 2),
        ("inventories/prod/hosts", "[web:vars]\nx={{ lookup('pipe', 'id') }}\n", 2),
        ("inventories/prod/hosts", '[web:vars]\nx="{{ lookup(\\"pipe\\", \'id\') }}"\n', 2),
        ("group_vars/all.yml", "a: 1\nb: '{{ lookup(''pipe'', ''id'') }}'\n", 2),
        ("group_vars/all.yml", 'a: 1\nb: "{{ lookup(\\"pipe\\", 1) }}"\n', 2),
        ("group_vars/all.yml", "a: \"{{ lookup('\\x70ip\\u0065', 'id') }}\"\n", 1),
        ("group_vars/all.yml", "a: '{{ lookup(\"\\x70ipe\", 1) }}'\n", 1),
        ("group_vars/all.yml", "a: 1\nb: \"{{ lookup('pi\\\n    pe', 'id') }}\"\n", 2),
        ("group_vars/all.json", '{"a": "{{ lookup(\\"pipe\\", 1) }}"}\n', 1),
    ],
)
def test_the_lookup_that_runs_commands_is_refused(path, text, line):
    assert findings(path, text) == [
        (line, "the lookup 'pipe' runs a command on the controller; use a task on the host")
    ]


@pytest.mark.parametrize("key", ["with_pipe", "with_ansible.builtin.pipe", "with_lines", "with_ansible.legacy.lines"])
def test_a_loop_that_runs_commands_is_refused(key):
    text = f"- command: echo\n  {key}: id\n"
    assert findings("roles/web/tasks/main.yml", text) == [
        (2, f"'{key}' runs a command on the controller; use a task on the host")
    ]


@pytest.mark.parametrize("said", ["lookup('lines', 'id')", 'query("ansible.builtin.lines", x)'])
def test_the_lookup_of_lines_runs_commands_too(said):
    text = f"- debug:\n    msg: {{{{ {said} }}}}\n"
    assert findings("roles/web/templates/x.j2", text) == findings("group_vars/all.yml", text.replace("{{", "x: {{"))
    assert findings("roles/web/templates/x.j2", text) == [
        (2, "the lookup 'lines' runs a command on the controller; use a task on the host")
    ]


ORDINARY = {
    "site.yml": "- hosts: web\n  become: true\n  remote_user: deploy\n  connection: ssh\n  roles: [web]\n",
    "inventories/prod/hosts": "# ansible_connection=local\n[web]\nweb[1:3] ansible_host=10.0.0.1 ansible_port=22\n"
    "[web:vars]\nansible_user=deploy\nansible_python_interpreter=/usr/bin/python3\n[all:children]\nweb\n",
    "group_vars/all/vault.yml": "$ANSIBLE_VAULT;1.1;AES256\n61626364\n",
    "roles/web/tasks/main.yml": "- command: id\n  delegate_to: \"{{ groups['db'][0] }}\"\n"
    "  when: ansible_connection == 'ssh' and ansible_facts.os_family == 'Debian'\n",
    "roles/web/vars/main.yml": "database:\n  connection: local\n  hosts: localhost\nplugins: [a]\n",
    ".gitlab-ci.yml": "test:\n  script: ansible-playbook -e ansible_connection=local site.yml\n",
    "README.md": "    web1 ansible_connection=local\n",
    "Makefile": "test:\n\tansible-playbook -e ansible_connection=local site.yml\n",
    "Dockerfile": "RUN ansible-playbook -e ansible_connection=local site.yml\n",
    "docker-compose.yml": "services:\n  db:\n    image: x\n    environment: {HOSTS: localhost}\n",
    "k8s/deployment.yaml": "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {containers: []}}}\n",
    "roles/web/templates/app.conf.j2": "{{ lookup('file', 'x') }} connection=local\n",
    "package-lock.json": "[" * 100,
    "broken.yml": "a: b: c\n",
}


def test_a_program_is_not_read_as_an_inventory():
    text = "#!/bin/sh\nansible all -e ansible_connection=local\n"
    assert findings("bin/entrypoint", text, EXECUTABLE) == []
    assert len(findings("bin/entrypoint", text, FILE)) == 1


def test_ordinary_files_are_left_alone():
    assert run_check(CHECK, {path: text.encode() for path, text in ORDINARY.items()}) == ()


def test_yaml_that_is_too_much_to_judge_is_refused():
    message = "nested deeper than 64 levels: too much to be judged; split the file"
    assert findings("vars/deep.yml", "a: " + "[" * 100) == [(1, message)]
    assert findings("group_vars/all.json", "[" * 100) == [(1, message)]


def test_only_what_changed_is_asked_and_what_was_deleted_is_not():
    tree = MemoryTree({"ansible.cfg": b"", "site.yml": b"[]\n"})
    assert list(CHECK.run(a_change(tree, ["site.yml"], deleted=["library/x.py"]), tree, a_bench(CHECK))) == []


def test_links_are_judged_by_their_name():
    assert run_check(CHECK, {"filter_plugins": b"elsewhere"}, modes={"filter_plugins": SYMLINK}) == (
        Finding(
            "filter_plugins", 0, "files in filter_plugins/ run on the controller; have plugins installed on the server"
        ),
    )


def test_an_inventory_of_any_name_can_be_asked_for_by_the_deployer():
    found = list(inventory_findings("README.md", b"web1 ansible_connection=local\n"))
    assert found == [Finding("README.md", 1, f"'ansible_connection' {REACHED}")]


def test_a_file_that_is_too_big_is_told_if_ansible_could_load_it():
    big = b"#" * (4 * 1024 * 1024 + 1)
    message = f"is {len(big)} bytes; at most 4194304 are read; what is not read cannot be judged"
    assert run_check(CHECK, {"vars/big.yml": big, "files/disk.img": big, "library/x": big}) == (
        Finding("library/x", 0, "files in library/ run on the controller; have plugins installed on the server"),
        Finding("vars/big.yml", 0, message),
    )
