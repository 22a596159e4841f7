"""What is known of hosted models: the shipped tables in known_models/, one a provider, each read when it is first asked about.

A table (YAML): source and as_of of its figures, defaults of its models, and models by the names that the provider gives them. same_as: it
has the models of another table, at their prices, too.

- price: as in the settings (``ModelPrice``). later: {from, price}, the price from a day on.
- also: other names of the same model, such as dated snapshots, at the same price. A name that is not listed has no entry.
- context_tokens, max_output_tokens: as published. modalities: what goes in. makes: what comes out, if it is not text.
- api: the API that it is asked by, if it is not the provider's usual one. structured_output: it can be held to a JSON schema.
- omits: parameters that the API refuses or ignores for this model, so they are left out and applied_parameters says so.
- image_tokens: upper bound of one image that goes in; output_image_tokens: of one that comes out. extra_output_tokens: room for thinking on
  top of an answer's own limit.
- source: where a model's figures are from, if they are not from the table's.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.resources import files
from typing import NotRequired, TypedDict, cast

from gateway.pricing.prices import DatedPrice, Price
from genlevel.runtime.settings import Api, ModelPrice
from genlevel.runtime.yaml_text import read_shipped

_FOLDER = files("gateway") / "known_models"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model of a provider.

    modalities, makes: input and output modalities by name. reasoning: it may think before it answers. omits: parameters of ours that its
    API refuses for this model, so that they are not sent. api: the API it is asked by; None = the provider's usual one.
    structured_output: it can be held to a JSON schema.
    context_tokens, max_output_tokens, image_tokens and output_image_tokens (upper bounds of one image that goes in, or comes out),
    extra_output_tokens: 0 = not known.
    """

    price: DatedPrice | None = None
    context_tokens: int = 0
    max_output_tokens: int = 0
    modalities: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    reasoning: bool = False
    omits: frozenset[str] = frozenset()
    image_tokens: int = 0
    output_image_tokens: int = 0
    extra_output_tokens: int = 0
    api: Api | None = None
    structured_output: bool = False


UNKNOWN = ModelFacts()

_Later = TypedDict("_Later", {"from": str, "price": dict[str, object]})


class _Entry(TypedDict, total=False):
    """An entry of a table, or its defaults."""

    also: list[str]
    price: dict[str, object]
    later: _Later
    context_tokens: int
    max_output_tokens: int
    modalities: list[str]
    makes: list[str]
    reasoning: bool
    omits: list[str]
    image_tokens: int
    output_image_tokens: int
    extra_output_tokens: int
    api: str
    structured_output: bool
    source: str


class _Table(TypedDict):
    source: str
    as_of: str
    same_as: NotRequired[str]
    defaults: NotRequired[_Entry]
    models: NotRequired[dict[str, _Entry]]


def facts(provider: str, model: str) -> ModelFacts:
    """The facts of one model; all unknown if no table has it."""
    return known_models(provider).get(model, UNKNOWN)


def nearest_priced(provider: str, model: str) -> list[str]:
    """The models of a provider that have a price and are named most like this one, as provider/model; at most three."""
    priced = [name for name, made in known_models(provider).items() if made.price is not None]
    return [f"{provider}/{name}" for name in difflib.get_close_matches(model, priced, n=3)]


def providers_known() -> list[str]:
    """The providers that have a table, sorted."""
    return sorted(file.name.removesuffix(".yaml") for file in _FOLDER.iterdir() if file.name.endswith(".yaml"))


@cache
def known_models(provider: str) -> dict[str, ModelFacts]:
    """A provider's models by their names; empty if it has no table."""
    file = _FOLDER / f"{provider}.yaml"
    if not file.is_file():
        return {}
    table = cast(_Table, read_shipped(file.read_text("utf-8")))
    return dict(_models(table))


def _models(table: _Table) -> Iterator[tuple[str, ModelFacts]]:
    for name, made in known_models(table["same_as"]).items() if "same_as" in table else ():
        price = None if made.price is None else replace(made.price, source=table["source"], as_of=table["as_of"])
        yield name, replace(made, price=price)
    for name, entry in table.get("models", {}).items():
        made = _facts(entry, table)
        for one in (name, *entry.get("also", ())):
            yield one, made


def _facts(entry: _Entry, table: _Table) -> ModelFacts:
    fields: _Entry = {**table.get("defaults", {}), **entry}
    return ModelFacts(
        price=_price(fields, table) if "price" in fields else None,
        context_tokens=fields.get("context_tokens", 0),
        max_output_tokens=fields.get("max_output_tokens", 0),
        modalities=tuple(fields.get("modalities", ())),
        makes=tuple(fields.get("makes", ())),
        reasoning=fields.get("reasoning", False),
        omits=frozenset(fields.get("omits", ())),
        image_tokens=fields.get("image_tokens", 0),
        output_image_tokens=fields.get("output_image_tokens", 0),
        extra_output_tokens=fields.get("extra_output_tokens", 0),
        api=Api(fields["api"]) if "api" in fields else None,
        structured_output=fields.get("structured_output", False),
    )


def _price(fields: _Entry, table: _Table) -> DatedPrice:
    later = fields.get("later")
    return DatedPrice(
        Price.of(ModelPrice.model_validate(fields["price"])),
        source=fields.get("source", table["source"]),
        as_of=table["as_of"],
        changes_on=date.fromisoformat(later["from"]) if later else None,
        later=Price.of(ModelPrice.model_validate(later["price"])) if later else None,
    )
