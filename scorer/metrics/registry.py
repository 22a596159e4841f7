"""Which metric a task asks for: from an id of genlevel.benchmark.metrics and parameters to a metric that computes it.

``variant`` names another rule for the same metric; "default" is the only one so far.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from genlevel.benchmark.metrics import metric as metric_info
from scorer.metrics.base import Metric
from scorer.metrics.classification import Accuracy, ExactMatch, ItemF1, MicroF1, TokenF1
from scorer.metrics.detection import BoxPrecisionAtIou
from scorer.metrics.text import Anls, CorpusBleu, Rouge, SentenceBleu

Parameters = Mapping[str, str]


def _f1(parameters: Parameters) -> Metric[Any] | None:
    return {"tokens": TokenF1, "items": ItemF1}.get(parameters.get("of", "tokens"), lambda: None)()


def _bleu_1(parameters: Parameters) -> Metric[Any] | None:
    return CorpusBleu() if parameters.get("level") == "corpus" else SentenceBleu("bleu_1", 1)


def _ap_at_iou(parameters: Parameters) -> Metric[Any] | None:
    return BoxPrecisionAtIou(float(parameters.get("iou", "0.5"))) if parameters.get("of", "boxes") == "boxes" else None


_FACTORIES: dict[str, Callable[[Parameters], Metric[Any] | None]] = {
    "accuracy": lambda _parameters: Accuracy(),
    "exact_match": lambda _parameters: ExactMatch(),
    "f1": _f1,
    "micro_f1": lambda _parameters: MicroF1(),
    "bleu_1": _bleu_1,
    "bleu_4": lambda _parameters: SentenceBleu("bleu_4", 4),
    "rouge_1": lambda _parameters: Rouge("rouge_1"),
    "rouge_l": lambda _parameters: Rouge("rouge_l"),
    "anls": lambda _parameters: Anls(),
    "ap_at_iou": _ap_at_iou,
}

IMPLEMENTED: frozenset[str] = frozenset(_FACTORIES)


def create(metric_id: str, parameters: Parameters | None = None, variant: str = "default") -> Metric[Any] | None:
    """The metric, or None where it cannot be computed here (yet).

    Raises DatasetError for an id that the registry does not know, ValueError for a parameter the metric cannot have.
    """
    metric_info(metric_id)
    factory = _FACTORIES.get(metric_id)
    return None if factory is None or variant != "default" else factory(parameters or {})
