"""What Ansible's own programs add to the check `ansible`, run for real in their box."""

from gitops_hooks.plugin import Finding, Severity
from gitops_hooks.plugins.ansible.check import gitops_checks
from gitops_hooks.testing import EXECUTABLE, MemoryTree, a_bench, a_change, run_check

CHECK = {check.name: check for check in gitops_checks()}["ansible"]
SITE = "- name: Web\n  hosts: web\n  roles: [web]\n"
GOOD = "- name: Here\n  ansible.builtin.ping:\n"
TASKS = "roles/web/tasks/main.yml"
SYNTAX = "ansible-playbook --syntax-check: "


def findings(files: dict[str, str], changed: list[str] | None = None, **more) -> list[Finding]:
    return list(run_check(CHECK, {path: text.encode() for path, text in files.items()}, changed=changed, **more))


def play(tasks: str) -> str:
    return f"- name: Web\n  hosts: web\n  tasks:\n{tasks}"


def test_good_playbooks_roles_and_inventories_pass():
    files = {"site.yml": SITE, TASKS: GOOD, "hosts": "[web]\na\n", "inventory/b.yml": "all: {hosts: {b: }}\n"}
    assert findings(files) == []


def test_a_module_that_is_not_there_is_told_with_its_line():
    files = {"site.yml": play("    - copyy: {src: a}\n"), "also.yml": play("    - ansible.builtin.fil: {}\n")}
    assert findings(files) == [
        Finding("also.yml", 4, f"{SYNTAX}couldn't resolve module/action 'ansible.builtin.fil'; correct its name"),
        Finding("site.yml", 4, f"{SYNTAX}couldn't resolve module/action 'copyy'; correct its name"),
    ]


def test_a_role_is_read_by_itself_where_no_playbook_uses_it():
    assert findings({"roles/apps/web/tasks/main.yml": "- name: Here\n  pingg:\n"}) == [
        Finding(
            "roles/apps/web/tasks/main.yml",
            1,
            f"{SYNTAX}couldn't resolve module/action 'pingg'; correct its name",
        )
    ]
    assert findings({TASKS: "- name: Here\n  pingg:\n"}) == [
        Finding(TASKS, 1, f"{SYNTAX}couldn't resolve module/action 'pingg'; correct its name")
    ]


def test_a_playbook_that_did_not_change_is_asked_again_when_something_of_its_role_is_gone():
    tree = MemoryTree({"site.yml": SITE.encode(), "roles/web/tasks/main.yml": b"- import_tasks: more.yml\n"})
    change = a_change(tree, [], deleted=["roles/web/tasks/more.yml"])
    told = {finding.path: finding.message for finding in CHECK.run(change, tree, a_bench(CHECK, None, tree, tree))}
    assert told.keys() == {"site.yml", "roles/web"}
    assert told["site.yml"] == f"{SYNTAX}Could not find or access 'more.yml'"


def test_modules_that_lie_in_the_repository_are_found():
    assert findings({TASKS: "- name: x\n  mine:\n", "library/mine.py": ""}) == []


def test_a_file_of_tasks_is_read_with_the_playbook_that_names_it():
    files = {"site.yml": play("    - import_tasks: tasks/more.yml\n"), "tasks/more.yml": "- name: x\n  pingg:\n"}
    assert findings(files, ["tasks/more.yml"]) == [
        Finding("tasks/more.yml", 1, f"{SYNTAX}couldn't resolve module/action 'pingg'; correct its name")
    ]


def test_a_collection_that_the_server_lacks_is_said_and_refuses_nothing():
    assert findings({"site.yml": play("    - acme.radio.channel: {number: 3}\n")}) == [
        Finding(
            "site.yml",
            4,
            "this server has no collection acme.radio, so nothing of its modules was seen",
            Severity.WARNING,
        )
    ]


def test_what_stands_behind_roles_and_modules_from_elsewhere_is_seen_all_the_same():
    tasks = "    - community.general.npm: {}\n    - haproxy: {}\n    - docker_container: {}\n    - pingg:\n"
    site = "- name: Web\n  hosts: web\n  roles: [acme.firewall]\n  tasks:\n" + tasks
    files = {"site.yml": site, "requirements.yml": "roles: [{name: acme.firewall}]\n"}
    (*told, fault) = [(finding.line, finding.message) for finding in findings(files)]
    assert told == [
        (3, "role 'acme.firewall' is not in the repository; it must be installed on the server"),
        (5, "this server has no collection community.general, so nothing of its modules was seen"),
        (7, "this server has no collection community.docker, so nothing of its modules was seen"),
    ]
    assert fault == (8, f"{SYNTAX}couldn't resolve module/action 'pingg'; correct its name")


