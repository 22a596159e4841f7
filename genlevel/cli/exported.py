"""What an export takes from the suite of a run: the form of its tasks' labels, and where the media of answers go."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.mime import modality_of
from genlevel.benchmark.model import Instance, Modality
from genlevel.benchmark.suites import load_suite
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import GenlevelError, NotFoundError
from genlevel.runtime.files import suffix_of
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from scorer.parsers import Box, Parsed, Structured, Unparsable, parse_answer
from scorer.predictions.writing import as_prediction, style_of

if TYPE_CHECKING:
    from genlevel.cli.connection import VerdictPort

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
        """The answer that is read, for a cell, in the form that ``label`` has; "" where none is."""
        read = self._read(answer)
        return "" if read is None or isinstance(read, Unparsable) else _cell(_in_label_form(read))

    def why_unread(self, answer: ev.ListAnswersResponse) -> str:
        """Why no answer can be read, in the parser's words; "" where one can."""
        read = self._read(answer)
        return read.reason if isinstance(read, Unparsable) else ""

    def label(self, answer: ev.ListAnswersResponse) -> str:
        """The label, for a cell: one text as it is, several and structures as JSON; "" where there is none."""
        instance = self._instances.get(answer.instance_id)
        if instance is None or instance.label is None:
            return ""
        return _cell(instance.label)

    def _read(self, answer: ev.ListAnswersResponse) -> Parsed | Unparsable | None:
        """None where there was no answer, or the annotation no longer has the instance."""
        instance = self._instances.get(answer.instance_id)
        if instance is None or answer.outcome != sc.OUTCOME_ANSWERED:
            return None
        files = tuple(file.path or file.blob.sha256 for file in answer.files)
        return parse_answer(instance.answer_type, answer.raw_answer, instance.options, files)


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


class ReadAnswers:
    """A run's answers as JSON, with what the scorer made of each; its answers are looked up a task at a time, as they come."""

    def __init__(self, scorer: VerdictPort, run: ev.Run, tasks: ExportedTasks) -> None:
        self._scorer = scorer
        self._run_id = run.run_id
        self._tasks = tasks
        self._last: tuple[str, dict[str, sc.ListInstancesResponse]] | None = None

    async def entry(self, answer: ev.ListAnswersResponse) -> dict[str, Any]:
        """The answer as ``answer_entry`` has it, but unparsable, and why, where the scorer could not read it; and its "score" or None."""
        from genlevel.cli.runs import answer_entry

        entry = answer_entry(answer)
        scored = (await self._scored(answer.task)).get(answer.instance_id)
        if scored is not None and scored.outcome == sc.OUTCOME_UNPARSABLE and answer.outcome == sc.OUTCOME_ANSWERED:
            entry |= {"outcome": "unparsable", "error": entry["error"] or self._why(answer)}
        return {**entry, "score": scored.score if scored is not None and scored.HasField("score") else None}

    async def _scored(self, task: str) -> dict[str, sc.ListInstancesResponse]:
        if self._last is None or self._last[0] != task:
            found: dict[str, sc.ListInstancesResponse] = {}
            with contextlib.suppress(NotFoundError):  # not scored yet
                async for one in self._scorer.list_instances(sc.ListInstancesRequest(run_id=self._run_id, task=task)):
                    found[one.instance_id] = one
            self._last = task, found
        return self._last[1]

    def _why(self, answer: ev.ListAnswersResponse) -> str:
        task = self._tasks.get(answer.task)
        if task is not None and (why := task.why_unread(answer)):
            return why
        return "no answer of the task's type could be read" if answer.raw_answer.strip() or answer.files else "the answer is empty"


def _in_label_form(read: Parsed) -> Any:
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


def _box(box: Box) -> dict[str, Any]:
    score = {} if box.confidence is None else {"score": box.confidence}
    return {"label": box.label, "box": [box.x, box.y, box.width, box.height], **score}


def _cell(value: Any) -> str:
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        value = value[0]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
