"""What a run asks, decided: the specification that a user gave, resolved against its suite and its model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from evaluator.planning.chosen import chosen_hash
from evaluator.planning.identity import is_partial
from evaluator.planning.prompts import PromptSet, prompt_set
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.model import Instance, Suite, SuiteTask
from genlevel.benchmark.selection import problems_of
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """A task as one run asks it.

    positions: the instances asked, ascending; None = all. count: how many. repeats: how often each is asked. video_frames, boxes: as of
    the model's route (``ModelInfo``).
    """

    task: SuiteTask
    positions: Sequence[int] | None
    count: int
    repeats: int = 1
    video_frames: int = 0
    boxes: str = ""

    @property
    def answers(self) -> int:
        """How many answers are asked for."""
        return self.count * self.repeats

    def keys(self, instance: Instance) -> list[AnswerKey]:
        """The answers that are asked for to one of the instances."""
        return [AnswerKey(instance.id, repeat=repeat) for repeat in range(self.repeats)]

    @property
    def metric(self) -> str:
        """The id of the task's metric; "" if none is known."""
        return self.task.metric.id if self.task.metric is not None else ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that one run asks. identity: the hash of what identifies it. notes: what a person has to know of its model, a line each.

    prompts: how it asks; of an earlier version, if it began with that.
    """

    specification: ev.RunSpecification
    suite: Suite
    model: gw.ModelInfo
    tasks: tuple[TaskPlan, ...]
    identity: str
    notes: tuple[str, ...] = ()
    prompts: PromptSet = field(default_factory=prompt_set)

    def with_boxes(self, boxes: str) -> Plan:
        """With this convention of coordinates (``ModelInfo.boxes``) in place of what the route says now."""
        return replace(self, tasks=tuple(replace(planned, boxes=boxes) for planned in self.tasks))

    @property
    def total(self) -> int:
        """How many answers are asked for."""
        return sum(planned.answers for planned in self.tasks)

    @property
    def is_sampled(self) -> bool:
        """Whether a sample of its tasks' instances is meant, or those that were chosen, and not all."""
        return bool(self.specification.limit or self.specification.chosen)

    @property
    def chosen(self) -> str:
        """The hash of the instances that were chosen; "" if none were."""
        return chosen_hash([(one.task, one.positions) for one in self.specification.chosen])

    @property
    def repeats(self) -> int:
        """How often each instance is asked."""
        return max(1, self.specification.repeats)

    @property
    def order_seed(self) -> int:
        """The seed of the order in which units are asked: 0 if no sample is drawn, as the specification's then tells no run apart."""
        return self.specification.seed if self.specification.limit else 0

    def seed(self, repeat: int) -> int | None:
        """The seed of a call; None if it has none: seeds tell repeats apart, if the model takes them."""
        return repeat if self.repeats > 1 and self.model.takes_seed else None

    @property
    def covers(self) -> list[str]:
        """What its tasks are called: in the suite, and in the benchmark if they are listed there."""
        keys = {planned.task.key for planned in self.tasks}
        return sorted(keys | {planned.task.task.id for planned in self.tasks if planned.task.task is not None})

    @property
    def problems(self) -> list[str]:
        """The notes, and what of the tasks that are asked could not be resolved or read, a line each."""
        return [*self.notes, *problems_of(self.suite, [planned.task for planned in self.tasks])]

    @property
    def partial(self) -> bool:
        """Whether less than the whole benchmark is asked."""
        return is_partial(self.suite, [planned.task for planned in self.tasks], sampled=self.is_sampled)
