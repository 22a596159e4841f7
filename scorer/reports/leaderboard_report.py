"""A leaderboard at its borders: from runs' verdicts and published figures to standings, and from standings to JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

from genlevel.benchmark.suite_hash import short_hash
from genlevel.runtime.documents import Document
from genlevel.runtime.errors import UsageError
from genlevel.v1 import scorer_pb2 as sc
from scorer.levels.published import publication
from scorer.levels.rules import check_references
from scorer.reports.certified_levels import Certified, CertifiedLevel
from scorer.reports.leaderboard import (
    Board,
    Candidate,
    Entry,
    Standing,
    level_list,
    measured_entry,
    published_entry,
    rank,
    unplaced,
    unranked,
)
from scorer.runs.certified import DECISIONS
from scorer.tasks import other_content
from scorer.wire import levels_of

_MOST_NAMED = 5
_STATUSES = {decision: status.value for status, decision in DECISIONS.items()}


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """A board with its standings. level: the one whose list was asked for alone, if one was.

    source: where published figures are from, empty without them. unplaced: published models whose tasks on this board are not known.
    notes: what else is not shown, a line each.
    """

    board: Board
    references: str
    standings: tuple[Standing, ...]
    level: int | None = None
    source: str = ""
    unplaced: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def candidate_of(standing: sc.ListStandingsResponse) -> Candidate:
    """A measured model from how its run stands. Unlisted tasks are outside every board."""
    tasks = standing.tasks
    return Candidate(
        model=standing.model,
        run=standing.run_id,
        suite=standing.suite,
        suite_hash=standing.suite_hash,
        values={task: None if math.isnan(value) else value for task, value in zip(tasks.ids, tasks.values, strict=True)},
        partial_tasks=frozenset(compress(tasks.ids, tasks.partial)),
        incomplete_tasks=frozenset(compress(tasks.ids, tasks.incomplete)),
        levels=levels_of(standing.levels),
        part=standing.part,
        certified=_certified(standing.certified),
        against_specialists=_certified(standing.certified_against_specialists),
    )


def _certified(found: sc.CertifiedStanding) -> Certified:
    levels = {
        level.level: CertifiedLevel(_STATUSES[level.decision], (level.interval.lower, level.interval.upper)) for level in found.levels
    }
    return Certified(found.alpha, found.verdict or None, found.certified_wins, levels)


def tasks_of_other_data(one: sc.ListStandingsResponse, other: sc.ListStandingsResponse) -> list[str]:
    """Keys of the tasks that both runs have, but from different data; unlisted ones, which are on no board, are left out."""
    known = _data_of(one)
    return [key for key, data in _data_of(other).items() if key in known and _is_other(known[key], data)]


def _data_of(standing: sc.ListStandingsResponse) -> dict[str, tuple[int, int]]:
    tasks = standing.tasks
    return dict(zip(tasks.keys, zip(tasks.contents, tasks.fingerprints, strict=True), strict=True))


def _is_other(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """As ``scorer.tasks.other_data``: the content decides if both are known (0: not known), else the fingerprint."""
    column = 0 if one[0] and other[0] else 1
    return bool(one[column] and other[column]) and one[column] != other[column]


def choose_runs(standings: Sequence[sc.ListStandingsResponse], board: Board) -> tuple[list[sc.ListStandingsResponse], list[str]]:
    """Of each model and suite the run that counts, and what is to be said of the others.

    standings: the newest first. Runs of different data are shown apart, though their suites have one name.
    """
    counted = None if board.is_own else frozenset(task.id for task in board.counted)

    def on_board(standing: sc.ListStandingsResponse) -> list[int]:
        """Instances answered of each of the run's tasks that are on the board."""
        tasks = standing.tasks
        return [count for task, count in zip(tasks.ids, tasks.answered, strict=True) if counted is None or task in counted]

    groups: dict[tuple[str, str], list[sc.ListStandingsResponse]] = {}
    for standing in standings:
        groups.setdefault((standing.model, standing.suite), []).append(standing)
    chosen: list[sc.ListStandingsResponse] = []
    notes = []
    for runs in groups.values():
        if len(runs) == 1:
            chosen += runs
            continue
        counts = {standing.run_id: on_board(standing) for standing in runs}
        answered = {run_id: sum(listed) for run_id, listed in counts.items()}
        shown: list[sc.ListStandingsResponse] = []
        others = []
        # A run that has asked all of its suite goes before a part; then that with most answers, the newest of equal ones.
        for standing in sorted(runs, key=lambda one: (not one.part, answered[one.run_id]), reverse=True):
            apart = [said for known in shown if (said := _differing(known, standing))]
            if len(apart) < len(shown):
                others += [standing] if counts[standing.run_id] else []
                continue
            shown.append(standing)
            if apart:
                notes.append(_different_data(shown, apart[0]))
        chosen += shown
        if others:
            notes.append(_others_not_shown(shown, others, answered))
    return chosen, notes


def _others_not_shown(
    shown: Sequence[sc.ListStandingsResponse], others: Sequence[sc.ListStandingsResponse], answered: Mapping[str, int]
) -> str:
    kept = " and ".join(f"run {one.run_id} ({answered[one.run_id]:,})" for one in shown)
    left = ", ".join(f"run {one.run_id} ({answered[one.run_id]:,}{', a part' if one.part else ''})" for one in others[:_MOST_NAMED])
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    most = f"{shown[0].model} on {shown[0].suite}: shown is the run with most instances answered on this board"
    return f"{most}, {kept}; not shown: {left}{more}"


