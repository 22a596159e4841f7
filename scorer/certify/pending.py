"""A task that a run asks, without any answer yet: it can still come to anything that its metric allows.

Its number of instances decides what a certificate may say: as for a task asked in part, all of them count as wrong against a win and
as right against a loss.
"""

from __future__ import annotations

import sys

from genlevel.benchmark.metrics import METRICS, Direction
from genlevel.benchmark.model import TaskMetric
from genlevel.benchmark.outcomes import Outcome
from scorer.certify.ends import Ends, Estimate
from scorer.certify.samples import Sample
from scorer.metrics.nature import Proof
from scorer.metrics.registry import nature_of
from scorer.scoring.task_scoring import TaskOutcome, incomplete_note

UNBOUNDED = sys.float_info.max
"""What stands for a score without a bound: sigma takes it for the worst or the best."""


def pending_outcome(metric_id: str, instances: int, obstacle: str = "") -> TaskOutcome:
    """No score, between the bounds that the metric has. obstacle: why there will be none either, in one line."""
    counts = {Outcome.PENDING: instances}
    info = METRICS.get(metric_id)
    if obstacle or info is None:
        return TaskOutcome(score=None, lower=None, upper=None, standard_error=None, counts=counts, note=obstacle, unparsable_ids=())
    lower, upper = (end if abs(end) < UNBOUNDED else None for end in (info.lowest, info.highest))
    if lower is None or upper is None:
        lower = upper = None
    return TaskOutcome(
        score=None, lower=lower, upper=upper, standard_error=None, counts=counts, note=incomplete_note(counts), unparsable_ids=()
    )


def is_pending(outcome: TaskOutcome) -> bool:
    """Whether this is a ``pending_outcome`` that a score may still come of."""
    return set(outcome.counts) == {Outcome.PENDING} and outcome.note == incomplete_note(outcome.counts)


def pending_evidence(metric: TaskMetric, instances: int) -> Ends:
    """All instances wrong, and all right; of metrics that are not between 0 and 100 nothing can be tested."""
    info = METRICS[metric.id]
    ends = [max(-UNBOUNDED, min(UNBOUNDED, end)) for end in (info.lowest, info.highest)]
    if info.direction is Direction.LOWER:
        ends.reverse()
    error = 0.0 if info.is_bounded else None
    nature = nature_of(metric)
    if nature is None or nature.proof is not Proof.BETTING:
        share = nature is not None and nature.is_share
        low, high = (Estimate(end, error, instances, binary=share) for end in ends)
        return Ends(low, high)
    from scorer.metrics.parts import bounds_of
    from scorer.metrics.registry import create

    made = create(metric.id, dict(metric.parameters), measuring=False)
    bounds = (0.0, 100.0) if made is None else bounds_of(made)
    samples = [Sample((above,), (1.0,), (instances,), lowest=bounds[0], highest=bounds[1]) for above in (0.0, 1.0)]
    if info.direction is Direction.LOWER:
        samples.reverse()
    low, high = (Estimate(end, error, instances, sample=sample) for end, sample in zip(ends, samples, strict=True))
    return Ends(low, high)
