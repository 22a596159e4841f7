"""How alpha is shared out: so much for each check, and for each bound of what the baseline measured.

| part of alpha | of what |
|---|---|
| 0.6 | regression: the score fell |
| 0.1 | improvement: it rose |
| 0.2 | drift: evenly over a stream's other checks |
| 0.1 | bounds of the baseline's own error: half of it for that of a regression, the rest evenly over the others |

Within each, half is the whole's and the other half is shared evenly by the other streams; the whole has it all if it is alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from evaluator.monitors.core.signals import SCORE, Direction

REGRESSION, IMPROVEMENT, DRIFT, BASELINES = Fraction(3, 5), Fraction(1, 10), Fraction(1, 5), Fraction(1, 10)

Asked = tuple[str, Direction]
"""A signal's name and the direction of the change that is looked for."""
FALL, RISE = (SCORE.name, Direction.DOWN), (SCORE.name, Direction.UP)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a monitor promises.

    alpha: the most that a false alarm within the horizon may be likely, 0..1. tolerance: a change of the mean score that is none, in 0..1
    (1 point is 0.01). horizon_ticks: ticks in the horizon.
    """

    alpha: float
    tolerance: float
    horizon_ticks: int

    def __post_init__(self) -> None:
        if not 0.0 < self.alpha < 1.0:
            raise ValueError(f"alpha: {self.alpha:g} is not between 0 and 1")
        if not 0.0 <= self.tolerance <= 0.5:
            raise ValueError(f"tolerance: {100 * self.tolerance:g} points are not between 0 and 50")
        if self.horizon_ticks < 1:
            raise ValueError(f"horizon: {self.horizon_ticks} ticks are too few; a monitor needs at least 1")


@dataclass(frozen=True, slots=True)
class Share:
    """Parts of alpha: of a check, and of the bound of the baseline's error that is in its margin."""

    check: Fraction
    baseline: Fraction


def shares_of(checks: Mapping[str, Sequence[Asked]]) -> dict[tuple[str, Asked], Share]:
    """The parts of alpha by stream and check. checks: of each stream, the whole first.

    They add up to 1 if every stream has both checks of the score and some other.
    """
    found: dict[tuple[str, Asked], Share] = {}
    for index, (stream, asked) in enumerate(checks.items()):
        part = _of_stream(index, len(checks))
        drift = [one for one in asked if one not in (FALL, RISE)]
        of = {FALL: REGRESSION, RISE: IMPROVEMENT, **{one: DRIFT / len(drift) for one in drift}}
        for one in asked:
            baseline = Fraction(1, 2) if one == FALL else Fraction(1, 2 * (len(asked) - 1))
            found[stream, one] = Share(part * of[one], part * BASELINES * baseline)
    return found


def _of_stream(index: int, streams: int) -> Fraction:
    if streams == 1:
        return Fraction(1)
    return Fraction(1, 2) if index == 0 else Fraction(1, 2 * (streams - 1))
