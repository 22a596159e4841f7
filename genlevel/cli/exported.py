"""What an export takes from the suite of a run: the form of its tasks' labels, and where the media of answers go."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.mime import modality_of
from genlevel.benchmark.model import Instance, Modality
from genlevel.benchmark.suites import load_suite
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import GenlevelError
from genlevel.runtime.files import suffix_of
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from scorer.parsers import Unparsable, parse_answer
from scorer.prediction_writing import as_prediction, style_of

_FOLDERS = {Modality.IMAGE: "images", Modality.VIDEO: "videos", Modality.AUDIO: "audios", Modality.THREE_D: "pointclouds"}
_PLAIN = re.compile(r"[A-Za-z0-9][\w.-]{0,79}", re.ASCII)


class ExportedTask:
    """One task of a run, by its suite. Raises DatasetError where its annotation cannot be read."""

    def __init__(self, task: FolderTask) -> None:
        self.task = task
        self._style = style_of(task)
        self._instances: dict[str, Instance] = {instance.id: instance for instance in task.labelled()}

    def ordered(self, answers: Mapping[str, ev.ListAnswersResponse]) -> Iterator[ev.ListAnswersResponse]:
        """The answers in the annotation's order; those to instances that it no longer has come last."""
        yield from (answers[key] for key in self._instances if key in answers)
        yield from (answer for key, answer in answers.items() if key not in self._instances)

    def prediction(self, answer: ev.ListAnswersResponse, files: tuple[str, ...]) -> Any:
        """The answer in the form of the task's labels; None where none can be read. files: as they are named in the export."""
        instance = self._instances.get(answer.instance_id)
        return None if instance is None else as_prediction(answer.raw_answer, instance, self._style, files)

    def parsed(self, answer: ev.ListAnswersResponse) -> str:
        """The answer that is read, for a cell; "" where none is."""
        instance = self._instances.get(answer.instance_id)
        if instance is None or answer.outcome != sc.OUTCOME_ANSWERED:
            return ""
        files = tuple(file.path or file.blob.sha256 for file in answer.files)
        read = parse_answer(instance.answer_type.value, answer.raw_answer, instance.options, files)
        found = None if isinstance(read, Unparsable) else as_prediction(answer.raw_answer, instance, self._style, files)
        return "" if found is None else _cell(found)

    def label(self, answer: ev.ListAnswersResponse) -> str:
        """The label, for a cell: one text as it is, several and structures as JSON; "" where there is none."""
        instance = self._instances.get(answer.instance_id)
        if instance is None or instance.label is None:
            return ""
        label = instance.label
        return _cell(label[0] if isinstance(label, list) and len(label) == 1 and isinstance(label[0], str) else label)


class ExportedTasks:
    """A run's tasks by key, each read when it is asked for; the last one is kept, as answers come task by task."""

    def __init__(self, run: ev.Run) -> None:
        try:
            tasks = load_suite(run.specification.suite).tasks
        except GenlevelError:
            tasks = ()
        self._tasks = {task.key: task for task in tasks if isinstance(task, FolderTask)}
        self._last: tuple[str, ExportedTask | None] | None = None

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def sizes(self) -> dict[str, int]:
        """The number of instances of every task of the suite, asked or not."""
        return {key: task.count() for key, task in self._tasks.items()}

    def get(self, key: str) -> ExportedTask | None:
        """The task; None where the suite is no longer there, or cannot be read."""
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


class MediaFiles:
    """Writes the media of answers beside their predictions, in a folder of their kind. blobs: where they are stored."""

    def __init__(self, blobs: Path | str) -> None:
        self._where = blobs
        self._blobs: BlobStore | None = None

    def write(self, folder: Path, answer: ev.ListAnswersResponse) -> tuple[str, ...]:
        """The files of an answer, by their paths relative to ``folder``. Raises StorageError for an object that is not there."""
        return tuple(self._write(folder, answer.instance_id, number, file) for number, file in enumerate(answer.files))

    def _write(self, folder: Path, instance_id: str, number: int, file: sc.File) -> str:
        name = instance_id
        if _PLAIN.fullmatch(name) is None:
            name = hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:16]
        modality = modality_of(file.mime_type)
        kind = _FOLDERS.get(modality, "files") if modality is not None else "files"
        path = f"{kind}/{name}{f'_{number}' if number else ''}{suffix_of(file.mime_type)}"
        (folder / kind).mkdir(exist_ok=True)
        if self._blobs is None:
            self._blobs = BlobStore.open(self._where)
        content = Path(file.path).read_bytes() if file.WhichOneof("source") == "path" else self._blobs.get(file.blob.sha256)
        (folder / path).write_bytes(content)
        return path


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
