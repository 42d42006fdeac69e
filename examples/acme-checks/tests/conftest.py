"""A real server for the tests: `gitops_server`."""

pytest_plugins = ["gitops_hooks.testing_server"]
