"""The scorer end to end: answers in by twin and by gRPC, verdicts out, kept across restarts, shown to Prometheus."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Task
from genlevel.runtime.errors import NotFoundError, UsageError
from genlevel.runtime.rpc import RpcServer, connect
from genlevel.runtime.settings import Addresses
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import scorer_pb2 as sc
from genlevel.v1 import scorer_pb2_grpc
from scorer.reports.documents import counts_json, tasks_json, verdict_level_json
from scorer.rpc import add_to_server
from scorer.service import COMPUTED_AT_ONCE, Scorer
from scorer.store.records import StoredRun
from scorer.store.scores import ScoreStore
from scorer.tasks import TaskAnswers

TASKS = {task.name: task for task in general_bench().tasks}
CAUSAL = TASKS["Causal Reasoning"]
BIRDS = next(task for task in general_bench().tasks if task.id.endswith("/bird-detection"))


def describe(task: Task, key: str) -> sc.TaskDescription:
    return sc.TaskDescription(
        key=key,
        name=task.name,
        sheet=task.sheet,
        modality=task.modality.value,
        paradigm=task.paradigm.value if task.paradigm else "",
        metric=task.metric.id,
        metric_label=task.metric.label,
        metric_parameters=dict(task.metric.parameters),
    )


def header(description: sc.TaskDescription, run: str = "run-1", **fields: str) -> sc.ScoreTaskHeader:
    values = {"model": "model-a", "suite": "open", "benchmark": "general-bench", **fields}
    return sc.ScoreTaskHeader(run_id=run, task=description, **values)


def choices(right: int, wrong: int, failed: int = 0) -> list[sc.InstanceAnswer]:
    kinds = [("B", sc.OUTCOME_ANSWERED)] * right + [("A", sc.OUTCOME_ANSWERED)] * wrong + [("", sc.OUTCOME_FAILED)] * failed
    return [
        sc.InstanceAnswer(id=f"i{index}", outcome=outcome, raw_answer=raw, answer_type="choice", label_json='"B"', options=["x", "y"])
        for index, (raw, outcome) in enumerate(kinds)
    ]


async def stream(head: sc.ScoreTaskHeader, instances: list[sc.InstanceAnswer], size: int = 7) -> AsyncIterator[sc.ScoreTaskRequest]:
    yield sc.ScoreTaskRequest(header=head, instances=instances[:size])
    for start in range(size, len(instances), size):
        yield sc.ScoreTaskRequest(instances=instances[start : start + size])


async def requests(*messages: sc.ScoreTaskRequest) -> AsyncIterator[sc.ScoreTaskRequest]:
    for message in messages:
        yield message


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_url(tmp_path / "scores.sqlite")


@pytest.fixture
def scorer(url: str) -> Iterable[Scorer]:
    with_store = Scorer(url)
    yield with_store
    with_store.close()


async def test_a_task_is_scored_against_its_specialist(scorer: Scorer) -> None:
    response = await scorer.score_task(stream(header(describe(CAUSAL, "nlp/Causal-Reasoning")), choices(70, 30)))
    score = response.score
    assert (score.score, score.sigma, score.reference, score.win) == (70.0, 70.0, 65.0, True)
    assert (score.bounds.lower, score.bounds.upper, score.counts.total, score.counts.answered) == (70.0, 70.0, 100, 100)
    assert score.standard_error == pytest.approx(4.6057, abs=1e-3)
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id="run-1"))
    assert verdict.levels.language.weight == pytest.approx(0.70 / 115)
    assert verdict.asked_levels.language.weight == pytest.approx(0.70)
    assert verdict.levels.verdict == 0
    assert not verdict.incomplete


async def test_a_task_that_is_scored_by_another_metric_while_a_verdict_is_drawn_spoils_no_verdict(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scorer.score_task(stream(header(describe(CAUSAL, "nlp/causal")), choices(right=8, wrong=2)))
    answers = scorer._store.answers

    def scored_anew(run_id: str, key: str) -> TaskAnswers | None:
        found = answers(run_id, key)
        assert found is not None
        boxes = {name: (outcome, [[1.0, 2.0], [3.0, 4.0]]) for name, (outcome, _) in found.statistics.items()}
        return replace(found, task=replace(found.task, name="another"), statistics=boxes)

    monkeypatch.setattr(scorer._store, "answers", scored_anew)
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id="run-1", bootstrap_draws=20))
    assert verdict.tasks[0].score == 80.0


@pytest.mark.parametrize("stays", [True, False], ids=["", "and go away"])
async def test_many_who_ask_at_once_are_computed_for_a_few_at_a_time(scorer: Scorer, monkeypatch: pytest.MonkeyPatch, stays: bool) -> None:
    await scorer.score_task(stream(header(describe(CAUSAL, "nlp/causal")), choices(right=8, wrong=2)))
    of, at_once, most = scorer._verdicts.of, 0, 0

    def slow(*arguments: Any) -> Any:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.05)
        at_once -= 1
        return of(*arguments)

    monkeypatch.setattr(scorer._verdicts, "of", slow)
    for _ in range(3):
        asked = [asyncio.create_task(scorer.get_verdict(sc.GetVerdictRequest(run_id="run-1", alpha=0.1))) for _ in range(COMPUTED_AT_ONCE)]
        if not stays:
            await asyncio.sleep(0.02)
            for one in asked:
                one.cancel()
            await asyncio.wait(asked)
    asked = [asyncio.create_task(scorer.get_verdict(sc.GetVerdictRequest(run_id="run-1", alpha=0.1))) for _ in range(3 * COMPUTED_AT_ONCE)]
    assert {verdict.run_id for verdict in await asyncio.gather(*asked)} == {"run-1"}
    assert 1 < most <= COMPUTED_AT_ONCE


async def test_appendix_references_are_set_against_the_same_scores(scorer: Scorer) -> None:
    await scorer.score_task(stream(header(describe(CAUSAL, "nlp/Causal-Reasoning")), choices(70, 30)))
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id="run-1", references="appendix"))
    assert (verdict.references, verdict.tasks[0].reference, verdict.tasks[0].win) == ("appendix", 95.0, False)
    with pytest.raises(UsageError, match="no references 'mine'; use one of: workbook, appendix"):
        await scorer.get_verdict(sc.GetVerdictRequest(run_id="run-1", references="mine"))


async def test_an_incomplete_task_has_bounds_wins_nothing_and_marks_the_verdict(scorer: Scorer) -> None:
    response = await scorer.score_task(stream(header(describe(CAUSAL, "k")), choices(90, 5, 5)))
    score = response.score
    assert not score.HasField("score")
    assert not score.HasField("win")
    assert not score.HasField("sigma")
    assert (score.bounds.lower, score.bounds.upper) == (90.0, 95.0)
    assert score.note == "incomplete: 5 failed of 100 instances"
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id="run-1"))
    assert verdict.incomplete
    assert (verdict.levels.language.supported, verdict.levels.language.wins) == (0, 0)


async def test_instances_are_listed_with_what_became_of_them_and_a_score_where_the_metric_has_one_of_each(scorer: Scorer) -> None:
    async def listed(key: str) -> dict[str, tuple[int, float | None]]:
        request = sc.ListInstancesRequest(run_id="run-1", task=key)
        found = [one async for one in scorer.list_instances(request)]
        return {one.instance_id: (one.outcome, one.score if one.HasField("score") else None) for one in found}

    unread = sc.InstanceAnswer(
        id="u", outcome=sc.OUTCOME_ANSWERED, raw_answer="A or B", answer_type="choice", label_json='"B"', options=["x", "y"]
    )
    await scorer.score_task(stream(header(describe(CAUSAL, "k")), [*choices(1, 1, 1), unread]))
    assert await listed("k") == {
        "i0": (sc.OUTCOME_ANSWERED, 100.0),
        "i1": (sc.OUTCOME_ANSWERED, 0.0),
        "i2": (sc.OUTCOME_FAILED, None),
        "u": (sc.OUTCOME_UNPARSABLE, 0.0),
    }
    numbers = [
        sc.InstanceAnswer(id=f"n{n}", outcome=sc.OUTCOME_ANSWERED, raw_answer=str(n), answer_type="number", label_json='["1"]')
        for n in range(4)
    ]
    for metric, scores in (("mae", [1.0, 0.0, 1.0, 2.0]), ("rmse", [None] * 4)):
        description = sc.TaskDescription(key=metric, name=metric, modality="language", metric=metric, unlisted=True)
        await scorer.score_task(stream(header(description), numbers))
        assert [score for _outcome, score in (await listed(metric)).values()] == scores
    with pytest.raises(NotFoundError, match="has not been scored"):
        await listed("none")


async def test_scoring_a_task_again_replaces_its_score(scorer: Scorer) -> None:
    head = header(describe(CAUSAL, "k"))
    await scorer.score_task(stream(head, choices(1, 9)))
    await scorer.score_task(stream(head, choices(9, 1)))
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id="run-1"))
    assert [task.score for task in verdict.tasks] == [90.0]


@pytest.mark.parametrize("first_is_stored_first", [True, False])
async def test_of_two_scores_that_is_kept_whose_answers_were_told_last(url: str, scorer: Scorer, first_is_stored_first: bool) -> None:
    """A run is rescored, by another scorer, before its last answers are there, and ends before that has been done."""
    another = Scorer(url)
    go = {name: asyncio.Event() for name in ("first", "second")}

    async def told(name: str, right: int) -> AsyncIterator[sc.ScoreTaskRequest]:
        async for request in stream(header(describe(CAUSAL, "k")), choices(right, 10 - right), size=10):
            yield request
        await go[name].wait()

    tasks = {}
    for name, right, who in (("first", 2, another), ("second", 9, scorer)):
        tasks[name] = asyncio.create_task(who.score_task(told(name, right)))
        await asyncio.sleep(0.1)
    for name in ("first", "second") if first_is_stored_first else ("second", "first"):
        go[name].set()
        await tasks[name]
    assert (await scorer.get_verdict(sc.GetVerdictRequest(run_id="run-1"))).tasks[0].score == 90.0
    await another.score_task(stream(header(describe(CAUSAL, "k")), choices(5, 5)))
    assert (await scorer.get_verdict(sc.GetVerdictRequest(run_id="run-1"))).tasks[0].score == 50.0
    another.close()


async def test_an_unlisted_task_is_scored_and_stays_outside_the_levels(scorer: Scorer) -> None:
    description = sc.TaskDescription(
        key="nlp/Dialogue-Relation-Extraction", name="Dialogue-Relation-Extraction", modality="language", metric="micro_f1", unlisted=True
    )
    label = json.dumps(["Ann (PER) => per:siblings => Bob (PER)"])
    answer = sc.InstanceAnswer(
        id="1", outcome=sc.OUTCOME_ANSWERED, raw_answer="(Ann (PER) => per:siblings => Bob (PER)", answer_type="items", label_json=label
    )
    response = await scorer.score_task(stream(header(description), [answer]))
    assert (response.score.score, response.score.sigma) == (100.0, 100.0)
    assert not response.score.HasField("win")
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id="run-1"))
    assert verdict.levels.language.supported == 0
    assert verdict.asked_levels.language.tasks == 0
    (task,) = tasks_json(verdict.tasks)
    assert (task["task"], task["sheet"], task["win"], task["score"]) == ("Dialogue-Relation-Extraction", None, None, 100.0)


async def test_boxes_are_scored_and_reach_level_2(scorer: Scorer) -> None:
    answers = [
        sc.InstanceAnswer(
            id=str(index),
            outcome=sc.OUTCOME_ANSWERED,
            raw_answer='[{"label": "bird", "box": [10, 10, 50, 40]}]',
            answer_type="boxes",
            label_json=json.dumps([{"label": "bird", "box": [10, 10, 50, 40 + index]}]),
        )
        for index in range(4)
    ]
    response = await scorer.score_task(stream(header(describe(BIRDS, "image/comprehension/BirdDetection")), answers))
    assert response.score.score == pytest.approx(100.0)
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id="run-1"))
    assert verdict.levels.scores.level_2 == pytest.approx(100 / 271 / 2 / 4)
    assert verdict.asked_levels.scores.level_2 == pytest.approx(100.0)
    assert verdict.levels.verdict == 3


async def test_a_suite_of_the_users_own_brings_its_benchmark(scorer: Scorer) -> None:
    own = [
        sc.TaskDescription(key="image/comprehension/Signs", name="Signs", modality="image", paradigm="comprehension", metric="accuracy"),
        sc.TaskDescription(key="nlp/Jokes", name="Jokes", modality="language", metric="accuracy", reference=50.0),
    ]
    head = header(own[0], benchmark="my-suite", suite="my-suite")
    head.benchmark_tasks.extend(own)
    response = await scorer.score_task(stream(head, choices(3, 1)))
    assert not response.score.HasField("reference")
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id="run-1"))
    assert (verdict.levels.scores.level_2, verdict.levels.verdict) == (75.0, 2)
    assert verdict.levels.language.tasks == 1


async def test_a_metric_that_cannot_be_computed_is_said_and_is_not_zero(scorer: Scorer) -> None:
    task = next(task for task in general_bench().tasks if task.metric.id == "fid")
    response = await scorer.score_task(stream(header(describe(task, "k")), choices(1, 1)))
    assert not response.score.HasField("score")
    assert response.score.note.startswith("not scored: needs ")


async def test_a_score_of_a_networks_carries_the_weights_name_and_hash(
    scorer: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    from scorer.models.twins import Twins

    monkeypatch.setattr("scorer.models.loading._current", Twins())
    task = next(task for task in general_bench().tasks if task.metric.id == "fid")
    picture = tmp_path / "a.png"
    Image.new("RGB", (8, 8), (200, 30, 30)).save(picture)
    answers = [
        sc.InstanceAnswer(
            id=f"i{index}",
            outcome=sc.OUTCOME_ANSWERED,
            answer_type="media",
            label_json=json.dumps([{"file": str(picture)}]),
            files=[sc.File(mime_type="image/png", path=str(picture))],
        )
        for index in range(20)
    ]
    response = await scorer.score_task(stream(header(describe(task, "k")), answers))
    assert response.score.score == pytest.approx(0.0, abs=1e-9)
    assert response.score.standard_error == pytest.approx(0.0, abs=1e-6)
    (entry,) = tasks_json((await scorer.get_verdict(sc.GetVerdictRequest(run_id="run-1"))).tasks)
    assert entry["provenance"] == f"inception: twin, sha256 {'0' * 64}"
    assert entry["win"] is True
    # The certificate is computed from what was kept, where no weights are at hand too.
    monkeypatch.undo()
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id="run-1", bootstrap_draws=20))
    assert verdict.tasks[0].score == response.score.score


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([], "must begin with its header"),
        ([sc.ScoreTaskRequest(instances=choices(1, 0))], "must begin with its header"),
        ([sc.ScoreTaskRequest(header=sc.ScoreTaskHeader(run_id="r", model="m", suite="s"))], "lacks benchmark, task.key"),
        (
            [sc.ScoreTaskRequest(header=header(describe(CAUSAL, "k")), instances=[sc.InstanceAnswer(id="x", label_json="{")])],
            "instance 'x' has an outcome that the scorer does not know",
        ),
        (
            [
                sc.ScoreTaskRequest(
                    header=header(describe(CAUSAL, "k")),
                    instances=[sc.InstanceAnswer(id="x", outcome=sc.OUTCOME_ANSWERED, label_json="{")],
                )
            ],
            "instance 'x': its label is not JSON",
        ),
        (
            [
                sc.ScoreTaskRequest(
                    header=header(describe(CAUSAL, "k")),
                    instances=[sc.InstanceAnswer(id="x", outcome=sc.OUTCOME_ANSWERED, raw_answer="do re mi", answer_type="melody")],
                )
            ],
            "instance 'x': 'melody' is not an answer type; known are choice, label,",
        ),
    ],
)
async def test_a_stream_that_cannot_be_used_is_refused_by_name(scorer: Scorer, messages: list[sc.ScoreTaskRequest], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        await scorer.score_task(requests(*messages))
    with pytest.raises(NotFoundError):
        await scorer.get_verdict(sc.GetVerdictRequest(run_id="run-1"))


async def test_scores_and_series_outlive_the_process(url: str) -> None:
    first = Scorer(url)
    await first.score_task(stream(header(describe(CAUSAL, "k"), run="old"), choices(1, 1)))
    await first.score_task(stream(header(describe(CAUSAL, "k"), run="new"), choices(3, 1)))
    await first.score_task(stream(header(describe(CAUSAL, "k"), run="other", model="model-b"), choices(1, 0)))
    first.close()
    registry = CollectorRegistry()
    second = Scorer(url, registry)
    assert registry.get_sample_value("genlevel_task_score", {**PAIR, "task": "k", "metric": "accuracy"}) == 75.0
    assert registry.get_sample_value("genlevel_verdict", {**PAIR, "model": "model-b"}) == 0.0
    verdict = await second.get_verdict(sc.GetVerdictRequest(run_id="old"))
    assert verdict.tasks[0].score == 50.0
    second.close()
    assert list(registry.collect()) == []


PAIR = {"model": "model-a", "suite": "open", "suite_hash": "", "partial": "false"}


async def test_series_show_scores_levels_and_wins(url: str) -> None:
    from prometheus_client import generate_latest

    registry = CollectorRegistry()
    scorer = Scorer(url, registry)
    await scorer.score_task(stream(header(describe(CAUSAL, "k")), choices(70, 28, 0)))
    assert registry.get_sample_value("genlevel_wins", {**PAIR, "modality": "language"}) == 1.0
    assert registry.get_sample_value("genlevel_level_score", {**PAIR, "level": "2"}) == 0.0
    assert registry.get_sample_value("genlevel_instances", {**PAIR, "outcome": "answered"}) == 98.0
    assert registry.get_sample_value("genlevel_task_standard_error", {**PAIR, "task": "k", "metric": "accuracy"}) == pytest.approx(
        4.587, abs=0.01
    )
    names = {family.name for family in text_string_to_metric_families(generate_latest(registry).decode())}
    assert {"genlevel_task_score", "genlevel_level_score", "genlevel_verdict", "genlevel_wins"} <= names
    scorer.close()


async def test_series_are_of_the_newest_run_also_if_one_is_scored_while_they_are_read(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = CollectorRegistry()
    scorer = Scorer(url, registry)
    current_runs, read, go = scorer._store.current_runs, threading.Event(), threading.Event()

    def slow(*suite: str) -> list[tuple[StoredRun, bool]]:
        found = current_runs(*suite)
        if not read.is_set():
            read.set()
            go.wait(10)
        return found

    monkeypatch.setattr(scorer._store, "current_runs", slow)
    causal = describe(CAUSAL, "nlp/causal")
    await scorer.score_task(stream(header(causal, "older"), choices(5, 5)))
    first = asyncio.create_task(asyncio.to_thread(lambda: list(registry.collect())))
    await asyncio.to_thread(read.wait, 10)
    await scorer.score_task(stream(header(causal, "newer"), choices(8, 2)))
    second = asyncio.create_task(asyncio.to_thread(lambda: list(registry.collect())))
    await asyncio.sleep(0.3)
    go.set()
    await asyncio.gather(first, second)
    assert registry.get_sample_value("genlevel_task_score", {**PAIR, "task": "nlp/causal", "metric": "accuracy"}) == 80.0
    scorer.close()


async def test_series_follow_what_other_scorers_of_the_database_store(url: str) -> None:
    registry = CollectorRegistry()
    here, there = Scorer(url, registry), Scorer(url)
    causal, score = describe(CAUSAL, "k"), {**PAIR, "task": "k", "metric": "accuracy"}

    def shown() -> float | None:
        return registry.get_sample_value("genlevel_task_score", score)

    await here.score_task(stream(header(causal, run="older"), choices(5, 5)))
    assert shown() == 50.0
    await there.score_task(stream(header(causal, run="newer"), choices(8, 2)))
    assert shown() == 80.0
    await there.score_task(stream(header(causal, run="newer"), choices(9, 1)))
    assert shown() == 90.0
    await there.forget_run(sc.ForgetRunRequest(run_id="newer"))
    assert shown() == 50.0
    here.close()
    there.close()


async def test_series_are_bounded_to_the_pairs_scored_last(url: str) -> None:
    registry = CollectorRegistry()
    scorer = Scorer(url, registry, most_suites=2)
    for model in ("a", "b", "a", "c"):
        await scorer.score_task(stream(header(describe(CAUSAL, "k"), run=f"run-{model}", model=model), choices(1, 1)))
    shown = {sample.labels["model"] for family in registry.collect() if family.name == "genlevel_verdict" for sample in family.samples}
    assert shown == {"a", "c"}
    scorer.close()
    restarted = Scorer(url, CollectorRegistry(), most_suites=2)
    assert [model for model, *_ in restarted._store.suites(2)] == ["a", "c"]
    restarted.close()


async def test_the_same_over_grpc(scorer: Scorer) -> None:
    server = RpcServer("127.0.0.1:0")
    add_to_server(server, scorer)
    async with server:
        channel = connect(f"127.0.0.1:{server.port}", Addresses())
        try:
            stub = scorer_pb2_grpc.ScorerServiceStub(channel)
            response = await stub.ScoreTask(stream(header(describe(CAUSAL, "k")), choices(70, 30)), timeout=60)
            assert response.score.score == 70.0
            verdict = await stub.GetVerdict(sc.GetVerdictRequest(run_id="run-1"), timeout=60)
            assert verdict == await scorer.get_verdict(sc.GetVerdictRequest(run_id="run-1"))
            with pytest.raises(grpc.aio.AioRpcError, match="no task of run 'none' has been scored") as unknown:
                await stub.GetVerdict(sc.GetVerdictRequest(run_id="none"), timeout=60)
            assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
            request = sc.ListInstancesRequest(run_id="run-1", task="k")
            listed = [instance async for instance in stub.ListInstances(request, timeout=60)]
            assert listed == [instance async for instance in scorer.list_instances(request)]
            assert len(listed) == 100
            with pytest.raises(grpc.aio.AioRpcError, match="task 'j' of run 'run-1' has not been scored") as unscored:
                await stub.ListInstances(sc.ListInstancesRequest(run_id="run-1", task="j"), timeout=60).read()
            assert unscored.value.code() is grpc.StatusCode.NOT_FOUND
            with pytest.raises(grpc.aio.AioRpcError, match="header") as headless:
                await stub.ScoreTask(requests(sc.ScoreTaskRequest()), timeout=60)
            assert headless.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        finally:
            await channel.close()


async def test_the_json_forms_are_those_the_commands_promise(scorer: Scorer) -> None:
    await scorer.score_task(stream(header(describe(CAUSAL, "k")), choices(70, 25, 5)))
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id="run-1"))
    level = verdict_level_json(verdict)
    assert list(level) == ["model", "rules", "references", "levels", "verdict", "modalities", "language"]
    assert (level["model"], level["rules"], level["references"], level["verdict"]) == ("model-a", "paper", "workbook", None)
    assert list(level["levels"]) == ["2", "3", "4", "5"]
    assert list(level["modalities"]) == ["image", "video", "audio", "3d"]
    assert level["modalities"]["image"] == {"2": 0.0, "3": 0.0, "4": 0.0, "supported": 0, "wins": 0, "tasks": 316}
    assert level["language"] == {"w_L": 0.0, "supported": 0, "wins": 0, "tasks": 115}
    (task,) = tasks_json(verdict.tasks)
    promised = {"task", "sheet", "metric", "score", "bounds", "sigma", "n", "stderr", "reference", "win"}
    assert promised <= set(task)
    assert task["score"] is None
    assert task["bounds"] == [70.0, 75.0]
    assert (task["sheet"], task["n"], task["reference"]) == ("NLP", 100, 65.0)
    counts = counts_json(verdict.tasks)
    assert counts.pop("total") == sum(counts.values()) == 100
    json.dumps([level, task])


async def test_statistics_come_back_from_the_store_as_they_were(url: str, scorer: Scorer) -> None:
    await scorer.score_task(stream(header(describe(CAUSAL, "k")), choices(1, 1, 1)))
    kept = ScoreStore(url)
    statistics = kept.statistics("run-1", "k")
    assert statistics is not None
    assert {str(key): row for key, row in statistics.items()} == {
        "i0": ("answered", 1.0),
        "i1": ("answered", 0.0),
        "i2": ("failed", [0.0, 1.0]),
    }
    assert kept.statistics("run-1", "other") is None
    kept.close()


async def scored_of(scorer: Scorer, run: str, **fingerprints: str) -> None:
    for key, fingerprint in fingerprints.items():
        description = describe(CAUSAL, key)
        description.fingerprint = fingerprint
        await scorer.score_task(stream(header(description, run), choices(7, 3)))


async def test_runs_of_different_data_under_one_name_are_not_compared(scorer: Scorer) -> None:
    await scored_of(scorer, "one", same="f1", changed="f2")
    await scored_of(scorer, "two", same="f1", changed="f3")
    found = await scorer.compare(sc.CompareRequest(run_a="one", run_b="two", draws=100))
    notes = {task.task.key: task.note for task in found.tasks}
    assert notes == {"same": "", "changed": "the runs have different data here: the task's annotations, or files beside them, differ"}
    await scored_of(scorer, "three", same="f4", changed="f5")
    with pytest.raises(UsageError, match="run one and run three have different data, though both suites are named 'open'") as caught:
        await scorer.compare(sc.CompareRequest(run_a="one", run_b="three", draws=100))
    assert "the data of all 2 task(s) that both have differ, such as those of" in str(caught.value)
    await scored_of(scorer, "of before fingerprints", same="", changed="")
    found = await scorer.compare(sc.CompareRequest(run_a="one", run_b="of before fingerprints", draws=100))
    assert all(not task.note for task in found.tasks)


async def test_a_verdict_that_is_kept_waits_for_nobody_who_computes(scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    await scorer.score_task(stream(header(describe(CAUSAL, "nlp/causal")), choices(right=8, wrong=2)))
    request = sc.GetVerdictRequest(run_id="run-1")
    computed = await scorer.get_verdict(request)
    for _ in range(COMPUTED_AT_ONCE):
        await scorer._computing.acquire()
    assert await asyncio.wait_for(scorer.get_verdict(request), 5.0) == computed
