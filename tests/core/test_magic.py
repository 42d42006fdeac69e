"""What a magic ref name and its options ask for."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_hooks.core.magic import parse_request
from gitops_hooks.model.push import NO_OID, RefUpdate
from gitops_hooks.model.request import Act, Direct, EnvironmentVerb, Operate, Propose, Refusal, Verb

A, B = "a" * 40, "b" * 40
BUILT = (
    "built: topic title description|message|m change draft|wip ready reviewer|r cc base stack "
    "submit|land|auto-land old-oid merge_request.target merge_request.create break-glass reason help"
)


STACKED = "title: speaks of one change, and a stack is several\nchange: speaks of one change, and a stack is several"


def ask(ref: str, *options: str, old: str = NO_OID, new: str = A):
    return parse_request(RefUpdate(old, new, ref), options)


def propose(*candidates: tuple[str, str], **said) -> Propose:
    return Propose(A, candidates or (("refs/heads/main", ""),), **said)


def b64(text: str | bytes) -> str:
    return "{base64}" + base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


@pytest.mark.parametrize(
    ("ref", "options", "request_"),
    [
        ("refs/for/main", (), propose()),
        (
            "refs/for/main/fix/motd",
            (),
            propose(("refs/heads/main/fix/motd", ""), ("refs/heads/main/fix", "motd"), ("refs/heads/main", "fix/motd")),
        ),
        ("refs/for/main%topic=fix", (), propose(("refs/heads/main", "fix"))),
        (
            "refs/for/main/fix",
            ("topic=fix",),
            propose(("refs/heads/main/fix", "fix"), ("refs/heads/main", "fix")),
        ),
        ("refs/for/main/other", ("topic=fix",), propose(("refs/heads/main/other", "fix"))),
        ("refs/for/HEAD/x", (), propose(("refs/heads/HEAD/x", ""))),
        ("refs/for/main%title=New", (), propose(title="New")),
        ("refs/for/main", ("title=New motd, größer",), propose(title="New motd, größer")),
        ("refs/for/main", ("title=a=b",), propose(title="a=b")),
        ("refs/for/main%title={base64}TmV3IG1vdGQ=", (), propose(title="New motd")),
        ("refs/for/main", ("merge_request.title=New",), propose(title="New")),
        ("refs/for/main", ("title=New", "merge_request.title=New"), propose(title="New")),
        ("refs/for/main", ("description=why",), propose(description="why")),
        ("refs/for/main", ("message=why",), propose(description="why")),
        ("refs/for/main%m=why", (), propose(description="why")),
        ("refs/for/main", ("merge_request.description=why",), propose(description="why")),
        ("refs/for/main", ("message=" + b64("one\r\ntwo\n\tthree"),), propose(description="one\ntwo\n\tthree")),
        ("refs/for/main%change=12", (), propose(change=12)),
        ("refs/for/main%submit", (), propose(auto_land=True)),
        ("refs/for/main%land", (), propose(auto_land=True)),
        ("refs/for/main", ("auto-land", "submit"), propose(auto_land=True)),
        ("refs/for/main", ("merge_request.merge_when_pipeline_succeeds",), propose(auto_land=True)),
        ("refs/for/main", (f"old-oid={B}",), propose(old_oid=B)),
        ("refs/for/main%wip", (), propose(draft=True)),
        ("refs/for/main", ("draft", "merge_request.draft", "work-in-progress"), propose(draft=True)),
        ("refs/for/main%ready", (), propose(draft=False)),
        ("refs/for/main%r=bob,r=carol", ("cc=dave,bob",), propose(reviewers=("bob", "carol"), cc=("dave", "bob"))),
        ("refs/for/main", ("reviewer=bob,bob",), propose(reviewers=("bob",))),
        ("refs/for/main%base=3", (), propose(base=3)),
        ("refs/for/main%stack,land", (), propose(stack=True, auto_land=True)),
        ("refs/for/main", ("merge_request.create", "merge_request.target=main"), propose()),
        ("refs/for/a/b/c", ("merge_request.target=a/b",), propose(("refs/heads/a/b", "c"))),
        (
            "refs/for/main/t%change=7,title=x",
            ("m=y", "land"),
            Propose(
                A,
                (("refs/heads/main/t", ""), ("refs/heads/main", "t")),
                title="x",
                description="y",
                change=7,
                auto_land=True,
            ),
        ),
        ("refs/approve/12", (), Act(Verb.APPROVE, 12, A)),
        ("refs/reject/12", ("reason=no",), Act(Verb.REJECT, 12, A, "no")),
        ("refs/reject/12%message={base64}bm8sIG5vdA==", (), Act(Verb.REJECT, 12, A, "no, not")),
        ("refs/land/999999999", ("m=go", "reason=go"), Act(Verb.LAND, 999999999, A, "go")),
        ("refs/close/1", (), Act(Verb.CLOSE, 1, A)),
        ("refs/reopen/1", (), Act(Verb.REOPEN, 1, A)),
        ("refs/rebase/1", (), Act(Verb.REBASE, 1, A)),
        ("refs/plan/1", ("m=why",), Act(Verb.PLAN, 1, A, "why")),
        ("refs/approve/1%plan=0123456789ab", (), Act(Verb.APPROVE, 1, A, bound=("plan=0123456789ab",))),
        ("refs/comment/1", ("m=why 80?",), Act(Verb.COMMENT, 1, A, "why 80?")),
        ("refs/land/12", ("break-glass", "reason=down"), Act(Verb.LAND, 12, A, "down", plea="down")),
        ("refs/land/12%break-glass,m=down", (), Act(Verb.LAND, 12, A, "down", plea="down")),
        ("refs/for/main", ("break-glass", "reason=down"), propose(plea="down")),
        (
            "refs/heads/main",
            ("break-glass", "reason=down"),
            Direct(RefUpdate(NO_OID, A, "refs/heads/main"), "down"),
        ),
        ("refs/heads/main", (), Direct(RefUpdate(NO_OID, A, "refs/heads/main"))),
        ("refs/heads/50%off", (), Direct(RefUpdate(NO_OID, A, "refs/heads/50%off"))),
        ("refs/tags/v1", (), Direct(RefUpdate(NO_OID, A, "refs/tags/v1"))),
    ],
)
def test_a_request_is_read(ref, options, request_):
    assert ask(ref, *options) == request_


def test_closing_and_reopening_need_no_commit():
    assert ask("refs/close/12", new=NO_OID) == Act(Verb.CLOSE, 12, NO_OID)
    assert ask("refs/reopen/12", new=NO_OID) == Act(Verb.REOPEN, 12, NO_OID)


@pytest.mark.parametrize("verb", EnvironmentVerb)
def test_a_verb_on_an_environment_names_a_commit_or_none_and_may_say_why(verb):
    assert ask(f"refs/{verb.value}/eu-1", new=NO_OID) == Operate(verb, "eu-1", NO_OID)
    assert ask(f"refs/{verb.value}/eu-1%m=broken") == Operate(verb, "eu-1", A, "broken")
    assert ask(f"refs/{verb.value}/eu-1", "draft") == Refusal(
        "options", "draft: only on refs/for/<branch>", "built: reason|message|m help"
    )


@pytest.mark.parametrize(
    ("ref", "options", "reason"),
    [
        ("refs/for/main%private", (), "private: not in this release"),
        ("refs/for/main%l=Code-Review+1", (), "l: not in this release"),
        ("refs/for/main%t=web", ("notify=NONE",), "t: not in this release\nnotify: not in this release"),
        ("refs/for/main%r=Bob", (), "r: Bob is not a name"),
        ("refs/for/main", ("r=bob,,carol",), "r: nothing is not a name"),
        ("refs/for/main", ("cc=@senior",), "cc: @senior is not a name"),
        ("refs/for/main%base=0", (), "base: not the number of a change"),
        ("refs/for/main", ("private",), "private: not in this release"),
        ("refs/for/main", ("merge_request.label=x",), "merge_request.label: not in this release"),
        ("refs/for/main", ("auto_merge",), "auto_merge: not in this release"),
        (
            "refs/for/main%edit,colour=red",
            ("ci.skip",),
            "edit: not in this release\ncolour: no such option\nci.skip: not in this release",
        ),
        ("refs/for/main", ("Title=x",), "Title: no such option"),
        ("refs/for/main", ("gr\u00f6\u202e=1",), "gr\\xf6\\u202e: no such option"),
        ("refs/for/main%", (), "an empty option: no such option"),
        ("refs/for/main%title=x,,", (), "an empty option: no such option\nan empty option: no such option"),
        ("refs/for/main", ("=x",), "an empty option: no such option"),
        ("refs/for/main%title=x", ("title=y",), "title: given twice with different values"),
        ("refs/for/main", ("m=x", "description=y"), "description: given twice with different values"),
        ("refs/for/main", ("title",), "title: needs a value: title=<text>"),
        ("refs/for/main", ("title=  ",), "title: needs a value: title=<text>"),
        ("refs/for/main", ("m=",), "m: needs a value: description|message|m=<text>"),
        ("refs/for/main", ("land=yes",), "land: takes no value"),
        ("refs/for/main", ("land=",), "land: takes no value"),
        ("refs/for/main", ("help=x",), "help: takes no value"),
        ("refs/for/main", ("title={base64}TmV3!",), "title: not base64 of UTF-8"),
        ("refs/for/main", ("title={base64}TmV3I",), "title: not base64 of UTF-8"),
        ("refs/for/main", ("title={base64}größe",), "title: not base64 of UTF-8"),
        ("refs/for/main", ("title=" + b64(b"\xff"),), "title: not base64 of UTF-8"),
        ("refs/for/main", ("title={base64}",), "title: needs a value: title=<text>"),
        ("refs/for/main", ("title=" + b64("a\nb"),), "title: U+000A has no place in it"),
        ("refs/for/main", ("title=a\u202eb",), "title: U+202E has no place in it"),
        ("refs/for/main", ("title=" + "ß" * 201,), "title: longer than 200 characters"),
        ("refs/for/main", ("description=" + b64("a\x1b[31m"),), "description: U+001B has no place in it"),
        ("refs/for/main", ("description=" + "x" * 16385,), "description: longer than 16384 bytes"),
        ("refs/for/main", ("topic=" + "x" * 1025,), "topic: longer than 1024 bytes"),
        ("refs/for/main", ("topic=" + b64("a\nGitops-Actor: bob"),), "topic: U+000A has no place in it"),
        ("refs/for/main%change=0", (), "change: not the number of a change"),
        ("refs/for/main%change=012", (), "change: not the number of a change"),
        ("refs/for/main%change=1234567890", (), "change: not the number of a change"),
        ("refs/for/main", ("change=\u0663",), "change: not the number of a change"),
        ("refs/for/main%old-oid=abc123", (), "old-oid: not an object id of 40 lower-case digits"),
        ("refs/for/main", (f"old-oid={'A' * 40}",), "old-oid: not an object id of 40 lower-case digits"),
    ],
)
def test_an_option_is_refused_and_never_ignored(ref, options, reason):
    assert ask(ref, *options) == Refusal("options", reason, BUILT)


@pytest.mark.parametrize(
    ("ref", "options", "reason"),
    [
        ("refs/for/main%draft", ("ready",), "draft and ready: one of them"),
        ("refs/for/main%stack", ("base=3",), "base: speaks of one change, and a stack is several"),
        ("refs/for/main%stack,title=x", ("change=3",), STACKED),
    ],
)
def test_options_that_do_not_go_together_are_refused(ref, options, reason):
    assert ask(ref, *options) == Refusal("options", reason)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("title=x",), "title: only on refs/for/<branch>"),
        (("land",), "land: only on refs/for/<branch>"),
        (("notify=none", "reason=x", "m=y"), "notify: not in this release\nm: given twice with different values"),
    ],
)
def test_a_verb_takes_a_reason_and_nothing_else(options, reason):
    assert ask("refs/land/12", *options) == Refusal("options", reason, "built: reason|message|m break-glass help")


def test_an_approval_may_say_again_what_it_is_for():
    said = ("repository=0123", "target=main", f"base={A}")
    assert ask("refs/approve/12", *said[::-1]) == Act(Verb.APPROVE, 12, A, "", said)
    refused = ask("refs/land/12", *said[:1])
    assert isinstance(refused, Refusal) and refused.reason == "repository: no such option"


HELP = """\
refs/for/<branch>[/<topic>][%option,…], or each option with -o:
  topic=<name>                   the same as refs/for/<branch>/<topic>
  title=<text>                   one line of at most 200 characters
  description|message|m=<text>   at most 16 KiB
  change=<number>                add a revision to this change
  draft|wip                      not to land before it is made ready
  ready                          no draft any more
  reviewer|r=<names>             ask them to review; once for each, or with commas
  cc=<names>                     keep them informed
  base=<number>                  stands on this open change, and lands after it
  stack                          one change a commit, each standing on the one below
  submit|land|auto-land          land this revision as soon as approvals and checks are complete
  old-oid=<oid>                  only if the change's head is this commit, in full
  merge_request.target=<branch>  the branch of refs/for/<branch>, said again
  merge_request.create           what refs/for/<branch> does anyway
  break-glass                    without what the policy lets you override; with reason=<text>
  reason=<text>                  why the glass is broken, at most 16 KiB
  help                           this list; nothing is done
