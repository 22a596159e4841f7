"""What 200 monitors of 20 groups cost while nothing is due: the scheduler's CPU time, and the page for Prometheus.

    python tests/performance/bench_watching.py [--monitors 200] [--groups 20] [--seconds 30]

The monitors have a baseline and one tick each, made without calls. Printed beside what is aimed at: under 1 % of a core, under 1 s and
under 10 MB a page.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from google.protobuf import json_format
from machine import machine
from prometheus_client import CollectorRegistry, generate_latest

from evaluator.journal.journal import Journal
from evaluator.journal.monitor_records import MonitorRecord, Phase, TickEnd, TickRecord
from evaluator.journal.monitor_store import Beside
from evaluator.monitors.core.detector import State, advance
from evaluator.monitors.core.draws import allocation, draw_tick
from evaluator.monitors.core.readings import Pooled, Reading, pack
from evaluator.monitors.core.shares import Rules
from evaluator.monitors.core.streams import Place, streams_of
from evaluator.monitors.core.ticks import observe
from evaluator.monitors.core.watch import make_watch
from evaluator.monitors.notes import Notes
from evaluator.monitors.specification import settled
from evaluator.monitors.stored import packed, text_of
from evaluator.service import Evaluator
from genlevel.runtime.settings import Settings
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import monitor_pb2 as mo
from scorer.service import Scorer

SAMPLE, REPEATS = 200, 2


class NoGateway:
    """Nothing is due, so nothing is asked."""

    async def generate(self, request: gw.GenerateRequest, *, timeout_s: float) -> gw.GenerateResponse:
        raise AssertionError

    async def list_models(self, request: gw.ListModelsRequest) -> gw.ListModelsResponse:
        return gw.ListModelsResponse()


def reading(chance: random.Random) -> Reading:
    return Reading(float(chance.random() < 0.7), latency_s=chance.random(), output_tokens=chance.randrange(1, 50), cost_nano_usd=100)


def made(groups: int, seed: int) -> tuple[MonitorRecord, Beside]:
    """A monitor after its first tick, without its tick."""
    chance, now = random.Random(seed), time.time()
    places = [
        Place(f"nlp/task-{number}", f"Group {number}", ("image", "video", "audio")[number % 3], "comprehension") for number in range(groups)
    ]
    layout = streams_of(places, SAMPLE)
    pool = [
        Pooled(place.task, f"q{number}", number, layout.stratum_of[place.task], tuple(reading(chance) for _ in range(REPEATS)))
        for place in places
        for number in range(4 * SAMPLE // groups)
    ]
    sizes = [sum(one.stratum == stratum for one in pool) for stratum in range(len(layout.strata))]
    draws = allocation(SAMPLE, sizes)
    watch = make_watch(Rules(0.05, 0.01, 1460), layout.streams, pool, draws, [(0, 100)] * len(sizes))
    drawn = draw_tick(pool, draws, "1")
    seen = observe(watch, pool, drawn, {(pool[index].task, pool[index].instance): reading(chance) for index in drawn})
    state, _ = advance(watch, State(), seen.gains)
    wanted = settled(mo.MonitorSpecification(asked=ev.RunSpecification(model=f"model-{seed}", suite="bench"), every="6h"))
    record = MonitorRecord(
        f"monitor-{seed}", f"{seed:08}", json_format.MessageToJson(wanted, indent=None), declared=False, created=now,
        phase=Phase.WATCHING, next_due=now + 18_000, tick=1, last_ended=now, baseline_run="0" * 12, suite_hash="a" * 64,
        watch=text_of(watch), state=text_of(state), notes=Notes(models=("m",)).text(),
    )  # fmt: skip
    tick = TickRecord(record.name, 1, 1, now, now, now, TickEnd.COMPLETE, instances=len(drawn), summary=packed(seen.summary))
    return record, Beside(begun=tick, pool=pack(pool))


async def measured(folder: Path, monitors: int, groups: int, seconds: float) -> None:
    journal = Journal(sqlite_url(folder / "genlevel.db"))
    first, beside = made(groups, 0)
    for number in range(monitors):
        name = f"monitor-{number}"
        assert beside.begun is not None
        record = replace(first, name=name, uid=f"{number:08}")
        journal.monitors.add(record, replace(beside, begun=replace(beside.begun, name=name)))
    journal.close()
    registry, scorer = CollectorRegistry(), Scorer(sqlite_url(folder / "genlevel.db"))
    evaluator = Evaluator(Settings(), NoGateway(), scorer, registry=registry, data_folder=folder, continues=True)
    evaluator.watching.begin()
    while generate_latest(registry).count(b"genlevel_monitor_info{") < monitors:  # noqa: ASYNC110 - the first look reads all of them
        await asyncio.sleep(0.5)
    await asyncio.sleep(5.0)
    began, used = time.monotonic(), time.process_time()
    await asyncio.sleep(seconds)
    share = (time.process_time() - used) / (time.monotonic() - began)
    used = time.process_time()
    page = generate_latest(registry)
    page_s = time.process_time() - used
    lines = page.count(b"\n")
    print(f"{monitors} monitors of {groups} groups; {machine()}")
    print(f"scheduler while nothing is due: {100 * share:.2f} % of a core (aim: under 1)")
    print(f"/metrics: {page_s:.2f} s CPU (aim: under 1), {len(page) / 1e6:.1f} MB (aim: under 10), {lines:,} lines")
    await evaluator.close()
    scorer.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--monitors", type=int, default=200)
    parser.add_argument("--groups", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measured(Path(folder), options.monitors, options.groups, options.seconds))


if __name__ == "__main__":
    main()