def test_a_playbook_below_a_folder_of_inventories_is_none():
    assert findings({"inventory/site.yml": SITE, TASKS: GOOD}) == []


def test_each_of_many_faulty_playbooks_is_told_up_to_a_bound_and_the_rest_is_said_not_to_be_seen():
    told = findings({f"{number}.yml": play(f"    - pingg{number}: {{}}\n") for number in range(8)})
    assert [finding.path for finding in told] == [*(f"{number}.yml" for number in range(6)), "6.yml"]
    assert told[-1].message == "after so many faults Ansible was not asked about this and 1 others"


def test_variables_from_elsewhere_refuse_nothing():
    (told,) = findings({"site.yml": play("    - import_tasks: '{{ where }}.yml'\n")})
    assert (told.severity, told.line) == (Severity.WARNING, 4)
    assert told.message.startswith("not seen from here on: it depends on a variable that is set elsewhere (")


def test_what_the_repository_brings_for_ansible_to_run_has_no_say_over_it():
    """A configuration of the tree would name another inventory and another folder of plugins."""
    files = {
        "ansible.cfg": "[defaults]\ninventory = /etc/passwd\nroles_path = elsewhere\n",
        "site.yml": SITE,
        TASKS: GOOD,
    }
    assert findings(files) == []


def test_plugins_of_the_tree_run_in_the_box_and_nowhere_else():
    plugin = "import os\nopen('/tree/was-here', 'w')\n"
    files = {"site.yml": play('    - debug: {msg: "{{ 1 | x }}"}\n'), "filter_plugins/x.py": plugin}
    assert [told for told in findings(files) if told.severity is Severity.ERROR] == []


def test_an_inventory_that_ansible_cannot_take_is_told():
    assert findings({"hosts": "[web]\na[1:x]\n", "inventory/b": "[web]\nb\n"}) == [
        Finding("hosts", 0, "ansible-inventory: Failed to parse inventory: invalid literal for int() with base 10: 'x'")
    ]


def test_inventories_that_would_ask_somebody_are_said_not_to_be_seen():
    files = {"inventory/aws.yml": "plugin: amazon.aws.aws_ec2\nregions: [x]\n", "inventory/script": "#!/bin/sh\n"}
    more = {"modes": {"inventory/script": EXECUTABLE}}
    assert findings(files, **more) == [
        Finding(
            "inventory/aws.yml",
            0,
            "the inventory plugin amazon.aws.aws_ec2 is not asked during a push, so no host of it was seen",
            Severity.WARNING,
        )
    ]


def test_templates_are_read_with_the_delimiters_of_their_header():
    header = "#jinja2: variable_start_string:'[[', variable_end_string:']]'\n"
    files = {
        "templates/a.j2": "{% if x %}\n{{ y }\n",
        "roles/web/templates/b.conf": header + "{{ [[ a ]]\n[[ b ]\n",
        "roles/web/templates/c.conf": "{% do x.append(1) %}{% for i in x %}{% break %}{% endfor %}{{ 1 | strange }}",
        "charts/templates/d.yaml": "{{- if .Values }}\n",
        "roles/web/files/templates/e.conf": "{{ range . }}\n",
    }
    assert findings(files) == [
        Finding("roles/web/templates/b.conf", 3, "Jinja2 cannot read this template: unexpected ']'"),
        Finding("templates/a.j2", 2, "Jinja2 cannot read this template: unexpected '}'"),
    ]


LINTED = {"site.yml": "- hosts: web\n  tasks:\n    - copy: {src: /a, dest: /b, mode: '0644'}\n"}


def test_ansible_lint_is_asked_where_the_branch_has_its_configuration():
    target = {".ansible-lint": b"profile: basic\nskip_list: [yaml, name]\nwarn_list: [risky-file-permissions]\n"}
    assert findings(LINTED) == []
    assert findings(LINTED, target=target) == []
    target = {".ansible-lint": b"profile: production\nskip_list: [yaml]\nwarn_list: [fqcn]\n"}
    assert findings(LINTED, target=target) == [
        Finding("site.yml", 1, "name[play]: All plays should be named"),
        Finding(
            "site.yml",
            3,
            "fqcn[action-core]: Use FQCN for builtin module actions (copy); use `ansible.builtin.copy` or "
            "`ansible.legacy.copy` instead",
            Severity.WARNING,
        ),
        Finding("site.yml", 3, "name[missing]: All tasks should be named"),
    ]


