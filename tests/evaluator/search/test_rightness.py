"""An answer is right by the score of its instance alone."""

from __future__ import annotations

import math

import pytest

from evaluator.search.rightness import Rightness, as_scored, known_score, rightness
from genlevel.benchmark.outcomes import Outcome
from genlevel.v1 import evaluator_pb2 as ev

RIGHT, WRONG, UNKNOWN = Rightness.RIGHT, Rightness.WRONG, Rightness.UNKNOWN


@pytest.mark.parametrize(
    ("outcome", "score", "best", "said"),
    [
        (Outcome.ANSWERED, 100.0, 100.0, RIGHT),
        (Outcome.ANSWERED, 99.99999999999, 100.0, RIGHT),
        (Outcome.ANSWERED, 99.9, 100.0, WRONG),
        (Outcome.ANSWERED, 0.0, 0.0, RIGHT),
        (Outcome.ANSWERED, 2.5, 0.0, WRONG),
        (Outcome.ANSWERED, None, 100.0, UNKNOWN),
        (Outcome.ANSWERED, 50.0, None, UNKNOWN),
        (Outcome.REFUSED, None, None, WRONG),
        (Outcome.REFUSED, 0.0, 100.0, WRONG),
        (Outcome.UNPARSABLE, None, None, WRONG),
        (Outcome.FAILED, 0.0, 100.0, UNKNOWN),
        (Outcome.PENDING, None, 100.0, UNKNOWN),
        (Outcome.UNSUPPORTED, 0.0, 100.0, UNKNOWN),
    ],
)
def test_an_answer_is_right_if_its_score_is_the_best(outcome, score, best, said):
    assert rightness(outcome, score, best) is said


def test_numbers_are_those_of_the_contract():
    assert {f"RIGHTNESS_{kind.name}": int(kind) for kind in Rightness} | {"RIGHTNESS_UNSPECIFIED": 0} == dict(ev.Rightness.items())


def test_what_the_scorer_says_of_an_earlier_answer_is_nothing():
    assert as_scored(Outcome.ANSWERED, (Outcome.FAILED, None)) == (Outcome.ANSWERED, None)
    assert as_scored(Outcome.REFUSED, (Outcome.UNPARSABLE, 0.0)) == (Outcome.REFUSED, None)
    assert as_scored(Outcome.ANSWERED, (Outcome.UNPARSABLE, 0.0)) == (Outcome.UNPARSABLE, 0.0)
    assert as_scored(Outcome.ANSWERED, None) == (Outcome.ANSWERED, None)
    assert as_scored(Outcome.ANSWERED, (Outcome.ANSWERED, math.nan)) == (Outcome.ANSWERED, None)
    assert known_score(math.inf) is None
