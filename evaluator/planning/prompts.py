"""Turns an instance into what a model is asked: one user message, media first, with a stated answer format.

The wording is data with a version (prompts.yaml): it is part of a run's identity.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache, reduce
from importlib import resources
from string import ascii_uppercase
from typing import NotRequired, TypedDict, cast

from genlevel.benchmark.answer_kinds import KINDS, AnswerType, Shape
from genlevel.benchmark.model import Instance
from genlevel.benchmark.pictures import Size, sizes_of
from genlevel.runtime.yaml_text import read_shipped


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """How one answer type is asked. layout: blocks in order; max_output_tokens: for the visible answer.

    details: the wording of each fact in {details}, by the fact's name. confidence: whether one is asked for.
    """

    layout: tuple[str, ...]
    max_output_tokens: int
    details: Mapping[str, str] = field(default_factory=dict)
    confidence: bool = False


@dataclass(frozen=True, slots=True)
class PromptSet:
    """All templates of one version."""

    version: str
    templates: dict[str, PromptTemplate]

    def for_instance(self, instance: Instance) -> PromptTemplate | None:
        """The template of an instance: of its answer type, and of its medium if that has its own. None: it cannot be asked.

        Its limit is the type's, more if the longest label of the instance's task would not fit.
        """
        template = self._of_kind(instance)
        kind = KINDS[instance.answer_type]
        if template is None or kind.bounded:
            return template
        needed = min(instance.longest_label // kind.label_bytes_a_token, MOST_OUTPUT_TOKENS)
        return replace(template, max_output_tokens=needed) if needed > template.max_output_tokens else template

    def _of_kind(self, instance: Instance) -> PromptTemplate | None:
        if _is_next_turn(instance):
            return self.templates.get("dialog")
        if instance.answer_type is AnswerType.NUMBER and (special := self.templates.get(f"number:{instance.details.get('number', '')}")):
            return special
        if not (instance.media or instance.details):
            return self.templates.get(instance.answer_type.value)
        for name in names_of(instance):
            if (template := self.templates.get(name)) is not None:
                return template
        return None


def names_of(instance: Instance) -> list[str]:
    """Under which names prompts.yaml may have an instance's type, the most particular first: by its medium, with a confidence."""
    kind = instance.answer_type.value
    names = [*(f"{kind}:{media.modality}" for media in instance.media), kind]
    return [f"{name}{CONFIDENCE}" for name in names] + names if instance.details.get("confidence") else names


CONFIDENCE = ":confidence"
"""The end of the names of templates that ask for one."""
MOST_OUTPUT_TOKENS = 8192
"""No label raises an answer's limit beyond this."""

_SPEAKER = re.compile(r"\s*[^\s:][^:\n]{0,40}:\s")
_SIZE = ", which is {picture_width} pixels wide and {picture_height} pixels high"
_IN_PASSING = ((" ({letters})", "letters"), ("{language} ", "language"), (_SIZE, "picture_width"))
_NAMED = re.compile(r"\{([a-z_]+)\}")
_MOST_BLOCKS = 4096
_MOST_LAYOUTS = 512
_Pieces = tuple[tuple[str, ...], tuple[str, ...]]


class TypeWording(TypedDict):
    """How one answer type is asked. answer: the format of the answer, after what is asked; layout: all blocks, if they are others."""

    answer: NotRequired[str]
    layout: NotRequired[list[str]]
    max_output_tokens: int
    schema: NotRequired[dict[str, object]]


class Wording(TypedDict):
    """prompts.yaml. asked: the blocks before a type's answer format. details: how facts are said. definitions: parts of schemas."""

    version: str
    details: dict[str, str]
    asked: list[str]
    types: dict[str, TypeWording]
    definitions: dict[str, object]


def _is_next_turn(instance: Instance) -> bool:
    """Whether a dialogue's next turn is asked for, rather than something about the dialogue."""
    return bool(instance.dialog) and KINDS[instance.answer_type].next_turn and instance.details.get("dialog") != "context"


@cache
def prompt_set(version: str = "") -> PromptSet:
    """The shipped prompts; those of an earlier version, if they are kept, so that what a run was asked can be shown."""
    shipped = wording()
    earlier = resources.files("evaluator.planning").joinpath(f"earlier_prompts/{version}.yaml")
    if version.isdecimal() and version != shipped["version"] and earlier.is_file():
        shipped = cast(Wording, read_shipped(earlier.read_text(encoding="utf-8")))
    templates = {
        name: replace(template_of(entry, shipped), confidence=name.endswith(CONFIDENCE)) for name, entry in shipped["types"].items()
    }
    return PromptSet(shipped["version"], templates)


