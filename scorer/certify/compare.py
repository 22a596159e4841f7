"""Two runs of one suite on the instances that both have: how far apart they are, how sure that is, and what could have been found.

Instances are paired, so what makes one hard for both cancels out. Per task a difference with a paired interval and a test of "no
difference": McNemar's exact test for right or wrong answers, else a permutation test that swaps the two answers of an instance (of a
cluster) at random, which for a mean is the sign-flip test; beyond what its draws can tell a bound of its tail. Modalities and levels: the
same draws over all tasks at once, and intervals from a paired stratified cluster bootstrap, widened for few instances.
Sources: McNemar 1947; Fisher 1935 for sign flips; Hoeffding 1963 for their tail; Bonett and Price 2012 for the interval of paired shares;
Satterthwaite 1946 for degrees of freedom.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from genlevel.benchmark.model import Modality, Task
from genlevel.benchmark.outcomes import OPEN, Outcome
from genlevel.v1 import scorer_pb2 as pb
from scorer.certify.bootstrap import level_draws, sigmas
from scorer.certify.distributions import binomial_at_least, normal_quantile, student_t_quantile
from scorer.certify.evidence import BINARY
from scorer.certify.multiplicity import holm
from scorer.certify.resample import MOST_WEIGHTS, SEED, Weighted, cluster_weights, generator_of, weighted
from scorer.levels.rules import LEVEL_MODALITIES, TaskResult, judge
from scorer.metrics import Metric, create
from scorer.wire import other_data

if TYPE_CHECKING:
    import numpy as np

    from scorer.certify.resample import Floats
    from scorer.store.scores import StoredStatistics

DRAWS = 2000
POWER = 0.8
MCNEMAR, SIGN_FLIP = "exact McNemar", "sign-flip permutation"
NORMAL = 10**6
"""Degrees of freedom of which Student's t is the normal distribution."""
LEAST_UNITS = 6
"""Instances or clusters below which no swapping of answers can have a p-value of 0.05: it is at least 2 / 2^n."""
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class PairedTask:
    """A task that both runs have. task: the benchmark's; None where it is unlisted."""

    description: pb.TaskDescription
    task: Task | None
    a: StoredStatistics
    b: StoredStatistics


@dataclass(frozen=True, slots=True)
class Difference:
    """a minus b. interval, smallest_detectable: None where one instance or cluster says nothing. test: the name of what p_value is of.

    smallest_detectable: the true difference that a two-sided test at alpha would find with a power of 0.8.
    """

    score_a: float
    score_b: float
    interval: tuple[float, float] | None
    p_value: float | None
    smallest_detectable: float | None
    test: str

    @property
    def difference(self) -> float:
        return self.score_a - self.score_b


@dataclass(frozen=True, slots=True)
class ComparedTask:
    """shared: instances compared. only_a, only_b: that one run alone has. open: failed or pending in a run. note: why no difference."""

    description: pb.TaskDescription
    difference: Difference | None
    shared: int
    only_a: int
    only_b: int
    open: int
    note: str = ""
    p_adjusted: float | None = None


@dataclass(frozen=True, slots=True)
class ComparedScore:
    """A score 0..100 over the compared tasks alone. name: a modality (its Level 2; language: the mean), or level_2 .. level_5."""

    name: str
    difference: Difference
    tasks: int


@dataclass(frozen=True, slots=True)
class RunComparison:
    alpha: float
    draws: int
    tasks: tuple[ComparedTask, ...]
    modalities: tuple[ComparedScore, ...]
    levels: tuple[ComparedScore, ...]


@dataclass(frozen=True, slots=True)
class _Draws:
    """A task's score in both runs: as it is (one entry), bootstrapped, and with answers swapped at random. units: instances or clusters."""

    units: int
    seen: tuple[Floats, Floats]
    drawn: tuple[Floats, Floats]
    swapped: tuple[Floats, Floats]


