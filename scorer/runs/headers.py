"""What a run is, as the header of each of its tasks says it."""

from __future__ import annotations

from genlevel.benchmark.model import Benchmark
from genlevel.benchmark.suites import load_benchmark
from genlevel.v1 import scorer_pb2 as sc
from scorer.store.records import StoredRun
from scorer.tasks import benchmark_of
from scorer.wire import benchmark_tasks_of, facts_of


def lacking(header: sc.ScoreTaskHeader) -> list[str]:
    """Names of what a header must say and does not."""
    return [name for name in ("run_id", "model", "suite", "benchmark") if not getattr(header, name)]


def run_of(header: sc.ScoreTaskHeader) -> StoredRun:
    """Raises UsageError for a task of the benchmark that cannot be read."""
    return StoredRun(
        header.run_id,
        header.model,
        header.suite,
        header.benchmark,
        benchmark_tasks_of(header),
        header.suite_hash,
        header.part if header.HasField("part") else None,
        header.plan,
        facts_of(header),
    )


def benchmark_of_run(run: StoredRun) -> Benchmark:
    """The shipped benchmark that the run is on, else the one that came with the run. Raises UsageError for one without levels."""
    shipped = load_benchmark(run.benchmark)
    return shipped if shipped is not None else benchmark_of(run.benchmark, run.benchmark_tasks)
