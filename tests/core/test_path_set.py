"""Many paths against many globs: the same answers as one path against one glob."""

from hypothesis import given
from hypothesis import strategies as st

from gitops_hooks.core.changed_paths import ChangedPaths
from gitops_hooks.core.globs import matches
from gitops_hooks.core.path_set import PathSet

PARTS = st.sampled_from(["a", "b", "ab", "a.b", ".b", "c.a.b", "A"])
GLOBS = st.sampled_from(["a", "ab", "*", "**", ".b", "*.b", "*.a.b", "a.?", "a*", "?", "A"])
PATHS = st.lists(st.lists(PARTS, min_size=1, max_size=4).map(tuple), max_size=12)


@given(PATHS, st.lists(GLOBS, min_size=1, max_size=4).map(tuple))
def test_a_set_holds_exactly_what_the_glob_covers(paths, glob):
    found = PathSet(paths)
    covered = {path for path in paths if matches("/".join(glob), "/".join(path))}
    assert set(found.covered(found.mask(glob))) == covered
    assert set(found.covered(found.everything)) == set(paths)


@given(PATHS, st.lists(GLOBS, min_size=1, max_size=4).map("/".join))
def test_case_is_no_matter_to_rules(paths, glob):
    written = ["/".join(path) for path in paths]
    hit = {path for path in written if matches(glob.lower(), path.lower())}
    assert ChangedPaths(written).matching((glob,)) == hit
    assert ChangedPaths(written).touch((glob,)) is bool(hit)


def test_other_letters_match_in_any_form_and_what_is_no_text_always():
    decomposed = "gro\u0308\u00dfe/x"
    changed = ChangedPaths(["a", decomposed, "\udcff"])
    assert changed.matching(("GRÖSSE/**",)) == {decomposed, "\udcff"}
    assert changed.matching(("gr?ße/*",)) == {decomposed, "\udcff"}
    assert changed.matching(()) == frozenset()
    assert not ChangedPaths(["a", decomposed]).touch(("b/**",))
