"""A database of before the rooms: today's code lists its runs, continues them, scores them again, and asks nothing twice.

fixtures/before_rooms holds it as SQL: one run that finished, one that a judge has rated, one that was interrupted while a call was open.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3

import pytest
from prometheus_client import CollectorRegistry

from evaluator.journal.journal import Journal
from evaluator.journal.tables import metadata
from evaluator.planning.suites import AnySuites
from evaluator.service import Evaluator
from genlevel.runtime.schema import schema_differences
from genlevel.runtime.settings import Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from scorer.service import Scorer

FINISHED, JUDGED, INTERRUPTED = "9a8dd4ac2424", "ada7f5b7ea40", "7ec4131bc0da"


class TwoModels:
    """A gateway in memory: a model "m", and a judge "j" of another account, as they were when the database was written."""

    def __init__(self):
        self.asked, self.judged = [], []
        text = [ct.MODALITY_TEXT]
        self.models = {
            route: gw.ModelInfo(
                route=route, provider="compatible", model=model, account=account, ready=True, input_modalities=text, output_modalities=text
            )
            for route, model, account in (("m", "m", "acct"), ("j", "judge", "judge"))
        }

    async def generate(self, request, *, timeout_s):
        said = "\n".join(part.text for message in request.messages for part in message.parts)
        (self.asked if request.route == "m" else self.judged).append(said)
        text = "A" if request.route == "m" else "Rating: 7"
        usage = gw.Usage(input_tokens=10, output_tokens=2)
        return gw.GenerateResponse(parts=[ct.Part(text=text)], finish_reason=gw.FINISH_REASON_STOP, usage=usage, model="m")

    async def list_models(self, request):
        return gw.ListModelsResponse(models=[self.models[request.route]])


@pytest.fixture
def older(tmp_path, repository):
    """A data folder as the code of before the rooms left it."""
    data = tmp_path / "data"
    data.mkdir()
    sql = (repository / "tests/fixtures/before_rooms/genlevel.sql").read_text()
    with sqlite3.connect(data / "genlevel.db") as connection:
        connection.executescript(sql.replace("@SUITES@", str(repository / "tests/fixtures/before_rooms/suites")))
    connection.close()
    return data


@pytest.fixture
async def opened(older):
    """(evaluator, scorer, gateway) of today over it."""
    gateway, scorer = TwoModels(), Scorer(f"sqlite:///{older / 'genlevel.db'}")
    evaluator = Evaluator(Settings(), gateway, scorer, registry=CollectorRegistry(), data_folder=older, suites=AnySuites())
    yield evaluator, scorer, gateway
    await evaluator.close()
    scorer.close()


async def finish(evaluator, **request):
    started = await evaluator.start_run(ev.StartRunRequest(**request))
    *_, last = [progress.run async for progress in evaluator.watch_run(ev.WatchRunRequest(run_id=started.run.run_id))]
    return last


async def scores_of(scorer, run):
    """The stored scores of a run's tasks by key, but for what older code did not keep: the hash of the data, chance, the best constant."""
    scores = (await scorer.get_verdict(sc.GetVerdictRequest(run_id=run))).tasks
    for score in scores:
        score.task.ClearField("content")
        score.ClearField("chance")
        score.ClearField("best_constant")
    return {score.task.key: score for score in scores}


def test_its_schema_is_brought_to_todays_and_no_row_is_lost(older):
    tables = ("evaluator_runs", "evaluator_answers", "evaluator_judgements", "evaluator_reservations", "evaluator_run_judges")

    def rows():
        with sqlite3.connect(older / "genlevel.db") as connection:
            return [connection.execute(f"select count(*) from {table}").fetchone()[0] for table in tables]

    before = rows()
    journal = Journal(f"sqlite:///{older / 'genlevel.db'}")
    assert schema_differences(journal._engine, metadata, "evaluator") == []
    journal.close()
    assert rows() == before == [3, 32, 4, 1, 1]


