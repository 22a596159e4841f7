"""``genlevel prices``: what models cost, since when and according to whom, and newer prices from a file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli.models import listed_models
from genlevel.cli.options import json_option, out_option, print_json, run_async, settings_of
from genlevel.cli.printing import console, note, table
from genlevel.documents.price_words import beside_told, price_document, price_told

if TYPE_CHECKING:
    from gateway.pricing.price_changes import Change, Changes
    from genlevel.runtime.documents import Document
    from genlevel.runtime.price_list import ListedPrice
    from genlevel.runtime.settings import Settings

_SHOWN = 20


@click.command("prices")
@click.argument("pattern", metavar="[GLOB]", default="*")
@click.option(
    "--update",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Take newer prices: from LiteLLM's JSON list, or a list of ours.",
)
@click.option("--source", default="", metavar="TEXT", help="With --update: where the prices are from (default: FILE's name).")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="With --update: the day on which they were read (default: today).")
@click.option("--yes", is_flag=True, help="With --update: take prices that can hardly be right, too.")
@out_option
@json_option
@click.pass_context
def prices(
    ctx: click.Context, pattern: str, *, update: Path | None, source: str, as_of: datetime | None, yes: bool, out: Path, as_json: bool
) -> None:
    """List what models cost, or take newer prices from a file; only of models that match GLOB.

    Newer prices are kept in prices_file of the configuration, else in genlevel-prices.json in this folder. Put that under version control,
    and beside the services. They count from the next start on.
    """
    settings = settings_of(ctx)
    if update is None:
        if source or as_of or yes:
            raise click.UsageError("--source, --as-of and --yes are of --update", ctx)
        documents = _listed(settings, out, pattern)
        print_json(documents) if as_json else _print(documents)
        return
    day = (as_of or datetime.now(UTC)).date().isoformat()
    document = _updated(settings, pattern, update, source=source or update.name, day=day, take_doubtful=yes)
    print_json(document) if as_json else _print_update(document)
    if not document["written"] and document["doubtful"]:
        ctx.exit(1)


def _listed(settings: Settings, out: Path, pattern: str) -> list[Document]:
    models = run_async(listed_models(settings, out))
    priced = [model for model in models if model.HasField("price") and model.charges and fnmatchcase(model.route, pattern)]
    return [{"route": model.route, "model": f"{model.provider}/{model.model}", "price": price_document(model.price)} for model in priced]


def _print(documents: list[Document]) -> None:
    rows = table("model", "US$ per M tokens in / out", "beside", "read on")
    for one in documents:
        rows.add_row(one["route"], price_told(one["price"]), beside_told(one["price"]), one["price"]["as_of"] or "-")
    out = console()
    out.print(rows)
    for source in dict.fromkeys(one["price"]["source"] for one in documents):
        count = sum(one["price"]["source"] == source for one in documents)
        out.print(f"{count:,} of {source}")
    out.print(f"{len(documents):,} prices. What is not here is unpriced: nothing is guessed.")


# -- newer prices --------------------------------------------------------------------------------------------------------


def _updated(settings: Settings, pattern: str, update: Path, *, source: str, day: str, take_doubtful: bool) -> Document:
    from gateway.pricing.price_changes import changes
    from gateway.pricing.prices import Price
    from gateway.routes import Routes
    from genlevel.runtime.errors import CallFailed
    from genlevel.runtime.price_list import file_of, listed_prices

    found, left_out = _read(update, source=source, day=day)
    chosen = {name: entry for name, entry in found.items() if fnmatchcase(name, pattern)}
    if not chosen:
        raise click.UsageError(f"{update} has no price of a model that matches {pattern!r} and that can be asked here")
    kept = listed_prices(settings)
    routes = Routes(settings.model_copy(update={"prices": {}, "routes": {}}))

    def before(name: str) -> Price | None:
        try:
            return routes.resolve(name).price
        except CallFailed:  # a model that only an account's address leads to
            return Price.of(kept[name].price) if name in kept else None

    changed = changes({name: Price.of(entry.price) for name, entry in chosen.items()}, before)
    to = file_of(settings)
    written = bool(changed.models) and (take_doubtful or not changed.doubtful)
    if written:
        _write(to, {**kept, **{name: chosen[name] for name in changed.models}})
    return _document(changed, to, written=written, left_out=left_out)


def _read(file: Path, *, source: str, day: str) -> tuple[dict[str, ListedPrice], list[str]]:
    """Prices by provider/model, of providers that there are, and what was left out, in words."""
    from gateway.pricing.price_import import is_litellms, left_out_told, litellm_prices
    from gateway.providers import PROVIDERS
    from genlevel.runtime.price_list import LARGEST_BYTES, ListedPrice, price_list
    from genlevel.runtime.settings_file import read_text

    text = read_text(file, "--update", limit_bytes=LARGEST_BYTES)
    document = _json(text)
    if is_litellms(document):
        imported = litellm_prices(document, str(file))
        listed = {name: ListedPrice(price=price, source=source, as_of=day) for name, price in imported.prices.items()}
        left_out = list(left_out_told(imported))
    else:
        listed, left_out = {}, []
        for name, entry in price_list(text, str(file)).prices.items():
            listed[name] = entry.model_copy(update={"source": entry.source or source, "as_of": entry.as_of or day})
    unknown = sorted({name.partition("/")[0] for name in listed} - {name for name, row in PROVIDERS.items() if row.implied})
    if unknown:
        left_out.append(f"those of {', '.join(unknown)}, which cannot be asked here")
    return {name: entry for name, entry in listed.items() if name.partition("/")[0] not in unknown}, left_out


def _json(text: str) -> Mapping[str, object]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _write(file: Path, entries: Mapping[str, ListedPrice]) -> None:
    """The file with these prices, a model a line, in place of the one before."""
    lines = [f"    {json.dumps(name)}: {json.dumps(_entry(entries[name]))}" for name in sorted(entries)]
    scratch = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        scratch.write_text('{\n  "prices": {\n' + ",\n".join(lines) + "\n  }\n}\n", "utf-8")
        scratch.replace(file)
    finally:
        scratch.unlink(missing_ok=True)


def _entry(entry: ListedPrice) -> Document:
    """An entry with what it sets, and amounts as plain decimals."""
    price = entry.price.model_dump(exclude_none=True, exclude_unset=True)
    long = price.pop("long_context", None)
    document: Document = {name: _plain(value) for name, value in price.items()}
    if long:
        document["long_context"] = {name: value if name == "above" else _plain(value) for name, value in long.items()}
    return {"price": document, "source": entry.source, "as_of": entry.as_of}


def _plain(value: Decimal | int) -> str:
    return f"{Decimal(value).normalize():f}"


def _document(changed: Changes, to: Path, *, written: bool, left_out: list[str]) -> Document:
    def told(change: Change) -> Document:
        before, after = (None if value is None else _plain(value) for value in (change.before, change.after))
        return {"model": change.model, "field": change.field, "before": before, "after": after}

    return {
        "file": str(to),
        "written": written,
        "new": list(changed.new),
        "changed": [told(change) for change in changed.changed],
        "doubtful": [told(change) for change in changed.doubtful],
        "same": changed.same,
        "left_out": left_out,
    }


def _print_update(document: Document) -> None:
    changed, doubtful = document["changed"], document["doubtful"]
    models = len(dict.fromkeys(change["model"] for change in changed))
    click.echo(f"{len(document['new']):,} new, {models:,} changed, {document['same']:,} as before")
    for change in (doubtful or changed)[:_SHOWN]:
        click.echo(f"  {change['model']}: {change['field']} {change['before'] or '-'} -> {change['after'] or '-'}")
    if len(doubtful or changed) > _SHOWN:
        click.echo(f"  and {len(doubtful or changed) - _SHOWN:,} more (--json has them)")
    for one in document["left_out"]:
        note(f"left out: {one}")
    if document["written"]:
        click.echo(f"written to {document['file']}; it counts from the next start on")
    elif doubtful:
        why = "a thousand times as much or as little, or nothing"
        note(f"{len(doubtful):,} of these can hardly be right: {why}; --yes takes them all the same")
    else:
        click.echo("nothing to write")
