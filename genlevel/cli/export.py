"""``genlevel export``: a run in forms that other programs take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from genlevel.cli.options import need_run_folder, out_option, run_async, settings_of
from genlevel.cli.printing import note
from genlevel.cli.sent_suites import seen_suite
from genlevel.connection.services import Stored, stored, verdict_of
from genlevel.documents.decision_words import early_note
from genlevel.documents.runs import result_document
from genlevel.runtime.errors import StorageError, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from typing import Unpack

    from genlevel.runtime.documents import Document
    from genlevel.runtime.settings import Settings


class _Options(TypedDict):
    run: str
    form: str
    target: Path
    bare: bool
    raw: bool
    out: Path


@click.command("export")
@click.argument("run")
@click.option("--format", "form", type=click.Choice(["workbook", "predictions", "csv", "json", "bundle"]), required=True)
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="File to write; a folder for predictions and bundle.")
@click.option("--bare", is_flag=True, help="Predictions as the bare list that the official scorer reads, without an envelope.")
@click.option("--raw", is_flag=True, help="Predictions as the model's own words, not as the answers read from them.")
@out_option
@click.pass_context
def export(ctx: click.Context, /, **options: Unpack[_Options]) -> None:
    """Write RUN in another form.

    workbook: its scores as a result workbook that the official ranker takes.

    predictions: a folder of the suite's layout with a prediction.json for each task, in the closed-set submission form. A prediction is the
    answer that was read, written as the task's labels are (a letter, an index or an option's text), because the official scorer compares
    these. If no answer could be read, it is the model's own words. Of instances that were asked several times it is the first answer. Media
    are files beside it.

    csv: a row for each answer with the answer that was read, the label in the same form, and the score. A text that a spreadsheet would
    run as a formula begins with an apostrophe.

    json: the result as `genlevel show --json` prints it.

    bundle: a folder with the result and all answers as they came, from which `genlevel verify` and `genlevel merge` work on any machine.

    Each says what it rests on: json by its stamp, csv, predictions and bundle by the result.json beside them, a workbook by its
    description.
    """
    settings = settings_of(ctx)
    need_run_folder(settings, options["out"])
    for flag in ("bare", "raw"):
        if options[flag] and options["form"] != "predictions":
            raise UsageError(f"--{flag} goes with --format predictions")

    async def work() -> str:
        async with stored(settings, options["out"]) as found:
            run = (await found.evaluator.get_run(ev.GetRunRequest(run_id=options["run"]))).run
            run.specification.suite = seen_suite(settings, run.specification.suite)
            if options["form"] not in ("json", "bundle") and (said := early_note(run)):
                note(said)
            try:
                return await _write(found, run, settings, options)
            except OSError as error:
                raise StorageError(f"{options['target']}: cannot be written ({error.strerror or error})") from None

    click.echo(run_async(work()))


async def _write(found: Stored, run: ev.Run, settings: Settings, options: _Options) -> str:
    """Writes the run; returns what was written, in one line."""
    form, target = options["form"], options["target"]
    if form == "predictions":
        from genlevel.cli.export_predictions import Form, write_predictions

        blobs = settings.storage.blobs or options["out"] / "blobs"
        said = await write_predictions(found, run, target, Form(bare=options["bare"], raw=options["raw"], blobs=blobs))
        target.mkdir(exist_ok=True)  # of a run without answers nothing was written
        await _write_result(found, run, target / "result.json")
        return said
    if form == "bundle":
        from genlevel.cli.bundles import write_bundle

        document = result_document(run, await verdict_of(found, run.run_id))
        count = await write_bundle(found, run, document, target, settings.storage.blobs or options["out"] / "blobs")
        return f"{target}: the result of run {run.run_id} and {count:,} answers"
    target.parent.mkdir(parents=True, exist_ok=True)
    if form == "csv":
        from genlevel.cli.export_csv import write_csv

        said = await write_csv(found, run, target)
        await _write_result(found, run, target.with_name(f"{target.name}.result.json"))
        return said
    if form == "workbook":
        verdict = await verdict_of(found, run.run_id)
        return _workbook(run, verdict, target, result_document(run, verdict)["stamp"])
    await _write_result(found, run, target)
    return f"{target}: the result of run {run.run_id}"


async def _write_result(found: Stored, run: ev.Run, target: Path) -> None:
    """The result with its stamp: what else is exported is told apart by the one that lies beside it."""
    document = result_document(run, await verdict_of(found, run.run_id))
    target.write_text(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _workbook(run: ev.Run, verdict: sc.GetVerdictResponse, target: Path, stamp: Document) -> str:
    from genlevel.benchmark.suites import load_benchmark
    from scorer.workbooks.writer import write_workbook

    benchmark = load_benchmark(run.benchmark)
    if benchmark is None:
        raise UsageError(
            f"run {run.run_id} is on {run.benchmark!r}, a suite of your own; the official workbook layout is for General-Bench alone"
        )
    by_name = {(task.sheet, task.name): task.id for task in benchmark.tasks}
    scored = {
        by_name[score.task.sheet, score.task.name]: score
        for score in verdict.tasks
        if score.HasField("score") and (score.task.sheet, score.task.name) in by_name
    }
    values = {task_id: score.score for task_id, score in scored.items()}
    repeats = max(1, run.specification.repeats)
    instances = {task_id: score.counts.total // repeats for task_id, score in scored.items()}
    told = json.dumps(stamp, ensure_ascii=False)
    write_workbook(target, benchmark, run.specification.model, values, instances, repeats=repeats, stamp=told)
    return f"{target}: {len(values)} scores of {len(benchmark.tasks)} tasks"
