"""A fork of the warm judge that becomes the judge of one hook: in the hook's place, with all that git gave to it.

One that answered the login of a push may stay for the hooks of that push (`serving_push`), and then for another push.
"""

import os
from dataclasses import replace
from socket import socket
from typing import NoReturn

from gitops_hooks.core import warm_words as words
from gitops_hooks.edge.code_sign import code_sign
from gitops_hooks.edge.descriptors import out_of_the_way
from gitops_hooks.edge.signer import have_attendant
from gitops_hooks.edge.warm_peer import take_on
from gitops_hooks.entry import parent
from gitops_hooks.entry.login_answer import answer_login
from gitops_hooks.entry.serving_house import Errand, House, wait_for_errand
from gitops_hooks.entry.serving_place import (
    Strength,
    Traces,
    become_a_fork,
    has_room,
    leave_place,
    take_place,
)
from gitops_hooks.entry.serving_push import Staying


def be_the_judge(house: House, conn: socket, line: socket, errand: Errand, warm: int) -> NoReturn:
    """Ends with the hook (its parent sees to that), with the warm judge, and with its verdict.

    `line` leads to the warm judge, which hears on it what a fork does that stays with a push, and sends it to the next.
    """
    try:
        writer, told = become_a_fork(conn, line)
        if os.getppid() == warm:
            _go(house, writer, socket(fileno=told), errand)
    finally:
        # Also on an exception: a traceback would go to the pusher, and silence refuses.
        os._exit(0)


def _go(house: House, conn: int, line: socket, errand: Errand) -> None:
    """On this errand, and on those that follow: logins of pushes, where nothing was left of the one before."""
    strength = Strength(house)
    while errand.request.name == words.LOGIN:
        if not _log_in(house, conn, line, errand, strength) or (found := wait_for_errand(line)) is None:
            return
        errand, sent = found
        conn = out_of_the_way(sent)
    _judge(conn, errand)


def _judge(conn: int, errand: Errand) -> None:
    request = errand.request
    if take_place(conn, request):
        take_on(errand.standing)
        parent.judge_and_answer(request.name.decode(), request.nonce, conn, parent.take_protocol())
        # git waits for the end of its pipes, and taking down a process takes longer than this.
        os.closerange(0, conn)


def _log_in(house: House, conn: int, line: socket, errand: Errand, strength: Strength) -> bool:
    """Whether another errand may follow."""
    before = leave_place()
    if not take_place(conn, errand.request):
        return False
    take_on(errand.standing)
    is_push = answer_login(errand.request.nonce, conn)
    if not (is_push and errand.may_stay and has_room()):
        return False
    before = replace(before, umask=errand.standing.umask)
    if leave_place(errand.request.descriptors) != before:
        return False
    # While git receives:
    # The key comes into a memory of its own, so that this fork may confine what the next push brings.
    if house.is_all_ours and have_attendant(house.home.signing_key):
        before = Traces.now()
    if errand.is_calm:
        code_sign(house.modules)  # good for a moment, and it will be asked for then
    with socket(fileno=conn) as login:
        return Staying(house, login, line, before).judge(errand.looked, strength.lasts)
