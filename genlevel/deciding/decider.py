"""In which order units are asked, and when that is over.

The same aim, tasks, shares, seed and outcomes give the same draws in the same order, the same decisions and the same ``decided_at``, in
whatever order the outcomes come, however many draws are taken at a time, and wherever a process begins anew. For that

- outcomes count in the order of their draws' numbers alone: those of the longest prefix of draws that have outcomes, or need none;
- draw i follows from the outcomes of draws 0 .. i - 1 - lag(i) alone, so that one slow answer holds back only those after its lag;
- a draw whose task is decided by earlier draws is passed over, whether it has an outcome or not, and so is one that nothing depends on;
- whatever has to be known from elsewhere (a bar, what a whole task came to) is waited for at the draw at which it is wanted.

So each draw, and each bet on it, follows from outcomes of earlier draws, which is what the proofs of ``pooled`` and of predictions need.
What follows from the world instead is ``set_aside``: see there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from genlevel.benchmark.model import Modality
from genlevel.deciding.holm import FEW, FEW_FOR_LEVELS, HALF, QUARTER, Holm
from genlevel.deciding.levels import Ladder
from genlevel.deciding.orders import Order, WinsOrder
from genlevel.deciding.pooled import PooledWealth
from genlevel.deciding.search import LevelsOrder
from genlevel.deciding.standing import Standing
from genlevel.deciding.values import Aim, Criterion, Decided, Draw, LevelState, Shares, TaskState, TaskToDecide, Unit

RULES = 2
"""Their number: to be raised if other draws, or another ``decided_at``, follow from the same outcomes."""
LAGS = {Aim.WINS: 256, Aim.VERDICT: 64}
"""Draws that may be on the way at the beginning."""
GROWTH = {Aim.WINS: 8, Aim.VERDICT: 32}
"""One more for so many draws. What is drawn ahead is drawn by what was known before it: of a verdict that costs more."""


class Decider:
    """Says which units to ask next, and what is decided by those that were.

    shares: see ``Shares``; epsilon is shared evenly among the predictions of tasks. seed: of the order. with_uncertifiable: draws also,
    last of all, the tasks of which nothing can be certified. Raises ValueError for a task that has neither a test, nor ``whole``, nor
    ``obstacle``.
    """

    def __init__(self, aim: Aim, tasks: Sequence[TaskToDecide], shares: Shares, *, seed: int, with_uncertifiable: bool = False) -> None:
        predicted = sum(not (task.criterion.obstacle or task.criterion.whole) for task in tasks)
        epsilon = shares.epsilon / max(1, predicted)
        self._aim, self._with_uncertifiable = aim, with_uncertifiable
        certifiable = sum(not task.criterion.obstacle for task in tasks)
        few, part = (FEW, HALF) if aim is Aim.WINS else (FEW_FOR_LEVELS, QUARTER)
        self._holm = Holm.of(shares, certifiable, few, part)
        self._standings = {task.key: Standing(task, task.criterion, epsilon, self._holm) for task in tasks}
        every = tuple(self._standings.values())
        self._ladder = Ladder(every, self._holm)
        self._pooled = PooledWealth(shares.pooled) if aim is Aim.VERDICT else None
        self._order: Order = (
            WinsOrder(every, with_uncertifiable=with_uncertifiable)
            if aim is Aim.WINS
            else LevelsOrder(every, self._ladder, seed, with_uncertifiable=with_uncertifiable)
        )
        self._open: deque[Draw] = deque()
        self._queue: deque[Draw] = deque()
        self._number = 0
        self._outcomes: dict[int, tuple[Unit, Criterion | None]] = {}
        self._told: dict[str, Criterion | None] = {}
        self._used, self._undecided = 0, sum(one.is_open for one in every)
        self._any_right = False
        self._bars = [one.key for one in every if one.waits and one.is_predicted]
        self._wholes: list[str] = []
        self._all_wins, self._stalled = aim is Aim.WINS, False
        self._advance()

    def draws(self, most: int) -> list[Draw]:
        """Further units that may be asked now, at most so many, in the order of their numbers; each is given out once."""
        found: list[Draw] = []
        while self._queue and len(found) < most:
            draw = self._queue.popleft()
            if self.needs(draw):
                found.append(draw)
        return found

    def weigh(self, number: int, unit: Unit, criterion: Criterion | None = None) -> None:
        """What a draw came to, in any order of draws; only the first time counts.

        criterion: if this answer shows that the task is to be decided otherwise from here on: with ``whole``, or not at all, with
        ``obstacle``. Of tasks with either the unit says nothing. Raises ValueError for a draw that was never made.
        """
        if not 0 <= number < self._number:
            raise ValueError(f"there is no draw {number}: {self._number} were made")
        if number >= self.counted:
            self._outcomes.setdefault(number, (unit, criterion))
            self._advance()

    def set_aside(self, task: str) -> None:
        """No further unit of the task can be asked, as there is no money for one.

        From its first draw without an outcome on, none of its draws counts; what came before does. To be called once none of its calls is
        in flight: then the draws without outcomes were never asked, which does not depend on what they would have come to. What follows
        depends on when this is called; another ``Decider``, which is not told, goes on in the order in which it would have gone on without
        it.
        """
        one = self._standings[task]
        if one.cut is None:
            one.cut = next((draw.number for draw in self._open if draw.task == task and draw.number not in self._outcomes), self._number)
            self._order.counted(one)
            self._advance()

    @property
    def wanted_bars(self) -> Sequence[str]:
        """Tasks of which it is to be said whether a best constant answer is above the bar: those that are predicted as won, and those that
        were bet on once the pooled wealth is enough, which may be many. Nothing further counts before that."""
        return tuple(self._bars)

    def settle_bar(self, task: str, criterion: Criterion | None) -> None:
        """None: the bar stays. Else with the higher bar, as if it had been so from the start; or with ``whole`` or ``obstacle``.

        May come before it is wanted: it counts once it is.
        """
        self._told[task] = criterion
        self._advance()

    @property
    def wanted_outcomes(self) -> Sequence[str]:
        """Tasks that can only be told as a whole, all of whose units have outcomes. Nothing further counts before that."""
        return tuple(self._wholes)

    def settle_whole(self, task: str, p_value: float | None) -> None:
        """The p-value of the full run's test. None: it cannot be told, so that the task stays undecided, and all else goes on.

        Raises ValueError if it is not wanted.
        """
        if task not in self._wholes:
            raise ValueError(f"task {task} is not wanted as a whole")
        self._wholes.remove(task)
        one = self._standings[task]
        one.settle_whole(p_value)
        self._changed(one)
        self._advance()

    def needs(self, draw: Draw) -> bool:
        """Whether it is to be asked; not if its outcome counts already, or its task is decided or nothing depends on it any more."""
        return draw.number >= self.counted and not self.over and self._counts(draw)

    @property
    def over(self) -> bool:
        """The aim is reached, or there is nothing left to draw."""
        if self._bars or self._wholes:
            return False
        return (self._is_reached and not self._with_uncertifiable) or self._stalled

    def decided(self) -> Decided:
        reached = self._is_reached
        return Decided(
            complete=reached,
            verdict=self._ladder.highest or (2 if self._any_right else None),
            tasks=tuple(
                one.decision(needed=self._aim is Aim.WINS or (not reached and self._needs(one))) for one in self._standings.values()
            ),
            levels=self._ladder.decisions(),
        )

    @property
    def counted(self) -> int:
        """How many draws count, or were passed over: the first ones, up to one whose outcome is waited for."""
        return self._number - len(self._open)

    @property
    def _is_reached(self) -> bool:
        return not self._undecided if self._aim is Aim.WINS else self._ladder.is_known

    def _counts(self, draw: Draw) -> bool:
        """Whether the outcome of a draw that has not counted yet is to."""
        one = self._standings[draw.task]
        if draw.number < one.since or (one.cut is not None and draw.number >= one.cut):
            return False
        if one.state is TaskState.UNCERTIFIABLE:
            return self._with_uncertifiable
        return one.is_open and self._needs(one)

    def _needs(self, one: Standing) -> bool:
        return self._all_wins or self._ladder.needs(one)

    def _advance(self) -> None:
        """Lets all count that can, and draws all that may be drawn after each."""
        while self._is_settled() and not self.over:
            self._draw()
            if not self._open:
                if self._hangs() and self._order.widen():
                    self._widen()
                elif not self._allow_for_more():
                    self._stalled = True
                    return
                continue
            draw = self._open[0]
            if self._counts(draw):
                found = self._outcomes.pop(draw.number, None)
                if found is None:
                    return
                self._open.popleft()
                self._count(self._standings[draw.task], *found)
            else:
                self._outcomes.pop(draw.number, None)
                self._open.popleft()

    def _widen(self) -> None:
        """From now on all wins are decided. What was passed over as nothing depended on it is drawn again, under other numbers."""
        self._all_wins = True
        for one in self._standings.values():
            if one.is_open and one.cut is None:
                one.drawn = one.used

    def _hangs(self) -> bool:
        """Whether a level hangs on a task that is won or not by how many others are."""
        return self._ladder.hangs or any(
            one.is_full and self._ladder.needs(one) and self._holm.may_certify(one.p_values()[0]) for one in self._standings.values()
        )

    def _draw(self) -> None:
        lag, growth = LAGS[self._aim], GROWTH[self._aim]
        while self._number - lag - self._number // growth <= self.counted:
            one = self._order.next(self._number)
            if one is None:
                return
            draw = Draw(self._number, one.key, one.drawn)
            one.drawn += 1
            self._number += 1
            self._open.append(draw)
            self._queue.append(draw)
            self._order.drawn(one)

    def _count(self, one: Standing, unit: Unit, criterion: Criterion | None) -> None:
        self._used += one.task.units[one.used]
        was_predicted = one.is_predicted
        one.use(unit)
        if was_predicted:
            outside = one.task.modality is not Modality.LANGUAGE
            self._any_right = self._any_right or (outside and unit.worst[0] > 0.0)
            if self._pooled is not None and outside and one.criterion.rewards and self._ladder.state(3) is LevelState.UNDECIDED:
                self._pooled.add(one.key, one.criterion, unit)
        if criterion is not None and one.is_open:
            one.turn(criterion)
            if self._pooled is not None and not one.is_predicted:
                self._pooled.void(one.key)
        self._order.counted(one, unit if was_predicted else None)
        self._changed(one)
        self._look_at_wealth()

    def _changed(self, one: Standing) -> None:
        """What follows if a task was decided, or waits for something."""
        if one.waits:
            (self._wholes if one.is_whole else self._bars).append(one.key)
        elif not one.is_open:
            self._undecided = sum(other.is_open for other in self._standings.values())
            self._order.counted(one)
            self._ladder.changed(one, self._used)
        if one.is_full or not one.is_open:
            self._look_at_full()
            if not self._undecided:
                self._allow_for_more()

    def _look_at_full(self) -> None:
        """Holm's further steps: over tasks with all their units, between the marks. They are certified as soon as enough others are, and
        are not once they would not be if all that is open were."""
        if self._bars:
            return
        every = self._standings.values()
        full = {one.key: one for one in every if one.is_full}
        if not full:
            return
        won = sum(one.state is TaskState.WON for one in every)
        p_values = {key: one.p_values() for key, one in full.items()}
        certified = self._holm.certified(won, {key: worst for key, (worst, _best) in p_values.items()})
        self._bars = [key for key in certified if not full[key].settled and full[key].is_predicted]
        if self._bars:
            return
        told = dict.fromkeys(certified, True)
        others = sum(one.is_open for one in every) - len(full)
        possible = self._holm.certified(won + others, {key: best for key, (_worst, best) in p_values.items()})
        told |= dict.fromkeys(full.keys() - set(possible), False)
        for key, is_won in told.items():
            full[key].settle_full(won=is_won)
            self._ladder.changed(full[key], self._used)
        self._undecided = sum(one.is_open for one in every)

    def _allow_for_more(self) -> bool:
        """If more tasks are won than the marks allow for, those that are not won are held against all of Holm's steps, once nothing else
        is left to draw; whether that is so.

        What is open again is drawn again, under other numbers; draws of it before are passed over.
        """
        won = sum(one.state is TaskState.WON for one in self._standings.values())
        if not self._all_wins or self._holm.suffices(won):
            return False
        self._holm = self._holm.widest()
        for one in self._standings.values():
            one.allow(self._holm, self._number)
            self._order.counted(one)
        self._undecided = sum(one.is_open for one in self._standings.values())
        self._ladder.allow(self._holm, self._used)
        self._look_at_full()
        return True

    def _look_at_wealth(self) -> None:
        """Level 3 by pooled wealth, once it is enough under bars that are known."""
        pooled = self._pooled
        if pooled is None or self._bars or not pooled.is_enough or self._ladder.state(3) is not LevelState.UNDECIDED:
            return
        self._bars = pooled.unsure(key for key, one in self._standings.items() if not one.settled and one.is_predicted)
        if not self._bars:
            self._ladder.attain_third(pooled.told(), self._used)

    def _is_settled(self) -> bool:
        """Settles bars that were told; whether there is nothing that is waited for."""
        while not self._wholes and self._bars and all(key in self._told for key in self._bars):
            bars, self._bars = self._bars, []
            for key in bars:
                one, criterion = self._standings[key], self._told[key]
                one.settle(criterion)
                self._order.counted(one)
                if self._pooled is not None and criterion is not None:
                    has_test = one.is_predicted and not (criterion.obstacle or criterion.whole)
                    self._pooled.raise_bar(key, criterion) if has_test else self._pooled.void(key)
                self._changed(one)
            self._look_at_full()
            if not self._undecided:
                self._allow_for_more()
            self._look_at_wealth()
        return not self._wholes and not self._bars
