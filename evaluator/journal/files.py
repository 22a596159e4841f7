"""Answers that are media, and how they are kept: bytes in the blob store, references in the journal."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import StorageError
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc


def has_media(response: gw.GenerateResponse) -> bool:
    """Whether an answer has media to be stored."""
    return any([part.HasField("media") for part in response.parts])


def keep_files(response: gw.GenerateResponse, blobs: BlobStore) -> str:
    """Stores the media of an answer and returns what the journal keeps of them; "" if it has none. Blocks: call it in a thread.

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
            place = f"a blob store that is not the evaluator's ({blobs.name})"
            raise StorageError(f"the gateway left an answer's media in {place}; set storage.blobs to one place for all services")
        kept.append([reference.sha256, reference.size_bytes, media.mime_type])
    return orjson.dumps(kept).decode() if kept else ""


def stored_files(kept: str) -> list[sc.File]:
    """The files that the journal keeps of an answer, in the answer's order."""
    return [
        sc.File(mime_type=mime_type, blob=ct.BlobReference(sha256=sha256, size_bytes=size))
        for sha256, size, mime_type in (orjson.loads(kept) if kept else ())
    ]


def kept_files(files: Iterable[sc.File]) -> str:
    """The inverse of ``stored_files``."""
    kept = [[file.blob.sha256, file.blob.size_bytes, file.mime_type] for file in files]
    return orjson.dumps(kept).decode() if kept else ""
