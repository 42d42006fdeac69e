"""The server's own file is read strictly, and edited without losing a comment."""

import tomllib
from pathlib import Path

import pytest

from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.config_edit import add_credential, add_repository, remove_repository, set_rights, set_value
from gitops_hooks.edge.floor_toml import load_floor
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.new_home import make_home
from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.news import News, NotifyEntry
from gitops_hooks.model.options import Option, OptionKind
from gitops_hooks.model.policy import ApprovalRule, Names
from gitops_hooks.model.server import (
    CHECKS,
    CredentialEntry,
    ExecCheck,
    Limits,
    PluginLists,
    RepositoryEntry,
    ServerFile,
)

WHOLE = """\
# our server
git = "/usr/bin/git"  # the one
authorized_keys = "/srv/keys"
deploy_as = "deployer"

[plugins]
checks = ["our.checks"]

[limits]
# long pushes
push_seconds = 600
blob_size = 1_000

[[repository]]
name = "site"
path = "repositories/site.git"
id = "0123456789abcdef"
read = ["*"]
write = ["alice", "bob"]

[[credential]]
repository = "site"
environment = "staging"
branch = "main"
hosts = ["web1", "10.0.0.2"]
key = "credentials/key"
known_hosts = "/etc/known_hosts"
vault_password = "credentials/vault"
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def load(home: Home, text: str) -> ServerFile:
    home.server_file.write_text(text)
    return load_server(home)


def faults(home: Home, text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load(home, text)
    return str(caught.value).split("\n")


def test_every_key_becomes_a_value_and_relative_paths_start_at_home(home):
    server = load(home, WHOLE)
    site = RepositoryEntry("site", home.path / "repositories/site.git", "0123456789abcdef", ("*",), ("alice", "bob"))
    given = Credentials(
        ("web1", "10.0.0.2"), home.path / "credentials/key", Path("/etc/known_hosts"), home.path / "credentials/vault"
    )
    assert server == ServerFile(
        (site,),
        (CredentialEntry(site.id, "staging", "refs/heads/main", given),),
        PluginLists(("our.checks",)),
        Limits(push_seconds=600.0, blob_size=1000),
        "/usr/bin/git",
        Path("/srv/keys"),
        "deployer",
    )


def test_who_is_told_of_deployments_stands_in_one_table_each(home):
    text = """
[[repository]]
name = "site"
path = "repositories/site.git"
id = "0123456789abcdef"
[[notify]]
name = "chat"
plugin = "gitops_hooks.plugins.notify_webhook"
repositories = ["site"]
environments = ["production"]
on = ["degraded", "recovered"]
[notify.settings]
url = "https://chat.example.org/"
[[notify]]
name = "metrics"
plugin = "acme.metrics"
on = ["every"]
[[notify]]
name = "all"
plugin = "acme.all"
"""
    chat, metrics, every = load(home, text).notify
    news = (News.DEGRADED, News.RECOVERED)
    settings = {"url": "https://chat.example.org/"}
    module = "gitops_hooks.plugins.notify_webhook"
    assert chat == NotifyEntry("chat", module, ("site",), ("production",), news, settings)
    assert metrics == NotifyEntry("metrics", "acme.metrics", on=())
    assert every.on == tuple(News)
    assert chat.wants("site", "production") and not chat.wants("site", "staging") and not chat.wants("x", "production")
    assert every.wants("any", "thing")


def test_faults_of_who_is_told_are_told_all_at_once(home):
    text = """
