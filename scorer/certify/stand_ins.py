"""Published models in the place of one that is not known yet: what share each would have of a run's tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.benchmark.model import Task
from genlevel.deciding.values import Criterion
from scorer.certify.criteria import share_of
from scorer.levels.published import publication

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEAST_KNOWN = 0.1
"""The part of a run's tasks that a model needs published values of, if any other has as many."""
_NEARLY = 0.999
_LEAST_BAR = 0.02


@dataclass(frozen=True, slots=True)
class StandIns:
    """models: by row. shares: 0..1 by row and task, higher is better; of tasks that nothing can be certified of 0."""

    models: tuple[str, ...]
    shares: Floats


def stand_ins(tasks: Sequence[tuple[Task, Criterion]], rows: int, seed: int) -> StandIns:
    """Each model as often as there is room in so many rows, at least once; no rows if no value of these tasks was published.

    What was not published of a model is taken from another model on that task, or if there is none from how far any model is above or
    below the bar of any task: seeded, and drawn anew in each row.
    """
    import numpy as np

    certifiable = np.array([not criterion.obstacle for _task, criterion in tasks], dtype=bool)
    models, known = _published(tasks)
    counts = (~np.isnan(known)).sum(axis=1)
    enough = counts >= max(1.0, LEAST_KNOWN * certifiable.sum())
    kept = np.flatnonzero(enough if enough.any() else counts > 0)
    if not len(kept):
        return StandIns((), np.zeros((0, len(tasks))))
    times = max(1, rows // len(kept))
    order = np.repeat(kept, times)
    rng = np.random.Generator(np.random.SFC64([seed, len(tasks)]))
    bars = np.array([criterion.bar for _task, criterion in tasks])
    shares = np.where(certifiable, _filled(known[order], known, bars, rng), 0.0)
    return StandIns(tuple(models[place] for place in order), shares)


def _published(tasks: Sequence[tuple[Task, Criterion]]) -> tuple[list[str], Floats]:
    """All models with values, and their shares by model and task; not a number where there is none."""
    import numpy as np

    models = [model for model in publication().models if model.values]
    known = np.full((len(models), len(tasks)), np.nan)
    for place, (task, criterion) in enumerate(tasks):
        values = {} if criterion.obstacle else {row: model.values[task.id] for row, model in enumerate(models) if task.id in model.values}
        if values:
            known[list(values), place] = np.clip([share_of(task, value) for value in values.values()], 0.0, 1.0)
    return [model.model for model in models], known


def _filled(rows: Floats, known: Floats, bars: Floats, rng: np.random.Generator) -> Floats:
    """The rows without gaps."""
    import numpy as np

    held = ~np.isnan(known) & (bars >= _LEAST_BAR)
    ratios = (known / np.maximum(bars, _LEAST_BAR))[held]
    found = rows.copy()
    for place in np.flatnonzero(np.isnan(rows).any(axis=0)):
        gaps = np.flatnonzero(np.isnan(rows[:, place]))
        others = known[:, place][~np.isnan(known[:, place])]
        if len(others):
            found[gaps, place] = rng.choice(others, len(gaps))
        elif len(ratios):
            found[gaps, place] = np.minimum(_NEARLY, bars[place] * rng.choice(ratios, len(gaps)))
        else:
            found[gaps, place] = np.minimum(_NEARLY, bars[place])
    return found
