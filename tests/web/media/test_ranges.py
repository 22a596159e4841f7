"""Ranges of a file as HTTP asks for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.web.media.ranges import NotSatisfiable, Part, asked_part


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", Part(0, 1)),
        ("bytes=0-", Part(0, 10)),
        ("bytes=3-5", Part(3, 3)),
        ("bytes=3-99999", Part(3, 7)),
        ("bytes=9-", Part(9, 1)),
        ("bytes=-3", Part(7, 3)),
        ("bytes=-99", Part(0, 10)),
        ("Bytes= 1-2 ", Part(1, 2)),
    ],
)
def test_one_range_is_the_part_that_it_names(header: str, part: Part) -> None:
    assert asked_part(header, 10, etag='"a"') == part


@pytest.mark.parametrize(
    "header", [None, "", "bytes=", "bytes=-", "bytes=5-3", "bytes=1-2,4-5", "rows=1-2", "bytes=a-b", "bytes=٣-٤", "bytes=" + "9" * 40 + "-"]
)
def test_what_is_no_single_range_means_the_whole_file(header: str | None) -> None:
    assert asked_part(header, 10, etag='"a"') is None


@pytest.mark.parametrize(("header", "size"), [("bytes=10-", 10), ("bytes=10-20", 10), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=-5", 0)])
def test_a_range_behind_the_end_cannot_be_given(header: str, size: int) -> None:
    with pytest.raises(NotSatisfiable):
        asked_part(header, size, etag='"a"')


def test_a_range_of_another_version_of_the_file_means_the_whole_file() -> None:
    assert asked_part("bytes=1-2", 10, etag='"b"', if_range='"a"') is None
    assert asked_part("bytes=1-2", 10, etag='"b"', if_range='"b"') == Part(1, 2)
    assert asked_part("bytes=1-2", 10, etag='"b"', if_range="Sun, 29 Nov 2026 08:00:00 GMT") is None


@given(st.text(max_size=30) | st.from_regex(r"bytes=[0-9]{0,20}-[0-9]{0,20}", fullmatch=True), st.integers(0, 2**40))
def test_a_part_always_lies_in_the_file(header: str, size: int) -> None:
    try:
        part = asked_part(header, size, etag='"a"')
    except NotSatisfiable:
        return
    assert part is None or (part.offset >= 0 and part.length >= 1 and part.offset + part.length <= size)
