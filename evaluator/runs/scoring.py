"""Sends a task's journalled answers with its labels to the scorer. Calls no model, so it can be repeated at any time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Protocol

import orjson

from evaluator.journal.files import stored_files
from evaluator.journal.journal import Journal
from evaluator.journal.records import RunRecord, Said
from evaluator.planning.plans import Plan, TaskPlan
from evaluator.ports import ScorerPort
from evaluator.runs.indexing import indexed_after, outdated_by, question_of
from evaluator.runs.ratings import TaskRatings, ratings_of
from evaluator.runs.records import facts_of
from evaluator.runs.sent_files import SentFiles
from genlevel.benchmark.annotation import fingerprint
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.answer_kinds import KINDS
from genlevel.benchmark.clusters import cluster_of
from genlevel.benchmark.content import suite_content, task_content
from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.metrics import METRICS, Kind
from genlevel.benchmark.model import Benchmark, Instance, SuiteTask, Task
from genlevel.benchmark.outcomes import Outcome
from genlevel.benchmark.pictures import sizes_of
from genlevel.benchmark.suites import load_benchmark
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import CallerUnknown, DatasetError
from genlevel.v1 import scorer_pb2 as sc

_CHUNK = 200
_CHUNK_BYTES = 8 << 20


def describe(task: SuiteTask) -> sc.TaskDescription:
    """A suite's task as the scorer is told of it."""
    description = sc.TaskDescription(
        key=task.key,
        name=task.name,
        sheet=task.task.sheet if task.task else "",
        modality=task.modality.value,
        paradigm=task.paradigm.value if task.paradigm else "",
        unlisted=task.task is None,
        fingerprint=task.fingerprint,
        content=task_content(task),
    )
    if task.metric is not None:
        description.metric = task.metric.id
        description.metric_label = task.metric.label
        description.metric_parameters.update(dict(task.metric.parameters))
    return description


def describe_benchmark(benchmark: Benchmark) -> list[sc.TaskDescription]:
    """All tasks of a benchmark that the scorer does not ship."""
    return [_describe_listed(task) for task in benchmark.tasks]


def _describe_listed(task: Task) -> sc.TaskDescription:
    return sc.TaskDescription(
        key=task.id,
        name=task.name,
        sheet=task.sheet,
        modality=task.modality.value,
        paradigm=task.paradigm.value if task.paradigm else "",
        metric=task.metric.id,
        metric_label=task.metric.label,
        metric_parameters=dict(task.metric.parameters),
        reference=task.reference_workbook,
    )


def header_of(plan: Plan, record: RunRecord, suite_hash: str) -> sc.ScoreTaskHeader:
    """What the scorer is told of a run with every task. suite_hash: of the suite's content; "" if it is not known."""
    header = sc.ScoreTaskHeader(
        run_id=record.run_id,
        model=plan.specification.model,
        suite=record.suite,
        benchmark=record.benchmark,
        partial=plan.is_sampled,
        suite_hash=suite_hash,
        part=plan.is_sampled or len(plan.tasks) < len(plan.suite.tasks),
        plan=record.plan_number,
    )
    if (facts := facts_of(record)) is not None:
        header.facts.CopyFrom(facts)
    if load_benchmark(record.benchmark) is None:
        header.benchmark_tasks.extend(describe_benchmark(plan.suite.benchmark))
    return header


def begun(header: sc.ScoreTaskHeader, tasks: Sequence[TaskPlan]) -> sc.BeginRunRequest:
    """What the scorer is told of a run before anything is asked. Counts suffice: no instance is read."""
    pending = [sc.PendingTask(task=describe(planned.task), instances=planned.answers) for planned in tasks]
    return sc.BeginRunRequest(header=header, tasks=pending)


class Kept(Protocol):
    """Where answers are kept, and who scores them: evaluator.runs.context.Context is one."""

    @property
    def journal(self) -> Journal: ...
    @property
    def blobs(self) -> BlobStore: ...
    @property
    def scorer(self) -> ScorerPort: ...


