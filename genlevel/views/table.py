"""A table of numbers and texts, as pages and reports draw it beside each picture, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | int | float | bool | None

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so is a formula to spreadsheets, which run it."""


@dataclass(frozen=True, slots=True)
class Column:
    """name: its head, with the unit. numeric: aligned to the right. digits: that a page shows of a number; None: all of them."""

    name: str
    numeric: bool = False
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """caption: what it says, in one line. rows: a cell for each column; None is shown as a dash and written as nothing."""

    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Cell, ...]]

    def csv(self) -> str:
        """The table as CSV (RFC 4180), numbers exact. A text that a spreadsheet would take for a formula gets an apostrophe in front."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow([_plain(column.name) for column in self.columns])
        writer.writerows([_plain(cell) for cell in row] for row in self.rows)
        return out.getvalue()


def table(caption: str, columns: Sequence[str], rows: Sequence[tuple[Cell, ...]]) -> Table:
    """A table by its columns' names. ">score" is aligned to the right, ">score.2" shows two digits, too.

    Example:
        >>> table("Scores", ["task", ">score.2"], [("a", 0.125)]).csv()
        'task,score\\r\\na,0.125\\r\\n'
    """
    return Table(caption, tuple(map(_column, columns)), rows)


def _column(written: str) -> Column:
    if not written.startswith(">"):
        return Column(written)
    name, dot, digits = written[1:].rpartition(".")
    return Column(name, numeric=True, digits=int(digits)) if dot and digits.isdigit() else Column(written[1:], numeric=True)


def _plain(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_STARTS_A_FORMULA) else cell
