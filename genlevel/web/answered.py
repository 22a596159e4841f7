"""One answer with all that is known of it: what was asked, what came, what was read, and the other answers to the same question."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from genlevel.documents.answers import instances_of, key_of, scored_document
from genlevel.runtime.errors import NotFoundError
from genlevel.runtime.shown import quoted
from genlevel.runtime.threads import in_thread
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from genlevel.web.places import AnswerPlace

if TYPE_CHECKING:
    from genlevel.connection.services import Services
    from genlevel.runtime.documents import Document


@dataclass(frozen=True, slots=True)
class Other:
    """Another answer to the same question. outcome: as it was scored, if it was."""

    place: AnswerPlace
    outcome: int
    score: float | None


@dataclass(frozen=True, slots=True)
class Answered:
    """entry: the answer's document (genlevel.documents.answers). others: to the same question, itself among them, by their keys."""

    place: AnswerPlace
    answer: ev.ListAnswersResponse
    scored: sc.ListInstancesResponse | None
    entry: Document
    others: tuple[Other, ...]

    @property
    def picture_size(self) -> tuple[int, int] | None:
        """Width and height in pixels of the question's pictures; None if they are not known, or not all alike."""
        sizes = {(fact.width, fact.height) for fact in self.answer.question_media if fact.width and fact.height}
        return sizes.pop() if len(sizes) == 1 else None


async def answered(services: Services, place: AnswerPlace) -> Answered:
    """Raises NotFoundError if there is no such answer, and other GenlevelErrors."""
    within = [ev.TaskInstances(task=place.task, ids=[place.instance])]
    request = ev.ListAnswersRequest(run_id=place.run, within=within, whole=True)
    answers = {key_of(answer): answer async for answer in services.evaluator.list_answers(request)}
    found = answers.get(place.key)
    if found is None:
        raise NotFoundError(f"run {quoted(place.run)} has no answer to {quoted(place.instance)} of the task {quoted(place.task)}")
    asked = sc.ListInstancesRequest(run_id=found.run_id, task=place.task, instances=[place.instance], readings=True)
    scored = {key_of(one): one async for one in instances_of(services.scorer, asked)}
    others = tuple(
        Other(AnswerPlace.of(place.run, answer), scored[key].outcome if key in scored else answer.outcome, _score(scored.get(key)))
        for key, answer in sorted(answers.items())
    )
    one = scored.get(place.key)
    entry = await in_thread(partial(scored_document, found, one), name="genlevel-answer")
    return Answered(place, found, one, entry, others)


def _score(scored: sc.ListInstancesResponse | None) -> float | None:
    return scored.score if scored is not None and scored.HasField("score") else None
