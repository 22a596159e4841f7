"""The journal's records as the contract's messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from google.protobuf import json_format

from evaluator.journal.journal import Answer, RunRecord
from evaluator.journal.judgements import Judgement, JudgingTotals, RunJudge
from evaluator.planning.outputs import stored_files
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc


def run_message(record: RunRecord, outcomes: Mapping[int, int], usage: gw.Usage, cost: int | None, unknown_costs: int) -> ev.Run:
    """A run as it stands.

    cost: nano-dollars, None where none is known. unknown_costs: instances that were asked without one. Both count only where the model has
    a price.
    """
    ended = sum(outcomes.values())
    run = ev.Run(
        run_id=record.run_id,
        specification=json_format.Parse(record.specification, ev.RunSpecification()),
        suite=record.suite,
        benchmark=record.benchmark,
        partial=record.partial,
        status=ev.RunStatus.Name(record.status),
        reason=record.reason,
        counts=sc.OutcomeCounts(
            total=record.total,
            answered=outcomes.get(sc.OUTCOME_ANSWERED, 0),
            refused=outcomes.get(sc.OUTCOME_REFUSED, 0),
            failed=outcomes.get(sc.OUTCOME_FAILED, 0),
            unsupported=outcomes.get(sc.OUTCOME_UNSUPPORTED, 0),
            pending=max(0, record.total - ended),
        ),
        usage=usage,
        calls=record.calls,
        retries=record.retries,
        prompt_version=record.prompt_version,
    )
    if record.priced:
        run.unknown_costs = unknown_costs
        if cost is not None or not unknown_costs:
            run.cost_nano_usd = cost or 0
    run.created.FromMilliseconds(int(record.created * 1000))
    run.updated.FromMilliseconds(int(record.updated * 1000))
    return run


def answer_message(answer: Answer) -> ev.ListAnswersResponse:
    """One journalled answer, without its question."""
    return ev.ListAnswersResponse(
        task=answer.task,
        instance_id=answer.instance_id,
        outcome=sc.Outcome.Name(answer.outcome),
        raw_answer=answer.raw_answer,
        error=answer.error,
        attempts=answer.attempts,
        usage=gw.Usage(
            input_tokens=answer.input_tokens,
            cache_read_tokens=answer.cache_read_tokens,
            cache_write_tokens=answer.cache_write_tokens,
            output_tokens=answer.output_tokens,
            reasoning_tokens=answer.reasoning_tokens,
            output_images=answer.output_images,
            output_milliseconds=answer.output_milliseconds,
        ),
        cost_nano_usd=answer.cost_nano_usd,
        upstream_s=answer.upstream_s,
        files=stored_files(answer.files),
    )


class JudgingState(Protocol):
    """How far the judging of a run is."""

    judged: int
    failed: int
    usage: gw.Usage
    cost_nano_usd: int | None
    unknown_costs: int


def judging_message(judge: RunJudge, state: JudgingState | JudgingTotals) -> ev.Judging:
    """Who judges a run, how far it is, and what it took."""
    return ev.Judging(
        judge=judge.judge,
        route=judge.route,
        judged=state.judged,
        failed=state.failed,
        usage=state.usage,
        cost_nano_usd=state.cost_nano_usd,
        unknown_costs=state.unknown_costs,
    )


def judgement_message(judgement: Judgement) -> ev.AnswerRating:
    """One judgement, or a judge's failure."""
    return ev.AnswerRating(
        judge=judgement.judge,
        prompt_version=judgement.prompt_version,
        rating=judgement.rating,
        error=judgement.error,
        reply=judgement.reply,
    )