@cache
def earlier_prompts() -> tuple[PromptSet, ...]:
    """The prompts of earlier versions that are kept, the newest first: runs that began with them go on with them."""
    folder = resources.files("evaluator.planning").joinpath("earlier_prompts")
    versions = [file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.removesuffix(".yaml").isdecimal()]
    return tuple(prompt_set(version) for version in sorted(versions, key=int, reverse=True))


def template_of(entry: TypeWording, shipped: Wording | None = None) -> PromptTemplate:
    """The template of one type's entry in prompts.yaml. shipped: what else stands there, if it is not the current one."""
    shipped = wording() if shipped is None else shipped
    layout = tuple(entry["layout"] if "layout" in entry else [*shipped["asked"], entry["answer"]])
    said = {detail: text for detail, text in shipped["details"].items() if not any(f"{{{detail}}}" in block for block in layout)}
    return PromptTemplate(layout, entry["max_output_tokens"], said)


@cache
def wording() -> Wording:
    """What prompts.yaml says, as it stands there."""
    return cast(Wording, read_shipped(resources.files("evaluator.planning").joinpath("prompts.yaml").read_text(encoding="utf-8")))


def sent_size(instance: Instance, template: PromptTemplate, video_frames: int) -> Size | None:
    """The size that a prompt states of what is sent; None if it states none, or none is known. Looks into the media files."""
    sizes = sizes_of(instance, video_frames) if _states_size(template.layout) else None
    return None if sizes is None else sizes.sent


@lru_cache(_MOST_LAYOUTS)
def _states_size(layout: tuple[str, ...]) -> bool:
    return any("{picture_width}" in block for block in layout)


def prompt_text(instance: Instance, template: PromptTemplate, picture: Size | None = None) -> str:
    """The text a model is asked: the template's blocks with the instance's content, without the empty ones.

    picture: as of ``sent_size``.
    """
    letters = ascii_uppercase[: len(instance.options)] if KINDS[instance.answer_type].shape is Shape.LETTER else ""
    content = {
        **instance.details,
        "context": instance.context,
        "details": _details(template, instance.details) if instance.details else "",
        "prompt": instance.prompt,
        "options": _options(instance, letters),
        "letters": ", ".join(letters),
        "dialog": "\n".join(_turns(instance.dialog)) if instance.dialog else "",
        "picture_width": str(picture.width) if picture else "",
        "picture_height": str(picture.height) if picture else "",
    }
    unknown = tuple([said for said, name in _IN_PASSING if not content.get(name)])
    blocks = [_filled(pieces, content).strip() for pieces in _laid_out(template.layout, unknown)]
    return "\n\n".join(filter(None, blocks))


def _details(template: PromptTemplate, details: Mapping[str, str]) -> str:
    """The facts of an instance that the template has words for, line by line."""
    return "\n".join(_filled(_pieces(template.details[name]), details) for name in template.details if name in details)


@lru_cache(_MOST_LAYOUTS)
def _laid_out(layout: tuple[str, ...], unknown: tuple[str, ...]) -> tuple[_Pieces, ...]:
    """The blocks of a layout without the remarks for which an instance has no facts."""
    return tuple(_pieces(reduce(lambda block, said: block.replace(said, ""), unknown, block)) for block in layout)


def _filled(pieces: _Pieces, content: Mapping[str, str]) -> str:
    """A block with its names filled in; "" if one of them has nothing to say."""
    said, names = pieces
    if not names:
        return said[0]
    filled = [said[0]]
    for name, following in zip(names, said[1:], strict=True):
        value = content.get(name, "")
        if not value or value.isspace():
            return ""
        filled += (value, following)
    return "".join(filled)


@lru_cache(_MOST_BLOCKS)
def _pieces(block: str) -> _Pieces:
    """What a block says before, between and behind its names, and these."""
    pieces = _NAMED.split(block)
    return tuple(pieces[::2]), tuple(pieces[1::2])


def _options(instance: Instance, letters: str) -> str:
    """Options line by line: with letters for a choice, else as what an answer may say."""
    if not instance.options:
        return ""
    if letters:
        return "\n".join([f"{letter}. {option}" for letter, option in zip(letters, instance.options, strict=False)])
    return "\n".join(("Options:", *(f"- {option}" for option in instance.options)))


def _turns(dialog: tuple[str, ...]) -> Iterable[str]:
    """The turns of a dialogue, by two speakers in turn if not every turn names its own."""
    if all(_SPEAKER.match(line) for line in dialog):
        return dialog
    return (f"Speaker {1 + turn % 2}: {line}" for turn, line in enumerate(dialog))
