"""``genlevel export``: a run in forms that other programs take."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genlevel.cli.connection import Services, services, verdict_of
from genlevel.cli.options import harmless, need_run_folder, out_option, run_async, settings_of
from genlevel.runtime.errors import StorageError, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.cli.exported import ExportedTasks

_CSV_FIELDS = (
    *("task", "id", "outcome", "answer", "parsed", "label", "score", "error"),
    *("attempts", "input_tokens", "output_tokens", "usd", "upstream_s"),
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_NAMED = 5
_LISTED = 20


@click.command("export")
@click.argument("run")
@click.option("--format", "form", type=click.Choice(["workbook", "predictions", "csv", "json"]), required=True)
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="File to write; for predictions a folder.")
@click.option("--bare", is_flag=True, help="Predictions as the bare list that the official scorer reads, without an envelope.")
@click.option("--raw", is_flag=True, help="Predictions as the model's own words, not as the answers that were read in them.")
@out_option
@click.pass_context
def export(ctx: click.Context, /, **options: Any) -> None:
    """Write RUN in another form.

    workbook: its scores as a result workbook that the official ranker takes. predictions: a folder of the suite's layout with a
    prediction.json for each task, in the closed-set submission form; a prediction is the answer that was read, written as the task's
    labels are (a letter, an index or an option's text, as the official scorer compares them), or the model's own words where none could be
    read; media are files beside it. csv: a row an instance, with the answer that was read and the label in one form, and its score; a text
    that a spreadsheet would run as a formula begins with an apostrophe. json: the result as `genlevel show --json` prints it.
    """
    settings = settings_of(ctx)
    need_run_folder(settings, options["out"])
    for flag in ("bare", "raw"):
        if options[flag] and options["form"] != "predictions":
            raise UsageError(f"--{flag} goes with --format predictions")

    async def work() -> str:
        async with services(settings, options["out"], reading=True) as found:
            run = (await found.evaluator.get_run(ev.GetRunRequest(run_id=options["run"]))).run
            try:
                return await _write(found, run, settings, options)
            except OSError as error:
                raise StorageError(f"{options['target']}: cannot be written ({error.strerror or error})") from None

    click.echo(run_async(work()))


async def _write(found: Services, run: ev.Run, settings: Any, options: Mapping[str, Any]) -> str:
    """Writes the run; returns what was written, in one line."""
    form, target = options["form"], options["target"]
    if form == "predictions":
        return await _predictions(found, run, settings, options)
    target.parent.mkdir(parents=True, exist_ok=True)
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
    from scorer.workbooks.writer import write_workbook

    benchmark = load_benchmark(run.benchmark)
    if benchmark is None:
        raise UsageError(f"run {run.run_id} is over {run.benchmark!r}, a suite of your own: its workbook has no official layout")
    by_name = {(task.sheet, task.name): task.id for task in benchmark.tasks}
    scored = {
        by_name[score.task.sheet, score.task.name]: score
        for score in verdict.tasks
        if score.HasField("score") and (score.task.sheet, score.task.name) in by_name
    }
    values = {task_id: score.score for task_id, score in scored.items()}
    instances = {task_id: score.counts.total for task_id, score in scored.items()}
    write_workbook(target, benchmark, run.specification.model, values, instances)
    return f"{target}: {len(values)} scores of {len(benchmark.tasks)} tasks"


async def _predictions(found: Services, run: ev.Run, settings: Any, options: Mapping[str, Any]) -> str:
    from genlevel.cli.exported import ExportedTasks, MediaFiles, envelope_of

    target: Path = options["target"]
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target}: name a new or empty folder; what is there is not written over")
    answers: dict[str, dict[str, ev.ListAnswersResponse]] = {}
    left_out: dict[str, list[str]] = {}
    async for answer in found.evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id)):
        if answer.outcome == sc.OUTCOME_ANSWERED:
            answers.setdefault(answer.task, {})[answer.instance_id] = answer
        else:
            name = sc.Outcome.Name(answer.outcome).removeprefix("OUTCOME_").lower()
            left_out.setdefault(name, []).append(f"{answer.task}/{answer.instance_id}")
    tasks = ExportedTasks(run)
    media = MediaFiles(settings.storage.blobs or options["out"] / "blobs")
    unread: list[str] = []
    unknown: list[str] = []
    for key, given in answers.items():
        task = None if options["raw"] else tasks.get(key)
        if task is None and not options["raw"]:
            unknown.append(key)
        folder = target / key
        folder.mkdir(parents=True)
        entries = []
        for one in given.values() if task is None else task.ordered(given):
            files = media.write(folder, one)
            prediction = None if task is None else task.prediction(one, files)
            if prediction is None and task is not None:
                unread.append(f"{key}/{one.instance_id}")
            words = (files[0] if len(files) == 1 else list(files)) if files and not one.raw_answer else one.raw_answer
            entries.append({"id": one.instance_id, "prediction": words if prediction is None else prediction})
        document = entries if options["bare"] else {**envelope_of(key, task or tasks.get(key)), "data": entries}
        (folder / "prediction.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for note in _lacking(run, tasks, {key: len(given) for key, given in answers.items()}) if run.partial else ():
        click.echo(f"note: {note}", err=True)
    count = sum(len(given) for given in answers.values())
    said = [f"{target}: {count:,} predictions of {len(answers)} tasks"]
    if unknown:
        said.append(f"as the model's own words in {_some(unknown)}, since the suite is not where it was ({run.specification.suite})")
    if unread:
        said.append(f"no answer could be read in {len(unread):,}, which are the model's own words ({_some(unread)})")
    if run.counts.pending:
        said.append(f"left out: {run.counts.pending:,} pending")
    said += [f"left out: {len(ids):,} {name} ({_some(ids)})" for name, ids in sorted(left_out.items())]
    return "; ".join(said)


def _lacking(run: ev.Run, tasks: ExportedTasks, counts: Mapping[str, int]) -> list[str]:
    """What predictions of a partial run do not cover, a line each: whoever scores the folder counts it as wrong. counts: by task."""
    if not tasks:
        where = run.specification.suite
        return [f"run {run.run_id} is partial; how many predictions its tasks lack is not known, since the suite is not at {where}"]
    sizes = tasks.sizes()
    lacking = {key: size - counts.get(key, 0) for key, size in sizes.items() if counts.get(key, 0) < size}
    if not lacking:
        return []
    whole = f"{sum(lacking.values()):,} of the suite's {sum(sizes.values()):,} instances have no prediction"
    lines = [f"run {run.run_id} is partial: {whole}, and count as wrong or unsupported where the folder is scored without --only-predicted"]
    lines += [f"{harmless(key)} lacks {lacking[key]:,} of {sizes[key]:,} predictions" for key in list(lacking)[:_LISTED]]
    if len(lacking) > _LISTED:
        lines.append(f"and {len(lacking) - _LISTED:,} more tasks lack predictions")
    return lines


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(harmless(name) for name in names[:_NAMED]) + more


async def _csv(found: Services, run: ev.Run, target: Path) -> str:
    from genlevel.cli.exported import ExportedTasks, ReadAnswers

    tasks = ExportedTasks(run)
    answers = ReadAnswers(found.scorer, run, tasks)
    count = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _CSV_FIELDS, extrasaction="ignore")
        writer.writeheader()
        async for answer in found.evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id)):
            task = tasks.get(answer.task)
            entry = await answers.entry(answer)
            known: dict[str, str | None] = {"label": None}
            if task is not None:
                known = {"parsed": "" if entry["outcome"] == "unparsable" else task.parsed(answer), "label": task.label(answer)}
            writer.writerow({name: as_text(value) for name, value in {**entry, **known}.items()})
            count += 1
    return f"{target}: {count:,} instances" + ("" if tasks else f"; without labels, since the suite is not at {run.specification.suite}")


def as_text(value: Any) -> Any:
    """The value for a cell: a text that spreadsheets would run as a formula gets an apostrophe before it, numbers are left as they are."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