def _differing(one: sc.ListStandingsResponse, other: sc.ListStandingsResponse) -> str:
    """How the data of two runs are known to differ; "" if they are not."""
    if tasks := tasks_of_other_data(one, other):
        return f"such as {tasks[0]}"
    if other_content(one.suite_hash, other.suite_hash):
        return f"{one.suite}@{short_hash(one.suite_hash)} and {other.suite}@{short_hash(other.suite_hash)}"
    return ""


def _different_data(shown: Sequence[sc.ListStandingsResponse], said: str) -> str:
    """What is said of the last of these runs beside the first."""
    one, other = shown[0], shown[-1]
    return (
        f"runs {one.run_id} and {other.run_id} of {one.model} have different data, though both suites are named {one.suite!r}"
        f" ({said}): shown apart"
    )


def build_leaderboard(
    board: Board, candidates: Sequence[Candidate], *, published: bool = False, references: str = "workbook", level: int | None = None
) -> Leaderboard:
    """The standings of these candidates, with the published models beside them if asked.

    level: only the list of that level. Raises UsageError for a level that the board does not have, or unknown references.
    """
    chosen = check_references(references)
    if level is not None and level not in board.levels:
        raise UsageError(f"scope {board.scope} has Levels {board.levels[0]}-{board.levels[-1]}, not {level}")
    entries = [entry for candidate in candidates if (entry := measured_entry(board, candidate, chosen)) is not None]
    notes: list[str] = []
    hidden: tuple[str, ...] = ()
    if left_out := len(candidates) - len(entries):
        notes.append(f"{left_out} measured run{'s' if left_out > 1 else ''} asked none of this board's tasks")
    if published:
        known = publication().models
        entries += _published(board, chosen)
        hidden = unplaced(board, known)
        if hidden:
            where = board.modalities[0]
            notes.append(f"{len(hidden)} published models score on {where}, but their values of single tasks were not published: left out")
    standings: list[Standing] = []
    for part in (False, True):  # a part has a list of its own
        ranked = rank([entry for entry in entries if entry.part is part and not entry.early], board.levels)
        standings += ranked if level is None else level_list(ranked, level)
    early = unranked(entry for entry in entries if entry.early)
    if early and level is not None:
        notes.append(f"{len(early)} run{'s' if len(early) > 1 else ''} that asked only what decides: not ranked, and so in no level's list")
    else:
        standings += early
    return Leaderboard(
        board=board,
        references=chosen,
        standings=tuple(standings),
        level=level,
        source=publication().source if published else "",
        unplaced=hidden,
        notes=tuple(notes),
    )


def _published(board: Board, references: str) -> tuple[Entry, ...]:
    """The published models on a board, which do not change."""
    key = (board.scope.value, board.modalities, board.paradigm, board.skill_id, references)
    if key not in _known:
        if len(_known) >= _MOST_KNOWN:
            _known.pop(next(iter(_known)), None)
        _known[key] = tuple(entry for model in publication().models if (entry := published_entry(board, model, references)) is not None)
    return _known[key]


_MOST_KNOWN = 64
_known: dict[tuple[object, ...], tuple[Entry, ...]] = {}


def leaderboard_json(leaderboard: Leaderboard) -> Document:
    """A leaderboard as `genlevel leaderboard --json` prints it. rank: within "level", or within the level asked for."""
    board = leaderboard.board
    return {
        "benchmark": board.benchmark,
        "scope": board.scope.value,
        "board": board.title,
        "modalities": [modality.value for modality in board.modalities],
        "paradigm": board.paradigm.value if board.paradigm else None,
        "skill": board.skill_id or None,
        "tasks": board.count,
        "levels": list(board.levels),
        "references": leaderboard.references,
        "level": leaderboard.level,
        "published_source": leaderboard.source or None,
        "models": [_standing_json(standing, leaderboard.level) for standing in leaderboard.standings],
        "published_without_tasks": list(leaderboard.unplaced),
        "notes": list(leaderboard.notes),
    }


def _standing_json(standing: Standing, level: int | None) -> Document:
    entry = standing.entry
    return {
        "model": entry.model,
        "measured": not entry.published,
        "published": entry.published,
        "run": entry.run or None,
        "suite": entry.suite or None,
        "suite_hash": entry.suite_hash or None,
        "level": entry.level,
        "rank": standing.rank if level is None else standing.ranks[level],
        "scores": {str(key): score for key, score in entry.scores.items()},
        "ranks": {str(key): place for key, place in standing.ranks.items()},
        "supported": entry.supported,
        "wins": entry.wins,
        "asked": entry.asked,
        "part": entry.part,
        "early": entry.early or None,
        "certified": _certified_json(entry.certified),
        "certified_against_specialists": _certified_json(entry.against_specialists),
        "partial": entry.partial,
        "incomplete": entry.incomplete,
        "note": entry.note or None,
    }


def _certified_json(found: Certified | None) -> Document | None:
    if found is None:
        return None
    levels = {str(level): {"status": entry.status, "interval": list(entry.interval)} for level, entry in found.levels.items()}
    return {"alpha": found.alpha, "verdict": found.verdict, "certified_wins": found.certified_wins, "levels": levels}
