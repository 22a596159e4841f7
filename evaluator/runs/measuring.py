"""What units of a run add to their tasks' tests, as the scorer measures their answers: many at a time, and nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from evaluator.deciding.criteria import has_coordinates
from evaluator.journal.records import Said
from evaluator.planning.plans import TaskPlan
from evaluator.ports import ScorerPort
from evaluator.runs.scoring import told_answer
from evaluator.runs.sent_files import SentFiles
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.model import Instance
from genlevel.deciding.summing import unit_of
from genlevel.deciding.values import OPEN, RIGHT, WRONG, Unit
from genlevel.runtime.blobs import BlobStore
from genlevel.v1 import scorer_pb2 as sc

_MOST_BYTES = 8 << 20
"""Of one message to the scorer."""


@dataclass(frozen=True, slots=True)
class AnsweredUnit:
    """A unit of a task whose answers are there."""

    planned: TaskPlan
    instances: Sequence[Instance]
    said: Mapping[AnswerKey, Said]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a unit adds; whole: why that can only be said of all of the task's answers, in one line; "" = it is said, or lies in between.

    obstacle: why nothing can be certified of its task, whatever other units add; "" = nothing says so.
    """

    unit: Unit
    whole: str = ""
    obstacle: str = ""


class Measuring:
    """Measures answers of one run. header: of the run."""

    def __init__(self, scorer: ScorerPort, blobs: BlobStore, header: sc.ScoreTaskHeader) -> None:
        self._scorer = scorer
        self._blobs = blobs
        self._sent = SentFiles(None if scorer.takes_paths else blobs)
        self._header = sc.ScoreTaskHeader()
        self._header.CopyFrom(header)
        self._header.ClearField("benchmark_tasks")
        self._descriptions: dict[str, sc.TaskDescription] = {}

    def describe(self, planned: TaskPlan, description: sc.TaskDescription) -> None:
        """Says what the scorer is told of a task."""
        self._descriptions[planned.task.key] = description

    async def units(self, units: Sequence[AnsweredUnit]) -> list[Measured]:
        """What these add, in their order. Raises GenlevelError."""
        by_task: dict[str, list[int]] = {}
        for number, unit in enumerate(units):
            by_task.setdefault(unit.planned.task.key, []).append(number)
        found: dict[int, Measured] = {}
        for key, numbers in by_task.items():
            told = await self._of_task(key, [units[number] for number in numbers])
            found.update(zip(numbers, told, strict=True))
        return [found[number] for number in range(len(units))]

    async def _of_task(self, key: str, units: Sequence[AnsweredUnit]) -> list[Measured]:
        asked = [(unit, instance, answer) for unit in units for instance in unit.instances for answer in unit.planned.keys(instance)]
        build = partial(self._requests, key, asked)
        requests = build() if self._scorer.takes_paths else await self._blobs.writes(build)
        answers: list[sc.MeasuredAnswer] = []
        for request in requests:
            answers += (await self._scorer.measure_answers(request)).answers
        following = iter(answers)
        return [_measured(unit, following) for unit in units]

    def _requests(self, key: str, asked: Sequence[tuple[AnsweredUnit, Instance, AnswerKey]]) -> list[sc.MeasureAnswersRequest]:
        requests: list[sc.MeasureAnswersRequest] = []
        room = 0
        for unit, instance, answer in asked:
            message = told_answer(answer, instance, unit.said.get(answer), unit.planned, self._sent)
            size = message.ByteSize()
            if not requests or size > room:
                requests.append(sc.MeasureAnswersRequest(header=self._header))
                requests[-1].header.task.CopyFrom(self._descriptions[key])
                room = _MOST_BYTES
            requests[-1].instances.append(message)
            room -= size
        return requests


def _measured(unit: AnsweredUnit, answers: Iterator[sc.MeasuredAnswer]) -> Measured:
    told = [[next(answers) for _ in unit.planned.keys(instance)] for instance in unit.instances]
    if obstacle := next((one.obstacle for answered in told for one in answered if one.obstacle), ""):
        return Measured(OPEN, obstacle=obstacle)
    # Coordinates lie between bounds whatever they mean: such a task is told as a whole once it has all units (``Settling.turned``).
    between = has_coordinates(unit.planned)
    whole = next((one.whole for answered in told for one in answered if one.whole and not (between and one.best_below)), "")
    if whole:
        return Measured(OPEN, whole)
    if len(told) == len(told[0]) == 1 and (alone := _ALONE.get(told[0][0].SerializeToString())) is not None:
        return alone
    return Measured(unit_of([[_added(one) for one in answered] for answered in told]))


_ALONE = {
    sc.MeasuredAnswer(worst_above=above, worst_below=1.0, best_above=above, best_below=1.0).SerializeToString(): Measured(unit)
    for above, unit in ((1.0, RIGHT), (0.0, WRONG))
}
"""Answers alone in their units that are right or wrong, which nearly all are."""


def _added(answer: sc.MeasuredAnswer) -> Unit:
    return Unit((answer.worst_above, answer.worst_below), (answer.best_above, answer.best_below))
