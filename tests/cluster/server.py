"""The server itself: objects behind TLS and a token, and one manager of fields for each who writes."""

import base64
import copy
import json
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.certificate import make_certificate
from tests.cluster.kinds import BUILT_IN, Kind, custom_kind, discovery, openapi
from tests.cluster.merging import Owners, clashes, merge, ownable, put
from tests.cluster.status import settle

TOKEN = "a-token-of-the-cluster"
Place = tuple[str, str, str]
"""Kind, namespace, name."""


@dataclass(slots=True)
class Kept:
    """One object with who owns what of it."""

    value: dict[str, Any]
    owners: Owners = field(default_factory=dict)


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, code: int, reason: str, message: str, causes: tuple[dict[str, str], ...] = ()) -> None:
        self.status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
        self.status |= {"reason": reason, "message": message, "details": {"causes": list(causes)}}
        super().__init__(message)


@dataclass(slots=True)
class Cluster:
    """What is in it: `sick` objects do not get well, `refuse` are kinds it forbids, `asked` is every write."""

    address: str
    certificate: Path
    objects: dict[Place, Kept] = field(default_factory=dict)
    sick: set[str] = field(default_factory=set)
    refuse: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    on_write: Callable[[str], None] = lambda _: None
    lock: Any = field(default_factory=threading.RLock)
    _version: int = 100

    def kinds(self) -> list[Kind]:
        made = [kept.value for place, kept in self.objects.items() if place[0] == "CustomResourceDefinition"]
        return [*BUILT_IN, *map(custom_kind, made)]

    def get(self, kind: str, name: str, namespace: str = "shop") -> dict[str, Any] | None:
        kept = self.objects.get((kind, namespace, name)) or self.objects.get((kind, "", name))
        return kept.value if kept else None

    def names(self, kind: str) -> list[str]:
        return sorted(place[2] for place in self.objects if place[0] == kind)

    def edit(self, kind: str, name: str, path: tuple[str, ...], value: object, by: str = "kubectl-edit") -> None:
        """Somebody changes one field by hand, as `kubectl edit` does."""
        with self.lock:
            kept = self.objects[kind, "shop", name]
            put(kept.value, path, value)
            for owned in kept.owners.values():
                owned.pop(path, None)
            kept.owners.setdefault(by, {})[path] = value
            self._stamp(kept.value, changed=True)

    def add(self, value: dict[str, Any], by: str = "somebody") -> None:
        with self.lock:
            kind = next(kind for kind in self.kinds() if kind.name == value["kind"])
            place = (
                kind.name,
                value["metadata"].get("namespace", "shop") if kind.namespaced else "",
                value["metadata"]["name"],
            )
            self._keep(place, Kept({}), Kept(copy.deepcopy(value), {by: ownable(value)}))

    def remove(self, kind: str, name: str, namespace: str = "shop") -> None:
        place = (kind, namespace, name)
        del self.objects[place if place in self.objects else (kind, "", name)]

    def kubeconfig(self, **more: Any) -> str:
        """What a person would be given, in one file."""
        trust = base64.b64encode(self.certificate.read_bytes()).decode()
        user = {"token": TOKEN} | more.pop("user", {})
        cluster = {"server": self.address, "certificate-authority-data": trust} | more.pop("cluster", {})
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "shop",
                "contexts": [{"name": "shop", "context": {"cluster": "shop", "user": "gitops"}}],
                "clusters": [{"name": "shop", "cluster": cluster}],
                "users": [{"name": "gitops", "user": user}],
            }
            | more
        )

    def answer(self, method: str, target: str, body: bytes, media: str) -> dict[str, Any]:
        """One request. Errors: Refused."""
        parts, asked = urlsplit(target), {key: each[-1] for key, each in parse_qs(urlsplit(target).query).items()}
        with self.lock:
            kinds = self.kinds()
            told = discovery(parts.path, kinds) or openapi(parts.path, kinds)
            if told is not None:
                return told
            kind, namespace, name = _find(parts.path, kinds)
        if method != "GET" and not asked.get("dryRun"):
            self.asked.append(f"{method} {kind.name} {name}".strip())
            self.on_write(self.asked[-1])
        with self.lock:
            if method != "GET" and kind.name in self.refuse:
                raise Refused(403, "Forbidden", f'{kind.plural} "{name}" is forbidden: gitops cannot write it')
            return self._do(method, (kind.name, namespace, name), kind, asked, body, media)

    def _do(
        self, method: str, place: Place, kind: Kind, asked: dict[str, str], body: bytes, media: str
    ) -> dict[str, Any]:
        if method == "POST":
            place = (place[0], place[1], json.loads(body)["metadata"]["name"])
        kept = self.objects.get(place)
        if method not in ("GET", "DELETE") and place[1] and not self.objects.get(("Namespace", "", place[1])):
            raise Refused(404, "NotFound", f'namespaces "{place[1]}" not found')
        if method == "POST" and kept:
            raise Refused(409, "AlreadyExists", f'{kind.plural} "{place[2]}" already exists')
        if kept is None and method in ("GET", "PUT", "DELETE"):
            raise Refused(404, "NotFound", f'{kind.plural} "{place[2]}" not found')
        if method == "PATCH":
            return self._apply(place, kept or Kept({}), asked, yaml.safe_load(body), media)
        if method in ("POST", "PUT"):
            return self._write(place, kept or Kept({}), asked, json.loads(body), kind)
        if method == "DELETE":
            del self.objects[place]
            return {"kind": "Status", "apiVersion": "v1", "status": "Success"}
        assert kept is not None
        return _shown(kept)

    def _apply(
        self, place: Place, kept: Kept, asked: dict[str, str], config: dict[str, Any], media: str
    ) -> dict[str, Any]:
        if media != "application/apply-patch+yaml":
            raise Refused(415, "UnsupportedMediaType", f"{media} is not served here")
        manager, wanted = asked["fieldManager"], ownable(config)
        found = [] if asked.get("force") == "true" else clashes(kept.owners, kept.value, wanted, manager)
        if found:
            by = [f'conflict with "{one.manager}" using {config["apiVersion"]}' for one in found]
            fields = [f".{'.'.join(one.path)}" for one in found]
            causes = tuple(
                {"reason": "FieldManagerConflict", "message": words, "field": path}
                for words, path in zip(by, fields, strict=True)
            )
            many = f"{len(found)} conflict{'s' * (len(found) > 1)}"
            raise Refused(409, "Conflict", f"Apply failed with {many}: {by[0]}: {fields[0]}", causes)
        owners, value = merge(kept.owners, kept.value, config, manager)
        return self._keep(place, kept, Kept(value, owners), dry=bool(asked.get("dryRun")))

    def _write(
        self, place: Place, kept: Kept, asked: dict[str, str], value: dict[str, Any], kind: Kind
    ) -> dict[str, Any]:
        given = value["metadata"].pop("resourceVersion", "")
        if kept.value and given and given != kept.value["metadata"]["resourceVersion"]:
            words = f'Operation cannot be fulfilled on {kind.plural} "{place[2]}": the object has been modified'
            raise Refused(409, "Conflict", words)
        return self._keep(place, kept, Kept(value, {asked.get("fieldManager", "?"): ownable(value)}))

    def _keep(self, place: Place, before: Kept, after: Kept, dry: bool = False) -> dict[str, Any]:
        value = after.value
        metadata = value.setdefault("metadata", {})
        metadata["name"] = place[2]
        if place[1]:
            metadata["namespace"] = place[1]
        for key in ("uid", "generation", "resourceVersion"):
            if before.value:
                metadata[key] = before.value["metadata"][key]
        if not before.value:
            metadata |= {"uid": str(uuid.uuid4()), "generation": 0, "resourceVersion": "0"}
        if not before.value or {**value, "status": 0} != {**before.value, "status": 0}:
            self._stamp(value, changed=True)
        if not dry:
            self.objects[place] = after
            settle(value, value["metadata"]["name"] in self.sick)
        return _shown(after)

    def _stamp(self, value: dict[str, Any], changed: bool) -> None:
        self._version += 1
        value["metadata"]["resourceVersion"] = str(self._version)
        value["metadata"]["generation"] += changed


