"""A database of before callers were known: today's code opens it, begins nothing by itself, and knows what it does not know of its money.

fixtures/before_callers holds it as SQL: a run that finished without a cap, some of whose calls said nothing of their usage; one that a
judge has rated; one that a person stopped; one whose process was killed under a cap, with eight calls open.
Its suites are those of before_rooms.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from evaluator.journal.journal import Journal
from evaluator.journal.tables import metadata
from evaluator.service import Evaluator
from genlevel.runtime.schema import schema_differences
from genlevel.runtime.settings import Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from scorer.service import Scorer

FINISHED, JUDGED, STOPPED, KILLED = "9a8dd4ac2424", "ada7f5b7ea40", "4d9bb4b8dd00", "7ec4131bc0da"
COST = 1_500_000
OPEN = 8 * 32_500_000


class PricedModels:
    """A gateway in memory: a model "m", and a judge "j" of another account, as they were when the database was written."""

    def __init__(self) -> None:
        self.asked = 0
        text = [ct.MODALITY_TEXT]
        price = gw.Price(input="100", output="250")
        self.models = {
            route: gw.ModelInfo(
                route=route,
                provider="compatible",
                model=model,
                account=account,
                ready=True,
                input_modalities=text,
                output_modalities=text,
                charges=True,
                price=price,
            )
            for route, model, account in (("m", "m", "acct"), ("j", "judge", "judge"))
        }

    async def generate(self, request: gw.GenerateRequest, *, timeout_s: float) -> gw.GenerateResponse:
        self.asked += 1
        usage = gw.Usage(input_tokens=10, output_tokens=2)
        parts = [ct.Part(text="A" if request.route == "m" else "Rating: 7")]
        return gw.GenerateResponse(parts=parts, finish_reason=gw.FINISH_REASON_STOP, usage=usage, cost_nano_usd=COST, model="m")

    async def list_models(self, request: gw.ListModelsRequest) -> gw.ListModelsResponse:
        return gw.ListModelsResponse(models=[self.models[request.route]])


@pytest.fixture
def older(tmp_path: Path, repository: Path) -> Path:
    """A data folder as the older code left it."""
    data = tmp_path / "data"
    data.mkdir()
    sql = (repository / "tests/fixtures/before_callers/genlevel.sql").read_text()
    with sqlite3.connect(data / "genlevel.db") as connection:
        connection.executescript(sql.replace("@SUITES@", str(repository / "tests/fixtures/before_rooms/suites")))
    connection.close()
    return data


@pytest.fixture
async def opened(older: Path) -> AsyncIterator[tuple[Evaluator, PricedModels]]:
    """(evaluator of a service, gateway) of today over it."""
    gateway, scorer = PricedModels(), Scorer(f"sqlite:///{older / 'genlevel.db'}")
    evaluator = Evaluator(Settings(), gateway, scorer, registry=CollectorRegistry(), data_folder=older, continues=True)
    yield evaluator, gateway
    await evaluator.close()
    scorer.close()


async def runs_of(evaluator: Evaluator) -> dict[str, ev.Run]:
    return {run.run_id: run for run in (await evaluator.list_runs(ev.ListRunsRequest())).runs}


async def finished(evaluator: Evaluator, run_id: str) -> ev.Run:
    await evaluator.start_run(ev.StartRunRequest(run_id=run_id))
    *_, last = [progress.run async for progress in evaluator.watch_run(ev.WatchRunRequest(run_id=run_id))]
    return last


def test_its_schema_is_brought_to_todays_and_no_row_is_lost(older: Path) -> None:
    tables = ("evaluator_runs", "evaluator_answers", "evaluator_judgements", "evaluator_reservations", "evaluator_run_judges")

    def rows() -> list[int]:
        with sqlite3.connect(older / "genlevel.db") as connection:
            return [connection.execute(f"select count(*) from {table}").fetchone()[0] for table in tables]

    before = rows()
    journal = Journal(f"sqlite:///{older / 'genlevel.db'}")
    assert schema_differences(journal._engine, metadata, "evaluator") == []
    journal.close()
    assert rows() == before == [4, 31, 4, 8, 1]


async def test_nothing_of_it_goes_on_by_itself(opened: tuple[Evaluator, PricedModels]) -> None:
    evaluator, gateway = opened
    runs = await runs_of(evaluator)
    assert {key: run.wanted for key, run in runs.items()} == dict.fromkeys((FINISHED, JUDGED, STOPPED, KILLED), ev.RUN_WANTED_UNSPECIFIED)
    assert runs[KILLED].status == runs[STOPPED].status == ev.RUN_STATUS_INTERRUPTED
    await evaluator._continuing.look()
    assert not evaluator._control.active
    assert gateway.asked == 0


async def test_money_that_the_older_code_did_not_count_is_unknown_not_nothing(opened: tuple[Evaluator, PricedModels]) -> None:
    evaluator, _ = opened
    runs = await runs_of(evaluator)
    assert (runs[FINISHED].cost_nano_usd, runs[FINISHED].unknown_costs) == (8 * COST, 8)
    assert not runs[FINISHED].HasField("most_cost_nano_usd"), "four answers and four failures said nothing of their usage"
    assert (runs[KILLED].cost_nano_usd, runs[KILLED].most_cost_nano_usd) == (6 * COST, 6 * COST + OPEN)


async def test_the_killed_and_the_stopped_run_go_on_when_they_are_told_to(opened: tuple[Evaluator, PricedModels]) -> None:
    evaluator, gateway = opened
    killed = await finished(evaluator, KILLED)
    assert (killed.status, killed.counts.answered, gateway.asked) == (ev.RUN_STATUS_FINISHED, 16, 10)
    assert (killed.cost_nano_usd, killed.most_cost_nano_usd) == (16 * COST, 16 * COST + OPEN), "what was open may still have been billed"
    stopped = await finished(evaluator, STOPPED)
    assert (stopped.status, stopped.counts.answered, gateway.asked) == (ev.RUN_STATUS_FINISHED, 16, 10 + 11)


async def test_what_was_finished_and_judged_is_asked_nothing(opened: tuple[Evaluator, PricedModels]) -> None:
    evaluator, gateway = opened
    for run_id in (FINISHED, JUDGED):
        await evaluator.start_run(ev.StartRunRequest(run_id=run_id))
        await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run_id))
        assert run_id not in evaluator._control.active
    assert gateway.asked == 0
