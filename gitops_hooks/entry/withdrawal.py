"""Taking back what one said of a change."""

from gitops_hooks.core.decide import holds
from gitops_hooks.core.fold import take_withdrawal
from gitops_hooks.core.govern import Governing
from gitops_hooks.entry.matter import gather
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.entry.wording import refuse
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.judgement import Judgement, Withdraw
from gitops_hooks.model.push import Actor, RefUpdate
from gitops_hooks.model.request import Act, Refusal
from gitops_hooks.model.verdict import Decision, Requirement


def judge_withdrawal(
    sitting: Sitting, actor: Actor, update: RefUpdate, request: Act, record: ChangeRecord, governing: Governing
) -> Judgement:
    """Whether there is anything of one's own to take back; no right is asked for that."""
    after = take_withdrawal(record, actor.name, request.commit)
    if (after.approvals, after.rejections) == (record.approvals, record.rejections):
        reason = f"{actor.name} has said nothing of {request.commit[:12]} that stands."
        return refuse(update, "withdraw", reason, f"What was said:  ssh <host> change show {record.number}")
    requirements = (holds("withdraw", "one's own word"),)
    effect = Withdraw(record, request.commit, request.message, _needs_then(sitting, governing, record, after))
    return Judgement(update, Decision(update.ref, requirements), effect)


def _needs_then(
    sitting: Sitting, governing: Governing, record: ChangeRecord, after: ChangeRecord
) -> tuple[Requirement, ...]:
    """What the head lacks once it is taken back; nothing is told where its branch gives no answer now."""
    standing = sitting.record.standing(record.target)
    matter = gather(sitting, governing, standing, record.head.head, frozenset(), after)
    if isinstance(matter, Refusal):
        return ()
    return tuple(requirement for requirement in matter.case.approvals if not requirement.holds)