_LINT = """\
#!/bin/sh
[ "$1" = --version ] && exec echo lint
ansible-playbook --syntax-check /nowhere && said=nothing || said=something
body='{"check_name":"syntax","severity":"major","description":"says '$said'","location":'
echo "[$body{\\"path\\":\\"site.yml\\",\\"lines\\":{\\"begin\\":1}}}]"
"""


def test_ansible_lint_starts_ansible_no_second_time_for_each_playbook(tmp_path):
    (tmp_path / "ansible-lint").write_text(_LINT)
    for path in (tmp_path, tmp_path / "ansible-lint"):
        path.chmod(0o755)
    told = findings(LINTED, target={".ansible-lint": b"profile: basic\n"}, tool_folders=[tmp_path])
    assert told == [Finding("site.yml", 1, "syntax: says nothing")]


def test_a_playbook_that_ansible_does_not_take_is_not_given_to_ansible_lint():
    broken = {"site.yml": "- hosts: web\n  tasks:\n    - gone: {src: /a}\n"}
    (told,) = findings(broken, target={".ansible-lint": b"profile: production\n"})
    assert told.message.startswith(SYNTAX)


def test_a_configuration_or_exception_that_comes_with_the_change_excepts_nothing():
    target = {".ansible-lint": b"skip_list: [yaml, fqcn]\n"}
    brought = {".ansible-lint": "skip_list: [yaml, fqcn, name]\n", ".ansible-lint-ignore": "site.yml name[play]\n"}
    told = findings(LINTED | brought, target=target)
    assert [finding.message for finding in told] == [
        "name[play]: All plays should be named",
        "name[missing]: All tasks should be named",
    ]


def test_paths_that_the_configuration_leaves_out_are_left_out():
    target = {".ansible-lint": b"skip_list: [yaml]\nexclude_paths: [site.yml]\n"}
    assert findings(LINTED, target=target) == []


RULE = """\
from ansiblelint.rules import AnsibleLintRule

class Mine(AnsibleLintRule):
    id = "mine"
    description = shortdesc = "Ports stand in one file"
    severity = "HIGH"
    tags = ["mine"]
    version_changed = "1.0"

    def match(self, line):
        return "copy:" in line
"""


def test_rules_of_the_repository_are_those_of_the_branch():
    target = {".ansible-lint": b"skip_list: [yaml, fqcn, name]\nrulesdir: [./lint]\nuse_default_rules: true\n"}
    target["lint/mine.py"] = RULE.encode()
    told = findings(LINTED | {"lint/mine.py": "raise SystemExit(0)\n"}, ["site.yml", "lint/mine.py"], target=target)
    assert [(finding.line, finding.message.partition(":")[0]) for finding in told] == [(3, "mine")]


def test_a_tree_that_is_too_large_is_said_not_to_be_seen():
    many = {f"docs/{number}.md": "" for number in range(2001)}
    assert findings({"site.yml": SITE, TASKS: "- pingg:\n"} | many, ["site.yml", TASKS]) == [
        Finding(
            "site.yml",
            0,
            "the tree is too large to be shown to Ansible at each push; name what playbooks need in the option "
            "'folders' of the check",
            Severity.WARNING,
        )
    ]
    options = {"folders": ("roles", "site.yml")}
    (told,) = findings({"site.yml": SITE, TASKS: "- pingg:\n"} | many, ["site.yml", TASKS], options=options)
    assert (told.path, told.severity) == (TASKS, Severity.ERROR)


def test_a_misspelt_module_of_a_collection_that_is_there_is_no_lack_of_the_server():
    vendored = {"collections/ansible_collections/acme/radio/plugins/modules/channel.py": ""}
    files = {"site.yml": play("    - acme.radio.chanel: {number: 3}\n")} | vendored
    assert findings(files, ["site.yml"]) == [
        Finding("site.yml", 4, f"{SYNTAX}couldn't resolve module/action 'acme.radio.chanel'; correct its name")
    ]
