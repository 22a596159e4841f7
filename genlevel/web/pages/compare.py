"""Runs side by side: how far each is from the first, and how sure that is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from genlevel.documents.comparisons import compared_document
from genlevel.documents.decision_words import early_mark
from genlevel.documents.leaderboard import standing_document
from genlevel.runtime.errors import GenlevelError, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from genlevel.views.comparison import TASK_COLUMNS, ComparisonView, comparison_view
from genlevel.views.table import Table, table
from genlevel.web.comparisons import DRAWS, Pair, comparisons_of
from genlevel.web.page import Asked, Page
from genlevel.web.pages.leaderboard import MOST_COMPARED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genlevel.runtime.documents import Document

ALPHA = 0.05
WAITS_S = 0.15
"""For comparisons of few answers: larger ones come to a page that is there."""
AGAIN_S = 2


async def compare_page(asked: Asked) -> Page:
    """Two to ten runs, each with the first. Comparisons that take longer than a moment go on beside, and are there when it is asked again.

    Raises UsageError for too few or too many runs, or one that is named twice; NotFoundError for one that is not there.
    """
    runs = await _runs(asked)
    standings = await _standings(asked, runs)
    others = len(runs) - 1
    found = await asyncio.gather(*(_compared(asked, standings, runs[0], other, others) for other in runs[1:]))
    pairs = [_pair(runs[0], other, one, others) for other, one in zip(runs[1:], found, strict=True)]
    awaited = sum(one is None for one in found)
    query = [(name, value) for name, values in asked.query.items() if name != "part" for value in values]
    values: dict[str, object] = {
        "runs": [{**standing_document(run, standings.get(run.run_id)), "name": run.name} for run in runs],
        "pairs": pairs,
        "awaited": awaited,
        "again": f"/compare?{urlencode([*query, ('part', 'compared')])}",
        "again_s": AGAIN_S,
        "alpha": ALPHA / others,
        "draws": DRAWS,
        "csv": f"/compare.{{}}.csv?{urlencode(query)}",
        "columns": table("", TASK_COLUMNS, ()).columns,
    }
    document = {
        "runs": values["runs"],
        "alpha": ALPHA / others,
        "comparisons": [pair["document"] for pair in pairs],
        "awaited": awaited,
    }
    return Page("compare.html", "Compare", values, document, _tables(pairs))


async def _runs(asked: Asked) -> list[ev.Run]:
    named = asked.many("run")
    if not 2 <= len(named) <= MOST_COMPARED:
        raise UsageError(f"{len(named) or 'no'} run{'' if len(named) == 1 else 's'} named; mark two to {MOST_COMPARED} on the leaderboard")
    found = [(await asked.services.evaluator.get_run(ev.GetRunRequest(run_id=run))).run for run in named]
    ids = [run.run_id for run in found]
    if twice := [run for run in ids if ids.count(run) > 1]:
        raise UsageError(f"run {twice[0]} is named twice; compare it with others")
    return found


async def _standings(asked: Asked, runs: Sequence[ev.Run]) -> dict[str, sc.ListStandingsResponse]:
    """How they stand, of those that is known already."""
    request = sc.ListStandingsRequest(run_ids=[run.run_id for run in runs], references=asked.one("references"), kept=True)
    found = {standing.run_id: standing async for standing in asked.services.scorer.list_standings(request)}
    for run in runs:
        if run.run_id not in found:
            raise UsageError(f"run {run.run_id} has no scored task yet")
    return {run_id: standing for run_id, standing in found.items() if not standing.awaited}


async def _compared(
    asked: Asked, standings: dict[str, sc.ListStandingsResponse], first: ev.Run, other: ev.Run, others: int
) -> sc.CompareResponse | GenlevelError | None:
    """The comparison; None if it is not there yet; why there is none."""
    sides = [standings.get(run.run_id) for run in (first, other)]
    scored = [side.scored_s for side in sides if side is not None]
    if len(scored) < len(sides):
        return None
    pair = Pair(first.run_id, other.run_id, (scored[0], scored[1]), asked.one("references"), ALPHA / others)
    try:
        return await comparisons_of(asked.services.scorer).of(pair, WAITS_S)
    except GenlevelError as error:
        return error


def _pair(first: ev.Run, other: ev.Run, found: sc.CompareResponse | GenlevelError | None, others: int) -> Document:
    """One section: its view, why there is none, or neither if it is awaited."""
    early = early_mark(first), early_mark(other)
    compared = compared_document(found, *early) if isinstance(found, sc.CompareResponse) else None
    view: ComparisonView | None = None if compared is None else comparison_view(compared, others)
    note = str(found) if isinstance(found, GenlevelError) else None
    named = {"a": first.run_id, "b": other.run_id}
    return {
        "a": first,
        "b": other,
        "view": view,
        "note": note,
        "document": {**named, "comparison": compared, "note": note},
    }


def _tables(pairs: Sequence[Document]) -> dict[str, Table]:
    found: dict[str, Table] = {}
    for number, pair in enumerate(pairs, start=1):
        if (view := pair["view"]) is not None:
            found[f"scores-{number}"], found[f"tasks-{number}"] = view.scores, view.tasks
    return found
