"""``genlevel level``: the levels of a result workbook in the official layout."""

from __future__ import annotations

from pathlib import Path

import click

from genlevel.cli.options import json_option, print_json


@click.command("level")
@click.argument("workbook", type=click.Path(path_type=Path))
@click.option("--model", required=True, help="The column of the workbook (case does not matter).")
@click.option(
    "--references",
    type=click.Choice(["workbook", "appendix"]),
    default="workbook",
    show_default=True,
    help="Specialists' scores: of the official workbook, or of the paper's appendix B where it differs.",
)
@json_option
def level(workbook: Path, model: str, references: str, as_json: bool) -> None:
    """Compute the General-Level of a model from a result WORKBOOK (.xlsx), by the paper's rules.

    What is doubtful in the workbook is said on stderr, a line each.
    """
    from scorer.report import level_of_workbook, report_json

    report = level_of_workbook(workbook, model, references)
    for warning in report.warnings:
        click.echo(f"note: {warning}", err=True)
    document = report_json(report)
    if as_json:
        print_json(document)
        return
    from genlevel.cli.card import console, print_levels

    out = console()
    out.print(f"{report.model} ({workbook})", style="bold")
    print_levels(out, document)
