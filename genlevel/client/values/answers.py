"""One answer as a value, with what the scorer made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.documents.answers import key_of, scored_document
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.documents.answers import Scored
    from genlevel.runtime.documents import Document
    from genlevel.v1 import evaluator_pb2 as ev

_SAME = 1e-9
"""Scores that differ by no more than this are alike."""
_WRONG = ("refused", "unparsable")


@dataclass(frozen=True, slots=True)
class Rating:
    """One rating of an answer, by a judge model or by a person.

    Attributes:
        judge: the judge as provider/model. None: a person.
        rater: the person. None: a judge.
        rating: on the scale of the metric's ratings. None: the judge failed.
        error: why it failed; empty else.
    """

    judge: str | None
    rater: str | None
    rating: float | None
    error: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model gave for one instance.

    Attributes:
        task: its key in the suite.
        instance: the instance's id.
        variant: of the prompt; 0 = the suite's own.
        repeat: 0 = the first time that it was asked.
        shuffle: of the options' order; 0 = the dataset's.
        outcome: answered, refused, unparsable, failed, unsupported or pending.
        answer: as it came.
        parsed: what was read in it, as JSON has it. None: nothing, or it is not kept.
        score: of this instance, in the metric's unit. None: it has none, or is not scored yet (``why`` says which).
        best: the best score that its metric has for one instance. None: it has none.
        right: its score is the best. None: it cannot be said.
        why: why it has its score, or none, in a few words.
        error: why it was refused or failed, or could not be read; empty else.
        prompt: what was asked. None: it was not asked for, or the suite is gone.
        label: what the answer is held against, as JSON has it. None as ``prompt``, or there is none.
        options: the choices, in the dataset's order; empty as ``prompt``, or if there are none.
        media: names of the question's media.
        files: how many media the answer consists of.
        attempts: calls that were made.
        input_tokens: those from a cache included.
        output_tokens: those of reasoning included.
        usd: its cost in US dollars. None: no price, or it is not known.
        upstream_s: seconds that the provider took.
        ratings: by a judge and by people; only where one answer is asked for.
    """

    task: str
    instance: str
    variant: int
    repeat: int
    shuffle: int
    outcome: str
    answer: str
    parsed: object
    score: float | None
    best: float | None
    right: bool | None
    why: str
    error: str
    prompt: str | None
    label: object
    options: tuple[str, ...]
    media: tuple[str, ...]
    files: int
    attempts: int
    input_tokens: int
    output_tokens: int
    usd: float | None
    upstream_s: float
    ratings: tuple[Rating, ...]


@dataclass(frozen=True, slots=True)
class Medium:
    """A medium of an answer, its question or its label.

    Attributes:
        name: of its file, without the folder.
        mime_type: such as image/png.
        width: in pixels, of a picture. None: not known.
        height: in pixels, of a picture. None: not known.
        data: all of its bytes.
    """

    name: str
    mime_type: str
    width: int | None
    height: int | None
    data: bytes


def answer_of(answer: ev.ListAnswersResponse, scores: Scored) -> Answer:
    """An answer's message as a value. scores: what the scorer made of its task's answers."""
    scored = scores.get(key_of(answer))
    document = scored_document(answer, scored)
    best = scored.best if scored is not None and scored.HasField("best") else None
    plain = ("task", "variant", "repeat", "shuffle", "outcome", "answer", "parsed", "score", "why", "error", "prompt", "label")
    counted = ("attempts", "input_tokens", "output_tokens", "usd", "upstream_s")
    return Answer(
        **{name: document[name] for name in (*plain, *counted)},
        instance=document["id"],
        best=best,
        right=_right(document, scored, best),
        options=tuple(document["options"]),
        media=tuple(document["media"]),
        files=len(document["files"]),
        ratings=tuple(_rating(rating) for rating in document["ratings"]),
    )


def _right(document: Document, scored: sc.ListInstancesResponse | None, best: float | None) -> bool | None:
    if document["outcome"] in _WRONG:
        return False
    score: float | None = document["score"]
    if scored is None or score is None or best is None:
        return None
    return abs(score - best) <= _SAME


def _rating(document: Mapping[str, object]) -> Rating:
    judge, rater, rating = document["judge"], document["rater"], document["rating"]
    return Rating(
        judge=None if judge is None else str(judge),
        rater=None if rater is None else str(rater),
        rating=rating if isinstance(rating, float) else None,
        error=str(document["error"] or ""),
    )
