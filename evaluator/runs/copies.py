"""A run that was asked elsewhere, put into this journal: what ``ListAnswers`` tells of it whole, as the journal's own rows."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Container, Iterable, Iterator
from dataclasses import replace

from google.protobuf import json_format

from evaluator.journal.files import kept_files
from evaluator.journal.journal import Journal
from evaluator.journal.messages import usage_of
from evaluator.journal.records import Answer, Costs, Judgement, OpenCalls, RunJudge, RunRecord
from evaluator.planning.plans import Plan
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import DatasetError, ErrorClass
from genlevel.runtime.shown import quoted
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

_CHUNK = 500


def copied_record(run: ev.Run, plan: Plan, run_id: str) -> RunRecord:
    """A run under an id of its own, as the journal keeps one that has ended. plan: of the run, with its suite as it is found here."""
    status = ev.RUN_STATUS_INTERRUPTED if run.status == ev.RUN_STATUS_RUNNING else run.status
    specification = ev.RunSpecification()
    specification.CopyFrom(plan.specification)
    facts = sc.RunFacts()
    facts.CopyFrom(run.facts)
    for counted in ("models", "parameters"):
        facts.ClearField(counted)
    return RunRecord(
        run_id=run_id,
        identity=run_id,
        generation=0,
        specification=json_format.MessageToJson(specification, indent=None),
        suite=run.suite,
        benchmark=run.benchmark,
        partial=plan.partial,
        plan=json.dumps([[planned.task.key, planned.count] for planned in plan.tasks]),
        total=plan.total,
        priced=run.HasField("cost_nano_usd") or run.HasField("most_cost_nano_usd") or run.unknown_calls > 0,
        status=status,
        reason=run.reason,
        prompt_version=run.prompt_version,
        traffic="{}",
        calls=run.calls,
        retries=run.retries,
        created=run.created.ToMilliseconds() / 1000,
        updated=run.updated.ToMilliseconds() / 1000,
        model=specification.model,
        covers=json.dumps(plan.covers),
        plan_number=run.plan,
        facts=json_format.MessageToJson(facts, indent=None) if run.HasField("facts") else "",
        occasion=specification.occasion,
    )


async def copy_answers(
    journal: Journal, run_id: str, answers: AsyncIterator[ev.ListAnswersResponse], *, tasks: Container[str] | None = None
) -> None:
    """Writes answers and their ratings under a run's id; those that are there stay.

    tasks: keys of those that were asked; None: whatever the answers name. Raises DatasetError for an answer that no journal could have
    written, or to a task that was not asked; StorageError.
    """
    writing: list[asyncio.Future[None]] = []
    people: dict[str, dict[str, dict[str, float]]] = {}
    async for message in answers:
        try:
            if tasks is not None and message.task not in tasks:
                raise ValueError("the run did not ask this task")
            _check_numbers(message)
            answer = _answer(message, run_id)
            judged = list(_judgements(message, answer))
        except ValueError as error:
            raise DatasetError(f"answer {quoted(message.task)}/{quoted(message.instance_id)}: {error}") from None
        writing.append(journal.record(answer))
        writing += [journal.judgements.record(judgement) for judgement in judged]
        for rating in message.ratings:
            if not rating.judge:
                people.setdefault(answer.task, {}).setdefault(answer.instance_id, {})[rating.rater] = rating.rating
        if len(writing) >= _CHUNK:
            await asyncio.gather(*writing)
            writing.clear()
    await asyncio.gather(*writing)
    if people:
        await journal.writes(journal.judgements.store_people, run_id, people)


def first_answer(run_id: str, messages: Iterable[ev.ListAnswersResponse]) -> Answer | None:
    """The earliest of a run's answers that its model gave; None if there is none."""
    given = (message for message in messages if message.outcome in (sc.OUTCOME_ANSWERED, sc.OUTCOME_REFUSED))
    first = min(given, key=lambda message: (message.call.created_s, message.task, message.instance_id, message.repeat), default=None)
    return None if first is None else _answer(first, run_id)


