"""``genlevel runs``, ``show`` and ``rescore``: what was run, looked at again without asking a model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genlevel.cli.connection import Services, services, verdict_of
from genlevel.cli.options import (
    Dollars,
    harmless,
    json_option,
    judge_option,
    need_run_folder,
    out_option,
    print_json,
    ratings_option,
    run_async,
    settings_of,
)
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.cli.exported import ReadAnswers

NANO = 1_000_000_000
_GROUPS = ["skill", "domain", "capability", "modality", "paradigm"]


@click.command("runs")
@out_option
@json_option
@click.pass_context
def runs(ctx: click.Context, out: Path, as_json: bool) -> None:
    """List runs, the newest first."""
    settings = settings_of(ctx)
    need_run_folder(settings, out)

    async def work() -> list[dict[str, Any]]:
        async with services(settings, out, reading=True) as found:
            return [_run_entry(run) for run in (await found.evaluator.list_runs(ev.ListRunsRequest())).runs]

    entries = run_async(work())
    if as_json:
        print_json(entries)
        return
    if not entries:
        click.echo(f"no runs yet {'in the configured storage' if settings.addresses.evaluator or settings.storage.url else f'in {out}'}")
        return
    from genlevel.cli.card import console, table

    rows = table("run", "model", "suite", "status", ">done", ">failed", ">total", ">US$", "started")
    for entry in entries:
        none = "unknown" if entry["unknown_costs"] else "-"
        cost = none if entry["usd"] is None else f"{'over ' if entry['unknown_costs'] else ''}{entry['usd']:.4f}"
        done = entry["total"] - entry["pending"]
        started = entry["created"][:16].replace("T", " ")
        counts = (f"{count:,}" for count in (done, entry["failed"], entry["total"]))
        rows.add_row(entry["run"], entry["model"], entry["suite"], entry["status"], *counts, cost, started)
    console().print(rows)


@click.command("rescore")
@click.argument("run")
@ratings_option
@judge_option
@click.option(
    "--budget-usd", type=Dollars(), metavar="X", help="With --judge: the run may not have cost more than this, its answers included."
)
@click.option("--unpriced-ok", is_flag=True, help="With --judge: go on although the judge's price is not known.")
@out_option
@json_option
@click.pass_context
def rescore(ctx: click.Context, /, run: str, **options: Any) -> None:
    """Parse and score the answers of RUN again, with the parsers and metrics of now. Never asks the run's model.

    With --ratings, people's ratings are kept with the run first. With --judge, a judge model rates what it has not rated yet (or has failed
    on); without it no model is called at all, and the judgements that are there count.
    """
    out, judge = options["out"], options["judge"]
    settings = settings_of(ctx)
    need_run_folder(settings, out)
    if not judge and (options["budget_usd"] is not None or options["unpriced_ok"]):
        raise UsageError("--budget-usd and --unpriced-ok go with --judge: rescoring alone calls no model")
    request = ev.RescoreRunRequest(run_id=run, ratings=_written_ratings(options["ratings"]))

    async def work() -> tuple[int, dict[str, Any] | None]:
        async with services(settings, out) as found:
            for problem in (await found.evaluator.rescore_run(request)).problems:
                click.echo(f"note: {problem}", err=True)
            if not judge:
                return 0, await _result(found, run)
            from genlevel.cli.evaluate import drive

            start = ev.StartRunRequest(run_id=run, judge=judge, judge_only=True, retry_failed=True)
            if options["budget_usd"] is not None or options["unpriced_ok"]:
                start.traffic.CopyFrom(ev.TrafficSettings(budget_nano_usd=options["budget_usd"], unpriced_ok=options["unpriced_ok"]))
            return await drive(found, start, settings, out, as_json=options["as_json"]), None

    code, document = run_async(work())
    if document is not None:
        _print_result(document, as_json=options["as_json"])
    ctx.exit(code)


def _written_ratings(files: Sequence[Path]) -> list[ev.WrittenRating]:
    from genlevel.benchmark.ratings import read_ratings

    return [
        ev.WrittenRating(task=row.task, instance=row.instance, rater=row.rater, rating=row.rating, where=row.where)
        for file in files
        for row in read_ratings(file)
    ]


@click.command("show")
@click.argument("run")
@click.option("--failures", is_flag=True, help="Instances that were refused, failed, unsupported or unparsable, and why.")
@click.option("--instance", metavar="ID", help="One instance: what was asked, answered and expected (ID or TASK/ID).")
@click.option("--by", type=click.Choice(_GROUPS), help="Where its points come from: mean score, support and wins of each group of tasks.")
@out_option
@json_option
@click.pass_context
def show(ctx: click.Context, run: str, *, failures: bool, instance: str | None, by: str | None, out: Path, as_json: bool) -> None:
    """Show the result of RUN as its level card, by groups of tasks, its failures, or one instance."""
    if (failures, instance is not None, by is not None).count(True) > 1:
        raise click.UsageError("--by, --failures and --instance are three different views: give one")
    settings = settings_of(ctx)
    need_run_folder(settings, out)

    async def work() -> Any:
        async with services(settings, out, reading=True) as found:
            if instance:
                known = (await found.evaluator.get_run(ev.GetRunRequest(run_id=run))).run
                return await _instances(found, _reader(found, known), ev.ListAnswersRequest(run_id=known.run_id, instance=instance))
            if failures:
                return await _failures(found, run)
            if by:
                return await _breakdown(found, run, by)
            return await _result(found, run)

    document = run_async(work())
    if by:
        if as_json:
            print_json(document)
        else:
            _print_breakdown(document)
        return
    if failures or instance:
        if as_json:
            print_json(document)
        elif instance:
            _print_instances(document)
        else:
            _print_failures(document)
        return
    _print_result(document, as_json=as_json)


async def _result(found: Services, run_id: str) -> dict[str, Any]:
    from genlevel.cli.documents import result_document

    run = (await found.evaluator.get_run(ev.GetRunRequest(run_id=run_id))).run
    return result_document(run, await verdict_of(found, run.run_id))


async def _breakdown(found: Services, run_id: str, by: str) -> dict[str, Any]:
    from genlevel.cli.documents import has_outcomes
    from scorer.levels.breakdown import GroupBy, break_down, breakdown_json
    from scorer.reports.run_results import run_results

    run = (await found.evaluator.get_run(ev.GetRunRequest(run_id=run_id))).run
    verdict = await verdict_of(found, run.run_id)
    if not verdict.tasks or not has_outcomes(run):
        raise UsageError(f"run {run.run_id} has no scored task yet")
    known = run_results(verdict)
    return {
        "run": run.run_id,
        "model": run.specification.model,
        "suite": run.suite,
        "benchmark": run.benchmark,
        "partial": run.partial,
        "incomplete": verdict.incomplete,
        "references": verdict.references,
        "by": by,
        "groups": breakdown_json(break_down(known.results, GroupBy(by), known.asked), GroupBy(by)),
    }


async def _failures(found: Services, run_id: str) -> list[dict[str, Any]]:
    """Refused, failed and unsupported instances, those that the judge failed on, and those that the scorer could not read."""
    run = (await found.evaluator.get_run(ev.GetRunRequest(run_id=run_id))).run
    outcomes = [sc.OUTCOME_REFUSED, sc.OUTCOME_FAILED, sc.OUTCOME_UNSUPPORTED]
    reader = _reader(found, run)
    entries = await _instances(found, reader, ev.ListAnswersRequest(run_id=run.run_id, outcomes=outcomes))
    if run.judging.failed:
        for entry in await _instances(found, reader, ev.ListAnswersRequest(run_id=run.run_id, judge_failures=True)):
            entries.append({**entry, "outcome": "not judged", "error": entry["ratings"][0]["error"]})
    verdict = await verdict_of(found, run.run_id)
    for score in verdict.tasks:
        for instance_id in score.unparsable_ids:
            request = ev.ListAnswersRequest(run_id=run.run_id, instance=f"{score.task.key}/{instance_id}")
            entries += await _instances(found, reader, request)
    return entries


def _reader(found: Services, run: ev.Run) -> ReadAnswers:
    from genlevel.cli.exported import ExportedTasks, ReadAnswers

    return ReadAnswers(found.scorer, run, ExportedTasks(run))


async def _instances(found: Services, reader: ReadAnswers, request: ev.ListAnswersRequest) -> list[dict[str, Any]]:
    """The answers that are asked for, with what the scorer made of them."""
    return [await reader.entry(answer) async for answer in found.evaluator.list_answers(request)]


def _run_entry(run: ev.Run) -> dict[str, Any]:
    from genlevel.cli.documents import status_name

    return {
        "run": run.run_id,
        "model": run.specification.model,
        "suite": run.suite,
        "benchmark": run.benchmark,
        "partial": run.partial,
        "status": status_name(run.status),
        "reason": run.reason,
        "total": run.counts.total,
        "pending": run.counts.pending,
        "failed": run.counts.failed,
        "usd": run.cost_nano_usd / NANO if run.HasField("cost_nano_usd") else None,
        "unknown_costs": run.unknown_costs,
        "created": run.created.ToJsonString(),
        "updated": run.updated.ToJsonString(),
    }


def answer_entry(answer: ev.ListAnswersResponse) -> dict[str, Any]:
    """One journalled answer as JSON."""
    return {
        "task": answer.task,
        "id": answer.instance_id,
        "outcome": sc.Outcome.Name(answer.outcome).removeprefix("OUTCOME_").lower(),
        "error": answer.error,
        "prompt": answer.prompt or None,
        "media": list(answer.media),
        "answer": answer.raw_answer,
        "files": [_file_entry(file) for file in answer.files],
        "label": json.loads(answer.label_json) if answer.label_json else None,
        "attempts": answer.attempts,
        "input_tokens": answer.usage.input_tokens + answer.usage.cache_read_tokens + answer.usage.cache_write_tokens,
        "output_tokens": answer.usage.output_tokens + answer.usage.reasoning_tokens,
        "usd": answer.cost_nano_usd / NANO if answer.HasField("cost_nano_usd") else None,
        "upstream_s": answer.upstream_s,
        "ratings": [_rating_entry(rating) for rating in answer.ratings],
    }


def _rating_entry(rating: ev.AnswerRating) -> dict[str, Any]:
    """One rating as JSON: of a judge or of a person (rater)."""
    return {
        "judge": rating.judge or None,
        "prompt_version": rating.prompt_version or None,
        "rater": rating.rater or None,
        "rating": rating.rating if rating.HasField("rating") else None,
        "error": rating.error or None,
        "reply": rating.reply or None,
    }


def _file_entry(file: sc.File) -> dict[str, Any]:
    """Where a file of an answer lies: its path on the evaluator's machine, or its hash in the blob store."""
    return {"path": file.path} if file.WhichOneof("source") == "path" else {"sha256": file.blob.sha256, "bytes": file.blob.size_bytes}


