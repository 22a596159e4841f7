"""A run's verdict from its stored scores: each score against its reference, levels over the benchmark and the asked part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.benchmark.metrics import METRICS, sigma
from genlevel.benchmark.model import Benchmark
from genlevel.v1 import scorer_pb2 as pb
from scorer.levels.rules import Levels, TaskResult, compute_levels, judge, judge_all
from scorer.wire import TaskIndex, levels_message, score_message

if TYPE_CHECKING:
    from scorer.store.scores import StoredRun, StoredScore


@dataclass(frozen=True, slots=True)
class Verdict:
    """results: all tasks of the benchmark. incomplete: some listed task has instances that failed or were not asked."""

    references: str
    tasks: tuple[pb.TaskScore, ...]
    results: tuple[TaskResult, ...]
    levels: Levels
    asked_levels: Levels
    incomplete: bool


def compute_verdict(benchmark: Benchmark, scores: Sequence[StoredScore], references: str = "workbook") -> Verdict:
    """An incomplete task has no score: it adds nothing to the levels until it is complete, so they are lower bounds."""
    index = TaskIndex(benchmark)
    values: dict[str, float | None] = {}
    messages = []
    incomplete = False
    for score in scores:
        description = pb.TaskDescription.FromString(score.description)
        task = index.find(description)
        if task is not None:
            values[task.id] = score.outcome.score
            incomplete = incomplete or score.outcome.incomplete
        messages.append(describe_score(index, score, references))
    results = judge_all(benchmark, values, references)
    asked = [result for result in results if result.task.id in values]
    return Verdict(references, tuple(messages), results, compute_levels(results), compute_levels(asked), incomplete)


def describe_score(index: TaskIndex, score: StoredScore, references: str = "workbook") -> pb.TaskScore:
    """One task's score with sigma, reference and win."""
    description = pb.TaskDescription.FromString(score.description)
    task = index.find(description)
    result = None if task is None else judge(task, score.outcome.score, references)
    mapped = result.sigma if result is not None else _sigma(description.metric, score.outcome.score)
    return score_message(description, score.outcome, mapped, result, partial=score.partial)


def verdict_message(run: StoredRun, verdict: Verdict, certificate: pb.Certificate | None = None) -> pb.GetVerdictResponse:
    return pb.GetVerdictResponse(
        run_id=run.run_id,
        model=run.model,
        suite=run.suite,
        benchmark=run.benchmark,
        references=verdict.references,
        tasks=verdict.tasks,
        levels=levels_message(verdict.levels),
        asked_levels=levels_message(verdict.asked_levels),
        incomplete=verdict.incomplete,
        certificate=certificate,
    )


def _sigma(metric_id: str, score: float | None) -> float | None:
    return None if score is None or metric_id not in METRICS else sigma(metric_id, score)
