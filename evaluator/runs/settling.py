"""What the scorer says of tasks while a run is being decided: what their best constant answers raise, and what whole tasks came to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from evaluator.deciding.criteria import criteria_request, criterion_of, has_coordinates, is_rated, told_as_a_whole, without_test
from evaluator.ports import ScorerPort
from evaluator.runs.measuring import AnsweredUnit, Measured, Measuring
from evaluator.runs.sought import Sought
from genlevel.deciding.decider import Decider
from genlevel.deciding.values import OPEN, Criterion, Draw
from genlevel.runtime.blobs import BlobStore
from genlevel.v1 import scorer_pb2 as sc

EXPLAINED = "what coordinates mean follows from all of its answers"
Score = Callable[[str], Awaitable[sc.TaskScore]]


class Settling:
    """Tells a decider what it wants to know of one run's tasks. score: has a task scored as it stands, by its key.

    unrated: tasks that would be decided by ratings which are not there.
    """

    def __init__(
        self, scorer: ScorerPort, blobs: BlobStore, header: sc.ScoreTaskHeader, sought: Sought, decider: Decider, *, score: Score
    ) -> None:
        self._scorer = scorer
        self._measuring = Measuring(scorer, blobs, {one.planned.task.key: one.description for one in sought.tasks})
        self._header = header
        self._sought = sought
        self._decider = decider
        self._score = score
        self.unrated: set[str] = set()
        self._tasks = {one.planned.task.key: one for one in sought.tasks}
        self._first = {one.planned.task.key: criterion for one, criterion in zip(sought.tasks, sought.criteria.criteria, strict=True)}
        self._criteria = dict(self._first)
        self._lock = asyncio.Lock()

    async def weigh(self, drawn: Sequence[tuple[Draw, AnsweredUnit]]) -> None:
        """Says what units came to. Those of tasks without a test of single units are not looked at. Raises GenlevelError."""
        tested = [(draw, unit) for draw, unit in drawn if self._is_tested(draw.task)]
        found = iter(await self._measuring.units([unit for _draw, unit in tested]))
        for draw, _unit in drawn:
            if self._is_tested(draw.task):
                measured = next(found)
                self._decider.weigh(draw.number, measured.unit, self._turned(draw, measured))
            else:
                self._decider.weigh(draw.number, OPEN)

    def _is_tested(self, task: str) -> bool:
        """Whether the units of a task say anything one by one, as was known before any answer: which came first makes no difference."""
        criterion = self._first[task]
        return not (criterion.obstacle or criterion.whole)

    def _turned(self, draw: Draw, found: Measured) -> Criterion | None:
        """A task's criterion from a draw on, if its outcome, or that it is the last one, shows that only all answers together tell, or
        that nothing does."""
        task = self._tasks[draw.task]
        if found.obstacle:
            return without_test(self._first[draw.task], found.obstacle)
        if found.whole:
            return told_as_a_whole(self._first[draw.task], found.whole)
        if self._is_tested(draw.task) and draw.unit == len(task.units) - 1 and has_coordinates(task.planned):
            return told_as_a_whole(self._first[draw.task], EXPLAINED)
        return None

    @property
    def is_wanted(self) -> bool:
        """Whether the decider waits for something that is to be said of a task."""
        return bool(self._decider.wanted_bars or self._decider.wanted_outcomes)

    async def settle(self) -> None:
        """Answers all that is wanted; whoever calls at the same time waits for it. Raises GenlevelError."""
        decider = self._decider
        async with self._lock:
            while self.is_wanted:
                for task, criterion in (await self._bars(tuple(decider.wanted_bars))).items():
                    decider.settle_bar(task, criterion)
                for task in tuple(decider.wanted_outcomes):
                    decider.settle_whole(task, await self._p_value(task))

    async def _bars(self, tasks: Sequence[str]) -> dict[str, Criterion | None]:
        """Of each of these tasks its criterion with the higher bar, or with the obstacle that its score shows; None: it stays."""
        found: dict[str, Criterion | None] = {}
        constants = {}
        for task in tasks:
            score = await self._score(task)
            found[task] = None if score.HasField("bounds") else without_test(self._criteria[task], score.note or "it has no score")
            if found[task] is None and score.HasField("best_constant"):
                constants[task] = score.best_constant
        if constants:
            found.update(await self._raised(constants))
        return found

    async def _raised(self, constants: Mapping[str, float]) -> dict[str, Criterion | None]:
        """The criteria of tasks whose best constant answers are known, in the metric's unit; None: one of these raises no bar."""
        asked = [self._tasks[task] for task in constants]
        entries = ((one.planned, one.description, one.units) for one in asked)
        response = await self._scorer.get_criteria(criteria_request(self._header, entries, self._sought.until.alpha, constants))
        raised: dict[str, Criterion | None] = {}
        for task, criterion in zip(constants, map(criterion_of, response.criteria), strict=True):
            is_other = criterion.bar > self._criteria[task].bar or criterion.obstacle or criterion.whole
            raised[task] = criterion if is_other else None
            if is_other:
                self._criteria[task] = criterion
        return raised

    async def _p_value(self, task: str) -> float | None:
        """The p-value of a whole task's win; None: it cannot be told, as answers have failed or have no rating."""
        score = await self._score(task)
        if is_rated(self._tasks[task].planned) and not score.HasField("score"):
            self.unrated.add(task)
            return None
        if not score.HasField("bounds"):  # it has no score, whatever failed answers come to
            return 1.0
        request = sc.GetVerdictRequest(run_id=self._header.run_id, alpha=self._sought.until.alpha)
        certificate = (await self._scorer.get_verdict(request)).certificate
        p_value = next((one.p_win for one in certificate.tasks if one.key == task and one.test), 1.0)
        shares = self._sought.criteria.shares
        is_open = score.counts.failed + score.counts.pending > 0
        return None if is_open and p_value > shares.wins / max(1, shares.tests) else p_value