refs/{approve,reject,withdraw,land,plan,rebase,comment,close,reopen}/<number>:
  reason|message|m=<text>        kept with the verb, at most 16 KiB
  break-glass                    without what the policy lets you override; with reason=<text>
  help                           this list; nothing is done
refs/{deploy,rollback,pause,resume,cancel}/<environment>:
  reason|message|m=<text>        kept with the verb, at most 16 KiB
  help                           this list; nothing is done
refs/approve/<number>, which --signed must have:
  repository=<id>                only if the change is in the repository of this id
  target=<branch>                only if the change is for this branch
  base=<oid>                     only if this is the merge base, in full
  plan=<digest>                  only if this is the newest plan of it
a text may be written as {base64}…, which can hold commas and several lines"""


@pytest.mark.parametrize("ref", ["refs/for/main%help", "refs/for/main%nonsense,help", "refs/approve/x%help"])
def test_help_is_the_list_and_nothing_else_is_done(ref):
    assert ask(ref) == Refusal("help", HELP)
    assert ask(ref.partition("%")[0], "help") == Refusal("help", HELP)


def test_help_is_there_on_a_direct_push_too():
    assert ask("refs/heads/main", "help") == Refusal("help", HELP)


def test_a_direct_push_takes_no_options():
    assert ask("refs/heads/main", "merge_request.create", "topic=x") == Refusal(
        "options",
        "merge_request.create: options belong to a proposal or a verb\ntopic=x: options belong to a proposal or a verb",
        "push to refs/for/<branch>, or without options",
    )


REASON = "add  -o reason='why it cannot wait'"


@pytest.mark.parametrize(
    ("ref", "options", "words", "cure"),
    [
        ("refs/land/12", ("break-glass",), "break-glass: needs a reason, which is recorded", REASON),
        ("refs/for/main", ("break-glass",), "break-glass: needs a reason, which is recorded", REASON),
        ("refs/heads/main", ("break-glass",), "break-glass: needs a reason, which is recorded", REASON),
        (
            "refs/for/main",
            ("reason=x",),
            "reason: only with break-glass or on a verb",
            "describe a proposal with -o description=…",
        ),
        (
            "refs/approve/12",
            ("break-glass", "reason=x"),
            "break-glass: only on refs/land/12, refs/for/<branch> and a push to the branch",
            "",
        ),
        ("refs/heads/main", ("break-glass", "reason=x", "topic=y"), "topic: only on refs/for/<branch>", None),
        ("refs/heads/main", ("break-glass=now", "reason=x"), None, "push to refs/for/<branch>, or without options"),
    ],
)
def test_the_glass_is_broken_with_a_reason_and_where_something_lands(ref, options, words, cure):
    found = ask(ref, *options)
    assert isinstance(found, Refusal) and found.rule == "options"
    assert words is None or found.reason == words
    assert cure is None or found.cure == cure


FETCH = "git fetch origin refs/changes/12/head && git push origin FETCH_HEAD:refs/approve/12"
REBASE = FETCH.replace("approve", "rebase")
PLAN = FETCH.replace("approve", "plan")


@pytest.mark.parametrize(
    ("ref", "new", "reason", "cure"),
    [
        ("refs/approve/0", A, "refs/approve/0: not the number of a change", ""),
        ("refs/approve/012", A, "refs/approve/012: not the number of a change", ""),
        ("refs/approve/1234567890", A, "refs/approve/1234567890: not the number of a change", ""),
        ("refs/approve/12/head", A, "refs/approve/12/head: not the number of a change", ""),
        ("refs/approve/%reason=x", A, "refs/approve/: not the number of a change", ""),
        ("refs/approve/12", NO_OID, "approve names the exact commit, and a delete names none", FETCH),
        (
            "refs/for/main",
            NO_OID,
            "a delete of refs/for/… proposes nothing",
            "close a change with :refs/close/<number>",
        ),
        ("refs/for/%title=x", A, "refs/for/: a branch is missing", ""),
        ("refs/for/main/%title=x", A, "refs/for/main/: not a name that git allows for a ref", ""),
        ("refs/for/main.%title=x", A, "refs/for/main.: not a name that git allows for a ref", ""),
        ("refs/for/main.lock%title=x", A, "refs/for/main.lock: not a name that git allows for a ref", ""),
        ("refs/for/HEAD%title=x", A, "refs/for/HEAD: HEAD could be taken for a name of git's own", ""),
        (
            "refs/for/main%merge_request.target=next",
            A,
            "refs/for/main and merge_request.target=next name different branches",
            "",
        ),
        ("refs/comment/12", A, "a comment says something", "git push -o m='…' origin <commit>:refs/comment/12"),
        ("refs/rebase/12", NO_OID, "rebase names the exact commit, and a delete names none", REBASE),
        (
            "refs/plan/12",
            NO_OID,
            "plan names the exact commit, and a delete names none",
            PLAN,
        ),
        ("refs/deploy/a/b", A, "refs/deploy/a/b: not the name of an environment", ""),
        ("refs/pause/Staging", NO_OID, "refs/pause/Staging: not the name of an environment", ""),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_reason(ref, new, reason, cure):
    assert ask(ref, new=new) == Refusal("magic", reason, cure)


@pytest.mark.parametrize("ref", ["refs/for/main", "refs/approve/12", "refs/close/12"])
def test_a_magic_ref_is_never_there(ref):
    reason = f"{ref} is never there, yet the push names it at bbbbbbbbbb"
    assert ask(ref, old=B) == Refusal("magic", reason)


@pytest.mark.parametrize("ref", ["refs/changes/1/head", "refs/replace/x", "HEAD"])
def test_other_namespaces_are_refused_here_too(ref):
    assert ask(ref) == Refusal("namespaces", f"{ref} is not for pushes")


WORDS = st.one_of(
    st.text(max_size=12),
    st.builds(
        "{}={}".format,
        st.sampled_from(["title", "m", "topic", "change", "old-oid", "reason", "merge_request.target"]),
        st.one_of(st.text(max_size=12), st.sampled_from(["1", A, "main", "{base64}eA==", "{base64}x"])),
    ),
    st.sampled_from(["land", "submit", "help", "wip"]),
)
REFS = st.one_of(
    st.sampled_from(["refs/for/", "refs/approve/", "refs/close/", "refs/deploy/"]).flatmap(
        lambda start: st.text("abm1/%,=.", max_size=12).map(lambda rest: start + (rest or "x"))
    ),
    st.text(max_size=12),
)


@settings(max_examples=500, deadline=None)
@given(REFS, st.lists(WORDS, max_size=4), st.sampled_from([A, NO_OID]))
def test_nothing_that_is_asked_raises_and_what_is_read_keeps_its_limits(ref, words, new):
    asked = ask(ref, *words, new=new)
    if isinstance(asked, Propose):
        assert asked.head == A
        assert asked.candidates
        assert all(target.startswith("refs/heads/") and len(target) > 11 for target, _ in asked.candidates)
        assert not set("\n\r\0\u2028") & set(asked.title + "".join(topic for _, topic in asked.candidates))
        assert 0 <= asked.change < 10**9
    if isinstance(asked, Act):
        assert asked.commit == A or asked.verb in (Verb.CLOSE, Verb.REOPEN)
