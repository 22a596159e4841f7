"""What decides a run early, over the scorer: criteria of its tasks, and what answers add, the same as a task's score rests on."""

from __future__ import annotations

import json
import math
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Task
from genlevel.deciding.summing import unit_of
from genlevel.deciding.values import OPEN, RIGHT, WRONG, Unit
from genlevel.runtime.errors import UsageError
from genlevel.runtime.rpc import RpcServer, connect
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import scorer_pb2 as sc
from genlevel.v1 import scorer_pb2_grpc
from scorer.certify.criteria import RATED
from scorer.metrics.nature import FROM_COUNT
from scorer.rpc import add_to_server
from scorer.runs.certified import NO_TRY
from scorer.runs.deciding import OTHER_METRIC, UNLISTED
from scorer.scoring.measuring import EXPLAINED, OUTSIDE
from scorer.service import Scorer

BY_METRIC: dict[str, Task] = {}
for _task in general_bench().tasks:
    BY_METRIC.setdefault(_task.metric.id, _task)
CHOICE = BY_METRIC["accuracy"]


@pytest.fixture
def scorer(tmp_path: Path) -> Iterator[Scorer]:
    made = Scorer(sqlite_url(tmp_path / "scores.sqlite"))
    yield made
    made.close()


def described(task: Task, **changed: Any) -> sc.TaskDescription:
    return sc.TaskDescription(
        **{
            "key": task.id,
            "name": task.name,
            "sheet": task.sheet,
            "modality": task.modality.value,
            "paradigm": task.paradigm.value if task.paradigm else "",
            "metric": task.metric.id,
            "metric_label": task.metric.label,
            "metric_parameters": dict(task.metric.parameters),
            **changed,
        }
    )


def header(task: sc.TaskDescription | None = None, **fields: Any) -> sc.ScoreTaskHeader:
    return sc.ScoreTaskHeader(run_id="r", model="m", suite="s", benchmark="general-bench", task=task, **fields)


def answer(number: int, raw: str, label: object = "B", kind: str = "choice", **fields: Any) -> sc.InstanceAnswer:
    options = ["x", "y"] if kind == "choice" else []
    fields = {"outcome": sc.OUTCOME_ANSWERED, "options": options, **fields}
    return sc.InstanceAnswer(id=f"i{number:04}", raw_answer=raw, label_json=json.dumps(label), answer_type=kind, **fields)


def to_measure(task: sc.TaskDescription, answers: list[sc.InstanceAnswer]) -> sc.MeasureAnswersRequest:
    return sc.MeasureAnswersRequest(tasks=[sc.AnswersOfTask(task=task, instances=answers)])


async def measured(scorer: Scorer, task: sc.TaskDescription, answers: list[sc.InstanceAnswer]) -> list[Unit | str]:
    found = await scorer.measure_answers(to_measure(task, answers))
    return [unit_or_reason(one) for one in found.answers]


def unit_or_reason(one: sc.MeasuredAnswer) -> Unit | str:
    return one.obstacle or one.whole or Unit((one.worst_above, one.worst_below), (one.best_above, one.best_below))


async def test_answers_are_right_or_wrong_as_a_score_has_them_and_failed_ones_are_open(scorer: Scorer) -> None:
    outcomes = [sc.OUTCOME_REFUSED, sc.OUTCOME_UNSUPPORTED, sc.OUTCOME_FAILED, sc.OUTCOME_PENDING]
    answers = [
        answer(0, "B"),
        answer(1, "A"),
        answer(2, "I would rather not"),
        *(answer(3 + n, "", outcome=one) for n, one in enumerate(outcomes)),
    ]
    assert await measured(scorer, described(CHOICE), answers) == [RIGHT, WRONG, WRONG, WRONG, WRONG, OPEN, OPEN]
    assert await measured(scorer, described(CHOICE), []) == []
    told_apart = [answer(0, "B"), answer(0, "A", repeat=1), answer(0, "B", variant=1), answer(0, "A", shuffle=1)]
    assert await measured(scorer, described(CHOICE), told_apart) == [RIGHT, WRONG, RIGHT, WRONG]


