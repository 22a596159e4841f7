"""A data folder over which evaluators are started, and what tests ask of them."""

from __future__ import annotations

import asyncio
import sqlite3

from prometheus_client import CollectorRegistry

from evaluator.planning.suites import AnySuites
from evaluator.service import Evaluator
from genlevel.runtime.settings import Settings
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from scorer.service import Scorer
from tests.waiting import until

GO_ON, PAUSED, STOPPED = ev.RUN_WANTED_GO_ON, ev.RUN_WANTED_PAUSED, ev.RUN_WANTED_STOPPED
CANNOT = ev.RUN_WANTED_CANNOT_SUCCEED


class Place:
    """A data folder, and the evaluators that are started over it one after another (or together)."""

    def __init__(self, folder, gateway):
        self.folder, self.gateway, self.made = folder, gateway, []

    def start(self, *, continues=True, going=True):
        scorer = Scorer(f"sqlite:///{self.folder / 'genlevel.db'}")
        settings = Settings.model_validate({"runs": {"attempts": 3, "deadline_s": 20}})
        evaluator = Evaluator(
            settings,
            self.gateway,
            scorer,
            registry=CollectorRegistry(),
            data_folder=self.folder,
            suites=AnySuites(),
            continues=continues,
        )
        self.made.append((evaluator, scorer))
        if going:
            evaluator.go_on()
        return evaluator

    async def stop(self, evaluator):
        found = next(one for one in self.made if one[0] is evaluator)
        self.made.remove(found)
        await evaluator.close()
        found[1].close()

    def change(self, **columns):
        with sqlite3.connect(self.folder / "genlevel.db") as connection:
            connection.execute(f"update evaluator_runs set {', '.join(f'{name} = ?' for name in columns)}", [*columns.values()])
        connection.close()


def request_of(folder, **traffic):
    return ev.StartRunRequest(
        specification=ev.RunSpecification(model="m", suite=str(folder)), traffic=ev.TrafficSettings(concurrency=2, **traffic)
    )


async def seen(evaluator, run_id):
    return (await evaluator.get_run(ev.GetRunRequest(run_id=run_id))).run


async def reaches(evaluator, run_id, status, timeout_s=60.0):
    async with asyncio.timeout(timeout_s):
        while (run := await seen(evaluator, run_id)).status != status:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return run


async def begun(place, evaluator, folder, calls=4, **traffic):
    """A run of which some calls were made."""
    place.gateway.latency_s = 0.05
    run = (await evaluator.start_run(request_of(folder, **traffic))).run
    await until(lambda: place.gateway.calls.total() >= calls)
    return run


def wish(run, wanted=0, now=False, **traffic):
    return ev.UpdateRunRequest(run_id=run.run_id, wanted=wanted, now=now, traffic=ev.TrafficSettings(**traffic))


def priced(gateway, cost=1000):
    gateway.info.price.CopyFrom(gw.Price(input="1", output="1"))
    gateway.cost = cost


def rows_of(place):
    with sqlite3.connect(place.folder / "genlevel.db") as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute("select * from evaluator_runs").fetchall()
    connection.close()
    return rows
