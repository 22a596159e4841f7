"""The document of a leaderboard: which runs stand on it, and what is said of those that do not (docs/json.md has every field)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from genlevel.benchmark.model import GENERAL_BENCH
from genlevel.documents.decision_words import early_mark
from genlevel.documents.runs import has_outcomes
from genlevel.documents.suite_names import chosen_suites
from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import quoted
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from genlevel.connection.services import Services, Stored
    from genlevel.runtime.documents import Document
    from scorer.reports.leaderboard import Board

_ASKED_TOGETHER = 5000


@dataclass(frozen=True, slots=True)
class BoardAsked:
    """What somebody asks for. Empty: as the others imply. level: only the list of this one. published: the paper's models beside.

    benchmark: General-Bench, which alone has scopes and published models, or another one that runs are on; "" takes General-Bench if a
    scope is asked for, any run is on it or none is on anything; else what most runs are on.
    """

    scope: str = ""
    modalities: tuple[str, ...] = ()
    paradigm: str = ""
    skill: str = ""
    level: int | None = None
    suite: str = ""
    references: str = ""
    published: bool = False
    benchmark: str = ""


async def leaderboard_document(found: Services | Stored, asked: BoardAsked, *, kept: bool = False) -> Document:
    """The leaderboard over all runs of the services.

    kept: those whose verdict is not computed yet are counted ("awaited") and computed meanwhile, in place of being waited for.
    Raises UsageError for what does not exist or fit together, DatasetError for a skill that does not exist.
    """
    asked_board = None if asked.benchmark not in ("", GENERAL_BENCH) else general_board(asked)  # said before anything is looked up
    listed = (await found.evaluator.list_runs(ev.ListRunsRequest())).runs  # the newest first
    benchmarks = Counter(run.benchmark for run in listed)
    scoped = asked.scope or asked.modalities or asked.paradigm or asked.skill
    benchmark = asked.benchmark or (GENERAL_BENCH if scoped else _usual(benchmarks))
    if benchmark != GENERAL_BENCH and benchmark not in benchmarks:
        known = ", ".join(sorted({GENERAL_BENCH, *benchmarks}))
        raise UsageError(f"no run is on a benchmark {quoted(benchmark)}; known are: {known}")
    wanted = chosen_suites(asked.suite, [(run.suite, run.suite_hash) for run in listed]) if asked.suite else None
    runs = [run for run in listed if wanted is None or (run.suite, run.suite_hash) in wanted]
    others = sum(run.benchmark != benchmark for run in runs)
    runs = [run for run in runs if run.benchmark == benchmark]
    standings, awaited = await _standings(found, [run.run_id for run in runs if has_outcomes(run)], asked.references, kept=kept)
    board = asked_board if benchmark == GENERAL_BENCH and asked_board is not None else _own_board(benchmark, asked, standings)
    document = _document(board, standings, asked, {run.run_id: mark for run in runs if (mark := early_mark(run))})
    shown = {(standing.model, standing.suite) for standing in standings}
    known_runs = {standing.run_id for standing in standings} | awaited
    document["notes"] += [
        f"run {run.run_id} of {run.specification.model} has no scored task yet"
        for run in runs
        if run.run_id not in known_runs and (run.specification.model, run.suite) not in shown
    ]
    if others:
        those = "they are not ranked with General-Bench's" if benchmark == GENERAL_BENCH else "each benchmark has a board of its own"
        document["notes"].append(f"{others} run{'s' if others > 1 else ''} of other benchmarks left out: {those}")
    document["benchmarks"] = dict(sorted(benchmarks.items()))
    document["awaited"] = len(awaited)
    return document


def published_document(asked: BoardAsked) -> Document:
    """The leaderboard of the paper's models alone."""
    return {**_document(general_board(asked), [], asked, {}), "benchmarks": {}, "awaited": 0}


