"""The stop of all deployments, as agents are told of it: in the log of each environment that they bring hosts in.

Their hosts are nobody's to stop but their own, and all that they believe is the record.
"""

from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.edge.stopping import read_stop
from gitops_hooks.entry.aim import read_log
from gitops_hooks.entry.deploying import environment_ref
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.environment_event import LetGo, Stopped
from gitops_hooks.model.event_words import Text, Word
from gitops_hooks.model.policy import Mode

_MOST_WORDS = 500


def tell_stop(sitting: Sitting) -> None:
    """Level-triggered like everything: what the log says becomes what the stop file says. Errors: EdgeError."""
    stop = read_stop(sitting.home)
    for environment in sitting.policy.environments:
        if environment.mode is Mode.PUSH:
            continue
        told = read_log(sitting, environment.name).stopped is not None
        if told == (stop is not None):
            continue
        name = Word(environment.name)
        body = Stopped(name, Text(stop.words[:_MOST_WORDS])) if stop else LetGo(name)
        sitting.ledger.log(environment_ref(environment.name, "log"), body, SERVER)
