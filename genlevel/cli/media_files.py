"""Writes the media that answers consist of beside the predictions of an export."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from genlevel.benchmark.mime import modality_of
from genlevel.benchmark.model import Modality
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.files import suffix_of
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

_FOLDERS = {Modality.IMAGE: "images", Modality.VIDEO: "videos", Modality.AUDIO: "audios", Modality.THREE_D: "pointclouds"}
_PLAIN = re.compile(r"[A-Za-z0-9][\w.-]{0,79}", re.ASCII)


class MediaFiles:
    """Writes media into a folder of their kind. blobs: the blob store that has them."""

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