[[notify]]
name = "Chat"
plugin = "no-module"
repositories = ["gone"]
on = ["failed"]
settings = 3
[[notify]]
name = "b"
plugin = "acme.b"
on = ["every", "deployed"]
[[notify]]
name = "b"
plugin = "acme.b"
on = []
"""
    assert faults(home, text) == [
        "server.toml:3: 'name' has a value that cannot be used: 'Chat'",
        "server.toml:4: 'plugin' has a value that cannot be used: 'no-module'",
        "server.toml:5: there is no repository 'gone' in this file",
        "server.toml:6: 'on': 'failed' is none of deployed, degraded, recovered, drifted, synced, every",
        "server.toml:7: 'settings' must be a table",
        "server.toml:11: 'on': \"every\" stands alone; it is told of every end of a deployment",
        "server.toml:13: two [[notify]] have the name 'b'",
        "server.toml:15: 'on' names nothing, so that nobody would be told; remove the [[notify]] instead",
    ]


def test_a_new_homes_file_loads_with_the_stated_defaults(home):
    make_home(home)
    assert load_server(home) == ServerFile()
    assert load_server(home).plugins.checks == CHECKS


def test_a_missing_file_is_named(home):
    with pytest.raises(PolicyError) as caught:
        load_server(home)
    assert str(caught.value) == "server.toml: cannot be read: No such file or directory"


def test_all_faults_come_at_once_with_their_lines(home):
    text = """\
