"""The masks of a label or of an answer as one transparent picture to be laid over the question's.

Told apart without colour: the label's are hatched one way, the answer's the other way. Each class of a map has a tone of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.runtime.errors import NotFoundError, UsageError
from genlevel.runtime.shown import quoted
from genlevel.web.media.kinds import sniffed
from genlevel.web.media.made import MOST_PIXELS, decoded, png
from genlevel.web.media.reading import as_file, read_head
from genlevel.web.media.serving import HEADERS
from genlevel.web.places import AnswerPlace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from starlette.requests import Request

    from genlevel.web.page import Asked

MOST_MASKS = 100
_LONGEST = 1200
_HATCH = 10
_COLOURS = {"label": (0, 114, 178), "answer": (230, 159, 0)}
_TONES = ((0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (213, 94, 0), (240, 228, 66), (120, 94, 240))
"""Okabe and Ito 2008, and a violet."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One mask of a frame in normal form; of a map of classes, label is ""."""

    label: str
    mask: Mapping[str, object]


async def mask(asked: Asked, request: Request) -> Response:
    """The masks of ?of=label|answer, of a video those of ?frame=. Raises GenlevelError; UsageError for what cannot be drawn."""
    from genlevel.web.answered import answered

    place, of, frame = AnswerPlace.asked(asked), asked.one("of", "label"), asked.whole("frame", 0, most=20_000)
    if of not in _COLOURS:
        raise UsageError(f"of is {quoted(of)}; give label or answer")
    found = await answered(asked.services, place)
    value = found.entry["label"] if of == "label" else found.entry["parsed"]
    chosen = chosen_masks(value, frame) if found.answer.answer_type == AnswerType.MASKS else []
    if not chosen:
        raise NotFoundError(f"there is no mask of the {of} in this frame")
    size = found.picture_size
    async with _with_files(asked, place, of, value, chosen) as here:
        try:
            content = await decoded(partial(_drawn, here, of, size, frame), Path())
        except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
            raise UsageError(f"the {of}'s mask cannot be drawn: {quoted(str(error))}") from None
    return Response(content, HTTPStatus.OK, {**HEADERS, "content-type": "image/png"})


def chosen_masks(value: object, frame: int) -> list[Chosen]:
    """The masks of one frame, at most MOST_MASKS; outlines and what is no mask are left out."""
    entries = value if isinstance(value, list) else [value]
    found: list[Chosen] = []
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        mask = entry.get("mask", entry if "file" in entry else None)
        if isinstance(mask, list):
            mask = mask[frame] if frame < len(mask) else None
        if isinstance(mask, dict) and not isinstance(mask.get("polygons"), list) and "points" not in mask:
            found.append(Chosen(str(entry.get("label") or ""), mask))
    return found[:MOST_MASKS]


@asynccontextmanager
async def _with_files(asked: Asked, place: AnswerPlace, of: str, value: object, chosen: Sequence[Chosen]) -> AsyncIterator[list[Chosen]]:
    """The masks with their files on this machine."""
    from genlevel.benchmark.label_files import files_in

    named = files_in(value)
    here: list[Chosen] = []
    async with AsyncExitStack() as stack:
        for one in chosen:
            path = one.mask.get("file")
            if not isinstance(path, str):
                here.append(one)
                continue
            position = named.index(path)
            head = await read_head(asked.services.evaluator, place, of, position)
            suffix = Path(head.name).suffix[:8] or sniffed(head.data).suffix
            local = await stack.enter_async_context(as_file(asked.services.evaluator, place, of, position, suffix))
            here.append(Chosen(one.label, {**one.mask, "file": str(local)}))
        yield here


def _drawn(masks: Sequence[Chosen], of: str, size: tuple[int, int] | None, frame: int, _path: Path) -> bytes:
    """PNG. size: width and height of the question's picture, if known."""
    from scorer.metrics.regions.sources import first_frames, frames_of, source_of

    frames = []
    for one in masks:
        source = source_of({"label": one.label, "mask": one.mask})
        whole = [one for one in islice(frames_of(source), frame, frame + 1) if one] if source.path else first_frames(source)
        frames += [(one.label, found) for found in whole]
    height, width = _canvas(size, [found for _label, found in frames])
    owner = _owners(frames, (height, width))
    return png(painted(owner, of))


def _canvas(size: tuple[int, int] | None, frames: Sequence[object]) -> tuple[int, int]:
    """(height, width) that is drawn on: of the picture, else of the first mask that has a size."""
    own = next((found for found in map(_own_size, frames) if found is not None), None)
    height, width = (size[1], size[0]) if size is not None and all(size) else own or (0, 0)
    if not height or not width:
        raise ValueError("the size of its picture is not known")
    if height * width > MOST_PIXELS or (own is not None and own[0] * own[1] > MOST_PIXELS):
        raise ValueError(f"masks of more than {MOST_PIXELS:,} pixels are not drawn here")
    return height, width


def _own_size(frame: object) -> tuple[int, int] | None:
    numbers = getattr(frame, "numbers", None)
    if numbers is not None:
        if numbers.ndim != 2:
            raise ValueError("it marks points of a cloud")
        return int(numbers.shape[0]), int(numbers.shape[1])
    found: tuple[int, int] | None = getattr(frame, "size", None)
    return found


def _owners(frames: Sequence[tuple[str, object]], size: tuple[int, int]) -> NDArray[np.int32]:
    """(H, W), made smaller if a side is above _LONGEST: 0 for nothing, else the number of the mask or, of a map, of the class, from 1."""
    import numpy as np

    from scorer.metrics.regions.sources import Frame, resized

    height, width = size
    scale = min(1.0, _LONGEST / max(size))
    small = max(1, round(height * scale)), max(1, round(width * scale))
    owner = np.zeros(small, dtype=np.int32)
    for place, (label, frame) in enumerate(frames, 1):
        assert isinstance(frame, Frame)
        if frame.numbers is not None and not label:
            _kinds, number = np.unique(resized(frame.numbers, small), return_inverse=True)
            drawn = number.reshape(small).astype(np.int32) + (1 if _kinds[0] else 0)
            owner = np.where(drawn > 0, drawn, owner)
        else:
            bits = resized(frame.drawn(size).bits(height, width), small)
            owner[bits] = place
    return owner


def painted(owner: NDArray[np.int32], of: str) -> NDArray[np.uint8]:
    """uint8 (H, W, 4) of a map as ``_owners`` makes it. of: label or answer."""
    import numpy as np

    height, width = owner.shape
    tones = np.array([_COLOURS[of], *_TONES], dtype=np.uint8)
    several = int(owner.max(initial=0)) > 1
    colour = tones[np.where(owner > 0, 1 + (owner - 1) % len(_TONES), 0) if several else np.zeros_like(owner)]
    inside = owner > 0
    edge = np.zeros(owner.shape, dtype=bool)
    edge[:, 1:] |= owner[:, 1:] != owner[:, :-1]
    edge[1:, :] |= owner[1:, :] != owner[:-1, :]
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    stripe = (rows + columns if of == "label" else rows - columns) % _HATCH < 2
    alpha = np.where(inside, np.where(stripe, 190, 60), 0)
    alpha = np.where(edge, 255, alpha).astype(np.uint8)
    colour = np.where(edge[..., None], np.array(_COLOURS[of], dtype=np.uint8), colour)
    return np.concatenate([colour, alpha[..., None]], axis=2)
