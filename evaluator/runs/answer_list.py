"""Single answers of a run as a person asks for them: what was asked, answered and expected, by whom it was rated, where its files lie."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from evaluator.journal.journal import Journal
from evaluator.journal.messages import answer_message, judgement_message
from evaluator.journal.records import Answer, RunRecord
from evaluator.planning.plans import Plan
from evaluator.planning.prompts import PromptSet, prompt_text
from genlevel.benchmark.model import Instance, SuiteTask
from genlevel.benchmark.outcomes import Outcome
from genlevel.benchmark.ratings import Rating, resolve_ratings
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import GenlevelError, NotFoundError, StorageError, UsageError
from genlevel.runtime.files import FileCache, suffix_of
from genlevel.runtime.shown import quoted
from genlevel.v1 import evaluator_pb2 as ev


class AnswerList:
    """Reads a journal for people.

    Args:
        files: where media of answers are found as files of this machine.
        plan_of: the plan of a stored run, which needs its suite to be where it was.
    """

    def __init__(
        self,
        journal: Journal,
        blobs: BlobStore,
        files: FileCache,
        prompts: PromptSet,
        *,
        plan_of: Callable[[RunRecord], Awaitable[Plan]],
    ) -> None:
        self._journal = journal
        self._blobs = blobs
        self._files = files
        self._prompts = prompts
        self._plan_of = plan_of

    async def answers(self, record: RunRecord, request: ev.ListAnswersRequest) -> AsyncIterator[ev.ListAnswersResponse]:
        """Journalled answers; if one instance is asked for, with its prompt, label and ratings.

        Raises NotFoundError if there is no answer to that instance.
        """
        if request.judge_failures:
            for response in await asyncio.to_thread(self._judge_failures, record.run_id):
                yield response
            return
        answers = self._journal.list_answers(record.run_id, outcomes=_outcomes(request.outcomes), instance=request.instance)
        found = False
        while (answer := await asyncio.to_thread(next, answers, None)) is not None:
            found = True
            response = answer_message(answer)
            await asyncio.to_thread(self._name_files, response)
            if request.instance:
                await self._add_question(record, answer, response)
                response.ratings.extend(await asyncio.to_thread(self._ratings, answer))
            yield response
        if request.instance and not found:
            raise NotFoundError(f"run {record.run_id} has no answer to an instance {quoted(request.instance)}")

    def _judge_failures(self, run_id: str) -> list[ev.ListAnswersResponse]:
        """Answers that the run's judge failed on, with its failure."""
        kept = self._journal.judgements
        judge = kept.judge_of(run_id)
        found = []
        for judgement in kept.failures(judge) if judge is not None else ():
            answer = self._journal.answers_to(run_id, judgement.task, [judgement.key]).get(judgement.key)
            if answer is not None:
                found.append(answer_message(answer))
                found[-1].ratings.append(judgement_message(judgement))
        return found

    def _ratings(self, answer: Answer) -> list[ev.AnswerRating]:
        """All ratings of an answer: by every judge that was asked, and by people."""
        kept = self._journal.judgements
        people = kept.people_of(answer.run_id, answer.task, [answer.key]).get(answer.key, {})
        judged = kept.about(answer.run_id, answer.task, answer.key)
        return [*map(judgement_message, judged), *(ev.AnswerRating(rater=who, rating=given) for who, given in people.items())]

    def _name_files(self, response: ev.ListAnswersResponse) -> None:
        """Says where the answer's files lie, as far as they lie on this machine."""
        with self._files.lease() as lease:
            for file in response.files:
                with contextlib.suppress(StorageError):  # the answer is shown all the same
                    if self._blobs.local_path(file.blob.sha256) is not None:
                        file.path = lease.path(file.blob.sha256, suffix_of(file.mime_type))

    async def _add_question(self, record: RunRecord, answer: Answer, response: ev.ListAnswersResponse) -> None:
        with contextlib.suppress(GenlevelError):  # the suite may have moved since: the answer is shown all the same
            plan = await self._plan_of(record)
            planned = next((planned for planned in plan.tasks if planned.task.key == answer.task), None)
            if planned is None:
                return

            def find() -> Instance | None:
                return next((one for one in planned.task.instances(planned.positions) if one.id == answer.instance_id), None)

            if (instance := await asyncio.to_thread(find)) is not None:
                template = self._prompts.for_instance(instance)
                response.prompt = prompt_text(instance, template) if template else instance.prompt
                response.label_json = json.dumps(instance.label, ensure_ascii=False)
                response.media.extend(str(media.path) for media in instance.media)


def _outcomes(numbers: Iterable[int]) -> list[Outcome]:
    try:
        return [Outcome.of(number) for number in numbers]
    except ValueError as error:
        raise UsageError(str(error)) from None


def keep_ratings(journal: Journal, run_id: str, plan: Plan, written: Iterable[ev.WrittenRating]) -> tuple[str, ...]:
    """Stores people's ratings of a run's answers, all or none. Returns what was left out; raises DatasetError, a line for each problem."""
    asked = {planned.task.key: planned for planned in plan.tasks}

    def ids_of(task: SuiteTask) -> frozenset[str]:
        return frozenset(instance.id for instance in task.instances(asked[task.key].positions))

    rows = [Rating(row.task, row.instance, row.rater, row.rating, row.where) for row in written]
    found = resolve_ratings(rows, [planned.task for planned in plan.tasks], ids_of)
    journal.judgements.store_people(run_id, found.tasks)
    return found.notes
