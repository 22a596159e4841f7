"""Runs that a real scorer has scored, and pages over them: the evaluator alone is a stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from starlette.testclient import TestClient

from genlevel.benchmark.model import GENERAL_BENCH, Task
from genlevel.connection.monitors import MonitorsPort
from genlevel.connection.services import EvaluatorPort, ModelsPort, Services
from genlevel.runtime.errors import NotFoundError
from genlevel.runtime.settings import Settings
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from genlevel.web.app import create_app
from genlevel.web.door import Door
from scorer.service import Scorer


@dataclass
class RunsInMemory:
    """An evaluator that knows these runs."""

    runs: dict[str, ev.Run] = field(default_factory=dict)

    async def get_run(self, request: ev.GetRunRequest) -> ev.GetRunResponse:
        if request.run_id not in self.runs:
            raise NotFoundError(f"there is no run {request.run_id}")
        return ev.GetRunResponse(run=self.runs[request.run_id])

    async def list_runs(self, request: ev.ListRunsRequest) -> ev.ListRunsResponse:
        return ev.ListRunsResponse(runs=list(self.runs.values())[::-1])


class ScoredRuns:
    """A scorer over a folder of its own, and the runs that were scored there."""

    def __init__(self, folder: Path) -> None:
        self.scorer = Scorer(sqlite_url(folder / "genlevel.db"))
        self.evaluator = RunsInMemory()

    def services(self) -> Services:
        """What pages and documents ask."""

        def no_monitors() -> MonitorsPort:
            raise AssertionError("there are no monitors here")

        return Services(cast(EvaluatorPort, self.evaluator), self.scorer, cast(ModelsPort, None), no_monitors, None)

    def client(self) -> TestClient:
        """Asks the pages over these runs."""
        return TestClient(create_app(self.services(), Settings(), Door()), base_url="http://127.0.0.1")

    async def store(
        self,
        run: str,
        answers: Mapping[str, Sequence[str]],
        tasks: Sequence[Task],
        *,
        model: str = "model",
        benchmark: str = GENERAL_BENCH,
        open_tasks: Sequence[Task] = (),
    ) -> None:
        """Scores choices between A and B (the labels in turn).

        Args:
            answers: by Task.id, an answer an instance.
            tasks: of the benchmark, of a metric of choices.
            open_tasks: that were asked and have failed.
        """
        counts = sc.OutcomeCounts(
            total=sum(map(len, answers.values())) + len(open_tasks), answered=sum(map(len, answers.values())), failed=len(open_tasks)
        )
        for task in (*tasks, *open_tasks):
            await self.scorer.score_task(self._requests(run, task, answers.get(task.id, ()), model, benchmark))
        self.evaluator.runs[run] = ev.Run(
            run_id=run,
            specification=ev.RunSpecification(model=model),
            suite="suite",
            benchmark=benchmark,
            status=ev.RUN_STATUS_FINISHED,
            counts=counts,
            partial=True,
            plan=1,
        )

    async def _requests(
        self, run: str, task: Task, answers: Sequence[str], model: str, benchmark: str
    ) -> AsyncIterator[sc.ScoreTaskRequest]:
        description = sc.TaskDescription(
            key=task.id,
            name=task.name,
            sheet=task.sheet,
            modality=task.modality.value,
            paradigm=task.paradigm.value if task.paradigm else "",
            metric=task.metric.id,
            metric_label=task.metric.label,
        )
        if task.reference_workbook is not None:
            description.reference = task.reference_workbook
        yield sc.ScoreTaskRequest(
            header=sc.ScoreTaskHeader(run_id=run, model=model, suite="suite", benchmark=benchmark, task=description, plan=1)
        )
        yield sc.ScoreTaskRequest(
            instances=[
                sc.InstanceAnswer(
                    id=f"q{number}",
                    outcome=sc.OUTCOME_ANSWERED,
                    raw_answer=answer,
                    answer_type="choice",
                    label_json=f'"{"AB"[number % 2]}"',
                    options=["x", "y"],
                )
                for number, answer in enumerate(answers)
            ]
            or [sc.InstanceAnswer(id="q0", outcome=sc.OUTCOME_FAILED, answer_type="choice", label_json='"A"', options=["x", "y"])]
        )


def choices(right: int, total: int) -> list[str]:
    """Answers of which so many are right, the first ones."""
    return ["AB"[(number + (number >= right)) % 2] for number in range(total)]
