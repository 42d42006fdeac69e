"""The settings that Ansible's programs start with, whatever the repository holds."""

# No ansible.cfg of the tree has a say: the whole file that counts is this one.
_SETTINGS = """\
[defaults]
roles_path = {roles}:/usr/share/ansible/roles:/etc/ansible/roles:/given/roles
collections_path = /tree/collections:/usr/share/ansible/collections:/given/collections
library = /tree/library:/tree/plugins/modules
module_utils = /tree/module_utils:/tree/plugins/module_utils
action_plugins = /tree/action_plugins:/tree/plugins/action
filter_plugins = /tree/filter_plugins:/tree/plugins/filter
lookup_plugins = /tree/lookup_plugins:/tree/plugins/lookup
test_plugins = /tree/test_plugins:/tree/plugins/test
retry_files_enabled = False
localhost_warning = False
system_warnings = False
[inventory]
unparsed_warning = False
any_unparsed_is_failed = True
"""
GIVEN_SETTINGS = "ansible.cfg"


def settings(roles: tuple[str, ...]) -> bytes:
    return _SETTINGS.format(roles=":".join(f"/tree/{place.strip('/')}" for place in roles)).encode()


def environment() -> list[str]:
    """What stands before the command; the paths are those inside of the box."""
    return [f"ANSIBLE_CONFIG=/given/{GIVEN_SETTINGS}", "ANSIBLE_NOCOLOR=1", "NO_COLOR=1", "COLUMNS=4000"]
