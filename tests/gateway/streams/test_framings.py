"""Bytes become the same events however they are cut, and no stream costs more than its bytes."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.streams.assembler import Event
from gateway.streams.lines import Lines
from gateway.streams.ndjson import JsonLines
from gateway.streams.sse import ServerSentEvents

ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
VALUES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)


def events(data: bytes, cuts: list[int] | None = None) -> list[Event]:
    framing = ServerSentEvents()
    bounds = [0, *sorted(cuts or ()), len(data)]
    found = [event for start, end in itertools.pairwise(bounds) for event in framing.feed(data[start:end])]
    return found + framing.end()


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: a\n\n", [Event("", b"a")]),
        (b"data:a\r\n\r\ndata: b\r\r", [Event("", b"a"), Event("", b"b")]),
        (b"\xef\xbb\xbfdata: a\n\n", [Event("", b"a")]),
        (b"event: error\ndata: a\ndata: b\n\n", [Event("error", b"a\nb")]),
        (b"data: a\nevent: after\n\n", [Event("after", b"a")]),
        (b": comment\n\n: another\ndata:  two spaces\nid: 7\nretry: 9\nunknown\n\n", [Event("", b" two spaces")]),
        (b"event: alone\n\ndata: a\n\n", [Event("", b"a")]),
        (b"data\n\n", [Event("", b"")]),
        (b"data: a\n\ndata: its empty line is missing", [Event("", b"a"), Event("", b"its empty line is missing")]),
        (b"data: a\n", [Event("", b"a")]),
        (b"", []),
        (b"\n\n\n", []),
    ],
)
def test_events_are_those_of_the_standard(stream: bytes, expected: list[Event]) -> None:
    assert events(stream) == expected
    for size in range(1, 8):
        assert events(stream, list(range(0, len(stream), size))) == expected


@given(
    st.lists(st.tuples(VALUES, st.lists(VALUES, min_size=1, max_size=3), ENDS), max_size=5),
    st.lists(st.integers(0, 400), max_size=30),
)
def test_what_was_written_is_read_however_it_is_cut(written: list[tuple[str, list[str], bytes]], cuts: list[int]) -> None:
    stream, expected = b"", []
    for name, lines, end in written:
        stream += b"event: " + name.encode() + end + b"".join(b"data: " + line.encode() + end for line in lines) + end
        expected.append(Event(name, "\n".join(lines).encode()))
    assert events(stream, [cut for cut in cuts if cut <= len(stream)]) == expected


@given(st.lists(st.binary(max_size=9).map(lambda line: line.replace(b"\r", b"").replace(b"\n", b"")), max_size=6), ENDS, st.integers(1, 7))
def test_lines_of_json_come_whole_and_empty_ones_not_at_all(lines: list[bytes], end: bytes, size: int) -> None:
    stream, framing = end.join(lines), JsonLines()
    found = [event for start in range(0, len(stream), size) for event in framing.feed(stream[start : start + size])]
    assert found + framing.end() == [Event("", line) for line in lines if line.strip()]


def test_an_event_has_a_largest_size_in_one_line_or_many() -> None:
    with pytest.raises(ValueError, match="more than"):
        ServerSentEvents(most=100).feed(b"data: " + b"x" * 101)
    many = ServerSentEvents(most=100)
    many.feed(b"data: " + b"x" * 60 + b"\n")
    with pytest.raises(ValueError, match="more than"):
        many.feed(b"data: " + b"x" * 60 + b"\n")
    with pytest.raises(ValueError, match="more than"):
        Lines(most=100).feed(b"x" * 101 + b"\n")
    endless = ServerSentEvents(most=1000)
    for _ in range(50):
        assert endless.feed(b": " + b"x" * 100 + b"\n") == []


def test_a_line_of_many_small_pieces_takes_time_that_grows_with_its_bytes() -> None:
    def seconds(pieces: int) -> float:
        framing, started = ServerSentEvents(), time.process_time()
        framing.feed(b"data: ")
        for _ in range(pieces):
            framing.feed(b"0123456789abcdef")
        assert len(framing.feed(b"\n\n")[0].data) == 16 * pieces
        return time.process_time() - started

    few = min(seconds(20_000) for _ in range(3))
    assert min(seconds(200_000) for _ in range(3)) < 40 * few
