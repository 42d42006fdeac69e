"""A real bare repository at which pushes are judged and carried out in this process: the same code, without the way."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitops_hooks.entry.carry_out import carry_out
from gitops_hooks.entry.judge import judge_update
from gitops_hooks.entry.sitting import open_sitting
from gitops_hooks.model.change import Change
from gitops_hooks.model.judgement import Judgement
from gitops_hooks.model.push import NO_OID, Actor, RefUpdate
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

    def tip(self) -> str:
        return self.world.server_git("rev-parse", MAIN).strip()
