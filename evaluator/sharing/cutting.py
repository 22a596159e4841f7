"""Cuts what a run asks into shards: large ones that cost little, and small ones at the end so that nobody waits long for the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from evaluator.sharing.work import Shard

_SHARD = 64
"""Answers of a shard, about."""
_SHARDS = 32
"""At least so many a run, if it has so many answers: there is work for many."""
_FINE = 4
"""How many times smaller those at the end are, and which part of the run that is."""
_MOST_FINE = 4096
"""Answers in small shards: so many keep a hundred processes busy for as long as it takes to end together."""


class Sized(NamedTuple):
    """A task to cut: its key, how many instances it asks, how often each."""

    task: str
    instances: int
    repeats: int


def cut(tasks: Sequence[Sized]) -> list[Shard]:
    """The shards of a run in the order in which they are asked: every instance of every task is in one of them."""
    total = sum(task.instances * task.repeats for task in tasks)
    whole = max(1, min(_SHARD, total // _SHARDS))
    fine_from = total - min(total // _FINE, _MOST_FINE)
    shards: list[Shard] = []
    done = 0
    for task in tasks:
        first = 0
        while first < task.instances:
            answers = whole if done < fine_from else max(1, whole // _FINE)
            count = min(max(1, answers // task.repeats), task.instances - first)
            shards.append(Shard(task.task, first, count))
            first += count
            done += count * task.repeats
    return shards
