"""An agent's key fetches its repository and pushes its own report; everything else is refused by name."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from gitops_hooks.core.agent_report import encode
from gitops_hooks.model.agent import HostReport
from gitops_hooks.model.deployment import HostState
from gitops_hooks.model.drift import Sync
from tests.agent_desk import HOST, AgentDesk
from tests.answers import Result
from tests.world import Template, World

WEB1 = HostReport("web1", HostState.CHANGED, Sync.SYNCED, 3, "", 1, "b" * 40)


@pytest.fixture(scope="module")
def agent(site: Template) -> Iterator[AgentDesk]:
    world = World.copied_from(site)
    yield AgentDesk.added(world, "web-agent", "production", "web1", "web2")
    world.close()


@pytest.fixture(autouse=True)
def rested(agent: AgentDesk) -> None:
    """Each story may report as if the agent had been quiet for long."""
    (agent.world.home.state(agent.repository_id()) / "agents" / "web-agent.turns").unlink(missing_ok=True)


def told(result: Result) -> str:
    """The reason that the agent is given, without what stands around it."""
    lines = result.remote_lines
    assert lines[:3] == ["gitops: refused refs/agents/web-agent", "", "  agent"], result.err
    return "\n".join(line.strip() for line in lines[3:])


def test_a_report_is_taken_and_the_next_one_replaces_it(agent: AgentDesk):
    before = {ref: oid for ref, oid in agent.world.refs().items() if not ref.startswith("refs/agents/")}
    first, second = agent.report(WEB1), agent.report(WEB1, HostReport("web2"), alarm="ü")
    agent.push(first).must()
    assert agent.reported() == encode(first).decode()
    agent.push(second).must()
    assert agent.reported() == encode(second).decode()
    assert agent.world.server_git("rev-list", "--count", agent.ref) == "1\n"
    assert {ref: oid for ref, oid in agent.world.refs().items() if not ref.startswith("refs/agents/")} == before


def test_it_reads_its_repository_and_when_it_came_is_noted(agent: AgentDesk):
    seen = agent.world.home.state(agent.repository_id()) / "agents" / "web-agent.seen"
    seen.unlink(missing_ok=True)
    assert agent.poll() == {"refs/gitops/log": agent.world.refs()["refs/gitops/log"]}
    assert time.time() - seen.stat().st_mtime < 30
    agent.git("fetch", "-q", HOST, "refs/heads/main").must()


def test_it_sees_nothing_but_its_own_ref_where_it_pushes(agent: AgentDesk):
    agent.push(agent.report(WEB1)).must()
    shown = agent.git("push", "--porcelain", HOST, f"{agent.commit({'report': b''})}:refs/heads/x").err
    assert "refs/heads/x is not refs/agents/web-agent" in shown
    advertised = agent.ssh("git-receive-pack 'site'").out
    assert ("refs/agents/web-agent" in advertised, "refs/heads/main" in advertised) == (True, False)


@pytest.mark.parametrize(
    "ref",
    [
        *(
            "refs/heads/main",
            "refs/heads/new",
            "refs/tags/v1",
            "refs/for/main",
            "refs/approve/1",
            "refs/deploy/production",
        ),
        *("refs/agents/other", "refs/agents/web-agent/x", "refs/gitops/log", "refs/changes/1/head"),
        "refs/environments/production/log",
    ],
)
def test_no_other_ref_is_pushed_by_it_and_its_own_not_beside_one(agent: AgentDesk, ref: str):
    before = agent.world.refs()
    commit = agent.commit({"report": encode(agent.report(WEB1))})
    cure = "web-agent is an agent: it pushes refs/agents/web-agent, and nothing else."
    assert told(agent.git("push", HOST, f"+{commit}:{ref}")) == f"{ref} is not refs/agents/web-agent\n\n{cure}"
    assert told(agent.git("push", HOST, f"+{commit}:{agent.ref}", f"{commit}:{ref}")).startswith(ref)
    assert agent.world.refs() == before


def test_its_own_ref_is_not_taken_away_and_options_are_not_taken(agent: AgentDesk):
    agent.push(agent.report(WEB1)).must()
    kept = agent.reported()
    assert agent.git("push", HOST, f":{agent.ref}").code != 0
    commit = agent.commit({"report": encode(agent.report(WEB1))})
    assert "a report takes no push options: reason=x" in told(
        agent.git("push", "-o", "reason=x", HOST, f"+{commit}:{agent.ref}")
    )
    assert agent.reported() == kept


@pytest.mark.parametrize(
    "words", ["whoami", "env list", "change list", "env deploy production", "help", "user list", "sh"]
)
def test_no_words_are_for_it(agent: AgentDesk, words: str):
    done = agent.ssh(words)
    reason = "web-agent is an agent: it fetches, and pushes refs/agents/web-agent; no words are for it"
    assert (done.code, done.out, done.err) == (1, "", f"gitops: {reason}\n")


def test_other_repositories_are_unknown_to_it(agent: AgentDesk):
    done = agent.git("ls-remote", "host:elsewhere")
    assert "gitops: no repository 'elsewhere', or you may not read it" in done.err
    assert done.code != 0


def test_a_report_of_somebody_else_or_an_older_one_is_refused(agent: AgentDesk):
    agent.push(agent.report(WEB1)).must()
    kept, good = agent.reported(), agent.report(WEB1)
    assert told(agent.push(replace(good, agent="other"))) == "agent: it says other, and this key is that of web-agent"
    assert "hosts: web-agent does not answer for db1; it answers for web1 web2" in told(
        agent.push(replace(good, hosts=(WEB1, HostReport("db1"))))
    )
    # Another one than what is there: git would not even push the same.
    older = replace(good, sequence=good.sequence - 1, alarm="older")
    assert told(agent.push(older)) == f"sequence: {older.sequence} does not follow {older.sequence}, the last one here"
    assert agent.reported() == kept


def test_what_is_not_of_the_form_of_a_report_is_refused(agent: AgentDesk):
    agent.push(agent.report(WEB1)).must()
    kept, blob = agent.reported(), encode(agent.report(WEB1))
    parent = agent.commit({"report": b""})
    alone = "It is no report: its tree holds something else than the one file report"
    assert told(agent.push_files({"report": blob}, [parent])).startswith("It is no report: its commit has a parent")
    assert told(agent.push_files({"report": blob, "more": b""})) == alone
    assert told(agent.push_files({"other": blob})) == alone
    assert told(agent.push_files({"report": blob}, mode="100755")) == alone
    _rest(agent)
    assert told(agent.push_files({"report": blob[:-1]})).startswith("It is no report: it is not written as")
    assert told(agent.push_files({"report": b"x" * 65537})) == "It is no report: report is larger than 65536 bytes"
    tag = agent.git("hash-object", "-w", "/dev/null").out.strip()
    assert told(agent.git("push", HOST, f"+{tag}:{agent.ref}")) == "It is no report: its commit is none"
    assert agent.reported() == kept


def _rest(agent: AgentDesk) -> None:
    (agent.world.home.state(agent.repository_id()) / "agents" / "web-agent.turns").unlink()


def test_more_than_a_report_may_weigh_is_not_even_unpacked(agent: AgentDesk):
    import random

    noise = random.Random(1).randbytes(200_000)
    done = agent.push_files({"report": noise})
    assert done.code != 0
    assert "pack exceeds maximum allowed size" in done.err


def test_who_has_reported_too_much_is_told_how_long_to_wait_and_the_journal_tells(agent: AgentDesk):
    # As five reports at once leave it, however long a push takes here.
    turns = agent.world.home.state(agent.repository_id()) / "agents" / "web-agent.turns"
    turns.write_text(json.dumps([0, time.time() + 60]))
    words = "one report in 2 s, and 5 at once, is what an agent may push"
    assert told(agent.push_files({"report": encode(agent.report(WEB1))})) == f"{words}\n\nPush again in 2 s."
    line = json.loads(agent.world.home.journal.read_text().splitlines()[-1])
    assert (line["kind"], line["agent"], line["refused"]) == ("agent", "web-agent", words)


def test_an_agent_that_was_removed_neither_reads_nor_reports(site: Template):
    world = World.copied_from(site)
    try:
        agent = AgentDesk.added(world, "db-agent", "production", "db1")
        agent.push(agent.report(HostReport("db1"))).must()
        assert world.admin("user", "remove", "db-agent").must().out == "removed db-agent\n"
        assert agent.push(agent.report(HostReport("db1"))).code != 0
        assert agent.git("ls-remote", HOST).code != 0
    finally:
        world.close()


def test_a_policy_cannot_name_an_agent(agent: AgentDesk):
    text = agent.world.show("refs/heads/main:.gitops/policy.yaml").replace("[bob, carol]", "[bob, carol, web-agent]")
    refused = agent.world.propose("alice", {".gitops/policy.yaml": text})
    assert "the server knows nobody by the name web-agent" in refused.err
