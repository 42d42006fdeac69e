"""Proposals, revisions, reviews, landings and policy changes in any order: main moves exactly when it should.

After each step the real repository is held against the plain book beside it, in both directions: nothing lands
that was not approved by the policy at the tip (invariant I1), and nothing that was is kept back.
"""

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.push.desk import MAIN
from tests.reviews.book import Draft, Rules, may_review, meets
from tests.reviews.court import Court
from tests.world import Template

PEOPLE = ("alice", "bob", "carol", "dave")
POLICY = ".gitops/policy.yaml"
SENIORS = frozenset(("bob", "carol"))
VARIANTS = (
    Rules(frozenset(("alice", "bob", "carol")), ((1, SENIORS, ""),)),
    Rules(frozenset(("bob",)), ((2, frozenset(("bob", "carol", "dave")), ""),)),
    Rules(
        frozenset(("alice", "dave")), ((1, frozenset(("carol", "alice")), ""), (1, frozenset(("dave", "bob")), "db"))
    ),
    Rules(frozenset(PEOPLE), ((1, frozenset(("dave", "alice")), "db"),)),
)
PATHS = ("db/schema", "db/users", "web/site", "README.md")

people = st.sampled_from(PEOPLE)
picks = st.integers(0, 5)


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    made = Template.build(VARIANTS[0].text())
    yield made
    made.remove()


