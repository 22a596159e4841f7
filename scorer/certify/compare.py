"""Two runs of one suite on the instances that both have: how far apart they are, how sure that is, and what could have been found.

Instances are paired, so what makes one hard for both cancels out. Per task a difference with a paired interval and a test of "no
difference": McNemar's exact test for right or wrong answers, else a permutation test that swaps the two answers of an instance (of a
cluster) at random, which for a mean is the sign-flip test; if its draws cannot tell, a bound of its tail. Modalities and levels: the
same draws over all tasks at once, and intervals from a paired stratified cluster bootstrap, widened for few instances.
See ``scorer.certify.paired`` for one task, ``scorer.certify.several`` for many.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.model import Modality, Task
from genlevel.benchmark.outcomes import OPEN, Outcome
from scorer.certify.distributions import normal_quantile, student_t_quantile
from scorer.certify.multiplicity import holm
from scorer.certify.paired import (
    MCNEMAR,
    SIGN_FLIP,
    Difference,
    PairedDraws,
    PairedRows,
    difference_error,
    drawn,
    mcnemar,
    permutation_p,
    tail,
)
from scorer.certify.rows import named
from scorer.certify.several import POWER, DrawnTask, drawn_task, enough, level_score, modality_score, over_tasks
from scorer.metrics import Metric, create
from scorer.tasks import TaskAnswers, TaskRecord, other_data

DRAWS = 2000


@dataclass(frozen=True, slots=True)
class PairedTask:
    """A task that both runs have. listed: the benchmark's; None if it is unlisted."""

    listed: Task | None
    a: TaskAnswers
    b: TaskAnswers


@dataclass(frozen=True, slots=True)
class ComparedTask:
    """shared: instances compared. only_a, only_b: that one run alone has. open: failed or pending in a run. note: why no difference."""

    task: TaskRecord
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


def compare(pairs: Iterable[PairedTask], references: str = "workbook", *, alpha: float, draws: int = DRAWS, seed: int = 0) -> RunComparison:
    """Compares task by task, and over all of the benchmark's tasks among them.

    Scores are those of the shared instances alone; levels are over the compared tasks alone, and there are none (nor of a modality) if
    these share fewer than LEAST_UNITS instances. Seeded: the same input gives the same figures.
    """
    tasks: list[ComparedTask] = []
    listed: dict[str, DrawnTask] = {}
    for pair in pairs:
        compared, found = _compare_task(pair, alpha, draws, seed)
        tasks.append(compared)
        if found is not None and pair.listed is not None:
            listed[pair.listed.id] = drawn_task(pair.listed, found)
    tested = [index for index, task in enumerate(tasks) if task.difference is not None and task.difference.p_value is not None]
    adjusted = holm([p_value for index in tested if (p_value := _p_value(tasks[index])) is not None])
    for index, p_value in zip(tested, adjusted, strict=True):
        tasks[index] = replace(tasks[index], p_adjusted=p_value)
    modalities = []
    for modality in Modality:
        rows = [entry for entry in listed.values() if entry.task.modality is modality]
        if enough(rows):
            modalities.append(ComparedScore(modality.value, over_tasks(rows, references, modality_score(modality), alpha), len(rows)))
    levels = []
    entries = list(listed.values())
    for level in (2, 3, 4, 5) if enough(entries) else ():
        levels.append(ComparedScore(f"level_{level}", over_tasks(entries, references, level_score(level), alpha), len(entries)))
    return RunComparison(alpha=alpha, draws=draws, tasks=tuple(tasks), modalities=tuple(modalities), levels=tuple(levels))


def _compare_task(pair: PairedTask, alpha: float, draws: int, seed: int) -> tuple[ComparedTask, PairedDraws | None]:
    keys = sorted(pair.a.statistics.keys() & pair.b.statistics.keys())
    both = [key for key in keys if all(side.statistics[key][0] not in OPEN for side in (pair.a, pair.b))]
    metric, note = _comparable(pair, both)
    compared = ComparedTask(
        task=pair.a.task,
        difference=None,
        shared=len(both),
        only_a=len(pair.a.statistics) - len(keys),
        only_b=len(pair.b.statistics) - len(keys),
        open=len(keys) - len(both),
        note=note,
    )
    if metric is None:
        return compared, None
    known = pair.a.clusters or pair.b.clusters
    rows = PairedRows(
        metric,
        [(str(key), pair.a.statistics[key][1]) for key in both],
        [(str(key), pair.b.statistics[key][1]) for key in both],
        named(known, both),
    )
    found = drawn(rows, draws, pair.a.task.key, seed)
    if found is None:
        return replace(compared, note=f"{metric.id} cannot weight instances, so it cannot be compared"), None
    return replace(compared, difference=_difference(rows, found, alpha)), found


def _difference(rows: PairedRows, found: PairedDraws, alpha: float) -> Difference:
    score_a, score_b = float(found.seen[0][0]), float(found.seen[1][0])
    differences = rows.differences()
    test, p_value = SIGN_FLIP, min(permutation_p(score_a - score_b, found.swapped), tail(score_a - score_b, found.swapped))
    if differences is not None and rows.metric.nature.is_share:
        test, p_value = MCNEMAR, mcnemar(sum(value > 0.0 for value in differences), sum(value < 0.0 for value in differences))
    interval = effect = None
    centre, error, degrees = difference_error(score_a - score_b, differences, found.drawn, rows.units)
    if error > 0.0:
        reach = student_t_quantile(1.0 - alpha / 2.0, degrees) * error
        widest = rows.metric.info.highest - rows.metric.info.lowest
        interval = (max(-widest, centre - reach), min(widest, centre + reach))
        effect = reach + normal_quantile(POWER) * error
    return Difference(score_a=score_a, score_b=score_b, interval=interval, p_value=p_value, smallest_detectable=effect, test=test)


def _comparable(pair: PairedTask, both: Sequence[AnswerKey]) -> tuple[Metric[object] | None, str]:
    """The metric, or why there is nothing to compare."""
    one, other = pair.a.task, pair.b.task
    if other_data(one, other):
        return None, "the runs have different data here: the task's annotations, or files beside them, differ"
    asked = [None if task.metric is None else (task.metric.id, task.metric.parameters) for task in (one, other)]
    if asked[0] != asked[1]:
        names = [task.metric.id if task.metric else "no metric" for task in (one, other)]
        return None, f"scored by {names[0]} in the one run and by {names[1]} in the other"
    measured = [task.provenance or "nothing that is named" for task in (one, other)]
    if measured[0] != measured[1]:
        return None, f"measured with {measured[0]} in the one run and with {measured[1]} in the other"
    metric = create(one.metric.id, dict(one.metric.parameters), measuring=False) if one.metric else None
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


def _p_value(task: ComparedTask) -> float | None:
    return None if task.difference is None else task.difference.p_value
