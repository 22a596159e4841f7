"""The journal's records as the contract's messages, and the contract's usage as the journal's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Protocol, cast

from evaluator.journal.batch_records import Standing
from evaluator.journal.files import stored_files
from evaluator.journal.records import Answer, Judgement, RunJudge, RunRecord
from evaluator.journal.usage import BUCKETS, Usage
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.stored_messages import stored_message
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

_buckets = attrgetter(*BUCKETS)
_MOST_PARAMETERS = 256
"""A run sends few different ones; those with a seed of their own for each repeat are as many as repeats."""


def usage_of(message: gw.Usage) -> Usage:
    """What a message says was used."""
    return Usage(*_buckets(message))


def usage_message(usage: Usage) -> gw.Usage:
    """What was used, as a message."""
    return gw.Usage(**{name: getattr(usage, name) for name in BUCKETS})


def sent_parameters(response: gw.GenerateResponse) -> str:
    """The parameters that were really sent, as JSON; "" if that is not known. Of a schema is kept that there was one.

    "dropped" names those that were asked for and left out.

    Example:
        >>> sent_parameters(gw.GenerateResponse(applied_parameters=gw.GenerationParameters(temperature=0, max_output_tokens=64)))
        '{"max_output_tokens":64,"temperature":0.0}'
    """
    if not response.HasField("applied_parameters"):
        return ""
    return _as_json(response.applied_parameters.SerializeToString(deterministic=True), tuple(response.dropped_parameters))


@lru_cache(_MOST_PARAMETERS)
def _as_json(serialized: bytes, dropped: tuple[str, ...]) -> str:
    parameters = gw.GenerationParameters.FromString(serialized)
    sent: dict[str, object] = {field.name: value for field, value in parameters.ListFields()}
    if sent.pop("response_schema_json", ""):
        sent["response_schema"] = True
    if "stop" in sent:
        sent["stop"] = list(parameters.stop)
    if dropped:
        sent["dropped"] = dropped
    return json.dumps(sent, sort_keys=True, separators=(",", ":"))


class CostState(Protocol):
    """``Costs``, as they are stored or while calls are made."""

    @property
    def nano_usd(self) -> int | None: ...
    @property
    def unknown_costs(self) -> int: ...
    @property
    def unknown_calls(self) -> int: ...
    @property
    def most_nano_usd(self) -> int | None: ...


def run_message(record: RunRecord, outcomes: Mapping[Outcome, int], usage: Usage, cost: CostState) -> ev.Run:
    """A run as it stands. Its cost counts only if the model has a price."""
    ended = sum(outcomes.values())
    run = ev.Run(
        run_id=record.run_id,
        specification=stored_message(record.specification, ev.RunSpecification()),
        suite=record.suite,
        benchmark=record.benchmark,
        partial=record.partial,
        status=cast("ev.RunStatus", record.status),
        reason=record.reason,
        counts=sc.OutcomeCounts(
            total=record.total,
            answered=outcomes.get(Outcome.ANSWERED, 0),
            refused=outcomes.get(Outcome.REFUSED, 0),
            failed=outcomes.get(Outcome.FAILED, 0),
            unsupported=outcomes.get(Outcome.UNSUPPORTED, 0),
            pending=max(0, record.total - ended),
        ),
        usage=usage_message(usage),
        calls=record.calls,
        retries=record.retries,
        prompt_version=record.prompt_version,
        wanted=cast("ev.RunWanted", record.wanted),
        plan=record.plan_number,
        name=record.name,
        tags=json.loads(record.tags),
        notes=record.notes,
        tasks=len(json.loads(record.plan)),
        traffic=stored_message(record.traffic, ev.TrafficSettings()),
    )
    run.suite_hash = run.specification.suite_hash
    if record.priced:
        run.unknown_costs, run.unknown_calls = cost.unknown_costs, cost.unknown_calls
        if cost.nano_usd is not None or not cost.unknown_calls:
            run.cost_nano_usd = cost.nano_usd or 0
        if cost.most_nano_usd is not None:
            run.most_cost_nano_usd = cost.most_nano_usd
    run.created.FromMilliseconds(int(record.created * 1000))
    run.updated.FromMilliseconds(int(record.updated * 1000))
    return run


def batches_message(standing: Standing) -> ev.WaitingBatches:
    """How the batches of a run stand."""
    return ev.WaitingBatches(
        provider=standing.provider,
        batches=standing.batches,
        instances=standing.instances,
        answered=standing.answered,
        expires_s=standing.expires,
        cancelling=standing.cancelling,
    )


def answer_message(answer: Answer, *, whole: bool = False) -> ev.ListAnswersResponse:
    """One journalled answer, without its question. whole: with the record of its calls."""
    return ev.ListAnswersResponse(
        call=_call_message(answer) if whole else None,
        run_id=answer.run_id,
        task=answer.task,
        instance_id=answer.instance_id,
        variant=answer.variant,
        repeat=answer.repeat,
        shuffle=answer.shuffle,
        outcome=sc.Outcome.Name(answer.outcome.number),
        raw_answer=answer.raw_answer,
        error=answer.error,
        attempts=answer.attempts,
        usage=usage_message(answer.usage),
        cost_nano_usd=answer.cost_nano_usd,
        upstream_s=answer.upstream_s,
        files=stored_files(answer.files),
    )


def _call_message(kept: Answer | Judgement) -> ev.CallRecord:
    finish = kept.finish_reason if isinstance(kept, Answer) else gw.FINISH_REASON_UNSPECIFIED
    message = ev.CallRecord(
        finish_reason=cast("gw.FinishReason", finish),
        error_class=gw.ErrorClass.Name(kept.error_class.value),
        unknown_calls=kept.unknown_calls,
        unknown_nano_usd=kept.unknown_nano_usd,
        unknown_tokens=kept.unknown_tokens,
        excess=kept.excess,
        created_s=kept.created,
    )
    if isinstance(kept, Answer):
        message.provider_model, message.response_id = kept.provider_model, kept.response_id
        message.request_hash, message.parameters_json, message.waits = kept.request_hash, kept.parameters, kept.waits
        message.fingerprint = kept.fingerprint
    return message


class JudgingState(Protocol):
    """How far the judging of a run is, while it goes on or as it was stored."""

    @property
    def judged(self) -> int: ...
    @property
    def failed(self) -> int: ...
    @property
    def usage(self) -> Usage: ...
    @property
    def cost(self) -> CostState: ...


def is_priced(cost: CostState) -> bool:
    """Whether a judge had a price when any of its calls was made, as far as their cost says so."""
    return cost.nano_usd is not None or bool(cost.most_nano_usd)


def judging_message(judge: RunJudge, state: JudgingState) -> ev.Judging:
    """Who judges a run, how far it is, and what it took. A judge without a price has no bounds of its cost."""
    cost = state.cost
    return ev.Judging(
        judge=judge.judge,
        route=judge.route,
        judged=state.judged,
        failed=state.failed,
        usage=usage_message(state.usage),
        cost_nano_usd=cost.nano_usd,
        unknown_costs=cost.unknown_costs,
        unknown_calls=cost.unknown_calls,
        most_cost_nano_usd=cost.most_nano_usd if is_priced(cost) else None,
        prompts={metric: ev.JudgePrompt(version=version, hash=prompt_hash) for metric, (version, prompt_hash) in judge.prompts.items()},
    )


def judgement_message(judgement: Judgement, *, whole: bool = False) -> ev.AnswerRating:
    """One judgement, or a judge's failure. whole: with the record of its calls."""
    message = ev.AnswerRating(
        judge=judgement.judge,
        prompt_version=judgement.prompt_version,
        rating=judgement.rating,
        error=judgement.error,
        reply=judgement.reply,
    )
    if whole:
        message.prompt_hash, message.calls, message.replies = judgement.prompt_hash, judgement.calls, judgement.replies
        message.usage.CopyFrom(usage_message(judgement.usage))
        message.call.CopyFrom(_call_message(judgement))
        if judgement.cost_nano_usd is not None:
            message.cost_nano_usd = judgement.cost_nano_usd
    return message