async def score_again(kept: Kept, plan: Plan, record: RunRecord) -> None:
    """Scores a stored run as it was scored while it went on: tasks without any answer stay pending. Raises GenlevelError.

    The scores are of the data that they are computed with, which may have changed since it was asked.
    """
    header = header_of(plan, record, await asyncio.to_thread(suite_content, plan.suite))
    await kept.scorer.begin_run(begun(header, plan.tasks))
    for planned in plan.tasks:
        if await kept.journal.reads(kept.journal.outcome_counts, record.run_id, planned.task.key):
            await score_task(kept, header, planned)


async def score_task(
    context: Kept,
    header: sc.ScoreTaskHeader,
    planned: TaskPlan,
    instances: Sequence[Instance] | None = None,
    said: Mapping[AnswerKey, Said] | None = None,
    *,
    indexes: bool = True,
) -> sc.TaskScore:
    """Scores one task of the header's run from its journal. Raises GenlevelError (dataset, journal, blob store or scorer).

    instances: those that are planned, if they need not be read again. said: what the journal has of all answers, likewise. indexes: its
    answers are indexed for whoever searches them; else that is done when somebody does.
    """
    if header.facts.occasion or not indexes:  # of the many runs of monitors only few are ever looked into: those are indexed then
        async with outdated_by(context, header.run_id, planned.task.key):
            return await _scored(context, header, planned, instances=instances, said=said, questions={})
    async with indexed_after(context, header.run_id, planned.task.key) as questions:
        return await _scored(context, header, planned, instances=instances, said=said, questions=questions)


async def _scored(
    context: Kept,
    header: sc.ScoreTaskHeader,
    planned: TaskPlan,
    *,
    instances: Sequence[Instance] | None,
    said: Mapping[AnswerKey, Said] | None,
    questions: dict[str, str],
) -> sc.TaskScore:
    """See ``score_task``. questions: what is asked is put there, by instance."""
    journal = context.journal
    await asyncio.to_thread(_check_unchanged, planned.task)
    task_header = sc.ScoreTaskHeader()
    task_header.CopyFrom(header)
    task_header.task.CopyFrom(describe(planned.task))
    ratings = await journal.reads(ratings_of, journal.judgements, header.run_id, planned.task)
    if ratings is not None and (source := ratings.source()) is not None:
        task_header.task.rating_source.CopyFrom(source)
    # If the model cannot be asked a task at all, nothing is measured, so its labels, which may be files, need not be read.
    if said is None:
        counts: Mapping[Outcome, int] = await journal.reads(journal.outcome_counts, header.run_id, planned.task.key)
    else:
        counts = Counter(one.outcome for one in said.values())
    measured = counts.get(Outcome.UNSUPPORTED, 0) < planned.answers
    sent = SentFiles(None if context.scorer.takes_paths else context.blobs, measured=measured)
    messages = partial(_messages, journal, sent, task_header, planned, ratings=ratings, instances=instances, said=said, questions=questions)
    try:
        response = await context.scorer.score_task(messages())
    except CallerUnknown:  # the token may have been replaced while the answers were sent
        response = await context.scorer.score_task(messages())
    return response.score


def _check_unchanged(task: SuiteTask) -> None:
    """Raises DatasetError if the annotation is no longer the one that was asked from: its labels may belong to other questions."""
    if isinstance(task, FolderTask) and fingerprint(task.annotation) != task.fingerprint:
        raise DatasetError(
            f"{task.key}: its annotation has changed since the run began, so it is not scored; put it back and resume the run, "
            "`genlevel rescore` it with the labels as they are now, or start a new one"
        )


