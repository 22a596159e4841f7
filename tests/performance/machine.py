"""What a benchmark's figures belong to: the machine in one line, and measurements that take turns.

Figures of two calls, or of two machines, say little of each other: a benchmark measures what it compares in one call, in turns, and prints
ratios.
"""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def machine() -> str:
    """One line: the processor's model, how many of its cores this process may use, the system, and Python's version."""
    cores = len(os.sched_getaffinity(0))
    return f"{_processor()}, {cores} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def interleaved(measurements: Mapping[str, Callable[[], T]], times: int) -> dict[str, list[T]]:
    """Each measurement so many times, in turns (a, b, a, b, ...), so that whatever else the machine does meanwhile meets all of them alike.

    Returns the results by name, in the order in which they were made: those of one place in their lists were made beside each other.
    """
    found: dict[str, list[T]] = {name: [] for name in measurements}
    for _ in range(times):
        for name, measure in measurements.items():
            found[name].append(measure())
    return found


def median_ratio(some: list[float], others: list[float]) -> float:
    """The median of the ratios of what was measured beside each other."""
    return statistics.median(one / other for one, other in zip(some, others, strict=True))


def _processor() -> str:
    """Its name, as the system gives it; with family and model, as virtual machines hide the name."""
    told: dict[str, str] = {}
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            told.setdefault(name.strip(), value.strip())
    except OSError:
        return platform.processor() or "an unknown processor"
    name = told.get("model name", platform.processor() or "an unknown processor")
    return f"{name} (family {told['cpu family']}, model {told['model']})" if "cpu family" in told and "model" in told else name
