"""The granted kubeconfig, read strictly: one server, one user, and nothing that starts programs or opens files."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitops_hooks.plugin import Credentials, EdgeError
from gitops_hooks.plugins.documents import read_documents

_WHERE = "kubeconfig"
_CLUSTER = ("server", "certificate-authority-data", "tls-server-name", "proxy-url", "disable-compression")
_USER = ("token", "client-certificate-data", "client-key-data", "as", "as-uid", "as-groups")
_SECRETS = ("token", "client-certificate-data", "client-key-data")
_CONTEXT = ("cluster", "user", "namespace")
_IGNORED = ("extensions",)
_WHY = {
    "exec": "it starts a program",
    "auth-provider": "it starts a program, or asks another server",
    "insecure-skip-tls-verify": "nobody would know which server answers",
    "tokenFile": "it names another file",
    "certificate-authority": "it names another file",
    "client-certificate": "it names another file",
    "client-key": "it names another file",
    "username": "no server takes it any more",
    "password": "no server takes it any more",
}
_CURE = "write all into one file, with a token of a service account: kubectl config view --raw --flatten --minify"


@dataclass(frozen=True, slots=True)
class Access:
    """A cluster and who asks it; `secrets` are the values that must never be told."""

    namespace: str
    content: Mapping[str, Any] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    def lay(self, path: Path) -> Path:
        """A file for kubectl, that nobody else reads."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(self.content))
        return path


def read_access(credentials: Credentials, namespace: str) -> Access:
    """Errors: EdgeError, which names keys and never a value."""
    if credentials.kubeconfig is None:
        raise EdgeError("credentials", "this environment is granted no kubeconfig; add one to its [[credential]]")
    documents, faults = read_documents("kubeconfig.yaml", credentials.kubeconfig.read_bytes())
    if faults or len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise EdgeError(_WHERE, "cannot be read as one document of YAML")
    whole = documents[0].value
    context = _only(_named(whole, "contexts", "context", str(whole.get("current-context") or "")), _CONTEXT)
    cluster = _only(_named(whole, "clusters", "cluster", str(context.get("cluster"))), _CLUSTER)
    user = _only(_named(whole, "users", "user", str(context.get("user"))), _USER)
    if not str(cluster.get("server", "")).startswith("https://"):
        raise EdgeError(_WHERE, "server: must begin with https://, since the token is sent to it")
    space = namespace or str(context.get("namespace") or "default")
    return Access(space, _content(cluster, user, space), tuple(_secrets(user)))


def _named(whole: Mapping[str, Any], lists: str, key: str, name: str) -> Mapping[str, Any]:
    listed = whole.get(lists)
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and one.get("name") == name and isinstance(one.get(key), dict):
            return dict(one[key])
    raise EdgeError(_WHERE, f"{lists}: there is none of the name that current-context leads to; {_CURE}")


def _only(found: Mapping[str, Any], allowed: tuple[str, ...]) -> Mapping[str, Any]:
    for key, value in found.items():
        if key not in (*allowed, *_IGNORED) and value not in (None, False, "", [], {}):
            raise EdgeError(_WHERE, f"{str(key)[:40]}: is refused, since {_WHY.get(key, 'it is not known')}; {_CURE}")
    return {key: value for key, value in found.items() if key in allowed}


def _secrets(user: Mapping[str, Any]) -> Iterator[str]:
    yield from (str(user[key]) for key in _SECRETS if user.get(key))


def _content(cluster: Mapping[str, Any], user: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    """The namespace as a default: objects may name others, which kubectl's -n would refuse."""
    context = {"cluster": "c", "user": "u", "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "d",
        "contexts": [{"name": "d", "context": context}],
        "clusters": [{"name": "c", "cluster": dict(cluster)}],
        "users": [{"name": "u", "user": dict(user)}],
    }
