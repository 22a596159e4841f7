"""The registry of General-Bench's 58 metrics: ids, units, directions, and which one a workbook label means on a task.

Source: General-Level (arXiv 2505.04620), appendix A.1, and the labels of the official reference workbook. How a metric
is computed is the scorer's; here is what both the evaluator and the scorer must agree on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from genlevel.benchmark import mapping
from genlevel.benchmark.meaning import meaning
from genlevel.benchmark.model import TaskMetric
from genlevel.runtime.errors import DatasetError


class Direction(StrEnum):
    """Which values of a metric are better."""

    HIGHER = "higher"
    LOWER = "lower"


class Kind(StrEnum):
    """What computes a metric."""

    EXACT = "exact"
    MODEL = "model"
    JUDGE = "judge"
    HUMAN = "human"


class Need(StrEnum):
    """What a metric needs of the scorer that computes it: the networks of an extra, or nothing that not every scorer has."""

    ANY = "any"
    VISION = "vision"
    VIDEO = "video"
    AUDIO = "audio"


Needs: TypeAlias = tuple[tuple[str, Need], ...]

_VISION, _VIDEO, _AUDIO = ((("", need),) for need in (Need.VISION, Need.VIDEO, Need.AUDIO))


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """One metric.

    labels: as the workbook writes them. unit: of the values in the workbook ("%" is 0-100). lowest, highest: the values
    it can have, inclusive (math.inf if unbounded). kind: exact = from data alone; model = needs a published network's
    weights; judge = asks a judge model; human = ratings made by people. needs: by what its parameter "of" says ("": whatever it says).
    """

    id: str
    labels: tuple[str, ...]
    direction: Direction
    unit: str
    lowest: float
    highest: float
    kind: Kind
    needs: Needs = ()

    @property
    def is_bounded(self) -> bool:
        """Whether its values lie between 0 and 100, so that the number of instances alone bounds how far one may be off."""
        return (self.lowest, self.highest) == (0.0, 100.0)


def _percent(id_: str, *labels: str, kind: Kind = Kind.EXACT, lowest: float = 0.0, highest: float = 100.0, needs: Needs = ()) -> MetricInfo:
    return MetricInfo(id_, labels, Direction.HIGHER, "%", lowest, highest, kind, needs)


def _error(id_: str, label: str, unit: str = "", kind: Kind = Kind.EXACT, needs: Needs = ()) -> MetricInfo:
    return MetricInfo(id_, (label,), Direction.LOWER, unit, 0.0, math.inf, kind, needs)


METRICS: dict[str, MetricInfo] = {
    info.id: info
    for info in (
        _percent("accuracy", "ACC", "Acc", needs=(("picture_class", Need.VISION),)),
        _percent("macro_accuracy", "Macro-Acc"),
        _percent("exact_match", "EM@1"),
        _percent("frame_accuracy", "Fram-Acc", kind=Kind.MODEL, needs=_VISION),
        _percent("event_accuracy", "E-Acc"),
        _percent(
            "success_rate",
            "Successful rate",
            "Single-Object Successful Rate",
            "Multi-Object Successful Rate",
            kind=Kind.MODEL,
            needs=(*_VISION, ("viclip", Need.VIDEO), ("action_classifier", Need.VIDEO)),
        ),
        _percent("f1", "F1", "F-score", "F1 Score"),
        _percent("micro_f1", "Micro-F1"),
        _percent("auc", "AUC"),
        _percent("average_precision", "AP"),
        _percent("ap_at_iou", "AP10", "AP50", "AP75"),
        _percent("map", "mAP", "mAP@50"),
        _percent("recall_at_k", "R@50"),
        _percent("anls", "ANLS"),
        _error("mae", "MAE"),
        _error("rms", "RMS"),
        _error("mse", "MSE"),
        _error("rmse", "RMSE"),
        _error("abs_rel", "absRel"),
        _error("epe", "EPE", "px"),
        _percent("bleu_1", "BLEU-1", "BLUE_1"),
        _percent("bleu_4", "BLEU@4"),
        _percent("code_bleu", "CodeBLEU"),
        _percent("rouge_1", "ROUGE-1"),
        _percent("rouge_l", "ROUGE-L", "Rouge-L f"),
        _percent("cider", "CIDEr", highest=1000.0, needs=(("speech", Need.AUDIO),)),
        MetricInfo("psnr", ("PSNR",), Direction.HIGHER, "dB", -math.inf, math.inf, Kind.EXACT),
        MetricInfo("ms_ssim", ("MS-SSIM",), Direction.HIGHER, "", -1.0, 1.0, Kind.EXACT),
        _error("sad", "SAD", "thousands"),
        _percent("miou", "mIoU"),
        _percent("m_viou", "m_vIoU"),
        _percent("instance_miou", "Instance mIoU"),
        _percent("pq", "PQ"),
        _percent("dice", "DICE"),
        _percent("s_measure", "Structure measure"),
        _percent("amota", "AMOTA (Average Multi-Object Tracking Accuracy)"),
        _error("rte", "RTE ( Relative Translation Error)", "%"),
        _error("chamfer", "CD (Chamfer Distance)"),
        _percent("pcc", "PCC"),
        _error("mcd", "MCD", "dB"),
        _error("wer", "WER", "%", kind=Kind.MODEL, needs=_AUDIO),
        _percent("l1_distance", "L1 distance"),
        _percent("optical_flow_score", "Optical Flow Score", kind=Kind.MODEL, needs=_VIDEO),
        _error("fid", "FID", kind=Kind.MODEL, needs=(*_VISION, ("motion", Need.VIDEO))),
        _error("fvd", "FVD", kind=Kind.MODEL, needs=_VIDEO),
        _error("fad", "FAD", kind=Kind.MODEL, needs=_AUDIO),
        _percent("clip_score", "CLIP score", "CLIPScore", kind=Kind.MODEL, lowest=-100.0, needs=_VISION),
        _percent("clip_image_score", "CLIP img score", kind=Kind.MODEL, lowest=-100.0, needs=_VISION),
        _percent("clip_style", "CLIP-Style", kind=Kind.MODEL, lowest=-100.0, needs=_VISION),
        _percent("dino_score", "DINOScore", kind=Kind.MODEL, needs=_VISION),
        _percent("aesthetic_score", "Aesthetic score", kind=Kind.MODEL, needs=_VISION),
        _percent("musiq", "MUSIQ score", "MUSIQ", kind=Kind.MODEL, needs=_VISION),
        _percent("i2v_average", "DINO+ViCLIP+Optical flow+Motion Smooth", kind=Kind.MODEL, lowest=-100.0, needs=_VIDEO),
        _percent("clap", "CLAP", kind=Kind.MODEL, lowest=-100.0, needs=_AUDIO),
        _percent("style_clap", "Style-CLAP", kind=Kind.MODEL, lowest=-100.0, needs=_AUDIO),
        MetricInfo("mos", ("MOS",), Direction.HIGHER, "1..5", 1.0, 5.0, Kind.HUMAN),
        _percent("user_preference", "User preference rates", kind=Kind.HUMAN),
        _percent("gpt_score", "GPT-Score", kind=Kind.JUDGE),
    )
}


_BY_LABEL = {" ".join(name.split()).casefold(): info.id for info in METRICS.values() for name in (info.id, *info.labels)}


def metric(metric_id: str) -> MetricInfo:
    """The metric of this id. Raises DatasetError naming an unknown one."""
    try:
        return METRICS[metric_id]
    except KeyError:
        raise DatasetError(f"no metric has the id {metric_id!r}; known ids: {', '.join(sorted(METRICS))}") from None


def resolve_metric(label: str, sheet: str, task_name: str = "") -> TaskMetric:
    """The metric that a workbook's label means on one task.

    Several labels mean different things on different tasks (AUC, F1, AP, CLIP score, Successful rate, BLEU-1): their meaning
    is in the parameters ("of", "level", "iou", "k"). See genlevel.benchmark.meaning. A metric's id counts as a label too.

    Raises DatasetError naming the label, sheet and task if the registry has no such metric.
    """
    metric_id, parameters = meaning(label, sheet, task_name, _BY_LABEL.get(" ".join(label.split()).casefold()))
    if metric_id is None:
        where = f" (task {task_name!r}, sheet {sheet!r})" if task_name else ""
        known = ", ".join(name for info in METRICS.values() for name in info.labels)
        raise DatasetError(f"{label!r} is not a metric of General-Bench{where}; use one of: {known}")
    return TaskMetric(id=metric_id, label=label, parameters=tuple(sorted(parameters.items())))


def sigma(metric_id: str, value: float) -> float:
    """The value on the 0-100 scale where higher is better (General-Level, section A.1).

    value: in the workbook's unit (percent for WER). Clipped to 0..100; a perfect error of 0 is 100, an infinite PSNR is 100.
    Raises DatasetError for a value the metric cannot have: a negative error, infinity (but for PSNR), not a number.
    """
    _check(metric_id, value)
    return mapping.to_sigma(metric_id, value)


def is_win(metric_id: str, value: float, reference: float) -> bool:
    """Whether value is at least as good as reference in the metric's direction; a tie wins.

    Values are compared, not sigmas: mapped numbers saturate. Raises DatasetError as ``sigma`` does.
    """
    _check(metric_id, value)
    _check(metric_id, reference)
    return value <= reference if metric(metric_id).direction is Direction.LOWER else value >= reference


def _check(metric_id: str, value: float) -> None:
    info = metric(metric_id)
    name = info.labels[0]
    if math.isnan(value):
        raise DatasetError(f"{name}: a value is not a number (NaN)")
    if math.isinf(value) and not (metric_id == "psnr" and value > 0):
        raise DatasetError(f"{name}: an infinite value cannot be scored; leave it empty if the task is unsupported")
    if info.direction is Direction.LOWER and value < 0:
        raise DatasetError(f"{name}: {value:g} is negative, but an error is 0 or more")
