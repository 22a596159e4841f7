"""Why a verdict is what it is: which tasks decide it, and where the official ranker's numbers part from the paper's."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from genlevel.benchmark.metrics import Direction, metric, sigma
from genlevel.benchmark.model import Modality, Paradigm, Task
from genlevel.runtime.documents import Document
from scorer.levels.rules import LEVEL_MODALITIES, Levels, TaskResult
from scorer.workbooks.official import OfficialReport, OfficialRow
from scorer.workbooks.reader import task_finder

_SAME = 1e-9
_OTHER_SIZE = "the ranker divides by the rows there are, the paper's rule by the benchmark's tasks"
_CUT = "the ranker reads no further than the reference sheet is long"


@dataclass(frozen=True, slots=True)
class Margin:
    """How far a task is from its reference. by_value: in the metric's unit, positive if the model is better.

    by_sigma: the same on the scale 0-100, for comparing tasks of different metrics. level_3: what the value adds to the overall Level 3,
    or would add if it were a win; of a language task 0, and ``weight`` is what it adds to w_L.
    """

    task: Task
    value: float
    reference: float
    by_value: float
    by_sigma: float
    level_3: float
    weight: float


@dataclass(frozen=True, slots=True)
class RowDifference:
    """One row that the two rules count differently.

    row: in the sheet; None if the ranker does not get that far. paper, official: what the row adds to its side's Level 2 sum
    (sigma; the ranker's number).
    paper_reward, official_reward: what it adds to the sum of Levels 3-5. level_2, level_3: official minus paper in points of the overall
    score; for language 0, and ``weight`` has the difference in w_L. reasons: in words, at least one.
    """

    sheet: str
    row: int | None
    name: str
    paper: float
    official: float
    paper_reward: float
    official_reward: float
    paper_win: bool
    official_win: bool
    level_2: float
    level_3: float
    weight: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """wins: largest contribution to Level 3 first, then those of language by theirs to w_L. misses: the nearest first.

    needed: what the next level takes, one line each. differences: largest effect first; empty if no official report was given.
    crash: on what the ranker would have ended.
    """

    wins: tuple[Margin, ...]
    misses: tuple[Margin, ...]
    needed: tuple[str, ...]
    differences: tuple[RowDifference, ...]
    crash: str


def explain(results: Sequence[TaskResult], levels: Levels, official: OfficialReport | None = None) -> Explanation:
    """Over the results from which ``levels`` were computed."""
    worth = _Worth(results)
    margins = [(result, margin) for result in results if (margin := _margin(result, worth)) is not None]
    wins = [margin for result, margin in margins if result.win]
    misses = [margin for result, margin in margins if not result.win]
    differences = () if official is None else tuple(_differences(results, official))
    return Explanation(
        wins=tuple(sorted(wins, key=lambda margin: (-margin.level_3, -margin.weight, margin.task.id))),
        misses=tuple(sorted(misses, key=lambda margin: (-margin.by_sigma, margin.task.id))),
        needed=tuple(_needed(results, levels)),
        differences=differences,
        crash="" if official is None else official.crash,
    )


def explanation_json(explanation: Explanation, most_misses: int = 20) -> Document:
    """As `genlevel level --explain --json` prints it."""
    return {
        "wins": [_margin_json(margin) for margin in explanation.wins],
        "nearest_misses": [_margin_json(margin) for margin in explanation.misses[:most_misses]],
        "needed": list(explanation.needed),
        "official_crash": explanation.crash or None,
        "differences": [
            {
                "sheet": row.sheet,
                "row": row.row,
                "task": row.name,
                "paper": row.paper,
                "official": row.official,
                "paper_reward": row.paper_reward,
                "official_reward": row.official_reward,
                "paper_win": row.paper_win,
                "official_win": row.official_win,
                "level_2": row.level_2,
                "level_3": row.level_3,
                "w_L": row.weight,
                "reasons": list(row.reasons),
            }
            for row in explanation.differences
        ],
    }


class _Worth:
    """What a task's sigma is worth in the overall Level 3, or in w_L, under the paper's denominators."""

    def __init__(self, results: Sequence[TaskResult]) -> None:
        self._sizes = Counter((result.task.modality, result.task.paradigm) for result in results)
        self._sides = Counter(modality for modality, _paradigm in self._sizes)
        self._modalities = len(self._sides.keys() & set(LEVEL_MODALITIES))

    def of(self, result: TaskResult) -> tuple[float, float]:
        """(points of Level 3, points of w_L); one of them is 0."""
        modality = result.task.modality
        mean = result.contribution / self._sizes[modality, result.task.paradigm]
        if modality is Modality.LANGUAGE:
            return 0.0, mean / 100.0
        return mean / self._sides[modality] / self._modalities, 0.0


def _margin(result: TaskResult, worth: _Worth) -> Margin | None:
    if result.value is None or result.reference is None or result.sigma is None:
        return None
    sign = -1.0 if metric(result.task.metric.id).direction is Direction.LOWER else 1.0
    by_value = sign * (result.value - result.reference) + 0.0  # a tie is 0, not -0
    by_sigma = result.sigma - sigma(result.task.metric.id, result.reference)
    return Margin(result.task, result.value, result.reference, by_value, by_sigma, *worth.of(result))


def _margin_json(margin: Margin) -> Document:
    return {
        "task": margin.task.name,
        "sheet": margin.task.sheet,
        "metric": margin.task.metric.label,
        "value": margin.value,
        "reference": margin.reference,
        "margin": margin.by_value,
        "margin_sigma": margin.by_sigma,
        "level_3": margin.level_3,
        "w_L": margin.weight,
    }


def _needed(results: Sequence[TaskResult], levels: Levels) -> list[str]:
    """What the next level takes."""
    if levels.verdict == 5:
        return []
    if levels.verdict is None:
        return ["Level 2 needs one image, video, audio or 3D task with a score above the worst."]
    if all(result.reference is None for result in results):
        return ["All levels but 2 need specialists to win against, and this benchmark has none."]
    if levels.verdict == 2:
        return ["Level 3 needs one image, video, audio or 3D task at least as good as its specialist."]
    if levels.verdict == 3:
        return ["Level 4 needs wins in comprehension and in generation of one modality.", *_one_sided(results)]
    return ["Level 5 needs one language task at least as good as its specialist."]


def _one_sided(results: Sequence[TaskResult]) -> list[str]:
    wins = Counter((result.task.modality, result.task.paradigm) for result in results if result.win and result.reward > 0)
    lines = []
    for modality in LEVEL_MODALITIES:
        won = [paradigm for paradigm in Paradigm if wins[modality, paradigm]]
        if len(won) == 1:
            other = next(paradigm for paradigm in Paradigm if paradigm is not won[0])
            count = wins[modality, won[0]]
            lines.append(f"{modality}: {count} win{'s' if count > 1 else ''} in {won[0]}, none in {other}.")
    return lines


def _differences(results: Sequence[TaskResult], official: OfficialReport) -> list[RowDifference]:
    by_task = {result.task.id: result for result in results}
    sheets = {result.task.sheet.casefold() for result in results}
    finders = {sheet: task_finder([result.task for result in results if result.task.sheet.casefold() == sheet]) for sheet in sheets}
    scale = _Scale(results, official.rows)
    counted: set[str] = set()
    found = []
    for row in official.rows:
        if row.row is None or row.paired.sheet.casefold() not in finders:
            continue
        task = finders[row.paired.sheet.casefold()](row.written)
        double = task is not None and task.id in counted
        result = by_task[task.id] if task is not None and not double else None
        if task is not None:
            counted.add(task.id)
        paper, paper_reward = (result.contribution, result.reward) if result is not None else (0.0, 0.0)
        value = row.value if math.isfinite(row.value) else 0.0
        won = result is not None and result.win is True
        alike = abs(value - paper) <= _SAME and abs(row.reward - paper_reward) <= _SAME and row.win == won
        if alike and scale.is_shared(row.paired):
            continue
        if double:
            reasons = [f"{row.written!r} has another row, which counts"]
        else:
            reasons = [_OTHER_SIZE] if alike else _reasons(row, task, result, value, paper)
        if not alike or value or row.reward:
            found.append(scale.difference(row, result, value, tuple(reasons)))
    if not official.crash:
        unseen = (result for result in results if result.task.id not in counted and result.contribution > 0.0)
        found += [scale.difference(None, result, 0.0, (_CUT,), task=result.task) for result in unseen]
    return sorted(
        found, key=lambda row: (-abs(row.level_2) - abs(row.level_3) - 100.0 * abs(row.weight), row.sheet, row.row or math.inf, row.name)
    )


class _Scale:
    """What a row's number is worth in points of the overall scores, under each rule's own denominators."""

    def __init__(self, results: Sequence[TaskResult], rows: Sequence[OfficialRow]) -> None:
        self._paper = Counter((result.task.modality, result.task.paradigm) for result in results)
        self._official = Counter((row.paired.modality, row.paired.paradigm) for row in rows)
        self._read = Counter((row.paired.modality, row.paired.paradigm) for row in rows if row.row is not None)

    def is_shared(self, task: Task) -> bool:
        """Whether both rules divide by the same numbers on the task's side."""
        side = (task.modality, task.paradigm)
        return self._paper[side] == self._official[side] == self._read[side] and self._parts(self._paper) == self._parts(self._official)

    def difference(
        self, row: OfficialRow | None, paper: TaskResult | None, value: float, reasons: tuple[str, ...], *, task: Task | None = None
    ) -> RowDifference:
        """Official minus paper. row: None if the ranker does not see ``task`` at all. paper: None if the row counts for nothing."""
        own = row.paired if row is not None else task
        assert own is not None
        contribution, paper_reward = (paper.contribution, paper.reward) if paper is not None else (0.0, 0.0)
        reward = row.reward if row is not None else 0.0
        side, language = (own.modality, own.paradigm), own.modality is Modality.LANGUAGE
        theirs, ours = (1, 1) if language else (self._parts(self._official), self._parts(self._paper))
        size = (self._paper[side] or 1) * ours
        by_value = value / (self._read[side] or 1) / theirs - contribution / size
        by_reward = reward / (self._official[side] or 1) / theirs - paper_reward / size
        return RowDifference(
            sheet=own.sheet,
            row=None if row is None else row.row,
            name=own.name if row is None else row.written,
            paper=contribution,
            official=value,
            paper_reward=paper_reward,
            official_reward=reward,
            paper_win=paper is not None and paper.win is True,
            official_win=row is not None and row.win,
            level_2=0.0 if language else by_value,
            level_3=0.0 if language else by_reward,
            weight=by_reward / 100.0 if language else 0.0,
            reasons=reasons,
        )

    @staticmethod
    def _parts(sizes: Counter[tuple[Modality, Paradigm | None]]) -> int:
        """Levels 2-4 are means over two paradigms and the modalities there are."""
        return 2 * (len({modality for modality, _paradigm in sizes} & set(LEVEL_MODALITIES)) or 1)


def _reasons(row: OfficialRow, task: Task | None, result: TaskResult | None, value: float, paper: float) -> list[str]:
    reasons = []
    metric_id, label = row.paired.metric.id, row.paired.metric.label
    if task is None:
        reasons.append(f"{row.written!r} is not a task of this sheet; the ranker counts it as {row.paired.name!r}")
    elif task.id != row.paired.id:
        reasons.append(f"paired by position with the reference of {row.paired.name!r}")
    absent = result is None or result.value is None
    if metric_id == "wer":
        reasons.append("WER is read as a fraction, though it is written in percent")
    elif metric_id in {"chamfer", "rte"}:
        reasons.append(f"the label {label!r} is not recognised: not mapped, and higher counts as better")
    elif metric_id == "rmse" and row.paired.modality is Modality.LANGUAGE:
        reasons.append("the model's RMSE is mapped, the reference is not")
    elif result is not None and result.value == 0.0 and metric(result.task.metric.id).direction is Direction.LOWER:
        reasons.append("a perfect error of 0 counts as 0, like an unsupported task")
    if absent and row.win:
        reasons.append("a missing value counts as a number that beats the reference")
    if not reasons and result is not None and result.value is not None and _is_hundredth(row.value, result.value):
        reasons.append("the cell is shown as a percentage; the ranker takes the number stored in it")
    if not reasons and result is not None and row.win != bool(result.win):
        reasons.append("mapped values saturate, so different values tie")
    if not reasons and abs(value - paper) > _SAME:
        reasons.append("the ranker does not keep sigma within 0..100")
    return reasons or ["the reward differs with the pairing"]


def _is_hundredth(number: float, value: float) -> bool:
    return number != value and math.isclose(100.0 * number, value, rel_tol=1e-12)
