"""``genlevel compare``: two runs of one suite, paired on the instances that both have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from genlevel.cli.differing import print_differing
from genlevel.cli.options import (
    alpha_option,
    json_option,
    need_run_folder,
    out_option,
    print_json,
    references_option,
    run_async,
    seed_option,
    settings_of,
    shown_option,
    task_option,
)
from genlevel.cli.printing import console, table
from genlevel.connection.services import run_meant, stored
from genlevel.documents.comparisons import biased, compared_document, left_out, other_contents
from genlevel.documents.decision_words import early_mark
from genlevel.documents.differing import differing
from genlevel.documents.words import harmless, number, p_value, signed
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from typing import Unpack

    from genlevel.runtime.documents import Document

_STATISTICS = frozenset(("alpha", "draws", "seed", "references"))
_OF_INSTANCES = frozenset(("task", "limit"))


class _Options(TypedDict):
    alpha: float
    draws: int
    seed: int
    references: str
    instances: bool
    task: str
    limit: int
    out: Path
    as_json: bool


@click.command("compare")
@click.argument("run_a")
@click.argument("run_b")
@alpha_option("Error of each interval.")
@click.option("--draws", type=click.IntRange(100, 100_000), default=2000, show_default=True, help="Bootstrap and permutation draws.")
@seed_option("Seed of the draws.")
@references_option
@click.option("--instances", is_flag=True, help="Instances on which one is better instead, with both answers and the label.")
@task_option
@shown_option
@out_option
@json_option
@click.pass_context
def compare(ctx: click.Context, /, run_a: str, run_b: str, **options: Unpack[_Options]) -> None:
    """Compare RUN_A with RUN_B, instance by instance: is one better, by how much, and which difference could have been found at all.

    Only instances that both runs have answered (or refused) are compared; the others are counted and shown. Differences are A minus B.
    """
    given = {name for name in options if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE}
    misplaced = given & (_STATISTICS if options["instances"] else _OF_INSTANCES)
    if misplaced:
        goes = "does not go with --instances" if options["instances"] else "goes with --instances"
        raise click.UsageError(f"--{min(misplaced)} {goes}")
    settings = settings_of(ctx)
    need_run_folder(settings, options["out"])

    async def work() -> Document:
        async with stored(settings, options["out"]) as found:
            if options["instances"]:
                return await differing(found, run_a, run_b, options["task"], options["limit"])
            one, other = await run_meant(found, run_a), await run_meant(found, run_b)
            request = sc.CompareRequest(
                run_a=one.run_id,
                run_b=other.run_id,
                alpha=options["alpha"],
                draws=options["draws"],
                seed=options["seed"],
                references=options["references"],
            )
            return compared_document(await found.scorer.compare(request), early_mark(one), early_mark(other))

    document = run_async(work())
    if options["as_json"]:
        print_json(document)
    else:
        (print_differing if options["instances"] else _print)(document)


def _print(document: Document) -> None:
    out = console()
    one, other = document["a"], document["b"]
    out.print(
        harmless(f"A {one['model']} (run {one['run']})\nB {other['model']} (run {other['run']})\non {document['suite']}"), style="bold"
    )
    if (said := other_contents(document)) is not None:
        out.print(said, soft_wrap=True)
    if (said := biased(one["early"], other["early"])) is not None:
        out.print(said, soft_wrap=True)
    columns = (">A", ">B", ">A - B", "interval", ">p", ">detectable")
    if document["levels"]:
        scores = table("over the compared tasks", ">tasks", *columns)
        for name, entry in document["modalities"].items():
            scores.add_row(name, str(entry["tasks"]), *_figures(entry))
        for level, entry in document["levels"].items():
            scores.add_row(f"Level {level}", "", *_figures(entry))
        out.print(scores)
    tasks = table("task", ">n", *columns, ">adjusted", "test")
    for entry in document["tasks"]:
        if not entry["note"]:
            shared, adjusted = f"{entry['instances']['shared']:,}", p_value(entry["p_adjusted"])
            tasks.add_row(entry["task"].strip(), shared, *_figures(entry), adjusted, entry["test"] or "-")
    if any(not entry["note"] for entry in document["tasks"]):
        out.print(tasks)
        out.print(f"detectable: the difference that would be found with a power of 0.8 (two-sided, {document['alpha']:g})")
    for line in left_out(document["tasks"]):
        out.print(line)
    if not document["levels"] and any(entry["sheet"] and not entry["note"] for entry in document["tasks"]):
        out.print("no levels: the compared tasks share too few answers for any test to find a difference")
    for side, keys in document["not_shared"].items():
        if keys:
            out.print(
                f"left out: {len(keys):,} task(s) that only {side.upper()} has: {', '.join(keys[:10])}{' ...' if len(keys) > 10 else ''}"
            )


def _figures(entry: Document) -> tuple[str, ...]:
    ends = entry["interval"]
    interval = "-" if ends is None else f"{signed(ends[0])} to {signed(ends[1])}"
    scores = (number(entry["score_a"]), number(entry["score_b"]), signed(entry["difference"]))
    return (*scores, interval, p_value(entry["p_value"]), number(entry["smallest_detectable"]))
