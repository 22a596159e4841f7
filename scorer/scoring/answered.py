"""One instance with its answer, as a task's scoring takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.outcomes import Outcome
from genlevel.benchmark.texts import normal_text
from scorer.metrics.base import NO_DETAILS, acceptable
from scorer.parsers.conventions import NOWHERE, Place


class AnsweredInstance(NamedTuple):
    """One instance as the evaluator hands it over. label: in normal form; None if there is none (closed set).

    cluster: alike for instances about the same thing (the same media, the same text); empty: it stands alone.
    files: paths of the files that the answer consists of, if it is one of media. prompt, inputs, details, ratings: as of ``Question``.
    rating_outcome: if a judge rates the answers and this one has no rating, what became of it: FAILED or PENDING.
    compared_ratings: people's if a judge's make the score, and the other way round. variant, repeat, shuffle: as of ``AnswerKey``.
    place: of the picture that coordinates lie in.
    """

    id: str
    outcome: Outcome
    raw_answer: str
    answer_type: AnswerType
    label: object
    options: tuple[str, ...] = ()
    cluster: str = ""
    files: tuple[str, ...] = ()
    prompt: str = ""
    inputs: tuple[str, ...] = ()
    details: Mapping[str, str] = NO_DETAILS
    ratings: tuple[float, ...] = ()
    rating_outcome: Outcome | None = None
    compared_ratings: tuple[float, ...] = ()
    variant: int = 0
    repeat: int = 0
    shuffle: int = 0
    place: Place = NOWHERE

    @property
    def key(self) -> AnswerKey:
        return AnswerKey(self.id, self.variant, self.repeat, self.shuffle)

    @property
    def offered(self) -> tuple[str, ...]:
        """The options that say what the answer may be."""
        return options_offered(self.answer_type, self.label, self.options)


def options_offered(answer_type: str, label: object, options: tuple[str, ...]) -> tuple[str, ...]:
    """The options that say what an answer may be: none for a label that is not among them, as that is asked as a free one."""
    if answer_type != AnswerType.LABEL or label is None:
        return options
    known = {normal_text(option) for option in options}
    return options if any(normal_text(one) in known for one in acceptable(label)) else ()