class Reviews(RuleBasedStateMachine):
    """The steps; which change and which commit one is about is picked from those that there are."""

    template: Template
    steps: ClassVar[Counter[str]] = Counter()

    @initialize()
    def begin(self) -> None:
        self.court = Court.open(self.template)
        self.book: list[Draft] = []
        self.main = [self.court.tip()]
        self.count = 0
        for who, path in (("alice", PATHS[0]), ("bob", PATHS[2]), ("dave", PATHS[3])):
            self.open_change(who, path, self.main[0], 0, who)
        # The branch has moved on from the start, so that there is something to rebase and to merge.
        self.approve(pick=0, who="carol", stale=False, able=False)
        # What chance seldom brings is there once in each run.
        self.reject(pick=1, who="carol")
        self.withdraw(pick=1, who="carol", stale=False, able=False)
        self.rebase(pick=2, who="dave", able=False)
        self.close(pick=1, who="alice")
        self.reopen(pick=0, who="alice")

    def teardown(self) -> None:
        if hasattr(self, "court"):
            self.court.close()

    # --- what the book says ---

    def in_force(self) -> Rules:
        text = self.court.world.show(f"{self.main[-1]}:{POLICY}")
        return next(variant for variant in VARIANTS if variant.text() == text)

    def base(self, head: str) -> str:
        return self.court.desk.ask("merge-base", self.main[-1], head)

    def hands(self, draft: Draft, head: str) -> set[str]:
        inside = self.court.desk.ask("rev-list", f"{self.base(head)}..{head}").split()
        return draft.uploaders | {self.court.author(oid) for oid in inside}

    def paths(self, one: str, other: str) -> set[str]:
        return set(self.court.desk.ask("diff", "--no-renames", "--name-only", one, other).split())

    def changed(self, head: str) -> set[str]:
        """A merge of both sides changes no other paths than the head's own."""
        return self.paths(self.base(head), head)

    def conflicts(self, head: str) -> bool:
        base, tip = self.base(head), self.main[-1]
        both = self.changed(head) & self.paths(base, tip)
        return any(self.blob(head, path) != self.blob(tip, path) for path in both)

    def blob(self, commit: str, path: str) -> str:
        return self.court.desk.ask("ls-tree", commit, "--", path)

    def is_new(self, head: str) -> bool:
        return self.base(head) != head

    def may_land(self, who: str, draft: Draft, head: str) -> bool:
        possible = draft.is_open and draft.has(head) and self.is_new(head) and not self.conflicts(head)
        if draft.is_draft or not possible or who not in self.in_force().landers:
            return False
        return meets(self.in_force(), draft, head, self.base(head), self.hands(draft, head), self.changed(head))

    # --- steps ---

    def write(self, who: str, path: str, onto: str, variant: int) -> str:
        self.count += 1
        text = VARIANTS[variant % len(VARIANTS)].text() if path == POLICY else f"{who} {self.count}\n"
        return self.court.commit(who, {path: text, "log/" + str(self.count): "x\n"}, onto)

    @rule(who=people, path=st.sampled_from((*PATHS, POLICY)), old=st.booleans(), variant=picks, uploader=people)
    def propose(self, who: str, path: str, old: bool, variant: int, uploader: str) -> None:
        self.open_change(who, path, self.main[0 if old else -1], variant, uploader)

    def open_change(self, who: str, path: str, onto: str, variant: int, uploader: str) -> None:
        commit = self.write(who, path, onto, variant)
        number = len(self.book) + 1
        accepted = self.court.push(uploader, commit, f"refs/for/main/t{number}")
        assert accepted == (not self.conflicts(commit))
        if accepted:
            self.book.append(Draft(number, f"t{number}", [(commit, uploader)]))

    def draft(self, pick: int) -> Draft:
        standing = [draft for draft in self.book if draft.is_open] if pick else []
        return (standing or self.book)[-1 - pick % len(standing or self.book)]

    @precondition(lambda self: self.book)
    @rule(pick=picks, who=people, path=st.sampled_from(PATHS), anew=st.booleans())
    def revise(self, pick: int, who: str, path: str, anew: bool) -> None:
        """On top of the head, or rebased: written anew on the tip."""
        draft = self.draft(pick)
        commit = self.write(who, path, self.main[-1] if anew else draft.head, 0)
        accepted = self.court.push(who, commit, "refs/for/main", f"change={draft.number}")
        assert accepted == (draft.is_open and not self.conflicts(commit))
        if accepted:
            draft.heads.append((commit, who))

    @precondition(lambda self: self.book)
    @rule(pick=picks, who=people, stale=st.booleans(), able=st.booleans())
    def approve(self, pick: int, who: str, stale: bool, able: bool) -> None:
        draft = self.draft(pick)
        head = draft.heads[0][0] if stale else draft.head
        if able:
            # By chance alone too few words would ever count, and nothing would land.
            who = next((one for one in PEOPLE if self.is_awaited(draft, one, head)), who)
        accepted = self.court.push(who, head, f"refs/approve/{draft.number}")
        assert accepted == self.takes_word(draft, who, head)
        if accepted:
            draft.approve(who, head, self.base(head))
            if self.may_land(who, draft, head):
                self.note_landing(draft, head)

    @precondition(lambda self: self.book)
    @rule(pick=picks, who=people)
    def reject(self, pick: int, who: str) -> None:
        draft = self.draft(pick)
        accepted = self.court.push(who, draft.head, f"refs/reject/{draft.number}")
        assert accepted == self.takes_word(draft, who, draft.head)
        if accepted:
            draft.reject(who, draft.head)

    @precondition(lambda self: self.book)
    @rule(pick=picks, who=people, stale=st.booleans(), able=st.booleans())
    def withdraw(self, pick: int, who: str, stale: bool, able: bool) -> None:
        draft = self.draft(pick)
        if able:
            said = [draft for draft in self.book if draft.is_open and (draft.approved or draft.rejected)]
            draft = said[pick % len(said)] if said else draft
            who = next((word[0] for word in sorted((*draft.approved, *draft.rejected))), who)
        head = draft.heads[0][0] if stale else draft.head
        accepted = self.court.push(who, head, f"refs/withdraw/{draft.number}")
        assert accepted == (draft.is_open and draft.withdraw(who, head))
        Reviews.steps["withdrawn"] += accepted

    @precondition(lambda self: self.book)
    @rule(pick=picks, who=people, able=st.booleans())
    def rebase(self, pick: int, who: str, able: bool) -> None:
        """By the server: whoever asks gets no hand in it."""
        draft = self.draft(pick)
        if able:
            behind = [draft for draft in self.book if draft.is_open and self.base(draft.head) != self.main[-1]]
            draft = behind[pick % len(behind)] if behind else draft
        tree = self.court.rebased(draft.head, self.main[-1]) if draft.is_open else ""
        accepted = self.court.push(who, draft.head, f"refs/rebase/{draft.number}")
        assert accepted == bool(tree)
        if accepted:
            head = self.court.desk.ask("rev-parse", f"refs/changes/{draft.number}/head")
            assert (self.base(head), self.court.tree(head)) == (self.main[-1], tree)
            draft.heads.append((head, draft.heads[-1][1]))
            Reviews.steps["rebased"] += 1

    @precondition(lambda self: self.book)
    @rule(pick=picks, who=people, ready=st.booleans())
    def toggle(self, pick: int, who: str, ready: bool) -> None:
        """To a draft, or ready again: a word of no new commits."""
        draft = self.draft(pick)
        words = (f"change={draft.number}", "ready" if ready else "draft")
        accepted = self.court.push(who, draft.head, "refs/for/main", *words)
        assert accepted == (draft.is_open and self.is_new(draft.head) and not self.conflicts(draft.head))
        draft.is_draft = not ready if accepted else draft.is_draft

    @precondition(lambda self: self.book)
    @rule(pick=picks, who=people)
    def reopen(self, pick: int, who: str) -> None:
        closed = [draft for draft in self.book if not draft.is_open and not draft.is_landed]
        draft = closed[pick % len(closed)] if closed else self.draft(pick)
        expected = not draft.is_open and not draft.is_landed and self.may_end(who, draft)
        assert self.court.push(who, draft.head, f"refs/reopen/{draft.number}") == expected
        if expected:
            draft.is_open = True
            draft.approved.clear()
            Reviews.steps["reopened"] += 1

    def is_awaited(self, draft: Draft, who: str, head: str) -> bool:
        return self.takes_word(draft, who, head) and (who, head, self.base(head)) not in draft.approved

    def takes_word(self, draft: Draft, who: str, head: str) -> bool:
        possible = draft.is_open and head == draft.head and self.is_new(head) and not self.conflicts(head)
        return possible and may_review(self.in_force(), who, self.hands(draft, head), self.changed(head))

    @precondition(lambda self: self.book)
    @rule(pick=picks, who=people, stale=st.booleans(), able=st.booleans())
    def land(self, pick: int, who: str, stale: bool, able: bool) -> None:
        draft = self.draft(pick)
        head = draft.heads[0][0] if stale else draft.head
        who = min(self.in_force().landers) if able else who
        expected = self.may_land(who, draft, head)
        assert self.court.push(who, head, f"refs/land/{draft.number}") == expected
        if expected:
            self.note_landing(draft, head)

    @precondition(lambda self: self.book)
    @rule(pick=picks, who=people)
    def push_head(self, pick: int, who: str) -> None:
        draft = self.draft(pick)
        forward = self.is_new(draft.head) and self.base(draft.head) == self.main[-1]
        expected = forward and self.may_land(who, draft, draft.head)
        assert self.court.push(who, draft.head, MAIN) == expected
        if expected:
            self.note_landing(draft, draft.head)

    @rule(who=people, path=st.sampled_from((*PATHS, POLICY)))
    def push_unapproved(self, who: str, path: str) -> None:
        assert not self.court.push(who, self.write(who, path, self.main[-1], 3), MAIN)

    @precondition(lambda self: self.book)
    @rule(pick=picks, who=people)
    def close(self, pick: int, who: str) -> None:
        draft = self.draft(pick)
        expected = draft.is_open and self.may_end(who, draft)
        assert self.court.push(who, draft.head, f"refs/close/{draft.number}") == expected
        draft.is_open = draft.is_open and not expected

    def may_end(self, who: str, draft: Draft) -> bool:
        return who == draft.heads[0][1] or who in self.in_force().landers

    def note_landing(self, draft: Draft, head: str) -> None:
        tip = self.court.tip()
        parents = self.court.desk.ask("log", "-1", "--format=%P", tip).split()
        assert tip == head or parents == [self.main[-1], head]
        self.main.append(tip)
        draft.is_open, draft.is_landed = False, True
        assert self.court.judge_again() is None
        Reviews.steps["fast-forward" if tip == head else "merge"] += 1

    @invariant()
    def main_stands_where_the_book_put_it(self) -> None:
        if hasattr(self, "court"):
            assert self.court.tip() == self.main[-1]


@pytest.mark.timeout(600)
def test_main_moves_exactly_when_it_should(template: Template) -> None:
    Reviews.template = template
    run_state_machine_as_test(
        Reviews,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        ),
    )
    # A machine that never gets anything landed would show nothing.
    wanted = ("fast-forward", "merge", "withdrawn", "rebased", "reopened")
    assert min(Reviews.steps[step] for step in wanted) >= 3, Reviews.steps
