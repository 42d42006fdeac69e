"""Push certificates: read by exact form, and held against what an approval is for."""

import pytest

from gitops_hooks.core.certificate import Bound, Certificate, certificate_faults, read_certificate
from tests.core.records import MAIN, REPOSITORY, oid

BOUND = Bound(REPOSITORY, 12, MAIN, oid("a"), oid("b"))
OPTIONS = f"push-option repository={REPOSITORY}\npush-option target=main\npush-option base={oid('a')}\n"
COMMAND = f"{'0' * 40} {oid('b')} refs/approve/12\n"
SIGNATURE = "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"


def text(
    options: str = OPTIONS, commands: str = COMMAND, signature: str = SIGNATURE, nonce: str = "nonce 1-x\n"
) -> bytes:
    head = f"certificate version 0.1\npusher SHA256:x 1700000000 +0000\npushee host:site\n{nonce}{options}\n"
    return f"{head}{commands}{signature}".encode()


def read(**other: str) -> Certificate:
    found = read_certificate(text(**other))
    assert isinstance(found, Certificate), found
    return found


def test_a_whole_one_is_an_approval_of_exactly_that():
    found = read()
    assert (found.nonce, found.commands) == ("1-x", (("0" * 40, oid("b"), "refs/approve/12"),))
    assert found.payload + found.signature.encode() == text()
    assert certificate_faults(found, BOUND) == ()
    assert certificate_faults(read(commands=COMMAND.replace("/12", "/12%m=yes")), BOUND) == ()


def test_an_openpgp_signature_is_told_apart_from_what_it_signs_as_well():
    armour = SIGNATURE.replace("SSH", "PGP")
    found = read(signature=armour)
    assert (found.payload, found.signature) == (text(signature=""), armour)
    assert certificate_faults(found, BOUND) == ()
    both = read_certificate(text(signature=armour + SIGNATURE))
    assert isinstance(both, Certificate) and both.signature == armour + SIGNATURE


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "the push certificate is not signed"),
        (text(signature="-----BEGIN SIGNED MESSAGE-----\n"), "X.509 signatures and signed messages are not taken"),
        (text(signature="-----BEGIN PGP MESSAGE-----\n"), "X.509 signatures and signed messages are not taken"),
        (text().replace(b"version 0.1", b"version 0.2"), "the push certificate is not of version 0.1"),
        (text(nonce=""), "the push certificate is not as git writes it"),
        (text(nonce="nonce 1\nnonce 2\n"), "the push certificate is not as git writes it"),
        (text(nonce="nonce 1\nfact true\n"), "the push certificate is not as git writes it"),
        (text(commands=COMMAND + "\n"), "the push certificate is not as git writes it"),
        (text(commands="x"), "the push certificate is not of version 0.1"),
        (text().replace(b"main", b"\xff"), "the push certificate holds bytes that are no text"),
        (b"x" * 70000, "the push certificate is larger than 65536 bytes"),
    ],
)
def test_what_is_not_as_git_writes_it_is_refused(content, fault):
    found = read_certificate(content)
    assert isinstance(found, str) and found.startswith(fault)


@pytest.mark.parametrize(
    ("other", "fault"),
    [
        ({"commands": COMMAND.replace("/12", "/13")}, "it is for refs/approve/13, not for refs/approve/12"),
        ({"commands": COMMAND.replace("approve", "reject")}, "it is for refs/reject/12, not for refs/approve/12"),
        ({"commands": COMMAND.replace("bb", "cc")}, f"it is for {'c' * 12}, not for {'b' * 12}"),
        ({"commands": COMMAND * 2}, "2 commands in one certificate; an approval is pushed alone"),
        ({"options": ""}, f"-o repository={REPOSITORY} is not what it says: no repository"),
        (
            {"options": OPTIONS + "push-option target=next\n"},
            "-o target=main is not what it says: target=main, target=next",
        ),
        ({"options": OPTIONS.replace("=main", "=maint")}, "-o target=main is not what it says: target=maint"),
    ],
)
def test_one_that_is_for_something_else_is_no_approval(other, fault):
    assert certificate_faults(read(**other), BOUND)[0] == fault


def test_the_line_that_signs_it_can_be_typed():
    assert BOUND.line == (
        f"git push --signed -o repository={REPOSITORY} -o target=main -o base={oid('a')} "
        f"origin {oid('b')}:refs/approve/12"
    )
