"""The nine sheets of the official workbook, because a sheet's name is the key that joins modality and paradigm."""

from __future__ import annotations

from genlevel.benchmark.model import Modality, Paradigm

_SHEETS: dict[tuple[Modality, Paradigm | None], str] = {
    (Modality.LANGUAGE, None): "NLP",
    (Modality.IMAGE, Paradigm.COMPREHENSION): "Image-Comprehension",
    (Modality.IMAGE, Paradigm.GENERATION): "Image-Generation",
    (Modality.VIDEO, Paradigm.COMPREHENSION): "Video-Comprehension",
    (Modality.VIDEO, Paradigm.GENERATION): "Video-Generation",
    (Modality.AUDIO, Paradigm.COMPREHENSION): "Audio-Comprehension",
    (Modality.AUDIO, Paradigm.GENERATION): "Audio-Generation",
    (Modality.THREE_D, Paradigm.COMPREHENSION): "3D-Comprehension",
    (Modality.THREE_D, Paradigm.GENERATION): "3D-Generation",
}
_PLACES = {sheet.casefold(): place for place, sheet in _SHEETS.items()}

SHEETS: tuple[str, ...] = tuple(_SHEETS.values())


def sheet_of(modality: Modality, paradigm: Paradigm | None) -> str:
    """The sheet of a modality and paradigm; "" if they make none (an image task without a paradigm)."""
    return _SHEETS.get((modality, None if modality is Modality.LANGUAGE else paradigm), "")


def place_of(sheet: str) -> tuple[Modality, Paradigm | None] | None:
    """Modality and paradigm of a sheet, without regard to case; None for a sheet that is not one of the nine."""
    return _PLACES.get(sheet.strip().casefold())
