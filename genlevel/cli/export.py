"""``genlevel export``: a run in forms that other programs take."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import click

from genlevel.cli.connection import Services, services, verdict_of
from genlevel.cli.options import need_run_folder, out_option, run_async, settings_of
from genlevel.runtime.errors import StorageError, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

_CSV_FIELDS = ("task", "id", "outcome", "answer", "error", "attempts", "input_tokens", "output_tokens", "usd", "upstream_s")


@click.command("export")
@click.argument("run")
@click.option("--format", "form", type=click.Choice(["workbook", "predictions", "csv", "json"]), required=True)
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="File to write; for predictions a folder.")
@click.option("--bare", is_flag=True, help="Predictions as the bare list that the official scorer reads, without an envelope.")
@out_option
@click.pass_context
def export(ctx: click.Context, /, **options: Any) -> None:
    """Write RUN in another form.

    workbook: its scores as a result workbook that the official ranker takes. predictions: a folder of the suite's layout with a
    prediction.json for each task, in the closed-set submission form; a prediction is the model's answer as it came. csv: a row an
    instance. json: the result as `genlevel show --json` prints it.
    """
    settings = settings_of(ctx)
    need_run_folder(settings, options["out"])
    if options["bare"] and options["form"] != "predictions":
        raise UsageError("--bare goes with --format predictions")

    async def work() -> str:
        async with services(settings, options["out"]) as found:
            run = (await found.evaluator.get_run(ev.GetRunRequest(run_id=options["run"]))).run
            try:
                return await _write(found, run, options["form"], options["target"], bare=options["bare"])
            except OSError as error:
                raise StorageError(f"{options['target']}: cannot be written ({error.strerror or error})") from None

    click.echo(run_async(work()))


async def _write(found: Services, run: ev.Run, form: str, target: Path, *, bare: bool) -> str:
    """Writes the run; returns what was written, in one line."""
    if form == "predictions":
        return await _predictions(found, run, target, bare=bare)
    if form == "csv":
        return await _csv(found, run, target)
    verdict = await verdict_of(found, run.run_id)
    if form == "workbook":
        return _workbook(run, verdict, target)
    from genlevel.cli.documents import result_document

    document = result_document(run, verdict)
    target.write_text(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return f"{target}: the result of run {run.run_id}"


def _workbook(run: ev.Run, verdict: sc.GetVerdictResponse, target: Path) -> str:
    from genlevel.benchmark.suites import load_benchmark
    from scorer.workbook_writer import write_workbook

    benchmark = load_benchmark(run.benchmark)
    if benchmark is None:
        raise UsageError(f"run {run.run_id} is over {run.benchmark!r}, a suite of your own: its workbook has no official layout")
    by_name = {(task.sheet, task.name): task.id for task in benchmark.tasks}
    values = {
        by_name[score.task.sheet, score.task.name]: score.score
        for score in verdict.tasks
        if score.HasField("score") and (score.task.sheet, score.task.name) in by_name
    }
    write_workbook(target, benchmark, run.specification.model, values)
    return f"{target}: {len(values)} scores of {len(benchmark.tasks)} tasks"


async def _predictions(found: Services, run: ev.Run, target: Path, *, bare: bool) -> str:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target}: name a new or empty folder; what is there is not written over")
    tasks: dict[str, list[dict[str, str]]] = {}
    outcomes = [sc.OUTCOME_ANSWERED]
    async for answer in found.evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id, outcomes=outcomes)):
        tasks.setdefault(answer.task, []).append({"id": answer.instance_id, "prediction": answer.raw_answer})
    names = {score.task.key: score.task.name for score in (await verdict_of(found, run.run_id)).tasks}
    for key, entries in tasks.items():
        folder = target / key
        folder.mkdir(parents=True)
        document = entries if bare else {"task": names.get(key, key), "skill": "", "type": "", "data": entries}
        (folder / "prediction.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    count = sum(len(entries) for entries in tasks.values())
    return f"{target}: {count:,} predictions of {len(tasks)} tasks; instances without an answer are left out"


async def _csv(found: Services, run: ev.Run, target: Path) -> str:
    from genlevel.cli.runs import answer_entry

    count = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _CSV_FIELDS, extrasaction="ignore")
        writer.writeheader()
        async for answer in found.evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id)):
            writer.writerow(answer_entry(answer))
            count += 1
    return f"{target}: {count:,} instances"
