"""``genlevel score``: predictions that lie in files, scored against annotations, with a result workbook for the official ranker."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from genlevel.cli import EXIT_INCOMPLETE
from genlevel.cli.card import is_own, print_levels, print_tasks, print_verdict
from genlevel.cli.options import json_option, print_json, ratings_option, settings_of
from genlevel.cli.printing import console, note
from genlevel.documents.words import harmless

if TYPE_CHECKING:
    from typing import Unpack

    from genlevel.runtime.documents import Document
    from scorer.predictions.scoring import ScoredPredictions


class _Options(TypedDict):
    annotations: Path
    predictions: Path
    model: str
    out: Path
    variant: str
    tasks: str
    only_predicted: bool
    ratings: tuple[Path, ...]
    as_json: bool


_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("score")
@click.option(
    "--annotations",
    type=click.Path(path_type=Path),
    required=True,
    metavar="NAME|FOLDER",
    help="A shipped suite, a suite folder, or a zip archive of one, its labels included; media need not be there.",
)
@click.option("--predictions", type=_FOLDER, required=True, help="A folder of the same layout with a prediction.json for each task.")
@click.option("--model", required=True, help="The model's name: the workbook's column.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE.xlsx", help="The result workbook to write.")
@click.option(
    "--variant",
    type=click.Choice(("default", "official")),
    default="default",
    help="official: text metrics by the official code's rules, marked so; the default reads answers as the paper means them.",
)
@click.option("--tasks", default="", metavar="GLOB", help="Only tasks whose folder or name matches (commas separate several).")
@click.option(
    "--only-predicted",
    is_flag=True,
    help="Leave out instances and tasks without a prediction, as of a run with --limit; the result is marked partial.",
)
@ratings_option
@json_option
@click.pass_context
def score(ctx: click.Context, /, **options: Unpack[_Options]) -> None:
    """Score predictions against annotations and write a result workbook that the official ranker accepts.

    A prediction.json is a list of {"id", "prediction"}, or {"task", "skill", "type", "data": [...]} with such a list. A prediction is
    text, a number, a file path, or the same structure as the task's label. Without --only-predicted, ids without a prediction count as
    wrong and tasks without a file as unsupported. These, unknown ids and double ones are named on stderr and in the JSON. Exit code 1:
    some items could not be scored.
    """
    from genlevel.benchmark.suites import shipped_suites
    from genlevel.runtime.errors import DatasetError
    from scorer.models import configure
    from scorer.predictions.scoring import score_predictions, scored_json
    from scorer.workbooks.writer import check_workbook_path, column_name, write_workbook

    check_workbook_path(options["out"])
    column_name(options["model"])
    if options["only_predicted"]:
        _check_not_decided_early(options["predictions"])
    if not options["annotations"].exists() and str(options["annotations"]) not in shipped_suites():
        raise DatasetError(f"{options['annotations']}: there is no such folder of annotations")
    settings = settings_of(ctx)
    configure(settings.scorer.weights, settings.worker.device)
    scored = score_predictions(
        options["annotations"],
        options["predictions"],
        options["model"],
        ratings=options["ratings"],
        variant=options["variant"],
        pattern=options["tasks"],
        only_predicted=options["only_predicted"],
    )
    write_workbook(options["out"], scored.benchmark, scored.model, scored.values, scored.instances)
    document = scored_json(scored)
    for problem in (*document["predictions"]["problems"], *_of_ranker(scored)):
        note(problem)
    if options["as_json"]:
        print_json(document)
    else:
        _print(document, options["out"])
    ctx.exit(EXIT_INCOMPLETE if document["instances"]["failed"] else 0)


def _check_not_decided_early(predictions: Path) -> None:
    """Raises UsageError if the result beside predictions says that where they end depends on them."""
    import json

    from genlevel.runtime.errors import UsageError

    try:
        stamp = json.loads((predictions / "result.json").read_text(encoding="utf-8"))["stamp"]
        early = "decided_early" in stamp
    except (OSError, ValueError, KeyError, TypeError):
        return
    if early:
        mend = "leave --only-predicted out, or ask the rest (`genlevel eval` without --until-decided) and export it again"
        raise UsageError(f"{predictions}: its run stopped where its answers decide, so that scores of these alone are biased: {mend}")


def _of_ranker(scored: ScoredPredictions) -> list[str]:
    """Why the official ranker would not take the workbook, if it would not."""
    from genlevel.benchmark.model import GENERAL_BENCH
    from scorer.workbooks.official import official_levels
    from scorer.workbooks.writer import result_sheets

    if scored.benchmark.name != GENERAL_BENCH:
        return [f"{scored.benchmark.name!r} is its own benchmark: the official ranker knows General-Bench alone"]
    crash = official_levels(result_sheets(scored.benchmark, "model", scored.values), "model", scored.benchmark).crash
    return [f"the official ranker would end on this workbook: {crash}"] if crash else []


def _print(document: Document, workbook: Path) -> None:
    out = console()
    out.print(harmless(f"{document['model']} on {document['suite']}"), style="bold")
    counts = document["instances"]
    missing = sum(len(task["missing"] or ()) for task in document["predictions"]["tasks"])
    shown = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count and name != "total")
    out.print(f"{counts['total']:,} instances: {shown}" + (f" ({missing:,} without a prediction)" if missing else ""))
    if document["partial"]:
        out.print("Partial: only a part of the benchmark is scored; the rest counts as 0 below.")
    print_verdict(out, document)
    if document["partial"]:
        out.print("Over the scored tasks alone:")
        print_levels(out, document["level_asked"], own=is_own(document))
    print_tasks(out, document["tasks"])
    out.print(f"workbook: {workbook}", soft_wrap=True)
