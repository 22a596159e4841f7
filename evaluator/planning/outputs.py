"""Answers that are media: which kind a task asks for, and how they are kept: bytes in the blob store, references in the journal."""

from __future__ import annotations

import orjson

from genlevel.benchmark.model import AnswerType, Instance, Modality, Paradigm, SuiteTask
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import StorageError
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

MODALITIES: dict[Modality, ct.Modality] = {
    Modality.LANGUAGE: ct.MODALITY_TEXT,
    Modality.IMAGE: ct.MODALITY_IMAGE,
    Modality.VIDEO: ct.MODALITY_VIDEO,
    Modality.AUDIO: ct.MODALITY_AUDIO,
    Modality.THREE_D: ct.MODALITY_THREE_D,
}
OUTPUT_NAMES: dict[int, str] = {
    ct.MODALITY_TEXT: "text",
    ct.MODALITY_IMAGE: "images",
    ct.MODALITY_VIDEO: "video",
    ct.MODALITY_AUDIO: "audio",
    ct.MODALITY_THREE_D: "3D",
}


def asked_output(task: SuiteTask, instance: Instance) -> ct.Modality:
    """What the answer to an instance consists of.

    Text, but for answers that are media: those of generation tasks have their task's modality; those of comprehension tasks are
    maps (depth, flow, mattes), which are pictures.
    """
    if instance.answer_type is not AnswerType.MEDIA:
        return ct.MODALITY_TEXT
    made = task.paradigm is Paradigm.GENERATION and task.modality is not Modality.LANGUAGE
    return MODALITIES[task.modality] if made else ct.MODALITY_IMAGE


def keep_files(response: gw.GenerateResponse, blobs: BlobStore) -> str:
    """Stores the media of an answer and returns what the journal keeps of them; "" where it has none. Blocks: call it in a thread.

    Raises StorageError: they cannot be stored, or are not in this blob store although the gateway says so.
    """
    kept = []
    for part in response.parts:
        if part.WhichOneof("part") != "media":
            continue
        media = part.media
        if media.WhichOneof("source") == "inline":
            reference = blobs.put(media.inline, media.mime_type)
        elif media.WhichOneof("source") == "blob" and blobs.has(media.blob.sha256):
            reference = media.blob
        else:
            where = f"a blob store that is not the evaluator's ({blobs.name})"
            raise StorageError(f"the gateway left an answer's media in {where}; set storage.blobs to one place for all services")
        kept.append([reference.sha256, reference.size_bytes, media.mime_type])
    return orjson.dumps(kept).decode() if kept else ""


def stored_files(kept: str) -> list[sc.File]:
    """The files that the journal keeps of an answer, in the answer's order."""
    return [
        sc.File(mime_type=mime_type, blob=ct.BlobReference(sha256=sha256, size_bytes=size))
        for sha256, size, mime_type in (orjson.loads(kept) if kept else ())
    ]


def has_media(response: gw.GenerateResponse) -> bool:
    """Whether an answer has media to be stored."""
    return any(part.WhichOneof("part") == "media" for part in response.parts)
