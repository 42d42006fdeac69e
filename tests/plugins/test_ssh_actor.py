"""The actor is what the forced command saw, whole, or nobody."""

import pytest

from gitops_hooks.plugin import Actor, ActorKind
from gitops_hooks.plugins.ssh_actor import gitops_actor

WHOLE = {"GITOPS_HOOKS_ACTOR": "alice", "GITOPS_HOOKS_KEY": "SHA256:abc", "GITOPS_HOOKS_KIND": "person"}


def test_the_forced_commands_words_are_the_actor():
    assert gitops_actor(WHOLE) == Actor("alice", "SHA256:abc", ActorKind.PERSON)
    assert gitops_actor(WHOLE | {"GITOPS_HOOKS_KIND": "bot"}) == Actor("alice", "SHA256:abc", ActorKind.BOT)


@pytest.mark.parametrize("key", list(WHOLE))
def test_without_any_of_them_it_is_nobody(key):
    assert gitops_actor({name: value for name, value in WHOLE.items() if name != key}) is None
    assert gitops_actor(WHOLE | {key: ""}) is None


def test_a_kind_that_is_not_known_is_nobody():
    assert gitops_actor(WHOLE | {"GITOPS_HOOKS_KIND": "admin"}) is None


def test_the_accounts_own_name_says_nothing():
    assert gitops_actor({"USER": "alice", "LOGNAME": "alice", "SSH_USER": "alice"}) is None
