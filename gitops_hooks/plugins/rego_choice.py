"""Which engine policies are asked by: the reference where the server has it, else the one beside it."""

from gitops_hooks.plugin import EdgeError, Workbench
from gitops_hooks.plugins.rego_ask import Engine

OPA, REGORUS = "opa", "regorus"


def choose_engine(bench: Workbench) -> Engine:
    """Errors: EdgeError where the policy names one that this server has not."""
    wanted = bench.options["engine"]
    # Imported where it is used: the library of the other one may not be there.
    if wanted != REGORUS and bench.tool(OPA) is not None:
        from gitops_hooks.plugins.rego_opa import opa_engine

        return opa_engine(bench)
    if wanted == OPA:
        raise EdgeError(OPA, "is not on this server; the administrator puts it into one of its tool_folders")
    from gitops_hooks.plugins import rego_engine

    return rego_engine.REGORUS
