"""Finding answers in a run of General-Bench's size, 325,876 answers: CPU time, wall time, and the process's memory.

    python tests/performance/bench_search.py [FOLDER]

FOLDER: with data as ``full_size.py`` makes them; without one they are made, with made-up texts, which takes some five minutes. Prints, of
filters, orders and texts: the first search of a process of its own, whose file is not in the system's memory, and another in a process that
has searched before (aim: under 1 s of CPU and 300 MiB each); then what the index costs a task that is scored. A run without an index gets
it first.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from full_size import build, made_up_records
from google.protobuf import json_format

from evaluator.journal.journal import Journal
from evaluator.planning.planner import offline_plan
from evaluator.planning.suites import AnySuites
from evaluator.ports import ScorerPort
from evaluator.runs import scoring
from genlevel.embedded import make_scorer, stored_runs
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.settings import Settings
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

WRONG, RIGHT = ev.RIGHTNESS_WRONG, ev.RIGHTNESS_RIGHT
SEARCHES: dict[str, dict[str, object]] = {
    "all": {},
    "one task": {"tasks": ["nlp/*"], "limit": 500},
    "unparsable": {"outcomes": [sc.OUTCOME_UNPARSABLE]},
    "wrong": {"rightness": [WRONG]},
    "score 20 to 80": {"least_score": 20.0, "most_score": 80.0},
    "the worst": {"order": ev.ANSWER_ORDER_WORST},
    "the dearest": {"order": ev.ANSWER_ORDER_COST},
    "the newest that are right": {"order": ev.ANSWER_ORDER_NEWEST, "rightness": [RIGHT]},
    "a text that nothing has": {"text": "zebra crossing"},
    "a text that many have": {"text": "THE ANSWER IS"},
    "a letter": {"text": "e"},
    "the worst that have a text": {"text": "the", "order": ev.ANSWER_ORDER_WORST, "rightness": [WRONG], "limit": 500},
}
SCORED_TASKS = 20


class Figures(NamedTuple):
    """What a search took. rss: the most memory that the process has had."""

    cpu_s: float
    wall_s: float
    rss_mib: float
    found: int


async def searched(folder: Path, run: str, requests: list[ev.SearchAnswersRequest]) -> list[Figures]:
    """One after another, in this process."""
    figures = []
    async with stored_runs(Settings(), folder) as runs:
        for request in requests:
            request.run_id = run
            cpu, wall = time.process_time(), time.perf_counter()
            found = (await runs.evaluator.search_answers(request)).found
            figures.append(Figures(time.process_time() - cpu, time.perf_counter() - wall, peak_mib(), found))
    return figures


def peak_mib() -> float:
    """Of this program alone: what ``getrusage`` tells has that of the process that started it, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1024


def in_its_own_process(folder: Path, run: str, requests: list[ev.SearchAnswersRequest]) -> list[Figures]:
    told = json.dumps([json_format.MessageToDict(request) for request in requests])
    done = subprocess.run([sys.executable, __file__, str(folder), run, told], capture_output=True, text=True, check=True)
    return [Figures(*one) for one in json.loads(done.stdout)]


def forget_file(file: Path) -> None:
    """Has the system read the file from the disk again."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


async def indexed(folder: Path) -> str:
    """The largest run, with an index."""
    async with stored_runs(Settings(), folder) as runs:
        listed = (await runs.evaluator.list_runs(ev.ListRunsRequest())).runs
        run = max(listed, key=lambda one: one.counts.total).run_id
        cpu = time.process_time()
        before = (await runs.evaluator.search_answers(ev.SearchAnswersRequest(run_id=run))).unscored
        while (await runs.evaluator.search_answers(ev.SearchAnswersRequest(run_id=run))).unscored:  # noqa: ASYNC110
            await asyncio.sleep(0.5)
        if before:
            print(f"the index of a run that has none: {time.process_time() - cpu:.1f} s of CPU")
    return run


@dataclass(frozen=True)
class Here:
    """scoring.Kept"""

    journal: Journal
    scorer: ScorerPort
    blobs: BlobStore


@contextlib.asynccontextmanager
async def not_indexed(*_: object) -> AsyncIterator[dict[str, str]]:
    yield {}


async def scoring_costs(folder: Path, run: str) -> dict[str, float]:
    """CPU time of scoring some tasks again, with and without the index, the lesser of two."""
    scorer, journal = make_scorer(Settings(), folder, None), Journal(sqlite_url(folder / "genlevel.db"))
    record = journal.run(run)
    assert record is not None
    plan = await offline_plan(AnySuites(), record.specification, record.identity)
    plan = replace(plan, tasks=plan.tasks[:: len(plan.tasks) // SCORED_TASKS])
    kept, usual, spent = Here(journal, scorer, BlobStore.open(folder / "blobs")), scoring.indexed_after, {}
    for name, after in 2 * [("without the index", not_indexed), ("with it", usual)]:
        scoring.indexed_after = after  # type: ignore[assignment]
        began = time.process_time()
        await scoring.score_again(kept, plan, record)
        spent[name] = min(spent.get(name, 1e9), time.process_time() - began)
    await asyncio.to_thread(journal.close)
    scorer.close()
    return {f"{name}, {plan.total:,} answers": seconds for name, seconds in spent.items()}


def measure(folder: Path) -> None:
    run = asyncio.run(indexed(folder))
    size = (folder / "genlevel.db").stat().st_size >> 20
    print(f"run {run}, a database of {size} MiB; CPU and wall time, most memory")
    for name, fields in SEARCHES.items():
        request = ev.SearchAnswersRequest(**fields)  # type: ignore[arg-type]
        forget_file(folder / "genlevel.db")
        (cold,) = in_its_own_process(folder, run, [request])
        _first, warm = in_its_own_process(folder, run, [request, request])
        told = "  ".join(f"{one.cpu_s:.2f} s {one.wall_s:.2f} s {one.rss_mib:.0f} MiB" for one in (cold, warm))
        print(f"  {name:28} {told}  ({warm.found:,} found)", flush=True)
    for name, seconds in asyncio.run(scoring_costs(folder, run)).items():
        print(f"  scoring {name}: {seconds:.2f} s of CPU")


def main() -> None:
    if len(sys.argv) > 2:
        requests = [json_format.ParseDict(one, ev.SearchAnswersRequest()) for one in json.loads(sys.argv[3])]
        print(json.dumps(asyncio.run(searched(Path(sys.argv[1]), sys.argv[2], requests))))
    elif len(sys.argv) == 2:
        measure(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as name:
            asyncio.run(build(Path(name), made_up_records(), 99))
            measure(Path(name) / "data")


if __name__ == "__main__":
    main()
