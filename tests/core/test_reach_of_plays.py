"""Which hosts a change can touch, followed from the changed path to the plays that read it."""

import pytest

from gitops_hooks.core.host_pattern import pattern_hosts
from gitops_hooks.core.inventory import read_inventory
from tests.core.laid import reach, usage_of

ALL = {"db1", "lb1", "web1", "web2"}
WEB, DB = {"web1", "web2"}, {"db1"}

SITE = {
    ".gitops/policy.yaml": "version: 1\n",
    "README.md": "words\n",
    "ansible.cfg": "[defaults]\n",
    "inventories/staging/hosts": "[web]\nweb[1:2]\n[db]\ndb1\n[lb]\nlb1\n[site:children]\nweb\ndb\n",
    "inventories/staging/group_vars/web.yml": "port: 80\n",
    "inventories/staging/host_vars/web1.yml": "weight: 1\nansible_host: 10.0.0.1\n",
    "inventories/production/hosts": "[web]\nw1\n",
    "group_vars/db.yml": "port: 5432\n",
    "site.yml": """\
- name: Web
  hosts: web
  vars_files: [vars/web.yml]
  roles: [web]
- hosts: db
  tasks:
    - name: Configure
      template: {src: db.conf.j2, dest: /etc/db.conf}
    - import_tasks: tasks/backup.yml
- import_playbook: books/lb.yml
""",
    "books/lb.yml": """\
- hosts: lb
  tasks:
    - include_role: {name: balancer, tasks_from: late}
    - copy: {src: "{{ item }}", dest: /etc/}
      loop: [one.pem, two.pem]
""",
    "books/files/one.pem": "1",
    "books/files/two.pem": "2",
    "books/files/three.pem": "3",
    "vars/web.yml": "a: 1\n",
    "vars/unread.yml": "a: \"{{ lookup('pipe', 'x') }}\"\n",
    "tasks/backup.yml": "- script: backup.sh now\n",
    "files/backup.sh": "echo\n",
    "files/unread.sh": "echo\n",
    "templates/db.conf.j2": "{% include 'part.j2' %}\n{{ port }}\n",
    "templates/part.j2": "x\n",
    "templates/unread.j2": "{{ hostvars }}\n",
    "roles/web/meta/main.yml": "dependencies: [common]\n",
    "roles/web/tasks/main.yml": "- include_tasks: more.yml\n- copy: {src: ../shared/motd, dest: /etc/motd}\n",
    "roles/web/tasks/more.yml": "- template: {src: web.j2, dest: /etc/web}\n  notify: restart\n",
    "roles/web/handlers/main.yml": "- name: restart\n  service: {name: web, state: restarted}\n",
    "roles/web/defaults/main.yml": "workers: 2\n",
    "roles/web/templates/web.j2": "{% if port == 80 %}{{ workers }}{% endif %}\n",
    "roles/web/shared/motd": "hello\n",
    "roles/common/tasks/main.yml": "- package: {name: vim}\n",
    "roles/balancer/tasks/late.yml": "- debug: {msg: x}\n",
    "roles/balancer/tasks/main.yml": "- debug: {msg: x}\n",
    "roles/unused/tasks/main.yml": '- debug: {msg: "{{ hostvars }}"}\n',
}
STAYS = "# changed\n"


def edited(path, files=SITE):
    """What a change of one file touches."""
    return reach(files, {**files, path: (files.get(path) or "") + STAYS})