def compare(pairs: Iterable[PairedTask], references: str = "workbook", *, alpha: float, draws: int = DRAWS, seed: int = 0) -> RunComparison:
    """Compares task by task, and over all of the benchmark's tasks among them.

    Scores are those of the shared instances alone; levels are over the compared tasks alone, and there are none (nor of a modality) where
    these share fewer than LEAST_UNITS instances. Seeded: the same input gives the same figures.
    """
    tasks: list[ComparedTask] = []
    listed: dict[str, _Compared] = {}
    for pair in pairs:
        compared, found = _compare_task(pair, alpha, draws, seed)
        tasks.append(compared)
        if found is not None and pair.task is not None:
            listed[pair.task.id] = _listed(pair.task, found)
    tested = [index for index, task in enumerate(tasks) if task.difference is not None and task.difference.p_value is not None]
    adjusted = holm([p_value for index in tested if (p_value := _p_value(tasks[index])) is not None])
    for index, p_value in zip(tested, adjusted, strict=True):
        tasks[index] = replace(tasks[index], p_adjusted=p_value)
    modalities = []
    for modality in Modality:
        rows = [entry for entry in listed.values() if entry.task.modality is modality]
        if _enough(rows):
            modalities.append(ComparedScore(modality.value, _over(rows, references, _modality_score(modality), alpha), len(rows)))
    levels = []
    entries = list(listed.values())
    for level in (2, 3, 4, 5) if _enough(entries) else ():
        levels.append(ComparedScore(f"level_{level}", _over(entries, references, _level_score(level), alpha), len(entries)))
    return RunComparison(alpha, draws, tuple(tasks), tuple(modalities), tuple(levels))


def mcnemar(only_a: int, only_b: int) -> float:
    """Two-sided exact p-value from the instances that only a, and only b, has right.

    >>> round(mcnemar(8, 2), 6)
    0.109375
    """
    discordant = only_a + only_b
    return min(1.0, 2.0 * binomial_at_least(max(only_a, only_b), discordant, 0.5)) if discordant else 1.0


def _compare_task(pair: PairedTask, alpha: float, draws: int, seed: int) -> tuple[ComparedTask, _Draws | None]:
    keys = sorted(pair.a.statistics.keys() & pair.b.statistics.keys())
    both = [key for key in keys if all(side.statistics[key][0] not in OPEN for side in (pair.a, pair.b))]
    counts = (len(both), len(pair.a.statistics) - len(keys), len(pair.b.statistics) - len(keys), len(keys) - len(both))
    metric, note = _comparable(pair, both)
    if metric is None:
        return ComparedTask(pair.description, None, *counts, note), None
    known = pair.a.clusters or pair.b.clusters
    rows = _Rows(
        metric,
        [(key, pair.a.statistics[key][1]) for key in both],
        [(key, pair.b.statistics[key][1]) for key in both],
        {key: known[key] for key in both if key in known},
    )
    found = _draw(rows, draws, pair.description.key, seed)
    if found is None:
        return ComparedTask(pair.description, None, *counts, f"{metric.id} knows no weights, so it cannot be compared"), None
    score_a, score_b = float(found.seen[0][0]), float(found.seen[1][0])
    differences = rows.differences()
    test, p_value = SIGN_FLIP, min(_permutation_p(score_a - score_b, found.swapped), _tail(score_a - score_b, found.swapped))
    if differences is not None and metric.id in BINARY:
        test, p_value = MCNEMAR, mcnemar(sum(value > 0.0 for value in differences), sum(value < 0.0 for value in differences))
    interval = effect = None
    centre, error, degrees = _error(score_a - score_b, differences, found.drawn, rows.units)
    if error > 0.0:
        reach = student_t_quantile(1.0 - alpha / 2.0, degrees) * error
        widest = metric.info.highest - metric.info.lowest
        interval = (max(-widest, centre - reach), min(widest, centre + reach))
        effect = reach + normal_quantile(POWER) * error
    return ComparedTask(pair.description, Difference(score_a, score_b, interval, p_value, effect, test), *counts), found


