"""``genlevel certify``: what of a verdict is certain, at the error rate asked for, task by task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from genlevel.cli.options import (
    WHOLE_NUMBER,
    alpha_option,
    json_option,
    need_run_folder,
    out_option,
    print_json,
    run_async,
    settings_of,
)
from genlevel.cli.sources import check_model, column_of, is_workbook
from genlevel.v1 import scorer_pb2 as sc


@click.command("certify")
@click.argument("source", metavar="FILE|RUN")
@click.option("--model", help="The column of a workbook (case does not matter); a run has its own model.")
@alpha_option("Error allowed.")
@click.option("--bootstrap", type=click.IntRange(0, 100_000), default=0, help="Draws for bootstrap intervals of a run's level scores.")
@click.option(
    "--references", type=click.Choice(["workbook", "appendix"]), default="workbook", show_default=True, help="Specialists' scores."
)
@click.option("--reference-n", type=WHOLE_NUMBER, help="Instances that specialists were measured on (default: they are exact).")
@out_option
@json_option
@click.pass_context
def certify(ctx: click.Context, /, **options: Any) -> None:
    """Say what of the verdict of a RUN, or of a result workbook FILE (.xlsx), is certain.

    Per level attained, not attained or undecided, with any false "attained" at most --alpha likely; per task an interval and a test
    against the specialist. A workbook has no instances: their number is the one that genlevel kept in it, else the task list's, and
    metrics that give no way are refused by name.
    """
    from genlevel.cli.card import has_references
    from genlevel.runtime.errors import UsageError

    source: str = options["source"]
    if is_workbook(source):
        column = column_of(options["model"])
        if options["bootstrap"]:
            raise UsageError("a workbook has no instances for --bootstrap")
        document = _of_workbook(source, column, options["alpha"], options["references"], options["reference_n"])
        unreferenced, referenced = frozenset[str](), True
    else:
        request = {
            "run_id": source,
            "references": options["references"],
            "alpha": options["alpha"],
            "bootstrap_draws": options["bootstrap"],
            "reference_instances": options["reference_n"] or 0,
        }
        verdict = _of_run(ctx, request, options["model"], options["out"])
        document = _run_document(verdict)
        unreferenced = frozenset(score.task.key for score in verdict.tasks if not score.HasField("reference"))
        referenced = has_references(verdict.benchmark, [score.reference for score in verdict.tasks if score.HasField("reference")])
    if options["as_json"]:
        print_json(document)
        return
    _print(document, unreferenced, referenced=referenced)


def _of_workbook(source: str, model: str, alpha: float, references: str, reference_n: int | None) -> dict[str, Any]:
    from scorer.reports.certificates import certificate_json, certify_values
    from scorer.reports.documents import level_of_workbook

    report = level_of_workbook(source, model, references)
    for warning in report.warnings:
        click.echo(f"note: {warning}", err=True)
    return {
        "model": report.model,
        "references": report.references,
        "certified": certificate_json(certify_values(report.results, alpha, reference_n, report.instances)),
    }


def _of_run(ctx: click.Context, request: dict[str, Any], model: str | None, out: Path) -> sc.GetVerdictResponse:
    from genlevel.cli.connection import services

    settings = settings_of(ctx)
    need_run_folder(settings, out)

    async def work() -> sc.GetVerdictResponse:
        async with services(settings, out, reading=True) as found:
            return await found.scorer.get_verdict(sc.GetVerdictRequest(**request))

    verdict = run_async(work())
    check_model(verdict.run_id, verdict.model, model)
    return verdict


def _run_document(verdict: sc.GetVerdictResponse) -> dict[str, Any]:
    from scorer.reports.documents import verdict_certified_json

    return {
        "run": verdict.run_id,
        "model": verdict.model,
        "suite": verdict.suite,
        "references": verdict.references,
        "certified": verdict_certified_json(verdict),
    }


def _print(document: dict[str, Any], unreferenced: frozenset[str], *, referenced: bool) -> None:
    """unreferenced: keys of tasks that have nothing to be won against; referenced: whether any of the benchmark has."""
    from genlevel.cli.card import console, number, print_certified, table

    out = console()
    certified = document["certified"]
    out.print(document["model"], style="bold")
    print_certified(out, certified, referenced=referenced)
    levels = table("level", "", ">score", "interval", "bootstrap", ">p", ">needed")
    for level, entry in certified["levels"].items():
        needed = "-" if entry["needed"] is None else f"{entry['needed']:,}"
        levels.add_row(
            level,
            entry["status"],
            number(entry["score"]),
            _range(entry["interval"]),
            _range(entry["bootstrap"]),
            _p(entry["p_value"]),
            needed,
        )
    out.print(levels)
    tasks = table("task", ">units", "interval", "test", ">p", ">adjusted", "win")
    for entry in sorted(certified["tasks"], key=lambda task: (task["p_win"] is None, task["p_win"] or 0.0, task["task"])):
        win = entry["win"] + (", discovered" if entry["discovered"] and entry["win"] != "attained" else "")
        win = "no reference" if entry["key"] in unreferenced else win
        figures = (entry["test"] or "-", _p(entry["p_win"]), _p(entry["p_win_adjusted"]), win)
        tasks.add_row(entry["task"].strip(), f"{entry['units']:,}", _range(entry["interval"]), *figures)
    out.print(tasks)
    for note in certified["notes"]:
        out.print(f"note: {note}")


def _range(pair: list[float] | None) -> str:
    from genlevel.cli.card import number

    return "-" if pair is None else f"{number(pair[0])} to {number(pair[1])}"


def _p(value: float | None) -> str:
    return "-" if value is None else f"{value:.2g}"
