"""A report's pictures of one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genlevel.report.gathering import RunPart
    from genlevel.report.sections import Figure


def figures_of(part: RunPart) -> tuple[Figure, ...]:
    """The levels, what was asked by modality and paradigm, and the synergy map."""
    return ()
