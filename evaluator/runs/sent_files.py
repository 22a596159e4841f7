"""Files that the scorer is told of: by their paths if it is in this process, else stored and told by reference."""

from __future__ import annotations

from pathlib import Path

from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import DatasetError
from genlevel.v1 import scorer_pb2 as sc


class SentFiles:
    """Names files for the scorer.

    Args:
        blobs: the store that it shares with the scorer; None: the scorer takes paths.
        measured: whether any answer of the task is measured; else neither labels nor questions are sent.
    """

    def __init__(self, blobs: BlobStore | None, *, measured: bool = True) -> None:
        self._blobs = blobs
        self.measured = measured

    def file(self, path: Path, mime_type: str) -> sc.File:
        """A file of the data set. Raises DatasetError if it cannot be read, StorageError if it cannot be stored."""
        if self._blobs is None:
            return sc.File(mime_type=mime_type, path=str(path))
        return sc.File(mime_type=mime_type, blob=self._blobs.put(_content(path), mime_type))

    def label(self, value: object) -> object:
        """A label with its nodes {"file": path}; if paths are not taken, {"blob": ..} stands for them (scorer.scoring.files).

        Raises DatasetError if a file cannot be read, StorageError if it cannot be stored.
        """
        return value if self._blobs is None else self._stored(value, self._blobs)

    def _stored(self, value: object, blobs: BlobStore) -> object:
        match value:
            case {"file": str() as path, **others} if Path(path).is_absolute():
                return {**others, "blob": _blob(Path(path), blobs)}
            case dict():
                return {key: self._stored(entry, blobs) for key, entry in value.items()}
            case list() if not all(isinstance(entry, int | float | str) for entry in value):
                return [self._stored(entry, blobs) for entry in value]
            case _:
                return value


def _blob(path: Path, blobs: BlobStore) -> dict[str, object]:
    if path.is_dir():
        return {"entries": [[entry.name, blobs.put(_content(entry)).sha256] for entry in sorted(path.iterdir()) if entry.is_file()]}
    return {"sha256": blobs.put(_content(path)).sha256, "suffix": path.suffix.lower()}


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None
