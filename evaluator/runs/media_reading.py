"""The bytes of an instance's media, by their place in the question, answer or label: no path comes from whoever asks."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from evaluator.journal.files import stored_files
from evaluator.journal.journal import Journal
from evaluator.journal.records import Answer, RunRecord
from genlevel.benchmark import frames, mime
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.label_files import files_in
from genlevel.benchmark.model import Instance
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import NotFoundError, StorageError, UsageError
from genlevel.runtime.files import suffix_of
from genlevel.runtime.shown import quoted
from genlevel.v1 import evaluator_pb2 as ev

CHUNK_BYTES = 256 << 10
T = TypeVar("T")
_FETCHED_BYTES = 4 << 20
"""Fetched at a time from a store that is not here."""


class Instances(Protocol):
    """Who knows what an answer is to."""

    def instance_of(self, record: RunRecord, answer: Answer) -> Instance | None: ...


@dataclass(frozen=True, slots=True)
class _Source:
    """Something to be read. read: bytes from an offset on; fewer at its end. Blocks."""

    fact: ev.MediaFact
    read: Callable[[int, int], bytes]


class MediaReading:
    """Reads media of a journal's answers, and of the questions and labels that these are to."""

    def __init__(self, journal: Journal, blobs: BlobStore, instances: Instances) -> None:
        self._journal = journal
        self._blobs = blobs
        self._instances = instances

    async def read(self, record: RunRecord, request: ev.ReadMediaRequest) -> AsyncIterator[ev.ReadMediaResponse]:
        """The medium's facts with the first bytes, then the others.

        Raises NotFoundError if there is no such answer or medium, UsageError for a part behind its end, StorageError if it cannot be read.
        """
        source = await self._journal.reads(self._source, record, request)
        size = source.fact.bytes
        if request.offset > size:
            raise UsageError(f"the medium has {size:,} bytes; byte {request.offset:,} is behind its end")
        end = min(size, request.offset + request.length) if request.length else size
        offset, first = request.offset, True
        while first or offset < end:
            data = await asyncio.to_thread(source.read, offset, min(_FETCHED_BYTES, end - offset)) if offset < end else b""
            if not data and offset < end:
                raise StorageError(f"{quoted(source.fact.name)} has {size - offset:,} bytes less than when reading began")
            for start in range(0, max(1, len(data)), CHUNK_BYTES):
                message = ev.ReadMediaResponse(data=data[start : start + CHUNK_BYTES])
                if first:
                    message.media.CopyFrom(source.fact)
                    first = False
                yield message
            offset += len(data)

    def _source(self, record: RunRecord, request: ev.ReadMediaRequest) -> _Source:
        key = AnswerKey(request.instance_id, request.variant, request.repeat, request.shuffle)
        answer = self._journal.answers_to(record.run_id, request.task, [key]).get(key)
        if answer is None:
            raise NotFoundError(f"run {record.run_id} has no answer to {quoted(request.instance_id)} of the task {quoted(request.task)}")
        if request.of == ev.MEDIA_OF_ANSWER:
            return self._of_answer(answer, request.position)
        if request.of not in (ev.MEDIA_OF_QUESTION, ev.MEDIA_OF_LABEL):
            raise UsageError("say whose medium is wanted: of the question, the answer or the label")
        instance = self._instances.instance_of(record, answer)
        if instance is None:
            raise NotFoundError("the suite that was asked is no longer where it was, or does not have the instance any more")
        if request.of == ev.MEDIA_OF_QUESTION:
            if instance.problem and request.position >= len(instance.media):
                raise NotFoundError(instance.problem)
            media = _at(instance.media, request.position, "question")
            if media.frames or media.path.is_dir():
                made = frames.as_video(media.frames or frames.frames_in(media.path))
                return _of_file(made, f"{media.path.name}.mp4")
            return _of_file(media.path, media.path.name)
        path = Path(_at(files_in(instance.label), request.position, "label"))
        return _of_file(path, path.name)

    def _of_answer(self, answer: Answer, position: int) -> _Source:
        file = _at(stored_files(answer.files), position, "answer")
        head = self._blobs.read_part(file.blob.sha256, 0, mime.HEAD_BYTES)
        said = mime.mime_type(head)
        suffix = suffix_of(file.mime_type if said == mime.UNKNOWN else said)
        fact = ev.MediaFact(name=f"answer-{position}{suffix}", mime_type=said, bytes=file.blob.size_bytes)

        def read(offset: int, length: int) -> bytes:
            return self._blobs.read_part(file.blob.sha256, offset, length)

        return _Source(fact, read)


def _at(media: Sequence[T], position: int, of: str) -> T:
    if position >= len(media):
        raise NotFoundError(f"the {of} has {len(media)} media; there is none at place {position}, counted from 0")
    return media[position]


def _of_file(path: Path, name: str) -> _Source:
    """A file of the suite. Raises NotFoundError if it is gone, UsageError for a folder."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise NotFoundError(f"the file {quoted(name)} cannot be opened ({error.strerror}): it was there when the suite was read") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"{quoted(name)} is a folder, whose files have no place of their own")
        head = os.read(descriptor, mime.HEAD_BYTES)
    finally:
        os.close(descriptor)
    fact = ev.MediaFact(name=name, mime_type=mime.mime_type(head), bytes=status.st_size)

    def read(offset: int, length: int) -> bytes:
        try:
            with path.open("rb") as again:
                if os.fstat(again.fileno()).st_size < status.st_size:
                    raise StorageError(f"the file {quoted(name)} has become shorter while it was read")
                again.seek(offset)
                return again.read(length)
        except OSError as error:
            raise StorageError(f"the file {quoted(name)} cannot be read ({error.strerror})") from None

    return _Source(fact, read)