gti = "git"
[limits]
push_seconds = true
blob_size = 1.5
judge_seconds = nan
refs = 0
[[repository]]
name = "a/b"
path = 3
read = "alice"
[[credential]]
repository = "nowhere"
environment = "staging"
branch = "main"
hosts = []
key = "k"
known_hosts = "h"
"""
    assert faults(home, text) == [
        "server.toml:1: unknown key 'gti'; known: "
        "authorized_keys, credential, deploy_as, exec_check, floor, git, limits, notify, own_network, plugins, "
        "repository, tool_folders",
        "server.toml:3: 'push_seconds' must be a number above 0, not True",
        "server.toml:4: 'blob_size' must be a whole number above 0, not 1.5",
        "server.toml:5: 'judge_seconds' must be a number above 0, not nan",
        "server.toml:6: 'refs' must be a whole number above 0, not 0",
        "server.toml:7: 'id' is missing in [repository]",
        "server.toml:8: 'name' has a value that cannot be used: 'a/b'",
        "server.toml:9: 'path' must be a string, not a number",
        "server.toml:10: 'read' must be a list of strings",
        "server.toml:12: there is no repository 'nowhere' in this file",
        "server.toml:15: 'hosts' must name at least one host",
    ]


@pytest.mark.parametrize("key", ["signed", "evaluate", "break_glass"])
@pytest.mark.parametrize("form", ["{0} = 1", "[{0}]\nx = 1", "[[{0}]]\nx = 1"])
def test_what_this_release_does_not_enforce_is_refused_by_name(home, key, form):
    assert faults(home, form.format(key)) == [f"server.toml:1: '{key}' is not enforced by this release"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("git = 'git\n", 'server.toml: Expected "\'"'),
        ("git = 'a'\ngit = 'b'\n", "server.toml:2: Cannot overwrite a value"),
        ("limits = 1", "server.toml:1: 'limits' must be a table"),
        ("repository = 'x'", "server.toml:1: 'repository' must be written as [[repository]]"),
        ("repository = [1]", "server.toml:1: 'repository' must be written as [[repository]]"),
        ("[plugins]\nchecks = ['not a module']", "server.toml:2: 'checks' has an item that cannot be used"),
        (
            "[plugins]\nchecks = ['a.b', 'a.b']",
            "server.toml:2: 'checks' has an item that cannot be used or stands twice",
        ),
        ('git = "a\\u0000b"', "server.toml:1: 'git' has a value that cannot be used: 'a\\x00b'"),
        ("x = " + "[" * 5000, "server.toml: "),
    ],
)
def test_a_text_that_cannot_be_used_is_a_fault(home, text, fault):
    assert faults(home, text)[0].startswith(fault)


def test_bytes_that_are_no_utf_8_are_a_fault(home):
    home.server_file.write_bytes(b"git = 'git'\n# \xff\n")
    with pytest.raises(PolicyError) as caught:
        load_server(home)
    assert str(caught.value) == "server.toml:2: is not UTF-8"


@pytest.mark.parametrize("name", ["", "..", ".git", "-x", "a/b", "a..b", "site.git", "a b", "a\\n", "a" * 65])
def test_a_repository_name_that_a_client_could_not_say_is_refused(home, name):
    text = f'[[repository]]\nname = "{name}"\npath = "p"\nid = "0123456789"\n'
    assert len(faults(home, text)) == 1


@pytest.mark.parametrize("key", ["name", "path", "id"])
def test_two_repositories_share_nothing(home, key):
    fields = {"name": ("a", "b"), "path": ("pa", "pb"), "id": ("id-00000a", "id-00000b")}
    rows = [{name: values[0 if name == key else index] for name, values in fields.items()} for index in (0, 1)]
    text = "".join("[[repository]]\n" + "".join(f'{n} = "{v}"\n' for n, v in row.items()) for row in rows)
    assert faults(home, text)[0].endswith(f"two repositories have the {key} {rows[0][key]!r}")


def test_one_environment_has_its_credentials_once(home):
    twice = WHOLE + WHOLE[WHOLE.index("[[credential]]") :].replace('"main"', '"refs/heads/main"')
    assert faults(home, twice) == ["server.toml:29: environment 'staging' has its credentials twice"]


GRANT = '[[credential]]\nrepository = "site"\nenvironment = "dns"\nbranch = "main"\n'


def test_an_environment_may_be_granted_variables_and_a_folder_instead_of_hosts(home):
    more = 'environment_file = "e"\nstate_folder = "/srv/dns"\ntrusted_command = true\nkubeconfig = "k"\n'
    home.server_file.write_text(WHOLE + GRANT + more)
    given = Credentials(
        environment_file=home.path / "e",
        state_folder=Path("/srv/dns"),
        trusted_command=True,
        kubeconfig=home.path / "k",
    )
    assert load_server(home).credentials_for("0123456789abcdef", "dns", "refs/heads/main") == given
    add_repository(home, entry(home, "two"))
    server = add_credential(
        home, CredentialEntry("id-of-two-1", "dns", "refs/heads/main", Credentials(kubeconfig=Path("/e")))
    )
    assert server.credentials_for("id-of-two-1", "dns", "refs/heads/main") == Credentials(kubeconfig=Path("/e"))


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("", "29: 'hosts' must name at least one host"),
        ('key = "k"', "29: 'hosts' must name at least one host"),
        ("trusted_command = 1", "33: 'trusted_command' must be true or false"),
        ("state_folder = 1", "33: 'state_folder' must be a string, not a number"),
    ],
)
def test_half_a_grant_is_a_fault(home, more, fault):
    assert faults(home, WHOLE + GRANT + more)[0] == f"server.toml:{fault}"


def test_two_environments_never_share_a_state(home):
    one = GRANT + 'state_folder = "s"\n'
    assert faults(home, WHOLE + one + one.replace("dns", "web")) == [
        "server.toml:38: two environments have the state_folder 's'"
    ]


def test_who_may_write_may_read_and_others_may_not(home):
    entry = RepositoryEntry("site", home.path, "id", ("carol",), ("alice",))
    assert [entry.may_read(name) for name in ("alice", "carol", "dave")] == [True, True, False]
    assert [entry.may_write(name) for name in ("alice", "carol", "dave")] == [True, False, False]


def entry(home: Home, name: str) -> RepositoryEntry:
    return RepositoryEntry(name, home.repositories / f"{name}.git", f"id-of-{name}-1", ("*",), ("alice",))


def test_editing_keeps_comments_and_order_and_writes_what_was_meant(home):
    home.server_file.write_text(WHOLE)
    add_repository(home, entry(home, "two"))
    set_rights(home, "two", ("bob",), ())
    set_value(home, "judge_seconds", 5, "limits")
    set_value(home, "git", "git")
    given = Credentials(("db1",), home.path / "key", Path("/known"))
    server = add_credential(home, CredentialEntry("id-of-two-1", "live", "refs/heads/main", given))
    text = home.server_file.read_text()
    assert text.startswith('# our server\ngit = "git"  # the one\n')
    assert "# long pushes\n" in text
    assert server == load_server(home)
    assert server.repository("two") == RepositoryEntry(
        "two", home.repositories / "two.git", "id-of-two-1", ("bob",), ()
    )
    assert server.credentials_for("id-of-two-1", "live", "refs/heads/main") == given
    assert server.limits.judge_seconds == 5.0
    assert tomllib.loads(text)["repository"][1]["path"] == "repositories/two.git"
    assert home.server_file.stat().st_mode & 0o777 == 0o600


def test_removing_a_repository_takes_its_credentials_with_it(home):
    home.server_file.write_text(WHOLE)
    add_repository(home, entry(home, "two"))
    server = remove_repository(home, "site")
    assert [each.name for each in server.repositories] == ["two"]
    assert server.credentials == ()
    assert remove_repository(home, "two").repositories == ()
    assert add_repository(home, entry(home, "three")).repository("three") is not None


def test_an_edit_that_would_not_load_changes_nothing(home):
    home.server_file.write_text(WHOLE)
    with pytest.raises(PolicyError):
        add_repository(home, entry(home, "site"))
    with pytest.raises(PolicyError):
        set_value(home, "push_seconds", -1, "limits")
    with pytest.raises(EdgeError) as caught:
        remove_repository(home, "absent")
    assert str(caught.value) == "server.toml: there is no repository 'absent'"
    assert home.server_file.read_text() == WHOLE


def test_a_file_with_a_fault_is_not_edited(home):
    home.server_file.write_text("gti = 1\n")
    with pytest.raises(PolicyError):
        add_repository(home, entry(home, "two"))
    assert home.server_file.read_text() == "gti = 1\n"


FLOOR = """\
[floor.groups]
security = ["dora", "carol"]

