"""A run's answers beside what the scorer made of them: what ``show`` and ``export`` print of single instances."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from genlevel.cli.documents import answer_document
from genlevel.cli.exported import ExportedTasks
from genlevel.runtime.errors import NotFoundError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.cli.connection import VerdictPort
    from genlevel.runtime.documents import Document


class ScoredAnswers:
    """A run's answers with what the scorer made of each. Scores are looked up a task at a time, since answers come task by task."""

    def __init__(self, scorer: VerdictPort, run: ev.Run, tasks: ExportedTasks) -> None:
        self._scorer = scorer
        self._run_id = run.run_id
        self._tasks = tasks
        self._last: tuple[str, dict[str, sc.ListInstancesResponse]] | None = None

    async def entry(self, answer: ev.ListAnswersResponse) -> Document:
        """The answer's document with its "score", which may be None. If the scorer could not read it: unparsable, and why."""
        entry = answer_document(answer)
        scored = (await self._scored(answer.task)).get(answer.instance_id)
        if scored is not None and scored.outcome == sc.OUTCOME_UNPARSABLE and answer.outcome == sc.OUTCOME_ANSWERED:
            entry |= {"outcome": "unparsable", "error": entry["error"] or self._why(answer)}
        return {**entry, "score": scored.score if scored is not None and scored.HasField("score") else None}

    async def _scored(self, task: str) -> dict[str, sc.ListInstancesResponse]:
        if self._last is None or self._last[0] != task:
            found: dict[str, sc.ListInstancesResponse] = {}
            with contextlib.suppress(NotFoundError):  # not scored yet
                async for one in self._scorer.list_instances(sc.ListInstancesRequest(run_id=self._run_id, task=task)):
                    found[one.instance_id] = one
            self._last = task, found
        return self._last[1]

    def _why(self, answer: ev.ListAnswersResponse) -> str:
        task = self._tasks.get(answer.task)
        if task is not None and (why := task.why_unread(answer)):
            return why
        return "no answer of the task's type could be read" if answer.raw_answer.strip() or answer.files else "the answer is empty"