@pytest.mark.parametrize(
    ("path", "hosts", "why"),
    [
        ("inventories/staging/host_vars/web1.yml", {"web1"}, "inventories/staging/host_vars/web1.yml"),
        ("inventories/staging/group_vars/web.yml", WEB, "inventories/staging/group_vars/web.yml → web"),
        ("group_vars/db.yml", DB, "group_vars/db.yml → db"),
        ("group_vars/site.yml", WEB | DB, "group_vars/site.yml → site"),
        ("books/group_vars/lb.yml", {"lb1"}, "books/group_vars/lb.yml → lb"),
        ("vars/web.yml", WEB, "vars/web.yml → hosts: web"),
        ("roles/web/tasks/main.yml", WEB, "roles/web/tasks/main.yml → role web → hosts: web"),
        ("roles/web/README.md", WEB, "roles/web/README.md → role web → hosts: web"),
        ("roles/common/tasks/main.yml", WEB, "roles/common/tasks/main.yml → role common → hosts: web"),
        ("roles/balancer/templates/web.j2", {"lb1"}, "roles/balancer/templates/web.j2 → role balancer → hosts: lb"),
        ("roles/web/shared/motd", WEB, "roles/web/shared/motd → role web → hosts: web"),
        ("shared/motd", WEB, "shared/motd → roles/web/tasks/main.yml → hosts: web"),
        ("templates/db.conf.j2", DB, "templates/db.conf.j2 → hosts: db"),
        ("templates/part.j2", DB, "templates/part.j2 → templates/db.conf.j2 → hosts: db"),
        ("tasks/backup.yml", DB, "tasks/backup.yml → hosts: db"),
        ("files/backup.sh", DB, "files/backup.sh → tasks/backup.yml → hosts: db"),
        ("books/lb.yml", {"lb1"}, "books/lb.yml → hosts: lb"),
        ("books/files/two.pem", {"lb1"}, "books/files/two.pem → books/lb.yml → hosts: lb"),
        ("roles/balancer/tasks/late.yml", {"lb1"}, "roles/balancer/tasks/late.yml → role balancer → hosts: lb"),
    ],
)
def test_a_path_touches_the_hosts_of_the_plays_that_read_it(path, hosts, why):
    found = edited(path)
    assert (found.hosts, [one.words for one in found.why]) == (hosts, [why])
    assert {host for one in found.why for host in one.hosts} == hosts


@pytest.mark.parametrize(
    "path",
    ["README.md", "files/unread.sh", "vars/unread.yml", "templates/unread.j2", "roles/unused/tasks/main.yml",
     "books/files/three.pem", "inventories/production/hosts", "docs/a/b.md", ".gitops/owners"],
)  # fmt: skip
def test_what_nothing_reads_touches_nobody(path):
    assert edited(path).hosts == set()


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("ansible.cfg", "ansible.cfg may run on the controller"),
        ("docs/library/x.py", "docs/library/x.py may run on the controller"),
        ("roles/web/filter_plugins/x.py", "roles/web/filter_plugins/ holds plugins or modules"),
        ("callback_plugins/x.py", "callback_plugins/ holds plugins or modules"),
        ("collections/x.py", "collections/ holds plugins or modules"),
        (".gitops/policy.yaml", ".gitops/policy.yaml says what environments are"),
        ("inventories/staging/hosts", "inventories/staging/hosts is a part of the inventory"),
        ("inventories/staging/more", "inventories/staging/more is a part of the inventory"),
        ("group_vars/unheard.yml", "group_vars/unheard.yml is of a group that no inventory has"),
    ],
)
def test_what_decides_over_all_hosts_touches_all_of_them(path, why):
    found = edited(path)
    assert (found.hosts, [one.words for one in found.why]) == (ALL, [why])


def test_the_playbook_touches_the_hosts_of_its_plays_before_and_after():
    narrow = {**SITE, "site.yml": "- {hosts: web, roles: [common]}\n"}
    assert edited("site.yml", narrow).hosts == WEB
    assert reach(narrow, {**narrow, "site.yml": "- {hosts: db, roles: [common]}\n"}).hosts == WEB | DB


def test_a_path_that_is_read_only_before_or_only_after_counts():
    fewer = {path: text for path, text in SITE.items() if path != "templates/part.j2"}
    assert reach(fewer, SITE).hosts == ALL
    gone = {path: text for path, text in SITE.items() if path != "files/backup.sh"}
    assert reach(SITE, gone).hosts == reach(gone, SITE).hosts == DB