async def test_its_runs_are_listed_as_they_were(opened):
    evaluator, _, _ = opened
    runs = {run.run_id: run for run in (await evaluator.list_runs(ev.ListRunsRequest())).runs}
    assert list(runs) == [INTERRUPTED, JUDGED, FINISHED], "the newest first"
    counts = {key: (one.counts.answered, one.counts.refused, one.counts.failed, one.counts.pending) for key, one in runs.items()}
    assert counts == {FINISHED: (14, 1, 1, 0), JUDGED: (4, 0, 0, 0), INTERRUPTED: (10, 1, 1, 4)}
    assert {key: one.status for key, one in runs.items()} == {
        FINISHED: ev.RUN_STATUS_FINISHED,
        JUDGED: ev.RUN_STATUS_FINISHED,
        INTERRUPTED: ev.RUN_STATUS_INTERRUPTED,
    }
    assert runs[INTERRUPTED].reason == "stopped by request"
    assert (runs[FINISHED].usage.input_tokens, runs[FINISHED].usage.output_tokens, runs[FINISHED].calls) == (140, 28, 16)
    judging = runs[JUDGED].judging
    assert (judging.judge, judging.judged, judging.usage.input_tokens, judging.cost_nano_usd) == ("judge/judge", 4, 120, 2800)


async def test_its_runs_count_as_earlier_plans_and_are_told_no_number(opened, repository):
    evaluator, _, _ = opened
    suite = str(repository / "tests/fixtures/before_rooms/suites/bench")
    assert {run.plan for run in (await evaluator.list_runs(ev.ListRunsRequest())).runs} == {0}
    run = await finish(evaluator, specification=ev.RunSpecification(model="m", suite=suite, limit=1))
    assert run.plan == 3, "after the finished run and the one that was interrupted"
    assert (await finish(evaluator, run_id=INTERRUPTED)).plan == 0


async def test_the_money_that_was_spent_stays_spent(opened, older):
    evaluator, _, _ = opened
    totals = await asyncio.to_thread(evaluator._journal.totals, INTERRUPTED)
    assert (totals.cost.nano_usd, totals.cost.unknown_costs, totals.cost.unknown_calls) == (15_000, 2, 3)
    assert totals.cost.most_nano_usd is None, "older code has not kept what two of them may have cost"
    run = await finish(evaluator, run_id=INTERRUPTED)
    assert run.status == ev.RUN_STATUS_FINISHED
    costs = (await asyncio.to_thread(evaluator._journal.totals, INTERRUPTED)).cost
    assert (costs.unknown_costs, costs.unknown_calls, costs.most_nano_usd) == (2, 3, None)
    spent = await asyncio.to_thread(evaluator._journal.spending, INTERRUPTED, "m", "j")
    assert [(one.calls[0], one.worst[0]) for one in spent if not one.task] == [(1, 250_000)], "a call of unknown fate stays one"


async def test_a_command_of_before_goes_on_with_its_prompts_and_says_so(opened, repository):
    evaluator, _, _ = opened
    suite = str(repository / "tests/fixtures/before_rooms/suites/bench")
    asked = ev.RunSpecification(model="m", suite=suite, parameters=gw.GenerationParameters(temperature=0.5))
    planned = await evaluator.plan_run(ev.PlanRunRequest(specification=asked))
    assert planned.run_id == INTERRUPTED
    assert "version 3 of the prompts" in "; ".join(planned.problems)
    anew = await evaluator.plan_run(ev.PlanRunRequest(specification=asked, fresh=True))
    assert anew.run_id != INTERRUPTED
    run = await finish(evaluator, specification=asked, fresh=True)
    assert (run.prompt_version, run.counts.total) == ("4", 16)
    assert (await finish(evaluator, specification=asked)).run_id == run.run_id, "of two the one with the prompts of today"


