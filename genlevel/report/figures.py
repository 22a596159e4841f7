"""A report's pictures of one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlevel.views.card import card_of
from genlevel.views.card_pictures import contested_figure, levels_figure, places_figure, synergy_figure

if TYPE_CHECKING:
    from genlevel.report.gathering import RunPart
    from genlevel.report.sections import Figure


def figures_of(part: RunPart) -> tuple[Figure, ...]:
    """The levels, what was asked by modality and paradigm, wins and near misses, and the synergy map; those that make sense."""
    from genlevel.report.sections import Figure

    card = card_of(part.result)
    found = (levels_figure(card), places_figure(card), contested_figure(card), synergy_figure(card)) if card.scored else ()
    return tuple(Figure(made.picture.inline(), made.table) for made in found if made is not None)
