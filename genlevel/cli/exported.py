"""What an export takes from the suite of a run: its tasks, their labels, and answers in the form of these labels."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from functools import cached_property

from genlevel.benchmark.answer_kinds import KINDS
from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.model import Instance
from genlevel.benchmark.suites import load_suite
from genlevel.runtime.errors import GenlevelError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from scorer.predictions.writing import as_prediction, style_of
from scorer.scoring.readings import from_label_form


class ExportedTask:
    """One task of a run, by its suite. Raises DatasetError if its annotation cannot be read."""

    def __init__(self, task: FolderTask) -> None:
        self.task = task
        self._style = style_of(task)
        self._instances: dict[str, Instance] = {instance.id: instance for instance in task.labelled()}

    def ordered(self, answers: Mapping[str, ev.ListAnswersResponse]) -> Iterator[ev.ListAnswersResponse]:
        """The answers in the annotation's order; those to instances that it no longer has come last."""
        yield from (answers[key] for key in self._instances if key in answers)
        yield from (answer for key, answer in answers.items() if key not in self._instances)

    def prediction(self, answer: ev.ListAnswersResponse, files: tuple[str, ...], scored: sc.ListInstancesResponse | None) -> object:
        """The answer in the form of the task's labels; None if none can be read.

        files: as they are named in the export. scored: what the scorer read in it, if that is known.
        """
        instance = self._instances.get(answer.instance_id)
        if instance is None:
            return None
        read = None
        if scored is not None and scored.parsed_json and not scored.parsed_cut and not files:
            read = from_label_form(json.loads(scored.parsed_json), KINDS[instance.answer_type].shape)
        return as_prediction(answer.raw_answer, instance, self._style, files, read=read)


class ExportedTasks:
    """A run's tasks by key, each read when it is asked for; the last one is kept, as answers come task by task."""

    def __init__(self, run: ev.Run) -> None:
        self._suite = run.specification.suite
        self._last: tuple[str, ExportedTask | None] | None = None

    @cached_property
    def _tasks(self) -> dict[str, FolderTask]:
        """Of the suite, which is read when the first task is asked for; empty if it is no longer there."""
        with contextlib.suppress(GenlevelError):
            return {task.key: task for task in load_suite(self._suite).tasks if isinstance(task, FolderTask)}
        return {}

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def sizes(self) -> dict[str, int]:
        """The number of instances of every task of the suite, asked or not."""
        return {key: task.count() for key, task in self._tasks.items()}

    def get(self, key: str) -> ExportedTask | None:
        """The task; None if the suite is no longer there, or if the task cannot be read."""
        if self._last is None or self._last[0] != key:
            found = None
            if key in self._tasks:
                with contextlib.suppress(GenlevelError):
                    found = ExportedTask(self._tasks[key])
            self._last = key, found
        return self._last[1]


def envelope_of(key: str, task: ExportedTask | None) -> dict[str, str]:
    """What stands beside the predictions of a task, from its annotation."""
    if task is None:
        return {"task": key.rpartition("/")[2], "skill": "", "type": ""}
    envelope = task.task.survey.envelope
    return {"task": task.task.name, "skill": envelope.skill, "type": envelope.type}
