"""A fork of the warm judge that becomes the judge of one hook: in the hook's place, with all that git gave to it.

One that answered the login of a push may stay for the hooks of that push (`serving_push`).
"""

import os
from dataclasses import replace
from socket import socket
from typing import NoReturn

from gitops_hooks.core import warm_words as words
from gitops_hooks.edge.code_sign import code_sign
from gitops_hooks.edge.warm_peer import take_on
from gitops_hooks.entry import parent
from gitops_hooks.entry.login_answer import answer_login
from gitops_hooks.entry.serving_house import Errand, House
from gitops_hooks.entry.serving_place import become_a_fork, has_room, leave_place, take_place
from gitops_hooks.entry.serving_push import Staying


def be_the_judge(house: House, conn: socket, line: socket, errand: Errand, warm: int) -> NoReturn:
    """Ends with the hook (its parent sees to that), with the warm judge, and with its verdict.

    `line` leads to the warm judge, which hears on it what a fork does that stays with a push.
    """
    try:
        writer, told = become_a_fork(conn, line)
        if os.getppid() == warm:
            if errand.request.name == words.LOGIN:
                _log_in(house, writer, told, errand)
            else:
                _judge(writer, errand)
    finally:
        # Also on an exception: a traceback would go to the pusher, and silence refuses.
        os._exit(0)


def _judge(conn: int, errand: Errand) -> None:
    request = errand.request
    if take_place(conn, request):
        take_on(errand.standing)
        parent.judge_and_answer(request.name.decode(), request.nonce, conn, parent.take_protocol())
        # git waits for the end of its pipes, and taking down a process takes longer than this.
        os.closerange(0, conn)


def _log_in(house: House, conn: int, line: int, errand: Errand) -> None:
    before = leave_place()
    if not take_place(conn, errand.request):
        return
    take_on(errand.standing)
    is_push = answer_login(errand.request.nonce, conn)
    if not (is_push and errand.may_stay and has_room()):
        return
    before = replace(before, umask=errand.standing.umask)
    if leave_place(errand.request.descriptors) == before:
        if errand.is_calm:
            # While git receives: a look at the code is good for a moment, and this one's will be asked for then.
            code_sign(house.modules)
        Staying(house, socket(fileno=conn), socket(fileno=line), before).judge(errand.looked)
