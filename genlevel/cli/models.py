"""``genlevel models``: the models that can be evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli.options import json_option, out_option, print_json, run_async, settings_of
from genlevel.cli.printing import console, table
from genlevel.connection.services import services
from genlevel.documents.enum_names import enum_name
from genlevel.documents.price_words import price_document, price_told
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document
    from genlevel.runtime.settings import Settings


@click.command("models")
@click.argument("pattern", metavar="[GLOB]", default="")
@click.option("--check", default="", metavar="ROUTE", help="Make the smallest calls that say what works there, and what they cost.")
@click.option("--yes", is_flag=True, help="With --check: even if they may cost more than 0.05 US$, or nobody knows what.")
@out_option
@json_option
@click.pass_context
def models(ctx: click.Context, pattern: str, *, check: str, yes: bool, out: Path, as_json: bool) -> None:
    """List the models that can be evaluated: configured routes, known hosted models, and the embedded one; or those that match GLOB.

    With --check: exit code 1 if something does not work, 2 if nothing could be asked.
    """
    if (check and pattern) or (yes and not check):
        raise click.UsageError("--check takes one route and no GLOB" if check else "--yes is of --check", ctx)
    if check:
        _check(ctx, check, out, yes=yes, as_json=as_json)
        return
    listed = run_async(listed_models(settings_of(ctx), out))
    documents = [_document(model) for model in listed if not pattern or fnmatchcase(model.route, pattern)]
    if as_json:
        print_json(documents)
    else:
        _print(documents, whole=bool(pattern))


def _check(ctx: click.Context, route: str, out: Path, *, yes: bool, as_json: bool) -> None:
    from genlevel.cli.checking import check, document_of, print_checked

    found = run_async(check(settings_of(ctx), out, route, yes=yes))
    print_json(document_of(found)) if as_json else print_checked(found)
    if not found.works:
        ctx.exit(1 if found.calls else 2)


async def listed_models(settings: Settings, out: Path) -> Sequence[gw.ModelInfo]:
    """What the configured services' gateway lists, else one in this process."""
    if settings.addresses.evaluator:
        async with services(settings, out) as found:
            return (await found.gateway.list_models(gw.ListModelsRequest())).models
    from gateway.service import Gateway
    from genlevel.embedded import service_registry

    gateway = Gateway(settings, service_registry(), out)
    try:
        return (await gateway.list_models(gw.ListModelsRequest())).models
    finally:
        await gateway.close()


def _print(documents: list[Document], *, whole: bool) -> None:
    from gateway.providers import PROVIDERS, implied_names

    rows = table("route", "takes", "makes", "US$ per M tokens in / out", "ready")
    hidden: list[Document] = []
    for model in documents:
        if not whole and not model["ready"] and model["route"] == f"{model['provider']}/{model['model']}":
            hidden.append(model)
            continue
        price = model["price"]
        cost = price_told(price) if price else ("unpriced" if model["charges"] else "free")
        ready = "yes" if model["ready"] else f"no: {_problem(model)}"
        rows.add_row(model["route"], ", ".join(model["takes"]), ", ".join(model["gives"]), cost, ready)
    out = console()
    out.print(rows)
    for provider, group in groupby(hidden, key=lambda model: model["provider"]):
        those = list(group)
        out.print(f"{provider}: {len(those)} models, not ready: {_problem(those[0])} (`genlevel models '{provider}/*'` lists them)")
    names = ", ".join(name for name in implied_names() if not PROVIDERS[name].models)
    out.print(f"Any model of these providers works as PROVIDER/MODEL: {names}; any OpenAI-compatible server by --base-url.")


def _problem(model: Document) -> str:
    return str(model["problem"]).removeprefix(model["route"] + ": ")


def _document(model: gw.ModelInfo) -> Document:
    def names(modalities: Iterable[int]) -> list[str]:
        return [enum_name(ct.Modality, modality).replace("three_d", "3d") for modality in modalities]

    return {
        "route": model.route,
        "provider": model.provider,
        "model": model.model,
        "takes": names(model.input_modalities),
        "gives": names(model.output_modalities),
        "price": price_document(model.price) if model.HasField("price") else None,
        "charges": model.charges,
        "context_tokens": model.context_tokens or None,
        "ready": model.ready,
        "problem": model.problem or None,
        "note": model.parameter_note or None,
    }
