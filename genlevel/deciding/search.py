"""Which task's unit is drawn next, if the highest level is to be known: the task that is thought to tell the most for an answer.

What is thought is drawn at random from what is known of each task's share (Thompson sampling), on the scale asin(sqrt(share)). There the
spread of a share seen n times is 1 / (2 sqrt(n)) wherever it is, and what an answer tells between two shares is about 2 (difference)^2.
Until Level 3 is known, a task promises how fast wealth that is bet on it grows: its share against the bar. After that, how soon its own win
shows: its share against the critical one, by what is left to show. For Level 4 the pair of sides is taken that promises most at its weaker
side, and of it that side, which is also the one that is sooner ruled out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from genlevel.benchmark.model import Modality
from genlevel.deciding.levels import Ladder, Side
from genlevel.deciding.orders import LastOrder, may_be_drawn
from genlevel.deciding.standing import Standing
from genlevel.deciding.values import Criterion, LevelState, Unit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PRIOR = 2.0
"""How many answers at the bar are thought to have been seen of each task."""


class LevelsOrder:
    """By the levels that are not known yet. All random numbers follow from the seed and from how many draws there were."""

    def __init__(self, standings: Sequence[Standing], ladder: Ladder, seed: int, *, with_uncertifiable: bool) -> None:
        import numpy as np

        self._np, self._random = np, np.random.RandomState(seed % 2**32)
        self._ladder = ladder
        self._last = LastOrder(standings, with_uncertifiable=with_uncertifiable)
        self._known = _Known(standings)
        self._groups: dict[str, _Group] = {}
        self._outside = [one for one in standings if _is_outside(one)]

    def next(self) -> Standing | None:
        ladder = self._ladder
        if ladder.is_known:
            return self._last.uncertifiable()
        if ladder.state(3) is LevelState.UNDECIDED:
            return self._fastest_growth() or self._last.whole(lambda one: _is_outside(one) and ladder.needs(one))
        if ladder.state(4) is LevelState.UNDECIDED:
            return self._of_pairs() or self._last.whole(lambda one: _is_outside(one) and ladder.needs(one))
        found = self._soonest([ladder.language])
        return found[1] if found else self._last.whole(ladder.needs)

    def drawn(self, standing: Standing) -> None:
        if not standing.has_more:
            self._groups.clear()

    def counted(self, standing: Standing, unit: Unit | None = None) -> None:
        if unit is not None:
            self._known.add(standing, unit)
        if not (may_be_drawn(standing) and standing.is_predicted):
            self._groups.clear()

    def _group(self, name: str, among: Sequence[Standing]) -> _Group:
        found = self._groups.get(name)
        if found is None:
            standings = [one for one in among if one.is_predicted and may_be_drawn(one) and self._ladder.needs(one)]
            found = self._groups[name] = _Group(standings, self._known)
        return found

    def _fastest_growth(self) -> Standing | None:
        group = self._group("3", self._outside)
        if not group.standings:
            return None
        known, at = self._known, group.at
        thought = known.middle[at] + self._random.standard_normal(len(at)) * known.spread[at]
        return group.standings[int(((thought - known.bar[at]) * known.worth[at]).argmax())]

    def _of_pairs(self) -> Standing | None:
        """The weaker side of the pair whose weaker side promises most."""
        best: tuple[float, Standing] | None = None
        for pair in self._ladder.pairs:
            if any(side.is_out for side in pair):
                continue
            found = [self._soonest([side]) for side in pair if side.is_alive]
            weakest = min((one for one in found if one), key=lambda one: one[0], default=None)
            if weakest is not None and (best is None or weakest[0] > best[0]):
                best = weakest
        return best[1] if best else None

    def _soonest(self, sides: Sequence[Side]) -> tuple[float, Standing] | None:
        """(promise, task) of the task among sides whose win shows soonest."""
        group = self._group(sides[0].name, [one for side in sides for one in side.tasks])
        if not group.standings:
            return None
        known, at = self._known, group.at
        apart = known.middle[at] + self._random.standard_normal(len(at)) * known.spread[at] - known.critical[at]
        promise = apart * self._np.abs(apart) * known.worth[at] ** 2 / known.left[at]
        place = int(promise.argmax())
        return float(promise[place]), group.standings[place]


class _Group:
    """Tasks that a unit may be drawn of, and where they stand in ``_Known``."""

    def __init__(self, standings: Sequence[Standing], known: _Known) -> None:
        import numpy as np

        self.standings = standings
        self.at = np.array([known.places[one.key] for one in standings], dtype=np.intp)


class _Known:
    """What is known of each task's share, on the scale asin(sqrt(share)).

    middle, spread: of the share. bar: what wealth grows above; critical: about what the full run has to come to. worth: 1 over the root of
    the answers of a unit. left: how much has to be shown yet, in natural units.
    """

    def __init__(self, standings: Sequence[Standing]) -> None:
        import numpy as np

        self.places = {one.key: place for place, one in enumerate(standings)}
        self._sums = [[0.0, 0.0] for _ in standings]
        self.middle, self.spread, self.bar, self.critical, self.worth, self.left = (np.zeros(len(standings)) for _ in range(6))
        for place, one in enumerate(standings):
            self.worth[place] = 1.0 / math.sqrt(max(one.cost, 1e-9))
            self.bar[place] = _angle(one.criterion.bar)
            self.critical[place] = _critical_angle(one.criterion, one.units)
            self._look(place, one)

    def add(self, one: Standing, unit: Unit) -> None:
        place = self.places[one.key]
        sums, most = self._sums[place], max(one.criterion.most, 1e-9)
        sums[0] += unit.worst[0] / most
        sums[1] += unit.worst[1] / most
        self._look(place, one)

    def _look(self, place: int, one: Standing) -> None:
        above, below = self._sums[place]
        seen = below + PRIOR
        middle = _angle((above + PRIOR * min(one.criterion.bar, 1.0)) / seen)
        self.middle[place] = middle
        self.spread[place] = 0.5 / math.sqrt(seen)
        apart = max(0.0, middle - float(self.critical[place]))
        needed = -math.log(max(one.epsilon, 1e-12))
        self.left[place] = max(1.0, needed - 2.0 * below * apart * apart)


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