@pytest.mark.parametrize("by", ["run_id", "specification"])
async def test_the_interrupted_run_asks_only_what_has_no_outcome(opened, repository, by):
    evaluator, scorer, gateway = opened
    suite = str(repository / "tests/fixtures/before_rooms/suites/bench")
    specification = ev.RunSpecification(model="m", suite=suite, parameters=gw.GenerationParameters(temperature=0.5))
    run = await finish(evaluator, **({"run_id": INTERRUPTED} if by == "run_id" else {"specification": specification}))
    assert (run.run_id, run.status) == (INTERRUPTED, ev.RUN_STATUS_FINISHED)
    assert sorted(re.findall(r"Causal question (\d+)\?", "\n".join(gateway.asked)), key=int) == ["8", "9", "10", "11"]
    assert (run.counts.answered, run.counts.refused, run.counts.failed, run.counts.pending) == (14, 1, 1, 0)
    assert run.calls == 16
    scores = await scores_of(scorer, INTERRUPTED)
    assert {key: one.note for key, one in scores.items()} == {
        "nlp/Abstractive-Summarization": "",
        "nlp/Causal-Reasoning": "incomplete: 1 failed of 12 instances",
    }


async def test_the_finished_run_is_returned_as_it_is_and_scores_again_to_the_same(opened, repository):
    evaluator, scorer, gateway = opened
    specification = ev.RunSpecification(model="m", suite=str(repository / "tests/fixtures/before_rooms/suites/bench"))
    run = await finish(evaluator, specification=specification)
    assert (run.run_id, run.status, run.calls) == (FINISHED, ev.RUN_STATUS_FINISHED, 16)
    before = await scores_of(scorer, FINISHED)
    given_away = [score.HasField("best_constant") for score in (await scorer.get_verdict(sc.GetVerdictRequest(run_id=FINISHED))).tasks]
    await evaluator.rescore_run(ev.RescoreRunRequest(run_id=FINISHED))
    assert await scores_of(scorer, FINISHED) == before
    now = [score.HasField("best_constant") for score in (await scorer.get_verdict(sc.GetVerdictRequest(run_id=FINISHED))).tasks]
    assert (any(given_away), any(now)) == (False, True)
    assert before["nlp/Abstractive-Summarization"].score == pytest.approx(400 / 7)
    assert before["nlp/Causal-Reasoning"].bounds.upper == pytest.approx(100 / 3)
    assert (gateway.asked, gateway.judged) == ([], [])


async def test_the_judged_run_is_not_judged_again(opened):
    evaluator, scorer, gateway = opened
    before = await scores_of(scorer, JUDGED)
    for request in ({"run_id": JUDGED}, {"run_id": JUDGED, "judge": "j"}, {"run_id": JUDGED, "judge": "j", "judge_only": True}):
        run = await finish(evaluator, **request)
        assert (run.status, run.judging.judged, run.judging.failed) == (ev.RUN_STATUS_FINISHED, 4, 0)
    await evaluator.rescore_run(ev.RescoreRunRequest(run_id=JUDGED))
    assert await scores_of(scorer, JUDGED) == before
    assert (gateway.asked, gateway.judged) == ([], [])


async def test_no_service_continues_its_runs_by_itself(older):
    gateway, scorer = TwoModels(), Scorer(f"sqlite:///{older / 'genlevel.db'}")
    service = Evaluator(Settings(), gateway, scorer, registry=CollectorRegistry(), data_folder=older, suites=AnySuites(), continues=True)
    with sqlite3.connect(older / "genlevel.db") as connection:
        connection.execute("update evaluator_runs set status = ?", [ev.RUN_STATUS_RUNNING])
    connection.close()
    await service._continuing.look()
    assert not service._control.active
    assert not gateway.asked
    assert {run.wanted for run in (await service.list_runs(ev.ListRunsRequest())).runs} == {ev.RUN_WANTED_UNSPECIFIED}
    await service.close()
    scorer.close()
