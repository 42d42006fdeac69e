"""What a client may send: exactly what git clients produce, or plain words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_hooks.core.ssh_command import GitCommand, GitProgram, Words, parse_ssh_command
from gitops_hooks.model.request import Refusal

PUSH, FETCH = GitProgram.RECEIVE_PACK, GitProgram.UPLOAD_PACK


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (b"git-receive-pack 'site.git'", GitCommand(PUSH, "site")),
        (b"git-receive-pack 'site'", GitCommand(PUSH, "site")),
        (b"git-receive-pack '/site.git'", GitCommand(PUSH, "site")),
        (b"git receive-pack 'site'", GitCommand(PUSH, "site")),
        (b"git-upload-pack '/site'", GitCommand(FETCH, "site")),
        (b"git upload-pack 'a.b_c-1.git'", GitCommand(FETCH, "a.b_c-1")),
        (b"env show production", Words(("env", "show", "production"))),
        (b"change list --json -R site", Words(("change", "list", "--json", "-R", "site"))),
        (b"help", Words(("help",))),
        (b"", Words(())),
    ],
)
def test_what_clients_send_is_understood(command, expected):
    assert parse_ssh_command(command) == expected


@pytest.mark.parametrize(
    "command",
    [
        b"git-receive-pack site",
        b'git-receive-pack "site"',
        b"git-receive-pack 'site' ",
        b"git-receive-pack 'site'\n",
        b"git-receive-pack  'site'",
        b"git-receive-pack 'site' 'other'",
        b"git-receive-pack 'site'; id",
        b"git-receive-pack 'si'\\''te'",
        b"git-receive-pack '../site'",
        b"git-receive-pack 'a/../site'",
        b"git-receive-pack 'a..b'",
        b"git-receive-pack '//site'",
        b"git-receive-pack '~/site'",
        b"git-receive-pack 'team/site'",
        b"git-receive-pack 'site/'",
        b"git-receive-pack '-site'",
        b"git-receive-pack '--help'",
        b"git-receive-pack '.git'",
        b"git-receive-pack ''",
        b"git-receive-pack 's\xc3\xaete'",
        b"git-receive-pack 'si\x00te'",
        b"git-receive-pack",
        b"git-upload-archive 'site'",
        b"git-shell 'site'",
        b"git",
        b"git ",
        b"git -c core.sshCommand=x receive-pack 'site'",
        b"git-lfs-authenticate 'site' upload",
    ],
)
def test_git_in_any_other_form_is_refused_with_the_form_that_works(command):
    assert parse_ssh_command(command) == Refusal(
        "ssh", "this is not what git sends for a repository's name", "Use:  git clone git@HOST:NAME"
    )


@pytest.mark.parametrize(
    "command",
    [b"scp -t x", b"scp", b"rsync --server .", b"internal-sftp", b"/usr/lib/openssh/sftp-server", b"sftp-server -e"],
)
def test_copying_files_is_refused_by_name(command):
    assert parse_ssh_command(command) == Refusal(
        "ssh", "no files are copied here", "This account runs git and a few words:  help"
    )


@pytest.mark.parametrize(
    "command",
    [b"env show 'x'", b"env  show", b" help", b"help ", b"help\n", b"a;b", b"$(id)", b"`id`", b"a\tb", b"\xff", b"a~"],
)
def test_words_hold_plain_characters_only(command):
    assert parse_ssh_command(command) == Refusal(
        "ssh", "a word may hold letters, digits and ._@/:,=+%- only", "What there is:  help"
    )


def test_a_long_command_is_refused():
    assert parse_ssh_command(b"a" * 4097) == Refusal("ssh", "a command may have 4096 bytes at most")
    assert parse_ssh_command(b"a" * 4096) == Words(("a" * 4096,))


@given(st.binary(max_size=60) | st.from_regex(rb"git[ -](receive|upload)-pack '[^'\n]{0,20}'.{0,3}"))
def test_a_repository_name_never_leaves_its_folder(command):
    found = parse_ssh_command(command)
    if isinstance(found, GitCommand):
        assert found.repository
        assert found.repository[0] not in ".-"
        assert not set(found.repository) & set("/\\ '\"\n\0")
        assert ".." not in found.repository
    if isinstance(found, Words):
        assert all(word and word.isascii() and not set(word) & set("'\"\\$`;&|<>()~ \n\t\0") for word in found.words)