def _print_result(document: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    from genlevel.cli.card import print_card

    print_card(document, {})


def _print_breakdown(document: dict[str, Any]) -> None:
    from rich.text import Text

    from genlevel.cli.card import console, number, table

    by = document["by"]
    out = console()
    out.print(Text(f"{document['model']} on {document['suite']}, by {by}", style="bold"))
    shown = [group for group in document["groups"] if group["asked"]]
    ids = ["id"] if by == "skill" else []
    rows = table(*ids, by, ">mean sigma", ">of those asked", ">wins", ">supported", ">asked", ">tasks")
    for group in shown:
        counts = (str(group[key]) for key in ("wins", "supported", "asked", "tasks"))
        rows.add_row(*(group[key] for key in ids), group[by], number(group["mean_sigma"]), number(group["mean_sigma_asked"]), *counts)
    out.print(rows)
    if left_out := len(document["groups"]) - len(shown):
        out.print(f"{left_out} of {len(document['groups'])} groups were not asked at all (--json has them too).")
    if document["incomplete"]:
        out.print("Incomplete: tasks with failed or pending instances have no score yet; the means are lower bounds.")


def _print_instances(entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        _say(f"{entry['task']}/{entry['id']}: {entry['outcome']}" + (f" ({entry['error']})" if entry["error"] else ""))
        cost = "cost unknown" if entry["usd"] is None else f"${entry['usd']:.6f}"
        tokens = f"{entry['input_tokens']} tokens in, {entry['output_tokens']} out"
        _say(f"attempts {entry['attempts']}, {tokens}, {entry['upstream_s']:.2f} s, {cost}")
        for path in entry["media"]:
            _say(f"media: {path}")
        _say(f"\n--- asked\n{entry['prompt'] or '(the suite is no longer where it was)'}")
        _say("\n--- answered")
        for file in entry["files"]:
            _say(f"file: {file['path']}" if "path" in file else f"file: {file['sha256']} in the blob store, {file['bytes']:,} bytes")
        if entry["answer"] or not entry["files"]:
            _say(entry["answer"])
        _say(f"\n--- label\n{json.dumps(entry['label'], ensure_ascii=False)}\n")
        for rating in entry["ratings"]:
            by = f"{rating['judge']} (prompt {rating['prompt_version']})" if rating["judge"] else rating["rater"]
            given = f"{rating['rating']:g}" if rating["rating"] is not None else rating["error"] or "not yet"
            _say(f"rated by {by}: {given}")


def _print_failures(entries: list[dict[str, Any]]) -> None:
    if not entries:
        _say("no failures")
    for entry in entries:
        _say(" ".join(f"{entry['outcome']:11} {entry['task']}/{entry['id']}: {entry['error']}".splitlines()))


def _say(text: str) -> None:
    click.echo(harmless(text))
