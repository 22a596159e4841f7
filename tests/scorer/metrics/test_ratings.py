"""Scores that are means of ratings: what is rated, what is worst without asking, and what waits for a rating."""

from __future__ import annotations

import math
import random

import pytest

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.metrics import resolve_metric
from genlevel.benchmark.model import Modality, Task
from scorer.certify import TaskEvidence, evidence_from_statistics
from scorer.metrics import NotComparable, Question, create
from scorer.metrics.base import NotRated
from scorer.scoring.task_scoring import AnsweredInstance, Outcome, TaskOutcome, TaskScoring


def rated(
    key: str, *ratings: float, outcome: Outcome = Outcome.ANSWERED, answer: str = "a dog", waits: Outcome | None = None, cluster: str = ""
) -> AnsweredInstance:
    return AnsweredInstance(key, outcome, answer, "long_text", None, ratings=ratings, rating_outcome=waits, cluster=cluster)


def outcome_of(metric: str, *instances: AnsweredInstance) -> TaskOutcome:
    scoring = TaskScoring(create(metric))
    scoring.add(instances)
    return scoring.finish()


def test_mos_is_the_mean_over_instances_of_the_mean_of_their_raters() -> None:
    found = outcome_of("mos", rated("a", 5, 5, 5, 5), rated("b", 2), rated("c", 3, 4))
    assert found.score == pytest.approx((5 + 2 + 3.5) / 3)
    assert found.standard_error == pytest.approx(math.sqrt(((5 - 3.5) ** 2 + (2 - 3.5) ** 2) / 2 / 3))
    assert found.statistics[AnswerKey("c")] == (Outcome.ANSWERED, [3.0, 4.0])


@pytest.mark.parametrize(("metric", "lowest"), [("mos", 1.0), ("user_preference", 0.0), ("gpt_score", 0.0)])
def test_a_refused_and_an_unparsable_answer_are_rated_worst_without_a_rating(metric: str, lowest: float) -> None:
    found = outcome_of(metric, rated("a", outcome=Outcome.REFUSED), rated("b", answer=" "), rated("c", answer="<think>hm</think>"))
    assert found.score == lowest
    assert found.counts == {Outcome.REFUSED: 1, Outcome.UNPARSABLE: 2}


@pytest.mark.parametrize(
    ("metric", "said"), [("mos", "give a CSV by --ratings"), ("user_preference", "--ratings"), ("gpt_score", "needs a judge; give --judge")]
)
def test_what_nobody_rated_is_not_scored_and_never_zero(metric: str, said: str) -> None:
    found = outcome_of(metric, rated("a"), rated("b"), rated("c", outcome=Outcome.REFUSED))
    assert (found.score, found.lower) == (None, None)
    assert found.note.startswith("not scored: ")
    assert "instance" not in found.note
    assert said in found.note
    some = outcome_of(metric, rated("a", 1), rated("b"), rated("c", 1))
    assert some.score is None
    assert some.note.startswith("not scored: 1 of 3 answers, first 'b': ")


def test_an_answer_whose_judgement_failed_leaves_bounds_and_is_named_apart() -> None:
    found = outcome_of(
        "gpt_score", rated("a", 80), rated("b", 40), rated("c", waits=Outcome.FAILED), rated("d", waits=Outcome.PENDING), rated("e", 100)
    )
    assert (found.score, found.lower, found.upper) == (None, pytest.approx(220 / 5), pytest.approx(420 / 5))
    assert found.incomplete
    assert found.note == "incomplete: 1 failed and 1 pending of 5 instances (the judge failed on 1, 1 not judged yet)"


def test_an_unparsable_answer_is_worst_even_where_a_judgement_waits() -> None:
    found = outcome_of("gpt_score", rated("a", 80), rated("b", answer="", waits=Outcome.PENDING))
    assert found.score == 40.0


def test_an_instance_that_is_rated_when_it_comes_again_waits_no_more() -> None:
    scoring = TaskScoring(create("gpt_score"))
    scoring.add([rated("a", 80), rated("b", waits=Outcome.PENDING), rated("c")])
    scoring.add([rated("b", 20), rated("c", 50)])
    assert scoring.finish().score == 50.0
    assert scoring.finish().note == ""


@pytest.mark.parametrize(
    ("metric", "rating"), [("mos", 0.5), ("mos", 5.5), ("user_preference", 1.5), ("gpt_score", 101), ("gpt_score", math.nan)]
)
def test_a_rating_outside_its_scale_is_not_comparable(metric: str, rating: float) -> None:
    made = create(metric)
    assert made is not None
    with pytest.raises(NotComparable, match="outside"):
        made.statistic("x", Question("long_text", None, ratings=(rating,)))
    with pytest.raises(NotRated):
        made.statistic("x", Question("long_text", None))


def test_answers_that_are_media_are_rated_by_people() -> None:
    made = AnsweredInstance("a", Outcome.ANSWERED, "", "media", {"file": "/reference.wav"}, files=("/a.wav",), ratings=(4.0, 5.0))
    nothing = AnsweredInstance("b", Outcome.ANSWERED, "sorry", "media", None)
    found = outcome_of("mos", made, nothing)
    assert (found.score, found.counts) == ((4.5 + 1) / 2, {Outcome.ANSWERED: 1, Outcome.UNPARSABLE: 1})


def test_ratings_are_of_one_sense_only() -> None:
    assert create("mos", {"predictor": "utmos"}) is None
    assert create("gpt_score", variant="official") is None


def test_a_certificate_sees_the_error_of_rated_instances_and_of_their_clusters() -> None:
    task = Task("t", "t", "t", "", 0, "1", Modality.LANGUAGE, None, resolve_metric("MOS", "", "t"), None, None)
    generator = random.Random(3)
    means = {f"i{index}": [generator.choice([1.0, 2.0, 3.0, 4.0, 5.0]) for _rater in range(3)] for index in range(60)}
    statistics = {AnswerKey(key): (Outcome.ANSWERED, row) for key, row in means.items()}
    alone = evidence_from_statistics(task.metric, statistics)
    metric = create("mos")
    assert alone is not None
    assert metric is not None
    assert alone.low.standard_error == metric.compute(list(means.items())).standard_error
    assert TaskEvidence.of(task, alone).interval(0.95) is not None
    shared = evidence_from_statistics(task.metric, statistics, {key: index // 2 for index, key in enumerate(statistics)})
    assert shared is not None
    assert shared.low.value == alone.low.value
    assert (shared.low.units, shared.low.clustered) == (30, True)
    sums = [sum(sum(row) / 3 - alone.low.value for row in list(means.values())[pair * 2 : pair * 2 + 2]) for pair in range(30)]
    assert shared.low.standard_error == pytest.approx(math.sqrt(sum(one * one for one in sums)) / 60, rel=0.1)
