"""Which instances a monitor has to draw from, and which of them a tick asks: uniform, and the same for ever by its seed.

An instance's place in a draw is the hash of the seed and of what it is, so that neither the order of a list nor the version of a library
matters; the lowest hashes are drawn, which is a uniform draw without replacement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from evaluator.monitors.core.readings import Pooled


def allocation(sample: int, sizes: Sequence[int]) -> tuple[int, ...]:
    """How many instances each stratum gets of a sample: evenly, at most what it has; what is left goes to the others.

    sizes: what each stratum has. Raises ValueError if a stratum has nothing or the sample cannot cover all.

    >>> allocation(10, [2, 100, 100])
    (2, 4, 4)
    """
    if not sizes or min(sizes) < 1:
        raise ValueError("pool: a stratum has no instance that could be drawn")
    if sample < len(sizes):
        raise ValueError(f"sample: {sample} instances a tick cannot cover {len(sizes)} strata; ask for at least {len(sizes)}")
    return _poured(sample, sizes)


def draw_pool(available: Sequence[Mapping[str, int]], sample: int, times: int, seed: str) -> dict[str, tuple[int, ...]]:
    """The positions of the pool's instances by task, ascending: times as many of each stratum as a tick draws of it, if it has them.

    available: for each stratum how many instances each of its tasks has. Within a stratum tasks are drawn from evenly, as far as they go.
    times: 1 gives a panel, which every tick asks whole. Raises ValueError as ``allocation`` does.
    """
    counts = [sum(tasks.values()) for tasks in available]
    pool: dict[str, tuple[int, ...]] = {}
    for drawn, count, tasks in zip(allocation(sample, counts), counts, available, strict=True):
        # What is left over of an even deal goes to tasks by chance, not by name.
        order = sorted(tasks, key=lambda task: _place(seed, task, ""))
        shares = _poured(min(count, drawn * times), [tasks[task] for task in order])
        for task, share in zip(order, shares, strict=True):
            if share:
                pool[task] = tuple(sorted(sorted(range(tasks[task]), key=lambda position: _place(seed, task, str(position)))[:share]))
    return pool


def draw_tick(pool: Sequence[Pooled], drawn: Sequence[int], seed: str) -> tuple[int, ...]:
    """Which of the pool a tick asks: their indices in it, ascending.

    drawn: how many of each stratum (``allocation`` over the pool). seed: unique to the monitor, its baseline and the tick.
    Raises ValueError if a stratum has fewer.
    """
    found: list[int] = []
    for stratum, count in enumerate(drawn):
        members = [index for index, one in enumerate(pool) if one.stratum == stratum]
        if len(members) < count:
            raise ValueError(f"pool: {len(members)} instances in stratum {stratum}, {count} are to be drawn")
        found += sorted(members, key=lambda index: _place(seed, pool[index].task, pool[index].instance))[:count]
    return tuple(sorted(found))


def _place(seed: str, task: str, item: str) -> bytes:
    return sha256(f"{seed}\0{task}\0{item}".encode()).digest()


def _poured(amount: int, sizes: Sequence[int]) -> tuple[int, ...]:
    """An amount dealt evenly over vessels of these sizes; what is left over of an even deal goes to the first ones."""
    found = [0] * len(sizes)
    left = min(amount, sum(sizes))
    while left:
        open_ones = [index for index, size in enumerate(sizes) if found[index] < size]
        each = max(1, min(left // len(open_ones), *(sizes[index] - found[index] for index in open_ones)))
        for index in open_ones[:left]:
            found[index] += each
            left -= each
    return tuple(found)
