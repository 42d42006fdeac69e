"""`signed: true`: an approval is a push certificate by the approver's own key, and stays provable elsewhere."""

import json

import pytest

from gitops_hooks.entry.recovery import open_bench
from gitops_hooks.model.change_event import Approved
from gitops_hooks.model.event_words import Oid, Text, Word
from gitops_hooks.model.push import Actor
from tests.answers import Result
from tests.push.desk import MAIN, POLICY, Desk
from tests.push.test_verify import LOG, Auditor, _forge_landing

SIGNED = POLICY.replace("from: ['@senior']}", "from: ['@senior'], signed: true}")


def _propose(desk: Desk) -> tuple[str, int]:
    """A change by alice under a policy that asks for signatures."""
    desk.land({".gitops/policy.yaml": SIGNED})
    head = desk.propose("alice", {"a.yml": "a: 1\n"})
    return head, desk.newest()


def _options(desk: Desk, **other: str) -> dict[str, str]:
    identity = desk.log()[0].fact("Repository") or ""
    return {"repository": identity, "target": "main", "base": desk.tip(MAIN), **other}


def _sign(desk: Desk, who: str, refspecs: str, options: dict[str, str], key: str = "") -> Result:
    settings = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={desk.world.key(key or who)}.pub")
    said = [word for name, value in options.items() if value for word in ("-o", f"{name}={value}")]
    return desk.git(who, *settings, "push", "--signed", *said, "host:site", *refspecs.split())


def test_an_unsigned_approval_is_refused_with_the_exact_line_to_type(desk: Desk):
    head, number = _propose(desk)
    refused = desk.push("bob", f"{head}:refs/approve/{number}")
    options = " ".join(f"-o {name}={value}" for name, value in _options(desk).items())
    assert refused.code != 0
    assert refused.remote == (
        f"gitops: refused refs/approve/{number}\n\n  signed\n"
        "    An approval must be signed here, and this push is not. (policy.yaml:11)\n\n"
        f"Sign it:  git push --signed {options} origin {head}:refs/approve/{number}\n"
        "Once:     git config gpg.format ssh; git config user.signingKey ~/.ssh/id_ed25519.pub"
    )
    assert len(desk.said(number)) == 1


def test_a_signed_approval_lands_and_stays_provable(desk: Desk):
    head, number = _propose(desk)
    done = _sign(desk, "bob", f"{head}:refs/approve/{number}", _options(desk)).must()
    assert desk.tip(MAIN) == head, done.err
    event = desk.world.events(f"refs/changes/{number}/meta")[1]
    public = " ".join(desk.world.key("bob").with_suffix(".pub").read_text().split()[:2])
    assert json.loads(event.fact("Signer")) == public
    assert desk.world.server_git("ls-tree", event.commit).split()[1:3] == ["blob", event.fact("Certificate")]
    desk.world.server_git("gc", "-q", "--prune=now")
    assert f"{head} refs/approve/{number}" in desk.world.server_git("cat-file", "blob", event.fact("Certificate"))

    auditor = Auditor(desk)
    facts = auditor.look("--from", desk.log()[2].commit)
    assert (facts["authorised"], facts["judged"], facts["unsigned"]) == (True, 1, 0)
    pins = desk.world.person("dave") / "approvers"
    pins.write_text(f"# who may\nbob {public} bob@example.org\n")
    sure = auditor.verify("--from", desk.log()[2].commit, "--approvers", str(pins))
    assert sure.code == 0 and "trusts the server" not in sure.out and "--approvers" not in sure.out
    pins.write_text(f"carol {public}\n")
    unsure = auditor.verify("--from", desk.log()[2].commit, "--approvers", str(pins))
    assert unsure.code == 1 and "the key that signed it is not pinned for bob" in " ".join(unsure.out.split())


