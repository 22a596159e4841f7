"""Which metric a task asks for: from an id of genlevel.benchmark.metrics and parameters to a metric that computes it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from genlevel.benchmark.metrics import metric as metric_info
from genlevel.benchmark.model import TaskMetric
from scorer.metrics.base import AnyMetric, Factory, MetricUnavailable, Parameters
from scorer.metrics.nature import Nature
from scorer.metrics.senses import listed_nature

_FAMILIES = (
    *("text.overlap", "text.official_rules", "text.cider", "text.wer", "text.code", "text.classification"),
    *("signals.ranking", "regions.detection", "regions.segmentation", "regions.tracking", "regions.relations"),
    *("signals.regression", "signals.image_quality", "signals.video_quality", "signals.audio", "signals.three_d"),
    *("learned.families", "ratings"),
)
"""Modules with FACTORIES, in the order in which they are asked. They are imported when they are: few tasks need many."""


@cache
def _family(name: str) -> Mapping[str, Factory]:
    factories: Mapping[str, Factory] = import_module(f"scorer.metrics.{name}").FACTORIES
    return factories


def implemented() -> frozenset[str]:
    """The ids of all metrics that some family makes."""
    return frozenset(metric_id for name in _FAMILIES for metric_id in _family(name))


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
    families = (_family(name) for name in _FAMILIES)
    found = (family[metric_id](senses, variant) for family in families if metric_id in family)
    made = next((metric for metric in found if metric is not None), None)
    if made is not None and measuring:
        made.check()
    return made


@cache
def nature_of(metric: TaskMetric) -> Nature | None:
    """What a task's metric declares of itself in the sense that the task means; None if it cannot be computed in this version.

    Of the senses that General-Bench has it is known without loading the metric.
    """
    found = listed_nature(metric)
    if found is not None:
        return found
    try:
        made = create(metric.id, dict(metric.parameters), measuring=False)
    except (MetricUnavailable, ValueError):
        return None
    return None if made is None else made.nature