[[floor.branch]]
match = "main"
checks = ["secrets"]
approvals = [
    {count = 1, from = ["@security"]},
]

# all else
[[floor.branch]]
match = "release/**"
push = []
"""


def test_the_floor_is_read_with_the_lines_of_its_rules(home):
    home.server_file.write_text(FLOOR)
    floor = load_floor(home)
    assert floor.groups == (("floor/security", ("dora", "carol")),)
    assert [(rule.match, rule.place, rule.checks) for rule in floor.rules] == [
        ("main", "server.toml:4", ("secrets",)),
        ("release/**", "server.toml:12", ()),
    ]
    assert floor.rules[0].approvals == (ApprovalRule(1, Names(("@floor/security",)), (), "server.toml:7"),)
    assert (floor.rules[1].push, floor.rules[1].land) == (Names(), Names(("*",)))


def test_every_fault_of_the_floor_comes_with_its_line(home):
    home.server_file.write_text(
        """\
git = "git"
[floor]
owners = "all"
[floor.groups]
empty = []
[[floor.branch]]
match = "[main]"
mode = "evaluate"
approvals = [{count = 0, from = ["@gone"]}]
[[floor.branch]]
push = "alice"
land_method = "never"
[[floor.tag]]
match = "v*"
"""
    )
    with pytest.raises(PolicyError) as raised:
        load_floor(home)
    assert str(raised.value).split("\n") == [
        "server.toml:3: unknown key 'owners' in [floor]; known: branch, checks, groups",
        "server.toml:7: match: '[main]' may hold no blank and none of [ ] { } \\ ^, nor begin with !; "
        "only *, ? and ** are patterns",
        "server.toml:8: mode: the floor knows no evaluate and no break-glass",
        "server.toml:9: count: '0' is not a whole number from 1 to 9999",
        "server.toml:9: from: there is no group @gone; groups: empty",
        "server.toml:9: count: 1 by @gone, but nobody could approve",
        "server.toml:10: match is missing: which branches is this rule for?",
        "server.toml:11: push must be a list, not text",
        "server.toml:12: land_method: 'never' is not one of merge, fast-forward, always-merge, squash, rebase",
        "server.toml:13: 'tag' is not enforced by this release",
    ]


@pytest.mark.parametrize("begin", ["[floor.checks.naming]\n", "[floor]\nchecks.naming."])
def test_options_of_checks_stand_in_the_floor_with_a_line_of_their_own(home, begin):
    declared = {"naming": (Option("most", OptionKind.NUMBER, 3, "how many", most=9),)}
    home.server_file.write_text(f"git = 'git'\n{begin}most = 7\n")
    assert [(each.check, each.file) for each in load_floor(home, None, declared).options] == [("naming", "server.toml")]
    home.server_file.write_text(f"git = 'git'\n{begin}most = 10\n")
    with pytest.raises(PolicyError) as raised:
        load_floor(home, None, declared)
    assert str(raised.value) == "server.toml:2: checks: naming: most: '10' is not a whole number from 0 to 9"


@pytest.mark.parametrize("text", ["floor = 1", "[floor]\nbranch = 1", '[floor]\nbranch = ["main"]', "[[floor]]"])
def test_a_floor_of_another_shape_is_refused(home, text):
    home.server_file.write_text(f"{text}\n")
    with pytest.raises(PolicyError):
        load_floor(home)


def test_names_of_a_floor_are_held_against_people_and_checks_where_they_are_known(home):
    home.server_file.write_text(FLOOR)
    with pytest.raises(PolicyError) as raised:
        load_floor(home, frozenset({"carol"}), {"yaml": ()})
    assert str(raised.value).split("\n") == [
        "server.toml:1: the server knows nobody by the name dora",
        "server.toml:6: there is no check secrets on this server; there are: yaml",
    ]


def test_folders_of_tools_are_whole_paths_and_never_hold_the_home(home):
    home.server_file.write_text('tool_folders = ["/opt/lint", "/opt/iac"]\n')
    assert load_server(home).tool_folders == (Path("/opt/lint"), Path("/opt/iac"))
    for folder in ("lint", str(home.path), str(home.path.parent), "/"):
        home.server_file.write_text(f'git = "git"\ntool_folders = ["{folder}"]\n')
        with pytest.raises(PolicyError) as raised:
            load_server(home)
        words = "'tool_folders' may hold whole paths only, and not what this home is in"
        assert str(raised.value) == f"server.toml:2: {words}: {folder}"


def test_only_nft_may_have_a_network_of_its_own(home):
    home.server_file.write_text("")
    assert load_server(home).own_network == ()
    home.server_file.write_text('own_network = ["nft"]\n')
    assert load_server(home).own_network == ("nft",)
    for names in ('["sh"]', '["nft", "sh"]'):
        home.server_file.write_text(f"own_network = {names}\n")
        with pytest.raises(PolicyError) as raised:
            load_server(home)
        assert str(raised.value) == """server.toml:1: 'own_network' may name nft alone: ["nft"]"""


EXEC = """\
[[exec_check]]
name = "naming"
summary = "roles are named after the house"
command = ["check-naming", "--strict", "--strict"]
paths = ["roles/**"]
tree = ["group_vars", "."]
target = [".naming"]
kept = true
options = {prefix = "acme-", most = 30, loud = true, ignore = ["vendor/**"], names = {a = "b"}}
"""


def test_programs_that_judge_stand_in_tables_and_the_defaults_of_their_options_say_what_these_take(home):
    assert load(home, EXEC).plugins.programs == (
        ExecCheck(
            "naming",
            "roles are named after the house",
            ("check-naming", "--strict", "--strict"),
            ("roles/**",),
            ("group_vars", "."),
            (".naming",),
            (
                Option("prefix", OptionKind.TEXT, "acme-", ""),
                Option("most", OptionKind.NUMBER, 30, ""),
                Option("loud", OptionKind.TRUTH, True, ""),
                Option("ignore", OptionKind.TEXTS, ("vendor/**",), ""),
                Option("names", OptionKind.MAP, {"a": "b"}, ""),
            ),
            kept=True,
        ),
    )
    assert load(home, '[[exec_check]]\nname = "a"\ncommand = ["b"]\n').plugins.programs == (ExecCheck("a", "", ("b",)),)


def test_every_fault_of_a_program_that_judges_is_told(home):
    text = """\
