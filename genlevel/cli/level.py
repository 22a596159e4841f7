"""``genlevel level``: the level of a result workbook or of a run, by the paper's rules or the official ranker's, and why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from genlevel.cli.card import print_certified, print_coverage, print_head, print_levels
from genlevel.cli.options import json_option, model_option, need_run_folder, out_option, print_json, run_async, settings_of
from genlevel.cli.printing import console, note, table
from genlevel.cli.sources import check_model, column_of, is_workbook
from genlevel.connection.services import stored
from genlevel.documents.decision_words import early_note
from genlevel.documents.words import harmless, number
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from typing import Unpack

    from rich.console import Console

    from genlevel.runtime.documents import Document
    from scorer.reports.level_report import LevelStatement


class _Options(TypedDict):
    source: str
    model: str
    rules: str
    references: str
    explained: bool
    out: Path
    as_json: bool


_MOST_SHOWN = 40
_EFFECTS = ("level_2", "level_3", "w_L")


@click.command("level")
@click.argument("source", metavar="FILE|RUN")
@model_option
@click.option(
    "--rules",
    type=click.Choice(["paper", "official"]),
    default="paper",
    show_default=True,
    help="official: the official ranker's printed numbers, defects included.",
)
@click.option(
    "--references",
    metavar="workbook|appendix|FILE",
    default="workbook",
    show_default=True,
    help="Specialists' scores: of the official workbook, of the paper's appendix B, or a workbook with a column 'SoTA Performance'.",
)
@click.option("--explain", "explained", is_flag=True, help="Show which tasks decide the verdict, and in which rows the two rules differ.")
@out_option
@json_option
@click.pass_context
def level(ctx: click.Context, /, **options: Unpack[_Options]) -> None:
    """Compute the General-Level of a model from a result workbook (.xlsx) or a RUN.

    Doubts are notes on stderr, a line each.
    """
    from scorer.reports.level_report import statement_json

    source = options["source"]
    statement = _of_workbook(options) if is_workbook(source) else _of_run(ctx, options)
    for warning in statement.warnings:
        note(warning)
    document = statement_json(statement)
    if options["as_json"]:
        print_json(document)
        return
    _print(document, source, own=statement.own)


def _of_workbook(options: _Options) -> LevelStatement:
    from scorer.reports.level_report import state_workbook_level
    from scorer.workbooks.stamped import stamp_of

    column = column_of(options["model"])
    statement = state_workbook_level(
        options["source"], column, rules=options["rules"], references=options["references"], explained=options["explained"]
    )
    if "decided_early" in stamp_of(options["source"]):
        said = "it has the tasks that were asked in full, and the others count as 0, so nothing is certified of it"
        note(f"{options['source']} is of a run that was decided early: {said}")
        return replace(statement, certified=None, against_specialists=None)
    return statement


def _of_run(ctx: click.Context, options: _Options) -> LevelStatement:
    from scorer.reports.level_report import state_run_level

    settings = settings_of(ctx)
    need_run_folder(settings, options["out"])
    references = options["references"]
    known = references if references == "appendix" else "workbook"

    async def work() -> tuple[ev.Run, sc.GetVerdictResponse]:
        async with stored(settings, options["out"]) as found:
            run = (await found.evaluator.get_run(ev.GetRunRequest(run_id=options["source"]))).run
            return run, await found.scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id, references=known))

    run, verdict = run_async(work())
    check_model(run.run_id, verdict.model, options["model"])
    if said := early_note(run):
        note(said)
    return state_run_level(
        verdict,
        rules=options["rules"],
        references=references,
        explained=options["explained"],
        partial=run.partial,
        unfinished=run.counts.failed + run.counts.pending,
    )


def _print(document: Document, source: str, *, own: bool) -> None:
    """own: whether the suite is its own benchmark, with references of its own if any."""
    out = console()
    out.print(harmless(f"{document['model']} ({source})"), style="bold")
    print_coverage(out, partial=bool(document["partial"]), incomplete=bool(document["incomplete"]))
    certified, against = document["certified"], document["certified_against_specialists"]
    print_head(out, document, certified, against)
    if document["levels"] is None:
        out.print(f"The official ranker would have ended without output: {document['crash']}")
    else:
        print_levels(out, document, own=own)
    if certified is not None:
        print_certified(out, certified, against, referenced=document["references"] is not None)
    if explanation := document.get("explanation"):
        _print_explanation(out, explanation, say_crash=document["levels"] is not None)


def _print_explanation(out: Console, explanation: Document, *, say_crash: bool) -> None:
    for title, entries, adds in (
        ("Wins, the largest contribution to Level 3 first, then language", "wins", "adds"),
        ("Nearest misses", "nearest_misses", "would add"),
    ):
        rows = table("task", "sheet", "metric", ">value", ">reference", ">margin", ">in sigma", f">{adds}")
        for entry in explanation[entries][:_MOST_SHOWN]:
            figures = (number(entry[key], 4) for key in ("value", "reference", "margin", "margin_sigma"))
            rows.add_row(entry["task"].strip(), entry["sheet"], entry["metric"], *figures, _worth(entry))
        out.print(f"{title}: {'none' if not explanation[entries] else ''}")
        if explanation[entries]:
            out.print(rows)
        _say_more(out, len(explanation[entries]))
    for line in explanation["needed"]:
        out.print(line)
    if say_crash and explanation["official_crash"]:
        out.print(f"The official ranker would have ended without output: {explanation['official_crash']}")
    if explanation["differences"]:
        _print_differences(out, explanation["differences"])


def _print_differences(out: Console, differences: list[Document]) -> None:
    out.print("\nRows in which the official ranker differs from the paper (sigma; level 2, 3 and w_L: official minus paper):")
    rows = table("sheet", ">row", "task", ">paper", ">official", "win p/o", ">level 2", ">level 3", ">w_L", "why")
    for row in differences[:_MOST_SHOWN]:
        wins = "/".join("yes" if row[key] else "no" for key in ("paper_win", "official_win"))
        figures = (number(row[key], 4) for key in _EFFECTS)
        place = "-" if row["row"] is None else str(row["row"])
        rows.add_row(
            row["sheet"],
            place,
            row["task"].strip(),
            number(row["paper"]),
            number(row["official"]),
            wins,
            *figures,
            "; ".join(row["reasons"]),
        )
    together = (sum(row[key] or 0.0 for row in differences) for key in _EFFECTS)
    rows.add_row("all", "", f"{len(differences)} rows", "", "", "", *(number(value, 4) for value in together), "")
    out.print(rows)
    _say_more(out, len(differences))


def _worth(entry: Document) -> str:
    """What a task adds to Level 3, or to w_L, in points of it."""
    return f"w_L {entry['w_L']:.4f}" if entry["w_L"] else f"{entry['level_3']:.4f}"


def _say_more(out: Console, count: int) -> None:
    if count > _MOST_SHOWN:
        out.print(f"and {count - _MOST_SHOWN} more; --json has all")
