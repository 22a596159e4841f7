"""Leaderboards: which models stand where, over all of General-Bench or a part of it, measured here and published apart.

Scopes are those of General-Bench's own leaderboards: A all of it, B modalities, C one modality and one paradigm, D one skill. Ranks
are within a level, by that level's score, as in the paper (arXiv 2505.04620): a model stands on the highest level at which its score is
not 0, and is ranked among those who stand there; beside that, it has a place in the list of every level at which it scores.
Values go in and values come out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from genlevel.benchmark.catalogue import select_tasks
from genlevel.benchmark.model import GENERAL_BENCH, Benchmark, Modality, Paradigm, Task
from genlevel.runtime.errors import UsageError
from scorer.levels.published import OVERALL, PublishedModel
from scorer.levels.rules import LEVEL_MODALITIES, Levels, TaskResult, compute_levels, judge_all
from scorer.reports.certified_levels import Certified


class Scope(StrEnum):
    """A: every task, all levels. B: one or several modalities, all levels. C: one modality and paradigm. D: one skill."""

    FULL = "A"
    MODALITIES = "B"
    PARADIGM = "C"
    SKILL = "D"


@dataclass(frozen=True, slots=True)
class Board:
    """What a leaderboard is over.

    tasks: those that Levels 2-4 (in scopes C and D: 2 and 3) are computed over, in the benchmark's order. language: in scopes A and B
    the tasks that weight Level 5, else empty. levels: those that this board has, (2, 3, 4, 5) or (2, 3), and (2,) where nothing can be
    won. benchmark: whose tasks they are; of another than General-Bench each run's levels are over the tasks as the run has them, and
    own_tasks says how many these are at most.
    """

    scope: Scope
    title: str
    modalities: tuple[Modality, ...]
    paradigm: Paradigm | None
    skill_id: str
    tasks: tuple[Task, ...]
    language: tuple[Task, ...]
    levels: tuple[int, ...]
    benchmark: str = GENERAL_BENCH
    own_tasks: int = 0

    @property
    def is_own(self) -> bool:
        """Whether it is of another benchmark than General-Bench."""
        return self.benchmark != GENERAL_BENCH

    @property
    def count(self) -> int:
        """How many tasks are counted."""
        return self.own_tasks if self.is_own else len(self.counted)

    @property
    def counted(self) -> tuple[Task, ...]:
        """The tasks whose support and wins are counted: the board's own, in scope A those of language too."""
        return (*self.tasks, *self.language) if self.scope is Scope.FULL else self.tasks


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model measured here. values: Task.id -> value, None if there is none yet; exactly the tasks that were asked.

    suite_hash: of the suite's content; "" if it is not known. partial_tasks: ids asked in part (--limit). incomplete_tasks: ids with failed
    or pending instances. levels: over the whole benchmark, against the references that the board is asked for; None: to be computed.
    part: the run asks less than its suite, or goes on. certified, against_specialists: the two readings. early: what is said of a run that
    asks only what decides; "" if it asks all.
    """

    model: str
    run: str
    suite: str
    values: Mapping[str, float | None]
    partial_tasks: frozenset[str] = frozenset()
    incomplete_tasks: frozenset[str] = frozenset()
    suite_hash: str = ""
    levels: Levels | None = None
    part: bool = False
    certified: Certified | None = None
    against_specialists: Certified | None = None
    early: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One model on a board.

    scores: level -> 0..100 for the board's levels. supported, wins: over ``Board.counted``, None if a published model's tasks are
    not known. asked: how many of these were asked (None for published models). run, suite, suite_hash: empty for published models.
    partial: some of these were asked in part or not at all. incomplete: a task that enters the scores has failed or pending
    instances, so that they are lower bounds. note: what else is to be known, in one line.
    part: the run asks less than its suite, or goes on. certified, against_specialists: over the whole benchmark, so on its board alone.
    early: as of ``Candidate``; such a run has no rank, as it stopped where its answers decided.
    """

    model: str
    published: bool
    scores: Mapping[int, float]
    supported: int | None
    wins: int | None
    asked: int | None = None
    run: str = ""
    suite: str = ""
    partial: bool = False
    incomplete: bool = False
    note: str = ""
    suite_hash: str = ""
    part: bool = False
    certified: Certified | None = None
    against_specialists: Certified | None = None
    early: str = ""

    @property
    def level(self) -> int | None:
        """The highest level of the board with a score above 0; None if there is none."""
        return max((level for level, score in self.scores.items() if score > 0.0), default=None)


