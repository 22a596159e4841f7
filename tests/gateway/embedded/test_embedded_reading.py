"""Reading the text in images: order, bounds, memory, and no network."""

from __future__ import annotations

import asyncio
import io
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from gateway.embedded import reading
from gateway.embedded.reading import MAX_SIDE_PX, Reader, UnreadableImage, decode, in_reading_order, rapidocr_engine


def box(x: float, y: float, width: float, height: float) -> list[list[float]]:
    return [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]


def test_columns_of_a_table_are_read_row_by_row() -> None:
    pieces = [
        (box(200, 52, 40, 20), "2.20"),
        (box(10, 10, 80, 20), "Bread"),
        (box(12, 50, 80, 20), "Coffee"),
        (box(200, 13, 40, 20), "3.50"),
    ]
    assert in_reading_order(pieces) == "Bread 3.50\nCoffee 2.20"


@given(st.permutations(range(12)))
def test_the_order_in_which_pieces_are_found_does_not_matter(order: list[int]) -> None:
    pieces = [(box(100.0 * (i % 3), 40.0 * (i // 3) + i % 3, 60, 24), f"w{i}") for i in range(12)]
    assert in_reading_order([pieces[i] for i in order]) == "w0 w1 w2\nw3 w4 w5\nw6 w7 w8\nw9 w10 w11"


def test_nothing_found_is_no_text() -> None:
    assert in_reading_order([]) == ""


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(10_000, 10_000), (65_000, 65_000), (7_000, 6_000)])
def test_a_bomb_is_refused_before_it_is_unpacked(pictures: Any, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def unpack(*_: object, **__: object) -> None:
        raise AssertionError("the pixels were unpacked")

    monkeypatch.setattr(Image.Image, "load", unpack)
    monkeypatch.setattr(Image.Image, "thumbnail", unpack)
    with pytest.raises(UnreadableImage, match="pixels"):
        decode(pictures.claiming(*size))


@pytest.mark.parametrize("data", [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7"])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableImage):
        decode(data)


def test_a_truncated_image_is_refused(pictures: Any) -> None:
    with pytest.raises(UnreadableImage, match="damaged"):
        decode(pictures.drawn("CUT")[:-400])


def test_large_images_are_reduced_and_transparent_ones_put_on_white(pictures: Any) -> None:
    assert max(decode(pictures.png(Image.new("L", (5000, 1000)))).size) == MAX_SIDE_PX
    assert decode(pictures.png(Image.new("RGBA", (9, 9), (0, 0, 0, 0)))).getpixel((4, 4)) == (255, 255, 255)
    palette = Image.new("P", (9, 9), 0)
    assert decode(pictures.png(palette, "GIF", transparency=0)).getpixel((4, 4)) == (255, 255, 255)


def test_an_image_is_turned_upright(pictures: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    assert decode(pictures.png(Image.new("RGB", (40, 20)), "JPEG", exif=exif)).size == (20, 40)


async def test_an_image_is_read_once_and_the_oldest_reading_is_forgotten(pictures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []

    def engine(image: Image.Image) -> list[reading.Piece]:
        seen.append(image.size)
        return [(box(0, 0, 9, 9), f"size {image.width}")]

    monkeypatch.setattr(reading, "rapidocr_engine", lambda _threads: engine)
    reader = Reader(threads=1, cached=2)
    files = {side: pictures.png(Image.new("RGB", (side, side))) for side in (10, 20, 30)}
    assert await asyncio.gather(*(reader.read(files[side]) for side in (10, 10, 20, 10))) == ["size 10", "size 10", "size 20", "size 10"]
    assert seen == [(10, 10), (20, 20)]
    await reader.read(files[30])
    await reader.read(files[10])
    await reader.read(files[20])
    assert seen == [(10, 10), (20, 20), (30, 30), (20, 20)]
    reader.close()


@pytest.mark.usefixtures("embedded_installed")
def test_real_pictures_are_read_without_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    engine = rapidocr_engine(threads=1)
    image = Image.new("RGB", (360, 260), "white")
    draw = ImageDraw.Draw(image)
    for y, (left, right) in zip((30, 110, 190), (("CORNER SHOP", ""), ("Bread", "3.50"), ("TOTAL", "12.75")), strict=True):
        draw.text((20, y), left, fill="black", font=ImageFont.load_default(32))
        draw.text((250, y), right, fill="black", font=ImageFont.load_default(32))
    assert in_reading_order(engine(image)) == "CORNER SHOP\nBread 3.50\nTOTAL 12.75"


@pytest.mark.usefixtures("embedded_installed")
@pytest.mark.parametrize("size", [(1, 1), (1, 900), (2000, 3), (64, 64)])
async def test_pictures_of_any_shape_without_text_have_none(pictures: Any, size: tuple[int, int]) -> None:
    reader = Reader(threads=1)
    assert await reader.read(pictures.png(Image.new("RGB", size, "white"))) == ""
    reader.close()


def test_every_format_that_is_named_is_read() -> None:
    for kind in reading.FORMATS:
        buffer = io.BytesIO()
        Image.new("RGB", (12, 8), "navy").save(buffer, kind)
        assert decode(buffer.getvalue()).size == (12, 8)