def test_how_a_host_is_reached_concerns_all_hosts():
    path = "inventories/staging/host_vars/web1.yml"
    moved = reach(SITE, {**SITE, path: "weight: 1\nansible_host: 10.0.0.2\n"})
    assert (moved.hosts, moved.why[0].words) == (ALL, f"{path} changes how hosts are reached")
    assert reach(SITE, {**SITE, path: "ansible_host: 10.0.0.1\nweight: 9\n"}).hosts == {"web1"}


def with_task(task):
    return {**SITE, "roles/web/tasks/main.yml": task}


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ('- debug: {msg: "{{ hostvars.db1.port }}"}\n', "roles/web/tasks/main.yml:1 uses hostvars"),
        ('- debug: {msg: "{{ groups[x] }}"}\n', "roles/web/tasks/main.yml:1 uses groups"),
        ("- {debug: {msg: x}, when: inventory_hostname in groups.web}\n", "roles/web/tasks/main.yml:1 uses groups"),
        ('- debug: {msg: "{{ vars[x ~ y] }}"}\n', "roles/web/tasks/main.yml:1 uses vars"),
        ('- debug: {msg: "{% raw %}{{ \\" {% endraw %}{{ groups }}"}\n', "roles/web/tasks/main.yml:1 uses groups"),
        ("- debug: {msg: \"{{ '}}' ~ groups }}\"}\n", "roles/web/tasks/main.yml:1 uses groups"),
        ('- debug: {msg: "{{ \\u0067roups }}"}\n', "roles/web/tasks/main.yml:1 uses groups"),
        ("- {debug: {msg: x}, delegate_to: db1}\n", "roles/web/tasks/main.yml:1 uses delegate_to"),
        ("- {debug: {msg: x}, run_once: true}\n", "roles/web/tasks/main.yml:1 uses run_once"),
        ("- block: [{debug: {msg: x}}]\n  delegate_to: db1\n", "roles/web/tasks/main.yml:2 uses delegate_to"),
        ("- ansible.builtin.add_host: {name: x}\n", "roles/web/tasks/main.yml:1 uses add_host"),
        ("- group_by: {key: x}\n", "roles/web/tasks/main.yml:1 uses group_by"),
        ("- fetch: {src: /x, dest: /y}\n", "roles/web/tasks/main.yml:1 uses fetch"),
        ("- meta: end_play\n", "roles/web/tasks/main.yml:1 uses meta"),
        ("- {pause: {echo: true}, register: said}\n", "roles/web/tasks/main.yml:1 uses pause"),
    ],
)
def test_where_hosts_see_each_other_what_touches_one_touches_all(task, words):
    files = with_task(task)
    found = edited("inventories/staging/host_vars/web1.yml", files)
    assert (found.hosts, [one.words for one in found.why]) == (ALL, [words])
    assert edited("README.md", files).hosts in (set(), ALL)
    assert edited("inventories/production/hosts", with_task('- debug: {msg: "{{ groups }}"}\n')).hosts == set()


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("- include_tasks: '{{ x }}.yml'\n", "roles/web/tasks/main.yml:1 names a tasks file that is made at run time"),
        ("- include_tasks: gone.yml\n", "roles/web/tasks/main.yml:1 names gone.yml, which is not found"),
        ("- include_vars: '{{ x }}.yml'\n", "roles/web/tasks/main.yml:1 names a vars file that is made at run time"),
        ("- include_vars: {dir: vars}\n", "roles/web/tasks/main.yml:1 reads a folder of variables"),
        ("- include_role: {name: '{{ x }}'}\n", "roles/web/tasks/main.yml:1 names a role that is made at run time"),
        ("- import_role: {name: elsewhere}\n",
         "roles/web/tasks/main.yml:1 names the role elsewhere, which is not found"),
        ("- import_role: {name: ../..}\n", "roles/web/tasks/main.yml:1 takes the whole tree for a role"),
        ("- import_role: {name: a.b.c}\n", "roles/web/tasks/main.yml:1 takes the role a.b.c from outside"),
        ("- include_tasks: more.yml a=b\n",
         "roles/web/tasks/main.yml:1 writes arguments of include_tasks as one text; write them as a mapping"),
        ("- template: {src: '{{ x }}', dest: /y}\n",
         "roles/web/tasks/main.yml:1 names a template file that is made at run time"),
        ("- template: {src: web.j2, dest: /y, variable_start_string: '[['}\n",
         "roles/web/tasks/main.yml:1 has marks of its own for templates"),
        ("- template: src='web.j2' dest=/y\n",
         "roles/web/tasks/main.yml:1 writes arguments of template as one text; write them as a mapping"),
        ('- debug: {msg: "{{ lookup(x, y) }}"}\n', "roles/web/tasks/main.yml:1 uses a lookup"),
        ('- debug: {msg: "{{ query(\'vars\', y) }}"}\n', "roles/web/tasks/main.yml:1 uses a lookup"),
        ('- debug: {msg: "{% include x %}"}\n', "roles/web/tasks/main.yml:1 includes a template"),
        ("- {debug: {msg: x}, with_inventory_hostnames: all}\n",
         "roles/web/tasks/main.yml:1 uses with_inventory_hostnames"),
        ("- {debug: {msg: x}, connection: local}\n", "roles/web/tasks/main.yml:1 uses connection: local"),
        ("- local_action: debug\n", "roles/web/tasks/main.yml:1 is no task that is known here"),
        ("- some_module: {a: 1}\n",
         "roles/web/tasks/main.yml:1 uses some_module, which is not known to stay with its host"),
        ("- a.b.c: {a: 1}\n", "roles/web/tasks/main.yml:1 uses a.b.c, which is not known to stay with its host"),
        ("- debug: {msg: !vault x}\n", "roles/web/tasks/main.yml:1 is encrypted"),
        ("- debug: {msg: !x x}\n", "roles/web/tasks/main.yml:1 has the tag !x"),
        ("- &a {debug: {msg: x}}\n- <<: *a\n  name: x\n",
         "roles/web/tasks/main.yml:2 uses <<, which is not known to stay with its host"),
        ("- {debug: {msg: x}, vars: {<<: {a: 1}}}\n",
         "roles/web/tasks/main.yml:1 merges another mapping into this one"),
        ("a: 1\n", "roles/web/tasks/main.yml:1 is no list of tasks"),
        ("- debug: {msg: x}\n  debug: {msg: y}\n", "roles/web/tasks/main.yml:2 cannot be read"),
        ("$ANSIBLE_VAULT;1.1;AES256\n61\n", "roles/web/tasks/main.yml is encrypted"),
    ],
)  # fmt: skip
def test_where_a_text_is_not_known_every_path_touches_all_hosts(task, words):
    found = edited("README.md", with_task(task))
    assert (found.hosts, [one.words for one in found.why]) == (ALL, [words])


