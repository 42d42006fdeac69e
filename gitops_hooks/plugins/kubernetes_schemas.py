"""What Kubernetes itself knows of its kinds in one version, and what a CustomResourceDefinition says of another.

The sets of schemas lie in the package kubernetes-validate, a folder a version. One file of one folder is read; the
package's own code is never imported.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema_rs

_PACKAGE = "kubernetes_validate"
_PLACE = "kubernetes:///definitions"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_EITHER = ("io.k8s.apimachinery.pkg.util.intstr.IntOrString", "io.k8s.apimachinery.pkg.api.resource.Quantity")
# Flags and named groups inside a pattern are Go's own; JSON Schema has no such words.
_FLAGS = re.compile(r"\(\?(?:[a-zA-Z-]+[:)]|P<)")
_ROOT = ("apiVersion", "kind", "metadata", "status")

Kind = tuple[str, str]
"""apiVersion and kind."""


@dataclass(slots=True)
class Schemas:
    """The kinds of one version, with those that CRDs add; validators are made when they are asked for."""

    names: Mapping[Kind, str]
    registry: jsonschema_rs.Registry
    custom: dict[Kind, Any] = field(default_factory=dict)
    _made: dict[Kind | str, jsonschema_rs.Validator] = field(default_factory=dict)

    def knows_group(self, version: str) -> bool:
        group = version.rpartition("/")[0]
        return any(known.rpartition("/")[0] == group for known, _ in self.names)

    def versions_of(self, kind: str) -> list[str]:
        return sorted({version for version, name in (*self.names, *self.custom) if name == kind})

    def validator(self, kind: Kind) -> jsonschema_rs.Validator | None:
        """None where nothing says how this kind is made, or a CRD says it in words that cannot be understood."""
        if kind not in self._made:
            if kind in self.names:
                self._made[kind] = self._builtin(self.names[kind])
            elif kind in self.custom:
                self._add_custom(kind)
        return self._made.get(kind)

    def _add_custom(self, kind: Kind) -> None:
        with suppress(ValueError):
            self._made[kind] = jsonschema_rs.Draft4Validator(self.custom[kind], mask="the value")

    def metadata(self) -> jsonschema_rs.Validator:
        if _META not in self._made:
            self._made[_META] = self._builtin(_META)
        return self._made[_META]

    def _builtin(self, name: str) -> jsonschema_rs.Validator:
        schema = {"$ref": f"{_PLACE}#/$defs/{name}"}
        return jsonschema_rs.validator_for(schema, registry=self.registry, mask="the value")

    def add(self, definition: Mapping[str, Any]) -> None:
        """The kinds of one CustomResourceDefinition. Errors: ValueError where it is not made as one."""
        try:
            spec = definition["spec"]
            kind, group = str(spec["names"]["kind"]), str(spec["group"])
            for version, schema in _versions(spec):
                self.custom[f"{group}/{version}", kind] = schema
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("is no CustomResourceDefinition that can be read") from error


def load_schemas(version: str) -> Schemas | str:
    """The schemas of one version of Kubernetes (1.31), or why there are none."""
    found = find_spec(_PACKAGE)
    if found is None or found.origin is None:
        return f"the package {_PACKAGE} is not installed"
    file = Path(found.origin).parent / "kubernetes-json-schema" / f"v{version}.0-local-strict" / "_definitions.json"
    try:
        definitions = json.loads(file.read_bytes())
    except OSError:
        return f"this server has no schemas of Kubernetes {version}"
    known = definitions["$defs"]
    for name in _EITHER:
        # Null fits both of two forms that allow it, and would fit exactly one of them nowhere.
        known[name] = {"anyOf": known[name]["oneOf"]}
    return Schemas(dict(_names(known)), jsonschema_rs.Registry([(_PLACE, definitions)]))


def _names(definitions: Mapping[str, Any]) -> Iterator[tuple[Kind, str]]:
    for name, schema in definitions.items():
        for each in schema.get("x-kubernetes-group-version-kind", ()):
            version = f"{each['group']}/{each['version']}" if each["group"] else each["version"]
            yield (version, each["kind"]), name


def _versions(spec: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each version with its schema, as apiextensions.k8s.io/v1 says it and as v1beta1 did."""
    shared = (spec.get("validation") or {}).get("openAPIV3Schema")
    for version in spec.get("versions") or [{"name": spec["version"]}]:
        schema = (version.get("schema") or {}).get("openAPIV3Schema", shared)
        made = _strict(schema) if isinstance(schema, dict) else {}
        if isinstance(made.get("properties"), dict):
            made["properties"] |= {key: {} for key in _ROOT}
        yield str(version["name"]), made


def _strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAPI's words in those of JSON Schema; a field that is not named is unknown, unless the schema keeps such."""
    made = {key: value for key, value in schema.items() if key not in ("default", "example", "description", "nullable")}
    for key in ("properties", "patternProperties", "definitions"):
        if isinstance(made.get(key), dict):
            made[key] = {name: _strict(each) if isinstance(each, dict) else each for name, each in made[key].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = _strict(made[key])
    if schema.get("x-kubernetes-int-or-string"):
        made["type"] = ["integer", "string"]
    if isinstance(made.get("pattern"), str) and _FLAGS.search(made["pattern"]):
        del made["pattern"]
    open_to_all = schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("x-kubernetes-embedded-resource")
    if "properties" in made and "additionalProperties" not in made and not open_to_all:
        made["additionalProperties"] = False
    if schema.get("nullable") and "type" in made:
        made["type"] = [*(made["type"] if isinstance(made["type"], list) else [made["type"]]), "null"]
        if isinstance(made.get("enum"), list):
            made["enum"] = [*made["enum"], None]
    return made
