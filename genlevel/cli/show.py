"""``genlevel show``: a stored run's result, its groups of tasks, its failures or one instance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from genlevel.cli.answers import ScoredAnswers
from genlevel.cli.card import print_card
from genlevel.cli.connection import Stored, stored, verdict_of
from genlevel.cli.documents import has_outcomes, result_document
from genlevel.cli.options import json_option, need_run_folder, out_option, print_json, run_async, settings_of
from genlevel.cli.printing import console, number, say, table
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from typing import Unpack

    from genlevel.runtime.documents import Document


class _Which(TypedDict, total=False):
    outcomes: Sequence[sc.Outcome]
    judge_failures: bool
    within: Sequence[ev.TaskInstances]


_GROUPS = ["skill", "domain", "capability", "modality", "paradigm"]


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

    async def work() -> Document | list[Document]:
        async with stored(settings, out) as found:
            if instance:
                request = ev.ListAnswersRequest(run_id=run, instance=instance)
                return await ScoredAnswers(found.scorer).few([answer async for answer in found.evaluator.list_answers(request)])
            known = (await found.evaluator.get_run(ev.GetRunRequest(run_id=run))).run
            if failures:
                return await _failures(found, known, scored=as_json)
            verdict = await verdict_of(found, known.run_id)
            return _breakdown(known, verdict, by) if by else result_document(known, verdict)

    document = run_async(work())
    if as_json:
        print_json(document)
    elif isinstance(document, list):
        (_print_failures if failures else _print_instances)(document)
    elif by:
        _print_breakdown(document)
    else:
        print_card(document, {})


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


async def _failures(found: Stored, run: ev.Run, *, scored: bool) -> list[Document]:
    """Refused, failed and unsupported instances, those that the judge failed on, and those that the scorer could not read.

    scored: with their scores, for which all scores of their tasks are read.
    """

    async def listed(**which: Unpack[_Which]) -> list[ev.ListAnswersResponse]:
        return [answer async for answer in found.evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id, **which))]

    open_ones = await listed(outcomes=[sc.OUTCOME_REFUSED, sc.OUTCOME_FAILED, sc.OUTCOME_UNSUPPORTED])
    not_judged = await listed(judge_failures=True) if run.judging.failed else []
    scores = (await verdict_of(found, run.run_id)).tasks
    unread = [ev.TaskInstances(task=score.task.key, ids=score.unparsable_ids) for score in scores if score.unparsable_ids]
    not_read = await listed(within=unread) if unread else []
    answers = ScoredAnswers(found.scorer, run.run_id)
    if scored:
        entries = await answers.few([*open_ones, *not_judged, *not_read])
    else:
        entries = [answers.unscored(one) for one in (*open_ones, *not_judged)]
        entries += [answers.unscored(one, unparsable=True) for one in not_read]
    for entry in entries[len(open_ones) : len(open_ones) + len(not_judged)]:
        entry |= {"outcome": "not judged", "error": entry["ratings"][0]["error"]}
    return entries


def _print_breakdown(document: Document) -> None:
    by = document["by"]
    out = console()
    out.print(f"{document['model']} on {document['suite']}, by {by}", style="bold")
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


def _print_instances(entries: list[Document]) -> None:
    for entry in entries:
        say(f"{entry['task']}/{entry['id']}: {entry['outcome']}" + (f" ({entry['error']})" if entry["error"] else ""))
        cost = "cost unknown" if entry["usd"] is None else f"${entry['usd']:.6f}"
        tokens = f"{entry['input_tokens']} tokens in, {entry['output_tokens']} out"
        say(f"attempts {entry['attempts']}, {tokens}, {entry['upstream_s']:.2f} s, {cost}")
        for path in entry["media"]:
            say(f"media: {path}")
        say(f"\n--- asked\n{entry['prompt'] or '(the suite is no longer where it was)'}")
        say("\n--- answered")
        for file in entry["files"]:
            say(f"file: {file['path']}" if "path" in file else f"file: {file['sha256']} in the blob store, {file['bytes']:,} bytes")
        if entry["answer"] or not entry["files"]:
            say(entry["answer"])
        say(f"\n--- label\n{json.dumps(entry['label'], ensure_ascii=False)}\n")
        for rating in entry["ratings"]:
            by = f"{rating['judge']} (prompt {rating['prompt_version']})" if rating["judge"] else rating["rater"]
            given = f"{rating['rating']:g}" if rating["rating"] is not None else rating["error"] or "not yet"
            say(f"rated by {by}: {given}")


def _print_failures(entries: list[Document]) -> None:
    if not entries:
        say("no failures")
    for entry in entries:
        say(" ".join(f"{entry['outcome']:11} {entry['task']}/{entry['id']}: {entry['error']}".splitlines()))