@pytest.mark.parametrize(
    "task",
    [
        "- {debug: {msg: x}, with_fileglob: '*.conf'}\n",
        "- copy: {src: '{{ x }}', dest: /y}\n",
        "- copy: {src: /srv/x, dest: /y}\n",
        "- copy: {src: ./, dest: /y}\n",
        "- copy: {src: files/../../../, dest: /y}\n",
        "- copy: {src: ../../.., dest: /y}\n",
        "- script: '{{ x }}.sh'\n",
        "- debug: {msg: \"{{ lookup('file', x) }}\"}\n",
        "- {debug: {msg: x}, when: \"'README.md' is exists\"}\n",
        "- {debug: {msg: x}, when: \"['README.md'] | select('exists')\"}\n",
        "- {debug: {msg: x}, when: \"['README.md'] | select(test)\"}\n",
        "- debug: {msg: \"{{ ['*'] | map('fileglob') }}\"}\n",
        "- copy: {src: '{{ item }}', dest: /y}\n  loop: '{{ x }}'\n",
    ],
)
def test_a_play_that_may_read_any_file_is_touched_by_every_path(task):
    files = with_task(task)
    found = edited("README.md", files)
    assert found.hosts == WEB
    assert found.why[0].words.startswith("README.md → any file, since roles/web/tasks/main.yml:1 ")
    assert edited("group_vars/db.yml", files).hosts == WEB | DB


