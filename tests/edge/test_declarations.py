"""What a plugin declares of a check is looked at when it is loaded."""

import pytest

from gitops_hooks.edge.declarations import ahead_fault, api_fault, check_fault
from gitops_hooks.hookspec import API_VERSION, Check
from gitops_hooks.model.options import Option, OptionKind
from gitops_hooks.model.tool import Tool


def option(kind: OptionKind, default: object, name: str = "most", **more: object) -> Option:
    return Option(name, kind, default, "for a test", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "good", "wrong"),
    [
        (OptionKind.TEXT, "a", 1),
        (OptionKind.NUMBER, 1, True),
        (OptionKind.TRUTH, False, 0),
        (OptionKind.TEXTS, ("a",), ["a"]),
        (OptionKind.GLOBS, ("**",), "**"),
        (OptionKind.MAP, {"a": "b"}, {"a": 1}),
        (OptionKind.LISTS, {"a": ("b",)}, {"a": "b"}),
    ],
)
def test_a_default_is_of_the_options_own_kind(kind, good, wrong):
    def fault(default):
        return check_fault(Check("a", "", lambda change, tree, bench: (), options=(option(kind, default),)))

    assert (fault(good), fault(None)) == ("", "")
    assert fault(wrong) == f"the default of most is not {kind.value}"


RECORD = option(OptionKind.RECORDS, (), fields=("says",))


@pytest.mark.parametrize(
    ("options", "tools", "fault"),
    [
        ((RECORD,), (Tool("yamllint"),), ""),
        ((option(OptionKind.RECORDS, ()),), (), "most: fields belong to RECORDS, and RECORDS have some"),
        ((option(OptionKind.TEXT, "", fields=("a",)),), (), "most: fields belong to RECORDS, and RECORDS have some"),
        ((RECORD, RECORD), (), "most is declared twice"),
        ((), (Tool("opa"), Tool("opa")), "opa is declared twice"),
        ((), (Tool("../sh"),), "Tool(name='../sh', version=('--version',), own_network=False) is no well-named Tool"),
        ((), ("sh",), "'sh' is no well-named Tool"),
        (("most",), (), "'most' is no well-named Option"),
    ],
)
def test_what_could_not_work_is_refused(options, tools, fault):
    assert check_fault(Check("a", "", lambda change, tree, bench: (), options=options, tools=tools)) == fault


@pytest.mark.parametrize("needed", [None, "1.0", API_VERSION])
def test_a_plugin_loads_that_needs_no_more_of_the_api_than_there_is(needed):
    assert api_fault(needed) == ""


@pytest.mark.parametrize("needed", ["1.999", "2.0"])
def test_a_plugin_that_needs_another_api_is_refused_with_both_versions(needed):
    words = f"this plugin needs version {needed} of the plugin API, and this release has {API_VERSION}"
    assert api_fault(needed) == words


@pytest.mark.parametrize("needed", [1, 1.0, "1", "1.0.0", "0.1", "1.x", ""])
def test_a_version_that_is_none_is_refused(needed):
    assert api_fault(needed) == f'NEEDS_API is {needed!r}; it says a version as "{API_VERSION}"'


@pytest.mark.parametrize(
    ("manner", "fault"),
    [
        ({"commands": True, "kept": False}, ""),
        ({"commands": True}, "a check that gives commands is asked anew each time: say kept=False, and not each=True"),
        (
            {"commands": True, "kept": False, "each": True},
            "a check that gives commands is asked anew each time: say kept=False, and not each=True",
        ),
        ({"commands": "yes"}, "each, kept and commands are True or False"),
        ({"each": True, "parts": 1}, ""),
        ({"each": True, "parts": 16}, ""),
        *(
            ({"each": True, "parts": parts}, "parts is a number from 1 to 16")
            for parts in (0, 17, -1, True, 2.0, "2", None)
        ),
    ],
)
def test_a_check_says_how_it_is_asked(manner: dict[str, object], fault: str) -> None:
    assert check_fault(Check("ci", "for a test", lambda change, tree, bench: (), **manner)) == fault  # type: ignore[arg-type]


@pytest.mark.parametrize("named", [None, (), ("json", "acme_naming.words")])
def test_modules_may_be_named_that_are_loaded_ahead(named):
    assert ahead_fault(named) == ""


@pytest.mark.parametrize("named", ["json", ["json"], ("json", 1), ("a b",), ("",), ("a.",), (".a",)])
def test_what_names_no_modules_is_refused(named):
    words = 'it is a tuple of modules by their paths, as ("json", "acme_naming.words")'
    assert ahead_fault(named) == f"LOADED_AHEAD is {named!r}; {words}"
