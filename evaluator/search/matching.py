"""Which answers of a block are wanted."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from evaluator.search.blocks import Block, Texts


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person filters by. outcomes, rightness: their numbers in the contract; empty = all. least, most: of the score, both included.

    text: folded; empty = any.
    """

    outcomes: frozenset[int] = frozenset()
    rightness: frozenset[int] = frozenset()
    least: float | None = None
    most: float | None = None
    text: str = ""


def matching(block: Block, wanted: Wanted, texts: Texts | None) -> Sequence[int]:
    """Places in the block of the answers that are wanted, ascending. texts: of the block, if a text is wanted."""
    found: Sequence[int] = range(block.answers)
    if wanted.text and texts is not None:
        found = _holding(texts, block.answers, wanted.text.encode("utf-8", "replace"))
    if wanted.outcomes and found:
        outcomes = block.outcomes
        found = [place for place in found if outcomes[place] in wanted.outcomes]
    if wanted.rightness and found:
        kinds = block.rightness
        found = [place for place in found if kinds[place] in wanted.rightness]
    if wanted.least is not None and found:
        scores, least = block.scores, wanted.least
        found = [place for place in found if scores[place] >= least]
    if wanted.most is not None and found:
        scores, most = block.scores, wanted.most
        found = [place for place in found if scores[place] <= most]
    return found


def _holding(texts: Texts, answers: int, needle: bytes) -> list[int]:
    find, text = texts.texts.find, texts.texts
    at = find(needle)
    if at < 0:
        return []
    ends, found = struct.unpack(f"<{answers}I", texts.ends), []
    while at >= 0:
        place = bisect_right(ends, at)
        found.append(place)
        at = find(needle, ends[place]) if ends[place] < len(text) else -1
    return found
