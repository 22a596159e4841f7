"""What an export takes from the suite of a run: its tasks, their labels, and answers in the form of these labels."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from functools import cached_property

from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.model import Instance
from genlevel.benchmark.suites import load_suite
from genlevel.runtime.documents import Document
from genlevel.runtime.errors import GenlevelError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from scorer.parsers import Box, Parsed, Structured, Unparsable, parse_answer
from scorer.predictions.writing import as_prediction, style_of


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

    def prediction(self, answer: ev.ListAnswersResponse, files: tuple[str, ...]) -> object:
        """The answer in the form of the task's labels; None if none can be read. files: as they are named in the export."""
        instance = self._instances.get(answer.instance_id)
        return None if instance is None else as_prediction(answer.raw_answer, instance, self._style, files)

    def parsed(self, answer: ev.ListAnswersResponse) -> str:
        """The answer that is read, for a cell, in the form that ``label`` has; "" if none is."""
        read = self._read(answer)
        return "" if read is None or isinstance(read, Unparsable) else _cell(_in_label_form(read))

    def why_unread(self, answer: ev.ListAnswersResponse) -> str:
        """Why no answer can be read, in the parser's words; "" if one can."""
        read = self._read(answer)
        return read.reason if isinstance(read, Unparsable) else ""

    def label(self, answer: ev.ListAnswersResponse) -> str:
        """The label, for a cell: one text as it is, several and structures as JSON; "" if there is none."""
        instance = self._instances.get(answer.instance_id)
        if instance is None or instance.label is None:
            return ""
        return _cell(instance.label)

    def _read(self, answer: ev.ListAnswersResponse) -> Parsed | Unparsable | None:
        """None if there was no answer, or if the annotation no longer has the instance."""
        instance = self._instances.get(answer.instance_id)
        if instance is None or answer.outcome != sc.OUTCOME_ANSWERED:
            return None
        files = tuple(file.path or file.blob.sha256 for file in answer.files)
        return parse_answer(instance.answer_type, answer.raw_answer, instance.options, files)


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


def _in_label_form(read: Parsed) -> object:
    """An answer that was read, in the normal form of labels."""
    match read:
        case Structured():
            return read.value
        case float():
            return str(int(read) if read.is_integer() and abs(read) < 1e15 else read)
        case tuple():
            return [_box(part) if isinstance(part, Box) else part for part in read]
        case _:
            return read


def _box(box: Box) -> Document:
    score = {} if box.confidence is None else {"score": box.confidence}
    return {"label": box.label, "box": [box.x, box.y, box.width, box.height], **score}


def _cell(value: object) -> str:
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        value = value[0]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