def judge_of(run: ev.Run, run_id: str) -> RunJudge | None:
    """Who judged a run; None if nobody was asked to."""
    if not run.HasField("judging"):
        return None
    prompts = {metric: (prompt.version, prompt.hash) for metric, prompt in run.judging.prompts.items()}
    return RunJudge(run_id, run.judging.judge, run.judging.route, prompts, complete=True)


async def note_unknown_calls(journal: Journal, run: ev.Run, run_id: str, *, number: int, before: Costs) -> None:
    """Keeps what a run's calls cost at most of which no answer tells, such as those that were open when its process was killed.

    number: of the note, of which each run that is copied under this id has one of its own. before: the costs there before its answers.
    """
    now = (await journal.reads(journal.totals, run_id)).cost
    calls = run.unknown_calls - (now.unknown_calls - before.unknown_calls)
    if calls <= 0:
        return
    most = None
    if run.HasField("most_cost_nano_usd") and now.most_nano_usd is not None and before.most_nano_usd is not None:
        most = max(0, run.most_cost_nano_usd - (now.most_nano_usd - before.most_nano_usd))
    await journal.note(OpenCalls(run_id, number, "", judges=False, calls=calls, nano_usd=most, tokens=None))


def _answer(message: ev.ListAnswersResponse, run_id: str) -> Answer:
    call = message.call
    return Answer(
        run_id,
        message.task,
        message.instance_id,
        Outcome.of(message.outcome),
        raw_answer=message.raw_answer,
        finish_reason=call.finish_reason,
        error_class=ErrorClass.of(call.error_class),
        error=message.error,
        attempts=message.attempts,
        waits=call.waits,
        usage=usage_of(message.usage),
        cost_nano_usd=message.cost_nano_usd if message.HasField("cost_nano_usd") else None,
        upstream_s=message.upstream_s,
        provider_model=call.provider_model,
        response_id=call.response_id,
        request_hash=call.request_hash,
        created=call.created_s,
        files=kept_files(message.files),
        variant=message.variant,
        repeat=message.repeat,
        shuffle=message.shuffle,
        unknown_calls=call.unknown_calls,
        unknown_nano_usd=call.unknown_nano_usd if call.HasField("unknown_nano_usd") else None,
        unknown_tokens=call.unknown_tokens if call.HasField("unknown_tokens") else None,
        excess=call.excess,
        parameters=call.parameters_json,
        fingerprint=call.fingerprint,
    )


def _check_numbers(message: ev.ListAnswersResponse) -> None:
    """Raises ValueError for one that is none, or that no database takes."""
    rated = [one.rating for one in message.ratings]
    numbers = [message.upstream_s, message.call.created_s, message.call.excess, *rated, *(one.call.created_s for one in message.ratings)]
    counted = [count for _field, count in message.usage.ListFields()] + [
        count for one in message.ratings for _field, count in one.usage.ListFields()
    ]
    if not all(map(math.isfinite, numbers)) or any(count >= 1 << 53 for count in counted):
        raise ValueError("a number is too large, or none")


def _judgements(message: ev.ListAnswersResponse, answer: Answer) -> Iterator[Judgement]:
    for rating in message.ratings:
        if not rating.judge:
            continue
        call, rated = rating.call, rating.HasField("rating")
        judgement = Judgement(
            answer.run_id,
            answer.task,
            answer.instance_id,
            rating.judge,
            rating.prompt_hash,
            rating.prompt_version,
            outcome=Outcome.ANSWERED if rated else Outcome.FAILED if rating.error else Outcome.PENDING,
            rating=rating.rating if rated else None,
            reply=rating.reply,
            replies=rating.replies,
            error_class=ErrorClass.of(call.error_class),
            error=rating.error,
            calls=rating.calls,
            usage=usage_of(rating.usage),
            cost_nano_usd=rating.cost_nano_usd if rating.HasField("cost_nano_usd") else None,
            created=call.created_s,
            unknown_calls=call.unknown_calls,
            unknown_nano_usd=call.unknown_nano_usd if call.HasField("unknown_nano_usd") else None,
            unknown_tokens=call.unknown_tokens if call.HasField("unknown_tokens") else None,
            excess=call.excess,
        )
        yield replace(judgement, variant=answer.variant, repeat=answer.repeat, shuffle=answer.shuffle)
