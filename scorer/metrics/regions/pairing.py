"""Which detection can be which thing: pairs of one class, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

AT_ONCE = 1_000_000
"""How many are looked at together, unless one alone has more: what bounds the memory that is taken."""


FEW = 3000
"""Pairs of a detection and a thing, of any class: so few are looked at in less time than it takes to make arrays of them."""


def class_numbers(names: Sequence[str], classes: Sequence[str]) -> tuple[Integers, Integers]:
    """The classes of detections and of things as numbers; -1: one that no thing has."""
    import numpy as np

    numbers = {name: number for number, name in enumerate(dict.fromkeys(classes))}
    ours = [numbers.get(name, -1) for name in names]
    return np.array(ours, dtype=np.int64), np.array([numbers[name] for name in classes], dtype=np.int64)


def pairs_of_class(given: Integers, wanted: Integers) -> Iterator[tuple[Integers, Integers]]:
    """All pairs of one class, as the numbers of the given and of the wanted: ascending, AT_ONCE or so together."""
    import numpy as np

    order = np.argsort(wanted, kind="stable")
    ordered = wanted[order]
    firsts = np.searchsorted(ordered, given, side="left")
    sizes = np.searchsorted(ordered, given, side="right") - firsts
    for part in parts(sizes):
        size = sizes[part]
        ends = np.cumsum(size)
        rows = np.repeat(np.arange(part.start, part.stop), size)
        yield rows, order[np.arange(ends[-1]) + np.repeat(firsts[part] - ends + size, size)]


def parts(sizes: Integers) -> Iterator[slice]:
    """Neighbours that have at most AT_ONCE together, or one alone."""
    import numpy as np

    if len(sizes) and sizes.sum() <= AT_ONCE:
        yield slice(0, len(sizes))
        return
    ends = np.cumsum(sizes)
    first = 0
    while first < len(sizes):
        before = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + AT_ONCE, side="right")))
        yield slice(first, last)
        first = last
