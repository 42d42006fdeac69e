"""What a repository would run on the controller, or change about how hosts are reached; pure functions on one file.

The same rules are asked on a proposal, of what changed, and by the deployer, of the whole tree. Refused are:
configuration, plugin and module folders, collections, executable inventories and inventory plugins, lookups that run
commands, plays and tasks on the controller itself, and every connection variable but address, port, user and
interpreters. Variables of `become` say how a task gets its rights on the host; they are the reviewers' business.

Not seen: the inside of vaulted files, and names that a template makes while it runs. Extra vars, which the deployer
gives to every run, beat both.
"""

import re
import shlex
from collections.abc import Iterable, Iterator
from posixpath import basename

from gitops_hooks.plugin import Finding, Marked, Severity, YamlFault, parse_yaml
from gitops_hooks.plugins.ansible.files import (
    EXECUTABLE,
    PLAIN,
    VAULT,
    all_nodes,
    extension,
    folders,
    is_inventory,
    is_variables,
    is_yaml,
    may_be_inventory,
    plays_and_tasks,
    short_name,
    starts_like_yaml,
    templated,
)

_KIND = (
    "action|become|cache|callback|cliconf|connection|filter|httpapi|inventory|lookup|netconf|shell|strategy|"
    "terminal|test|vars"
)
_FOLDER = re.compile(rf"(?:{_KIND})_plugins|doc_fragments|library|module_utils")
_IN_PLUGINS = re.compile(rf"{_KIND}|doc_fragments|module_utils|modules")
_CONFIGURATIONS = ("ansible.cfg", ".ansible.cfg")
_HARMLESS = (".md", ".rst", ".txt")

ALLOWED = ("ansible_host", "ansible_port", "ansible_user")
_INTERPRETER = re.compile(r"ansible_[a-z0-9]+_interpreter")
# From the options of the connection and shell plugins of ansible-core 2.19, its MAGIC_VARIABLE_MAPPING, and the
# connection plugins of the collections that the ansible package brings.
_REFUSED = re.compile(
    r"ansible_(?:(?:connection|connection_user|executable|shell_executable|shell_type|host_key_checking|control_path|"
    r"control_path_dir|pipelining|password|pass|private_key|private_key_file|private_key_passphrase|timeout|"
    r"command_timeout|connect_timeout|remote_addr|proxy_command)\Z|"
    r"(?:ssh|sshpass|scp|sftp|paramiko|libssh|local_become|winrm|psrp|docker|podman|buildah|kubectl|oc|lxc|lxd|incus|"
    r"jail|iocage|chroot|zone|nsenter|qubes|saltstack|funcd|aws_ssm|vmware|httpapi|netconf|network_cli|persistent|"
    r"napalm|grpc)(?:_|\Z))"
)
_SSH = ("ssh", "ansible.builtin.ssh", "ansible.legacy.ssh")
_HERE = frozenset({"localhost", "127.0.0.1", "::1", "localhost4", "localhost6", "localhost.localdomain"})
_ASSIGNING = ("set_fact", "add_host")
_ASSIGNMENT = re.compile(r"(?<![\w.-])((?:_?ansible|mitogen)_\w+)\s*=")
_PIPE = re.compile(rb"""\b(?:lookup|query|q)\s*\(\s*["']{1,2}(?:ansible\.(?:builtin|legacy)\.)?(pipe|lines)["']""")
# As Jinja, YAML and INI write a character: what is left of other escapes is the character itself.
_ESCAPED = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|u00([0-7][0-9A-Fa-f]))?")
_RUNS = "runs a command on the controller; use a task on the host"
_PIPE_KEY = re.compile(r"with_(?:ansible\.(?:builtin|legacy)\.)?(?:pipe|lines)")


