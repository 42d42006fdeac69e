"""What git starts as a hook: a parent that exits 1 unless its child sent a whole verdict of acceptance.

The child is one of the warm judge's, or its own where that does not run. A plugin that calls os._exit(0), crashes or
hangs ends the child and not the hook (a `finally` in one process would not run). Only built-in modules are imported
here: this runs under `python -I -S`, three times a push.
"""

import os
import select
import sys
import time

from gitops_hooks.entry.waiting import Ended, say, stop_waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping
else:
    import _signal as signal  # enum, which the other one loads, is a quarter of this program's start

_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_STEP = 0.2
_MOST = 200  # bytes of a verdict: a nonce and a word
_ACCEPTED = b"accept\n"
_REFUSED = b"refuse\n"
_NOT_ASKED = b"not asked"
_DOCTOR = " Ask the administrator to run: gitops-hooks doctor"
# What a judge's silence means depends on how far git is.
_SILENT = {
    "pre_receive": "gitops: the judge ended without a verdict; nothing was moved." + _DOCTOR,
    "proc_receive": "gitops: the judge ended without a verdict; only what is reported above was done." + _DOCTOR,
    "post_receive": "gitops: the push is done; only the news of it failed." + _DOCTOR,
}
_LATE = {
    "pre_receive": "gitops: no verdict within {0:g} s; nothing was moved. Push again, or in smaller parts.",
    "proc_receive": "gitops: no verdict within {0:g} s; only what is reported above was done. Push again.",
    "post_receive": "gitops: the push is done; its news took longer than {0:g} s.",
}


def run(name: str) -> None:
    """Judge by `gitops_hooks.entry.<name>.main(protocol_in, protocol_out)`; never returns: exits 0 or 1."""
    _leave_line()
    nonce, seconds = os.urandom(16).hex().encode(), seconds_of(name, os.environ)
    deadline = time.monotonic() + min(seconds, _seconds(os.environ.pop("GITOPS_HOOKS_LEFT", ""), seconds))
    answer = _ask_warm(name, nonce, deadline)
    if answer is _NOT_ASKED:
        answer = _ask_child(name, nonce, deadline)
    verdict = verdict_of(nonce, answer)
    if verdict is None:
        tell_of_none(name, answer, seconds, os.environ)
    os._exit(0 if verdict else 1)


def _leave_line() -> None:
    """The line on which a hook has its login ask is nothing for a judge."""
    number = os.environ.pop("GITOPS_HOOKS_LINE", "")
    try:
        if number.isdecimal():
            os.close(int(number))
    except OSError:
        return


def _ask_warm(name: str, nonce: bytes, deadline: float) -> bytes | None:
    """As _read_verdict; _NOT_ASKED where no warm judge took the push."""
    # Not imported where it is not used: a hook that judges by itself needs nothing that could be missing.
    if os.environ.get("GITOPS_HOOKS_WARM") != "1":
        return _NOT_ASKED
    try:
        from gitops_hooks.edge import warm_client as warm
    except ImportError:
        return _NOT_ASKED
    judge = warm.find_judge(name.encode(), nonce, deadline)
    if judge is None:
        return _NOT_ASKED
    _set_signals(stop_waiting)
    answer: bytes | None = b""
    is_over = False
    try:
        if not warm.hand_over(judge, (0, 1, 2), warm.inherited()):
            answer, is_over = _NOT_ASKED, True
        else:
            # The protocol belongs to the judge alone: held open here, its end would never be seen.
            _point_away(0, 1)
            answer, is_over = warm.hear(judge, nonce, deadline)
    except Ended:
        answer = b""
    finally:
        _set_signals(signal.SIG_DFL if answer is _NOT_ASKED else signal.SIG_IGN)
        if not is_over:
            warm.let_go(judge)
        judge.close()
    return answer


