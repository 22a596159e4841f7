"""``genlevel show``: a stored run's result, its groups of tasks, its failures or one instance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from genlevel.cli.answer_text import print_instances
from genlevel.cli.card import print_card
from genlevel.cli.failures import failed_answers, failure_lines, print_failures
from genlevel.cli.options import json_option, need_run_folder, out_option, print_json, run_async, settings_of, shown_option, task_option
from genlevel.cli.printing import console, note, table
from genlevel.cli.search import found_answers, print_found
from genlevel.cli.wrong import print_wrong_answers, wrong_answers
from genlevel.connection.services import progress_of, stored, verdict_of
from genlevel.documents.answers import ScoredAnswers, key_of
from genlevel.documents.decision_words import early_note
from genlevel.documents.runs import has_outcomes, result_document
from genlevel.documents.words import harmless, number
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from typing import Unpack

    from genlevel.runtime.documents import Document
    from genlevel.runtime.settings import Settings


class _Options(TypedDict):
    failures: bool
    wrong: bool
    instance: str | None
    search: str | None
    by: str | None
    traffic: bool
    task: str
    sort: str
    limit: int
    out: Path
    as_json: bool


_GROUPS = ["skill", "domain", "capability", "modality", "paradigm"]


@click.command("show")
@click.argument("run")
@click.option("--failures", is_flag=True, help="Instances that were refused, failed, unsupported or unparsable, and why.")
@click.option("--wrong", is_flag=True, help="Answers that are less than right, beside their labels, the worst of each task first.")
@click.option("--instance", metavar="ID", help="One instance: what was asked, answered, read and expected (ID or TASK/ID).")
@click.option("--search", metavar="TEXT", help="Answers that have a text, in any case, or whose question, error or id has it.")
@click.option("--by", type=click.Choice(_GROUPS), help="Where its points come from: mean score, support and wins of each group of tasks.")
@click.option("--traffic", is_flag=True, help="What its calls were like over time: rates, limits, rejections, waits.")
@task_option
@click.option("--sort", type=click.Choice(["score", "id"]), default="score", show_default=True, help="Order of --wrong within a task.")
@shown_option
@out_option
@json_option
@click.pass_context
def show(ctx: click.Context, /, run: str, **options: Unpack[_Options]) -> None:
    """Show RUN as its level card, by groups of tasks, its failures, wrong answers, one instance, answers with a text, or its traffic."""
    check_views(ctx, options)
    settings = settings_of(ctx)
    need_run_folder(settings, options["out"])
    if options["traffic"]:
        _show_traffic(settings, run, options)
        return

    async def work() -> Document | list[Document]:
        async with stored(settings, options["out"]) as found:
            if options["instance"]:
                request = ev.ListAnswersRequest(run_id=run, instance=options["instance"])
                answers = sorted(
                    [answer async for answer in found.evaluator.list_answers(request)], key=lambda one: (one.task, key_of(one))
                )
                return await ScoredAnswers(found.scorer).few(answers)
            if options["failures"] and not options["as_json"]:
                return await failure_lines(found, run)
            if options["search"] is not None:
                return await found_answers(found, run, options["search"], options["task"], options["limit"])
            known = (await found.evaluator.get_run(ev.GetRunRequest(run_id=run))).run
            if options["failures"]:
                return await failed_answers(found, known.run_id)
            if options["wrong"]:
                return await wrong_answers(found, known, options["task"], options["limit"], by_score=options["sort"] == "score")
            verdict = await verdict_of(found, known.run_id)
            if known.status == ev.RUN_STATUS_RUNNING and (waits := (await progress_of(found.evaluator, known.run_id)).waits_for):
                note(harmless(f"the run waits for {waits}"))
            by = options["by"]
            if by and (said := early_note(known)):
                note(said)
            return _breakdown(known, verdict, by) if by else result_document(known, verdict)

    document = run_async(work())
    if options["as_json"]:
        print_json(document)
    elif isinstance(document, list):
        (print_failures if options["failures"] else print_instances)(document)
    elif options["by"]:
        _print_breakdown(document)
    elif options["wrong"]:
        print_wrong_answers(document)
    elif options["search"] is not None:
        print_found(document)
    else:
        print_card(document, {})


def check_views(ctx: click.Context, options: _Options) -> None:
    """Raises click.UsageError for several views, or an option that goes with another one."""
    views = [name for name in ("by", "failures", "wrong", "instance", "search", "traffic") if options[name] not in (None, False)]
    if len(views) > 1:
        raise click.UsageError("--by, --failures, --wrong, --instance, --search and --traffic are different views: give one")
    goes_with = {"task": ("wrong", "search"), "sort": ("wrong",), "limit": ("wrong", "search")}
    for name, others in goes_with.items():
        if not set(others) & set(views) and ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name} goes with {' or '.join(f'--{other}' for other in others)}")


def _show_traffic(settings: Settings, run: str, options: _Options) -> None:
    from genlevel.cli.traffic import print_traffic, traffic_of_run
    from genlevel.documents.traffic import traffic_document

    known = run_async(traffic_of_run(settings, options["out"], run))
    if options["as_json"]:
        print_json(traffic_document(*known))
    else:
        print_traffic(*known)


def _breakdown(run: ev.Run, verdict: sc.GetVerdictResponse, by: str) -> Document:
    from scorer.levels.breakdown import GroupBy, break_down, breakdown_json
    from scorer.reports.documents import references_of
    from scorer.reports.run_results import run_results

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
        "references": references_of(verdict),
        "by": by,
        "groups": breakdown_json(break_down(known.results, GroupBy(by), known.asked), GroupBy(by)),
    }


def _print_breakdown(document: Document) -> None:
    by = document["by"]
    out = console()
    out.print(harmless(f"{document['model']} on {document['suite']}, by {by}"), style="bold")
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
