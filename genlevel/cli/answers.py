"""A run's answers beside what the scorer made of them: what ``show`` and ``export`` print of single instances."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from genlevel.cli.documents import answer_document
from genlevel.runtime.errors import NotFoundError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.cli.connection import VerdictPort
    from genlevel.cli.exported import ExportedTasks
    from genlevel.runtime.documents import Document

Scored = dict[str, sc.ListInstancesResponse]


class ScoredAnswers:
    """A run's answers with what the scorer made of each.

    run_id: of the run; "" if all answers come with it.
    tasks: of the run's suite, to say why an answer that came without its question cannot be read; None if all come with it.
    """

    def __init__(self, scorer: VerdictPort, run_id: str = "", tasks: ExportedTasks | None = None) -> None:
        self._scorer = scorer
        self._run_id = run_id
        self._tasks = tasks
        self._last: tuple[str, Scored] | None = None

    async def entry(self, answer: ev.ListAnswersResponse) -> Document:
        """The answer's document. Scores are looked up a task at a time, since a run's answers come task by task."""
        if self._last is None or self._last[0] != answer.task:
            self._last = answer.task, await self._scored(self._run_id, answer.task)
        return self._entry(answer, self._last[1])

    async def few(self, answers: Sequence[ev.ListAnswersResponse]) -> list[Document]:
        """Documents of a part of a run's answers, in their order: only of these are scores looked up."""
        by_task: dict[str, list[ev.ListAnswersResponse]] = {}
        for answer in answers:
            by_task.setdefault(answer.task, []).append(answer)
        scored = {
            task: await self._scored(self._run_id or some[0].run_id, task, [answer.instance_id for answer in some])
            for task, some in by_task.items()
        }
        return [self._entry(answer, scored[answer.task]) for answer in answers]

    async def _scored(self, run_id: str, task: str, instances: Collection[str] = ()) -> Scored:
        """What the scorer made of a task's answers, by instance; empty if the task is not scored yet. instances: only of these."""
        found = Scored()
        with contextlib.suppress(NotFoundError):
            async for one in self._scorer.list_instances(sc.ListInstancesRequest(run_id=run_id, task=task, instances=instances)):
                found[one.instance_id] = one
        return found

    def unscored(self, answer: ev.ListAnswersResponse, *, unparsable: bool = False) -> Document:
        """An answer's document without its score. unparsable: the scorer could not read it; the document says why."""
        entry = answer_document(answer)
        if unparsable and answer.outcome == sc.OUTCOME_ANSWERED:
            entry |= {"outcome": "unparsable", "error": entry["error"] or self._why(answer)}
        return entry

    def _entry(self, answer: ev.ListAnswersResponse, known: Scored) -> Document:
        """An answer's document with its "score", which may be None. If the scorer could not read it: unparsable, and why."""
        scored = known.get(answer.instance_id)
        entry = self.unscored(answer, unparsable=scored is not None and scored.outcome == sc.OUTCOME_UNPARSABLE)
        return {**entry, "score": scored.score if scored is not None and scored.HasField("score") else None}

    def _why(self, answer: ev.ListAnswersResponse) -> str:
        if answer.answer_type:
            why = why_unread(answer)
        else:
            task = self._tasks.get(answer.task) if self._tasks is not None else None
            why = task.why_unread(answer) if task is not None else ""
        if why:
            return why
        return "no answer of the task's type could be read" if answer.raw_answer.strip() or answer.files else "the answer is empty"


def why_unread(answer: ev.ListAnswersResponse) -> str:
    """Why no answer can be read, in the parser's words; "" if one can. The answer has come with its question."""
    from genlevel.benchmark.answer_kinds import AnswerType
    from scorer.parsers import Unparsable, parse_answer

    files = tuple(file.path or file.blob.sha256 for file in answer.files)
    read = parse_answer(AnswerType(answer.answer_type), answer.raw_answer, tuple(answer.options), files)
    return read.reason if isinstance(read, Unparsable) else ""