@pytest.mark.parametrize(
    ("task", "hosts"),
    [
        ("- ansible.posix.patch: {src: unread.sh, dest: /srv/x}\n", WEB),
        ("- ansible.posix.patch: src=unread.sh dest=/srv/x\n", WEB),
        ("- ansible.posix.patch: {src: unread.sh, dest: /srv/x, remote_src: true}\n", set()),
        ("- ansible.posix.synchronize: {src: files/, dest: /srv/}\n", WEB),
        ("- uri: {url: x, body_format: form-multipart, body: {a: {filename: unread.sh}}}\n", WEB),
        ("- uri: {url: x, body_format: form-multipart, body: '{{ form }}'}\n", WEB),
        ("- uri: {url: x}\n  args: {body_format: '{{ y }}', body: {a: b, c: '{{ d }}'}}\n", WEB),
        ("- uri: {url: x, body_format: form-multipart, body: {a: b, c: {filename: other.sh}}}\n", set()),
        ("- uri: {url: x, body_format: json, body: {filename: unread.sh, a: '{{ b }}'}}\n", set()),
    ],
)
def test_a_file_counts_however_a_module_is_told_to_carry_it_to_the_host(task, hosts):
    assert edited("files/unread.sh", with_task(task)).hosts == hosts


@pytest.mark.parametrize(
    ("path", "text", "hosts"),
    [
        ("group_vars/db.yml", 'a: "{{ hostvars }}"\n', ALL),
        ("group_vars/db.yml", "a: inventory_hostname in groups.web\n", ALL),
        ("group_vars/db.yml", "a: !vault x\n", ALL),
        ("group_vars/db.yml", "$ANSIBLE_VAULT;1.1;AES256\n61\n", ALL),
        ("group_vars/db.yml", 'a: "h\\x6fstvars"\n', ALL),
        ("group_vars/db.yml", "a: a: b\n", DB),
        ("inventories/staging/hosts", "[web]\nweb1 a='{{ hostvars }}'\nweb2\n[db]\ndb1\n[lb]\nlb1\n", ALL),
        ("inventories/staging/hosts", "[web]\nweb1 a='\\x68'\nweb2\n[db]\ndb1\n[lb]\nlb1\n", ALL),
        ("inventories/staging/hosts", "[web]\nweb1 a=1\nweb2\n[db]\ndb1\n[lb]\nlb1\n", DB),
    ],
)
def test_variables_may_see_other_hosts_too(path, text, hosts):
    assert edited("inventories/staging/host_vars/db1.yml", {**SITE, path: text}).hosts == hosts


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("roles/web/files/x", None),
        ("roles/web/tasks/more.yml", None),
        ("site.yml", None),
        ("books/files/one.pem", None),
        ("roles/common", None),
        ("site.yml", "- hosts: '{{ x }}'\n"),
        ("site.yml", "- hosts: localhost\n  tasks: []\n"),
        ("site.yml", "- hosts: ~web.*\n  tasks: []\n"),
        ("site.yml", "- import_playbook: '{{ x }}.yml'\n"),
        ("site.yml", "- import_playbook: site.yml\n"),
        ("site.yml", "- {hosts: web, strategy: mine}\n"),
        ("site.yml", "- {hosts: web, collections: [a.b]}\n"),
        ("site.yml", "- {hosts: web, vars_files: ['{{ x }}.yml']}\n"),
        ("site.yml", "- {hosts: web, roles: [{role: web, delegate_to: db1}]}\n"),
        ("templates/db.conf.j2", "{{ hostvars }}\n"),
        ("templates/db.conf.j2", "#jinja2: variable_start_string:'[['\n[[ hostvars ]]\n"),
        ("templates/db.conf.j2", "{% include x %}\n"),
        ("templates/part.j2", "{{ groups.db }}\n"),
        ("roles/web/defaults/main.yml", "a: \"{{ query('x') }}\"\n"),
        ("site.yml", "- {import_playbook: books/lb.yml, when: \"'README.md' is exists\"}\n"),
        ("roles/web/meta/argument_specs.yml", "a: \"{{ lookup('x') }}\"\n"),
        ("vars/web.yml", 'a: "{{ play_hosts }}"\n'),
        ("roles/web/meta/main.yml", "dependencies: ['{{ x }}']\n"),
        ("roles/web/meta/main.yml", "dependencies: [{src: 'https://example.org/x'}]\n"),
    ],
)
def test_what_cannot_be_followed_widens(path, text):
    files = {key: value for key, value in SITE.items() if not key.startswith(path + "/")}
    assert edited("site.yml" if text and path == "site.yml" else "vars/web.yml", {**files, path: text}).hosts == ALL


