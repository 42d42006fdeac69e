"""Ansible forks for each task of each host: no fork looks for garbage in what was loaded before all of them."""

from gitops_hooks.model.deployment import RunState
from tests.delivery.conftest import SITE

# In the fork of a task; counts are of objects that the garbage collector knows.
SEEN = """\
import gc


def seen(_):
    loaded, known, whole = gc.get_freeze_count(), len(gc.get_objects()), gc.get_stats()[2]["collections"]
    return f"{gc.isenabled()} {gc.get_threshold()[0]} {loaded > 50_000} {known < loaded} {whole}"


class FilterModule:
    def filters(self):
        return {"seen": seen}
"""


def test_a_task_finds_nothing_to_look_through_but_what_its_run_made(world):
    world.tree["filter_plugins/seen.py"] = SEEN
    world.tree["site.yml"] = SITE.replace("{{ inventory_hostname }}", "{{ inventory_hostname | seen }}")

    outcome = world.deploy(allowed=(("filter_plugins/*.py",), ("filter_plugins/**",)))

    assert outcome.state is RunState.SUCCESSFUL
    # It is on, or a long loop would fill the memory, and no fork has looked through everything.
    assert [host.read("motd") for host in world.hosts] == ["hello from True 100000 True True 0\n"] * 3
