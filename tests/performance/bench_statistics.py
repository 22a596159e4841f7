"""How often certificates are wrong, how often intervals hold, and what is found: simulated runs with a known truth.

    python tests/performance/bench_statistics.py [--runs 2000]

False claims, nulls and power draw the p-values of many runs at once (simulate_verdicts.py, simulate_nulls.py, simulate_power.py), after a
check that they are the scorer's; the rest goes through the scorer as a run does (simulate_statistics.py, simulate_kinds.py).
Every rate is printed with its exact 95 % binomial interval.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from scipy import stats
from simulate_exact import THRESHOLD
from simulate_kinds import coverages, covered
from simulate_nulls import check as check_nulls
from simulate_nulls import null_rates
from simulate_power import powers
from simulate_statistics import Outcomes, check_estimates, coverage_cases, simulate, simulate_values
from simulate_verdicts import against_specialists, chosen, families, untested
from simulate_verdicts import check as check_verdicts

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Task, TaskMetric
from scorer.certify import TaskEvidence, TaskStatistics, bootstrap_intervals, evidence_from_statistics
from scorer.levels.rules import judge_all
from scorer.scoring.task_scoring import Outcome

ALPHA = 0.05


def rate(hits: int, runs: int) -> str:
    """A rate with its Clopper-Pearson interval."""
    ends = stats.binomtest(hits, runs).proportion_ci(0.95, method="exact")
    return f"{hits / runs:.4f} (95 % interval {ends.low:.4f} to {ends.high:.4f}; {hits}/{runs})"


def false_verdicts(pool: ProcessPoolExecutor, runs: int) -> None:
    print(f"\nNo true win, 464 instances a task, all tasks, alpha {ALPHA}")
    for gap, count in ((0.01, runs), (2.0, max(1, runs // 4)), (5.0, max(1, runs // 4))):
        found = list(pool.map(partial(simulate, gap=gap), range(count), chunksize=25))
        print(f"  every task truly {gap:g} points below its specialist ({count} runs)")
        print(f"    paper's rule: Level >= 3 in     {rate(sum(run.point_level >= 3 for run in found), count)}")
        for level in (3, 4, 5):
            print(f"    certified: Level >= {level} in        {rate(sum(run.certified_level >= level for run in found), count)}")
        print(f"    wins a run: paper's rule {_mean(found, 'point_wins'):.1f}, certified {_mean(found, 'certified_wins'):.3f},"
              f" discovered {_mean(found, 'discovered_wins'):.3f}")  # fmt: skip
        print(f"    Level 2's 95 % interval holds in {rate(sum(run.level_2_holds for run in found), count)}")


def false_values(pool: ProcessPoolExecutor, runs: int) -> None:
    print(f"\nNo true win, values alone (a workbook), the task list's n, every task truly 0.01 points below its specialist, alpha {ALPHA}")
    for kind in ("graded", "all or nothing", "clustered"):
        found = list(pool.map(partial(simulate_values, gap=0.01, kind=kind), range(runs), chunksize=25))
        print(f"  {kind + ':':16} certified: Level >= 3 in {rate(sum(level >= 3 for level in found), runs)}")


def false_claims(runs: int) -> None:
    print(f"\nNo true win, every task exactly at its reference, alpha {ALPHA}: any false claim")
    for part in (families, untested, chosen, against_specialists):
        for row in part(runs):
            print(f"  {row.name + ':':100} {rate(row.hits, row.runs)}", flush=True)


def kinds(draws: int) -> None:
    print(f"\nEach kind of test at {THRESHOLD:.2g}, {draws} draws a case: rejections of better and worse over those allowed")
    for found in null_rates(draws):
        print(f"  {found}", flush=True)


def power(runs: int) -> None:
    print("\nPower: some tasks truly better than their reference, all others worse; published figures | specialists")
    for found in powers(runs, max(1, runs // 4)):
        print(f"  {found.better:2} {found.kind}, n {found.count}, {found.points:2} points better: Level 3 attained in"
              f" {rate(found.level_3[0], found.runs)} | {rate(found.level_3[1], found.runs)},"
              f" wins {found.wins[0]:.2f} | {found.wins[1]:.2f}", flush=True)  # fmt: skip


def coverage_by_kind(runs: int) -> None:
    print(f"\nCoverage of each kind of 95 % interval, {runs} runs each: name, kind, intervals said, coverage, width, width of t")
    for case in coverages():
        print(f"  {covered(case, runs)}", flush=True)


def coverage(runs: int) -> None:
    print(f"\nCoverage of one task's 95 % interval, 464 instances (clustered: 116 media with 1 to 7 instances each), {runs} runs each")
    worst = 0.0
    for name, (metric, parameters, truth, draw) in coverage_cases().items():
        task = _task(metric, parameters)
        generator = np.random.default_rng(list(name.encode()))
        hits = 0
        for _run in range(runs):
            ends = evidence_from_statistics(task.metric, *draw(generator))
            assert ends is not None
            interval = TaskEvidence.of(task, ends).interval(0.95)
            assert interval is not None
            hits += interval[0] <= truth <= interval[1]
        worst = max(worst, abs(hits / runs - 0.95))
        print(f"  {name:32} {rate(hits, runs)}")
    print(f"  furthest from 0.95: {100 * worst:.2f} points")


def bootstrap_coverage(runs: int) -> None:
    """Level 2 over six accuracy and F1 tasks of 200 instances, clusters of four in half of them."""
    benchmark = general_bench()
    picked = [task for task in benchmark.tasks if task.metric.id in {"accuracy", "f1"} and task.sheet == "Image-Comprehension"][:6]
    generator = np.random.default_rng(17)
    truth_values = {task.id: 30.0 + 8.0 * index for index, task in enumerate(picked)}
    results = [row for row in judge_all(benchmark, truth_values) if row.task.id in truth_values]
    truth = sum(truth_values.values()) / len(truth_values)
    hits = 0
    for _run in range(runs):
        tasks = []
        for index, task in enumerate(picked):
            level = truth_values[task.id] / 100.0
            if index % 2:
                shared = np.repeat(generator.random(50), 4)
                uniforms = np.where(generator.random(200) < 0.5, shared, generator.random(200))
            else:
                uniforms = generator.random(200)
            rows = {AnswerKey(str(item)): (Outcome.ANSWERED, float(value < level)) for item, value in enumerate(uniforms)}
            tasks.append(TaskStatistics(task, rows, {AnswerKey(str(item)): item // 4 for item in range(200)} if index % 2 else {}))
        low, high = bootstrap_intervals(tasks, results, 1000, ALPHA)[2]
        hits += low <= truth <= high
    print("\nCoverage of Level 2's 95 % bootstrap interval (6 tasks, 200 instances, half of them clustered, 1,000 draws)")
    print(f"  {rate(hits, runs)}")


def _task(metric: str, parameters: dict[str, str]) -> Task:
    same = next(task for task in general_bench().tasks if task.metric.id == metric)
    return Task(
        *(same.id, same.name, same.short_name, same.sheet, same.row, same.number, same.modality, same.paradigm),
        TaskMetric(metric, metric, tuple(sorted(parameters.items()))),
        None,
        None,
    )


def _mean(found: Sequence[Outcomes], name: str) -> float:
    return float(np.mean([getattr(run, name) for run in found]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000, help="simulated runs without a true win; the other parts scale with it")
    runs = parser.parse_args().runs
    started = time.perf_counter()
    check_estimates()
    check_nulls()
    check_verdicts()
    false_claims(runs)
    kinds(100 * runs)
    power(runs // 2)
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        false_verdicts(pool, runs // 8)
        false_values(pool, runs // 8)
    coverage(runs // 4)
    coverage_by_kind(runs // 4)
    bootstrap_coverage(max(1, runs // 8))
    print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
