"""Ansible's words: which there are, and which concern more than the host that a task runs on."""

import re

PLUGIN_FOLDER = re.compile(r"\w+_plugins|library|module_utils|doc_fragments|collections|ansible_collections")

PLAY_SECTIONS = ("pre_tasks", "tasks", "post_tasks", "handlers")
BLOCK_SECTIONS = ("block", "rescue", "always")

TASK_WORDS = frozenset((
    "any_errors_fatal", "args", "async", "become", "become_exe", "become_flags", "become_method", "become_user",
    "changed_when", "check_mode", "collections", "connection", "debugger", "delay", "delegate_facts", "delegate_to",
    "diff", "environment", "failed_when", "ignore_errors", "ignore_unreachable", "listen", "local_action", "loop",
    "loop_control", "module_defaults", "name", "no_log", "notify", "poll", "port", "register", "remote_user",
    "retries", "run_once", "tags", "throttle", "timeout", "until", "vars", "when",
))  # fmt: skip
PLAIN_LOOPS = frozenset((
    "with_items", "with_list", "with_dict", "with_nested", "with_together", "with_subelements", "with_sequence",
    "with_indexed_items", "with_flattened",
))  # fmt: skip
FILE_LOOPS = frozenset((
    "with_file", "with_fileglob", "with_filetree", "with_first_found", "with_ini", "with_csvfile",
))  # fmt: skip

# What a task of one host may do to others, or what makes out at run time which hosts there are.
CROSSING = frozenset((
    "delegate_to", "delegate_facts", "run_once", "add_host", "group_by", "fetch", "set_stats",
))  # fmt: skip
# What makes out elsewhere what is run.
UNREAD = frozenset((
    "local_action", "collections", "module_defaults", "vars_prompt",
))  # fmt: skip
MODULES = frozenset((
    "add_host", "apt", "apt_key", "apt_repository", "assemble", "assert", "async_status", "blockinfile", "command",
    "copy", "cron", "deb822_repository", "debconf", "debug", "dnf", "dnf5", "dpkg_selections", "expect", "fail",
    "fetch", "file", "find", "gather_facts", "get_url", "getent", "git", "group", "group_by", "hostname",
    "import_playbook", "import_role", "import_tasks", "include_role", "include_tasks", "include_vars", "iptables",
    "known_hosts", "lineinfile", "meta", "mount_facts", "package", "package_facts", "pause", "ping", "pip", "raw",
    "reboot", "replace", "rpm_key", "script", "service", "service_facts", "set_fact", "set_stats", "setup", "shell",
    "slurp", "stat", "subversion", "systemd", "systemd_service", "sysvinit", "tempfile", "template", "unarchive",
    "uri", "user", "validate_argument_spec", "wait_for", "wait_for_connection", "yum_repository",
))  # fmt: skip
# Modules of these run on the host alone, or read what their arguments name.
COLLECTIONS = ("ansible.posix.", "community.general.", "community.crypto.")
QUIET_META = ("flush_handlers", "noop", "clear_facts", "clear_host_errors", "end_host", "end_role", "reset_connection")
CONNECTIONS = ("ssh", "ansible.builtin.ssh", "smart")
STRATEGIES = ("linear", "free", "host_pinned", "debug")
# Below these a text without braces is an expression too, or becomes one later.
EVALUATED = frozenset((
    "when", "changed_when", "failed_when", "until", "break_when", "that", "var", "vars", "set_fact", "roles",
    "dependencies", "debug", "assert",
))  # fmt: skip


def short_name(action: str) -> str:
    """`copy` for ansible.builtin.copy and ansible.legacy.copy."""
    return action.removeprefix("ansible.builtin.").removeprefix("ansible.legacy.")
