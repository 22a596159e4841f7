"""Instances are listed as they are asked for: by outcome, the worst first, with what was read and why, answers to one told apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.model import TaskMetric
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import NotFoundError, UsageError
from genlevel.v1 import scorer_pb2 as sc
from scorer.runs.instances import InstanceList
from scorer.scoring.readings import Readings
from scorer.scoring.task_scoring import TaskOutcome
from scorer.store.records import StoredRun, StoredScore
from scorer.store.scores import ScoreStore
from scorer.tasks import TaskRecord

TASKS: dict[str, tuple[str, dict[AnswerKey, tuple[Outcome, object]]]] = {
    "choices": (
        "accuracy",
        {
            AnswerKey("a"): (Outcome.ANSWERED, 1.0),
            AnswerKey("b"): (Outcome.ANSWERED, 0.0),
            AnswerKey("b", repeat=1): (Outcome.ANSWERED, 1.0),
            AnswerKey("b", repeat=2): (Outcome.UNPARSABLE, 0.0),
            AnswerKey("c"): (Outcome.REFUSED, 0.0),
            AnswerKey("d"): (Outcome.FAILED, [0.0, 1.0]),
            AnswerKey("e"): (Outcome.UNSUPPORTED, 0.0),
        },
    ),
    "errors": ("mae", {AnswerKey(str(error)): (Outcome.ANSWERED, [error]) for error in (0.0, 2.0, 0.5, 7.0)}),
    "graded": ("f1", {AnswerKey(str(value)): (Outcome.ANSWERED, value) for value in (0.25, 1.0, 1.0 - 1e-15, 0.125)}),
    "pooled": ("micro_f1", {AnswerKey("p"): (Outcome.ANSWERED, [0, 1, 1])}),
    "rated": ("mos", {AnswerKey("good"): (Outcome.ANSWERED, [5.0, 5.0]), AnswerKey("poor"): (Outcome.ANSWERED, [2.0, 4.0])}),
    "roots": ("rmse", {AnswerKey("r"): (Outcome.ANSWERED, [4.0])}),
}


@pytest.fixture
def store() -> Iterator[ScoreStore]:
    opened = ScoreStore("sqlite://")
    for key, (metric, statistics) in TASKS.items():
        readings = Readings()
        for answer, (outcome, _statistic) in statistics.items():
            readings.add(answer, "B" if outcome is Outcome.ANSWERED else None, "why" if outcome is Outcome.UNPARSABLE else "")
        unread = {str(key) for key, (outcome, _statistic) in statistics.items() if outcome is Outcome.UNPARSABLE}
        counts = {outcome: sum(row[0] is outcome for row in statistics.values()) for outcome in Outcome}
        outcome = TaskOutcome(1.0, 1.0, 1.0, None, counts, "", (), statistics, readings=readings.kept(unread))
        task = TaskRecord(key=key, name=key, metric=TaskMetric(metric, metric))
        opened.save(StoredRun("r", "m", "s", "general-bench"), StoredScore(task, False, outcome))
    yield opened
    opened.close()


def listed(store: ScoreStore, **asked: object) -> list[sc.ListInstancesResponse]:
    found = InstanceList(store, sc.ListInstancesRequest(run_id="r", **asked))  # type: ignore[arg-type]
    return [one for task in found.tasks() for one in found.instances(task)]


def named(found: list[sc.ListInstancesResponse]) -> list[str]:
    return [f"{one.task}/{one.instance_id}" + (f"#{one.repeat}" if one.repeat else "") for one in found]


def test_wrong_answers_are_those_that_could_be_better_the_worst_first(store: ScoreStore) -> None:
    assert named(listed(store, wrong=True)) == [
        *("choices/b", "choices/b#2", "choices/c", "errors/7.0", "errors/2.0", "errors/0.5", "graded/0.125", "graded/0.25", "rated/poor"),
    ]
    few = listed(store, wrong=True, limit=1, readings=True)
    assert [one.parsed_json for one in few] == ['"B"'] * 4
    assert [one.reason for one in listed(store, task="choices", wrong=True, limit=2, readings=True)] == ["", "why"]
    assert named(few) == ["choices/b", "errors/7.0", "graded/0.125", "rated/poor"]
    assert [one.found for one in few] == [3, 3, 2, 1]
    assert [one.score for one in few] == [0.0, 7.0, 12.5, 3.0]


def test_metrics_say_whether_single_instances_have_scores(store: ScoreStore) -> None:
    best = {one.task: one.best if one.HasField("best") else None for one in listed(store)}
    assert best == {"choices": 100.0, "errors": 0.0, "graded": 100.0, "pooled": None, "rated": 5.0, "roots": None}


def test_instances_come_by_outcome_with_what_was_read_only_if_that_is_asked_for(store: ScoreStore) -> None:
    (unread,) = listed(store, outcomes=[sc.OUTCOME_UNPARSABLE], readings=True)
    assert (unread.task, unread.instance_id, unread.repeat, unread.reason, unread.parsed_json) == ("choices", "b", 2, "why", "")
    (unread,) = listed(store, outcomes=[sc.OUTCOME_UNPARSABLE])
    assert unread.reason == ""
    (quick,) = listed(store, outcomes=[sc.OUTCOME_UNPARSABLE], readings=True, unscored=True)
    assert (quick.task, quick.instance_id, quick.repeat, quick.reason) == ("choices", "b", 2, "why")
    assert not quick.HasField("score")
    some = listed(store, task="choices", outcomes=[sc.OUTCOME_REFUSED, sc.OUTCOME_ANSWERED], readings=True, instances=["b", "c"])
    assert [(*name.split("/"), one.parsed_json) for name, one in zip(named(some), some, strict=True)] == [
        ("choices", "b", '"B"'),
        ("choices", "b#1", '"B"'),
        ("choices", "c", ""),
    ]


def test_what_is_not_there_is_said(store: ScoreStore) -> None:
    with pytest.raises(NotFoundError, match="task 'none' of run 'r' has not been scored"):
        listed(store, task="none")
    with pytest.raises(NotFoundError, match="no task of run 'other' has been scored"):
        InstanceList(store, sc.ListInstancesRequest(run_id="other")).tasks()
    with pytest.raises(UsageError, match="no outcome has the number 77"):
        listed(store, outcomes=[77])
