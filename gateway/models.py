"""What is known of hosted models: the shipped table models.yaml, read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NotRequired, TypedDict, cast

from gateway.prices import Price
from genlevel.runtime.settings import Api, ModelPrice
from genlevel.runtime.yaml_text import read_shipped


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model of a provider.

    modalities, makes: input and output modalities by name. reasoning: it may think before it answers. omits: parameters of ours that its
    API refuses for this model, so that they are not sent. api: the API it is asked by; None = the provider's usual one.
    structured_output: it can be held to a JSON schema.
    context_tokens, max_output_tokens, image_tokens (upper bound of one image that goes in), extra_output_tokens: 0 = not known.
    """

    price: Price | None = None
    context_tokens: int = 0
    max_output_tokens: int = 0
    modalities: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    reasoning: bool = False
    omits: frozenset[str] = frozenset()
    image_tokens: int = 0
    extra_output_tokens: int = 0
    api: Api | None = None
    structured_output: bool = False


UNKNOWN = ModelFacts()


class _Entry(TypedDict, total=False):
    """An entry of models.yaml, or a section's defaults."""

    price: dict[str, object]
    context_tokens: int
    max_output_tokens: int
    modalities: list[str]
    makes: list[str]
    reasoning: bool
    omits: list[str]
    image_tokens: int
    extra_output_tokens: int
    api: str
    structured_output: bool


class _Section(TypedDict):
    defaults: NotRequired[_Entry]
    models: dict[str, _Entry]


class _Table(TypedDict):
    providers: dict[str, _Section]


@cache
def table() -> dict[str, ModelFacts]:
    """provider/model -> facts. A dated snapshot ("gpt-x-2026-01-31") that is not listed has no entry."""
    document = cast(_Table, read_shipped(files("gateway").joinpath("models.yaml").read_text("utf-8")))
    return {
        f"{provider}/{name}": _facts(entry, section.get("defaults", {}))
        for provider, section in document["providers"].items()
        for name, entry in section["models"].items()
    }


def facts(provider: str, model: str) -> ModelFacts:
    """The facts of one model; all unknown if the table has no entry."""
    return table().get(f"{provider}/{model}", UNKNOWN)


def _facts(entry: _Entry, defaults: _Entry) -> ModelFacts:
    fields: _Entry = {**defaults, **entry}
    return ModelFacts(
        price=Price.of(ModelPrice.model_validate(fields["price"])) if "price" in fields else None,
        context_tokens=fields.get("context_tokens", 0),
        max_output_tokens=fields.get("max_output_tokens", 0),
        modalities=tuple(fields.get("modalities", ())),
        makes=tuple(fields.get("makes", ())),
        reasoning=fields.get("reasoning", False),
        omits=frozenset(fields.get("omits", ())),
        image_tokens=fields.get("image_tokens", 0),
        extra_output_tokens=fields.get("extra_output_tokens", 0),
        api=Api(fields["api"]) if "api" in fields else None,
        structured_output=fields.get("structured_output", False),
    )