@dataclass(frozen=True, slots=True)
class _Rows:
    """A task's shared instances: (id, statistic) of both runs in the same order, and clusters of those that share one."""

    metric: Metric[Any]
    a: Sequence[tuple[str, Any]]
    b: Sequence[tuple[str, Any]]
    clusters: Mapping[str, Hashable]

    @property
    def units(self) -> int:
        return len({(0, self.clusters[key]) if key in self.clusters else (1, key) for key, _row in self.a})

    def differences(self) -> list[float] | None:
        """Per instance, where the score is a mean of one number each and no two instances share a cluster."""
        numbers = [(a, b) for (_key, a), (_same, b) in zip(self.a, self.b, strict=True) if isinstance(a, int | float)]
        return [a - b for a, b in numbers] if len(numbers) == len(self.a) == self.units else None


def _comparable(pair: PairedTask, both: Sequence[str]) -> tuple[Metric[Any] | None, str]:
    """The metric, or why there is nothing to compare."""
    other = pb.TaskDescription.FromString(pair.b.description)
    if other_data(pair.description, other):
        return None, "the runs are of different data here: the task's annotation is not the same"
    if (pair.description.metric, dict(pair.description.metric_parameters)) != (other.metric, dict(other.metric_parameters)):
        return None, f"scored by {pair.description.metric or 'no metric'} in the one run and by {other.metric or 'no metric'} in the other"
    measured = [description.provenance or "nothing that is named" for description in (pair.description, other)]
    if measured[0] != measured[1]:
        return None, f"measured with {measured[0]} in the one run and with {measured[1]} in the other"
    metric = create(pair.description.metric, dict(pair.description.metric_parameters), measuring=False) if pair.description.metric else None
    if metric is None:
        return None, "no metric of this task can be computed here"
    if not both:
        return None, "the runs share no instance that is answered in both"
    for name, side in (("first", pair.a), ("second", pair.b)):
        if all(side.statistics[key][0] is Outcome.UNSUPPORTED for key in both):
            return None, f"the {name} run's model does not take this task's modality"
        if any(side.statistics[key][1] is None for key in both):
            return None, f"an instance of the {name} run could not be measured"
    return metric, ""


