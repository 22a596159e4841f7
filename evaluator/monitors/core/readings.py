"""One answer as a monitor reads it, and the pool: the instances that ticks draw from, with their answers at the baseline."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import orjson

_FORMAT = 1


class Reading(NamedTuple):
    """One answer to one instance. None: not known.

    score: 0..1, higher is better; a refused or unparsable answer has its score, too. failed: no answer came for good; then the rest is
    not looked at. latency_s: seconds. output_tokens: how many were written. cost_nano_usd: nano-dollars.
    """

    score: float | None = None
    refused: bool = False
    unparsable: bool = False
    failed: bool = False
    latency_s: float | None = None
    output_tokens: int | None = None
    cost_nano_usd: int | None = None


class Pooled(NamedTuple):
    """An instance of the pool: where it is, the stratum that it is drawn in, and its answers at the baseline, one a repeat."""

    task: str
    instance: str
    position: int
    stratum: int
    readings: tuple[Reading, ...]


def pack(pool: Sequence[Pooled]) -> bytes:
    """The pool in few bytes; numbers survive exactly."""
    where = [list(column) for column in zip(*((*one[:4], len(one.readings)) for one in pool), strict=True)]
    answers = [list(column) for column in zip(*(reading for one in pool for reading in one.readings), strict=True)]
    return zlib.compress(orjson.dumps([_FORMAT, where, answers]), 1)


def unpack(packed: bytes) -> tuple[Pooled, ...]:
    """The pool again.

    Raises ValueError if these are no bytes of ``pack``.
    """
    try:
        form, where, answers = orjson.loads(zlib.decompress(packed))
        if form != _FORMAT:
            raise ValueError(f"its form is {form}, not {_FORMAT}")
        readings = list(map(Reading._make, zip(*answers, strict=True)))
        found, start = [], 0
        for task, instance, position, stratum, repeats in zip(*where, strict=True):
            found.append(Pooled(task, instance, position, stratum, tuple(readings[start : start + repeats])))
            start += repeats
        return tuple(found)
    except (zlib.error, TypeError, ValueError) as error:
        raise ValueError(f"the stored pool cannot be read: {error}") from error
