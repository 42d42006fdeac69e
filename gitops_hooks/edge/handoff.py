"""What pre-receive hands on to proc-receive of the same push: under the push's id, for these commands, read once."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

from gitops_hooks.core.verdict_words import read_verdicts, write_verdicts
from gitops_hooks.edge.store import hand_file, make_folder
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.judgement import Note
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import PushCertificate, RefUpdate
from gitops_hooks.model.verdict import Verdict

_VERDICTS = "verdicts.json"
_LANDED = "followed.json"
_CERTIFICATE = "certificate.json"


def _digest(updates: Sequence[RefUpdate], options: Sequence[str]) -> str:
    commands = sorted((update.ref, update.old, update.new) for update in updates)
    return hashlib.sha256(json.dumps([commands, list(options)]).encode()).hexdigest()


Verdicts = Mapping[str, tuple[Verdict, ...]]
"""What the checks said, by what they were asked about (entry/checkers.py)."""
Notes = Mapping[str, tuple[Note, ...]]
"""What is shown of each change of a push, beside its verdicts."""


def hand_on(
    folder: Path,
    updates: Sequence[RefUpdate],
    options: Sequence[str],
    verdicts: Verdicts,
    notes: Notes | None = None,
) -> None:
    """Leave the verdicts of a push that pre-receive accepted."""
    make_folder(folder)
    said = {subject: write_verdicts(found) for subject, found in verdicts.items()}
    shown = {key: [astuple(note) for note in found] for key, found in (notes or {}).items()}
    text = json.dumps([_digest(updates, options), said, shown])
    hand_file(folder / _VERDICTS, text.encode())


def take_over(folder: Path, updates: Sequence[RefUpdate], options: Sequence[str]) -> tuple[Verdicts, Notes]:
    """The verdicts and notes, once. Errors: EdgeError where pre-receive did not accept exactly this push."""
    path = folder / _VERDICTS
    try:
        text = path.read_text()
        path.unlink()
        digest, verdicts, shown = json.loads(text)
        found = {str(subject): read_verdicts(words) for subject, words in verdicts.items()}
        notes = {str(key): tuple(Note(*note) for note in each) for key, each in shown.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise EdgeError("this push", "was not judged by pre-receive; nothing was moved") from None
    if digest != _digest(updates, options):
        raise EdgeError("this push", "is not the one that pre-receive judged; nothing was moved")
    return found, notes


def hand_on_certificate(folder: Path, certificate: PushCertificate) -> None:
    """git shows a push certificate to pre-receive alone; the blob itself is in the repository by then."""
    make_folder(folder)
    hand_file(folder / _CERTIFICATE, json.dumps([certificate.oid, certificate.nonce]).encode())


def take_certificate(folder: Path) -> tuple[str, str]:
    """The blob and the nonce that this server gave, once; "" and "" where the push was not signed."""
    path = folder / _CERTIFICATE
    try:
        oid, nonce = json.loads(path.read_text())
        path.unlink()
    except FileNotFoundError:
        return "", ""
    except (OSError, ValueError, TypeError):
        raise EdgeError("this push", "has a certificate that cannot be read; nothing was moved") from None
    return str(oid), str(nonce)


@dataclass(frozen=True, slots=True)
class Said:
    """A word on an environment whose run is to be followed: event `number` of its log, about this commit."""

    verb: str
    name: str
    commit: str
    number: int


@dataclass(frozen=True, slots=True)
class Followed:
    """What a push began: governed refs that moved, and words on environments."""

    landed: tuple[str, ...] = ()
    operated: tuple[Said, ...] = ()


def note_followed(folder: Path, push: Followed) -> None:
    """Leave word for post-receive of what is to be followed."""
    make_folder(folder)
    hand_file(folder / _LANDED, json.dumps([push.landed, [astuple(said) for said in push.operated]]).encode())


def read_followed(folder: Path) -> Followed:
    """What this push began; nothing where no word was left."""
    try:
        landed, operated = json.loads((folder / _LANDED).read_text())
        return Followed(tuple(landed), tuple(Said(*said) for said in operated))
    except (OSError, ValueError, TypeError):
        return Followed()