@pytest.mark.parametrize("metric_id", ["rouge_l", "micro_f1", "anls", "f1"])
async def test_what_single_answers_add_is_what_the_task_is_scored_by(scorer: Scorer, metric_id: str) -> None:
    draw = random.Random(metric_id)
    task = described(BY_METRIC[metric_id], **({"metric_parameters": {}} if metric_id == "f1" else {}))
    words = ["joy", "fear", "anger", "a dog", "trust"]
    kind = "items" if metric_id == "micro_f1" else "short_text"

    def say() -> list[str]:
        return draw.sample(words, draw.randint(1, 4))

    answers = [
        answer(n, ", ".join(say()) if draw.random() < 0.9 else "", say() if kind == "items" else [", ".join(say())], kind)
        for n in range(40)
    ]
    answers[7].outcome = sc.OUTCOME_FAILED
    found = await measured(scorer, task, answers)
    alone = [await measured(scorer, task, [one]) for one in answers]
    assert [found[n] for n in range(40)] == [one[0] for one in alone], "whom an answer is measured with does not matter"
    units = [one for one in found if isinstance(one, Unit)]
    assert len(units) == 40

    async def stream() -> AsyncIterator[sc.ScoreTaskRequest]:
        yield sc.ScoreTaskRequest(header=header(task), instances=answers)

    score = (await scorer.score_task(stream())).score
    for bound, ends in ((score.bounds.lower, [unit.worst for unit in units]), (score.bounds.upper, [unit.best for unit in units])):
        assert bound == pytest.approx(100.0 * sum(above for above, _ in ends) / sum(below for _, below in ends))


async def test_what_only_all_answers_tell_is_said_to_be_so(scorer: Scorer) -> None:
    boxes = described(BY_METRIC["miou"], metric_parameters={})
    picture = {"picture": sc.PictureSize(width=400, height=400), "sent": sc.PictureSize(width=400, height=400)}
    label = [{"box": [10, 10, 50, 50], "label": ""}]
    held = answer(0, "[10, 10, 50, 50]", label, "boxes", **picture)
    stated = answer(1, "[10, 10, 50, 50]", label, "boxes", boxes="pixels corners", **picture)
    refused = answer(2, "", label, "boxes", outcome=sc.OUTCOME_REFUSED, **picture)
    found = await measured(scorer, boxes, [held, stated, refused])
    assert (found[0], found[2]) == (EXPLAINED, WRONG)
    assert isinstance(found[1], Unit)
    [between] = (await scorer.measure_answers(to_measure(boxes, [held]))).answers
    assert (between.worst_below, between.best_above, between.best_below) == (1.0, 1.0, 1.0)
    assert between.worst_above == pytest.approx(100 / 2656), "as two corners in thousandths: 4 to 20"
    recall = described(BY_METRIC["recall_at_k"])
    assert await measured(scorer, recall, [answer(0, "[]", [{"subject": "a", "predicate": "b", "object": "c"}], "relations")]) == [
        FROM_COUNT
    ]
    [no_label] = await measured(scorer, described(CHOICE), [sc.InstanceAnswer(id="a", outcome=1, raw_answer="B", answer_type="choice")])
    assert no_label == "has no label (closed set)"
    [no_metric] = await measured(scorer, described(CHOICE, metric=""), [answer(0, "B")])
    assert no_metric == "no metric is known for this task"
    [no_rating] = await measured(scorer, described(BY_METRIC["gpt_score"]), [answer(0, "a dog", ["a dog"], "long_text")])
    assert no_rating == "needs a judge; give --judge ROUTE"
    [unbounded] = await measured(scorer, described(BY_METRIC["mae"]), [answer(0, "3", "4", "number")])
    assert unbounded == OUTSIDE


def criteria_request(*tasks: sc.CriteriaTask, **fields: Any) -> sc.GetCriteriaRequest:
    return sc.GetCriteriaRequest(header=header(**fields), tasks=tasks)


