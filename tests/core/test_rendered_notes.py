"""What is rendered of a change in words: where it is, how it differs, and how much more there is."""

from gitops_hooks.core.rendered_notes import RenderedEnvironment, rendered_facts, rendered_notes
from gitops_hooks.core.report import note_lines
from gitops_hooks.model.judgement import Note
from gitops_hooks.model.rendered import Rendered, Unrendered

HOSTS = tuple(f"web{number}" for number in range(1, 6))
FOUND = RenderedEnvironment(
    "live",
    (
        Rendered("port", HOSTS, "80 → 81"),
        Rendered("a.j2", (), "-a\n+\tb"),
        Unrendered("x.j2: it asks for y", ("web1",)),
    ),
)


def test_a_text_of_several_lines_stands_below_what_it_is_of() -> None:
    assert rendered_notes([FOUND], 10) == (
        Note("renders", "live: web1 web2 web3 and 2 more: port: 80 → 81"),
        Note("renders", "live: a.j2"),
        Note("", "-a", True),
        Note("", "+\tb", True),
        Note("renders", "live: web1: not known without the hosts: x.j2: it asks for y"),
    )


def test_it_is_cut_and_says_how_much_is_missing() -> None:
    assert rendered_notes([FOUND], 2)[2:] == (Note("", "and 3 more lines: change show"),)
    assert len(rendered_notes([FOUND], 4)) == 5


def test_a_verbatim_line_keeps_its_spaces_and_steers_no_terminal() -> None:
    assert note_lines(Note("", "+\ta  b\x1b[2J", True)) == ["               +   a  b\\x1b[2J"]
    assert len(note_lines(Note("", "x" * 5000, True))[0]) == 215


def test_programs_get_the_same() -> None:
    assert rendered_facts([FOUND])[2] == {
        "environment": "live",
        "hosts": ["web1"],
        "known": False,
        "what": "",
        "text": "x.j2: it asks for y",
    }
