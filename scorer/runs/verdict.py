"""A run's verdict from its stored scores: each score against its reference, levels over the benchmark and the asked part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.benchmark.metrics import METRICS, sigma
from genlevel.benchmark.model import Benchmark
from genlevel.benchmark.suites import load_benchmark
from genlevel.v1 import scorer_pb2 as sc
from scorer.levels.rules import Levels, TaskResult, compute_levels, judge, judge_all
from scorer.runs.stamp import scoring_stamp
from scorer.store.records import is_part
from scorer.tasks import TaskIndex
from scorer.wire import levels_message, score_message

if TYPE_CHECKING:
    from scorer.store.records import StoredRun, StoredScore


@dataclass(frozen=True, slots=True)
class Standing:
    """How one score stands. result: against its reference; None for a task that is not of the benchmark. sigma: None without a score."""

    score: StoredScore
    result: TaskResult | None
    sigma: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """results: all tasks of the benchmark. incomplete: some listed task has instances that failed or were not asked."""

    references: str
    tasks: tuple[Standing, ...]
    results: tuple[TaskResult, ...]
    levels: Levels
    asked_levels: Levels
    incomplete: bool


def compute_verdict(benchmark: Benchmark, scores: Sequence[StoredScore], references: str = "workbook") -> Verdict:
    """An incomplete task has no score: it adds nothing to the levels until it is complete, so they are lower bounds."""
    index = TaskIndex(benchmark)
    standings = tuple(standing_of(index, score, references) for score in scores)
    listed = {entry.result.task.id: entry.score.outcome for entry in standings if entry.result is not None}
    results = judge_all(benchmark, {key: outcome.score for key, outcome in listed.items()}, references)
    asked = [result for result in results if result.task.id in listed]
    incomplete = any(outcome.incomplete for outcome in listed.values())
    return Verdict(
        references=references,
        tasks=standings,
        results=results,
        levels=compute_levels(results),
        asked_levels=compute_levels(asked),
        incomplete=incomplete,
    )


def is_referenced(verdict: sc.GetVerdictResponse) -> bool:
    """Whether there is anything to win against, as far as a run can tell (the same rule as ``scorer.reports.documents.references_of``)."""
    if any(score.HasField("reference") for score in verdict.tasks):
        return True
    benchmark = load_benchmark(verdict.benchmark)
    return benchmark is not None and benchmark.has_references(verdict.references)


def standing_of(index: TaskIndex, score: StoredScore, references: str = "workbook") -> Standing:
    """One task's score with sigma, reference and win."""
    task, value = index.find(score.task), score.outcome.score
    if task is not None:
        result = judge(task, value, references)
        return Standing(score, result, result.sigma)
    metric = score.task.metric
    if value is None or metric is None or metric.id not in METRICS:
        return Standing(score, None, None)
    return Standing(score, None, sigma(metric.id, value))


def standing_message(standing: Standing) -> sc.TaskScore:
    score = standing.score
    return score_message(score.task, score.outcome, sigma=standing.sigma, result=standing.result, partial=score.partial)


def verdict_message(
    run: StoredRun, verdict: Verdict, certificate: sc.Certificate, against_specialists: sc.Certificate
) -> sc.GetVerdictResponse:
    return sc.GetVerdictResponse(
        run_id=run.run_id,
        model=run.model,
        suite=run.suite,
        benchmark=run.benchmark,
        references=verdict.references,
        tasks=[standing_message(standing) for standing in verdict.tasks],
        levels=levels_message(verdict.levels),
        asked_levels=levels_message(verdict.asked_levels),
        incomplete=verdict.incomplete,
        certificate=certificate,
        certificate_against_specialists=against_specialists,
        suite_hash=run.suite_hash,
        part=is_part(run, [standing.score for standing in verdict.tasks]),
        plan=run.plan,
        stamp=scoring_stamp(verdict),
    )