def controller_findings(path: str, mode: int, text: bytes, *, allowed: bool = False) -> Iterator[Finding]:
    """All faults of one file with its git mode; `text` may be empty for a link or submodule.

    Where the policy allows it, a plugin or module is told and not refused. Nothing else is: each run pins its
    configuration and inventory, and connection variables are nobody's to allow.
    """
    for message in _by_path(path, mode):
        if allowed and basename(path).lower() not in _CONFIGURATIONS:
            yield Finding(path, 0, "runs on the deployer, which the policy allows", Severity.WARNING)
        else:
            yield Finding(path, 0, message)
    if mode not in PLAIN or text.startswith(VAULT):
        return
    if is_yaml(path) or extension(path) in (".json", ".j2") or is_variables(path):
        yield from _by_text(path, text)
    elif "templates" in folders(path) or (may_be_inventory(path) and not starts_like_yaml(text)):
        # A template needs no extension, and a value in an inventory is one.
        yield from _piped(path, text)
    if is_inventory(path) and mode == EXECUTABLE:
        yield Finding(path, 0, f"an executable inventory runs on the controller; git update-index --chmod=-x {path}")
    # A program is never read as an inventory, and one in an inventory's place was refused above.
    program = mode == EXECUTABLE and text.startswith(b"#!")
    if may_be_inventory(path) and not is_yaml(path) and not program:
        yield from inventory_findings(path, text)


def inventory_findings(path: str, text: bytes) -> Iterator[Finding]:
    """Faults of a file that is known to be an inventory: YAML without an extension, INI or TOML."""
    if starts_like_yaml(text):
        yield from _by_text(path, text)
        return
    for number, raw in enumerate(text.decode("utf-8", "replace").split("\n"), 1):
        for name in dict.fromkeys(_assigned_in(raw)):
            if refused_variable(name):
                yield Finding(path, number, _about_variable(name))


def refused_variable(name: str) -> bool:
    """Whether a repository may not set this variable, since it changes how a host is reached or what runs here."""
    if name in ALLOWED or _INTERPRETER.fullmatch(name):
        return False
    return name.startswith(("_ansible_", "mitogen_")) or _REFUSED.match(name) is not None


def _about_variable(name: str) -> str:
    cure = {"ansible_ssh_host": "ansible_host", "ansible_ssh_port": "ansible_port", "ansible_ssh_user": "ansible_user"}
    if name in cure:
        return f"'{name}' is an old name; write '{cure[name]}'"
    return f"'{name[:60]}' changes how hosts are reached; only address, port, user and interpreter may be set"


def _by_path(path: str, mode: int) -> Iterator[str]:
    parts = [part.lower() for part in path.split("/")]
    above = folders("/".join(parts))
    if parts[-1] in _CONFIGURATIONS:
        yield "configures the controller; remove it, the server sets what a deployment needs"
    if mode in PLAIN and (extension(path) in _HARMLESS or basename(path).startswith(".git")):
        return
    # A link or a submodule of such a name is as good as the folder itself.
    named = above if mode in PLAIN else parts
    if "ansible_collections" in named:
        yield "collections run on the controller; have them installed on the server"
        return
    for index, folder in enumerate(named):
        if _FOLDER.fullmatch(folder) or (_IN_PLUGINS.fullmatch(folder) and index and named[index - 1] == "plugins"):
            yield f"files in {path.split('/')[index]}/ run on the controller; have plugins installed on the server"
            return


def _by_text(path: str, text: bytes) -> Iterator[Finding]:
    yield from _piped(path, text)
    if extension(path) == ".j2":
        return
    documents, faults = parse_yaml(text)
    unread = _unread(faults) if _could_be_loaded(path, text) else ()
    found = [*unread, *_plugin(documents), *_names(documents), *_places(documents), *_spelt(documents, text)]
    for fault in sorted(found, key=lambda each: each.line):
        yield Finding(path, fault.line, fault.message)


def _piped(path: str, text: bytes) -> Iterator[Finding]:
    plain = _unescaped(text)
    for match in _PIPE.finditer(plain):
        yield Finding(path, plain.count(b"\n", 0, match.start()) + 1, _piped_words(match))


def _piped_words(match: re.Match[bytes]) -> str:
    return f"the lookup '{match[1].decode()}' {_RUNS}"


