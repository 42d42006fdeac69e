"""Several people at once: one lock a branch, one commit point a move."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from gitops_hooks.edge.index import open_index
from gitops_hooks.entry.sitting import open_sitting
from tests.answers import Result
from tests.push.desk import MAIN, POLICY, Desk
from tests.world import PEOPLE


def _at_once(acts: list[Callable[[], Result]]) -> list[Result]:
    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(timeout=110) for future in [pool.submit(act) for act in acts]]


def _pushing(desk: Desk, who: str, word: str) -> Callable[[], Result]:
    return lambda: desk.git(who, "push", "host:site", word, seconds=110)


def test_two_who_approve_at_once_land_it_once(desk: Desk) -> None:
    commit = desk.propose("alice", {"a.yml": "a: 1\n"})
    done = _at_once([_pushing(desk, who, f"{commit}:refs/approve/1") for who in ("bob", "carol")])
    assert 0 in {result.code for result in done}
    assert [event.fact("Event") for event in desk.log()] == ["adopted", "landing", "landed"]
    assert desk.said(1)[-1] == f"change 1 landed as {commit[:7]}"
    for result in done:
        if result.code:
            assert "Change 1 is landed." in result.remote or "somebody else was faster" in result.remote


def test_ten_who_propose_at_once_get_ten_numbers(desk: Desk) -> None:
    heads = {
        (who, topic): desk.commit(who, {f"{who}-{topic}.yml": "a: 1\n"}) for who in PEOPLE for topic in ("one", "two")
    }
    done = _at_once([_pushing(desk, who, f"{head}:refs/for/main/{topic}") for (who, topic), head in heads.items()])
    assert [result.code for result in done] == [0] * 10
    refs = desk.refs()
    numbers = sorted(int(name.split("/")[2]) for name in refs if name.endswith("/meta"))
    assert len(numbers) == 10
    assert {refs[f"refs/changes/{number}/head"] for number in numbers} == set(heads.values())
    assert {name for name in refs if name.endswith("/1")} == {f"refs/changes/{number}/1" for number in numbers}


def test_two_branches_land_at_once_without_waiting_for_each_other(desk: Desk) -> None:
    rule = "  - {match: other, create: [alice], propose: ['*'], land: ['@ops'], approvals: [{from: [bob]}]}\n"
    main = desk.land({".gitops/policy.yaml": POLICY + rule})
    desk.push("alice", f"{main}:refs/heads/other").must()
    heads = [desk.propose("dave", {"a.yml": "a: 1\n"}, name) for name in ("main", "other")]
    numbers = [desk.newest() - 1, desk.newest()]
    done = _at_once([_pushing(desk, "bob", f"{head}:refs/approve/{n}") for head, n in zip(heads, numbers, strict=True)])
    assert [result.code for result in done] == [0, 0], [result.err for result in done]
    assert [desk.tip(MAIN), desk.tip("refs/heads/other")] == heads or any(
        "not landed" in result.remote for result in done
    )
    intents = [event.commit for event in desk.log() if event.fact("Event") == "landing"]
    ended = [event.fact("Landing") for event in desk.log() if event.fact("Event") in ("landed", "voided")]
    assert sorted(ended) == sorted(intents)


def test_who_has_not_read_the_log_so_far_reads_on_before_a_branch_is_called_moved(desk: Desk) -> None:
    sitting = open_sitting(desk.world.home, "site")
    tip = desk.land({"a.yml": "a: 1\n"})
    # An index of one who has read nothing of it yet, as it is for a moment while somebody else lands.
    record = replace(sitting.record, index=open_index(desk.world.folder / "behind"))
    standing = record.standing(MAIN)
    assert (standing.real, standing.recorded) == (tip, tip)