def _ask_child(name: str, nonce: bytes, deadline: float) -> bytes | None:
    """As _read_verdict, of a child of this program's own."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _be_the_judge(name, nonce, writer)
    os.close(writer)
    return _wait(child, reader, deadline)


def _wait(child: int, reader: int, deadline: float) -> bytes | None:
    """Wait for the verdict; whatever the judge left running in its group is ended with it."""
    _set_signals(stop_waiting)
    try:
        # The protocol belongs to the child alone: held open here, its end would never be seen.
        _point_away(0, 1)
        return _read_verdict(child, reader, deadline)
    except Ended:
        return b""
    finally:
        _set_signals(signal.SIG_IGN)
        _kill_group(child)


def verdict_of(nonce: bytes, answer: bytes | None) -> bool | None:
    """Whether this answer is one whole acceptance; None where it is no verdict, which refuses."""
    return {nonce + b" " + _ACCEPTED: True, nonce + b" " + _REFUSED: False}.get(answer or b"")


def tell_of_none(name: str, answer: bytes | None, seconds: float, environ: "Mapping[str, str]", out: int = 2) -> None:
    """Where there is no verdict: a mark for the sweeper, and why, at `out`."""
    _mark_unclean(environ)
    say(_LATE[name].format(seconds) if answer is None else _SILENT[name], out)


def _set_signals(what: "Callable[[int, object], None] | int") -> None:
    for number in _SIGNALS:
        signal.signal(number, what)


def _read_verdict(child: int, reader: int, deadline: float) -> bytes | None:
    """The line that came, b'' when the child ended without one, None when the time was over."""
    answer = b""
    while (left := deadline - time.monotonic()) > 0:
        # Asked before: what a judge wrote as its last act is there once it has ended. Its end alone says nothing, and
        # a process that it left behind may hold the pipe open for ever.
        ended = _has_ended(child)
        if select.select([reader], [], [], 0 if ended else min(left, _STEP))[0]:
            answer += (part := os.read(reader, _MOST))
            if not part or b"\n" in answer or len(answer) > _MOST:
                return answer
        elif ended:
            return answer
    return None


def _has_ended(child: int) -> bool:
    # Left unreaped, so that its id, which names the group, cannot become another process's.
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _kill_group(child: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(child, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
    os.waitpid(child, 0)


def _be_the_judge(name: str, nonce: bytes, writer: int) -> None:
    """The child: everything that may fail happens here, and only its last act can accept."""
    try:
        os.setpgid(0, 0)
        protocol = take_protocol()
        # Installed packages are found only now: the parent needs none of them.
        import site

        site.main()
        judge_and_answer(name, nonce, writer, protocol)
    finally:
        # Also on an exception: a traceback would go to the pusher, and doctor tells the administrator.
        os._exit(0)


def take_protocol() -> tuple[int, int]:
    """What git says, and where it is answered: taken away from 0 and 1."""
    protocol = os.dup(0), os.dup(1)
    _point_away(0, 1)
    return protocol


def judge_and_answer(name: str, nonce: bytes, writer: int, protocol: tuple[int, int]) -> bool:
    """The one way to judge, here and in the warm judge's forks; answers the verdict, written whole and last."""
    from gitops_hooks.entry import guard

    is_accepted = guard.judge(name, *protocol) is True
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(writer, nonce + b" " + (_ACCEPTED if is_accepted else _REFUSED))
    return is_accepted


def _point_away(stdin: int, stdout: int) -> None:
    """From here on nothing can be read from git by accident, and a stray print goes to the pusher's messages."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, stdin)
    os.dup2(2, stdout)
    os.close(null)


def seconds_of(name: str, environ: "Mapping[str, str]") -> float:
    """What a hook may take. post-receive follows a deployment, and the others judge."""
    key = "GITOPS_HOOKS_FOLLOW_SECONDS" if name == "post_receive" else "GITOPS_HOOKS_JUDGE_SECONDS"
    extra = 15.0 if name == "post_receive" else 0.0
    return _seconds(environ.get(key, ""), 60.0) + extra


def _seconds(said: str, otherwise: float) -> float:
    try:
        seconds = float(said)
    except ValueError:
        return otherwise
    return seconds if 0 < seconds < 86_400 else otherwise


def _mark_unclean(environ: "Mapping[str, str]") -> None:
    """A judge that was cut off may have left git's lock files: the forced command sweeps when it finds this mark."""
    path = environ.get("GITOPS_HOOKS_UNCLEAN")
    try:
        if path:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    except OSError:
        return
