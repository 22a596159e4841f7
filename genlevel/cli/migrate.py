"""``genlevel migrate``: brings the database of ``storage.url`` to what this version works with, before its services start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli import EXIT_INCOMPLETE
from genlevel.cli.options import out_option, settings_of

if TYPE_CHECKING:
    from genlevel.runtime.schema import Found, Schema


@click.command("migrate")
@click.option("--check", is_flag=True, help="Change nothing; end with 1 if something is to be done.")
@out_option
@click.pass_context
def migrate(ctx: click.Context, check: bool, out: Path) -> None:
    """Bring the database to the tables of this version. Services do so themselves when they start; whoever comes second waits.

    Services of the version before go on meanwhile if what is printed says that they work with the new tables.
    """
    from genlevel.runtime.storage import sqlite_url

    settings = settings_of(ctx)
    url = settings.storage.url or sqlite_url(out / "genlevel.db")
    if check:
        _check(ctx, url)
    else:
        _migrate(url, settings.storage.patience_s)


def schemas(url: str) -> list[Schema]:
    """What the tables of all rooms are to be that a database of this kind has."""
    from evaluator.journal.schema import SCHEMA as EVALUATOR
    from genlevel.runtime.room import SCHEMA as RUNTIME
    from genlevel.runtime.storage import is_sqlite
    from scorer.store.tables import SCHEMA as SCORER

    return [EVALUATOR, SCORER] if is_sqlite(url) else [EVALUATOR, SCORER, RUNTIME]


def _migrate(url: str, patience_s: float) -> None:
    from genlevel.runtime.patience import Patience
    from genlevel.runtime.storage import migrate, revisions

    patience = Patience(patience_s)
    for schema in schemas(url):
        before = patience.repeat(lambda schema=schema: migrate(url, schema))  # type: ignore[misc]
        [found] = patience.repeat(lambda schema=schema: revisions(url, [schema]))  # type: ignore[misc]
        click.echo(_told(found) if before == found.revision else _done(found, before))


def _check(ctx: click.Context, url: str) -> None:
    from genlevel.runtime.storage import revisions

    found = revisions(url, schemas(url))
    for each in found:
        click.echo(_told(each))
    if not all(each.fits for each in found):
        ctx.exit(EXIT_INCOMPLETE)


def _told(found: Found) -> str:
    """What a room's tables are at, in one line."""
    schema = found.schema
    match found.revision:
        case None:
            return f"{schema.room}: no tables yet; this version makes schema {schema.head}"
        case schema.head:
            return f"{schema.room}: schema {schema.head}, as this version expects"
        case _ if found.fits:
            return f"{schema.room}: schema {found.revision}, of a newer genlevel; this version, of {schema.head}, works with it"
        case _ if found.newer:
            return f"{schema.room}: schema {found.revision}, of a newer genlevel; this version knows {schema.head}: upgrade genlevel"
        case _:
            return f"{schema.room}: schema {found.revision}; this version brings it to {schema.head}, which {_who_works(schema)}"


def _done(found: Found, before: str | None) -> str:
    """What was done to a room's tables, in one line."""
    schema = found.schema
    if before is None:
        return f"{schema.room}: made, schema {schema.head}"
    return f"{schema.room}: schema {before} -> {found.revision}, which {_who_works(schema)}"


def _who_works(schema: Schema) -> str:
    return f"code of schema {schema.works_from} works with, too" if schema.works_from < schema.head else "no older code works with"
