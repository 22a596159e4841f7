"""The synergy map as one HTML page that loads nothing: the picture, and the same as tables."""

from __future__ import annotations

from dataclasses import replace

from genlevel.benchmark.model import Modality
from genlevel.views.environment import make_environment
from genlevel.views.figures.synergy import synergy_picture, synergy_table
from scorer.levels.synergy import Panel, SynergyMap


def synergy_html(found: SynergyMap) -> str:
    """The page. Those panels are open that have wins outside of language."""
    drawn = synergy_picture(found)
    tables = [
        (
            f"{panel.title}: {panel.wins} of {panel.tasks} tasks, {panel.skills_won} of {len(panel.skills)} skills",
            bool(panel.wins) and panel.modality is not Modality.LANGUAGE,
            synergy_table(_alone(found, panel)),
        )
        for panel in found.panels
    ]
    template = make_environment().get_template("synergy.html")
    return template.render(model=found.model, width=int(drawn.width), svg=drawn.inline(), tables=tables)


def _alone(found: SynergyMap, panel: Panel) -> SynergyMap:
    return replace(found, panels=(panel,))
