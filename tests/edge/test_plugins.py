"""Plugins are loaded by name, validated at once, and never ignored in silence."""

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_hooks.edge.home import Home
from gitops_hooks.edge.plugins import CHECK_HOOKS, load_enabled, load_plugins, make_ready
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.push import Actor, ActorKind, Push
from gitops_hooks.model.server import ExecCheck, PluginLists
from gitops_hooks.model.verdict import Decision

HEAD = "from gitops_hooks.plugin import Actor, Check, Deployer, hookimpl\n"
PUSH = Push("id", Actor("alice", "SHA256:x"), ())
DECISION = Decision("refs/heads/main", ())

Write = Callable[[str, str], str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a plugin module; its name is unique to the test and forgotten after it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def _write(name: str, text: str) -> str:
        module = f"guest_{tmp_path.name}_{name}".replace("-", "_")
        (tmp_path / f"{module}.py").write_text(HEAD + textwrap.dedent(text))
        return module

    return _write


def offering(*names: str) -> str:
    checks = ", ".join(f"Check({name!r}, 'a check', lambda change, tree, bench: ())" for name in names)
    return f"@hookimpl\ndef gitops_checks():\n    return [{checks}]\n"


def refusal(*modules: str, **options: object) -> str:
    with pytest.raises(EdgeError) as caught:
        load_plugins(modules, **options).checks()
    return str(caught.value)


def test_checks_come_by_name_in_the_order_of_the_servers_file(write):
    first, second = write("one", offering("yaml", "secrets")), write("two", offering("ansible"))
    assert list(load_plugins([first, second]).checks()) == ["yaml", "secrets", "ansible"]


def test_a_generator_of_checks_is_fine_and_no_plugin_is_no_check(write):
    module = write("one", "@hookimpl\ndef gitops_checks():\n    yield Check('a', '', lambda c, t, b: ())\n")
    assert list(load_plugins([module]).checks()) == ["a"]
    assert load_plugins([]).checks() == {}


def test_two_checks_with_one_name_are_refused(write):
    first, second = write("one", offering("yaml")), write("two", offering("yaml"))
    assert refusal(first, second) == f"{second}: Check 'yaml' is already offered by {first}"


def test_a_plugin_that_is_enabled_twice_is_refused(write):
    module = write("one", offering("yaml"))
    assert refusal(module, module) == f"{module}: this plugin is enabled twice in server.toml"


def test_a_module_that_is_not_there_is_named():
    assert refusal("guest_absent") == (
        "guest_absent: this plugin does not load: ModuleNotFoundError: No module named 'guest_absent'"
    )


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("def :", "SyntaxError: invalid syntax"),
    ],
)
def test_a_module_that_fails_at_import_is_named(write, body, why):
    module = write("one", body)
    assert refusal(module).startswith(f"{module}: this plugin does not load: {why}")


def test_a_module_without_a_hook_is_refused(write):
    module = write("one", "x = 1")
    assert refusal(module) == f"{module}: this module implements no hook and would enforce nothing"


def test_a_hook_without_its_marker_is_refused(write):
    module = write("one", "def gitops_checks():\n    return []")
    assert refusal(module) == f"{module}: gitops_checks is not marked with @hookimpl"


def test_a_hook_that_nobody_calls_is_refused(write):
    module = write("one", "@hookimpl\ndef gitops_chekcs():\n    return []")
    assert refusal(module).startswith(f"{module}: this plugin does not fit the contract: ")


def test_a_hook_with_a_foreign_argument_is_refused(write):
    module = write("one", "@hookimpl\ndef gitops_checks(everything):\n    return []")
    assert refusal(module).startswith(f"{module}: this plugin does not fit the contract: ")


def test_a_check_plugin_may_not_say_who_pushes(write):
    module = write("one", offering("yaml") + "@hookimpl\ndef gitops_actor(environ):\n    return None\n")
    assert refusal(module, hooks=CHECK_HOOKS) == (f"{module}: gitops_actor: only a trusted provider may implement this")


def test_what_stands_under_checks_may_only_check_and_a_trusted_provider_may_do_both(write):
    module = write("one", offering("yaml") + "@hookimpl\ndef gitops_actor(environ):\n    return None\n")
    with pytest.raises(EdgeError, match="gitops_actor: only a trusted provider may implement this"):
        load_enabled(PluginLists((module,), ()))
    assert list(load_enabled(PluginLists((), (module,))).checks()) == ["yaml"]
    plain = write("two", offering("yaml"))
    with pytest.raises(EdgeError, match="this plugin is enabled twice in server"):
        load_enabled(PluginLists((plain,), (plain,)))


@pytest.mark.parametrize(
    "answer",
    ["return [1]", "return [Check('No Name', '', None)]", "return ['yaml']", "return None", "raise KeyError(1)"],
)
def test_an_offer_that_is_no_check_is_refused(write, answer):
    module = write("one", f"@hookimpl\ndef gitops_checks():\n    {answer}\n")
    assert refusal(module).startswith(f"{module}: ")


