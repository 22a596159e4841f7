"""From a folder's or annotation's name to the task of General-Bench it is, never by guessing: a name that could be two tasks is neither.

The order is: folder name, annotation name, both again with abbreviations written out, then a table of aliases. Spelling of words,
case, separators and CamelCase do not matter; anything else does.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from genlevel.benchmark.catalogue import general_bench, tasks_by_id
from genlevel.benchmark.model import Modality, Paradigm, Task
from genlevel.runtime.errors import DatasetError

# Abbreviations that folders use, each written out.
_ABBREVIATIONS: dict[str, str] = {
    "vqa": "visual question answering",
    "docvqa": "document visual question answering",
    "qa": "question answering",
    "ner": "named entity recognition",
    "re": "relation extraction",
    "nli": "natural language inference",
    "ocr": "ocr",
    "det": "detection",
    "detect": "detection",
    "recog": "recognition",
    "cls": "classification",
    "classify": "classification",
    "seg": "segmentation",
    "cap": "captioning",
    "caption": "captioning",
    "gen": "generation",
    "trans": "translation",
    "absa": "aspect based sentiment analysis",
    "srl": "semantic role labeling",
    "amr": "abstract meaning representation",
    "pos": "part of speech",
    "tts": "text to speech",
    "t2v": "text to video",
    "i2v": "image to video",
    "t2i": "text to image",
    "vos": "video object segmentation",
    "revos": "reasoning video object segmentation",
    "img": "image",
    "vid": "video",
    "pc": "point cloud",
}
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Resolution:
    """task: the task a name means, or None. reason: why there is none, or what to know beside it, in one line."""

    task: Task | None
    reason: str = ""


def resolve_task(
    folder_name: str, annotation_name: str = "", modality: Modality | None = None, paradigm: Paradigm | None = None
) -> Task | None:
    """The task that a folder means; None if it is not one of the 699, or could be more than one. See ``resolve``."""
    return resolve(folder_name, annotation_name, modality, paradigm).task


def resolve(folder_name: str, annotation_name: str = "", modality: Modality | None = None, paradigm: Paradigm | None = None) -> Resolution:
    """The task that a folder means, or why there is none. Searches only the modality and paradigm that are given."""
    wider: tuple[Task, ...] = ()
    for form, names in ((_squashed, _names), (_written_out, _names), (_squashed, _short_names), (_squashed, _aliases)):
        for name in (folder_name, annotation_name):
            everywhere = _index(form, names).get(form(name), ()) if form(name) else ()
            fitting = tuple(task for task in everywhere if _fits(task, modality, paradigm))
            if len(fitting) == 1:
                return Resolution(
                    fitting[0], _disagreement(fitting[0], folder_name, annotation_name, modality, paradigm) if name is folder_name else ""
                )
            if fitting:
                listed = ", ".join(f"{task.name!r} ({task.sheet})" for task in fitting)
                return Resolution(None, f"{name!r} could be any of {listed}")
            wider = wider or everywhere
    if wider:
        return Resolution(None, f"{folder_name!r} is named like {wider[0].name!r}, which is in {wider[0].sheet}, not here")
    return Resolution(None, f"{folder_name!r} is not one of the 699 published tasks")


def _fits(task: Task, modality: Modality | None, paradigm: Paradigm | None) -> bool:
    return (modality is None or task.modality is modality) and (paradigm is None or task.paradigm in (paradigm, None))


def _disagreement(task: Task, folder_name: str, annotation_name: str, modality: Modality | None, paradigm: Paradigm | None) -> str:
    """What to say if the annotation's own name is plainly another task's."""
    other = _index(_squashed, _names).get(_squashed(annotation_name), ()) if annotation_name else ()
    fitting = [candidate for candidate in other if _fits(candidate, modality, paradigm)]
    if fitting and task not in fitting:
        return f"the folder {folder_name!r} is {task.name!r}, its annotation calls itself {annotation_name!r}; the folder's name counts"
    return ""


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", name)
    plain = re.sub(r"[’'\"”“]", "", plain)
    return [word.casefold() for word in _WORDS.findall(plain)]


def _squashed(name: str) -> str:
    return "".join(_words(name))


def _written_out(name: str) -> str:
    return "".join(part for word in _words(name) for part in _ABBREVIATIONS.get(word, word).split())


def _names(task: Task) -> Iterable[str]:
    return (task.name, task.paper_name, task.id.split("/", 1)[1])


def _short_names(task: Task) -> Iterable[str]:
    return (task.short_name,)


def _aliases(task: Task) -> Iterable[str]:
    return _alias_table().get(task.id, ())


@cache
def _alias_table() -> dict[str, tuple[str, ...]]:
    text = resources.files("genlevel.benchmark").joinpath("data/task_aliases.json").read_text("utf-8")
    table: dict[str, tuple[str, ...]] = {}
    for alias, task_id in json.loads(text)["aliases"].items():
        if task_id not in tasks_by_id():
            raise DatasetError(f"task_aliases.json: {alias!r} names {task_id!r}, which is not a task's id")
        table[task_id] = (*table.get(task_id, ()), alias)
    return table


@cache
def _index(form: Callable[[str], str], names: Callable[[Task], Iterable[str]]) -> dict[str, tuple[Task, ...]]:
    index: dict[str, tuple[Task, ...]] = {}
    for task in general_bench().tasks:
        for key in dict.fromkeys(form(name) for name in names(task)):
            if key:
                index[key] = (*index.get(key, ()), task)
    return index
