"""Runs and a monitor to look at: the embedded model's answers on the starter suite and on a local copy of General-Bench."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import json_format

from genlevel.connection.services import services
from genlevel.runtime.settings import Settings
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import monitor_pb2 as mo
from genlevel.v1 import scorer_pb2 as sc
from genlevel.web.places import AnswerPlace
from tests.views.decided import ATTAINED, NOT_ATTAINED, OPEN, UNDECIDED, WON, decision_of

STARTER = ("--suite", "starter", "--tasks", "General-Knowledge,Sign-Reading", "--limit")
OPENSET_TASKS = "car_brands_recognition,Causal-Reasoning"
MODEL = ("--model", "embedded/generalist")
MONITOR = ("monitor", "add", "nightly", *MODEL, "--suite", "starter", "--tasks", "General-Knowledge", "--every", "1d", "--sample", "5")


@dataclass(frozen=True)
class StoredData:
    """folder: as --out names it. runs: the newest first. answers: of each run, those that were given. monitors: their names."""

    folder: Path
    runs: tuple[str, ...]
    answers: Mapping[str, tuple[AnswerPlace, ...]]
    monitors: tuple[str, ...]


def make(folder: Path, openset: Path) -> None:
    """Asks the embedded model a few things, in two runs and a third that compares with the first, and adds a monitor.

    The run with references is made one that was decided early.
    """
    first, second = ((*STARTER, limit) for limit in "21")
    for words in (first, ("--suite", str(openset), "--tasks", OPENSET_TASKS, "--limit", "1"), second):
        genlevel("eval", *MODEL, *words, "--out", str(folder))
    genlevel(*MONITOR, "--out", str(folder))
    decide(folder)


def decide(folder: Path) -> None:
    """Makes the run on General-Bench one that was decided early."""
    with contextlib.closing(sqlite3.connect(folder / "genlevel.db")) as connection, connection:
        ((run, plan),) = connection.execute("SELECT run_id, plan FROM evaluator_runs WHERE benchmark = 'general-bench'")
        tasks = [(key, state) for (key, _count), state in zip(json.loads(plan), (WON, UNDECIDED), strict=False)]
        made = json_format.MessageToJson(decision_of(tasks, (ATTAINED, OPEN, NOT_ATTAINED)))
        connection.execute("INSERT INTO evaluator_decisions (run_id, decision, updated) VALUES (?, ?, 0)", (run, made))
        connection.execute("UPDATE evaluator_runs SET status = ? WHERE run_id = ?", (ev.RUN_STATUS_DECIDED, run))


def genlevel(*arguments: str) -> None:
    """The command, as a user calls it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GENLEVEL_")}
    done = subprocess.run(
        [sys.executable, "-m", "genlevel", *arguments], env=clean, cwd="/", capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, (arguments, done.stderr[-2000:])


def found(folder: Path) -> StoredData:
    """What is stored in a folder. Asked in a thread of its own: this one may have a browser's event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(_found(folder))).result()


async def _found(folder: Path) -> StoredData:
    async with services(Settings(), folder) as here:
        runs = (await here.evaluator.list_runs(ev.ListRunsRequest())).runs
        answers: dict[str, tuple[AnswerPlace, ...]] = {}
        for run in runs[:3]:
            given = here.evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id))
            answers[run.run_id] = tuple(
                [AnswerPlace.of(run.run_id, answer) async for answer in given if answer.outcome == sc.OUTCOME_ANSWERED]
            )
        monitors = (await here.monitors.list_monitors(mo.ListMonitorsRequest())).monitors
        return StoredData(folder, tuple(run.run_id for run in runs), answers, tuple(each.name for each in monitors))
