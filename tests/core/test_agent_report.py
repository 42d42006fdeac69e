"""An agent's report ⇄ bytes: what is written is read again, and nothing else is."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gitops_hooks.core.agent_report import MOST_BYTES, MOST_HOSTS, encode, parse
from gitops_hooks.model.agent import HostReport, Report
from gitops_hooks.model.deployment import HostState
from gitops_hooks.model.drift import Sync
from tests.core.records import oid

WEB1 = HostReport("web1", HostState.CHANGED, Sync.SYNCED, 3, "", 7, oid("b"), 1_795_683_600, 31)
WEB2 = HostReport("web2", HostState.FAILED, Sync.OUT, 0, 'site.yml:6: "x"\nfailed: ü', 5, oid("a"))
NEW = HostReport("web3")
AT = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
REPORT = Report("agent-web", "r" * 32, "production", 7, oid("b"), oid("c"), 12, AT, (WEB1, WEB2, NEW), "")


@pytest.mark.parametrize(
    "report",
    [
        REPORT,
        replace(REPORT, hosts=()),
        replace(REPORT, records="/var/lib/gitops-hooks-agent/run_logs/production"),
        replace(REPORT, generation=0, commit="", log="", alarm="the log is shorter than the one that was seen"),
        *(replace(REPORT, hosts=(replace(WEB1, state=state),)) for state in HostState),
    ],
)
def test_a_report_is_read_as_it_was_written(report):
    assert parse(encode(report)) == report


def test_it_is_one_line_of_json_in_one_order():
    assert encode(replace(REPORT, hosts=(NEW,))).decode() == (
        f'{{"format":1,"agent":"agent-web","repository":"{"r" * 32}","environment":"production","generation":7,'
        f'"commit":"{"b" * 40}","log":"{"c" * 40}","sequence":12,"at":"2026-11-26T09:00:00Z","hosts":[{{"name":"web3",'
        '"state":"","sync":"unknown","changed":0,"detail":"","generation":0,"commit":"","began":0,"seconds":0}],"alarm":"","records":""}\n'
    )


def test_details_are_cut_where_the_report_would_be_too_large():
    hosts = tuple(replace(WEB2, name=f"web{at}", detail="ü" * 2000) for at in range(100))
    blob = encode(replace(REPORT, hosts=hosts))
    assert len(blob) <= MOST_BYTES
    assert {len(host.detail) for host in parse(blob).hosts} == {62}


def test_hosts_that_never_fit_are_an_error():
    with pytest.raises(ValueError, match=r"^hosts: 300 of them are more than a report of 65536 bytes takes$"):
        encode(replace(REPORT, hosts=tuple(replace(WEB1, name=f"{at:0200}") for at in range(MOST_HOSTS))))


def changed(place: str, value: object) -> bytes:
    """The report as a document of its own, with one field changed (or taken out: None)."""
    document = json.loads(encode(REPORT))
    into = document["hosts"][0] if place.startswith("hosts[0].") else document
    name = place.rpartition(".")[2]
    into[name] = value
    if value is None:
        del into[name]
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


_OID = "is neither an object id of 40 hexadecimal digits nor empty"
_NUMBER = "is not a number from 0 to 999999999999999"
_WORD = "is not a word of 1 to 255 printable ASCII characters"


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("format", 2, "it is 2; this release reads 1"),
        ("format", None, "it is None; this release reads 1"),
        ("agent", "", _WORD),
        ("agent", "a b", _WORD),
        ("repository", 1, _WORD),
        ("environment", None, "is missing"),
        ("environment", "x" * 256, _WORD),
        ("generation", -1, _NUMBER),
        ("generation", True, _NUMBER),
        ("generation", 10**15, _NUMBER),
        ("commit", "B" * 40, _OID),
        ("commit", ["b" * 40], _OID),
        ("log", "c" * 39, _OID),
        ("sequence", 0, "counts from 1"),
        ("sequence", 1.5, _NUMBER),
        ("at", "2026-11-26", "is not a time like 2026-11-26T09:00:00Z"),
        ("at", 0, "is not a time like 2026-11-26T09:00:00Z"),
        ("hosts", {}, "is not a list of at most 300 hosts"),
        ("hosts", [{}] * 301, "is not a list of at most 300 hosts"),
        ("alarm", "x" * 2001, "is not a text of at most 2000 characters"),
        ("more", 1, "there is no such field"),
        ("hosts[0].name", "web 1", _WORD),
        ("hosts[0].state", "fine", "is none of ok, changed, unreachable, failed, skipped, nor empty"),
        ("hosts[0].state", [], "is none of ok, changed, unreachable, failed, skipped, nor empty"),
        ("hosts[0].sync", "Synced", "is none of synced, out-of-sync, unknown"),
        ("hosts[0].changed", "3", _NUMBER),
        ("hosts[0].detail", "x" * 2001, "is not a text of at most 2000 characters"),
        ("hosts[0].commit", None, "is missing"),
    ],
)
def test_a_fault_is_told_with_its_field(place, value, words):
    shown = repr(place) if place == "more" else place
    with pytest.raises(ValueError) as fault:
        parse(changed(place, value))
    assert str(fault.value) == f"{shown}: {words}"


def test_a_host_stands_there_once():
    with pytest.raises(ValueError, match=r"^hosts: web1 stands there twice$"):
        parse(encode(replace(REPORT, hosts=(WEB1, WEB1))))


_OTHERWISE = "it is not written as encode writes it: keys in order, each once, no spaces, one line feed"


@pytest.mark.parametrize(
    ("blob", "words"),
    [
        (b"", "it is not one JSON document"),
        (b"\xff", "it is not one JSON document"),
        (b"[" * 5000, "it is not one JSON document"),
        (b" " * (MOST_BYTES + 1), "it is larger than 65536 bytes"),
        (b"[]\n", "it: is not a JSON object"),
        (encode(REPORT)[:-1], _OTHERWISE),
        (encode(REPORT) + b"\n", _OTHERWISE),
        (encode(REPORT).replace(b'"alarm":""', b'"alarm":"x","alarm":""'), _OTHERWISE),
        (encode(REPORT).replace(b'"sequence":12', b'"sequence": 12'), _OTHERWISE),
        (encode(REPORT).replace(b"2026-11-26T09", b"2026-11-26T9"), "at: is not a time like 2026-11-26T09:00:00Z"),
    ],
)
def test_what_encode_would_not_write_is_no_report(blob, words):
    with pytest.raises(ValueError) as fault:
        parse(blob)
    assert str(fault.value) == words
