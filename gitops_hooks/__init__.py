"""GitOps for people who run their own Git server: hooks that judge, land and deploy."""

__version__ = "0.1.0"