async def test_criteria_of_a_run_in_the_order_of_its_tasks(scorer: Scorer) -> None:
    plain = sc.CriteriaTask(task=described(CHOICE), instances=200, repeats=1)
    clustered = sc.CriteriaTask(
        task=described(BY_METRIC["rouge_l"]), instances=30, sizes=[sc.UnitSize(instances=1, units=10), sc.UnitSize(instances=4, units=5)]
    )
    unlisted = sc.CriteriaTask(task=described(CHOICE, unlisted=True, key="mine"), instances=5)
    other = sc.CriteriaTask(task=described(BY_METRIC["anls"], metric="rouge_l"), instances=5)
    recall = BY_METRIC["recall_at_k"]
    otherwise = sc.CriteriaTask(task=described(recall, metric_parameters={**dict(recall.metric.parameters), "k": "7"}), instances=5)
    found = await scorer.get_criteria(criteria_request(unlisted, plain, clustered, other, otherwise, plan=1))
    assert [one.obstacle for one in found.criteria] == [UNLISTED, "", "", OTHER_METRIC, OTHER_METRIC]
    assert [one.task for one in found.criteria] == ["mine", CHOICE.id, BY_METRIC["rouge_l"].id, BY_METRIC["anls"].id, recall.id]
    _, exact, bets, _, _ = found.criteria
    assert exact.bar == pytest.approx(CHOICE.reference_workbook / 100.0)  # type: ignore[operator]
    assert (exact.WhichOneof("full"), exact.test, exact.rewards) == ("critical", "exact binomial", True)
    assert 200 * exact.bar < exact.critical <= 201
    assert (bets.WhichOneof("full"), bets.test, bets.most) == ("betting", "betting on clusters of at most 4 instances", 4.0)
    assert sum(bets.betting.weights) == pytest.approx(1.0)
    assert (found.tests, found.wins_share) == (516, pytest.approx(0.0405))
    assert found.pooled_share == pytest.approx(0.00225 * 2 / 516)

    twice = sc.CriteriaTask(task=described(CHOICE), instances=200, repeats=2)
    assert (await scorer.get_criteria(criteria_request(twice))).criteria[0].test == "betting"
    plain.best_constant = CHOICE.reference_workbook + 5.0  # type: ignore[operator]
    [raised] = (await scorer.get_criteria(criteria_request(plain))).criteria
    assert raised.bar == pytest.approx(exact.bar + 0.05)
    assert raised.critical > exact.critical
    later = (await scorer.get_criteria(criteria_request(plain, plan=2))).criteria[0]
    assert later.critical > raised.critical
    chosen = sc.RunFacts(chosen="hash")
    assert (await scorer.get_criteria(criteria_request(plain, facts=chosen))).criteria[0].obstacle == NO_TRY


