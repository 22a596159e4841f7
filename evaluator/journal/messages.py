"""The journal's records as the contract's messages, and the contract's usage as the journal's."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Protocol

from google.protobuf import json_format

from evaluator.journal.files import stored_files
from evaluator.journal.records import Answer, Judgement, RunJudge, RunRecord
from evaluator.journal.usage import BUCKETS, Usage
from genlevel.benchmark.outcomes import Outcome
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

_buckets = attrgetter(*BUCKETS)


def usage_of(message: gw.Usage) -> Usage:
    """What a message says was used."""
    return Usage(*_buckets(message))


def usage_message(usage: Usage) -> gw.Usage:
    """What was used, as a message."""
    return gw.Usage(**{name: getattr(usage, name) for name in BUCKETS})


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
        specification=json_format.Parse(record.specification, ev.RunSpecification()),
        suite=record.suite,
        benchmark=record.benchmark,
        partial=record.partial,
        status=ev.RunStatus.Name(record.status),
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
        wanted=ev.RunWanted.Name(record.wanted),
        plan=record.plan_number,
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


def answer_message(answer: Answer) -> ev.ListAnswersResponse:
    """One journalled answer, without its question."""
    return ev.ListAnswersResponse(
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
