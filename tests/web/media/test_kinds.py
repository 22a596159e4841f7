"""What a medium is taken for: by its bytes, never by what anybody calls it."""

from __future__ import annotations

import io
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.web.media.kinds import HEAD_BYTES, Kind, sniffed

SAFE = {
    *("image/png", "image/jpeg", "image/webp", "image/gif", "audio/wav", "audio/mpeg", "audio/ogg", "audio/flac", "audio/mp4"),
    *("video/mp4", "video/webm", "text/plain; charset=utf-8"),
}


def _wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 80)
    return out.getvalue()


@pytest.mark.parametrize(
    ("head", "kind", "inline"),
    [
        (b"\x89PNG\r\n\x1a\n....", Kind.PICTURE, "image/png"),
        (b"\xff\xd8\xff\xe0", Kind.PICTURE, "image/jpeg"),
        (_wav(), Kind.SOUND, "audio/wav"),
        (b"\x00\x00\x00\x20ftypisom", Kind.VIDEO, "video/mp4"),
        (b"II*\x00rest", Kind.PICTURE, ""),
        (b"ply\nformat ascii 1.0\n", Kind.SHAPE, ""),
        (b"\x93NUMPY\x01\x00", Kind.NUMBERS, ""),
        ("plain words, größer\n".encode(), Kind.TEXT, "text/plain; charset=utf-8"),
    ],
)
def test_bytes_say_what_a_medium_is(head: bytes, kind: Kind, inline: str) -> None:
    found = sniffed(head)
    assert (found.kind, found.inline) == (kind, inline)


@pytest.mark.parametrize(
    "head",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"\xef\xbb\xbf \r\n\x0c<html>",
        b"<?xml version='1.0'?><svg/>",
        b"%PDF-1.7\n\x00\x01",
        b"\x00\x01\x02",
        b"MZ\x90\x00",
        b"words\x1b[2Jand more",
        b"",
    ],
)
@pytest.mark.parametrize("name", ["x.png", "x.html", "x.svg", ""])
def test_markup_and_what_is_not_known_is_only_offered_as_a_file_whatever_its_name(head: bytes, name: str) -> None:
    assert sniffed(head, name).inline == ""


def test_a_text_whose_head_ends_within_a_letter_is_a_text() -> None:
    assert sniffed(("a" * (HEAD_BYTES - 1) + "é").encode()).kind is Kind.TEXT


@given(st.binary(max_size=200), st.text(max_size=20))
def test_whatever_the_bytes_only_known_types_are_shown_by_a_browser(head: bytes, name: str) -> None:
    found = sniffed(head, name)
    assert found.inline in SAFE or found.inline == ""
    assert found.suffix.startswith(".")
    assert found.suffix[1:].isalnum()
