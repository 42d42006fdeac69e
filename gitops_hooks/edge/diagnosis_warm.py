"""What doctor says of the warm judge: whether it runs, what it is, and who else might answer in its place."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime

from gitops_hooks.core import warm_words as words
from gitops_hooks.edge import warm_client
from gitops_hooks.edge.diagnosis import Line, State, private
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.warm_place import running
from gitops_hooks.model.server import ServerFile

_NAME = "warm judge"
_SECONDS = 5.0
_NONCE = b"0" * 32


def warm_lines(home: Home, server: ServerFile) -> Iterable[Line]:
    """One line; a server without it is as safe, and slower."""
    if not server.limits.warm_seconds:
        yield Line(State.OK, _NAME, "is switched off (warm_seconds = 0): each hook judges by itself")
        return
    if home.judge.exists() and (fault := private(home.judge, 0o700)):
        yield Line(State.FAIL, _NAME, f"{fault}: hooks ask nobody there", f"rm -r {home.judge}")
        return
    found = running(home)
    try:
        yield _ask(home, server)
    except (OSError, ValueError):
        if found:
            words = f"process {found[0].pid} does not answer: each hook waits for it, then judges by itself"
            yield Line(State.FAIL, _NAME, words, f"kill -KILL {found[0].pid}")
        else:
            yield Line(State.NOTE, _NAME, f"does not run at this moment; the next push starts it{_last_words(home)}")


def _ask(home: Home, server: ServerFile) -> Line:
    judge = warm_client.connect(str(home.path.absolute()))
    try:
        request = words.write_request([words.VERSION, _NONCE, words.STATUS, b"0" * 64, b"1.000", b""])
        answer = warm_client.ask_line(judge, request, time.monotonic() + _SECONDS)
    finally:
        judge.close()
    if len(answer) != 7 or answer[:2] != [_NONCE, words.STATUS]:
        raise ValueError("no answer")
    pid, began, judged, judging = (int(word) for word in answer[2:6])
    since = datetime.fromtimestamp(began, UTC).strftime("%Y-%m-%d %H:%M UTC")
    said = f"runs as process {pid} since {since}: {judged} hooks judged, {judging} at this moment"
    if answer[6] != warm_client.identity(home.server_file.read_bytes()):
        return Line(State.NOTE, _NAME, f"{said}; the release or server.toml is another now: the next push ends it")
    return Line(State.OK, _NAME, f"{said}; ends after {server.limits.warm_seconds:g} s without a push or fetch")


def _last_words(home: Home) -> str:
    """Why the last one ended, where it had something to say."""
    try:
        said = (home.judge / "log").read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
    except OSError:
        return ""
    return f" (the last one said: {said[:300]!a})" if said else ""