def _draw(rows: _Rows, draws: int, name: str, seed: int) -> _Draws | None:
    import numpy as np

    one, other = weighted(rows.metric, rows.a, rows.clusters), weighted(rows.metric, rows.b, rows.clusters)
    # The two answers of an instance keep its place in the order of ids, by which equal confidences rank.
    sides = [[(f"{key}\0{side}", row) for key, row in entries] for side, entries in (("a", rows.a), ("b", rows.b))]
    owned = {f"{key}\0{side}": (side, cluster) for key, cluster in rows.clusters.items() for side in "ab"}
    mixed = weighted(rows.metric, [*sides[0], *sides[1]], owned)
    if one is None or other is None or mixed is None:
        return None
    generator = generator_of(name, SEED + seed)
    count = one.clusters
    ones = np.ones((1, count))
    parts: list[list[Floats]] = [[], [], [], []]
    step = max(1, MOST_WEIGHTS // (2 * count))
    for start in range(0, draws, step):
        size = min(step, draws - start)
        weights = cluster_weights(generator, count, size)
        swap = generator.integers(0, 2, size=(size, count)).astype(np.float64)
        scores = (one.score(weights), other.score(weights), *_swapped(mixed, swap))
        for part, score in zip(parts, scores, strict=True):
            part.append(score)
    joined = [np.concatenate(part) for part in parts]
    return _Draws(count, (one.score(ones), other.score(ones)), (joined[0], joined[1]), (joined[2], joined[3]))


def _swapped(mixed: Weighted, swap: Floats) -> tuple[Floats, Floats]:
    import numpy as np

    return mixed.score(np.hstack([1.0 - swap, swap])), mixed.score(np.hstack([swap, 1.0 - swap]))


def _error(seen: float, differences: Sequence[float] | None, drawn: tuple[Floats, Floats], units: int) -> tuple[float, float, int]:
    """(centre, standard error, degrees of freedom) of the difference; an error of 0 where it is not known.

    Shares, and means that differ by the same everywhere, get one pseudo-pair in each direction (Bonett and Price 2012): that nothing
    differed here does not prove that nothing ever would.
    """
    import numpy as np

    if units < 2:
        return seen, 0.0, 1
    if differences is not None and (set(differences) <= {-1.0, 0.0, 1.0} or len(set(differences)) == 1):
        padded = np.array([*differences, 1.0, -1.0])
        return 100.0 * float(padded.mean()), 100.0 * float(padded.std()) / math.sqrt(len(padded)), NORMAL
    if differences is not None:
        return seen, 100.0 * float(np.std(differences, ddof=1)) / math.sqrt(units), units - 1
    return seen, float(np.std(drawn[0] - drawn[1], ddof=1)) * math.sqrt(units / (units - 1)), units - 1


def _permutation_p(seen: float, swapped: tuple[Floats, Floats]) -> float:
    import numpy as np

    extreme = int(np.sum(np.abs(swapped[0] - swapped[1]) >= abs(seen) - _TINY))
    return (1 + extreme) / (1 + len(swapped[0]))


def _tail(seen: float, swapped: tuple[Floats, Floats]) -> float:
    """A bound of the permutation test's p-value where no draw was as extreme, so that corrections for many tasks can be met; else 1.

    A sum of numbers with random signs exceeds z times its root mean square with a chance of at most exp(-z^2 / 2) (Hoeffding 1963, theorem
    2), which is exact for means and of the first order for other scores. The root mean square is known from n draws alone: averaged over
    its (chi-squared) error the bound is (1 + z^2 / n)^(-n / 2).
    """
    import numpy as np

    differences = swapped[0] - swapped[1]
    square = float(np.mean(differences**2))
    if square <= 0.0 or float(np.max(np.abs(differences))) >= abs(seen) - _TINY:
        return 1.0
    draws = len(differences)
    return min(1.0, 2.0 * math.exp(-draws / 2.0 * math.log1p(seen * seen / square / draws)))


def _p_value(task: ComparedTask) -> float | None:
    return None if task.difference is None else task.difference.p_value


@dataclass(frozen=True, slots=True)
class _Compared:
    """A listed task with its draws, and the standard error of its difference of sigmas: the bootstrap's, and as it is taken."""

    task: Task
    draws: _Draws
    resampled: float
    error: float


def _listed(task: Task, draws: _Draws) -> _Compared:
    """The bootstrap's error is too small by sqrt((n - 1) / n), and 0 where the instances differ all alike, or there is but one.

    There one pseudo-pair in each direction is added, as for the task itself (see ``_error``).
    """
    import numpy as np

    one, other = (sigmas(task.metric.id, side) for side in draws.drawn)
    resampled, units = float(np.std(one - other, ddof=1)), draws.units
    if units > 1 and resampled > _TINY:
        return _Compared(task, draws, resampled, resampled * math.sqrt(units / (units - 1)))
    first, second = (float(sigmas(task.metric.id, side)[0]) for side in draws.seen)
    padded = np.array([*[(first - second) / 100.0] * units, 1.0, -1.0])
    return _Compared(task, draws, 0.0, 100.0 * float(padded.std()) / math.sqrt(len(padded)))


def _enough(entries: Sequence[_Compared]) -> bool:
    return sum(entry.draws.units for entry in entries) >= LEAST_UNITS


def _weights(tasks: Sequence[Task], *, mean: bool) -> list[float]:
    """What a point of each task's sigma is worth in Level 2 over these tasks, which has no language in it, or in their mean."""
    if mean:
        return [1.0 / len(tasks)] * len(tasks)
    sides = Counter((task.modality, task.paradigm) for task in tasks)
    paradigms = Counter(modality for modality, _paradigm in sides if modality in LEVEL_MODALITIES)
    return [
        1.0 / sides[task.modality, task.paradigm] / paradigms[task.modality] / len(paradigms) if task.modality in paradigms else 0.0
        for task in tasks
    ]


@dataclass(frozen=True, slots=True)
class _Reach:
    """Of Level 2, or a mean: its standard error, how much larger that is than the bootstrap's (0: that has none), and Student's t."""

    error: float
    stretch: float
    quantile: float


def _reach(entries: Sequence[_Compared], alpha: float, *, mean: bool) -> _Reach:
    """The tasks are independent; their degrees of freedom go together by Welch and Satterthwaite. mean: see ``_weights``."""
    weights = _weights([entry.task for entry in entries], mean=mean)
    parts = [(weight, entry) for weight, entry in zip(weights, entries, strict=True) if weight > 0.0]
    variances = [(weight * entry.error) ** 2 for weight, entry in parts]
    total = math.fsum(variances)
    if total <= 0.0:
        return _Reach(0.0, 0.0, 0.0)
    shares = math.fsum(
        (variance / total) ** 2 / max(1, entry.draws.units - 1) for variance, (_weight, entry) in zip(variances, parts, strict=True)
    )
    resampled = math.fsum((weight * entry.resampled) ** 2 for weight, entry in parts)
    stretch = math.sqrt(total / resampled) if resampled > 0.0 else 0.0
    return _Reach(math.sqrt(total), stretch, student_t_quantile(1.0 - alpha / 2.0, min(1.0 / shares, NORMAL)))


class _Score:
    """A function of all tasks' scores by draw."""

    def __init__(self, level: int | None, modality: Modality | None) -> None:
        self._level, self._modality = level, modality

    @property
    def linear(self) -> bool:
        """Whether it is a mean of the tasks' sigmas; the levels above the second count a task fully or not at all."""
        return (self._level or 2) == 2

    @property
    def mean(self) -> bool:
        """Whether it is the plain mean, as of language, which has no levels."""
        return self._modality is Modality.LANGUAGE

    def __call__(self, results: Sequence[TaskResult], values: Mapping[str, Floats], draws: int) -> Floats:
        import numpy as np

        if self.mean:
            mean: Floats = np.mean([sigmas(row.task.metric.id, values[row.task.id]) for row in results], axis=0)
            return mean
        return level_draws(results, values, draws)[self._level or 2]


def _modality_score(modality: Modality) -> _Score:
    return _Score(2 if modality in LEVEL_MODALITIES else None, modality)


def _level_score(level: int) -> _Score:
    return _Score(level, None)


def _over(entries: Sequence[_Compared], references: str, score: _Score, alpha: float) -> Difference:
    """The difference of a score over several tasks, and the permutation test over all of them.

    The interval is a t interval where the score is a mean, else the percentiles of the paired bootstrap, as much wider as that one is
    than the bootstrap of Level 2. It holds 0 where the test finds no difference.
    """
    import numpy as np

    results = [judge(entry.task, None, references) for entry in entries]

    def both(kind: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        sides = [{entry.task.id: getattr(entry.draws, kind)[side] for entry in entries} for side in (0, 1)]
        size = len(next(iter(sides[0].values())))
        return score(results, sides[0], size), score(results, sides[1], size)

    seen, drawn, swapped = both("seen"), both("drawn"), both("swapped")
    difference, reach = float(seen[0][0] - seen[1][0]), _reach(entries, alpha, mean=score.mean)
    error = reach.error if score.linear else reach.stretch * float(np.std(drawn[0] - drawn[1], ddof=1))
    p_value = _permutation_p(difference, swapped)
    if error <= _TINY:
        return Difference(float(seen[0][0]), float(seen[1][0]), None, p_value, None, SIGN_FLIP)
    if score.linear:
        ends = [difference - reach.quantile * error, difference + reach.quantile * error]
    else:
        wider = reach.stretch * reach.quantile / normal_quantile(1.0 - alpha / 2.0)
        percentiles = np.quantile(drawn[0] - drawn[1], [alpha / 2.0, 1.0 - alpha / 2.0])
        ends = [difference + wider * float(end - difference) for end in percentiles]
    # At its least the p-value says no more than that no draw was as extreme.
    if p_value > max(alpha, 1.0 / (1.0 + len(swapped[0]))):
        ends.append(0.0)
    interval = (max(-100.0, min(*ends, difference)), min(100.0, max(*ends, difference)))
    effect = (reach.quantile + normal_quantile(POWER)) * error
    return Difference(float(seen[0][0]), float(seen[1][0]), interval, p_value, effect, SIGN_FLIP)
