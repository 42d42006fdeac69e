"""A real bare repository at which pushes are judged and carried out in this process: the same code, without the way."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitops_hooks.entry.authorised import judge_tip
from gitops_hooks.entry.carry_out import carry_out
from gitops_hooks.entry.judge import judge_update
from gitops_hooks.entry.sitting import open_sitting
from gitops_hooks.model.change import Change
from gitops_hooks.model.judgement import Judgement
from gitops_hooks.model.push import NO_OID, Actor, RefUpdate
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import CheckOutcome, Verdict
from tests.copying import copy_folder
from tests.push.desk import MAIN, Desk
from tests.world import REPOSITORY, Template, World


def nothing_found(change: Change, tree: str, names: tuple[str, ...]) -> tuple[Verdict, ...]:
    return tuple(Verdict(name, tree, CheckOutcome.OK) for name in names)


@dataclass(slots=True)
class Court:
    """One repository; commits are made in its own store, as if they had arrived already."""

    world: World
    desk: Desk

    @classmethod
    def open(cls, template: Template) -> "Court":
        world = World(Path(tempfile.mkdtemp(prefix="gw-")), None)
        copy_folder(template.folder, world.folder)
        return cls(world, Desk(world, world.repository))

    def close(self) -> None:
        shutil.rmtree(self.world.folder)

    def commit(self, who: str, files: Mapping[str, str], onto: str) -> str:
        return self.desk.commit(who, files, onto=onto)

    def push(self, who: str, new: str, ref: str, *options: str) -> bool:
        """Push one commit to one ref as this person; whether it was accepted."""
        return self.judge(who, new, ref, *options).decision.accepted

    def judge(self, who: str, new: str, ref: str, *options: str) -> Judgement:
        sitting = open_sitting(self.world.home, REPOSITORY)
        old = self.tip() if ref == MAIN else NO_OID
        actor = Actor(who, "SHA256:key")
        judgement = judge_update(sitting, actor, RefUpdate(old, new, ref), options, nothing_found)
        if judgement.decision.accepted:
            carry_out(sitting, actor, judgement, nothing_found)
        return judgement

    def judge_again(self) -> Refusal | None:
        """Whether whoever deploys main takes what landed for authorised, from the record alone."""
        return judge_tip(open_sitting(self.world.home, REPOSITORY), MAIN)

    def author(self, commit: str) -> str:
        """Who wrote a commit, by the name before the @; the server's own is nobody of people."""
        return self.desk.ask("log", "-1", "--format=%ae", commit).partition("@")[0]

    def tree(self, commit: str) -> str:
        return self.desk.ask("rev-parse", f"{commit}^{{tree}}")

    def rebased(self, head: str, onto: str) -> str:
        """The tree that git itself makes of the head's own commits on `onto`; "" where it cannot, or needs not."""
        base = self.desk.ask("merge-base", onto, head)
        tree, before = self.tree(onto), self.tree(onto)
        for commit in self.desk.ask("rev-list", "--reverse", f"{base}..{head}").split():
            parent = self._bare_commit(self.tree(f"{commit}^"))
            ends = [self._bare_commit(one, "-p", parent) for one in (tree, self.tree(commit))]
            merged = self.desk.git("alice", "merge-tree", "--write-tree", *ends)
            if merged.code != 0:
                return ""
            tree = merged.out.split()[0]
        return "" if tree == before or base == onto else tree

    def _bare_commit(self, tree: str, *parents: str) -> str:
        """A commit for git's merge alone: older git takes its merge base from history only."""
        return self.desk.ask("commit-tree", tree, *parents, "-m", "for a merge")

    def tip(self) -> str:
        return self.world.server_git("rev-parse", MAIN).strip()
