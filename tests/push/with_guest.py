"""A server on which the guest's checks are enabled, beside the check yaml."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.world import Template

_CHECKS = 'checks = ["gitops_hooks.plugins.yaml_check", "tests.push.guest"]'


@contextmanager
def guest_server(policy: str) -> Iterator[Template]:
    template = Template.build(policy)
    server = template.folder / "home" / "server.toml"
    server.write_text(server.read_text().replace("[plugins]\n", f"[plugins]\n{_CHECKS}\n", 1))
    yield template
    template.remove()
