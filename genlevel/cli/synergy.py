"""``genlevel synergy``: on which skills a model's scores reach their specialists' published ones, as data, a table or a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli.options import (
    json_option,
    model_option,
    need_run_folder,
    out_option,
    print_json,
    references_option,
    run_async,
    settings_of,
)
from genlevel.cli.printing import console, note, table
from genlevel.cli.sources import check_model, column_of, is_workbook
from genlevel.connection.services import stored, verdict_of
from genlevel.documents.decision_words import early_note
from genlevel.documents.runs import has_outcomes
from genlevel.documents.words import harmless
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document
    from genlevel.runtime.settings import Settings
    from scorer.levels.synergy import SynergyMap

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("synergy")
@click.argument("source", metavar="RUN|FILE.xlsx", required=False)
@model_option
@click.option("--published", metavar="NAME", default="", help="A model of the paper instead, from its published task values.")
@references_option
@click.option("--svg", type=_FILE, help="Write the map as a picture.")
@click.option("--html", type=_FILE, help="Write the map as a page: the picture, and tables.")
@out_option
@json_option
@click.pass_context
def synergy(
    ctx: click.Context,
    *,
    source: str | None,
    model: str,
    published: str,
    references: str,
    svg: Path | None,
    html: Path | None,
    out: Path,
    as_json: bool,
) -> None:
    """Map on which tasks of General-Bench a model's scores reach the published ones, by modality, paradigm and skill.

    The results are those of RUN, of a result workbook in the official layout, or published ones.
    """
    if (source is None) == (not published):
        raise click.UsageError("give a run, a workbook, or --published NAME")
    if published:
        found = _of_published(published, references)
    elif source is not None and is_workbook(source):
        found = _of_workbook(Path(source), column_of(model), references)
    else:
        settings = settings_of(ctx)
        need_run_folder(settings, out)
        found = run_async(_of_run(settings, out, source or "", references))
        check_model(source or "", found.model, model)
    from scorer.levels.synergy import synergy_json

    if svg is not None:
        from genlevel.views.figures.synergy import synergy_picture

        _write(svg, synergy_picture(found).standalone())
    if html is not None:
        from genlevel.views.synergy_page import synergy_html

        _write(html, synergy_html(found))
    if as_json:
        print_json(synergy_json(found))
    elif svg is None and html is None:
        _print(synergy_json(found))


def _of_published(name: str, references: str) -> SynergyMap:
    from genlevel.benchmark.catalogue import general_bench
    from scorer.levels.published import published_model
    from scorer.levels.rules import judge_all
    from scorer.levels.synergy import synergy_map

    published = published_model(name)
    if not published.values:
        raise UsageError(f"{published.model}: only its level scores were published, no task values, so there is nothing to map")
    return synergy_map(f"{published.model} (as published)", judge_all(general_bench(), published.values, references), references)


def _of_workbook(path: Path, model: str, references: str) -> SynergyMap:
    from genlevel.benchmark.catalogue import general_bench
    from scorer.levels.rules import judge_all
    from scorer.levels.synergy import synergy_map
    from scorer.workbooks.reader import model_values, read_workbook

    read = model_values(read_workbook(path), model, general_bench(), source=str(path))
    for warning in read.warnings:
        note(warning)
    return synergy_map(read.model, judge_all(general_bench(), read.values, references), references)


async def _of_run(settings: Settings, folder: Path, run_id: str, references: str) -> SynergyMap:
    from scorer.levels.synergy import synergy_map
    from scorer.reports.run_results import run_results

    async with stored(settings, folder) as ports:
        run = (await ports.evaluator.get_run(ev.GetRunRequest(run_id=run_id))).run
        verdict = await verdict_of(ports, run.run_id)
    if not verdict.tasks or not has_outcomes(run):
        raise UsageError(f"run {run.run_id} has no scored task yet")
    if said := early_note(run):
        note(said)
    known = run_results(verdict, references)
    return synergy_map(run.specification.model, known.results, references, known.asked)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    click.echo(f"wrote {path}", err=True)


def _print(document: Document) -> None:
    out = console()
    won_skills = f"in {document['skills_won']} of {document['skills']} skills"
    out.print(harmless(f"{document['model']}: {document['wins']} of {document['tasks']} tasks won, {won_skills}"), style="bold")
    if document["asked"] < document["tasks"]:
        out.print(f"Only {document['asked']} of the tasks were asked.")
    rows = table("modality", "paradigm", ">tasks won", ">of", ">skills won", ">of")
    for panel in document["panels"]:
        counts = (str(value) for value in (panel["wins"], panel["tasks"], panel["skills_won"], len(panel["skills"])))
        rows.add_row(panel["modality"], panel["paradigm"] or "-", *counts)
    out.print(rows)
    won = table("id", "skill", ">won", ">supported", ">tasks")
    for panel in document["panels"]:
        for skill in panel["skills"]:
            if skill["wins"]:
                won.add_row(skill["id"], skill["skill"], str(skill["wins"]), str(skill["supported"]), str(len(skill["tasks"])))
    if won.row_count:
        out.print(won)
    out.print(f"references: {document['references']}; --svg or --html FILE draws the map, --json has every task")
