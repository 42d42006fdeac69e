"""The words of `gitops-hooks reconcile`."""

import argparse
from collections.abc import Sequence


def parse_words(argv: Sequence[str]) -> argparse.Namespace:
    """Ends the process where they are wrong."""
    parser = argparse.ArgumentParser(prog="gitops-hooks reconcile")
    parser.add_argument("--home", required=True)
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--once", action="store_true", help="bring everything up to date that is due now, then end")
    kinds.add_argument("--ensure", action="store_true", help="start the reconciler unless it runs")
    kinds.add_argument("--stop", action="store_true", help="end the running reconciler")
    kinds.add_argument("--tell", action="store_true", help="tell notifiers of the ends of deployments, then end")
    parser.add_argument("--lock", type=int, help=argparse.SUPPRESS)  # the descriptor by which the starter holds it
    return parser.parse_args(list(argv))