def _unescaped(text: bytes) -> bytes:
    return _ESCAPED.sub(lambda one: bytes.fromhex((one[1] or one[2] or b"").decode()), text)


def _could_be_loaded(path: str, text: bytes) -> bool:
    """Lock files and other big JSON of other tools are passed over, unless they hold or may spell such a name."""
    return extension(path) != ".json" or is_variables(path) or b"ansible" in text or b"\\u00" in text


def _unread(faults: Iterable[YamlFault]) -> Iterator[YamlFault]:
    """What Ansible might read on after we stopped; a text that is no YAML is no YAML for Ansible either."""
    for fault in faults:
        if fault.budget:
            yield YamlFault(fault.line, f"{fault.message}: too much to be judged; split the file")


def _plugin(documents: Iterable[Marked]) -> Iterator[YamlFault]:
    for document in documents:
        named = document.get("plugin")
        if named is not None and named.text:
            name = named.text[:60]
            yield YamlFault(named.line, f"inventory plugin '{name}' runs on the controller; list the hosts instead")


def _names(documents: tuple[Marked, ...]) -> Iterator[YamlFault]:
    """Every key of every mapping: variables come from inventories, vars files, plays, tasks, roles and set_fact."""
    for node in all_nodes(documents):
        for key, value in node.pairs:
            if refused_variable(key.text):
                yield YamlFault(key.line, _about_variable(key.text))
            if _PIPE_KEY.fullmatch(key.text):
                yield YamlFault(key.line, f"'{key.text}' {_RUNS}")
            if short_name(key.text) in _ASSIGNING and value.text:
                yield from _assigned(value)


def _spelt(documents: tuple[Marked, ...], text: bytes) -> Iterator[YamlFault]:
    """A lookup that runs commands, where YAML puts its name together out of more than one line."""
    plain = b" ".join(_unescaped(text).split())
    for node in all_nodes(documents):
        found = _PIPE.search(_unescaped(node.text.encode("utf-8", "surrogatepass")))
        if found and b" ".join(found[0].split()) not in plain.replace(b"''", b"'"):
            yield YamlFault(node.line, _piped_words(found))


def _assigned(value: Marked) -> Iterator[YamlFault]:
    for name in dict.fromkeys(_assigned_in(value.text)):
        if refused_variable(name):
            yield YamlFault(value.line, _about_variable(name))


def _assigned_in(line: str) -> Iterator[str]:
    """Names before `=`, as written and as a shell would read them: Ansible takes quotes and backslashes away."""
    if line.lstrip().startswith(("#", ";")):
        return
    yield from _ASSIGNMENT.findall(line)
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return
    yield from (word.split("=", 1)[0] for word in words if "=" in word)


def _places(documents: tuple[Marked, ...]) -> Iterator[YamlFault]:
    """Plays and tasks that run here instead of on a host."""
    for node in plays_and_tasks(documents):
        for key, value in node.pairs:
            if said := _here(key.text, value):
                yield YamlFault(key.line, f"'{said}' runs on the controller; tasks run on hosts, over SSH")


def _here(keyword: str, value: Marked) -> str:
    name = value.text
    if keyword == "local_action":
        return keyword
    if keyword == "connection" and name and name not in _SSH:
        return f"connection: {name[:60]}"
    if keyword == "delegate_to" and name.strip().lower() in _HERE:
        return f"delegate_to: {name[:60]}"
    if keyword == "hosts":
        patterns = [name, *(item.text for item in value.items)]
        found = [part for pattern in patterns if not templated(pattern) for part in _pattern_parts(pattern)]
        return next((f"hosts: {part}" for part in found if part.lower() in _HERE), "")
    return ""


def _pattern_parts(pattern: str) -> list[str]:
    """The names in a host pattern; `::1` has colons of its own."""
    words = [word.strip() for word in pattern.split(",")]
    return [part for word in words for part in ([word] if word in _HERE else word.split(":"))]