INVENTORY = read_inventory([("hosts", SITE["inventories/staging/hosts"].encode())])


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        ("all", ALL),
        ("*", ALL),
        ("web", WEB),
        ("web:db", WEB | DB),
        ("web,db1", WEB | DB),
        ("site:!db", WEB),
        ("site:&web", WEB),
        ("all:!web:!lb1", DB),
        ("!web", DB | {"lb1"}),
        ("web*", WEB),
        ("w?b1", {"web1"}),
        ("all:!web*", ALL),
        ("unheard", set()),
        ("all:!unheard", ALL),
        ("all:!ungrouped", ALL),
        ("web[0]", None),
        ("~web", None),
        ("web,db:lb", None),
        ("localhost", None),
        ("{{ x }}", None),
        ("", None),
    ],
)
def test_whom_a_play_means(pattern, hosts):
    assert pattern_hosts(pattern, INVENTORY) == hosts


def test_variables_that_a_play_names_by_their_path_touch_its_hosts_too():
    files = {**SITE, "site.yml": "- {hosts: web, vars_files: [group_vars/db.yml]}\n"}
    assert edited("group_vars/db.yml", files).hosts == WEB | DB


def test_variables_of_a_host_that_is_named_like_a_file_are_read():
    hosts = {**SITE, "inventories/staging/hosts": "db.example.md\nweb1\n"}
    files = {**hosts, "host_vars/db.example.md": "a: '{{ hostvars.web1.weight }}'\n"}
    assert edited("inventories/staging/host_vars/web1.yml", files).hosts == {"db.example.md", "web1"}
    other = {**hosts, "host_vars/README.md": "# of hostvars and vars\n"}
    assert edited("inventories/staging/host_vars/web1.yml", other).hosts == {"web1"}


def test_an_import_that_sees_other_hosts_is_heard():
    files = {**SITE, "site.yml": "- {import_playbook: books/lb.yml, when: groups.db}\n"}
    assert edited("inventories/staging/host_vars/web1.yml", files).why[0].words == "site.yml:1 uses groups"


def test_roles_and_texts_that_name_each_other_end():
    files = {**SITE, "roles/common/meta/main.yml": "dependencies: [web]\n"}
    assert edited("roles/common/tasks/main.yml", files).hosts == WEB
    assert usage_of({**SITE, "tasks/backup.yml": "- include_tasks: backup.yml\n"}).wide == ""