def _shown(kept: Kept) -> dict[str, Any]:
    value = copy.deepcopy(kept.value)
    value["metadata"]["managedFields"] = [
        {
            "manager": name,
            "operation": "Apply" if name.startswith("gitops-hooks") else "Update",
            "apiVersion": value["apiVersion"],
            "fieldsType": "FieldsV1",
            "fieldsV1": {},
        }
        for name, owned in kept.owners.items()
        if owned
    ]
    return value


def _find(path: str, kinds: list[Kind]) -> tuple[Kind, str, str]:
    for kind in sorted(kinds, key=lambda one: -len(one.root)):
        if not path.startswith(f"{kind.root}/"):
            continue
        words = path.removeprefix(f"{kind.root}/").split("/")
        namespace = words[1] if kind.namespaced and words[0] == "namespaces" and len(words) > 2 else ""
        words = words[2:] if namespace else words
        if words[0] == kind.plural and len(words) < 3:
            return kind, namespace, words[1] if len(words) > 1 else ""
    raise Refused(404, "NotFound", "the server could not find the requested resource")


@contextmanager
def serving(folder: Path) -> Iterator[Cluster]:
    """A cluster with the namespace `shop`, on a port of this machine."""
    certificate, secret = make_certificate(folder)
    cluster = Cluster("", certificate)

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            code, told = 200, dict[str, Any]()
            try:
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    raise Refused(401, "Unauthorized", "Unauthorized")
                told = cluster.answer(self.command, self.path, body, self.headers.get("Content-Type", ""))
            except Refused as refused:
                code, told = int(refused.status["code"]), refused.status
            text = json.dumps(told).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    kept = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    kept.load_cert_chain(certificate, secret)
    server.socket = kept.wrap_socket(server.socket, server_side=True)
    cluster.address = f"https://127.0.0.1:{server.server_port}"
    cluster.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield cluster
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
