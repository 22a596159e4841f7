"""A level card as a piece of HTML for somebody else's page, such as a notebook: its style within, nothing loaded, no script."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from genlevel.views.card import card_of
from genlevel.views.card_pictures import contested_figure, levels_figure, places_figure
from genlevel.views.environment import make_environment
from genlevel.views.styles import scoped_style

if TYPE_CHECKING:
    from jinja2 import Environment

    from genlevel.runtime.documents import Document


def card_html(document: Document) -> str:
    """The card of a result as ``genlevel show RUN --json`` has it: verdicts, remarks, levels, places, wins and near misses.

    Its rules hold within its own element alone, so it changes nothing of the page around it.
    """
    card = card_of(document)
    figures = (levels_figure(card), places_figure(card), contested_figure(card)) if card.scored else ()
    return _environment().get_template("card_piece.html").render(card=card, result=document, figures=[made for made in figures if made])


@cache
def _environment() -> Environment:
    made = make_environment()
    made.globals["style"] = Markup(scoped_style(".genlevel"))
    return made