@dataclass(frozen=True, slots=True)
class Standing:
    """An entry with its places, 1 for the best; equal scores share a place.

    rank: among those that stand on the same level; None without a level. ranks: level -> place among all with a score above 0 there.
    """

    entry: Entry
    rank: int | None
    ranks: Mapping[int, int]


def make_board(
    benchmark: Benchmark,
    *,
    scope: Scope | None = None,
    modalities: Sequence[Modality] = (),
    paradigm: Paradigm | None = None,
    skill: str = "",
) -> Board:
    """The board that is asked for; without ``scope`` it follows from the filters.

    skill: a skill's id ("I-C-26") or a part of its name that only one skill has.
    Raises UsageError if the filters do not fit the scope, DatasetError for a skill that does not exist.
    """
    asked = tuple(modality for modality in Modality if modality in modalities)
    chosen = scope or _scope_of(asked, paradigm, skill)
    _check_filters(chosen, asked, paradigm, skill)
    language = tuple(task for task in benchmark.tasks if task.modality is Modality.LANGUAGE)
    if chosen is Scope.SKILL:
        tasks = _skill_tasks(benchmark, asked, paradigm, skill)
        first = tasks[0]
        title = f"{first.skill} ({first.skill_id})"
        return Board(
            scope=chosen,
            title=title,
            modalities=(first.modality,),
            paradigm=first.paradigm,
            skill_id=first.skill_id,
            tasks=tasks,
            language=(),
            levels=(2, 3),
        )
    if chosen is Scope.PARADIGM:
        tasks = tuple(task for task in benchmark.tasks if task.modality is asked[0] and task.paradigm is paradigm)
        title = " ".join(filter(None, (asked[0].value, paradigm)))
        return Board(scope=chosen, title=title, modalities=asked, paradigm=paradigm, skill_id="", tasks=tasks, language=(), levels=(2, 3))
    counted = asked or LEVEL_MODALITIES
    tasks = tuple(task for task in benchmark.tasks if task.modality in counted)
    title = "all modalities" if chosen is Scope.FULL else ", ".join(counted)
    return Board(
        scope=chosen, title=title, modalities=counted, paradigm=None, skill_id="", tasks=tasks, language=language, levels=(2, 3, 4, 5)
    )


def own_board(benchmark: str, runs: Sequence[Levels], *, referenced: bool) -> Board:
    """The board of a benchmark that is not General-Bench. runs: the levels of the runs on it. referenced: there is something to win."""
    modalities = tuple(
        modality
        for modality in LEVEL_MODALITIES
        if any(entry.tasks for levels in runs for entry in levels.modalities if entry.modality is modality)
    )
    return Board(
        scope=Scope.FULL,
        title=f"all of {benchmark}",
        modalities=modalities,
        paradigm=None,
        skill_id="",
        tasks=(),
        language=(),
        levels=(2, 3, 4, 5) if referenced else (2,),
        benchmark=benchmark,
        own_tasks=max((_counts(levels)[2] for levels in runs), default=0),
    )


def _counts(levels: Levels) -> tuple[int, int, int]:
    """Supported tasks, wins and all tasks, those of language included."""
    modalities, language = levels.modalities, levels.language
    supported, wins = sum(entry.supported for entry in modalities), sum(entry.wins for entry in modalities)
    return supported + language.supported, wins + language.wins, sum(entry.tasks for entry in modalities) + language.tasks


