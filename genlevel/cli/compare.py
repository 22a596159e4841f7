"""``genlevel compare``: two runs of one suite, paired on the instances that both have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from genlevel.cli.options import (
    alpha_option,
    json_option,
    need_run_folder,
    out_option,
    print_json,
    run_async,
    seed_option,
    settings_of,
)


@click.command("compare")
@click.argument("run_a")
@click.argument("run_b")
@alpha_option("Error of each interval.")
@click.option("--draws", type=click.IntRange(100, 100_000), default=2000, show_default=True, help="Bootstrap and permutation draws.")
@seed_option("Of the draws.")
@click.option(
    "--references", type=click.Choice(["workbook", "appendix"]), default="workbook", show_default=True, help="Specialists' scores."
)
@out_option
@json_option
@click.pass_context
def compare(ctx: click.Context, /, **options: Any) -> None:
    """Compare RUN_A with RUN_B, instance by instance: is the one better, by how much, and what could have been found at all.

    Only instances that both runs have answered (or refused) are compared; the others are counted and shown. Differences are A minus B.
    """
    from genlevel.cli.connection import services
    from genlevel.v1 import scorer_pb2 as sc
    from scorer.comparison import comparison_json

    settings = settings_of(ctx)
    out: Path = options["out"]
    need_run_folder(settings, out)
    request = sc.CompareRequest(**{name: options[name] for name in ("run_a", "run_b", "alpha", "draws", "seed", "references")})

    async def work() -> sc.CompareResponse:
        async with services(settings, out) as found:
            return await found.scorer.compare(request)

    document = comparison_json(run_async(work()))
    if options["as_json"]:
        print_json(document)
        return
    _print(document)


def _print(document: dict[str, Any]) -> None:
    from genlevel.cli.card import console, table

    out = console()
    one, other = document["a"], document["b"]
    out.print(f"A {one['model']} (run {one['run']})\nB {other['model']} (run {other['run']})\non {document['suite']}", style="bold")
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
            tasks.add_row(
                entry["task"].strip(), f"{entry['instances']['shared']:,}", *_figures(entry), _p(entry["p_adjusted"]), entry["test"] or "-"
            )
    out.print(tasks)
    out.print(f"detectable: the difference that would be found with a power of 0.8 (two-sided, {document['alpha']:g})")
    for entry in document["tasks"]:
        counts = entry["instances"]
        if entry["note"]:
            out.print(f"not compared: {entry['task'].strip()}: {entry['note']}")
        if counts["only_a"] or counts["only_b"] or counts["open"]:
            parts = {"only in A": counts["only_a"], "only in B": counts["only_b"], "failed or pending in one": counts["open"]}
            out.print(f"left out: {entry['task'].strip()}: {', '.join(f'{count:,} {name}' for name, count in parts.items() if count)}")
    for side, keys in document["not_shared"].items():
        if keys:
            out.print(
                f"left out: {len(keys):,} task(s) that only {side.upper()} has: {', '.join(keys[:10])}{' ...' if len(keys) > 10 else ''}"
            )


def _figures(entry: dict[str, Any]) -> tuple[str, ...]:
    from genlevel.cli.card import number, signed

    ends = entry["interval"]
    interval = "-" if ends is None else f"{signed(ends[0])} to {signed(ends[1])}"
    scores = (number(entry["score_a"]), number(entry["score_b"]), signed(entry["difference"]))
    return (*scores, interval, _p(entry["p_value"]), number(entry["smallest_detectable"]))


def _p(value: float | None) -> str:
    return "-" if value is None else f"{value:.2g}"
