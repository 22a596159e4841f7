"""Stored runs of any size, as genlevel itself writes them, without a model: for tests and benchmarks of what reads them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from evaluator.journal.records import Answer
from evaluator.runs.records import new_record
from genlevel.benchmark.content import suite_content
from genlevel.benchmark.outcomes import Outcome
from genlevel.embedded import embedded_services
from genlevel.runtime.errors import ErrorClass
from genlevel.runtime.settings import Settings
from genlevel.v1 import evaluator_pb2 as ev

TASKS = (
    "Causal-Reasoning", "Commonsense-Reasoning", "Social-Science-Question-Answering", "Temporal-Reasoning", "Counterfactual-Reasoning",
)  # fmt: skip
ODD = {7: Outcome.REFUSED, 8: Outcome.FAILED}
UNREADABLE = 9
"""Of a hundred answers, by their number: these are refused, failed and not to be read; the others are right."""


def make_suite(root: Path, instances: int, tasks: int) -> Path:
    """Multiple-choice questions of language tasks, in General-Bench's layout."""
    for number in range(tasks):
        name = TASKS[number] if number < len(TASKS) else f"Made-Up-Task-{number}"
        folder = root / "nlp" / name
        folder.mkdir(parents=True)
        data = [
            {
                "id": f"q{item}",
                "input": {"question": f"Question {item}: which of these is right, and why is it so?", "options": ["this", "that", "none"]},
                "output": {"answer": "A"},
            }
            for item in range(instances // tasks)
        ]
        (folder / "annotation.json").write_text(json.dumps({"task": name, "type": "MultipleChoiceQA", "data": data}))
    return root


async def store_run(
    folder: Path, suite: Path, *, model: str = "stub", scored: bool = True, answered: Callable[[str, str, int], Answer] | None = None
) -> str:
    """Stores a run of the whole suite in a data folder; returns its id. answered: makes the answer to instance q<number> of a task."""
    async with embedded_services(Settings(), folder) as services:
        evaluator = services.evaluator
        journal = evaluator._journal
        plan = await evaluator._planner.resolve(ev.RunSpecification(model=model, suite=str(suite), base_url="http://127.0.0.1:9/v1"))
        record = new_record(plan, suite_hash=suite_content(plan.suite), generation=0, traffic=ev.TrafficSettings(), prompt_version="v1")
        journal.create_run(record)
        for planned in plan.tasks:
            make, key = answered or usual_answer, planned.task.key
            written = [journal.record(make(record.run_id, key, number)) for number in range(planned.count)]
            for future in written:
                await future
        journal.update_run(record.run_id, status=ev.RUN_STATUS_FINISHED, calls=plan.total)
        if scored:
            await evaluator.rescore_run(ev.RescoreRunRequest(run_id=record.run_id))
    return record.run_id


def usual_answer(run_id: str, task: str, number: int) -> Answer:
    outcome = ODD.get(number % 100, Outcome.ANSWERED)
    answered = outcome is Outcome.ANSWERED
    said = "?" if number % 100 == UNREADABLE else "A" if number % 3 else "B"
    return Answer(
        run_id,
        task,
        f"q{number}",
        outcome,
        raw_answer=said if answered else "",
        error_class=ErrorClass.CALLER_FAULT if outcome is Outcome.FAILED else ErrorClass.UNSPECIFIED,
        error="" if answered else "the provider would not",
        created=time.time(),
    )
