"""Answers of a task packed together, a few hundred a block, so that a run of hundreds of thousands is looked through in a moment.

A block has a column for each thing that is filtered or ordered by (numbers are 8 bytes, little-endian), and, apart from those, the texts
that are searched, folded and one after the other: to look through one large text is many times quicker than through many small ones.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from evaluator.search.folding import END, folded
from evaluator.search.rightness import Rightness
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome

QUESTION = 500
"""Characters of a question that are kept."""
MOST_ANSWERS = 300
MOST_BYTES = 256 << 10
"""Of a block: no more answers, and no further one once its texts have so many bytes."""
_NO_COST = -1


class Entry(NamedTuple):
    """One answer as it is indexed.

    outcome: as it was scored. score: in the metric's unit; None: there is none. created: Unix seconds. question: its beginning.
    """

    key: AnswerKey
    outcome: Outcome
    rightness: Rightness
    score: float | None
    cost_nano_usd: int | None
    upstream_s: float
    created: float
    question: str
    answer: str
    error: str


@dataclass(frozen=True, slots=True)
class Packed:
    """A block as it is stored. best: the best score of one instance; None: there is none."""

    answers: int
    best: float | None
    outcomes: bytes
    rightness: bytes
    scores: bytes
    costs: bytes
    seconds: bytes
    created: bytes
    keys: bytes
    questions: bytes
    ends: bytes
    texts: bytes


def packed(entries: Iterable[Entry], best: float | None) -> Iterator[Packed]:
    """Answers of one task in blocks. entries: in the order in which they are shown, by time and key."""
    chunk: list[Entry] = []
    texts: list[bytes] = []
    size = 0
    for entry in entries:
        text = _text_of(entry)
        chunk.append(entry)
        texts.append(text)
        size += len(text)
        if len(chunk) == MOST_ANSWERS or size >= MOST_BYTES:
            yield _block(chunk, texts, best)
            chunk, texts, size = [], [], 0
    if chunk:
        yield _block(chunk, texts, best)


def _text_of(entry: Entry) -> bytes:
    """All in which an answer is found."""
    parts = (entry.key.instance, entry.question, entry.answer, entry.error)
    return "".join(folded(part) + END for part in parts).encode("utf-8", "replace")


def _block(entries: Sequence[Entry], texts: Sequence[bytes], best: float | None) -> Packed:
    def numbers(values: Iterable[float]) -> bytes:
        return struct.pack(f"<{len(entries)}d", *values)

    return Packed(
        answers=len(entries),
        best=best,
        outcomes=bytes(entry.outcome.number for entry in entries),
        rightness=bytes(entry.rightness for entry in entries),
        scores=numbers(math.nan if entry.score is None else entry.score for entry in entries),
        costs=struct.pack(f"<{len(entries)}q", *(_NO_COST if entry.cost_nano_usd is None else entry.cost_nano_usd for entry in entries)),
        seconds=numbers(entry.upstream_s for entry in entries),
        created=numbers(entry.created for entry in entries),
        keys=json.dumps([str(entry.key) for entry in entries]).encode(),
        questions=zlib.compress(json.dumps([entry.question for entry in entries]).encode(), 1),
        ends=struct.pack(f"<{len(entries)}I", *accumulate(map(len, texts))),
        texts=b"".join(texts),
    )


def questions_of(column: bytes) -> list[str]:
    """The questions of a block, from its column."""
    found: list[str] = json.loads(zlib.decompress(column))
    return found


@dataclass(frozen=True)
class Block:
    """The columns of a block, each read when it is needed. task: its key. number: of the block among those of the task, from 0."""

    task: str
    number: int
    answers: int
    best: float | None
    outcomes: bytes
    rightness: bytes
    packed_scores: bytes
    packed_costs: bytes
    packed_seconds: bytes
    packed_created: bytes
    packed_keys: bytes

    @cached_property
    def scores(self) -> tuple[float, ...]:
        """In the metric's unit; NaN: none."""
        return struct.unpack(f"<{self.answers}d", self.packed_scores)

    @cached_property
    def costs(self) -> tuple[int, ...]:
        """Nano-dollars; below 0: not known."""
        return struct.unpack(f"<{self.answers}q", self.packed_costs)

    @cached_property
    def seconds(self) -> tuple[float, ...]:
        """That the provider took."""
        return struct.unpack(f"<{self.answers}d", self.packed_seconds)

    @cached_property
    def created(self) -> tuple[float, ...]:
        """Unix seconds, ascending."""
        return struct.unpack(f"<{self.answers}d", self.packed_created)

    @cached_property
    def keys(self) -> list[str]:
        """Keys as texts."""
        found: list[str] = json.loads(self.packed_keys)
        return found

    def key(self, place: int) -> AnswerKey:
        """The key of one of its answers."""
        return AnswerKey.parse(self.keys[place])

    def score(self, place: int) -> float | None:
        """The score of one of its answers; None: there is none."""
        score = self.scores[place]
        return None if math.isnan(score) else score


class Texts(NamedTuple):
    """What of a block is searched. ends: where the texts of each answer end, as stored."""

    ends: bytes
    texts: bytes
