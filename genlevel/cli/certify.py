"""``genlevel certify``: what of a verdict is certain, at the error rate asked for, task by task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from genlevel.cli.options import (
    WHOLE_NUMBER,
    alpha_option,
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
from genlevel.connection.services import run_meant, stored
from genlevel.documents.decision_words import pointed_to
from genlevel.documents.decisions import decision_document, is_decided_early
from genlevel.documents.verdict_words import SPECIALISTS, certified_details, certified_line
from genlevel.documents.words import harmless, number, p_value, span
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from typing import Unpack

    from rich.console import Console

    from genlevel.runtime.documents import Document


class _Options(TypedDict):
    source: str
    model: str
    alpha: float
    bootstrap: int
    references: str
    reference_n: int | None
    out: Path
    as_json: bool


@click.command("certify")
@click.argument("source", metavar="FILE|RUN")
@model_option
@alpha_option("Error allowed.")
@click.option("--bootstrap", type=click.IntRange(0, 100_000), default=0, help="Draws for bootstrap intervals of a run's level scores.")
@references_option
@click.option(
    "--reference-n", type=WHOLE_NUMBER, help="Instances that each specialist was measured on (default: as many as the task list says)."
)
@out_option
@json_option
@click.pass_context
def certify(ctx: click.Context, /, **options: Unpack[_Options]) -> None:
    """Say what is certain of the verdict of a RUN, or of a result workbook FILE (.xlsx).

    Two readings, each with an error of at most --alpha that any of its claims is false: against the published scores, and against the
    specialists' own true scores, which the published ones measure. Each level is attained, not attained or undecided; each task has an
    interval, and a test or the reason why there is none. A workbook has no instances: their number is the one that genlevel kept in it,
    else the task list's, and they are taken as independent.
    """
    source = options["source"]
    unreferenced = frozenset[str]()
    if is_workbook(source):
        document = _of_workbook(options)
    else:
        run, verdict = _of_run(ctx, options)
        document = _run_document(run, verdict)
        unreferenced = frozenset(score.task.key for score in verdict.tasks if not score.HasField("reference"))
    if options["as_json"]:
        print_json(document)
    else:
        _print(document, unreferenced)


def _of_workbook(options: _Options) -> Document:
    from scorer.reports.certificates import certificate_json, certify_values
    from scorer.workbooks.results import workbook_results
    from scorer.workbooks.stamped import stamp_of

    column = column_of(options["model"])
    if options["bootstrap"]:
        raise UsageError("--bootstrap needs instances, and a workbook has none")
    found = workbook_results(options["source"], column, options["references"])
    if "decided_early" in stamp_of(options["source"]):
        raise UsageError(f"{options['source']} lacks tasks, as it is of a run that was decided early; certify the run itself")
    for warning in found.warnings:
        note(warning)
    certificates = certify_values(found.results, options["alpha"], options["reference_n"], found.instances)
    return {
        "model": found.model,
        "references": found.references.name,
        "certified": certificate_json(certificates.published),
        "certified_against_specialists": certificate_json(certificates.specialists),
    }


def _of_run(ctx: click.Context, options: _Options) -> tuple[ev.Run, sc.GetVerdictResponse]:
    settings = settings_of(ctx)
    need_run_folder(settings, options["out"])
    request = sc.GetVerdictRequest(
        references=options["references"],
        alpha=options["alpha"],
        bootstrap_draws=options["bootstrap"],
        reference_instances=options["reference_n"] or 0,
    )

    async def work() -> tuple[ev.Run, sc.GetVerdictResponse]:
        async with stored(settings, options["out"]) as found:
            run = await run_meant(found, options["source"])
            request.run_id = run.run_id
            return run, await found.scorer.get_verdict(request)

    run, verdict = run_async(work())
    check_model(verdict.run_id, verdict.model, options["model"])
    return run, verdict


def _run_document(run: ev.Run, verdict: sc.GetVerdictResponse) -> Document:
    """The decision of a run only as long as it stands in the place of a full run."""
    from scorer.reports.documents import references_of, verdict_certified_against_specialists_json, verdict_certified_json

    return {
        "run": verdict.run_id,
        "model": verdict.model,
        "suite": verdict.suite,
        "references": references_of(verdict),
        "certified": verdict_certified_json(verdict),
        "certified_against_specialists": verdict_certified_against_specialists_json(verdict),
        **({"decision": decision_document(run.decision)} if is_decided_early(run) else {}),
    }


def _print(document: Document, unreferenced: frozenset[str]) -> None:
    """unreferenced: keys of tasks without a specialist."""
    out = console()
    certified, against = document["certified"], document["certified_against_specialists"]
    referenced = document["references"] is not None
    out.print(harmless(document["model"]), style="bold")
    out.print(certified_line(certified, against, referenced=referenced), style="bold", soft_wrap=True)
    if (decision := document.get("decision")) is not None:
        out.print(pointed_to(decision), soft_wrap=True)
    for line in certified_details(certified, against, referenced=referenced):
        out.print(line, soft_wrap=True)
    if referenced:
        shares = certified["shares"]
        out.print(
            f"plan {certified['plan']}: of the error, {shares['wins']:.4g} is for wins over {certified['tests']} tasks,"
            f" {shares['lost_tasks'] + shares['lost_levels']:.4g} for what is not attained",
            soft_wrap=True,
        )
        out.print("above the published scores:")
    _print_levels(out, certified, referenced=referenced)
    _print_tasks(out, certified, unreferenced)
    if referenced:
        out.print(f"{SPECIALISTS}:")
        _print_levels(out, against, referenced=referenced)
        _print_tasks(out, against, unreferenced)
    lines = dict.fromkeys((*certified["notes"], *(against["notes"] if referenced else ())))
    for line in lines:
        out.print(f"note: {line}", soft_wrap=True)


def _print_levels(out: Console, certificate: Document, *, referenced: bool) -> None:
    levels = table("level", "", ">score", "interval", "bootstrap", ">p", ">needed")
    for level, entry in certificate["levels"].items():
        if level != "2" and not referenced:
            levels.add_row(level, *"------")
            continue
        needed = "-" if entry["needed"] is None else f"{entry['needed']:,}"
        figures = (number(entry["score"]), span(entry["interval"]), span(entry["bootstrap"]), p_value(entry["p_value"]), needed)
        levels.add_row(level, entry["status"], *figures)
    out.print(levels)


def _print_tasks(out: Console, certificate: Document, unreferenced: frozenset[str]) -> None:
    """A row a task, those nearest to a win first; at an interval that holds for many instances alone, and is no test, stands "about"."""
    tasks = table("task", ">units", "interval", ">above", "test", ">p", ">adjusted", "win")
    for entry in sorted(certificate["tasks"], key=lambda task: (task["p_win"] is None, task["p_win"] or 0.0, task["task"])):
        win = entry["win"] + (", discovered" if entry["discovered"] and entry["win"] != "attained" else "")
        if entry["obstacle"]:
            win = f"not certifiable: {entry['obstacle']}"
        win = "no reference" if entry["key"] in unreferenced or entry["reference"] is None else win
        interval = span(entry["interval"])
        if entry["asymptotic"] and entry["interval"]:
            interval = f"about {interval}"
        figures = (entry["test"] or "-", p_value(entry["p_win"]), p_value(entry["p_win_adjusted"]), win)
        tasks.add_row(entry["task"].strip(), f"{entry['units']:,}", interval, _bar(entry), *figures)
    out.print(tasks)


def _bar(entry: Document) -> str:
    """What a win has to be above: the specialist's score, with what it may truly be if that counts, or the best constant answer's."""
    bar = number(entry["reference"])
    if entry["reference_interval"]:
        bar = f"{bar} ({span(entry['reference_interval'])})"
    constant = entry["best_constant"]
    return f"{bar}; constant {number(constant)}" if constant is not None and constant > (entry["reference"] or 0.0) else bar
