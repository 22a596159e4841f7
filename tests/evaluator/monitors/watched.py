"""A deployed model that can change, a clock that is set by hand, and evaluators that watch it over one data folder."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from evaluator.planning.suites import AnySuites
from evaluator.service import Evaluator
from genlevel.runtime.settings import Settings
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import monitor_pb2 as mo
from scorer.service import Scorer

HOUR = 3600.0
BEGIN = 1_800_000_000.0


class Clock:
    """Unix seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> float:
        return self.now


class Deployed:
    """A script of ``ScriptedGateway``: knows an instance with its own probability, which a drop takes a part of."""

    def __init__(self, labels: dict[str, str], *, seed: int = 1, level: float = 0.7, flips: float = 0.05) -> None:
        self.labels = labels
        self.drop = 0.0
        self.dropping: tuple[str, ...] = ("",)
        self._chance = random.Random(seed)
        knows = random.Random(f"knows {seed}")
        self.known = {question: 1.0 - flips if knows.random() < level else flips for question in sorted(labels)}

    def __call__(self, question: str, calls: int) -> str:
        label = self.labels[question]
        worse = self.drop if question.startswith(self.dropping) else 0.0
        right = self._chance.random() < max(0.0, self.known[question] * (1.0 - worse / 0.65))
        return label if right else ("A" if label == "B" else "B")


def make_suite(folder: Path, tasks: dict[str, int]) -> dict[str, str]:
    """A suite of choices; returns the right answer to each question."""
    labels: dict[str, str] = {}
    for task, count in tasks.items():
        place = folder / "nlp" / task
        place.mkdir(parents=True)
        data = []
        for number in range(count):
            question = f"{task} {number}?"
            labels[question] = "AB"[hashlib.sha256(question.encode()).digest()[0] % 2]
            item = {"question": question, "options": ["yes", "no"]}
            data.append({"id": f"q{number}", "input": item, "output": {"answer": labels[question]}})
        (place / "annotation.json").write_text(json.dumps({"task": task, "type": "MultipleChoiceQA", "data": data}))
    return labels


class Watchers:
    """Evaluators over one data folder, one after another or together, by one clock."""

    def __init__(self, folder: Path, gateway: Any, **settings: Any) -> None:
        self.folder, self.gateway, self.clock = folder, gateway, Clock()
        self.settings: dict[str, Any] = {"runs": {"attempts": 2, "deadline_s": 5}, **settings}
        self.made: list[tuple[Evaluator, Scorer]] = []

    def start(self, *, continues: bool = True, named: bool = False) -> Evaluator:
        """An evaluator whose scheduler looks when it is told to. named: its callers name suites by name alone."""
        scorer = Scorer(f"sqlite:///{self.folder / 'genlevel.db'}")
        evaluator = Evaluator(
            Settings.model_validate(self.settings),
            self.gateway,
            scorer,
            registry=CollectorRegistry(),
            data_folder=self.folder,
            suites=None if named else AnySuites(),
            continues=continues,
            clock=self.clock,
        )
        self.made.append((evaluator, scorer))
        return evaluator

    async def stop(self, evaluator: Evaluator) -> None:
        """Closes one."""
        found = next(one for one in self.made if one[0] is evaluator)
        self.made.remove(found)
        await evaluator.close()
        found[1].close()

    async def close(self) -> None:
        """Closes all."""
        for evaluator, _ in list(self.made):
            await self.stop(evaluator)


def specification(suite: Path, **fields: Any) -> mo.MonitorSpecification:
    """Of a monitor of the model that is deployed; its baseline asks twice, unless it is said how often, or it is a run that is there."""
    if not fields.keys() & {"baseline", "panel"}:
        fields.setdefault("baseline_repeats", 2)
    return mo.MonitorSpecification(asked=ev.RunSpecification(model="m", suite=str(suite)), **{"every": "6h", "sample": 50, **fields})


async def seen(evaluator: Evaluator, name: str = "one", ticks: int = 0) -> mo.GetMonitorResponse:
    """A monitor as it stands."""
    return await evaluator.monitors.get_monitor(mo.GetMonitorRequest(name=name, ticks=ticks))


async def look(evaluator: Evaluator) -> None:
    """One look of the scheduler, and what follows from it."""
    scheduler = evaluator.watching.scheduler
    assert await scheduler.lead()
    await scheduler.look()
    await scheduler.settled()


async def idle(evaluator: Evaluator, name: str = "one") -> mo.Monitor:
    """Looks until the monitor neither asks its baseline nor has a tick that goes on."""
    async with asyncio.timeout(60):
        while True:
            await look(evaluator)
            monitor = (await seen(evaluator, name)).monitor
            if monitor.state != mo.MONITOR_STATE_BASELINE and not monitor.open_tick:
                return monitor
            await evaluator.ended()


async def add(evaluator: Evaluator, suite: Path, name: str = "one", **fields: Any) -> mo.Monitor:
    """A monitor with its baseline."""
    await evaluator.monitors.add_monitor(mo.AddMonitorRequest(name=name, specification=specification(suite, **fields)))
    return await idle(evaluator, name)


async def tick(watchers: Watchers, evaluator: Evaluator, count: int = 1, name: str = "one", every_s: float = 6 * HOUR) -> mo.Monitor:
    """So many ticks, each when it is due."""
    for _ in range(count):
        watchers.clock.now += every_s
        monitor = await idle(evaluator, name)
    return monitor
