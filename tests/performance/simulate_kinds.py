"""How often intervals of each kind hold a known true score, how wide they are, and what is found of a model that is truly better.

Everything goes through the scorer as a run does; ``simulate_nulls`` has the tests' errors.

    python tests/performance/simulate_kinds.py [--runs 1000] [--only coverage|power] [--case NAME]
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats
from simulate_nulls import (
    THRESHOLD,
    Array,
    Documents,
    Draw,
    beta,
    bleu_like,
    f1_like,
    near_perfect,
    right_or_wrong,
    statistics_of,
    task_of,
)

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.model import TaskMetric
from scorer.certify import TaskEvidence, evidence_from_statistics
from scorer.certify.intervals import student


@dataclass(frozen=True)
class Coverage:
    """draw: statistics, clusters by position. truth: of the score, in the metric's unit."""

    name: str
    metric: str
    parameters: tuple[tuple[str, str], ...]
    count: int
    truth: float
    draw: Callable[[np.random.Generator], tuple[list[Any], dict[int, int]]]


def _plain(name: str, count: int, draw: Draw, mean: float, metric: str = "f1") -> Coverage:
    return Coverage(f"{name}, n = {count}", metric, (), count, 100.0 * mean, lambda rng: (draw(rng, 1)[0].tolist(), {}))


def _auc(count: int, share: float, area: float) -> Coverage:
    shift = float(stats.norm.ppf(area)) * 2**0.5

    def draw(rng: np.random.Generator) -> tuple[list[Any], dict[int, int]]:
        positive = np.arange(count) < round(share * count)
        scores = rng.normal(0.0, 1.0, count) + shift * positive
        return [[[float(score), int(not one), int(one)]] for score, one in zip(scores, positive, strict=True)], {}

    return Coverage(f"ROC AUC {100 * area:g}, {100 * share:g} % positives, n = {count}", "auc", (("of", "roc"),), count, 100.0 * area, draw)


def _anomalies(count: int, share: float, shift: float) -> Coverage:
    """Average precision; the truth is that of a very large sample."""
    positives = round(share * count)

    def draw(rng: np.random.Generator) -> tuple[list[Any], dict[int, int]]:
        positive = np.arange(count) < positives
        scores = rng.normal(0.0, 1.0, count) + shift * positive
        return [[[float(score), int(not one), int(one)]] for score, one in zip(scores, positive, strict=True)], {}

    places = np.linspace(-8.0, shift + 8.0, 20_001)
    found, false = stats.norm.sf(places - shift), stats.norm.sf(places)
    precision = share * found / (share * found + (1 - share) * false)
    truth = float(np.trapezoid(precision * stats.norm.pdf(places - shift), places))
    name = f"anomaly AP {100 * truth:.0f}, {100 * share:g} % positives, n = {count}"
    return Coverage(name, "average_precision", (("of", "anomaly_score"),), count, 100.0 * truth, draw)


def _micro(count: int, documents: Documents) -> Coverage:
    def draw(rng: np.random.Generator) -> tuple[list[Any], dict[int, int]]:
        above, below = documents.draw(rng, (count,))
        return [[int(up / 2), 0, int(down - up)] for up, down in zip(above, below, strict=True)], {}

    huge = f", {100 * documents.huge:g} % huge failing documents" if documents.huge else ""
    return Coverage(f"micro-F1{huge}, n = {count}", "micro_f1", (), count, 100.0 * documents.ratio, draw)


def _clustered(name: str, sizes: list[int], mean: float, alike: float) -> Coverage:
    owners = np.repeat(np.arange(len(sizes)), sizes)

    def draw(rng: np.random.Generator) -> tuple[list[Any], dict[int, int]]:
        own, common = rng.random(len(owners)), rng.random(len(sizes))[owners]
        right = (np.where(rng.random(len(sizes))[owners] < alike, common, own) < mean).astype(float)
        return right.tolist(), dict(enumerate(owners.tolist()))

    return Coverage(f"{name}, {len(owners)} answers", "accuracy", (), len(owners), 100.0 * mean, draw)


def _errors(name: str, count: int, draw: Callable[[np.random.Generator], Array], truth: float) -> Coverage:
    return Coverage(f"{name}, n = {count}", "mae", (), count, truth, lambda rng: ([[float(value)] for value in draw(rng)], {}))


def _corpus_bleu(count: int, skill: float) -> Coverage:
    def draw(rng: np.random.Generator) -> tuple[list[Any], dict[int, int]]:
        given, wanted = rng.integers(3, 20, count), rng.integers(8, 25, count)
        return np.stack([rng.binomial(given, skill), given, wanted], axis=1).tolist(), {}

    truth = 100.0 * skill * math.exp(1.0 - 16.0 / 11.0)
    return Coverage(f"corpus BLEU-1, n = {count}", "bleu_1", (("level", "corpus"),), count, truth, draw)


