"""Single answers of a run as a person asks for them: what was asked, answered and expected, by whom it was rated, where its files lie."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from evaluator.journal.journal import Journal
from evaluator.journal.messages import answer_message, judgement_message
from evaluator.journal.records import Answer, RunRecord
from evaluator.planning.plans import Plan
from evaluator.planning.prompts import PromptSet
from evaluator.planning.suites import Suites
from evaluator.runs.questions import Questions, label_facts, question_facts
from genlevel.benchmark.last_tasks import LastTasks
from genlevel.benchmark.model import Instance, SuiteTask
from genlevel.benchmark.outcomes import Outcome
from genlevel.benchmark.ratings import Rating, resolve_ratings
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import GenlevelError, NotFoundError, StorageError, UsageError
from genlevel.runtime.files import FileCache, suffix_of
from genlevel.runtime.shown import quoted
from genlevel.v1 import evaluator_pb2 as ev

_CHUNK = 200


_Listed = tuple[Iterator[Answer], Questions | None]


class AnswerList:
    """Reads a journal for people. files: where media of answers are found as files of this machine.

    prompts: of a version, read when one is shown.
    """

    def __init__(self, journal: Journal, blobs: BlobStore, files: FileCache, prompts: Callable[[str], PromptSet], suites: Suites) -> None:
        self._journal = journal
        self._blobs = blobs
        self._files = files
        self._prompts = prompts
        self._suites = suites
        self._last = LastTasks()

    async def answers(self, record: RunRecord, request: ev.ListAnswersRequest) -> AsyncIterator[ev.ListAnswersResponse]:
        """Journalled answers; those to instances that are asked for with their prompts, labels and ratings; to a single one with the facts
        of its media.

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
        elif request.whole:
            kept, some = await self._journal.reads(self._first_whole, record.run_id)
            while some:
                for response in some:
                    yield response
                some = await asyncio.to_thread(self._whole, kept)
        else:
            answers, chunk = await self._journal.reads(self._first, record, request)
            while chunk:  # a list that has begun is not begun again
                for response in chunk:
                    yield response
                chunk = await asyncio.to_thread(self._shown, *answers)

    def _first_whole(self, run_id: str) -> tuple[Iterator[Answer], list[ev.ListAnswersResponse]]:
        answers = self._journal.list_answers(run_id)
        return answers, self._whole(answers)

    def _whole(self, answers: Iterator[Answer]) -> list[ev.ListAnswersResponse]:
        """The next few answers with all that another journal needs; none at the end."""
        chunk = list(islice(answers, _CHUNK))
        responses = [answer_message(answer, whole=True) for answer in chunk]
        if chunk and self._journal.judgements.are_there(chunk[0].run_id):
            for answer, response in zip(chunk, responses, strict=True):
                response.ratings.extend(self._ratings(answer, whole=True))
        return responses

    def _first(self, record: RunRecord, request: ev.ListAnswersRequest) -> tuple[_Listed, list[ev.ListAnswersResponse]]:
        outcomes = _outcomes(request.outcomes)
        questions = None
        if request.questions:
            questions = self._questions(record, self._journal.answered_ids(record.run_id, outcomes=outcomes))
        listed = self._journal.list_answers(record.run_id, outcomes=outcomes), questions
        return listed, self._shown(*listed)

    def _shown(self, answers: Iterator[Answer], questions: Questions | None) -> list[ev.ListAnswersResponse]:
        """The next few answers; none at the end. questions: None if they are not wanted."""
        responses = []
        for answer in islice(answers, _CHUNK):
            response = answer_message(answer)
            self._name_files(response)
            if questions is not None and (instance := questions.of(answer)) is not None:
                self._add_question(instance, questions.prompt_of(instance), response)
            responses.append(response)
        return responses

    def _questions(self, record: RunRecord, asked: Mapping[str, Sequence[str]]) -> Questions:
        frames = int(json.loads(record.specification).get("videoFrames", 0))
        return Questions(self._last, self._place(record), asked, self._prompts(record.prompt_version), frames)

    def _place(self, record: RunRecord) -> str | Path | None:
        """Where the run's suite lies; None if it is no longer there: its answers are shown all the same."""
        with contextlib.suppress(GenlevelError):
            return self._suites.place_again(json.loads(record.specification)["suite"])
        return None

    def _asked(self, record: RunRecord, request: ev.ListAnswersRequest) -> list[ev.ListAnswersResponse]:
        """The answers to the instances that are asked for, with all that is known of them."""
        answers = list(self._looked_up(record, request))
        wanted: dict[str, list[str]] = {}
        for answer in answers:
            wanted.setdefault(answer.task, []).append(answer.instance_id)
        questions = self._questions(record, wanted)
        responses, rated = [], self._journal.judgements.are_there(record.run_id)
        few = len({(answer.task, answer.instance_id) for answer in answers}) == 1
        for answer in answers:
            response = answer_message(answer, whole=request.whole)
            self._name_files(response)
            if (instance := questions.of(answer)) is not None:
                self._add_question(instance, questions.prompt_of(instance), response)
                if few:
                    response.question_media.extend(question_facts(instance))
                    response.label_media.extend(label_facts(instance))
            if rated:
                response.ratings.extend(self._ratings(answer, whole=request.whole))
            responses.append(response)
        return responses

    def instance_of(self, record: RunRecord, answer: Answer) -> Instance | None:
        """What an answer of the run is to; None if the suite does not have it any more. Blocks."""
        return self._questions(record, {answer.task: [answer.instance_id]}).of(answer)

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

    def _ratings(self, answer: Answer, *, whole: bool = False) -> list[ev.AnswerRating]:
        """All ratings of an answer: by every judge that was asked, and by people."""
        kept = self._journal.judgements
        people = kept.people_of(answer.run_id, answer.task, [answer.key]).get(answer.key, {})
        judged = kept.about(answer.run_id, answer.task, answer.key)
        by_judges = [judgement_message(judgement, whole=whole) for judgement in judged]
        return [*by_judges, *(ev.AnswerRating(rater=who, rating=given) for who, given in people.items())]

    def _name_files(self, response: ev.ListAnswersResponse) -> None:
        """Says where the answer's files lie, as far as they lie on this machine."""
        if not response.files:
            return
        with self._files.lease() as lease:
            for file in response.files:
                with contextlib.suppress(StorageError):  # the answer is shown all the same
                    if self._blobs.local_path(file.blob.sha256) is not None:
                        file.path = lease.path(file.blob.sha256, suffix_of(file.mime_type))

    @staticmethod
    def _add_question(instance: Instance, prompt: str, response: ev.ListAnswersResponse) -> None:
        response.prompt = prompt
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
    """Stores people's ratings of a run's answers, all or none. Returns what was left out.

    Raises DatasetError, a line for each problem; UsageError if instances have several answers, of which a rating names none.
    """
    if plan.repeats > 1:
        raise UsageError(f"people rate runs that ask each instance once, and run {run_id} asks each {plan.repeats} times")
    asked = {planned.task.key: planned for planned in plan.tasks}

    def ids_of(task: SuiteTask) -> frozenset[str]:
        return frozenset(instance.id for instance in task.instances(asked[task.key].positions))

    rows = [Rating(row.task, row.instance, row.rater, row.rating, row.where) for row in written]
    found = resolve_ratings(rows, [planned.task for planned in plan.tasks], ids_of)
    journal.judgements.store_people(run_id, found.tasks)
    return found.notes
