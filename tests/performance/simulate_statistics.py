"""Simulated runs whose truth is known, to measure how often certificates are wrong, how often intervals hold, and what is found.

A run answers all 699 tasks of General-Bench on 464 instances each. Accuracies are right or wrong answers; other percentages are graded,
F1-like (many 0, some 1, the rest between) or BLEU-like (a skewed power of a uniform number) in turn; errors are exponential. Every third
task's instances come in clusters of four that are partly alike. The certificate is the scorer's own.

From values alone (a workbook) n is the task list's, and nothing else is known: see ``simulate_values``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.metrics import METRICS
from genlevel.benchmark.model import Task
from scorer.certify import Certificate, Estimate, Status, TaskEvidence, certify, evidence_from_statistics, evidence_from_workbook
from scorer.certify.samples import Sample, Sizes
from scorer.levels.rules import compute_levels, judge_all
from scorer.scoring.task_scoring import Outcome

INSTANCES = 464
CLUSTER = 4
GROUPS = INSTANCES // CLUSTER
Kind = str  # accuracy, f1, bleu, error
Uniforms = Any


@dataclass(frozen=True)
class Simulated:
    """One task with its true value, in the metric's unit."""

    task: Task
    kind: Kind
    truth: float
    clustered: bool


def kind_of(task: Task, position: int) -> Kind:
    if task.metric.id == "accuracy":
        return "accuracy"
    info = METRICS[task.metric.id]
    if info.unit == "%" and info.direction == "higher" and 0.0 < (task.reference_workbook or 0.0) < 100.0:
        return ("f1", "bleu")[position % 2]
    return "error"


def plan(gap: float, boosted: Mapping[str, float] | None = None) -> list[Simulated]:
    """All tasks, their truth ``gap`` points (errors: per cent) worse than their specialist; boosted: points better instead, by Task.id."""
    planned = []
    for position, task in enumerate(general_bench().tasks):
        reference = task.reference_workbook
        if reference is None or not math.isfinite(reference):
            continue
        kind = kind_of(task, position)
        if kind == "error":
            higher = METRICS[task.metric.id].direction == "higher"
            truth = abs(reference) * (1.0 - gap / 100.0 if higher else 1.0 + gap / 100.0)
        else:
            truth = min(max(reference + (boosted or {}).get(task.id, -gap), 0.5), 99.5)
        planned.append(Simulated(task, kind, truth, position % 3 == 0))
    return planned


def graded(kind: Kind, mean: float, uniforms: Uniforms) -> Uniforms:
    """Scores 0..1 (errors: any) with this mean, from uniform numbers."""
    if kind == "accuracy":
        return (uniforms < mean).astype(float)
    if kind == "f1":
        between = min(0.4, 1.8 * mean, 1.8 * (1.0 - mean))
        zeros = 1.0 - between - (mean - between / 2.0)
        return np.clip((uniforms - zeros) / between, 0.0, 1.0)
    if kind == "bleu":
        return uniforms ** (1.0 / mean - 1.0)
    return -mean * np.log1p(-uniforms)


def clustered_uniforms(generator: np.random.Generator, groups: int, size: int, shared: float = 0.5) -> Uniforms:
    """(groups, size) uniform numbers, alike within a group: each is the group's own with probability ``shared``."""
    own, common = generator.random((groups, size)), generator.random((groups, 1))
    return np.where(generator.random((groups, size)) < shared, common, own)


def estimate(entry: Simulated, generator: np.random.Generator) -> Estimate:
    """One run's score on one task, as the scorer would have it (checked against it by ``check_estimates``)."""
    scale = 1.0 if entry.kind == "error" else 100.0
    mean = entry.truth / scale
    if entry.kind == "accuracy" and not entry.clustered:
        right = int(generator.binomial(INSTANCES, mean))
        value = 100.0 * right / INSTANCES
        return Estimate(value, math.sqrt(value * (100.0 - value) / (INSTANCES - 1)), INSTANCES, binary=True)
    if not entry.clustered:
        values = graded(entry.kind, mean, generator.random(INSTANCES))
        error = scale * float(values.std(ddof=1)) / math.sqrt(INSTANCES)
        sample = None if entry.kind == "error" else Sample(tuple(values.tolist()), (1.0,) * INSTANCES, (1,) * INSTANCES)
        return Estimate(scale * float(values.mean()), error, INSTANCES, sample=sample, **shape(values - values.mean()))
    values = graded(entry.kind, mean, clustered_uniforms(generator, GROUPS, CLUSTER))
    sums = (values - values.mean()).sum(axis=1)
    sample = None
    if entry.kind != "error":
        sample = Sample(tuple(values.sum(axis=1).tolist()), (float(CLUSTER),) * GROUPS, (1,) * GROUPS, Sizes.PLANNED)
    return Estimate(scale * float(values.mean()), *clustered_error(scale * values), clustered=True, sample=sample, **shape(sums))


