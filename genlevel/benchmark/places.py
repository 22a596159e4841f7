"""Which modality and paradigm a task is of, by where it lies or by what its annotation says of itself."""

from __future__ import annotations

from pathlib import Path

from genlevel.benchmark.model import Modality, Paradigm

_PARADIGMS = {paradigm.value: paradigm for paradigm in Paradigm}
_MODALITIES = {"image": Modality.IMAGE, "video": Modality.VIDEO, "audio": Modality.AUDIO, "3d": Modality.THREE_D}
_WORDS = {
    "video": Modality.VIDEO,
    "image": Modality.IMAGE,
    "audio": Modality.AUDIO,
    "speech": Modality.AUDIO,
    "point": Modality.THREE_D,
    "3d": Modality.THREE_D,
}


def place_of_folder(folder: Path, root: Path) -> tuple[Modality | None, Paradigm | None]:
    """Modality and paradigm by a task folder's path: .../nlp/<Task> or .../image/comprehension/<Task>; None if it does not say.

    Parts above the suite's root count only as General-Bench lays them out (the root is a modality's or paradigm's folder, or a task's).
    """
    inside = folder.relative_to(root).parts
    above = root.resolve().parts[-2:] if inside else root.resolve().parts[-3:]
    parts = [part.casefold() for part in (*above, *inside)]
    for position in range(len(parts) - 1, -1, -1):
        if parts[position] == "nlp" and (not inside or position >= len(above) - 1):
            return Modality.LANGUAGE, None
        if position and parts[position] in _PARADIGMS and parts[position - 1] in _MODALITIES:
            return _MODALITIES[parts[position - 1]], _PARADIGMS[parts[position]]
    return None, None


def place_of_annotation(type_: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> tuple[Modality | None, Paradigm | None]:
    """Modality and paradigm by what an annotation says of itself; None if it does not say."""
    words = type_.casefold().split()
    paradigm = next((_PARADIGMS[word] for word in words if word in _PARADIGMS), None)
    named = next((_MODALITIES[word] for word in words if word in _MODALITIES), None)
    media = [
        modality for text in (outputs if paradigm is Paradigm.GENERATION else inputs) for word, modality in _WORDS.items() if word in text
    ]
    modality = named or (media[0] if media else None)
    if modality is None and paradigm is None and inputs and all(text == "text" for text in (*inputs, *outputs)):
        return Modality.LANGUAGE, None
    return modality, paradigm
