"""Refusals and the ends of deployments are lines in the server's journal; what was accepted is not."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitops_hooks.model.policy import Environment
from gitops_hooks.model.verdict import CheckOutcome, Requirement, Status, Verdict
from gitops_hooks.plugin import (
    Actor,
    Decision,
    Deployment,
    HostOutcome,
    HostState,
    News,
    Notice,
    Outcome,
    Push,
    RunState,
)
from gitops_hooks.plugins.journal import gitops_decided, gitops_deployed

PUSH = Push("0123456789", Actor("alice", "SHA256:abc"), ())


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GITOPS_HOOKS_HOME", str(tmp_path))
    return tmp_path / "journal.jsonl"


def only(journal: Path) -> dict[str, object]:
    entry = json.loads(journal.read_text())
    entry.pop("time")
    return entry


def test_a_refusal_is_one_line_with_who_what_and_why(journal):
    requirements = (
        Requirement("land", Status.SATISFIED, "fine"),
        Requirement("approvals", Status.UNSATISFIED, "0 of 1\napproval"),
    )
    verdicts = (Verdict("yaml", "t", CheckOutcome.ERROR), Verdict("secrets", "t", CheckOutcome.OK))
    gitops_decided(PUSH, Decision("refs/heads/main", requirements, verdicts))
    assert only(journal) == {
        "kind": "refused",
        "repository": "0123456789",
        "actor": "alice",
        "key": "SHA256:abc",
        "ref": "refs/heads/main",
        "rules": "approvals",
        "checks": "yaml",
        "reason": "0 of 1\napproval",
    }
    assert journal.read_bytes().count(b"\n") == 1


def test_what_was_accepted_is_not_written(journal):
    gitops_decided(PUSH, Decision("refs/heads/main", (Requirement("land", Status.SATISFIED, "fine"),)))
    assert not journal.exists()


def test_a_deployments_end_names_every_host(journal):
    environment = Environment("staging", "refs/heads/main", "ansible", "site.yml", "hosts", None, "policy.yaml:9")
    hosts = (HostOutcome("web1", HostState.OK), HostOutcome("web2", HostState.UNREACHABLE))
    outcome = Outcome(RunState.FAILED, hosts, 11.6, "web2 is down")
    notice = Notice("0123456789-staging-9", "site", datetime(2026, 11, 23, 9, tzinfo=UTC), News.DEGRADED)
    gitops_deployed(Deployment("0123456789", environment, "c" * 40, 7, "run"), outcome, notice)
    assert only(journal) == {
        "kind": "deployed",
        "id": "0123456789-staging-9",
        "news": "degraded",
        "repository": "0123456789",
        "environment": "staging",
        "commit": "c" * 40,
        "generation": 7,
        "state": "failed",
        "seconds": 12,
        "hosts": "web1=ok web2=unreachable",
        "detail": "web2 is down",
    }


def test_without_a_server_nothing_is_written_and_nothing_raised(monkeypatch):
    monkeypatch.delenv("GITOPS_HOOKS_HOME", raising=False)
    gitops_decided(PUSH, Decision("refs/heads/main", ()))
