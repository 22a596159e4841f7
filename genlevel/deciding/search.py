"""Which task's unit is drawn next, if the highest level is to be known: the task that is thought to tell the most for an answer.

What is thought is drawn at random from what is known of each task's share (Thompson sampling), on the scale asin(sqrt(share)). There the
spread of a share seen n times is about 1 / (2 sqrt(n)) wherever it is, and what an answer tells between two shares is about
2 (difference)^2. Until Level 3 is known, a task promises how fast wealth that is bet on it grows: its share against the bar. After that,
how soon its own win shows: its share against the critical one, by what is left to show, and at the latest once all of its units are asked,
so that a task that may be won is finished rather than another one begun. For Level 4 the pair of sides is taken that
promises most at its weaker side, and of it that side, which is also the one that is sooner ruled out; tasks that are thought to be out of
reach all have to be ruled out, so that what is on the way is spread over them. If all of these have been asked and a level hangs on how
many other tasks are won (``genlevel.deciding.holm``), wins are decided one after the other until it is known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from genlevel.benchmark.model import Modality
from genlevel.deciding.levels import Ladder, Side
from genlevel.deciding.orders import LastOrder, WinsOrder, may_be_drawn
from genlevel.deciding.standing import Standing
from genlevel.deciding.values import Criterion, LevelState, Unit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PRIOR = 4.0
"""How many answers at the bar are thought to have been seen of each task."""
SPREAD = 0.5
"""By how much less a task that is thought to be out of reach promises for each unit that is on the way."""
_POOL = 1 << 16
_ROUND = 1_024
_STEP = 40_503
"""Odd, so that it visits all of the pool; far from any simple part of it."""


class LevelsOrder:
    """By the levels that are not known yet. The random numbers follow from the seed and the draw's number."""

    def __init__(self, standings: Sequence[Standing], ladder: Ladder, seed: int, *, with_uncertifiable: bool) -> None:
        import numpy as np

        self._np, self._ladder = np, ladder
        self._standings, self._with_uncertifiable = standings, with_uncertifiable
        self._last = LastOrder(standings, with_uncertifiable=with_uncertifiable)
        self._wins: WinsOrder | None = None
        self._sides = (*ladder.sides, ladder.language)
        self._known = _Known([one for side in self._sides for one in side.tasks])
        self._parts: dict[Side, slice] = {}
        start = 0
        for side in self._sides:
            self._parts[side] = slice(start, start + len(side.tasks))
            start += len(side.tasks)
        self._outside = slice(0, start - len(ladder.language.tasks))
        self._random = _deviations(seed % 2**32, _POOL + -(-start // _ROUND) * _ROUND)

    def next(self, number: int) -> Standing | None:
        ladder = self._ladder
        if ladder.is_known:
            return self._last.uncertifiable()
        if self._wins is not None:
            return self._wins.next(number)
        if ladder.state(3) is LevelState.UNDECIDED:
            return self._fastest_growth(number) or self._last.whole(lambda one: _is_outside(one) and ladder.needs(one))
        if ladder.state(4) is LevelState.UNDECIDED:
            return self._of_pairs(number) or self._last.whole(lambda one: _is_outside(one) and ladder.needs(one))
        return self._of_language(number) or self._last.whole(ladder.needs)

    def drawn(self, standing: Standing) -> None:
        if self._wins is not None:
            self._wins.drawn(standing)
        self._known.look_at_way(standing)
        if not standing.has_more:
            self._known.shut(standing)

    def counted(self, standing: Standing, unit: Unit | None = None) -> None:
        if self._wins is not None:
            self._wins.counted(standing, unit)
        if unit is None:
            self._known.raised(standing)
        else:
            self._known.add(standing, unit)
            self._known.look_at_way(standing)
        if not (may_be_drawn(standing) and standing.is_predicted):
            self._known.shut(standing)

    def widen(self) -> bool:
        if self._wins is not None:
            return False
        self._wins = WinsOrder(self._standings, with_uncertifiable=self._with_uncertifiable)
        return True

    def _thought(self, number: int, part: slice) -> Floats:
        """Deviations, in spreads' units times spreads, of a part of the tasks."""
        start = number * _STEP % _POOL
        deviations: Floats = self._random[start + part.start : start + part.stop] * self._known.spread[part]
        return deviations

    def _fastest_growth(self, number: int) -> Standing | None:
        known, part = self._known, self._outside
        promise = self._thought(number, part)
        promise += known.middle[part]
        promise -= known.bar[part]
        promise *= known.worth[part]
        promise -= known.closed[part]
        return known.best(promise, part)

    def _of_pairs(self, number: int) -> Standing | None:
        """The weaker side of the pair whose weaker side promises most."""
        promise = self._soonness(number, self._outside)
        best, place = -math.inf, -1
        for pair in self._ladder.pairs:
            weaker, there = math.inf, -1
            for side in pair:
                if side.needed:
                    part = self._parts[side]
                    at = part.start + int(promise[part].argmax())
                    if -math.inf < promise[at] < weaker:
                        weaker, there = float(promise[at]), at
            if there >= 0 and weaker > best:
                best, place = weaker, there
        return self._known.standings[place] if place >= 0 else None

    def _of_language(self, number: int) -> Standing | None:
        part = self._parts[self._ladder.language]
        return self._known.best(self._soonness(number, part), part)

    def _soonness(self, number: int, part: slice) -> Floats:
        """What each task of a part promises of its own win: one over the answers until it shows, below 0 if it is thought not to be one."""
        known = self._known
        apart = self._thought(number, part)
        apart += known.middle[part]
        apart -= known.critical[part]
        may_be_won = apart > 0.0
        apart *= self._np.abs(apart)
        apart *= known.rate[part]
        self._np.multiply(apart, known.crowd[part], out=apart, where=~may_be_won)
        self._np.add(apart, known.end[part], out=apart, where=may_be_won)
        apart -= known.closed[part]
        return apart


class _Known:
    """What is known of each task's share, on the scale asin(sqrt(share)).

    middle, spread: of the share. bar: what wealth grows above; critical: about what the full run has to come to. worth: 1 over the root of
    the answers of a unit. rate: its square by how much has to be shown yet, in natural units. crowd: 1, and more by what is on the way.
    end: 1 over the answers that are left. closed: infinite if no unit may be drawn.
    """

    def __init__(self, standings: Sequence[Standing]) -> None:
        import numpy as np

        self.standings = standings
        self._places = {one.key: place for place, one in enumerate(standings)}
        self._sums = [[0.0, 0.0] for _ in standings]
        self.middle, self.spread, self.bar, self.critical = (np.zeros(len(standings)) for _ in range(4))
        self.worth, self.rate, self.end, self.closed = (np.zeros(len(standings)) for _ in range(4))
        self.crowd = np.ones(len(standings))
        for place, one in enumerate(standings):
            self.worth[place] = 1.0 / math.sqrt(max(one.cost, 1e-9))
            self._hold(place, one)
            self._look(place, one)
            self.look_at_way(one)
            if not (one.is_predicted and may_be_drawn(one) and one.criterion.rewards):
                self.closed[place] = math.inf

    def best(self, promise: Floats, part: slice) -> Standing | None:
        """The task of a part that promises most; None if none of them may be drawn."""
        if not promise.size:
            return None
        place = int(promise.argmax())
        return None if promise[place] == -math.inf else self.standings[part.start + place]

    def add(self, one: Standing, unit: Unit) -> None:
        place = self._places[one.key]
        sums, most = self._sums[place], max(one.criterion.most, 1e-9)
        sums[0] += unit.worst[0] / most
        sums[1] += unit.worst[1] / most
        self._look(place, one)

    def raised(self, one: Standing) -> None:
        """Its criterion is another one."""
        place = self._places[one.key]
        self._hold(place, one)
        self._look(place, one)

    def look_at_way(self, one: Standing) -> None:
        place = self._places[one.key]
        self.crowd[place] = 1.0 + SPREAD * (one.drawn - one.used)
        self.end[place] = float(self.worth[place]) ** 2 / max(1, one.units - one.used)

    def shut(self, one: Standing) -> None:
        self.closed[self._places[one.key]] = math.inf

    def _hold(self, place: int, one: Standing) -> None:
        self.bar[place] = _angle(one.criterion.bar)
        self.critical[place] = _critical_angle(one.criterion, one.units)

    def _look(self, place: int, one: Standing) -> None:
        above, below = self._sums[place]
        seen = below + PRIOR
        middle = _angle((above + PRIOR * min(one.criterion.bar, 1.0)) / seen)
        self.middle[place] = middle
        self.spread[place] = 0.5 / math.sqrt(seen)
        apart = max(0.0, middle - float(self.critical[place]))
        needed = -math.log(max(one.epsilon, 1e-12))
        self.rate[place] = float(self.worth[place]) ** 2 / max(1.0, needed - 2.0 * below * apart * apart)


@lru_cache(maxsize=8)
def _deviations(seed: int, number: int) -> Floats:
    """Standard normal ones, that no version of numpy changes."""
    import numpy as np

    found: Floats = np.random.RandomState(seed).standard_normal(number)
    return found


def _is_outside(one: Standing) -> bool:
    return one.task.modality is not Modality.LANGUAGE


def _angle(share: float) -> float:
    return math.asin(math.sqrt(min(max(share, 0.0), 1.0)))


def _critical_angle(criterion: Criterion, units: int) -> float:
    """Of what the full run has to come to; of bets about that, as if units were right or wrong."""
    if criterion.critical is not None:
        return _angle(criterion.critical / max(1, units))
    if criterion.bets is None:
        return _angle(1.0)
    return min(math.pi / 2.0, _angle(criterion.bar) + math.sqrt(max(0.0, criterion.bets.log_threshold) / (2.0 * max(1, units))))
