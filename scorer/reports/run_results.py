"""A run's results task by task, from its verdict as it comes over the wire: what breakdowns and synergy maps are made of."""

from __future__ import annotations

from dataclasses import dataclass

from genlevel.benchmark.model import Benchmark
from genlevel.benchmark.suites import load_benchmark
from genlevel.v1 import scorer_pb2 as sc
from scorer.levels.rules import TaskResult, judge_all
from scorer.tasks import TaskIndex, benchmark_of
from scorer.wire import task_of


@dataclass(frozen=True, slots=True)
class RunResults:
    """results: all tasks of the benchmark, in its order. asked: ids of those that were asked."""

    benchmark: Benchmark
    results: tuple[TaskResult, ...]
    asked: frozenset[str]


def run_results(verdict: sc.GetVerdictResponse, references: str = "workbook") -> RunResults:
    """The results behind a verdict. Of a benchmark that is not shipped, only the tasks that were asked are known here."""
    tasks = [task_of(score.task) for score in verdict.tasks]
    listed = [task for task in tasks if not task.unlisted]
    benchmark = load_benchmark(verdict.benchmark) or benchmark_of(verdict.benchmark, listed)
    index = TaskIndex(benchmark)
    values: dict[str, float | None] = {}
    for record, score in zip(tasks, verdict.tasks, strict=True):
        task = index.find(record)
        if task is not None:
            values[task.id] = score.score if score.HasField("score") else None
    return RunResults(benchmark, judge_all(benchmark, values, references), frozenset(values))