@pytest.mark.parametrize("moved", ["certificate", "signer", "head"])
def test_verify_proves_each_signature_again(desk: Desk, moved: str):
    """Who has the server's key can write an approval, and cannot sign for a person."""
    head, number = _propose(desk)
    beside = desk.propose("alice", {"b.yml": "b: 1\n"}, "main/beside")
    beside_number = desk.newest()
    base = desk.tip(MAIN)
    _sign(desk, "bob", f"{head}:refs/approve/{number}", _options(desk)).must()
    real = desk.world.events(f"refs/changes/{number}/meta")[1]
    said = {"certificate": Oid(real.fact("Certificate")), "signer": Text(json.loads(real.fact("Signer")))}
    if moved == "certificate":
        said["certificate"] = Oid(desk.tip(f"{MAIN}:a.yml"))
    if moved == "signer":
        said["signer"] = Text(" ".join(desk.world.key("carol").with_suffix(".pub").read_text().split()[:2]))
    bound = (Word(MAIN), Oid(base), Oid(beside), (Oid(beside),), Oid(base), Text(""))
    forged = Approved(beside_number, *bound, **said)
    bench = open_bench(desk.world.home, "site")
    event = bench.ledger.log(f"refs/changes/{beside_number}/meta", forged, Actor("bob", "SHA256:forged"))
    old = desk.tip(MAIN)
    merge = desk.commit_tree("bob", desk.tree({"b.yml": "b: 1\n"}, onto=old), [old, beside])
    desk.push("bob", f"{merge}:refs/heads/free").must()
    _forge_landing(desk, merge, change=beside_number, base=base, head=beside, approvals=(event.oid,))
    first = Auditor(desk).look()["first"]
    assert (first["rule"], first["change"]) == ("signed", beside_number)
    assert first["reason"].startswith(f"approval {event.oid[:12]} by bob: ")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"repository": ""}, "no repository"),
        ({"base": "9" * 40}, "this change has"),
        ({"target": "next"}, "this change has"),
        ({"repository": "f" * 32}, "this change has"),
    ],
    ids=["left out", "base", "target", "repository"],
)
def test_a_certificate_that_is_for_something_else_is_refused(desk: Desk, other, words):
    head, number = _propose(desk)
    refused = _sign(desk, "bob", f"{head}:refs/approve/{number}", _options(desk, **other))
    assert refused.code != 0 and "  signed" in refused.remote and words in refused.remote
    assert f"Sign it:  git push --signed -o repository={_options(desk)['repository']} " in refused.remote


def test_only_a_key_of_the_approvers_own_counts(desk: Desk):
    head, number = _propose(desk)
    refused = _sign(desk, "bob", f"{head}:refs/approve/{number}", _options(desk), key="carol")
    assert refused.code != 0 and "it is signed with a key that is none of bob's here" in refused.remote
    assert len(desk.said(number)) == 1


def test_an_approval_is_signed_alone(desk: Desk):
    head, number = _propose(desk)
    other = desk.propose("alice", {"b.yml": "b: 1\n"}, "main/other")
    both = f"{head}:refs/approve/{number} {other}:refs/approve/{desk.newest()}"
    refused = _sign(desk, "bob", both, _options(desk))
    assert refused.code != 0 and "2 commands in one certificate; an approval is pushed alone" in refused.remote


def test_signing_where_no_rule_asks_is_stored_as_signed_and_other_pushes_may_be_signed_too(desk: Desk):
    head = desk.commit("alice", {"a.yml": "a: 1\n"})
    _sign(desk, "alice", f"{head}:refs/for/main", {}).must()
    number = desk.newest()
    _sign(desk, "bob", f"{head}:refs/approve/{number}", _options(desk)).must()
    assert '"ssh-ed25519 ' in (desk.world.events(f"refs/changes/{number}/meta")[1].fact("Signer") or "")
    later = desk.propose("alice", {"c.yml": "c: 1\n"})
    _sign(desk, "bob", f"{later}:refs/approve/{desk.newest()}", {}).must()
    assert desk.world.events(f"refs/changes/{desk.newest()}/meta")[1].fact("Signer") == '""'


def test_a_rule_may_ask_for_all_approvals_on_a_branch(desk: Desk):
    desk.land({".gitops/policy.yaml": POLICY.replace("    push: []", "    signed: true\n    push: []")})
    head = desk.propose("alice", {"a.yml": "a: 1\n"})
    refused = desk.push("bob", f"{head}:refs/approve/{desk.newest()}")
    assert refused.code != 0 and "An approval must be signed here" in refused.remote


def test_an_approval_from_before_the_rule_counts_no_more(desk: Desk):
    two = POLICY.replace("count: 1", "count: 2")
    desk.land({".gitops/policy.yaml": two})
    head = desk.propose("alice", {"a.yml": "a: 1\n"})
    number = desk.newest()
    desk.push("bob", f"{head}:refs/approve/{number}").must()
    policy = desk.propose("alice", {".gitops/policy.yaml": SIGNED}, "main/policy")
    for who in ("bob", "carol"):
        desk.push(who, f"{policy}:refs/approve/{desk.newest()}").must()
    assert desk.tip(MAIN) == policy
    refused = desk.push("carol", f"{head}:refs/land/{number}")
    assert refused.code != 0 and "0 of 1 signed approval by @senior." in refused.remote


def test_the_seed_of_nonces_is_a_secret_of_the_servers(desk: Desk):
    seed = desk.world.home.nonce_seed
    assert seed.stat().st_mode & 0o777 == 0o600
    assert seed.read_text().strip() not in (desk.world.repository / "config").read_text()
    seed.unlink()
    assert "FAIL  home" in desk.world.admin("doctor").out
    assert desk.push("alice", f"{desk.tip(MAIN)}:refs/heads/free").code != 0
    assert LOG in desk.refs()
