"""What an instance's outcome does to its task's score: wrong, open, or nothing at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.answer_kinds import AnswerType
from scorer.metrics import Metric, MetricUnavailable, NotComparable, Question, UnreadableAnswer, Value, create
from scorer.scoring.task_scoring import AnsweredInstance, Outcome, TaskOutcome, TaskScoring
from scorer.tasks import Rater, RatingSource, with_ratings


def instance(key: str, outcome: Outcome, answer: str = "", label: Any = "A") -> AnsweredInstance:
    return AnsweredInstance(key, outcome, answer, "choice", label, ("yes", "no"))


def outcome_of(*instances: AnsweredInstance, metric: str = "accuracy") -> TaskOutcome:
    scoring = TaskScoring(create(metric))
    scoring.add(instances)
    return scoring.finish()


RIGHT = instance("right", Outcome.ANSWERED, "A")
WRONG = instance("wrong", Outcome.ANSWERED, "B")
UNREADABLE = instance("unreadable", Outcome.ANSWERED, "maybe")
REFUSED = instance("refused", Outcome.REFUSED)
FAILED = instance("failed", Outcome.FAILED)
PENDING = instance("pending", Outcome.PENDING)
UNSUPPORTED = instance("unsupported", Outcome.UNSUPPORTED)


def test_refused_and_unparsable_answers_are_wrong_and_counted_apart() -> None:
    found = outcome_of(RIGHT, WRONG, UNREADABLE, REFUSED)
    assert found.score == found.lower == found.upper == 25.0
    assert found.counts == {Outcome.ANSWERED: 2, Outcome.UNPARSABLE: 1, Outcome.REFUSED: 1}
    assert found.unparsable_ids == ("unreadable",)
    assert found.standard_error == pytest.approx(25.0)
    assert (found.total, found.incomplete, found.note) == (4, False, "")


def test_failed_and_pending_instances_leave_bounds_and_no_score() -> None:
    found = outcome_of(RIGHT, WRONG, FAILED, PENDING)
    assert (found.score, found.lower, found.upper, found.standard_error) == (None, 25.0, 75.0, None)
    assert found.incomplete
    assert found.note == "incomplete: 1 failed and 1 pending of 4 instances"


def test_all_unsupported_is_no_score_but_some_unsupported_are_wrong() -> None:
    assert outcome_of(UNSUPPORTED).score is None
    assert "does not take" in outcome_of(UNSUPPORTED).note
    mixed = outcome_of(RIGHT, UNSUPPORTED)
    assert (mixed.score, mixed.counts[Outcome.UNSUPPORTED]) == (50.0, 1)


def test_an_instance_delivered_again_replaces_what_it_was() -> None:
    scoring = TaskScoring(create("accuracy"))
    scoring.add([instance("x", Outcome.FAILED), RIGHT])
    assert scoring.finish().score is None
    scoring.add([instance("x", Outcome.ANSWERED, "A"), RIGHT])
    found = scoring.finish()
    assert (found.score, found.total) == (100.0, 2)


def test_without_metric_label_or_instance_there_is_a_reason_and_no_score() -> None:
    scoring = TaskScoring(None)
    scoring.add([RIGHT, UNREADABLE])
    found = scoring.finish()
    assert (found.score, found.lower, found.note) == (None, None, "no metric is known for this task")
    assert found.counts[Outcome.UNPARSABLE] == 1
    assert outcome_of().note == "no instance was asked"
    closed = outcome_of(RIGHT, instance("b", Outcome.ANSWERED, "A", None), instance("c", Outcome.FAILED, "", None))
    assert closed.note == "not scored: instance 'b': has no label (closed set) (2 such instances)"
    assert closed.score is None


def test_a_metric_that_does_not_fit_the_answers_is_no_score_and_named() -> None:
    found = outcome_of(RIGHT, metric="ap_at_iou")
    assert found.score is None
    assert "instance 'right'" in found.note
    assert "choice" in found.note


def test_the_bounds_of_pooled_metrics_come_from_missing_everything_and_the_label_itself() -> None:
    scoring = TaskScoring(create("micro_f1"))
    scoring.add(
        [
            AnsweredInstance("a", Outcome.ANSWERED, "joy, fear", "items", ["joy", "anger"]),
            AnsweredInstance("b", Outcome.FAILED, "", "items", ["joy", "anger", "hope"]),
        ]
    )
    found = scoring.finish()
    assert found.lower == pytest.approx(100 * 2 / (2 + 1 + 1 + 3))
    assert found.upper == pytest.approx(100 * 8 / (8 + 2))


outcomes = st.sampled_from([RIGHT, WRONG, UNREADABLE, REFUSED, FAILED, PENDING, UNSUPPORTED])


@settings(max_examples=200)
@given(st.lists(outcomes, min_size=1, max_size=12), st.randoms())
def test_outcomes_add_up_and_every_completion_lies_within_the_bounds(kinds: list[AnsweredInstance], generator: Any) -> None:
    instances = [
        AnsweredInstance(str(index), kind.outcome, kind.raw_answer, kind.answer_type, kind.label, kind.options)
        for index, kind in enumerate(kinds)
    ]
    found = outcome_of(*instances)
    assert found.total == len(kinds) == len(found.statistics)
    shuffled = list(instances)
    generator.shuffle(shuffled)
    assert outcome_of(*shuffled, *shuffled[:3]) == found
    if found.lower is None or found.upper is None:
        assert all(kind.outcome is Outcome.UNSUPPORTED for kind in kinds)
        return
    completed = [
        instance(entry.id, Outcome.ANSWERED, generator.choice(["A", "B", "?"]))
        if entry.outcome in {Outcome.FAILED, Outcome.PENDING}
        else entry
        for entry in instances
    ]
    score = outcome_of(*completed).score
    assert score is not None
    assert found.lower - 1e-9 <= score <= found.upper + 1e-9


class _OneSided(Metric[float]):
    """Knows what a wrong answer counts as, but not what a right one does."""

    def statistic(self, answer: object, question: Question) -> float:
        raise NotComparable("the label is no number")

    def worst(self, question: Question) -> float:
        return 0.0

    def compute(self, statistics: Sequence[tuple[str, float]]) -> Value:
        return Value(sum(row for _key, row in statistics), None)


@pytest.mark.parametrize("again", [False, True])
def test_an_open_instance_whose_label_cannot_be_right_is_no_score_and_named(again: bool) -> None:
    scoring = TaskScoring(_OneSided("accuracy"))
    scoring.add([FAILED, FAILED] if again else [FAILED])
    found = scoring.finish()
    assert (found.score, found.lower, found.upper) == (None, None, None)
    assert found.note == "not scored: instance 'failed': the label is no number"
    assert found.statistics == {AnswerKey("failed"): (Outcome.FAILED, None)}


def test_answers_of_one_instance_are_told_apart_by_variant_repeat_and_shuffle() -> None:
    found = outcome_of(RIGHT, WRONG._replace(id="right", repeat=1), RIGHT._replace(variant=1), UNREADABLE._replace(id="right", shuffle=2))
    assert (found.score, found.total) == (50.0, 4)
    assert set(found.statistics) == {
        AnswerKey("right"),
        AnswerKey("right", repeat=1),
        AnswerKey("right", variant=1),
        AnswerKey("right", shuffle=2),
    }
    assert found.unparsable_ids == (str(AnswerKey("right", shuffle=2)),)


def test_what_comes_last_counts_also_within_one_message() -> None:
    found = outcome_of(instance("x", Outcome.ANSWERED, "A"), instance("x", Outcome.FAILED), RIGHT)
    assert (found.score, found.lower, found.upper) == (None, 50.0, 100.0)
    assert found.statistics[AnswerKey("x")] == (Outcome.FAILED, [0.0, 1.0])


class _WithoutWeights(_OneSided):
    """Reads one answer, cannot read another, and then lacks its weights."""

    def statistics_many(self, pairs: Sequence[tuple[object, Question]]) -> list[object]:
        return [UnreadableAnswer("no picture") if number == 0 else 1.0 for number in range(len(pairs))]

    def worst(self, question: Question) -> float:
        raise MetricUnavailable("needs weights")

    def provenance(self) -> str:
        return "weights"


def test_a_metric_that_turns_out_to_lack_something_lets_go_of_all_that_it_measured() -> None:
    scoring = TaskScoring(_WithoutWeights("accuracy"))
    scoring.add([RIGHT, WRONG])
    found = scoring.finish()
    assert (found.score, found.note) == (None, "not scored: needs weights")
    assert {statistic for _outcome, statistic in found.statistics.values()} == {None}


def test_nothing_decides_a_score_of_which_nothing_was_measured() -> None:
    scoring = TaskScoring(_WithoutWeights("accuracy"))
    assert scoring.provenance() == ""


def test_ratings_are_summed_up_with_how_far_a_judge_is_from_people() -> None:
    scoring = TaskScoring(create("gpt_score"))
    rated = [
        AnsweredInstance("a", Outcome.ANSWERED, "x", "long_text", None, ratings=(80.0,), compared_ratings=(60.0,)),
        AnsweredInstance("b", Outcome.ANSWERED, "x", "long_text", None, ratings=(40.0,)),
        AnsweredInstance("c", Outcome.ANSWERED, "x", "long_text", None, rating_outcome=Outcome.FAILED),
        AnsweredInstance("d", Outcome.ANSWERED, "x", "long_text", None, rating_outcome=Outcome.PENDING),
    ]
    scoring.add(rated)
    summary = scoring.ratings()
    assert (summary.rated, summary.failed, summary.pending, summary.pairs) == (2, 1, 1, ((80.0, 60.0),))
    assert scoring.finish().note == "incomplete: 1 failed and 1 pending of 4 instances (the judge failed on 1, 1 not judged yet)"
    for kind, difference in ((Rater.JUDGE, 20.0), (Rater.PEOPLE, -20.0)):
        source = with_ratings(RatingSource(kind=kind, judge="p/m"), summary)
        assert (source.judge, source.rated, source.failed, source.pending) == ("p/m", 2, 1, 1)
        assert source.agreement is not None
        assert source.agreement.mean_difference == difference


def test_a_label_that_is_not_among_the_options_is_read_as_a_free_one() -> None:
    def asked(label: list[str]) -> AnsweredInstance:
        return AnsweredInstance("a", Outcome.ANSWERED, "A fox.", AnswerType.LABEL, label, ("cat", "dog"))

    assert outcome_of(asked(["a fox"])).score == 100.0
    assert outcome_of(asked(["cat"])).counts == {Outcome.UNPARSABLE: 1}