async def test_what_is_rated_is_told_as_a_whole_and_what_cannot_be_scored_here_is_no_test(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rated = sc.CriteriaTask(task=described(BY_METRIC["gpt_score"]), instances=50, rated=True)
    assert [one.whole for one in (await scorer.get_criteria(criteria_request(rated))).criteria] == [RATED]
    monkeypatch.setattr("scorer.runs.deciding.metric_of", lambda _metric: (None, "the weights are gone"))
    plain = sc.CriteriaTask(task=described(CHOICE), instances=50)
    assert [one.obstacle for one in (await scorer.get_criteria(criteria_request(plain))).criteria] == ["the weights are gone"]


async def test_units_as_the_certificate_sees_them_decide_as_it_does(scorer: Scorer) -> None:
    """Instances that share a text, each asked twice: what the run adds up meets the criterion if and only if the win is certified."""
    kept = BY_METRIC["rouge_l"]
    task = described(kept, reference=30.0, modality="image", paradigm="comprehension", key="t", sheet="")
    decisions = []
    for right in (0.55, 0.6, 0.65, 0.7, 0.75, 0.8):
        draw = random.Random(3)
        answers = [
            answer(
                n, "the dog barks" if draw.random() < right else "no", ["the dog barks"], "short_text", repeat=repeat, cluster=f"c{n // 3}"
            )
            for n in range(36)
            for repeat in range(2)
        ]
        mine = header(task, benchmark_tasks=[task])
        mine.benchmark, mine.run_id = "mine", f"r{right}"

        async def stream(mine: sc.ScoreTaskHeader = mine, answers: list[sc.InstanceAnswer] = answers) -> AsyncIterator[sc.ScoreTaskRequest]:
            yield sc.ScoreTaskRequest(header=mine, instances=answers)

        await scorer.score_task(stream())
        certificate = (await scorer.get_verdict(sc.GetVerdictRequest(run_id=mine.run_id))).certificate
        asked = sc.CriteriaTask(task=task, instances=36, repeats=2, sizes=[sc.UnitSize(instances=3, units=12)])
        [criterion] = (await scorer.get_criteria(sc.GetCriteriaRequest(header=mine, tasks=[asked]))).criteria
        added = iter(await measured(scorer, task, answers))
        units = [unit_of([[next(added), next(added)] for _instance in range(3)]) for _unit in range(12)]  # type: ignore[list-item]
        decisions.append((_wealth(criterion, units) >= 1.0, certificate.tasks[0].win == sc.DECISION_ATTAINED, certificate.tasks[0].test))
        assert certificate.tests == 1
    assert all(ours == theirs for ours, theirs, _test in decisions)
    assert {ours for ours, *_ in decisions} == {False, True}
    assert {test for *_, test in decisions} == {"betting on clusters of at most 3 instances"}


def _wealth(criterion: sc.Criterion, units: list[Unit]) -> float:
    """Over what the criterion asks."""
    total = 0.0
    for amount, weight in zip(criterion.betting.amounts, criterion.betting.weights, strict=True):
        total += weight * math.prod(1.0 + amount * (unit.worst[0] - criterion.bar * unit.worst[1]) for unit in units)
    return total / math.exp(criterion.betting.log_threshold)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (sc.GetCriteriaRequest(), "lacks run_id, model, suite, benchmark"),
        (sc.GetCriteriaRequest(header=header(), alpha=0.7), "alpha must be"),
        (
            criteria_request(sc.CriteriaTask(task=described(CHOICE), instances=9, sizes=[sc.UnitSize(instances=2, units=4)])),
            "do not add up",
        ),
        (criteria_request(sc.CriteriaTask(task=described(CHOICE), sizes=[sc.UnitSize(units=4)])), "add up"),
        (criteria_request(sc.CriteriaTask(task=described(CHOICE), instances=9, sizes=[sc.UnitSize(instances=3, units=3)] * 2)), "add up"),
        (criteria_request(sc.CriteriaTask(task=described(CHOICE), instances=2**64 - 1)), "too many"),
        (criteria_request(sc.CriteriaTask(task=described(CHOICE), instances=9, best_constant=math.nan)), "no score"),
    ],
)
async def test_what_does_not_add_up_is_refused(scorer: Scorer, request_: sc.GetCriteriaRequest, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        await scorer.get_criteria(request_)
    with pytest.raises(UsageError, match=r"lacks task\.key"):
        await scorer.measure_answers(to_measure(sc.TaskDescription(), []))


async def test_what_many_tasks_came_to_is_told_task_after_task(scorer: Scorer) -> None:
    """Also of a task that comes twice, and of so many that they are measured in a thread."""
    text = answer(0, "none", "one", "short_text")
    asked = [(CHOICE, [answer(0, "B"), answer(1, "A")]), (BY_METRIC["f1"], [text]), (CHOICE, []), (CHOICE, [answer(0, "B")])]
    for times in (1, 60):
        tasks = [sc.AnswersOfTask(task=described(task), instances=answers) for task, answers in asked] * times
        found = [unit_or_reason(one) for one in (await scorer.measure_answers(sc.MeasureAnswersRequest(tasks=tasks))).answers]
        assert found == [RIGHT, WRONG, WRONG, RIGHT] * times


async def test_over_the_network_no_path_is_taken(scorer: Scorer, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"not for everybody")
    files = [sc.File(path=str(secret), mime_type="image/png")]
    asked = to_measure(described(CHOICE), [answer(0, "B", files=files)])
    assert len((await scorer.measure_answers(asked)).answers) == 1
    server = RpcServer("127.0.0.1:0", grace_s=0.1)
    add_to_server(server, scorer)
    async with server:
        channel = connect(f"127.0.0.1:{server.port}")
        stub: Any = scorer_pb2_grpc.ScorerServiceStub(channel)
        plain = to_measure(described(CHOICE), [answer(0, "B")])
        assert unit_or_reason((await stub.MeasureAnswers(plain)).answers[0]) == RIGHT
        assert (await stub.GetCriteria(criteria_request(sc.CriteriaTask(task=described(CHOICE), instances=9)))).tests == 516
        with pytest.raises(Exception, match="taken only within one process"):
            await stub.MeasureAnswers(asked)
        await channel.close()
