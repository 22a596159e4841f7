"""A run's answers beside what the scorer made of them: what ``show``, ``compare`` and ``export`` print of single instances."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.documents.foreign_json import read_json
from genlevel.documents.runs import answer_document
from genlevel.documents.words import number
from genlevel.runtime.errors import NotFoundError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.connection.services import RunsPort, VerdictPort
    from genlevel.runtime.documents import Document

Scored = dict[AnswerKey, sc.ListInstancesResponse]
NOT_KEPT = "not kept; rescore the run"
"""Said of what was read in answers that were scored by an older version."""
_COUNTS_AS_WRONG = {
    sc.OUTCOME_REFUSED: "refused, which counts as wrong",
    sc.OUTCOME_UNSUPPORTED: "not asked, as the model does not take or make its modality",
    sc.OUTCOME_FAILED: "failed, so its task is incomplete",
    sc.OUTCOME_PENDING: "not asked yet",
}
_NOT_JUDGED = {sc.OUTCOME_FAILED: "the judge failed on it", sc.OUTCOME_PENDING: "not judged yet"}


def key_of(answer: ev.ListAnswersResponse | sc.ListInstancesResponse) -> AnswerKey:
    """Which answer of its task it is."""
    return AnswerKey(answer.instance_id, answer.variant, answer.repeat, answer.shuffle)


class ScoredAnswers:
    """A run's answers with what the scorer made of each. run_id: of the run; "" if all answers come with it."""

    def __init__(self, scorer: VerdictPort, run_id: str = "") -> None:
        self._scorer = scorer
        self._run_id = run_id
        self._last: tuple[str, Scored] | None = None

    async def entry(self, answer: ev.ListAnswersResponse) -> Document:
        """The answer's document. Scores are looked up a task at a time, since a run's answers come task by task."""
        if self._last is None or self._last[0] != answer.task:
            self._last = answer.task, await self.of_task(answer.task)
        return scored_document(answer, self._last[1].get(key_of(answer)))

    async def of_task(self, task: str, instances: Collection[str] = ()) -> Scored:
        """What the scorer made of all answers of a task, or of these instances; empty if the task is not scored yet."""
        return await self._scored(self._run_id, task, instances)

    async def few(self, answers: Sequence[ev.ListAnswersResponse]) -> list[Document]:
        """Documents of a part of a run's answers, in their order: only of these are scores looked up."""
        by_task: dict[str, list[ev.ListAnswersResponse]] = {}
        for answer in answers:
            by_task.setdefault(answer.task, []).append(answer)
        scored = {
            task: await self._scored(self._run_id or some[0].run_id, task, [answer.instance_id for answer in some])
            for task, some in by_task.items()
        }
        return [scored_document(answer, scored[answer.task].get(key_of(answer))) for answer in answers]

    async def _scored(self, run_id: str, task: str, instances: Collection[str] = ()) -> Scored:
        """What the scorer made of a task's answers; empty if the task is not scored yet. instances: only of these."""
        request = sc.ListInstancesRequest(run_id=run_id, task=task, instances=instances, readings=True)
        return {key_of(one): one async for one in instances_of(self._scorer, request)}


async def instances_of(scorer: VerdictPort, request: sc.ListInstancesRequest) -> AsyncIterator[sc.ListInstancesResponse]:
    """What the scorer has of a run's instances; none if nothing is scored yet."""
    with contextlib.suppress(NotFoundError):
        async for one in scorer.list_instances(request):
            yield one


async def asked_answers(
    evaluator: RunsPort, run_id: str, instances: Iterable[sc.ListInstancesResponse]
) -> dict[tuple[str, AnswerKey], ev.ListAnswersResponse]:
    """The answers to these instances with their questions, by task and key."""
    wanted: dict[str, dict[str, None]] = {}
    for one in instances:
        wanted.setdefault(one.task, {})[one.instance_id] = None
    within = [ev.TaskInstances(task=task, ids=ids) for task, ids in wanted.items()]
    if not within:
        return {}
    request = ev.ListAnswersRequest(run_id=run_id, within=within)
    return {(answer.task, key_of(answer)): answer async for answer in evaluator.list_answers(request)}


def scored_document(answer: ev.ListAnswersResponse, scored: sc.ListInstancesResponse | None) -> Document:
    """One answer with what the scorer made of it. scored: None if its task is not scored yet."""
    entry = answer_document(answer)
    unread = scored is not None and scored.outcome == sc.OUTCOME_UNPARSABLE and answer.outcome == sc.OUTCOME_ANSWERED
    if unread:
        entry["outcome"] = "unparsable"
    if scored is not None:
        entry["error"] = entry["error"] or scored.reason or (f"why is {NOT_KEPT}" if unread else "")
    return {
        **entry,
        "parsed": parsed_of(scored),
        "parsed_cut": scored is not None and scored.parsed_cut,
        "score": score_of(scored),
        "why": _why(answer, scored, entry),
    }


def parsed_of(scored: sc.ListInstancesResponse | None) -> object:
    """The answer that was read; None if none was, or if that is not kept."""
    return read_json(scored.parsed_json) if scored is not None and scored.parsed_json else None


def score_of(scored: sc.ListInstancesResponse | None) -> float | None:
    return scored.score if scored is not None and scored.HasField("score") else None


def _why(answer: ev.ListAnswersResponse, scored: sc.ListInstancesResponse | None, entry: Mapping[str, object]) -> str:
    """Why the answer has its score, or none, in a few words."""
    if answer.outcome != sc.OUTCOME_ANSWERED:
        return _COUNTS_AS_WRONG.get(answer.outcome, "")
    if scored is None:
        return "not scored yet"
    if scored.outcome == sc.OUTCOME_UNPARSABLE:
        return f"no answer could be read, which counts as wrong: {entry['error']}"
    if scored.outcome in _NOT_JUDGED:
        return _NOT_JUDGED[scored.outcome]
    if not scored.HasField("score"):
        return f"not measured: {scored.reason}" if scored.reason else "single instances have no score by this metric"
    return verdict_on(scored.score, scored.best)


def verdict_on(score: float, best: float) -> str:
    """A score of one instance in words. best: the best there is; 0 of an error."""
    if abs(score - best) <= 1e-9:
        return "right"
    if best == 0.0:
        return "an error, of which 0 is the best"
    return "wrong" if score == 0.0 else f"partly right, at most {number(best)}"
