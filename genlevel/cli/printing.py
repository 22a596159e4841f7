"""How commands print for people: tables in one style, and lines. Imports rich when something is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from genlevel.documents.words import harmless

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def console() -> Console:
    """Stdout for tables: plain text unless it is a terminal. Names are shown as they are, never as markup."""
    from rich.console import Console

    plain = Console(markup=False, highlight=False, emoji=False)
    return plain if plain.is_terminal else Console(width=160, markup=False, highlight=False, emoji=False)


def table(*columns: str) -> Table:
    """A table in the house style. A column whose name begins with ">" is aligned to the right."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column.removeprefix(">"), justify="right" if column.startswith(">") else "left", overflow="fold")
    return made


def say(text: str) -> None:
    """A line on stdout that holds a text of a model or a dataset."""
    click.echo(harmless(text))


def note(text: str) -> None:
    """A line on stderr that a person has to know."""
    click.echo(f"note: {text}", err=True)
