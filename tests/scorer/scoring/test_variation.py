"""How much answers to the same question vary, and what repeats do to clusters."""

from __future__ import annotations

import math
from statistics import stdev

import pytest

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from scorer.metrics import create
from scorer.scoring.task_scoring import AnsweredInstance, TaskScoring, shared_clusters
from scorer.scoring.variation import Variation, variation


def metric(name, **parameters):
    made = create(name, parameters)
    assert made is not None
    return made


ACCURACY = metric("accuracy")


def keyed(**answers):
    return {AnswerKey(name, repeat=repeat): statistic for name, kept in answers.items() for repeat, statistic in enumerate(kept)}


def test_it_is_the_share_of_instances_that_differ_and_the_deviation_within_them():
    found = variation(ACCURACY, keyed(a=[1.0, 0.0, 1.0], b=[1.0, 1.0, 1.0], c=[0.0, 0.0, 0.0], d=[0.0, 1.0, 0.0]))
    within = 100 * stdev([1.0, 0.0, 1.0])
    assert found == Variation(0.5, pytest.approx(math.sqrt(2 * within**2 / 4)))


def test_an_instance_with_one_answer_that_counts_says_nothing():
    assert variation(ACCURACY, keyed(a=[1.0], b=[0.0])) is None
    assert variation(ACCURACY, {}) is None
    assert variation(ACCURACY, keyed(a=[1.0], b=[0.0, 0.0])) == Variation(0.0, 0.0)


def test_other_prompts_and_shuffles_are_other_questions():
    keys = [AnswerKey("a"), AnswerKey("a", variant=1), AnswerKey("a", shuffle=1)]
    assert variation(ACCURACY, dict.fromkeys(keys, 1.0)) is None
    keys += [key._replace(repeat=1) for key in keys]
    assert variation(ACCURACY, {key: float(key.variant) for key in keys}) == Variation(0.0, 0.0)


def test_of_a_pooled_score_it_is_known_which_answers_differ_and_not_by_how_much():
    found = variation(metric("micro_f1"), keyed(a=[[1, 0, 0], [0, 1, 1]], b=[[1, 0, 0], [1, 0, 0]]))
    assert found == Variation(0.5, None)


def test_an_error_varies_in_its_own_unit():
    found = variation(metric("mae"), keyed(a=[[3.0], [5.0]], b=[[1.0], [1.0]]))
    assert found == Variation(0.5, pytest.approx(1.0))


def instance(id_, raw, repeat, outcome=Outcome.ANSWERED, **fields):
    return AnsweredInstance(id_, outcome, raw, "choice", "A", ("yes", "no"), repeat=repeat, **fields)


def test_a_tasks_score_is_the_mean_over_instances_of_the_mean_over_their_repeats():
    scoring = TaskScoring(ACCURACY)
    scoring.add(
        instance(name, raw, repeat) for name, said in {"1": "AAB", "2": "BBB", "3": "A?A"}.items() for repeat, raw in enumerate(said)
    )
    found = scoring.finish()
    assert found.score == pytest.approx(100 * (2 / 3 + 0 + 2 / 3) / 3)
    assert found.variation == Variation(pytest.approx(2 / 3), pytest.approx(math.sqrt(2 / 3 * 100**2 / 3)))
    assert (found.counts[Outcome.UNPARSABLE], found.total) == (1, 9)


@pytest.mark.parametrize("outcome", [Outcome.PENDING, Outcome.FAILED])
def test_an_instance_with_an_open_repeat_is_open(outcome):
    scoring = TaskScoring(ACCURACY)
    scoring.add([instance("1", "A", 0), instance("1", "", 1, outcome), instance("2", "B", 0), instance("2", "A", 1)])
    found = scoring.finish()
    assert (found.score, found.lower, found.upper, found.variation) == (
        None,
        50.0,
        75.0,
        Variation(1.0, pytest.approx(100 * math.sqrt(0.5))),
    )


def test_repeats_of_one_instance_share_no_cluster_with_others_and_what_all_share_is_none():
    repeats = {AnswerKey(name, repeat=repeat): cluster for name, cluster in {"a": "x", "b": "x", "c": "y"}.items() for repeat in range(2)}
    assert {key.instance for key in shared_clusters(repeats)} == {"a", "b"}
    assert shared_clusters({AnswerKey(name, repeat=repeat): "x" for name in "ab" for repeat in range(2)}) == {}
