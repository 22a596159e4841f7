"""A monitor's ticks: the score, how far it is below the baseline, and the evidence that it has fallen, with what was raised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genlevel.views.figures.drawing import Picture
from genlevel.views.figures.sequence import Mark, Row, sequence_picture

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document


def watched_picture(sequence: Document, marks: Sequence[Mark]) -> Picture:
    """A group as genlevel.documents.monitor_sequences tells of it. marks: alarms and onsets."""
    ticks, tolerance, threshold = sequence["ticks"], sequence["tolerance"], sequence["threshold"]
    at = [tick["at_s"] for tick in ticks]
    below = "Below the baseline, points, with 95 % intervals"
    rows = [
        Row("Score, 0 to 100", _points(at, ticks, "score")),
        Row(
            below if tolerance is None else f"{below}; up to {tolerance:g} is tolerated",
            _points(at, ticks, "drop"),
            spans=[None if tick["interval"] is None else (tick["interval"][0], tick["interval"][1]) for tick in ticks],
            band=None if tolerance is None else (-tolerance, tolerance),
        ),
    ]
    if threshold is not None and any(tick["evidence"] is not None for tick in ticks):
        rows.append(Row("Evidence of a fall, a logarithm", _points(at, ticks, "evidence"), rule=(threshold, "alarm from here on")))
    return sequence_picture(f"Ticks of {sequence['group']}", rows, marks, times=True)


def _points(at: Sequence[float], ticks: Sequence[Document], name: str) -> list[tuple[float, float | None]]:
    return list(zip(at, (tick[name] for tick in ticks), strict=True))