def measured_entry(board: Board, candidate: Candidate, references: str = "workbook") -> Entry | None:
    """A measured model on the board, over all of the board's tasks; None if it was asked none of them."""
    whole = board.scope is Scope.FULL
    counted = candidate.values.keys() if board.is_own else {task.id for task in board.counted}
    asked = counted & candidate.values.keys()
    if not asked:
        return None
    if whole and candidate.levels is not None:
        scores = {level: candidate.levels.scores[level] for level in board.levels}
        supported, wins, tasks = _counts(candidate.levels)
    else:
        results, scores = _judged(board, candidate.values, references)
        supported, wins, tasks = sum(result.supported for result in results), sum(result.win is True for result in results), len(counted)
    entering = counted if board.is_own else {task.id for task in (*board.tasks, *board.language)}
    return Entry(
        model=candidate.model,
        published=False,
        scores=scores,
        supported=supported,
        wins=wins,
        asked=len(asked),
        run=candidate.run,
        suite=candidate.suite,
        suite_hash=candidate.suite_hash,
        partial=len(asked) < tasks or bool(candidate.partial_tasks & counted),
        incomplete=bool(candidate.incomplete_tasks & entering),
        part=candidate.part,
        certified=candidate.certified if whole else None,
        against_specialists=candidate.against_specialists if whole else None,
        early=candidate.early,
    )


def published_entry(board: Board, published: PublishedModel, references: str = "workbook") -> Entry | None:
    """A published model on the board; None if it has no figures there.

    Scopes A and B show the level scores as printed (of several modalities their mean), and Level 5 as 0, because by the publication
    no model reaches it. C and D are computed from the published task values. Wins and support are counted from those values
    wherever they are known.
    """
    results, scores = _judged(board, published.values, references)
    by_task = board.scope in (Scope.PARADIGM, Scope.SKILL)
    known = bool(published.values) and not any(published.lacks_values(modality) for modality in board.modalities)
    if not by_task:
        printed = _printed(board, published)
        if printed is None:
            return None
        scores = printed
    elif not known or not any(result.supported for result in results):
        return None
    return Entry(
        model=published.model,
        published=True,
        scores=scores,
        supported=sum(result.supported for result in results) if known else None,
        wins=sum(result.win is True for result in results) if known else None,
        note="" if by_task else published.inconsistency,
    )


def unplaced(board: Board, published: Iterable[PublishedModel]) -> tuple[str, ...]:
    """Published models that score on the board's modality and paradigm, but on which tasks is not known: C and D cannot place them."""
    if board.scope in (Scope.FULL, Scope.MODALITIES):
        return ()
    listed = [entry for entry in published if board.paradigm is None or board.paradigm in entry.paradigms]
    return tuple(entry.model for entry in listed if any(entry.lacks_values(modality) for modality in board.modalities))


def rank(entries: Iterable[Entry], levels: Sequence[int]) -> tuple[Standing, ...]:
    """Standings, the highest level first, within it the best score first; equal ones by name. Those without a level come last.

    Ranks are competition ranks: 1, 2, 2, 4. The order of ``entries`` does not matter.
    """
    listed = list(entries)
    lists = {level: _places(entry.scores[level] for entry in listed) for level in levels}
    tiers = {level: _places(entry.scores[level] for entry in listed if entry.level == level) for level in levels}
    standings = []
    for entry in listed:
        place = None if entry.level is None else tiers[entry.level][entry.scores[entry.level]]
        ranks = {level: lists[level][score] for level, score in entry.scores.items() if score > 0.0}
        standings.append(Standing(entry, place, ranks))
    return tuple(sorted(standings, key=_place))


def unranked(entries: Iterable[Entry]) -> tuple[Standing, ...]:
    """Entries without places, by name."""
    return tuple(Standing(entry, None, {}) for entry in sorted(entries, key=_identity))


def level_list(standings: Iterable[Standing], level: int) -> tuple[Standing, ...]:
    """All with a score above 0 at that level, the best first: the paper's table of that level."""
    found = [standing for standing in standings if level in standing.ranks]
    return tuple(sorted(found, key=lambda standing: (standing.ranks[level], _identity(standing.entry))))


def _scope_of(modalities: tuple[Modality, ...], paradigm: Paradigm | None, skill: str) -> Scope:
    if skill:
        return Scope.SKILL
    if paradigm is not None or modalities == (Modality.LANGUAGE,):
        return Scope.PARADIGM
    return Scope.MODALITIES if modalities else Scope.FULL