[[exec_check]]
name = "Naming"
command = ["/opt/lint/bin/naming"]
tree = ["../x"]
options = {prefix = 1.5, "A b" = "c"}
kept = "yes"
languages = ["sh"]
[[exec_check]]
name = "naming"
[[exec_check]]
name = "naming"
command = []
paths = ["**/"]
"""
    with pytest.raises(PolicyError) as caught:
        load(home, text)
    known = "command, kept, name, options, paths, summary, target, tree"
    assert str(caught.value).split("\n") == [
        "server.toml:2: 'name' has a value that cannot be used: 'Naming'",
        "server.toml:3: 'command' begins with the name of a program, not its path; tool_folders say where",
        "server.toml:4: 'tree' has an item that cannot be used or stands twice: '../x'",
        "server.toml:5: 'options': 'prefix' is no name with a text, number, truth, list or table of texts",
        "server.toml:5: 'options': 'A b' is no name with a text, number, truth, list or table of texts",
        "server.toml:6: 'kept' must be true or false",
        f"server.toml:7: unknown key 'languages' in [exec_check]; known: {known}",
        "server.toml:8: 'command' must be a list of strings, first the name of a program",
        "server.toml:11: two [[exec_check]]s have the name 'naming'",
        "server.toml:12: 'command' begins with the name of a program, not its path; tool_folders say where",
        "server.toml:13: 'paths': '**/' has an empty part; write folder/** for all below a folder",
    ]


PLANS = WHOLE + GRANT.replace("dns", "staging") + 'use = "plan"\n'
LOGIN = 'hosts = ["web1"]\nknown_hosts = "k"\nkey = "credentials/plan"\n'


def test_a_credential_for_plans_stands_beside_the_one_that_deploys(home):
    server = load(home, PLANS + LOGIN + 'user = "plan"\nbecome = true\n')
    asked = ("0123456789abcdef", "staging", "refs/heads/main")
    plans = server.credentials_for(*asked, "plan")
    assert plans is not None and (plans.key, plans.user, plans.become) == (home.path / "credentials/plan", "plan", True)
    deploys = server.credentials_for(*asked)
    assert deploys is not None and (deploys.key, deploys.user) == (home.path / "credentials/key", "")
    modest = load(home, PLANS + LOGIN).credentials_for(*asked, "plan")
    assert modest is not None and (modest.user, modest.become) == ("", False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PLANS.replace('"plan"', '"look"') + LOGIN, "'use' must be one of deploy, plan, not 'look'"),
        (WHOLE.rstrip("\n") + '\nuser = "x"\n', "'user' is not for use = \"deploy\""),
        (PLANS + LOGIN + "trusted_command = true\n", "'trusted_command' is not for use = \"plan\""),
        (PLANS + LOGIN + 'become = "yes"\n', "'become' must be true or false"),
        (
            GRANT + 'kubeconfig = "k"\n' + GRANT + 'use = "plan"\nkubeconfig = "k"\n',
            "'k' deploys, and is no key for plans; make another, of a user who may only read",
        ),
        (
            PLANS + LOGIN.replace("credentials/plan", "credentials/key"),
            "'credentials/key' deploys, and is no key for plans; make another, of a user who may only read",
        ),
        (2 * (PLANS.removeprefix(WHOLE) + LOGIN), "environment 'staging' has its credentials for plans twice"),
    ],
)
def test_what_deploys_plans_nothing_and_what_is_of_plans_is_of_nothing_else(home, text, words):
    text = text if text.startswith(WHOLE) else WHOLE + text
    assert words in " ".join(faults(home, text))


def test_a_credential_for_plans_is_written_as_it_is_read(home):
    load(home, WHOLE)
    given = Credentials(("web1",), Path("/k/plan"), Path("/k/hosts"), user="plan", become=True)
    entry = CredentialEntry("0123456789abcdef", "staging", "refs/heads/main", given, "plan")
    assert add_credential(home, entry).credentials_for("0123456789abcdef", "staging", entry.branch, "plan") == given
