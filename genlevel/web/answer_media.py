"""The media of one answer as its page shows them: what each is by its bytes, and where it is looked at, played, turned or loaded down."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from genlevel.documents.words import one_line
from genlevel.runtime.errors import GenlevelError
from genlevel.web.media.kinds import Kind, sniffed
from genlevel.web.media.reading import MOST_BYTES, read_head
from genlevel.web.places import AnswerPlace

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document
    from genlevel.web.answered import Answered
    from genlevel.web.page import Asked

MOST_SHOWN = 12
"""Media of a question, answer or label. Of more the page says how many there are."""


@dataclass(frozen=True, slots=True)
class Medium:
    """One medium. kind: how it is shown. shown: what a browser is given to look at or play; "" if it is only offered.

    file: where it is loaded down. shape: what the viewer draws; still: a video's first frame; "" for others.
    problem: why it cannot be read, in one line.
    """

    position: int
    name: str
    kind: Kind
    called: str
    size: int
    file: str
    shown: str = ""
    shape: str = ""
    still: str = ""
    width: int = 0
    height: int = 0
    problem: str = ""

    def document(self) -> Document:
        """As JSON."""
        return {
            "position": self.position,
            "name": self.name,
            "kind": self.kind.value,
            "bytes": self.size,
            "width": self.width or None,
            "height": self.height or None,
            "file": self.file,
            "problem": self.problem,
        }


async def media_of(asked: Asked, found: Answered, of: str, count: int) -> list[Medium]:
    """The first MOST_SHOWN of ``count`` media. One that cannot be read says why; the others are there all the same."""
    made = await asyncio.gather(*(_medium(asked, found.place, of, position) for position in range(min(count, MOST_SHOWN))))
    if of != "question":
        return list(made)
    facts = found.answer.question_media
    return [replace(one, width=facts[one.position].width, height=facts[one.position].height) for one in made]


async def _medium(asked: Asked, place: AnswerPlace, of: str, position: int) -> Medium:
    file = place.media_address(of, position)
    try:
        head = await read_head(asked.services.evaluator, place, of, position)
    except GenlevelError as error:
        return Medium(position, f"{of} {position + 1}", Kind.OTHER, "file", 0, file, problem=str(error))
    found = sniffed(head.data, head.name)
    small = head.size <= MOST_BYTES
    png = place.media_address(of, position, "png") if small else ""
    shown, shape = file if found.inline else "", ""
    match found.kind:
        case Kind.PICTURE | Kind.NUMBERS if not found.inline:
            shown = png
        case Kind.SHAPE if small:
            shown, shape = place.media_address(of, position, "still"), place.media_address(of, position, "shape")
    return Medium(
        position,
        one_line(head.name, 80),
        found.kind,
        found.called,
        head.size,
        file,
        shown,
        shape,
        still=png if found.kind is Kind.VIDEO else "",
    )
