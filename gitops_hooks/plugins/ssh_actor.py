"""Who pushes, as the forced command saw them: the SSH key that logged in, and nothing that the client sent."""

from collections.abc import Mapping

from gitops_hooks.plugin import Actor, ActorKind, hookimpl


@hookimpl
def gitops_actor(environ: Mapping[str, str]) -> Actor | None:
    """The actor that the forced command put into the environment it made itself; None for any other way in."""
    name, key = environ.get("GITOPS_HOOKS_ACTOR", ""), environ.get("GITOPS_HOOKS_KEY", "")
    kinds = {kind.value: kind for kind in ActorKind}
    kind = kinds.get(environ.get("GITOPS_HOOKS_KIND", ""))
    if not name or not key.startswith("SHA256:") or kind is None:
        return None
    return Actor(name, key, kind)