def standing_document(run: ev.Run, standing: sc.ListStandingsResponse | None) -> Document:
    """How one run stands, in brief. standing: None if it is not known yet; then levels are null."""
    document: Document = {"run": run.run_id, "model": run.specification.model, "suite": run.suite, "benchmark": run.benchmark}
    document["early"] = early_mark(run) or None
    if standing is None:
        return {**document, "levels": None}
    from scorer.reports.leaderboard_report import candidate_of

    candidate = candidate_of(standing)
    assert candidate.levels is not None
    assert candidate.certified is not None
    assert candidate.against_specialists is not None
    levels, certified = candidate.levels, candidate.certified.levels
    return {
        **document,
        "certified": level_told(candidate.certified.verdict),
        "against": level_told(candidate.against_specialists.verdict),
        "point": level_told(levels.verdict),
        "levels": {
            str(level): {"score": score, "interval": list(certified[level].interval) if level in certified else None}
            for level, score in levels.scores.items()
        },
        "wins": sum(entry.wins for entry in levels.modalities) + levels.language.wins,
    }


def level_told(level: int | None) -> str:
    return "none" if level is None else f"Level {level}"


def general_board(asked: BoardAsked) -> Board:
    """The board of General-Bench that is asked for. Raises UsageError, DatasetError."""
    from genlevel.benchmark.catalogue import general_bench
    from genlevel.benchmark.model import Modality, Paradigm
    from scorer.reports.leaderboard import Scope, make_board

    try:
        scope = Scope(asked.scope.upper()) if asked.scope else None
        modalities = [Modality(name) for name in asked.modalities]
        paradigm = Paradigm(asked.paradigm) if asked.paradigm else None
    except ValueError as error:
        raise UsageError(f"{error}; scopes are A, B, C and D, modalities {', '.join(Modality)}, paradigms {', '.join(Paradigm)}") from None
    return make_board(general_bench(), scope=scope, modalities=modalities, paradigm=paradigm, skill=asked.skill)


def _usual(benchmarks: Counter[str]) -> str:
    if not benchmarks or GENERAL_BENCH in benchmarks:
        return GENERAL_BENCH
    return max(sorted(benchmarks), key=lambda name: benchmarks[name])


async def _standings(
    found: Services | Stored, run_ids: Sequence[str], references: str, *, kept: bool
) -> tuple[list[sc.ListStandingsResponse], frozenset[str]]:
    """How these runs stand, and which of them are awaited."""
    listed = []
    for first in range(0, len(run_ids), _ASKED_TOGETHER):
        request = sc.ListStandingsRequest(run_ids=run_ids[first : first + _ASKED_TOGETHER], references=references, kept=kept)
        listed += [standing async for standing in found.scorer.list_standings(request)]
    order = {run_id: place for place, run_id in enumerate(run_ids)}
    there = sorted((standing for standing in listed if not standing.awaited), key=lambda standing: order[standing.run_id])
    return there, frozenset(standing.run_id for standing in listed if standing.awaited)


def _own_board(benchmark: str, asked: BoardAsked, standings: Sequence[sc.ListStandingsResponse]) -> Board:
    from scorer.reports.leaderboard import own_board
    from scorer.wire import levels_of

    if asked.scope.upper() not in ("", "A") or asked.modalities or asked.paradigm or asked.skill:
        raise UsageError(f"benchmark {quoted(benchmark)} has one board: leave out scope, modality, paradigm and skill")
    referenced = any(standing.referenced for standing in standings)
    return own_board(benchmark, [levels_of(standing.levels) for standing in standings], referenced=referenced)


def _document(board: Board, standings: Sequence[sc.ListStandingsResponse], asked: BoardAsked, early: Mapping[str, str]) -> Document:
    """early: what is said of runs that ask only what decides, by id."""
    from scorer.reports.leaderboard_report import build_leaderboard, candidate_of, choose_runs, leaderboard_json

    shown, notes = choose_runs(standings, board)
    candidates = [replace(candidate_of(standing), early=early.get(standing.run_id, "")) for standing in shown]
    published = asked.published and not board.is_own
    document = leaderboard_json(build_leaderboard(board, candidates, published=published, references=asked.references, level=asked.level))
    document["notes"] += notes
    return document
