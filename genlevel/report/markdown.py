"""A report as Markdown (CommonMark with tables): texts of models and datasets never become markup."""

from __future__ import annotations

import re
from collections.abc import Iterator

from genlevel.documents.words import harmless
from genlevel.report.examples import example_of
from genlevel.report.sections import Report, Section
from genlevel.views.environment import cell
from genlevel.views.table import Table

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def report_markdown(report: Report) -> str:
    """The file's text."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield from (f"# {_plain(report.title)}", "", f"Made {report.made}.", "")
    for section in report.sections:
        yield from (f"{'#' * section.level} {_plain(section.title)}", "")
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    for line in section.lines:
        yield from (_plain(line), "")
    for figure in section.figures:
        yield from _table(figure.table)
    for found in section.tables:
        yield from _table(found, captioned=found.caption != section.title)
    for number, entry in enumerate(section.examples, 1):
        yield f"{number}. " + "\n   ".join(f"{name}: {_plain(' '.join(text.split()))}  " for name, text in example_of(entry))
    if section.examples:
        yield ""
    if section.code:
        yield from ("```json", harmless(section.code).replace("```", "` ` `"), "```", "")


def _table(found: Table, *, captioned: bool = True) -> Iterator[str]:
    if captioned:
        yield from (f"{_plain(found.caption)}:", "")
    yield "| " + " | ".join(_plain(column.name) for column in found.columns) + " |"
    yield "|" + "|".join("---:" if column.numeric else "---" for column in found.columns) + "|"
    for row in found.rows:
        cells = (_plain(" ".join(cell(value, column).split())) for value, column in zip(row, found.columns, strict=True))
        yield "| " + " | ".join(cells) + " |"
    yield ""


def _plain(text: str) -> str:
    """A text whose characters mean themselves; an address in it is no link."""
    escaped = _MARKUP.sub(r"\\\1", harmless(text))
    return escaped.replace("://", ":\\//").replace("www.", "www\\.")