def coverages() -> list[Coverage]:
    cases = []
    for count in (50, 200, 464):
        for chance in (0.5, 0.9, 0.98):
            cases.append(_plain(f"right or wrong at {100 * chance:g}", count, right_or_wrong(chance, count), chance, "accuracy"))
        cases += [_plain("Beta(2, 2)", count, beta(0.5, 4.0, count), 0.5), _plain("F1-like at 80", count, f1_like(0.8, count), 0.8)]
        for zeros, least in ((0.02, 0.98), (0.005, 0.995)):
            _draw, sized, mean = near_perfect(zeros, least)
            cases.append(_plain(f"{100 * zeros:g} % zeros, else {least:g}-1", count, sized(count), mean))
        cases += [_auc(count, share, area) for share, area in ((0.02, 0.9), (0.1, 0.9), (0.5, 0.6))]
        cases += [_anomalies(count, share, shift) for share, shift in ((0.05, 1.5), (0.05, 3.0), (0.3, 1.5))]
        cases += [_micro(count, Documents(0.8)), _micro(count, Documents(0.9, 0.01, 100)), _corpus_bleu(count, 0.5)]
        cases += [
            _errors("MAE, exponential", count, lambda rng, n=count: rng.exponential(10.0, n), 10.0),
            _errors("MAE, lognormal", count, lambda rng, n=count: rng.lognormal(0.0, 1.0, n), math.exp(0.5)),
            _errors(
                "MAE, 0.2 % outliers", count, lambda rng, n=count: np.where(rng.random(n) < 0.002, 500.0, rng.exponential(1.0, n)), 1.998
            ),
        ]
    cases += [
        _clustered("10 clusters of 20 at 90", [20] * 10, 0.9, 0.5),
        _clustered("116 clusters of 1-7 at 60", [1 + index % 7 for index in range(116)], 0.6, 0.5),
        _clustered("one cluster holds half, at 70", [100] + [2] * 50, 0.7, 1.0),
    ]
    return cases


@dataclass(frozen=True)
class Covered:
    """share: of the intervals said that hold the truth. said: how many were. width, before: the mean widths of ours and of Student's."""

    case: Coverage
    said: int
    share: float
    width: float
    before: float
    asymptotic: bool
    runs: int

    def __str__(self) -> str:
        kind, said = "asymptotic" if self.asymptotic else "proven", f"{self.said}/{self.runs}"
        if not self.said:
            return f"| {self.case.name} | {kind} | {said} | none | | |"
        return f"| {self.case.name} | {kind} | {said} | {self.share:.4f} | {self.width:.2f} | {self.before:.2f} |"


def covered(case: Coverage, runs: int, seed: int = 1) -> Covered:
    task, rng = task_of(case.metric, case.parameters), np.random.Generator(np.random.SFC64([seed, case.count]))
    hits = said = 0
    widths, before, asymptotic = [], [], False
    for _run in range(runs):
        rows, owners = case.draw(rng)
        clusters = {AnswerKey(f"{index:05}"): owner for index, owner in owners.items()}
        ends = evidence_from_statistics(TaskMetric(case.metric, "", case.parameters), statistics_of(rows), clusters)
        assert ends is not None
        found = TaskEvidence.of(task, ends)
        interval, asymptotic = found.interval(0.95), found.asymptotic
        if interval is None:
            continue
        said += 1
        hits += interval[0] <= case.truth <= interval[1]
        widths.append(interval[1] - interval[0])
        end = ends.low
        if end.standard_error:
            low, high = student(end.value, end.standard_error, end.freedom, 0.95, end.skewness)
            before.append(high - low)
    share = hits / said if said else math.nan
    return Covered(case, said, share, float(np.mean(widths or [math.nan])), float(np.mean(before or [0.0])), asymptotic, runs)


def powers(runs: int, seed: int = 1) -> Iterator[tuple[str, float, float, float, float]]:
    """(case, points better, power of Student's t, of ours against the published figure, against a specialist measured on as many)."""
    count = 464
    shapes: list[tuple[str, str, float, Callable[[float], Draw]]] = [
        ("right or wrong", "accuracy", 0.5, lambda mean: right_or_wrong(mean, count)),
        ("Beta(2, 2)", "f1", 0.5, lambda mean: beta(mean, 4.0, count)),
        ("F1-like", "f1", 0.6, lambda mean: f1_like(mean, count)),
        ("BLEU-like", "f1", 0.3, lambda mean: bleu_like(mean, count)),
    ]
    for name, metric, reference, made in shapes:
        task = task_of(metric)
        for points in (5, 8, 10, 15):
            rng, draw = np.random.Generator(np.random.SFC64([seed, points])), made(reference + points / 100.0)
            wins = np.zeros(3)
            for _run in range(runs):
                values = draw(rng, 1)[0]
                ends = evidence_from_statistics(TaskMetric(metric, ""), statistics_of(values.tolist()))
                assert ends is not None
                found = TaskEvidence.of(task, ends)
                statistic = (ends.low.value - 100.0 * reference) / max(ends.low.standard_error or 0.0, 1e-9)
                wins += [
                    stats.t.sf(statistic, count - 1) <= THRESHOLD,
                    found.win_p_value(100.0 * reference) <= THRESHOLD,
                    found.win_p_value_against_specialist(100.0 * reference, count) <= THRESHOLD,
                ]
            yield (f"{name} at {100 * reference:g}, n = {count}", points, *(wins / runs).tolist())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--only", default="")
    parser.add_argument("--case", default="")
    asked = parser.parse_args()
    if asked.only in ("", "coverage"):
        for case in coverages():
            if asked.case in case.name:
                print(covered(case, asked.runs), flush=True)
    if asked.only in ("", "power"):
        for name, points, *found in powers(asked.runs):
            print(f"| {name} | +{points} | {found[0]:.3f} | {found[1]:.3f} | {found[2]:.3f} |", flush=True)


if __name__ == "__main__":
    started = time.perf_counter()
    main()
    print(f"{time.perf_counter() - started:.0f} s")
