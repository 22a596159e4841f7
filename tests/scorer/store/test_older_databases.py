"""A database of before the rooms: today's scorer says of its runs what the code said that wrote it, and scores its answers to the same.

fixtures/before_rooms has the database as SQL, and in said.json what that code said of it; but for its certificates, which are today's: the
evidence that it kept is computed again, once.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from google.protobuf.json_format import MessageToDict
from prometheus_client import CollectorRegistry

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.schema import schema_differences
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import scorer_pb2 as sc
from scorer.service import Scorer
from scorer.store.scores import ScoreStore
from scorer.store.tables import metadata, task_scores

FINISHED, JUDGED, INTERRUPTED = "9a8dd4ac2424", "ada7f5b7ea40", "7ec4131bc0da"


@pytest.fixture
def older(tmp_path: Path, repository: Path) -> str:
    """The URL of a copy of the database."""
    file = tmp_path / "genlevel.db"
    folder = repository / "tests/fixtures/before_rooms"
    connection = sqlite3.connect(file)
    connection.executescript((folder / "genlevel.sql").read_text("utf-8").replace("@SUITES@", str(folder / "suites")))
    connection.close()
    return sqlite_url(file)


@pytest.fixture
def said(repository: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((repository / "tests/fixtures/before_rooms/said.json").read_text("utf-8"))
    return found


@pytest.fixture
def scorer(older: str) -> Iterator[Scorer]:
    opened = Scorer(older)
    yield opened
    opened.close()


@pytest.mark.parametrize("run", [FINISHED, JUDGED, INTERRUPTED])
async def test_the_verdict_of_a_run_is_what_it_was(scorer: Scorer, said: dict[str, Any], run: str) -> None:
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id=run, bootstrap_draws=50))
    assert (verdict.suite_hash, verdict.part) == ("", run == INTERRUPTED)  # neither was kept
    verdict.ClearField("part")
    assert verdict.stamp.scored_s > 0
    verdict.ClearField("stamp")
    assert MessageToDict(verdict) == said["verdicts"][run]


async def test_the_scores_are_those_in_its_rows(scorer: Scorer) -> None:
    finished = {score.task.key: score for score in (await scorer.get_verdict(sc.GetVerdictRequest(run_id=FINISHED))).tasks}
    assert finished["nlp/Abstractive-Summarization"].score == pytest.approx(400 / 7)
    causal = finished["nlp/Causal-Reasoning"]
    assert (causal.HasField("score"), causal.bounds.lower, causal.bounds.upper) == (False, 25.0, pytest.approx(100 / 3))
    assert list(causal.unparsable_ids) == ["q7"]
    (sounds,) = (await scorer.get_verdict(sc.GetVerdictRequest(run_id=JUDGED))).tasks
    assert (sounds.score, sounds.task.rating_source.judge, sounds.task.rating_source.rated) == (70.0, "judge/judge", 4)


async def test_its_instances_and_comparisons_are_what_they_were(scorer: Scorer, said: dict[str, Any]) -> None:
    for name, expected in said["instances"].items():
        run, task = name.split(" ", 1)
        listed = [MessageToDict(one) async for one in scorer.list_instances(sc.ListInstancesRequest(run_id=run, task=task))]
        assert [(one.pop("task"), one.pop("found")) for one in listed] == [(task, str(len(expected)))] * len(expected)
        assert {one.pop("best", None) for one in listed} <= {100.0, None}
        if run == JUDGED:  # that code gave ratings no score of one instance
            assert [one.pop("score") for one in listed] == [70.0] * len(expected)
        assert listed == expected
    compared = await scorer.compare(sc.CompareRequest(run_a=FINISHED, run_b=INTERRUPTED, draws=50))
    assert MessageToDict(compared) == said["comparison"]


async def test_answers_that_are_scored_again_come_to_the_same(scorer: Scorer, repository: Path) -> None:
    before = await scorer.get_verdict(sc.GetVerdictRequest(run_id=FINISHED))
    description = next(score.task for score in before.tasks if score.task.key == "nlp/Causal-Reasoning")
    annotation = json.loads(
        (repository / "tests/fixtures/before_rooms/suites/bench/nlp/Causal-Reasoning/annotation.json").read_text("utf-8")
    )
    outcomes = {"q3": sc.OUTCOME_FAILED, "q5": sc.OUTCOME_REFUSED}
    given = {"q7": "it depends, I would rather not say"}
    listed = [one async for one in scorer.list_instances(sc.ListInstancesRequest(run_id=FINISHED, task=description.key))]
    assert len(annotation["data"]) == len(listed) == 12

    async def stream() -> AsyncIterator[sc.ScoreTaskRequest]:
        header = sc.ScoreTaskHeader(run_id=FINISHED, model="m", suite="bench", benchmark="general-bench", task=description)
        instances = [
            sc.InstanceAnswer(
                id=one.instance_id,
                outcome=outcomes.get(one.instance_id, sc.OUTCOME_ANSWERED),
                raw_answer=given.get(one.instance_id, "A"),
                answer_type="choice",
                label_json=json.dumps("A" if one.score == 100.0 else "B"),
                options=["x", "y"],
                cluster=f"c{int(one.instance_id[1:]) // 3}",
            )
            for one in listed
        ]
        yield sc.ScoreTaskRequest(header=header, instances=instances)

    again = (await scorer.score_task(stream())).score
    causal = next(score for score in before.tasks if score.task.key == description.key)
    assert (again.counts, again.note, again.bounds) == (causal.counts, causal.note, causal.bounds)
    assert list(again.unparsable_ids) == list(causal.unparsable_ids)


async def test_what_was_read_is_not_kept_of_its_answers_and_which_could_not_be_read_is(scorer: Scorer) -> None:
    request = sc.ListInstancesRequest(run_id=FINISHED, readings=True, outcomes=[sc.OUTCOME_UNPARSABLE])
    (unread,) = [one async for one in scorer.list_instances(request)]
    assert (unread.task, unread.instance_id, unread.parsed_json, unread.reason) == ("nlp/Causal-Reasoning", "q7", "", "")
    everything = [one async for one in scorer.list_instances(sc.ListInstancesRequest(run_id=FINISHED, readings=True))]
    assert len(everything) == 16
    assert not any(one.parsed_json or one.reason for one in everything)


def test_its_ids_are_the_keys_of_the_plain_question_and_its_tables_are_todays(older: str) -> None:
    kept = ScoreStore(older)
    found = kept.answers(FINISHED, "nlp/Causal-Reasoning")
    assert found is not None
    assert set(found.statistics) == {AnswerKey(f"q{number}") for number in range(12)}
    assert found.statistics[AnswerKey("q3")] == (Outcome.FAILED, [0.0, 1.0])
    assert set(found.clusters.values()) == {0, 1, 2, 3}
    assert schema_differences(kept._engine, metadata, "scorer") == []
    kept.close()


def test_its_newest_runs_are_shown_as_series(older: str) -> None:
    registry = CollectorRegistry()
    scorer = Scorer(older, registry)
    labels = {"model": "m", "suite_hash": "", "suite": "sounds", "partial": "false"}
    assert registry.get_sample_value("genlevel_task_score", {**labels, "task": "nlp/Sounds", "metric": "gpt_score"}) == 70.0
    # The interrupted run is the newest one of its suite, and takes nobody's place.
    pending = {**labels, "suite": "bench", "outcome": "pending"}
    assert registry.get_sample_value("genlevel_instances", pending) == 0.0
    assert registry.get_sample_value("genlevel_instances", {**pending, "partial": "true"}) == 4.0
    scorer.close()


def test_an_id_that_looks_like_the_text_of_another_key_stays_an_id(older: str) -> None:
    ids = ["\x1f0.1.0\x1fq", "\x1f", "ü", "a\x1f0.1.0\x1f"]
    engine = sa.create_engine(older)
    with engine.begin() as connection:
        rows = {key: ["unparsable", [number, None]] for number, key in enumerate(ids)}
        changed = {"statistics": zlib.compress(orjson.dumps(rows)), "unparsable_ids": json.dumps(ids)}
        connection.execute(task_scores.update().where(task_scores.c.run_id == JUDGED).values(changed))
    kept = ScoreStore(older)
    found = kept.answers(JUDGED, "nlp/Sounds")
    assert found is not None
    assert found.statistics == {AnswerKey(key): (Outcome.UNPARSABLE, [number, None]) for number, key in enumerate(ids)}
    (score,) = kept.scores(JUDGED)
    assert [AnswerKey.parse(text).instance for text in score.outcome.unparsable_ids] == ids
    kept.close()
    engine.dispose()