def actor_plugin(write: Write, answer: str, name: str = "actor") -> str:
    return write(name, f"@hookimpl\ndef gitops_actor(environ):\n    {answer}\n")


def test_the_actor_comes_from_the_one_source(write):
    module = actor_plugin(write, "return Actor(environ['WHO'], 'SHA256:x')")
    found = load_plugins([module]).actor({"WHO": "alice"})
    assert found == Actor("alice", "SHA256:x", ActorKind.PERSON)


def test_nobody_is_none(write):
    assert load_plugins([actor_plugin(write, "return None")]).actor({}) is None


def test_two_actor_sources_or_none_are_refused(write):
    first, second = actor_plugin(write, "return None"), actor_plugin(write, "return None", "other")
    with pytest.raises(EdgeError) as caught:
        load_plugins([first, second]).actor({})
    assert str(caught.value) == (f"server.toml: exactly one plugin must say who pushes; enabled: {first}, {second}")
    with pytest.raises(EdgeError, match="exactly one plugin must say who pushes; enabled: none"):
        load_plugins([]).actor({})


@pytest.mark.parametrize("answer", ["raise ValueError('x')", "raise SystemExit(0)", "return 'alice'"])
def test_an_actor_plugin_that_fails_refuses(write, answer):
    module = actor_plugin(write, answer)
    with pytest.raises(EdgeError) as caught:
        load_plugins([module]).actor({})
    assert caught.value.where == module


def test_a_notifiers_fault_is_journalled_and_the_others_are_told(write, tmp_path):
    home = Home(tmp_path)
    body = "@hookimpl\ndef gitops_decided(push, decision):\n    raise OSError('down')\n"
    told = tmp_path / "told"
    good = f"import pathlib\n@hookimpl\ndef gitops_decided(decision):\n    pathlib.Path({str(told)!r}).touch()\n"
    bad = write("bad", body)
    load_plugins([bad, write("good", good)], home).decided(PUSH, DECISION)
    assert told.exists()
    text = home.journal.read_text()
    assert f'"hook": "gitops_decided", "plugin": "{bad}", "error": "this plugin failed: OSError: down"' in text


def test_a_check_whose_declaration_is_wrong_refuses_by_name(write):
    module = write("one", "@hookimpl\ndef gitops_checks():\n    yield Check('a', '', None, tools=('sh',))\n")
    assert refusal(module) == f"{module}: check a: 'sh' is no well-named Tool"


def test_a_plugin_that_needs_a_later_api_is_refused_before_anything_of_it_is_asked(write):
    module = write("later", 'NEEDS_API = "1.999"\n' + offering("a"))
    assert refusal(module).startswith(f"{module}: this plugin needs version 1.999 of the plugin API, and this release")


def test_a_program_that_judges_has_a_name_that_no_plugin_offers(write):
    program = ExecCheck("tabs", "", ("check-tabs",))
    lists = PluginLists((write("tabs", offering("a")),), (), (program,))
    assert list(load_enabled(lists).checks()) == ["a", "tabs"]
    with pytest.raises(EdgeError) as caught:
        load_enabled(PluginLists((write("twin", offering("tabs")),), (), (program,))).checks()
    assert str(caught.value) == "server.toml: [[exec_check]] 'tabs': a plugin offers a check of that name"


def test_what_was_made_ready_is_given_to_each_home_and_what_does_not_load_still_refuses(write, tmp_path):
    good, bad = write("good", offering("mine")), write("bad", "raise ValueError('no')\n")
    source = write("source", "@hookimpl\ndef gitops_actor(environ):\n    return None\n")
    ready, broken = PluginLists((good,), (source,)), PluginLists((good, bad), (source,))
    for lists in (ready, broken):
        make_ready(lists)
    assert set(load_enabled(ready).checks()) == {"mine"}
    assert load_enabled(ready, Home(tmp_path)).actor({}) is None
    program = ExecCheck("other", "a program", ("/bin/true",))
    assert set(load_enabled(PluginLists((good,), (source,), (program,))).checks()) == {"mine", "other"}
    with pytest.raises(EdgeError, match="this plugin does not load: ValueError: no"):
        load_enabled(broken)


def test_what_is_named_is_loaded_ahead_for_forks_alone_and_what_does_not_load_is_no_matter(write):
    heavy, broken = write("heavy", "A = 1\n"), write("broken", "raise SystemExit(3)\n")
    module = write("one", f"LOADED_AHEAD = ({broken!r}, 'nowhere.at_all', {heavy!r})\n" + offering("a"))
    lists = PluginLists((module,), ())
    assert set(load_enabled(lists).checks()) == {"a"}
    assert heavy not in sys.modules
    make_ready(lists)
    assert heavy in sys.modules
    assert set(load_enabled(lists).checks()) == {"a"}


def test_what_names_no_modules_refuses_by_name(write):
    module = write("one", "LOADED_AHEAD = 'json'\n" + offering("a"))
    assert refusal(module).startswith(f"{module}: LOADED_AHEAD is 'json'; it is a tuple of modules by their paths")
