"""How a metric's value becomes sigma, the 0-100 scale on which levels are computed.

Source: General-Level (arXiv 2505.04620), section A.1: error metrics are mapped by 2*sigmoid(c/x) - 1, with one
constant per metric; in exact arithmetic that is tanh(c / 2x), which neither overflows nor loses its limit 1 at x = 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable

Mapping = Callable[[float], float]


def error(constant: float) -> Mapping:
    """2*sigmoid(constant/x) - 1 for an error x >= 0; its limit 1 at x = 0."""

    def mapped(value: float) -> float:
        return math.tanh(constant / (2.0 * value)) if value > 0 else 1.0

    return mapped


def percent(value: float) -> float:
    """A percentage, higher is better."""
    return value / 100.0


def psnr(value: float) -> float:
    """tanh(x / 20) for x in dB; infinite (identical pictures) is 1."""
    return math.tanh(value / 20.0)


def word_error_rate(value: float) -> float:
    """1 - x for the fraction x; the workbook writes percent. Floored at 0: more errors than words are possible."""
    return 1.0 - value / 100.0


def ms_ssim(value: float) -> float:
    """(x + 1) / 2 for x in -1..1."""
    return (value + 1.0) / 2.0


def mean_opinion_score(value: float) -> float:
    """(x - 1) / 4 for x in 1..5."""
    return (value - 1.0) / 4.0


# Metrics whose value is not a percentage, by id.
MAPPINGS: dict[str, Mapping] = {
    "mae": error(50.0),
    "rms": error(50.0),
    "mse": error(5.0),
    "rmse": error(5.0),
    "mcd": error(5.0),
    "abs_rel": error(0.1),
    "epe": error(1.0),
    "chamfer": error(1.0),
    "fid": error(25.0),
    "fvd": error(100.0),
    "fad": error(10.0),
    "sad": error(10.0),
    "rte": error(0.5),
    "psnr": psnr,
    "wer": word_error_rate,
    "ms_ssim": ms_ssim,
    "mos": mean_opinion_score,
}


def to_sigma(metric_id: str, value: float) -> float:
    """sigma in 0..100 of a value that was checked to be one the metric can have."""
    fraction = MAPPINGS.get(metric_id, percent)(value)
    return min(max(100.0 * fraction, 0.0), 100.0)
