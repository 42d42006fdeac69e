"""The settings that Ansible's programs start with, whatever the repository holds."""

# No ansible.cfg of the tree has a say: the whole file that counts is this one.
_SETTINGS = """\
[defaults]
roles_path = {roles}:/usr/share/ansible/roles:/etc/ansible/roles:/given/roles
collections_path = /tree/collections:/usr/share/ansible/collections:/given/collections
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
