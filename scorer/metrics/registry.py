"""Which metric a task asks for: from an id of genlevel.benchmark.metrics and parameters to a metric that computes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from genlevel.benchmark.metrics import metric as metric_info
from genlevel.benchmark.model import TaskMetric
from scorer.metrics.base import AnyMetric, Factory, MetricUnavailable, Parameters
from scorer.metrics.nature import Nature


@cache
def _factories() -> Mapping[str, Sequence[Factory]]:
    """What makes the metric of an id, the families in their order. They are imported here: only measuring and computing need them."""
    from scorer.metrics import ratings
    from scorer.metrics.learned import families as learned
    from scorer.metrics.regions import detection, relations, segmentation, tracking
    from scorer.metrics.signals import audio, image_quality, ranking, regression, three_d, video_quality
    from scorer.metrics.text import cider, classification, code, official_rules, overlap, wer

    text = (overlap, official_rules, cider, wer, code, classification)
    signals = (regression, image_quality, video_quality, audio, three_d)
    found: dict[str, list[Factory]] = {}
    for family in (*text, ranking, detection, segmentation, tracking, relations, *signals, learned, ratings):
        for metric_id, factory in family.FACTORIES.items():
            found.setdefault(metric_id, []).append(factory)
    return found


def implemented() -> frozenset[str]:
    """The ids of all metrics that some family makes."""
    return frozenset(_factories())


def create(metric_id: str, parameters: Parameters | None = None, variant: str = "default", *, measuring: bool = True) -> AnyMetric | None:
    """The metric, or None if no family has one for these parameters and this variant.

    The families are asked in their order, as several may compute one id in its different senses. A variant may also stand among the
    parameters, as it does with kept scores. measuring: whether answers are to be measured; to compute from kept statistics no weights are
    needed.
    Raises DatasetError for an id that the registry does not know, ValueError for a parameter the metric cannot have, MetricUnavailable
    if something has to be installed first, or weights are missing to measure with.
    """
    metric_info(metric_id)
    senses = dict(parameters or {})
    variant = senses.pop("variant", variant)
    found = (factory(senses, variant) for factory in _factories().get(metric_id, ()))
    made = next((metric for metric in found if metric is not None), None)
    if made is not None and measuring:
        made.check()
    return made


@cache
def nature_of(metric: TaskMetric) -> Nature | None:
    """What a task's metric declares of itself in the sense that the task means; None if it cannot be computed in this version."""
    try:
        made = create(metric.id, dict(metric.parameters), measuring=False)
    except (MetricUnavailable, ValueError):
        return None
    return None if made is None else made.nature
