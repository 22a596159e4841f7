"""Suites of tasks of General-Bench with questions of their own, and what a model of a given strength says to each."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.runs.asking import finish, specification
from tests.waiting import until

WON, NOT_WON, UNDECIDED = ev.DecidedTask.STATE_WON, ev.DecidedTask.STATE_NOT_WON, ev.DecidedTask.STATE_UNDECIDED
WINS = ev.UntilDecided(aim=ev.UntilDecided.AIM_WINS)
VERDICT = ev.UntilDecided(aim=ev.UntilDecided.AIM_VERDICT)
CAUSAL, COMMON = "nlp/Causal-Reasoning", "nlp/Commonsense-Reasoning"  # references 65, 83.33
HUMAN, SPORTS = "image/comprehension/Human-Action-Recognition", "image/comprehension/Sports-Image-Classification"  # 82.3, 49.8
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass
class World:
    """right: questions that the model knows. options of every question: yes (A), no (B)."""

    root: Path
    right: set[str] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)

    def task(self, folder: str, instances: int, share: float, *, kind: str = "MultipleChoiceQA", picture_each: int = 0) -> None:
        """Adds a task that the model knows this share of. picture_each: questions about each picture; 0: there are none."""
        place = self.root / folder
        place.mkdir(parents=True)
        chance, items = random.Random(f"{folder}:{share}"), []
        for number in range(instances):
            question = f"{place.name} {number}?"
            label = self.labels[question] = chance.choice("AB")
            if chance.random() < share:
                self.right.add(question)
            given = {"question": question, "options": ["yes", "no"]}
            if picture_each:
                name = f"{number // picture_each}.png"
                (place / "images").mkdir(exist_ok=True)
                (place / "images" / name).write_bytes(PNG + name.encode())
                given["image_file"] = f"images/{name}"
            items.append({"id": f"q{number}", "input": given, "output": {"answer": label}})
        (place / "annotation.json").write_text(json.dumps({"task": place.name, "type": kind, "data": items}))

    def say(self, question: str) -> str:
        """The model's answer."""
        label = self.labels[question]
        return label if question in self.right else "AB"[label == "A"]

    def script(self, question: str, calls: int) -> str:
        """As of ``ScriptedGateway``."""
        return self.say(question)


def asked_twice(calls: Counter[str]) -> list[str]:
    return [question for question, count in calls.items() if count > 1]


def jittery(gateway, seed: int, most_s: float = 0.004) -> None:
    """Has a gateway answer after times that differ."""
    chance, answers_at_once = random.Random(seed), gateway.generate

    async def generate(request, *, timeout_s):
        await asyncio.sleep(chance.random() * most_s)
        return await answers_at_once(request, timeout_s=timeout_s)

    gateway.generate = generate


def settled_of(decision: ev.EarlyDecision) -> ev.EarlyDecision:
    """A decision without what depends on how many calls were in flight: how much was asked."""
    found = ev.EarlyDecision()
    found.CopyFrom(decision)
    for one in (found, *found.tasks):
        one.ClearField("asked")
    found.ClearField("saved_nano_usd")
    return found


def request_of(world, until=WINS, concurrency=8, *, retry_failed=False, **fields):
    traffic = ev.TrafficSettings(concurrency=concurrency, until_decided=until, **fields)
    return ev.StartRunRequest(specification=specification(world.root), traffic=traffic, retry_failed=retry_failed)


async def decide(evaluator, world, until=WINS, concurrency=8, **fields):
    return await finish(evaluator, request_of(world, until, concurrency, **fields))


async def cut_after(place, evaluator, calls):
    """Ends an evaluator's run with its calls in flight once so many were made; or returns when the run has ended."""
    await until(lambda: place.gateway.calls.total() >= calls or not evaluator._control.active)
    if evaluator._control.active:
        evaluator.begin_nothing()
        evaluator.cut()


def states(run):
    return {task.task: task.state for task in run.decision.tasks}
