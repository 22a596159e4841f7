"""What people write as YAML is read as PyYAML's own reader has it but for corners, also what is wrong or hostile."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from genlevel.runtime.yaml_text import read_written

MISTAKES = (
    "a: [1\nb: 2",
    "a: 1\n b: 2",
    "\t",
    "a: !!python/name:os.system",
    "*x",
    "a: \x00",
    "? [a]\n: 3",
    "a: 2001-99-99",
    "a: 'x",
    "a: @b",
)
MISTAKES += ("---\na\n---\nb", "%YAML 3.0\n---\na", "a: \ud83d", "<<: 1", "a: &b 1\nc: *d")
PIECES = (
    "a",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "\n",
    "  ",
    "'",
    '"',
    "#",
    "&b ",
    "*b",
    "!!str ",
    "|\n",
    ">-\n",
    "? ",
    "---\n",
    "1",
    "1.5",
    "no",
    "é",
    "~",
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | st.dates(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4),
    max_leaves=12,
)


def ended(read: Callable[[str], object], text: str) -> tuple[object, ...]:
    """What was read, or which mistake was told, and in which line."""
    try:
        return ("read", repr(read(text)))
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        return (type(error), str(error), mark and mark.line)


@given(
    DOCUMENTS.map(lambda document: yaml.safe_dump(document, allow_unicode=True))
    | st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
)
def test_whatever_is_written_is_read_as_the_plain_reader_has_it(text: str) -> None:
    plain, read = ended(yaml.safe_load, text), ended(read_written, text)
    if plain[0] == "read" or "?" not in text:  # `[so? yes]` is YAML, and the plain reader refuses it
        assert read == plain


@pytest.mark.parametrize("text", MISTAKES)
def test_mistakes_are_told_in_the_plain_readers_words(text: str) -> None:
    told = ended(read_written, text)
    assert told == ended(yaml.safe_load, text)
    assert told[0] != "read"


@pytest.mark.parametrize("piece", ["[", "{a: ", "- "])
def test_what_is_nested_without_end_does_not_end_the_process(piece: str) -> None:
    with pytest.raises(RecursionError):
        read_written(piece * 50_000)


def test_what_is_nested_as_deep_as_people_do_is_read() -> None:
    assert read_written("[" * 200 + "]" * 200) == yaml.safe_load("[" * 200 + "]" * 200)
