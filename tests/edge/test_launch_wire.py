"""What travels between a reconciler and its children is read strictly, and comes back as it was."""

import pytest

from gitops_hooks.edge.launch_wire import Job, encode, parse_job, parse_word
from gitops_hooks.model.deployment import Deployment, HostOutcome, HostState, Outcome, Progress, RunState
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.policy import Environment, Names

HOSTS = (HostOutcome("web1", HostState.CHANGED, 3), HostOutcome("web2", HostState.FAILED, 0, 'a "b"\n\udcff'))
WORDS = (
    Progress(("web1", "web2"), "say ü"),
    Progress(),
    Outcome(RunState.FAILED, HOSTS, 1.5, "failed: web2"),
    Outcome(RunState.SUCCESSFUL),
)


@pytest.mark.parametrize("word", WORDS)
def test_a_word_comes_back_as_it_was_on_one_line(word):
    line = encode(word)

    assert line.count(b"\n") == 1 and line.isascii()
    assert parse_word(line) == word


@pytest.mark.parametrize("operate", [None, Names(("@ops", "alice"))])
def test_a_job_comes_back_as_it_was(operate):
    environment = Environment("staging", "refs/heads/main", "ansible", "site.yml", "inv", operate, "p:1")
    job = Job(
        Deployment("r1", environment, "c" * 40, 7, "run-7"),
        ("web1",),
        ("key", "state"),
        True,
        False,
        ("a.b",),
        5,
        60.5,
        1000,
    )

    assert parse_job(encode(job)) == job


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"Outcome":{}}',
        b'{"Outcome":{"state":"splendid","hosts":[],"seconds":0,"detail":""}}',
        b'{"Outcome":{"state":"failed","hosts":[],"seconds":true,"detail":""}}',
        b'{"Outcome":{"state":"failed","hosts":[],"seconds":0,"detail":"","more":1}}',
        b'{"Outcome":{"state":"failed","hosts":[{"name":"a"}],"seconds":0,"detail":""}}',
        b'{"Progress":{"hosts":["a"],"task":3}}',
        b'{"Progress":{"hosts":"ab","task":""}}',
        b'{"Progress":{"hosts":[],"task":""},"Outcome":null}',
        b'{"Job":{}}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_anything_else_is_refused(line):
    with pytest.raises(EdgeError, match="said something that is no outcome"):
        parse_word(line)
