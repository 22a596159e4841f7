"""Runs that ask chosen instances in place of a sample: what may be chosen, and the hash by which two choices are told apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import pairwise

from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import quoted

LONGEST_OCCASION = 200
"""Characters."""


def chosen_hash(chosen: Iterable[tuple[str, Sequence[int]]]) -> str:
    """The sha256 of (task key, positions of its instances) of every task, in any order; "" if there is none."""
    named = sorted((task, list(positions)) for task, positions in chosen)
    return hashlib.sha256(json.dumps(named, separators=(",", ":")).encode()).hexdigest() if named else ""


def chosen_by_task(chosen: Sequence[tuple[str, Sequence[int]]], *, meant: Container[str], limit: int) -> Mapping[str, Sequence[int]]:
    """The positions by task. meant: keys of the tasks that may be named. limit: how many of each the run is to draw itself; 0 = none.

    Raises UsageError for a limit beside the choice, and for a task that is not among those, or is there twice.
    """
    if chosen and limit:
        raise UsageError(f"chosen instances and a limit of {limit} cannot be asked for together; name the instances, or how many")
    found: dict[str, Sequence[int]] = {}
    for task, positions in chosen:
        if task not in meant:
            raise UsageError(f"chosen: the run has no task {quoted(task)}; name it by its key, the folder that it has in the suite")
        if task in found:
            raise UsageError(f"chosen: {quoted(task)} is named twice; name each task once, with all of its positions")
        found[task] = positions
    return found


def check_positions(task: str, positions: Sequence[int], count: int) -> None:
    """Raises UsageError if these are no positions among ``count`` instances of a task, ascending, each once, at least one."""
    if not positions:
        raise UsageError(f"chosen: no instance of {quoted(task)} is named; name at least one, or leave the task out")
    for before, position in pairwise(positions):
        if position <= before:
            raise UsageError(f"chosen: {quoted(task)} has {position} after {before}; name positions ascending, each once")
    if positions[-1] >= count:
        raise UsageError(f"chosen: {quoted(task)} has {count:,} instances, 0 to {count - 1:,}, and none at {positions[-1]:,}")


def check_occasion(occasion: str) -> None:
    """Raises UsageError for one that is too long, or cannot be shown."""
    if len(occasion) > LONGEST_OCCASION:
        raise UsageError(f"an occasion of {len(occasion):,} characters is too long; take at most {LONGEST_OCCASION}")
    if not occasion.isprintable():
        raise UsageError(f"the occasion {quoted(occasion)} has characters that cannot be shown; take printable ones, such as NAME#12")
