"""Under `signed: true`, an agent that pins the approvers' keys needs no word of the server's for who approved."""

import pytest

from tests.agent.conftest import ENVIRONMENT, Site, open_site
from tests.agent.pulling import identity
from tests.answers import change_number
from tests.world import POLICY, Template

SIGNED = POLICY.replace("from: ['@senior']}", "from: ['@senior'], signed: true}") + ENVIRONMENT

pytestmark = pytest.mark.timeout(600)


def land_signed(site: Site, files: dict[str, str]) -> None:
    """alice proposes, and bob approves with his signature."""
    world, base = site.world, site.tip()
    number = change_number(world.propose("alice", files).must())
    world.clone("bob")
    world.git("bob", "fetch", "-q", "origin", f"refs/changes/{number}/head").must()
    settings = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={world.key('bob')}.pub")
    options = (f"repository={identity(world)}", "target=main", f"base={base}")
    said = [word for option in options for word in ("-o", option)]
    world.git("bob", *settings, "push", "--signed", *said, "origin", f"FETCH_HEAD:refs/approve/{number}").must()
    assert site.tip() != base


def test_what_is_signed_with_another_key_than_the_pinned_one_is_refused(pulled: Template) -> None:
    with open_site(pulled, policy=SIGNED) as site:
        pins = site.agent.folder / "approvers"
        keys = {who: site.world.key(who).with_suffix(".pub").read_text() for who in ("bob", "carol")}
        land_signed(site, {"page": "second\n"})
        site.agent.set(approvers='"approvers"')
        site.release()
        pins.write_text(f"bob {keys['carol']}")
        code, words = site.agent.once()
        assert code == 4 and words.startswith("refused what it was given: refs/heads/main: signed: "), words
        assert site.agent.page() is None
        pins.write_text(f"bob {keys['bob']}")
        assert site.agent.once() == (0, "1 of 1 hosts synced")
        assert site.agent.page() == "second\n"
        pins.write_text("bob\n")
        assert site.agent.run("--once").code == 2
