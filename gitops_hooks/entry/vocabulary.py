"""Every word of the command line: what runs over SSH, what runs on the server only, what comes later."""

from collections.abc import Mapping

# Over SSH exactly these run, each with these options beside -R and --json.
LISTED: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("change", "list"): ("--all",),
    ("change", "show"): (),
    ("change", "diff"): (),
    ("change", "log"): ("--follow",),
    ("change", "check"): (),
    ("change", "approve"): ("--stdin",),
    ("change", "reject"): ("--stdin",),
    ("change", "withdraw"): ("--stdin",),
    ("change", "comment"): ("--stdin",),
    ("change", "land"): (),
    ("change", "rebase"): (),
    ("change", "plan"): ("--stdin", "--follow"),
    ("change", "close"): ("--stdin",),
    ("change", "reopen"): ("--stdin",),
    ("env", "list"): (),
    ("env", "show"): (),
    ("env", "log"): ("--follow",),
    ("env", "drift"): ("--now",),
    ("env", "plan"): (),
    ("env", "deploy"): ("--reason", "--stdin"),
    ("env", "rollback"): ("--reason", "--stdin"),
    ("env", "pause"): ("--reason", "--stdin"),
    ("env", "resume"): ("--reason", "--stdin"),
    ("env", "cancel"): ("--reason", "--stdin"),
    ("policy", "explain"): ("--path", "--person", "--branch"),
    ("policy", "check"): ("-",),
    ("policy", "replay"): ("-", "--last", "--branch"),
    ("owners",): ("--branch",),
    ("whoami",): (),
    ("help",): (),
}
VERBS = ("approve", "reject", "withdraw", "comment", "land", "rebase", "close", "reopen")
OPERATIONS = ("deploy", "rollback", "pause", "resume", "cancel")
WRITING = (
    *(("env", verb) for verb in OPERATIONS),
    ("env", "drift"),
    *(("change", word) for word in ("check", "plan")),
    *(("change", verb) for verb in VERBS),
)
LOCAL = ("agent", "doctor", "policy", "reconcile", "recovery", "repo", "serve", "user", "verify")
OWN = ("check", "plugin")  # whose words belong to who writes, on a machine of their own
LOCAL_WORDS = (("change", "purge"), ("env", "stop"), ("env", "start"))
LATER: Mapping[str, tuple[str, ...]] = {
    "serve": (),
}

HELP = """\
change list              the open changes          (--all: closed and landed ones too)
change show N            one change: its revisions, approvals and checks
change diff N            what it changes
change plan N            what it would change, host by host, for who operates them
change plan N COMMIT     have that planned now, once nothing else is missing   (--follow: and wait for it)
change log N             what its commands write, and how they ended   (--follow: to their end)
change check N           run once more those of its commands that did not pass
change VERB N COMMIT     approve, reject, withdraw, comment, land, rebase, close, reopen;
                         COMMIT in full (--stdin: read the reason or comment from there)
env list                 the environments and what is live
env show ENV             desired, attempted and deployed, host by host
env log ENV              its deployments
env log ENV N --follow   what each task of deployment N did on each host (without --follow: so far)
env drift ENV [HOST]     how its hosts differ from what is deployed   (--now: look now)
env plan ENV N           what change N would change there
env deploy ENV           what is desired, now
env rollback ENV [COMMIT]  back to this commit or the last good one, at once
env pause|resume ENV     begin nothing until it is resumed
env cancel ENV           end the run under way
                         (with each verb: --reason WORD, or --stdin to read it from there)
policy explain N         why change N may land or not, rule by rule
policy explain --path P  what a change of this path needs of you   (--branch B)
policy explain --person NAME  what you may do, by your own name
policy check -           the faults of the policy on standard input
policy replay -          what it would have done to the last landings   (--last N, --branch B)
owners PATH              whose approval a change of this path needs   (--branch B)
whoami                   who you are here, and what you may read and write
With several repositories add -R NAME; --json prints facts for programs.
Propose:  git push origin HEAD:refs/for/BRANCH      Approve:  git push origin COMMIT:refs/approve/N
"""


def is_later(words: tuple[str, ...]) -> bool:
    """Whether the word is known and this release does not have it."""
    if not words or words[0] not in LATER:
        return False
    later = LATER[words[0]]
    return not later or (len(words) > 1 and words[1] in later)
