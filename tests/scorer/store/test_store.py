"""Scores are kept by run and task on every database that is supported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.model import Modality, Paradigm, TaskMetric
from genlevel.runtime.schema import schema_differences
from genlevel.runtime.storage import sqlite_url
from scorer.certify import Ends, Estimate
from scorer.scoring.agreement import Agreement
from scorer.scoring.readings import Reading, Readings
from scorer.scoring.task_scoring import Outcome, TaskOutcome
from scorer.store.records import StoredRun, StoredScore, is_part
from scorer.store.scores import ScoreStore
from scorer.store.tables import metadata
from scorer.tasks import Rater, RatingSource, RunFacts, TaskAnswers, TaskRecord


@pytest.fixture(params=["sqlite", "memory", pytest.param("postgresql", marks=pytest.mark.full)])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ScoreStore]:
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql")
    else:
        url = "sqlite://" if request.param == "memory" else sqlite_url(tmp_path / "scores.sqlite")
    opened = ScoreStore(url)
    yield opened
    opened.close()


def task(key: str) -> TaskRecord:
    return TaskRecord(
        key=key,
        name="Tâsk ",
        sheet="NLP",
        modality=Modality.IMAGE,
        paradigm=Paradigm.GENERATION,
        metric=TaskMetric("map", "mAP", (("iou", "0.5"), ("of", "boxes"))),
        reference=0.0,
        rating_source=RatingSource(kind=Rater.JUDGE, judge="p/m", rated=2, agreement=Agreement(2, None, 0.5, -1.0, None)),
        provenance="network: a, sha256 0",
        fingerprint="f",
    )


def run(name: str, model: str = "m") -> StoredRun:
    return StoredRun(name, model, "suite", "general-bench", (task("own/t"),))


def score(key: str, value: float | None, **statistics: tuple[Outcome, object]) -> StoredScore:
    by_key = {AnswerKey(name): kept for name, kept in statistics.items()}
    outcome = TaskOutcome(value, 1.0, 99.5, 0.25, {Outcome.ANSWERED: 2, Outcome.UNPARSABLE: 1}, "why", ("x", "ü"), by_key)
    return StoredScore(task(key), True, outcome)


def test_what_is_saved_comes_back_and_saving_again_replaces_it(kept: ScoreStore) -> None:
    kept.save(run("r"), score("b", None))
    kept.save(run("r"), score("a", 1.0))
    kept.save(run("r"), score("a", 42.125, i=(Outcome.ANSWERED, [1, [0.5, "c"]]), j=(Outcome.FAILED, None)))
    first, second = kept.scores("r")
    assert (first.task, first.partial, first.evidence, first.examined) == (task("a"), True, None, False)
    assert first.outcome == TaskOutcome(42.125, 1.0, 99.5, 0.25, {Outcome.ANSWERED: 2, Outcome.UNPARSABLE: 1}, "why", ("x", "ü"))
    assert (second.task.key, second.outcome.score) == ("b", None)
    assert kept.statistics("r", "a") == {
        AnswerKey("i"): (Outcome.ANSWERED, [1, [0.5, "c"]]),
        AnswerKey("j"): (Outcome.FAILED, None),
    }
    assert kept.run("r") == run("r")
    assert kept.run("none") is None
    assert kept.scores("none") == []


def test_what_questions_give_away_and_which_try_a_run_is_come_back(kept: ScoreStore) -> None:
    first = replace(run("r"), plan=3)
    given = replace(score("a", 1.0).outcome, chance=25.0, best_constant=31.25)
    kept.save(first, replace(score("a", 1.0), outcome=given))
    kept.begin(first, [score("b", None)])
    assert kept.run("r") == first
    assert [(one.outcome.chance, one.outcome.best_constant) for one in kept.scores("r")] == [(25.0, 31.25), (None, None)]


def of(name: str, model: str = "m", suite_hash: str = "", part: bool | None = False) -> StoredRun:
    return StoredRun(name, model, "suite", "general-bench", (), suite_hash, part)


def counted(key: str, *, partial: bool = False, **counts: int) -> StoredScore:
    outcome = TaskOutcome(1.0, 1.0, 1.0, None, {Outcome(name): count for name, count in counts.items()}, "", ())
    return StoredScore(task(key), partial, outcome)


def test_suites_are_told_apart_by_model_name_and_content_the_newest_last(kept: ScoreStore) -> None:
    for name, model, content in (("old", "a", ""), ("b1", "b", "x"), ("new", "a", ""), ("b2", "b", "y")):
        kept.save(of(name, model, content), counted("t", answered=1))
    assert list(kept.suites(10)) == [("b", "suite", "x"), ("a", "suite", ""), ("b", "suite", "y")]
    assert list(kept.suites(2)) == [("a", "suite", ""), ("b", "suite", "y")]
    assert kept.run("b2") == of("b2", "b", "y")


@pytest.mark.parametrize(
    ("part", "partial", "counts", "is_a_part"),
    [
        (False, False, {"answered": 3, "failed": 10, "pending": 0}, False),
        (None, False, {"answered": 3}, False),  # of before it was told, and all that is known is whole
        (None, True, {"answered": 3}, True),
        (True, False, {"answered": 3}, True),
        (False, False, {"answered": 3, "pending": 1}, True),
        (False, False, {"pending": 10, "answered": 3}, True),
    ],
)
def test_a_part_never_stands_before_a_run_of_the_whole(
    kept: ScoreStore, part: bool | None, partial: bool, counts: dict[str, int], is_a_part: bool
) -> None:
    kept.save(of("whole"), counted("t", answered=13))
    newest = of("newest", part=part)
    kept.save(newest, counted("s", answered=1))
    kept.save(newest, counted("t", partial=partial, **counts))
    assert is_part(newest, kept.scores("newest")) == is_a_part
    current = [(run.run_id, part) for run, part in kept.current_runs("m", "suite", "")]
    assert current == ([("whole", False), ("newest", True)] if is_a_part else [("newest", False)])


def test_a_tick_is_no_current_run_and_makes_no_suite_one_that_is_shown(kept: ScoreStore) -> None:
    kept.save(of("run"), counted("t", answered=1))
    for name, model in (("tick", "m"), ("other", "only watched")):
        kept.save(replace(of(name, model), facts=RunFacts(occasion=f"hourly#{name}")), counted("t", answered=1))
    assert [(run.run_id, part) for run, part in kept.current_runs("m", "suite", "")] == [("run", False)]
    assert kept.current_runs("only watched", "suite", "") == []
    assert list(kept.suites(10)) == [("m", "suite", "")]
    tick = kept.run("tick")
    assert tick is not None
    assert (tick.occasion, tick.is_try) == ("hourly#tick", False)


def test_a_part_that_is_older_than_the_whole_is_of_the_past(kept: ScoreStore) -> None:
    kept.save(of("part", part=True), counted("t", answered=1))
    assert [(run.run_id, part) for run, part in kept.current_runs("m", "suite", "")] == [("part", True)]
    kept.save(of("whole"), counted("t", answered=1))
    assert [(run.run_id, part) for run, part in kept.current_runs("m", "suite", "")] == [("whole", False)]
    assert kept.current_runs("m", "suite", "other content") == []


def test_many_threads_may_save_at_once(kept: ScoreStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda index: kept.save(run("r"), score(f"t{index % 10}", float(index))), range(80)))
    assert len(kept.scores("r")) == 10


def test_steps_and_tables_agree(kept: ScoreStore) -> None:
    assert schema_differences(kept._engine, metadata, "scorer") == []


def test_answers_are_kept_by_instance_variant_repeat_and_shuffle(kept: ScoreStore) -> None:
    keys = [AnswerKey("i"), AnswerKey("i", variant=2), AnswerKey("i", repeat=1), AnswerKey("i", shuffle=3), AnswerKey("\x1f1.0.0\x1fi")]
    statistics = {key: (Outcome.ANSWERED, float(number)) for number, key in enumerate(keys)}
    clusters = {keys[0]: 0, keys[2]: 0}
    outcome = TaskOutcome(1.0, 1.0, 1.0, None, {Outcome.ANSWERED: 5}, "", (), statistics, clusters)
    kept.save(run("r"), StoredScore(task("a"), False, outcome, evidence=Ends(Estimate(1.0, 0.5, 5), Estimate(2.0, None, 5)), examined=True))
    found = kept.answers("r", "a")
    assert found == TaskAnswers(task("a"), statistics, clusters)
    (score,) = kept.scores("r")
    assert (score.evidence, score.examined) == (Ends(Estimate(1.0, 0.5, 5), Estimate(2.0, None, 5)), True)


def test_what_was_read_comes_back_if_it_is_asked_for(kept: ScoreStore) -> None:
    readings = Readings()
    readings.add(AnswerKey("i", repeat=1), "B")
    readings.add(AnswerKey("j"), None, "it is empty")
    readings.explain(AnswerKey("k"), "it is not rated")
    one = score("a", 1.0, i=(Outcome.ANSWERED, 1.0), j=(Outcome.UNPARSABLE, 0.0))
    kept.save(run("r"), replace(one, outcome=replace(one.outcome, readings=readings.kept({"j"}))))
    kept.save(run("r"), score("b", 1.0))

    def readings_of(key: str, only: str = "", *, asked: bool = True) -> Mapping[AnswerKey, Reading]:
        found = kept.answers("r", key, only=frozenset(only), readings=asked)
        assert found is not None
        return found.readings

    assert readings_of("a") == {
        AnswerKey("i", repeat=1): Reading('"B"'),
        AnswerKey("j"): Reading(reason="it is empty"),
        AnswerKey("k"): Reading(reason="it is not rated"),
    }
    assert readings_of("a", only="j") == {AnswerKey("j"): Reading(reason="it is empty")}
    assert readings_of("a", asked=False) == readings_of("b") == {}
    assert kept.unread("r", "a") == {AnswerKey("j"): "it is empty"}
    assert kept.unread("r", "b") is kept.unread("r", "none") is None


def test_a_score_that_was_looked_at_is_told_from_one_that_was_not_though_nothing_is_known_of_either(kept: ScoreStore) -> None:
    kept.save(run("r"), replace(score("a", 1.0), examined=True))
    kept.save(run("r"), score("b", 1.0))
    assert [(one.evidence, one.examined) for one in kept.scores("r")] == [(None, True), (None, False)]
    kept.set_evidence("r", "b", Ends(Estimate(1.0, 0.5, 5), Estimate(1.0, 0.5, 5)))
    kept.set_evidence("r", "a", Ends(Estimate(1.0, 0.5, 5), Estimate(1.0, 0.5, 5)))
    assert [one.evidence is None for one in kept.scores("r")] == [True, False]


def test_a_score_that_is_computed_while_its_run_is_forgotten_is_not_kept_not_even_if_one_of_its_id_begins_again(kept: ScoreStore) -> None:
    late = kept.begin_scoring("a", "own/t")
    kept.forget("a")
    kept.save(run("a"), score("own/t", 1.0), late)
    assert kept.scores("a") == []
    again = kept.begin_scoring("a", "own/t")
    kept.save(run("a"), score("own/t", 1.0), late)
    assert kept.scores("a") == []
    kept.save(run("a"), score("own/t", 2.0), again)
    assert [one.outcome.score for one in kept.scores("a")] == [2.0]
