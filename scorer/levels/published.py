"""What was published about models on General-Bench, so that a leaderboard can show it beside runs measured here.

Source: "On Path to Multimodal Generalist: General-Level and General-Bench" (ICML 2025, arXiv 2505.04620): level scores of 48 models,
and the values of single tasks for 13 models (12 of the 48 and one language model). None of it was measured by genlevel.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from genlevel.benchmark.model import Modality, Paradigm
from genlevel.runtime.errors import UsageError
from scorer.levels.rules import LEVEL_MODALITIES

OVERALL = "overall"
"""The key of the overall score beside the four modalities'."""


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """One model as it was published.

    paradigms: what the publication lists the model under; empty if it has no level scores.
    scores: level (2, 3, 4) -> modality (image, video, audio, 3d) or "overall" -> 0..100, as printed with two decimals; None
        if no level scores were published. Level 5 is not among them: by the publication no model reaches it.
    values: Task.id -> value in the metric's unit; empty if no task values were published.
    inconsistency: in what its figures are known not to follow from each other, in one line; else "".
    """

    model: str
    paradigms: tuple[Paradigm, ...]
    scores: Mapping[int, Mapping[str, float]] | None
    values: Mapping[str, float]
    inconsistency: str = ""

    def has_values(self, modality: Modality) -> bool:
        """Whether task values of that modality were published."""
        return any(task_id.startswith(_PREFIXES[modality]) for task_id in self.values)

    def lacks_values(self, modality: Modality) -> bool:
        """Whether it was published to score on that modality, but not on which tasks."""
        scored = self.scores is not None and self.scores[2].get(modality.value, 0.0) > 0.0
        return scored and not self.has_values(modality)


_PREFIXES = {
    Modality.IMAGE: "image-",
    Modality.VIDEO: "video-",
    Modality.AUDIO: "audio-",
    Modality.THREE_D: "3d-",
    Modality.LANGUAGE: "nlp/",
}


@dataclass(frozen=True, slots=True)
class Publication:
    """All published models, in the publication's order, and where they are from."""

    source: str
    arxiv: str
    models: tuple[PublishedModel, ...]


@cache
def publication() -> Publication:
    """The published figures. Read once; later calls return the same object."""
    document = json.loads(resources.files("genlevel.benchmark").joinpath("data/published.json").read_text("utf-8"))
    columns: list[str] = document["task_models"]
    values: dict[str, dict[str, float]] = {model: {} for model in columns}
    for task_id, row in document["task_values"].items():
        for model, value in zip(columns, row, strict=True):
            if value is not None:
                values[model][task_id] = float(value)
    notes: dict[str, str] = document["known_inconsistencies"]
    places = (*(modality.value for modality in LEVEL_MODALITIES), OVERALL)
    models = []
    for model, paradigms, *levels in document["levels"]:
        scores = {
            level: MappingProxyType(dict(zip(places, map(float, row), strict=True))) for level, row in zip((2, 3, 4), levels, strict=True)
        }
        given = MappingProxyType(values.pop(model, {}))
        models.append(
            PublishedModel(
                model=model,
                paradigms=tuple(map(Paradigm, paradigms)),
                scores=MappingProxyType(scores),
                values=given,
                inconsistency=notes.get(model, ""),
            )
        )
    models += [
        PublishedModel(model=model, paradigms=(), scores=None, values=MappingProxyType(rest), inconsistency=notes.get(model, ""))
        for model, rest in values.items()
    ]
    return Publication(document["source"], document["arxiv"], tuple(models))


def published_model(name: str) -> PublishedModel:
    """The published model of that name, without regard to case. Raises UsageError naming those there are."""
    models = publication().models
    found = next((entry for entry in models if entry.model.casefold() == name.strip().casefold()), None)
    if found is None:
        raise UsageError(
            f"no figures of a model {name!r} were published; there are figures of: {', '.join(entry.model for entry in models)}"
        )
    return found
