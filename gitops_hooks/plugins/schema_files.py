"""Schemas that lie in the repository → validators; a `$ref` reaches files of the repository, and nothing else."""

from dataclasses import dataclass, field
from posixpath import dirname, normpath
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

import jsonschema_rs

from gitops_hooks.plugin import EdgeError, Tree
from gitops_hooks.plugins.documents import Document, find_node, read_documents
from gitops_hooks.plugins.json_text import Fault
from gitops_hooks.plugins.schema_words import words_of

_HERE = "repository:///"


@dataclass(slots=True)
class SchemaFiles:
    """The schema files of one tree; each is read once, however many others refer to it."""

    tree: Tree
    _read: dict[str, Document | Fault] = field(default_factory=dict)
    _homes: dict[str, str] = field(default_factory=dict)

    def document(self, path: str) -> Document | Fault:
        """The schema at a path, or why there is none."""
        if path not in self._read:
            self._read[path] = self._load(path)
        return self._read[path]

    def _load(self, path: str) -> Document | Fault:
        try:
            documents, faults = read_documents(path, self.tree.read(path))
        except EdgeError as error:
            return Fault(0, error.what)
        if faults:
            return faults[0]
        if len(documents) != 1 or not isinstance(documents[0].value, dict | bool):
            return Fault(0, "is no JSON Schema: a schema is one mapping")
        return documents[0]

    def validator(self, path: str) -> jsonschema_rs.Validator | Fault:
        """What judges documents by the schema at a path, or what is wrong with it."""
        document = self.document(path)
        if isinstance(document, Fault):
            return document
        self._remember_home(path, document.value)
        try:
            jsonschema_rs.meta.validate(document.value)
            return jsonschema_rs.validator_for(
                document.value, base_uri=_HERE + path, retriever=self._retrieve, mask="the value"
            )
        except jsonschema_rs.ValidationError as error:
            line = find_node(document.root, list(error.instance_path)).line
            return Fault(line, f"is no JSON Schema: {_words(error)}")
        except (jsonschema_rs.ReferencingError, ValueError) as error:
            return Fault(0, f"is no JSON Schema: {_short(str(error))}")

    def _remember_home(self, path: str, schema: object) -> None:
        """What a schema's own `$id` calls the folder that it lies in."""
        name = schema.get("$id") if isinstance(schema, dict) else None
        if isinstance(name, str) and "://" in name:
            self._homes[urljoin(name, ".")] = dirname(path)

    def _retrieve(self, uri: str) -> Any:  # noqa: ANN401  # whatever a file of JSON holds
        """Errors: ValueError where the address is no file of the repository."""
        path = self._path(urldefrag(uri).url)
        document = self.document(path) if path else None
        if isinstance(document, Document):
            return document.value
        raise ValueError(f"{path}: {document.message}" if document else "a $ref reaches files of the repository only")

    def _path(self, uri: str) -> str:
        for home, folder in ((_HERE, ""), *self._homes.items()):
            if uri.startswith(home):
                path = normpath(f"{folder}/{unquote(uri.removeprefix(home))}").lstrip("/")
                return "" if path.startswith("..") else path
        return ""


def _words(error: jsonschema_rs.ValidationError) -> str:
    place = ".".join(str(step) for step in error.instance_path)
    return _short(f"{place}: {words_of(error)}" if place else words_of(error))


def _short(words: str) -> str:
    reason = words.split("retrieving it failed: ValueError: ")
    bare = f"{reason[0].split(' is not present')[0]}: {reason[1]}" if len(reason) > 1 else words
    return " ".join(bare.split("\n")[0].split())[:300]