def shape(deviations: Uniforms) -> dict[str, float]:
    """Skewness and degrees of freedom, as the scorer has them."""
    squares = deviations * deviations
    total = float(squares.sum())
    if not total:
        return {}
    count = len(deviations)
    degrees: float = count - 1
    excess = count * float(squares @ squares) / total**2 - 1.0
    if excess * degrees > 2.0 * count:
        degrees = max(1, int(2.0 * count / excess))
        degrees -= degrees % 10 if degrees >= 100 else 0
    return {"skewness": float(squares @ deviations) / total**1.5, "degrees": degrees}


def clustered_error(values: Uniforms) -> tuple[float, int]:
    groups = len(values)
    sums = (values - values.mean()).sum(axis=1)
    return math.sqrt(groups / (groups - 1) * float(sums @ sums)) / values.size, groups


def check_estimates() -> None:
    """The short cuts above give what the scorer gives for the same instances."""
    generator = np.random.default_rng(0)
    values = graded("f1", 0.4, clustered_uniforms(generator, GROUPS, CLUSTER))
    task = next(task for task in general_bench().tasks if task.metric.id == "f1")
    statistics = {
        AnswerKey(f"{group}-{item}"): (Outcome.ANSWERED, float(values[group, item])) for group in range(GROUPS) for item in range(CLUSTER)
    }
    found = evidence_from_statistics(task.metric, statistics, {key: int(key.instance.split("-")[0]) for key in statistics})
    assert found is not None
    error, groups = clustered_error(100.0 * values)
    assert found.low.units == groups
    expected = shape((values - values.mean()).sum(axis=1))
    assert math.isclose(found.low.skewness, expected["skewness"], rel_tol=1e-9)
    assert found.low.degrees == expected["degrees"]
    assert math.isclose(found.low.standard_error or 0.0, error, rel_tol=1e-9)
    sample = Sample.of(((float(row.sum()), float(CLUSTER)) for row in values), Sizes.PLANNED)
    kept = found.low.sample
    assert isinstance(kept, Sample)
    assert (kept.below, kept.counts, kept.sizes) == (sample.below, sample.counts, sample.sizes)
    assert np.allclose(kept.above, sample.above, atol=1e-6)


@dataclass(frozen=True)
class Outcomes:
    """What one simulated run came to. false_wins: certified or discovered although not true."""

    point_level: int
    point_wins: int
    certified_level: int
    certified_wins: int
    discovered_wins: int
    false_certified: int
    false_discovered: int
    level_2_holds: bool


@cache
def _planned(gap: float, boost: float, boosted: int) -> tuple[list[Simulated], float, frozenset[str]]:
    winners: dict[str, float] = {}
    if boosted:
        fit = [
            entry.task.id
            for entry in plan(gap)
            if entry.kind == "accuracy" and not entry.clustered and entry.task.sheet == "Image-Comprehension" and 30 < entry.truth < 80
        ]
        winners = dict.fromkeys(fit[:boosted], boost)
        assert len(winners) == boosted
    planned = plan(gap, winners)
    truths = {entry.task.id: entry.truth for entry in planned}
    return planned, compute_levels(judge_all(general_bench(), truths)).level_2, frozenset(winners)


def simulate(seed: int, gap: float, boost: float = 0.0, boosted: int = 0, alpha: float = 0.05) -> Outcomes:
    """One run. boosted: so many accuracy tasks of image comprehension are truly ``boost`` points better than their specialist."""
    generator = np.random.Generator(np.random.SFC64(seed))
    planned, truth, winners = _planned(gap, boost, boosted)
    evidence = [TaskEvidence(entry.task, *(2 * [estimate(entry, generator)])) for entry in planned]
    results = judge_all(general_bench(), {entry.task.id: entry.low.value for entry in evidence})
    levels = compute_levels(results)
    found: Certificate = certify(results, evidence, alpha)
    certified = [task.task.id for task in found.tasks if task.status is Status.ATTAINED]
    discovered = [task.task.id for task in found.tasks if task.discovered]
    interval = found.levels[0].interval
    return Outcomes(
        levels.verdict or 0,
        sum(row.win is True for row in results),
        found.verdict or 0,
        len(certified),
        len(discovered),
        len(set(certified) - winners),
        len(set(discovered) - winners),
        interval[0] <= truth <= interval[1],
    )


