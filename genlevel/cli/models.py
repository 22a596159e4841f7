"""``genlevel models``: the models that can be evaluated."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli.connection import services
from genlevel.cli.options import json_option, out_option, print_json, run_async, settings_of
from genlevel.cli.printing import console, table
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document


@click.command("models")
@out_option
@json_option
@click.pass_context
def models(ctx: click.Context, out: Path, as_json: bool) -> None:
    """List the models that can be evaluated: configured routes, known hosted models, and the embedded one."""
    settings = settings_of(ctx)

    async def work() -> list[Document]:
        if settings.addresses.evaluator:
            async with services(settings, out) as found:
                response = await found.gateway.list_models(gw.ListModelsRequest())
        else:
            from gateway.service import Gateway
            from genlevel.embedded import service_registry

            gateway = Gateway(settings, service_registry(), out)
            try:
                response = await gateway.list_models(gw.ListModelsRequest())
            finally:
                await gateway.close()
        return [_document(model) for model in response.models]

    documents = run_async(work())
    if as_json:
        print_json(documents)
    else:
        _print(documents)


def _print(documents: list[Document]) -> None:
    from gateway.providers import PROVIDERS, implied_names

    rows = table("route", "takes", "makes", "US$ per M tokens in / out", "ready")
    for model in documents:
        price = model["price"]
        cost = _cost(price) if price else ("unpriced" if model["charges"] else "free")
        ready = "yes" if model["ready"] else f"no: {model['problem'].removeprefix(model['route'] + ': ')}"
        rows.add_row(model["route"], ", ".join(model["takes"]), ", ".join(model["gives"]), cost, ready)
    out = console()
    out.print(rows)
    names = ", ".join(name for name in implied_names() if not PROVIDERS[name].models)
    out.print(f"Any model of these providers works as PROVIDER/MODEL: {names}; any OpenAI-compatible server by --base-url.")


_PIECES = {"per_image": "an image", "per_second": "a second", "per_call": "a call"}


def _price(price: gw.Price) -> dict[str, str]:
    return {"input": price.input, "output": price.output} | {name: getattr(price, name) for name in _PIECES if getattr(price, name)}


def _cost(price: dict[str, str]) -> str:
    """A price for people: of tokens, unless they are free and pieces are not."""
    pieces = [f"{price[name]} {piece}" for name, piece in _PIECES.items() if name in price]
    tokens = [] if pieces and price["input"] == price["output"] == "0" else [f"{price['input']} / {price['output']}"]
    return ", ".join([*tokens, *pieces])


def _document(model: gw.ModelInfo) -> Document:
    def names(modalities: Iterable[int]) -> list[str]:
        return [ct.Modality.Name(modality).removeprefix("MODALITY_").lower().replace("three_d", "3d") for modality in modalities]

    return {
        "route": model.route,
        "provider": model.provider,
        "model": model.model,
        "takes": names(model.input_modalities),
        "gives": names(model.output_modalities),
        "price": _price(model.price) if model.HasField("price") else None,
        "charges": model.charges,
        "context_tokens": model.context_tokens or None,
        "ready": model.ready,
        "problem": model.problem or None,
        "note": model.parameter_note or None,
    }
