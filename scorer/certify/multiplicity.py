"""Corrections for looking at many tasks at once."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values: rejecting those at most alpha makes any false rejection at most alpha likely. Source: Holm 1979.

    >>> [round(p, 6) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    count = len(p_values)
    adjusted = [0.0] * count
    largest = 0.0
    for rank, index in enumerate(sorted(range(count), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (count - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values: among those at most alpha, an expected share of at most alpha is false. Source: Benjamini, Hochberg 1995.

    >>> [round(p, 6) for p in benjamini_hochberg([0.01, 0.04, 0.03])]
    [0.03, 0.04, 0.04]
    """
    count = len(p_values)
    adjusted = [0.0] * count
    smallest = 1.0
    order = sorted(range(count), key=p_values.__getitem__)
    for rank in range(count, 0, -1):
        index = order[rank - 1]
        smallest = min(smallest, p_values[index] * count / rank)
        adjusted[index] = smallest
    return adjusted


def any_of(p_values: Sequence[float]) -> float:
    """p-value of "at least one of these alternatives is true" (Bonferroni, as Holm's first step); 1 without any."""
    return min(1.0, len(p_values) * min(p_values)) if p_values else 1.0


def all_of(p_values: Sequence[float]) -> float:
    """p-value of "all of these alternatives are true" (intersection-union test, Berger 1982); 0 without any."""
    return max(p_values, default=0.0)