def simulate_values(seed: int, gap: float, kind: str, alpha: float = 0.05) -> int:
    """The certified level, 0 for none, of one run's percentages alone, n being the task list's.

    kind: "graded", means as above; "all or nothing", means of nothing but 0 and 1, which vary the most; "clustered", graded ones of which
    every third task comes in clusters of four, contrary to what a workbook's certificate assumes.
    """
    generator = np.random.Generator(np.random.SFC64(seed))
    values: dict[str, float] = {}
    planned, _truth, _winners = _planned(gap, 0.0, 0)
    for entry in planned:
        if entry.kind == "error":
            continue
        count, shape_of = max(1, entry.task.instances), "accuracy" if kind == "all or nothing" else entry.kind
        uniforms = generator.random(count)
        if kind == "clustered" and entry.clustered:
            uniforms = clustered_uniforms(generator, -(-count // CLUSTER), CLUSTER).ravel()[:count]
        values[entry.task.id] = 100.0 * float(graded(shape_of, entry.truth / 100.0, uniforms).mean())
    results = judge_all(general_bench(), values)
    return certify(results, evidence_from_workbook(results)[0], alpha).verdict or 0


def _mean_case(
    kind: Kind, mean: float, *, clustered: bool
) -> Callable[[np.random.Generator], tuple[dict[AnswerKey, Any], dict[AnswerKey, int]]]:
    def draw(generator: np.random.Generator) -> tuple[dict[AnswerKey, Any], dict[AnswerKey, int]]:
        if not clustered:
            values = graded(kind, mean, generator.random(INSTANCES))
            return {AnswerKey(str(index)): (Outcome.ANSWERED, float(value)) for index, value in enumerate(values)}, {}
        # Between one and seven instances share a medium.
        values = graded(kind, mean, clustered_uniforms(generator, GROUPS, 7))
        sizes = generator.integers(1, 8, GROUPS)
        keys = [(group, item) for group in range(GROUPS) for item in range(sizes[group])]
        rows = {AnswerKey(f"{g}-{i}"): (Outcome.ANSWERED, float(values[g, i])) for g, i in keys}
        return rows, {AnswerKey(f"{g}-{i}"): g for g, i in keys if sizes[g] > 1}

    return draw


def _micro_f1_case(skill: float) -> Callable[[np.random.Generator], tuple[dict[AnswerKey, Any], dict[AnswerKey, int]]]:
    def draw(generator: np.random.Generator) -> tuple[dict[AnswerKey, Any], dict[AnswerKey, int]]:
        wanted = generator.integers(1, 5, INSTANCES)
        hits, extra = generator.binomial(wanted, skill), generator.poisson(0.5, INSTANCES)
        rows = np.stack([hits, extra, wanted - hits], axis=1).tolist()
        return {AnswerKey(str(index)): (Outcome.ANSWERED, row) for index, row in enumerate(rows)}, {}

    return draw


def _corpus_bleu_case(skill: float) -> Callable[[np.random.Generator], tuple[dict[AnswerKey, Any], dict[AnswerKey, int]]]:
    def draw(generator: np.random.Generator) -> tuple[dict[AnswerKey, Any], dict[AnswerKey, int]]:
        given, wanted = generator.integers(3, 20, INSTANCES), generator.integers(8, 25, INSTANCES)
        rows = np.stack([generator.binomial(given, skill), given, wanted], axis=1).tolist()
        return {AnswerKey(str(index)): (Outcome.ANSWERED, row) for index, row in enumerate(rows)}, {}

    return draw


def coverage_cases() -> dict[
    str, tuple[str, dict[str, str], float, Callable[[np.random.Generator], tuple[dict[AnswerKey, Any], dict[AnswerKey, int]]]]
]:
    """name -> (metric, its parameters, the true score, a drawer of statistics and clusters)."""
    cases: dict[str, Any] = {}
    for kind, metric in (("accuracy", "accuracy"), ("f1", "f1"), ("bleu", "bleu_4")):
        for mean in (0.1, 0.5, 0.9):
            for clustered in (False, True):
                name = f"{metric} {100 * mean:.0f}{', clustered' if clustered else ''}"
                cases[name] = (metric, {}, 100.0 * mean, _mean_case(kind, mean, clustered=clustered))
    for skill in (0.3, 0.8):
        # Expected items: 2.5 wanted, 2.5 * skill hits, 0.5 extra.
        cases[f"micro_f1, skill {skill}"] = ("micro_f1", {}, 100 * 5 * skill / (2.5 * skill + 0.5 + 2.5), _micro_f1_case(skill))
        # Expected tokens: 11 given, 16 wanted.
        truth = 100.0 * skill * math.exp(1.0 - 16.0 / 11.0)
        cases[f"bleu_1 (corpus), skill {skill}"] = ("bleu_1", {"level": "corpus"}, truth, _corpus_bleu_case(skill))
    return cases
