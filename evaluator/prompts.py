"""Turns an instance into what a model is asked: one user message, media first, with a stated answer format.

The wording is data with a version (prompts.yaml): it is part of a run's identity.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import ascii_uppercase

import yaml

from genlevel.benchmark.model import AnswerType, Instance


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """How one answer type is asked. layout: blocks in order; max_output_tokens: for the visible answer."""

    layout: tuple[str, ...]
    max_output_tokens: int


@dataclass(frozen=True, slots=True)
class PromptSet:
    """All templates of one version."""

    version: str
    templates: dict[str, PromptTemplate]

    def for_instance(self, instance: Instance) -> PromptTemplate | None:
        """The template of an instance: of its answer type, and of its medium where that has its own. None: it cannot be asked."""
        kind = "dialog" if instance.dialog and instance.answer_type in TEXT_ANSWERS else instance.answer_type.value
        if kind == AnswerType.NUMBER and (special := self.templates.get(f"{kind}:{instance.details.get('number', '')}")) is not None:
            return special
        of_media = (self.templates.get(f"{kind}:{media.modality}") for media in instance.media)
        return next((template for template in of_media if template is not None), self.templates.get(kind))


TEXT_ANSWERS = (AnswerType.SHORT_TEXT, AnswerType.LONG_TEXT)


@cache
def prompt_set() -> PromptSet:
    """The shipped prompts."""
    document = yaml.safe_load(resources.files("evaluator").joinpath("prompts.yaml").read_text(encoding="utf-8"))
    return PromptSet(
        version=document["version"],
        templates={
            name: PromptTemplate(tuple(entry["layout"]), int(entry["max_output_tokens"])) for name, entry in document["types"].items()
        },
    )


def prompt_text(instance: Instance, template: PromptTemplate) -> str:
    """The text a model is asked: the template's blocks with the instance's content, without the empty ones."""
    letters = ascii_uppercase[: len(instance.options)]
    content = {
        "{context}": instance.context,
        "{prompt}": instance.prompt,
        "{options}": "\n".join(f"{letter}. {option}" for letter, option in zip(letters, instance.options, strict=False)),
        "{dialog}": "\n".join(f"Speaker {1 + turn % 2}: {line}" for turn, line in enumerate(instance.dialog)),
    }
    blocks = []
    for block in template.layout:
        text = content.get(block)
        if text is None:
            language = instance.details.get("language", "")
            text = block.replace("{letters}", ", ".join(letters)).replace("{language} ", f"{language} " if language else "")
        if text.strip():
            blocks.append(text.strip())
    return "\n\n".join(blocks)


def estimated_tokens(text: str) -> int:
    """A fair guess of a text's tokens: a quarter of its UTF-8 bytes (English is near it, other scripts below)."""
    return len(text.encode()) // 4 + 1


def most_tokens(text: str) -> int:
    """An upper bound of a text's tokens: no byte-level tokenizer makes more tokens than bytes; 64 for the envelope."""
    return len(text.encode()) + 64
