"""A leaderboard at its borders: from runs' verdicts and published figures to standings, and from standings to JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genlevel.benchmark.model import Benchmark
from genlevel.benchmark.suite_hash import short_hash
from genlevel.runtime.documents import Document
from genlevel.runtime.errors import UsageError
from genlevel.v1 import scorer_pb2 as sc
from scorer.levels.published import publication
from scorer.levels.rules import check_references
from scorer.reports.leaderboard import Board, Candidate, Standing, level_list, measured_entry, published_entry, rank, unplaced
from scorer.tasks import TaskIndex, other_content, other_data
from scorer.wire import task_of

_MOST_NAMED = 5


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


def candidate_of(verdict: sc.GetVerdictResponse, benchmark: Benchmark) -> Candidate:
    """A measured model from the scores of its run. Unlisted tasks are outside every board."""
    index = TaskIndex(benchmark)
    values: dict[str, float | None] = {}
    partial: set[str] = set()
    incomplete: set[str] = set()
    for score in verdict.tasks:
        task = index.find(task_of(score.task))
        if task is None:
            continue
        values[task.id] = score.score if score.HasField("score") else None
        if score.partial:
            partial.add(task.id)
        if score.counts.failed or score.counts.pending:
            incomplete.add(task.id)
    return Candidate(
        model=verdict.model,
        run=verdict.run_id,
        suite=verdict.suite,
        suite_hash=verdict.suite_hash,
        values=values,
        partial_tasks=frozenset(partial),
        incomplete_tasks=frozenset(incomplete),
    )


def tasks_of_other_data(one: sc.GetVerdictResponse, other: sc.GetVerdictResponse) -> list[str]:
    """Keys of the tasks that both runs have, but from different data; unlisted ones, which are on no board, are left out."""
    known = {score.task.key: score.task for score in one.tasks if not score.task.unlisted}
    tasks = [score.task for score in other.tasks if score.task.key in known]
    return [task.key for task in tasks if other_data(known[task.key], task)]


def choose_runs(
    verdicts: Sequence[sc.GetVerdictResponse], board: Board, benchmark: Benchmark
) -> tuple[list[sc.GetVerdictResponse], list[str]]:
    """Of each model and suite the run that counts, and what is to be said of the others.

    verdicts: the newest first. Runs of different data are shown apart, though their suites have one name.
    """
    index, counted = TaskIndex(benchmark), {task.id for task in board.counted}

    def on_board(verdict: sc.GetVerdictResponse) -> list[sc.TaskScore]:
        return [score for score in verdict.tasks if (task := index.find(task_of(score.task))) is not None and task.id in counted]

    def answered(verdict: sc.GetVerdictResponse) -> int:
        return sum(score.counts.total - score.counts.failed - score.counts.pending for score in on_board(verdict))

    def preferred(verdict: sc.GetVerdictResponse) -> tuple[bool, int]:
        """A run that has asked all of its suite goes before a part; then that with most answers, the newest of equal ones."""
        return not verdict.part, answered(verdict)

    groups: dict[tuple[str, str], list[sc.GetVerdictResponse]] = {}
    for verdict in verdicts:
        groups.setdefault((verdict.model, verdict.suite), []).append(verdict)
    chosen: list[sc.GetVerdictResponse] = []
    notes = []
    for (model, suite), runs in groups.items():
        shown: list[sc.GetVerdictResponse] = []
        others = []
        for verdict in sorted(runs, key=preferred, reverse=True):
            apart = [said for known in shown if (said := _differing(known, verdict))]
            if len(apart) < len(shown):
                others += [verdict] if on_board(verdict) else []
                continue
            shown.append(verdict)
            if apart:
                notes.append(_different_data(shown, apart[0]))
        chosen += shown
        if others:
            kept = " and ".join(f"run {verdict.run_id} ({answered(verdict):,})" for verdict in shown)
            left = ", ".join(
                f"run {verdict.run_id} ({answered(verdict):,}{', a part' if verdict.part else ''})" for verdict in others[:_MOST_NAMED]
            )
            more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
            most = f"{model} on {suite}: shown is the run with most instances answered on this board"
            notes.append(f"{most}, {kept}; not shown: {left}{more}")
    return chosen, notes


def _differing(one: sc.GetVerdictResponse, other: sc.GetVerdictResponse) -> str:
    """How the data of two runs are known to differ; "" if they are not."""
    if tasks := tasks_of_other_data(one, other):
        return f"such as {tasks[0]}"
    if other_content(one.suite_hash, other.suite_hash):
        return f"{one.suite}@{short_hash(one.suite_hash)} and {other.suite}@{short_hash(other.suite_hash)}"
    return ""


def _different_data(shown: Sequence[sc.GetVerdictResponse], said: str) -> str:
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
        entries += [entry for model in known if (entry := published_entry(board, model, chosen)) is not None]
        hidden = unplaced(board, known)
        if hidden:
            where = board.modalities[0]
            notes.append(f"{len(hidden)} published models score on {where}, but their values of single tasks were not published: left out")
    standings = rank(entries, board.levels)
    if level is not None:
        standings = level_list(standings, level)
    return Leaderboard(
        board=board,
        references=chosen,
        standings=standings,
        level=level,
        source=publication().source if published else "",
        unplaced=hidden,
        notes=tuple(notes),
    )


def leaderboard_json(leaderboard: Leaderboard) -> Document:
    """A leaderboard as `genlevel leaderboard --json` prints it. rank: within "level", or within the level asked for."""
    board = leaderboard.board
    return {
        "scope": board.scope.value,
        "board": board.title,
        "modalities": [modality.value for modality in board.modalities],
        "paradigm": board.paradigm.value if board.paradigm else None,
        "skill": board.skill_id or None,
        "tasks": len(board.counted),
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
        "partial": entry.partial,
        "incomplete": entry.incomplete,
        "note": entry.note or None,
    }
