"""A run as a folder from which other machines can compute its result again: the result, the answers as they came, and their media.

``result.json`` is what `genlevel show --json` prints. ``answers.jsonl`` has the run in its first line and an answer in each of the others,
in any order, as messages of the contract. ``media/`` has the files that answers consist of, by their sha256.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf import json_format

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import BlobMissing, DatasetError, UsageError
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from genlevel.connection.services import Stored
    from genlevel.runtime.documents import Document

RESULT, ANSWERS, MEDIA = "result.json", "answers.jsonl", "media"
_LONGEST_LINE = 256 << 20
"""Characters of a line that are read: no answer is as long, and a line that was cut off is none."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """folder: of answers.jsonl and media. run: as it stood then. result: what is said of it."""

    folder: Path
    run: ev.Run
    result: Document

    def answers(self) -> Iterator[ev.ListAnswersResponse]:
        """As they came, with the record of each call, and ratings. Raises DatasetError naming the line that is none."""
        return _lines(self.folder / ANSWERS)

    def store_media(self, answer: ev.ListAnswersResponse, blobs: BlobStore) -> None:
        """Puts an answer's files into a blob store. Raises DatasetError for one that is missing or damaged."""
        for file in answer.files:
            sha256 = file.blob.sha256
            path = self.folder / MEDIA / Path(sha256.replace("\0", "")).name
            try:
                if not path.is_file() or path.stat().st_size != (file.blob.size_bytes or path.stat().st_size):
                    raise DatasetError(f"{path}: a file of the answer {answer.task}/{answer.instance_id} is missing or of another size")
                content = path.read_bytes()
            except OSError as error:
                raise DatasetError(
                    f"{path}: a file of the answer {answer.task}/{answer.instance_id} cannot be read ({error.strerror})"
                ) from None
            if hashlib.sha256(content).hexdigest() != sha256:
                raise DatasetError(f"{path}: its content has another hash than its name; export the run again")
            blobs.put(content, file.mime_type)


def read_result(path: Path) -> Document:
    """A result.json. Raises DatasetError for what is none."""
    try:
        document = json.loads(path.read_text("utf-8"), object_pairs_hook=_said_once)
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: cannot be read as a result ({str(error)[:200]})") from None
    if not isinstance(document, dict) or not _is_result(document):
        raise DatasetError(f"{path}: is no result, as `genlevel export --format json` writes it")
    return document


def _said_once(pairs: list[tuple[str, object]]) -> Document:
    """Of a name that is there twice, programs see the last value and people the first."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for number, (name, _value) in enumerate(pairs) if name in dict(pairs[:number]))
        raise ValueError(f"{twice[:80]!r} is there twice in one object")
    return found


def _is_result(document: Document) -> bool:
    """Whether what is looked into is of the shape that it has to have."""
    tasks = document.get("tasks")
    listed = isinstance(tasks, list) and all(isinstance(task, dict) and isinstance(task.get("key"), str) for task in tasks)
    parts = [document.get(name) for name in ("stamp", "level", "certified")]
    stamp = parts[0] or {}
    asked = [stamp.get(name) for name in ("asked", "genlevel", "references")] if isinstance(stamp, dict) else []
    return listed and all(part is None or isinstance(part, dict) for part in (*parts, *asked))


def read_bundle(folder: Path, result: Path | None = None) -> Bundle:
    """An exported run. result: what is said of it, if it is not its own result.json. Raises DatasetError."""
    path = folder / ANSWERS
    try:
        with path.open(encoding="utf-8") as file:
            run = json_format.ParseDict(json.loads(file.readline(_LONGEST_LINE))["run"], ev.Run(), ignore_unknown_fields=True)
        if run.status not in ev.RunStatus.values():
            raise ValueError(f"no status has the number {run.status}")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); `genlevel export RUN --format bundle` writes it") from None
    except (ValueError, KeyError, TypeError, RecursionError, json_format.ParseError) as error:
        raise DatasetError(f"{path}:1: is no run ({str(error)[:200]})") from None
    return Bundle(folder, run, read_result(result or folder / RESULT))


async def write_bundle(found: Stored, run: ev.Run, document: Document, target: Path, blobs: Path | str) -> int:
    """Writes a run into a new or empty folder. Returns the number of answers. blobs: the blob store that has the media of answers.

    Raises UsageError if there is something in the folder already, StorageError if media are missing.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target}: name a new or empty folder; no file is overwritten")
    target.mkdir(parents=True, exist_ok=True)
    store: BlobStore | None = None
    count = 0
    with (target / ANSWERS).open("w", encoding="utf-8") as file:
        file.write(_line("run", run))
        async for answer in found.evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id, whole=True)):
            file.write(_line("answer", answer))
            count += 1
            for media in answer.files:
                store = store or BlobStore.open(blobs)
                _write_media(target / MEDIA, store, media.blob.sha256, f"{answer.task}/{answer.instance_id}")
    (target / RESULT).write_text(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return count


def _write_media(folder: Path, store: BlobStore, sha256: str, answer: str) -> None:
    folder.mkdir(exist_ok=True)
    try:
        (folder / sha256).write_bytes(store.get(sha256))
    except BlobMissing as missing:
        raise DatasetError(f"a file of the answer {answer} is missing: {missing}") from None


def _line(name: str, message: ev.Run | ev.ListAnswersResponse) -> str:
    return json.dumps({name: json_format.MessageToDict(message, preserving_proto_field_name=True)}, ensure_ascii=False) + "\n"


def _lines(path: Path) -> Iterator[ev.ListAnswersResponse]:
    seen: set[tuple[str, AnswerKey]] = set()
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), ""), start=1):
            if number == 1 or not line.strip():
                continue
            try:
                answer = json_format.ParseDict(json.loads(line)["answer"], ev.ListAnswersResponse(), ignore_unknown_fields=True)
            except (ValueError, KeyError, TypeError, RecursionError, json_format.ParseError) as error:
                raise DatasetError(f"{path}:{number}: is no answer ({str(error)[:200]})") from None
            key = answer.task, AnswerKey(answer.instance_id, answer.variant, answer.repeat, answer.shuffle)
            if key in seen:
                raise DatasetError(f"{path}:{number}: is a second answer to {answer.task}/{answer.instance_id}")
            seen.add(key)
            yield answer


async def with_media(bundle: Bundle, blobs: BlobStore) -> AsyncIterator[ev.ListAnswersResponse]:
    """A bundle's answers, each once its media are in a blob store. Raises DatasetError."""
    for answer in bundle.answers():
        bundle.store_media(answer, blobs)
        yield answer
