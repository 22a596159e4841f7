"""How commands print for people: tables in one style, and lines. Imports rich when something is printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from genlevel.documents.summing_up import summed_up
from genlevel.documents.words import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

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


@dataclass(frozen=True, slots=True)
class Telling:
    """How much a command tells beside its result and its errors. quiet: nothing. verbose: every note, also many of one kind."""

    quiet: bool = False
    verbose: bool = False

    def note(self, text: str) -> None:
        """A line that a person has to know."""
        if not self.quiet:
            note(text)

    def notes(self, texts: Sequence[str]) -> None:
        """Lines that a person has to know."""
        for text in self.shown(texts):
            self.note(text)

    def shown(self, texts: Sequence[str]) -> list[str]:
        """The notes that are to be told of these."""
        if self.quiet or self.verbose:
            return [] if self.quiet else list(texts)
        few = summed_up(texts)
        return few if len(few) == len(texts) else [*few, "--verbose says each of them"]

    def line(self, text: str) -> None:
        """A line of how it goes."""
        if not self.quiet:
            click.echo(text, err=True)


def say(text: str) -> None:
    """A line on stdout that holds a text of a model or a dataset."""
    click.echo(harmless(text))


def note(text: str) -> None:
    """A line on stderr that a person has to know."""
    click.echo(f"note: {text}", err=True)