def _check_filters(scope: Scope, modalities: tuple[Modality, ...], paradigm: Paradigm | None, skill: str) -> None:
    if scope is Scope.SKILL:
        if not skill:
            raise UsageError("scope D is one skill: name it with --skill (its id, such as I-C-26, or its name)")
        return
    if skill:
        raise UsageError(f"--skill is for scope D; scope {scope} does not take it")
    if scope is Scope.FULL and (modalities or paradigm):
        raise UsageError("scope A is all modalities: leave out --modality and --paradigm, or use scope B or C")
    if scope is Scope.MODALITIES:
        if paradigm is not None:
            raise UsageError("scope B is whole modalities: leave out --paradigm, or use scope C")
        if not modalities:
            raise UsageError("scope B needs one --modality or several")
        if Modality.LANGUAGE in modalities:
            raise UsageError("language enters Level 5 of every board of scope B; for language alone use --scope C --modality language")
    if scope is Scope.PARADIGM:
        if len(modalities) != 1:
            raise UsageError("scope C is one modality and one paradigm: give one --modality and one --paradigm")
        if modalities[0] is Modality.LANGUAGE and paradigm is not None:
            raise UsageError("language tasks have no paradigm: leave out --paradigm")
        if modalities[0] is not Modality.LANGUAGE and paradigm is None:
            raise UsageError("scope C needs --paradigm comprehension or --paradigm generation")


def _skill_tasks(benchmark: Benchmark, modalities: tuple[Modality, ...], paradigm: Paradigm | None, skill: str) -> tuple[Task, ...]:
    tasks = select_tasks(benchmark, skill=skill)
    tasks = tuple(task for task in tasks if not modalities or task.modality in modalities)
    tasks = tuple(task for task in tasks if paradigm is None or task.paradigm is paradigm)
    found = {task.skill_id: task.skill for task in tasks}
    exact = [skill_id for skill_id, name in found.items() if name.casefold() == skill.strip().casefold()]
    if len(exact) == 1:
        return tuple(task for task in tasks if task.skill_id == exact[0])
    if not found:
        raise UsageError(f"skill {skill!r} is not in that modality and paradigm; leave out --modality and --paradigm")
    if len(found) > 1:
        listed = ", ".join(f"{skill_id} {name}" for skill_id, name in list(found.items())[:8])
        raise UsageError(f"{len(found)} skills match {skill!r}; name one: {listed}" + (", ..." if len(found) > 8 else ""))
    return tasks


def _judged(board: Board, values: Mapping[str, float | None], references: str) -> tuple[tuple[TaskResult, ...], dict[int, float]]:
    """The results of the board's counted tasks, and its level scores."""
    if board.scope in (Scope.FULL, Scope.MODALITIES):
        entering = judge_all(Benchmark("", (*board.tasks, *board.language)), values, references)
        return entering[: len(board.counted)], compute_levels(entering).scores
    results = judge_all(Benchmark("", board.counted), values, references)
    # One paradigm or one skill: both means are over its tasks alone, so there is no half for the other paradigm.
    count = len(results)
    contribution = math.fsum(result.contribution for result in results) / count
    return results, {2: contribution, 3: math.fsum(result.reward for result in results) / count}


def _printed(board: Board, published: PublishedModel) -> dict[int, float] | None:
    if published.scores is None:
        return None
    if board.scope is Scope.FULL:
        return {**{level: scores[OVERALL] for level, scores in published.scores.items()}, 5: 0.0}
    means = {
        level: math.fsum(scores[modality.value] for modality in board.modalities) / len(board.modalities)
        for level, scores in published.scores.items()
    }
    return {**means, 5: 0.0} if any(means.values()) else None


def _places(scores: Iterable[float]) -> dict[float, int]:
    """Score above 0 -> its place, from 1; equal ones have the best of theirs (1, 2, 2, 4)."""
    places: dict[float, int] = {}
    for place, score in enumerate(sorted((score for score in scores if score > 0.0), reverse=True), start=1):
        places.setdefault(score, place)
    return places


def _place(standing: Standing) -> tuple[int, int, tuple[str, bool, str, str]]:
    level = standing.entry.level
    return (-(level or 0), standing.rank or 0, _identity(standing.entry))


def _identity(entry: Entry) -> tuple[str, bool, str, str]:
    return (entry.model.casefold(), entry.published, entry.suite, entry.run)
