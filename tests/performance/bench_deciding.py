"""How few calls decide a run, and whether they decide as the full run does: simulated runs with published models as the truth.

    python tests/performance/bench_deciding.py [--quick] [--published TABLE]

What must hold is marked, and the exit status is 1 if any of it does not. --published: a table (model, sheet, task_name, score) with values
of further models. Calls are asked one at a time, so that none is in flight when a run is decided.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from machine import machine
from scipy import stats
from simulate_levels import (
    MEASURED,
    UNLUCKY,
    Beside,
    Early,
    beside_certificate,
    better_run,
    copies_run,
    null_run,
    nulls,
    published_run,
    unlucky_run,
)
from simulate_wins import (
    ALPHA,
    EPSILON,
    SHAPES,
    Specialists,
    Truth,
    Wins,
    agreement,
    exact_wins,
    graded_pairs,
    graded_wins,
    run_shares,
    specialist_wins,
    truths,
)

from genlevel.deciding.values import LevelState, Shares

MOST_OF_WINS, MOST_OF_THIRD, MOST_OF_FIFTH = 0.35, 0.02, 0.10
LARGE = 150
"""Tasks of a model of which many values were published."""
AMPLIFIED = 0.10
"""A pooled share at which false levels would show in few runs."""
NULL_CALLS = 5000
RUNS = {
    "wins": 300,
    "graded": 450,
    "published": 39,
    "better": 20,
    "nulls": 80,
    "specialists": 40,
    "unlucky": 20,
    "copies": 150,
    "certificates": 3,
}
QUICK = {
    "wins": 100,
    "graded": 100,
    "published": 1,
    "better": 3,
    "nulls": 12,
    "specialists": 10,
    "unlucky": 1,
    "copies": 20,
    "certificates": 1,
}


@dataclass
class Held:
    """What must hold, and whether it does."""

    failed: int = 0

    def hold(self, said: str, *, held: bool) -> None:
        self.failed += not held
        print(f"  {'must hold:' if held else 'FAILED:   '} {said}")


def wins(pool: ProcessPoolExecutor, held: Held, runs: int, models: Sequence[Truth]) -> None:
    found = [one for one in pool.map(partial(_wins_of, runs=runs), range(len(models)), models) if one is not None]
    print(f"\nWins, answers right or wrong, real n and references, {runs} runs of each of {len(found)} models, epsilon {EPSILON:g}")
    print(f"  {'model':28} {'tasks':>5} {'wins':>6} {'calls':>7} {'worst':>7} {'otherwise than the certificate':>31}")
    for one in found:
        asked = f"{one.asked / one.total:7.1%} {one.most:7.1%}"
        print(f"  {one.model:28} {one.tasks:5} {one.won / one.runs:6.1f} {asked} {one.otherwise:20} of {one.runs:,} runs")
    asked, total = sum(one.asked for one in found), sum(one.total for one in found)
    otherwise, number = sum(one.otherwise for one in found), sum(one.runs for one in found)
    held.hold(f"{asked / total:.1%} of {total:,} calls, at most {MOST_OF_WINS:.0%}", held=asked <= MOST_OF_WINS * total)
    held.hold(f"otherwise in {otherwise} of {number:,} runs, at most {EPSILON:g}", held=otherwise <= EPSILON * number)
    further, most = sum(one.further for one in found), max(found, key=lambda one: one.further)
    print(f"  the certificate has a win beyond Holm's first step in {further} runs ({most.model}: {most.further / runs:.0%} of its runs)")
    print(f"  predicted with that step alone: {sum(one.plain for one in found) / total:.1%} of the calls")


def _wins_of(position: int, truth: Truth, *, runs: int) -> Wins | None:
    return exact_wins(truth, runs, EPSILON, position)


def graded(pool: ProcessPoolExecutor, held: Held, number: int) -> None:
    pairs = graded_pairs(number, 1)
    print(f"\nWins, graded answers (bounded means), {len(pairs)} pairs of a task and a model for each shape")
    found = list(pool.map(partial(graded_wins, picked=pairs, epsilon=EPSILON / 200, seed=2), SHAPES))
    for one in found:
        print(f"  {one.shape:38} calls {one.asked / one.total:6.1%}, wins {one.won:3}, otherwise {one.otherwise}")
    otherwise, tasks = sum(one.otherwise for one in found), sum(one.tasks for one in found)
    held.hold(f"otherwise in {otherwise} of {tasks:,} tasks, at most {EPSILON:g}", held=otherwise <= EPSILON * tasks)


def published(pool: ProcessPoolExecutor, held: Held, runs: int, models: Sequence[Truth]) -> None:
    for shape in ("", "F1-like"):
        asked = [(truth, seed) for truth in models for seed in range(runs)]
        found = list(pool.map(partial(_published, shape=shape), asked))
        print(f"\nVerdicts of published models, {shape or 'right or wrong'}, {runs} runs each: medians, of the run's calls")
        for truth in models:
            mine = [one for (other, _seed), one in zip(asked, found, strict=True) if other is truth]
            _print_verdicts(truth.model, mine)
        with_third = [one for one in found if one.full_third]
        reached = [one.third / one.total if one.third else 1.0 for one in with_third]
        median = float(np.median(reached))
        said = f"Level 3 after {median:.2%} of the calls in the median of {len(reached)} runs whose full run has it"
        held.hold(f"{said}, at most {MOST_OF_THIRD:.0%}", held=median <= MOST_OF_THIRD)
        _hold_levels(held, found)


def _published(asked: tuple[Truth, int], *, shape: str) -> Early:
    return published_run(asked[0], shape, asked[1])


def _print_verdicts(name: str, found: Sequence[Early]) -> None:
    third = [one.third for one in found if one.third]
    asked = np.median([one.asked for one in found])
    told = f"Level 3 after {np.median(third):6,.0f} in {len(third)}" if third else "no Level 3"
    full = f"(full run: {sum(one.full_third for one in found)})"
    print(f"  {name:28} {told:28} {full:16} over after {asked:8,.0f} of {found[0].total:9,} ({asked / found[0].total:.2%})")


def _hold_levels(held: Held, found: Sequence[Early]) -> None:
    """Levels 4 and 5 are all decided, as in the full run, and Level 3 wherever the full run has it."""
    otherwise = sum(_is_otherwise(one) for one in found)
    early = sum(one.third > 0 and not one.full_third for one in found)
    print(f"  Level 3 by pooled betting alone, which no single win of the full run gives: {early} of {len(found)} runs")
    allowed = max(1.0, EPSILON * len(found))
    held.hold(f"a level undecided, or otherwise than in the full run, in {otherwise} of {len(found)} runs", held=otherwise <= allowed)


def _is_otherwise(one: Early) -> bool:
    states = {level.level: level.state for level in one.decided.levels}
    wanted = {level: LevelState.ATTAINED if one.full_level >= level else LevelState.NOT_ATTAINED for level in (4, 5)}
    return (one.full_third and states[3] is not LevelState.ATTAINED) or any(states[level] is not wanted[level] for level in wanted)


def better(pool: ProcessPoolExecutor, held: Held, runs: int) -> None:
    for shape in ("", "F1-like"):
        found = list(pool.map(partial(better_run, shape=shape), range(runs)))
        print(f"\nModels 8 to 15 points better on 10 to 30 % of all tasks, {shape or 'right or wrong'}, {runs} runs")
        _print_verdicts("all", found)
        parts = [one.asked / one.total for one in found if one.full_level >= 4]
        worst = f"worst {max(parts):.1%}" if parts else ""
        print(f"  full runs with Level 4 or 5: {len(parts)}, with Level 5: {sum(one.full_level == 5 for one in found)}; {worst}")
        median = float(np.median(parts)) if parts else 1.0
        held.hold(f"{median:.1%} of the calls in the median, at most {MOST_OF_FIFTH:.0%}", held=median <= MOST_OF_FIFTH)
        _hold_levels(held, found)


def false_levels(pool: ProcessPoolExecutor, held: Held, runs: int) -> None:
    print(f"\nEvery task exactly at its bar, {NULL_CALLS:,} calls at most: false Level 3 (amplified: with a pooled share of {AMPLIFIED:g})")
    for position, null in enumerate(nulls()):
        if not _null(0, position=position, shares=run_shares(EPSILON)).asked:
            print(f"  {null.name}: so few units cannot show a win, and none is asked")
            continue
        for shares, most in ((run_shares(EPSILON), ALPHA), (replace(run_shares(EPSILON), pooled=AMPLIFIED), AMPLIFIED + ALPHA)):
            found = list(pool.map(partial(_null, position=position, shares=shares), range(runs)))
            false = sum(one.third > 0 for one in found)
            name = f"{null.name}{', amplified' if shares.pooled == AMPLIFIED else ''}"
            asked = float(np.median([one.asked for one in found]))
            # Not at odds with the bound.
            fits = float(stats.binom.sf(false - 1, runs, most)) > 0.01
            held.hold(f"{name:55} {false:3} of {runs}, at most {most:.2f} (median {asked:,.0f} calls)", held=fits)


def copies(pool: ProcessPoolExecutor, held: Held, runs: int) -> None:
    print("\nTasks at their bar, Level 3 at a pooled share of 0.01, which holds if units of different tasks are independent")
    for number, alike in ((1, True), (30, False), (10, True), (30, True)):
        found = list(pool.map(partial(copies_run, copies=number, alike=alike), range(runs)))
        false = sum(one.third > 0 for one in found)
        if alike and number > 1:
            print(f"  {number} copies of one task: {false} of {runs}")
        else:
            held.hold(f"{number} of their own: {false} of {runs}", held=stats.binom.sf(false - 1, runs, 0.01 + ALPHA) > 0.01)


def _null(seed: int, *, position: int, shares: Shares) -> Early:
    return null_run(nulls()[position], seed, shares, NULL_CALLS)


def specialists(pool: ProcessPoolExecutor, held: Held, runs: int, models: Sequence[Truth]) -> None:
    print("\nWins against the specialists' own true scores (bars: one-sided limits of these), right or wrong")
    found = [one for one in pool.map(partial(_specialists, runs=runs), range(len(models)), models) if one is not None]
    for one in found:
        fisher = f"of Fisher's test {one.fisher / runs:5.1f}"
        print(f"  {one.model:28} calls {one.asked / one.total:6.1%}, wins a run {one.won / runs:5.1f}, {fisher}")
    asked, total, otherwise = sum(one.asked for one in found), sum(one.total for one in found), sum(one.otherwise for one in found)
    held.hold(
        f"{asked / total:.1%} of the calls; otherwise {otherwise} tasks of {runs * len(found)} runs",
        held=otherwise <= EPSILON * runs * len(found),
    )


def _specialists(position: int, truth: Truth, *, runs: int) -> Specialists | None:
    return specialist_wins(truth, runs, EPSILON, position)


def unlucky(pool: ProcessPoolExecutor, held: Held, runs: int) -> None:
    print(f"\nModels exactly as good as {UNLUCKY} specialists that were measured on {MEASURED} instances: Level 3, until it is decided")
    for limits in (False, True):
        found = list(pool.map(partial(unlucky_run, limits=limits), range(runs)))
        false, full = (sum(states) for states in zip(*((one.third > 0, one.full_third) for one in found), strict=True))
        asked = sum(one.asked for one in found) / sum(one.total for one in found)
        said = f"{false} of {runs} (by their full runs: {full}), after {asked:.0%} of the calls"
        if limits:
            held.hold(f"over upper limits of the specialists' true scores in {said}", held=stats.binom.sf(false - 1, runs, ALPHA) > 0.01)
        else:
            print(f"  over the published figures, of which some are truly exceeded, in {said}")


def agreements(pool: ProcessPoolExecutor, held: Held, models: Sequence[Truth]) -> None:
    found = list(pool.map(agreement, models))
    tasks, apart = sum(count for count, _apart in found), sum(differing for _count, differing in found)
    print("\nRuns by the decider itself beside those that are computed at once")
    held.hold(f"{apart} of {tasks:,} tasks decided otherwise or elsewhere", held=apart == 0)


def certificates(pool: ProcessPoolExecutor, held: Held, runs: int) -> None:
    large = [truth for truth in truths() if len(truth.shares) >= LARGE]
    asked = [(truth, seed) for truth in large for seed in range(runs)]
    found = list(pool.map(_beside, asked))
    print(f"\nWins and verdicts of all kinds of tasks (graded F1-like) beside what the scorer certifies of the full run, {runs} runs each")
    for truth in large:
        mine = [one for (other, _seed), one in zip(asked, found, strict=True) if other is truth]
        part = sum(one.asked for one in mine) / sum(one.total for one in mine)
        print(f"  {truth.model:28} wins after {part:6.1%} of {mine[0].total:,} calls, {mine[0].certified} certified")
    apart = sum(one.apart > 0 for one in found)
    held.hold(f"wins otherwise in {apart} of {len(found)} runs", held=apart <= max(1.0, EPSILON * len(found)))
    below = sum((one.verdict or 0) < (one.certified_verdict or 0) for one in found)
    held.hold(f"a lower verdict than the certificate's in {below} of {len(found)} runs", held=below <= max(1.0, EPSILON * len(found)))


def _beside(asked: tuple[Truth, int]) -> Beside:
    return beside_certificate(asked[0], "F1-like", asked[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer runs, within about a minute")
    parser.add_argument("--published", type=Path, help="a table with values of further models")
    options = parser.parse_args()
    began, held = time.monotonic(), Held()
    print(machine())
    models = truths(options.published)
    runs = QUICK if options.quick else RUNS
    with ProcessPoolExecutor(max(1, len(os.sched_getaffinity(0)) - 1)) as pool:
        wins(pool, held, runs["wins"], models)
        graded(pool, held, runs["graded"])
        agreements(pool, held, models[:5])
        certificates(pool, held, runs["certificates"])
        specialists(pool, held, runs["specialists"], models)
        unlucky(pool, held, runs["unlucky"])
        published(pool, held, runs["published"], models)
        better(pool, held, runs["better"])
        false_levels(pool, held, runs["nulls"])
        copies(pool, held, runs["copies"])
    print(f"\n{time.monotonic() - began:.0f} s; {f'{held.failed} of what must hold does not' if held.failed else 'all of it holds'}")
    return 1 if held.failed else 0


if __name__ == "__main__":
    sys.exit(main())
