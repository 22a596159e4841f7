"""Single answers of a run as a person asks for them: what was asked, answered and expected, by whom it was rated, where its files lie."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice

from evaluator.journal.journal import Journal
from evaluator.journal.messages import answer_message, judgement_message
from evaluator.journal.records import Answer, RunRecord
from evaluator.planning.plans import Plan
from evaluator.planning.prompts import PromptSet, prompt_text
from evaluator.planning.suites import Suites
from genlevel.benchmark.model import Instance, SuiteTask
from genlevel.benchmark.outcomes import Outcome
from genlevel.benchmark.ratings import Rating, resolve_ratings
from genlevel.benchmark.suites import find_instances
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import GenlevelError, NotFoundError, StorageError, UsageError
from genlevel.runtime.files import FileCache, suffix_of
from genlevel.runtime.shown import quoted
from genlevel.v1 import evaluator_pb2 as ev

_CHUNK = 200


class AnswerList:
    """Reads a journal for people. files: where media of answers are found as files of this machine."""

    def __init__(self, journal: Journal, blobs: BlobStore, files: FileCache, prompts: PromptSet, suites: Suites) -> None:
        self._journal = journal
        self._blobs = blobs
        self._files = files
        self._prompts = prompts
        self._suites = suites

    async def answers(self, record: RunRecord, request: ev.ListAnswersRequest) -> AsyncIterator[ev.ListAnswersResponse]:
        """Journalled answers; those to instances that are asked for with their prompts, labels and ratings.

        Raises NotFoundError if there is no answer to the one instance that is asked for.
        """
        if request.judge_failures:
            for response in await self._journal.reads(self._judge_failures, record.run_id):
                yield response
        elif request.instance or request.within:
            found = await self._journal.reads(self._asked, record, request)
            if not found and request.instance:
                raise NotFoundError(f"run {record.run_id} has no answer to an instance {quoted(request.instance)}")
            for response in found:
                yield response
        else:
            answers, chunk = await self._journal.reads(self._first, record.run_id, _outcomes(request.outcomes))
            while chunk:  # a list that has begun is not begun again
                for response in chunk:
                    yield response
                chunk = await asyncio.to_thread(self._shown, answers)

    def _first(self, run_id: str, outcomes: list[Outcome]) -> tuple[Iterator[Answer], list[ev.ListAnswersResponse]]:
        answers = self._journal.list_answers(run_id, outcomes=outcomes)
        return answers, self._shown(answers)

    def _shown(self, answers: Iterator[Answer]) -> list[ev.ListAnswersResponse]:
        """The next few answers, without their questions; none at the end."""
        responses = [answer_message(answer) for answer in islice(answers, _CHUNK)]
        for response in responses:
            self._name_files(response)
        return responses

    def _asked(self, record: RunRecord, request: ev.ListAnswersRequest) -> list[ev.ListAnswersResponse]:
        """The answers to the instances that are asked for, with all that is known of them."""
        answers = list(self._looked_up(record, request))
        wanted: dict[str, list[str]] = {}
        for answer in answers:
            wanted.setdefault(answer.task, []).append(answer.instance_id)
        instances: dict[str, dict[str, Instance]] = {}
        with contextlib.suppress(GenlevelError):  # the suite may have moved since: the answers are shown all the same
            instances = find_instances(self._suites.place_again(json.loads(record.specification)["suite"]), wanted)
        responses, rated = [], self._journal.judgements.are_there(record.run_id)
        for answer in answers:
            response = answer_message(answer)
            response.run_id = answer.run_id
            self._name_files(response)
            if (instance := instances.get(answer.task, {}).get(answer.instance_id)) is not None:
                self._add_question(instance, response)
            if rated:
                response.ratings.extend(self._ratings(answer))
            responses.append(response)
        return responses

    def _looked_up(self, record: RunRecord, request: ev.ListAnswersRequest) -> Iterator[Answer]:
        """By the journal's key, so that a large run is not read through."""
        tasks = [key for key, _count in json.loads(record.plan)]
        outcomes = _outcomes(request.outcomes)
        for some in request.within:
            for start in range(0, len(some.ids), _CHUNK):
                ids = some.ids[start : start + _CHUNK]
                yield from self._journal.list_answers(record.run_id, outcomes=outcomes, tasks=[some.task], instances=ids)
        if name := request.instance:
            yield from self._journal.list_answers(record.run_id, outcomes=outcomes, tasks=tasks, instances=[name])
            for task in tasks:
                if name.startswith(f"{task}/"):
                    rest = name.removeprefix(f"{task}/")
                    yield from self._journal.list_answers(record.run_id, outcomes=outcomes, tasks=[task], instances=[rest])

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
        if not response.files:
            return
        with self._files.lease() as lease:
            for file in response.files:
                with contextlib.suppress(StorageError):  # the answer is shown all the same
                    if self._blobs.local_path(file.blob.sha256) is not None:
                        file.path = lease.path(file.blob.sha256, suffix_of(file.mime_type))

    def _add_question(self, instance: Instance, response: ev.ListAnswersResponse) -> None:
        template = self._prompts.for_instance(instance)
        response.prompt = prompt_text(instance, template) if template else instance.prompt
        response.label_json = json.dumps(instance.label, ensure_ascii=False)
        response.media.extend(str(media.path) for media in instance.media)
        response.answer_type = instance.answer_type.value
        response.options.extend(instance.options)


def _outcomes(numbers: Iterable[int]) -> list[Outcome]:
    try:
        return [Outcome.of(number) for number in dict.fromkeys(numbers)]
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
