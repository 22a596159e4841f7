"""What a stream amounts to if it is cut: by its bytes, or off at one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gateway.adapters.base import Adapter, Answer, AnswerError
from gateway.bodies import Json
from gateway.streams.assembler import Assembler, Framing
from gateway.streams.reading import Reading
from genlevel.v1 import content_pb2 as ct


class Kind(NamedTuple):
    """How an API streams, and what reads its body."""

    framing: Callable[[], Framing]
    assembler: Callable[[], Assembler]
    adapter: Adapter


def read(kind: Kind, stream: bytes, size: int = 0) -> tuple[list[ct.Part], Json]:
    """Pieces, those of one kind joined, and the body. size: of the parts in which it comes; 0 = as a whole."""
    reading = Reading(kind.framing(), kind.assembler())
    step = size or max(1, len(stream))
    pieces = [piece for start in range(0, len(stream), step) for piece in reading.feed(stream[start : start + step])]
    return pieces, reading.end()


def outcome(kind: Kind, stream: bytes) -> Answer | str:
    """The answer, or in a word why there is none: "cut", "error"."""
    try:
        return kind.adapter.answer(read(kind, stream)[1])
    except AnswerError:
        return "error"
    except ValueError:
        return "cut"


def wrong_cuts(kind: Kind, stream: bytes) -> list[int]:
    """Where a stream that is cut off is taken for whole and is not."""
    whole = outcome(kind, stream)
    assert isinstance(whole, Answer), whole
    return [end for end in range(len(stream)) if outcome(kind, stream[:end]) not in (whole, "cut")]