async def _messages(
    journal: Journal,
    sent: SentFiles,
    header: sc.ScoreTaskHeader,
    planned: TaskPlan,
    *,
    ratings: TaskRatings | None,
    instances: Sequence[Instance] | None,
    said: Mapping[AnswerKey, Said] | None,
    questions: dict[str, str],
) -> AsyncIterator[sc.ScoreTaskRequest]:
    yield sc.ScoreTaskRequest(header=header)
    following = planned.task.instances(planned.positions) if instances is None else iter(instances)
    take = partial(_next_of, following)
    while chunk := await asyncio.to_thread(take) if instances is None else take():  # once, however often the journal is asked
        questions.update((instance.id, question_of(instance)) for instance in chunk)
        for message in await journal.reads(_instance_messages, journal, sent, planned, chunk, header.run_id, ratings=ratings, said=said):
            yield message


def _next_of(instances: Iterator[Instance]) -> list[Instance]:
    return list(islice(instances, _CHUNK))


def _instance_messages(
    journal: Journal,
    sent: SentFiles,
    planned: TaskPlan,
    chunk: Sequence[Instance],
    run_id: str,
    *,
    ratings: TaskRatings | None,
    said: Mapping[AnswerKey, Said] | None,
) -> list[sc.ScoreTaskRequest]:
    """Instances with their answers, in messages of bounded size."""
    asked = [(key, instance) for instance in chunk for key in planned.keys(instance)]
    answers = journal.said_to(run_id, planned.task.key, [key for key, _instance in asked]) if said is None else said
    rated = ratings.of(asked) if ratings is not None else {}
    messages, size = [sc.ScoreTaskRequest()], 0
    for key, instance in asked:
        message = told_answer(key, instance, answers.get(key), planned, sent)
        if key in rated:
            message.MergeFrom(rated[key])
        length = message.ByteSize()
        if size and size + length > _CHUNK_BYTES:
            messages.append(sc.ScoreTaskRequest())
            size = 0
        size += length
        messages[-1].instances.append(message)
    return messages


def told_answer(key: AnswerKey, instance: Instance, answer: Said | None, planned: TaskPlan, sent: SentFiles) -> sc.InstanceAnswer:
    """One answer of a run's task as the scorer is told of it, without ratings. Raises as ``SentFiles`` does."""
    message = instance_answer(key, instance, answer, planned.task, sent)
    _place(message, instance, planned)
    return message


def _place(message: sc.InstanceAnswer, instance: Instance, planned: TaskPlan) -> None:
    """Says in which picture the answer's coordinates lie, and what the model's route says of them."""
    if message.outcome != sc.OUTCOME_ANSWERED or not KINDS[instance.answer_type].in_picture:
        return
    message.boxes = planned.boxes
    if (sizes := sizes_of(instance, planned.video_frames)) is not None:
        message.picture.CopyFrom(sc.PictureSize(width=sizes.label.width, height=sizes.label.height))
        message.sent.CopyFrom(sc.PictureSize(width=sizes.sent.width, height=sizes.sent.height))


def instance_answer(key: AnswerKey, instance: Instance, answer: Said | None, task: SuiteTask, sent: SentFiles) -> sc.InstanceAnswer:
    """One answer as the scorer is told of it. What was asked, and with which media, goes only if a metric may look at it."""
    message = sc.InstanceAnswer(
        id=instance.id,
        outcome=sc.OUTCOME_PENDING if answer is None else sc.Outcome.Name(answer.outcome.number),
        raw_answer=answer.raw_answer if answer else "",
        answer_type=instance.answer_type.value,
        options=instance.options,
        cluster=cluster_of(instance, task.key),
        details=instance.details,
        variant=key.variant,
        repeat=key.repeat,
        shuffle=key.shuffle,
    )
    if not sent.measured:
        return message
    kind = KINDS[instance.answer_type]
    message.label_json = orjson.dumps(sent.label(instance.label) if kind.names_files else instance.label).decode()
    if answer is not None and answer.files:
        message.files.extend(stored_files(answer.files))
    if kind.shows_inputs or (task.metric is not None and METRICS[task.metric.id].kind is Kind.MODEL):
        message.prompt = "\n\n".join(text for text in (instance.context, instance.prompt) if text)
        message.inputs.extend(sent.file(media.path, media.mime_type) for media in instance.media if media.path.is_file())
    return message
