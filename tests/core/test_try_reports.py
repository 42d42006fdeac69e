"""Verdicts for other programs: SARIF and JUnit say the same as the push, whatever bytes a pusher chose."""

from xml.etree import ElementTree

from gitops_hooks.core.junit import junit
from gitops_hooks.core.sarif import sarif
from gitops_hooks.model.verdict import CheckOutcome, Finding, Severity, Status, Verdict

TREE = "c" * 40
ODD = 'a b/\udcff<&">\x1b.yml'
VERDICTS = (
    Verdict("good", TREE, CheckOutcome.OK),
    Verdict("bad", TREE, CheckOutcome.FINDINGS, (Finding(ODD, 3, "wrong \x00 <b>"), Finding("b", 0, "too"))),
    Verdict("warns", TREE, CheckOutcome.FINDINGS, (Finding("c", 1, "beware", Severity.WARNING),)),
    Verdict("trial", TREE, CheckOutcome.FINDINGS, (Finding("d", 1, "later"),), waived=Status.BYPASSED),
    Verdict("broken", TREE, CheckOutcome.ERROR, detail='took "longer" than 3 s'),
)


def test_sarif_has_a_result_for_each_finding_and_a_notification_for_each_check_without_a_verdict():
    (run,) = sarif(VERDICTS, {"bad": "names are good"}, "1.2.3")["runs"]
    assert run["tool"]["driver"]["rules"][:2] == [
        {"id": "good", "shortDescription": {"text": "good"}},
        {"id": "bad", "shortDescription": {"text": "names are good"}},
    ]
    assert [(result["ruleId"], result["level"]) for result in run["results"]] == [
        ("bad", "error"),
        ("bad", "error"),
        ("warns", "warning"),
        ("trial", "note"),
    ]
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert places[:2] == [
        {"artifactLocation": {"uri": "a%20b/%FF%3C%26%22%3E%1B.yml"}, "region": {"startLine": 3}},
        {"artifactLocation": {"uri": "b"}},
    ]
    assert run["invocations"] == [
        {
            "executionSuccessful": False,
            "toolExecutionNotifications": [
                {
                    "level": "error",
                    "message": {"text": 'took "longer" than 3 s'},
                    "descriptor": {"id": "broken"},
                }
            ],
        }
    ]


def test_junit_is_well_formed_and_tells_failures_from_errors_and_from_what_is_only_told():
    (suite,) = ElementTree.fromstring(junit(VERDICTS))
    assert {key: suite.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "5",
        "failures": "1",
        "errors": "1",
    }
    told = {case.get("name"): [(child.tag, child.get("message"), child.text) for child in case] for case in suite}
    line = 'a b/\\xff<&">\\x1b.yml:3: wrong \\x00 <b>'
    assert told == {
        "good": [],
        "bad": [("failure", line, f"{line}\nb: too")],
        "warns": [("system-out", None, "c:1: beware")],
        "trial": [("system-out", None, "d:1: later")],
        "broken": [("error", 'took "longer" than 3 s', None)],
    }
