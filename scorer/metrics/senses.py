"""The natures of all metrics in the senses that tasks mean, so that nobody has to load a metric to know what can be certified of it.

Tests hold that each is what its metric declares.
"""

from __future__ import annotations

from collections.abc import Mapping

from genlevel.benchmark.model import TaskMetric
from scorer.metrics import nature
from scorer.metrics.nature import Nature

_SENSES: tuple[tuple[Nature, tuple[str, ...]], ...] = (
    (
        nature.SHARE,
        (
            "accuracy",
            "exact_match",
            "optical_flow_score",
        ),
    ),
    (
        nature.BOUNDED_MEAN,
        (
            "accuracy of=picture_class",
            "anls",
            "auc of=success_plot",
            "bleu_1",
            "bleu_1 level=sentence",
            "bleu_4",
            "bleu_4 level=sentence",
            "dice",
            "event_accuracy",
            "f1",
            "f1 of=items",
            "f1 of=tokens",
            "l1_distance",
            "m_viou",
            "miou",
            "miou of=masks",
            "pcc",
            "rouge_1",
            "rouge_l",
            "s_measure",
        ),
    ),
    (
        nature.UNIT_RATIOS,
        (
            "instance_miou",
            "recall_at_k",
            "recall_at_k k=50",
        ),
    ),
    (
        nature.MEASURED_MEAN,
        (
            "aesthetic_score",
            "clap",
            "clip_image_score",
            "clip_score",
            "clip_score of=frame_consistency",
            "clip_score of=image_image",
            "clip_score of=image_text",
            "clip_style",
            "dino_score",
            "frame_accuracy",
            "i2v_average",
            "ms_ssim",
            "musiq",
            "style_clap",
            "success_rate",
            "success_rate of=action_classifier",
            "success_rate of=detector",
            "success_rate of=viclip",
            "user_preference",
        ),
    ),
    (nature.OPINIONS, ("mos",)),
    (
        nature.HUNDREDTHS,
        (
            "gpt_score",
            "psnr",
        ),
    ),
    (nature.COUNTS, ("micro_f1",)),
    (
        nature.PAIRS,
        (
            "auc",
            "auc of=roc",
        ),
    ),
    (
        nature.ERRORS,
        (
            "abs_rel",
            "chamfer",
            "chamfer of=squared",
            "epe",
            "mae",
            "mcd",
            "mse",
            "rms",
            "rmse",
            "rmse of=normals",
            "rmse of=picture",
            "sad",
            "wer",
        ),
    ),
    (
        nature.POOLED,
        (
            "bleu_1 level=corpus",
            "code_bleu",
            "macro_accuracy",
            "miou of=classes",
            "miou of=classes void=0",
            "pq",
            "rte",
        ),
    ),
    (
        nature.RANKED,
        (
            "amota",
            "ap_at_iou",
            "ap_at_iou iou=0.1 of=boxes",
            "ap_at_iou iou=0.5 of=boxes",
            "ap_at_iou iou=0.5 of=keypoints",
            "ap_at_iou iou=0.5 of=masks",
            "ap_at_iou iou=0.75 of=boxes",
            "average_precision",
            "average_precision of=anomaly_score",
            "map",
            "map iou=0.5 of=masks",
            "map match=centre_distance of=boxes_3d",
        ),
    ),
    (
        nature.WHOLE,
        (
            "cider",
            "cider of=speech",
            "cider of=text",
            "fad",
            "fid",
            "fid of=inception",
            "fid of=motion",
            "fvd",
        ),
    ),
)
"""(nature, metrics that have it: id and parameters)."""


def _parsed(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    metric_id, *parameters = text.split()
    return metric_id, tuple((name, value) for name, _equals, value in (part.partition("=") for part in parameters))


SENSES: Mapping[tuple[str, tuple[tuple[str, str], ...]], Nature] = {_parsed(text): found for found, listed in _SENSES for text in listed}
"""By metric id and parameters."""


def listed_nature(metric: TaskMetric) -> Nature | None:
    """The nature of a metric in one of these senses; None in any other."""
    return SENSES.get((metric.id, metric.parameters))
