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
    """Measures answers of one run. descriptions: of its tasks, by their keys, as the scorer is told of them."""

    def __init__(self, scorer: ScorerPort, blobs: BlobStore, descriptions: Mapping[str, sc.TaskDescription]) -> None:
        self._scorer = scorer
        self._blobs = blobs
        self._sent = SentFiles(None if scorer.takes_paths else blobs)
        self._descriptions = descriptions

    async def units(self, units: Sequence[AnsweredUnit]) -> list[Measured]:
        """What these add, in their order. Raises GenlevelError."""
        numbers = sorted(range(len(units)), key=lambda number: units[number].planned.task.key)  # stable: a task's stay in their order
        by_task = [units[number] for number in numbers]
        build = partial(self._requests, by_task)
        requests = build() if self._scorer.takes_paths else await self._blobs.writes(build)
        answers: list[sc.MeasuredAnswer] = []
        for request in requests:
            answers += (await self._scorer.measure_answers(request)).answers
        following = iter(answers)
        found = dict(zip(numbers, [_measured(unit, following) for unit in by_task], strict=True))
        return [found[number] for number in range(len(units))]

    def _requests(self, by_task: Sequence[AnsweredUnit]) -> list[sc.MeasureAnswersRequest]:
        requests: list[sc.MeasureAnswersRequest] = []
        room, task = 0, ""
        for unit in by_task:
            key = unit.planned.task.key
            for message in self._told(unit):
                size = message.ByteSize()
                if not requests or size > room:
                    requests.append(sc.MeasureAnswersRequest())
                    room, task = _MOST_BYTES, ""
                if key != task:
                    requests[-1].tasks.add(task=self._descriptions[key])
                    task = key
                requests[-1].tasks[-1].instances.append(message)
                room -= size
        return requests

    def _told(self, unit: AnsweredUnit) -> Iterator[sc.InstanceAnswer]:
        for instance in unit.instances:
            for answer in unit.planned.keys(instance):
                yield told_answer(answer, instance, unit.said.get(answer), unit.planned, self._sent)


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
