"""The files that answers, questions and labels name, on this machine: as paths within one process, from the shared blob store otherwise.

What comes over the network names stored objects only: a path in it would let its sender read any file of this machine.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from genlevel.runtime.errors import BlobMissing, UsageError
from genlevel.runtime.files import FileCache, Lease, suffix_of
from genlevel.runtime.shown import quoted
from genlevel.v1 import scorer_pb2 as sc
from scorer.parsers.nodes import FILE, replaced_nodes

BLOB = "blob"
"""On the wire {"blob": {"sha256": .., "suffix": ".png"}} stands for it, and {"blob": {"entries": [[name, sha256], ..]}} for a folder."""


class InstanceFiles(NamedTuple):
    """Where an instance's files lie: the label with paths in it, the answer's files, and those of the question."""

    label: object
    files: tuple[str, ...]
    inputs: tuple[str, ...]


class FileAccess:
    """Turns what a message names into paths.

    Args:
        cache: files of the shared blob store; None: there is none.
        from_network: paths are refused, and labels name stored objects.
    """

    def __init__(self, cache: FileCache | None, *, from_network: bool) -> None:
        self._cache = cache
        self._from_network = from_network

    def lease(self) -> Lease | None:
        """Holds files while an instance is measured; None if there is no blob store."""
        return None if self._cache is None else self._cache.lease()

    def of(self, answer: sc.InstanceAnswer, label: object, lease: Lease | None) -> InstanceFiles:
        """The files of one instance. Raises UsageError for a path from the network, StorageError for an object that is not there."""
        if not (self._from_network or answer.files or answer.inputs):
            return InstanceFiles(label, (), ())
        try:
            files = tuple(self._path(answer, "files", number, file, lease) for number, file in enumerate(answer.files))
            inputs = tuple(self._path(answer, "inputs", number, file, lease) for number, file in enumerate(answer.inputs))
            if self._from_network and not _is_text(label):
                label = self._label(answer, label, lease)
        except BlobMissing as missing:
            raise BlobMissing(f"instance {quoted(answer.id)}: {missing}; set storage.blobs to one place for evaluator and scorer") from None
        return InstanceFiles(label, files, inputs)

    def _path(self, answer: sc.InstanceAnswer, field: str, number: int, file: sc.File, lease: Lease | None) -> str:
        source = file.WhichOneof("source")
        if source == "path" and not self._from_network:
            return file.path
        if source == "blob":
            return self._stored(answer, lease).path(file.blob.sha256, suffix_of(file.mime_type))
        what = "a path, which is taken only within one process" if source == "path" else "nothing"
        raise UsageError(f"instance {quoted(answer.id)}: {field}[{number}] is {what}; store the file and send its blob reference")

    def _label(self, answer: sc.InstanceAnswer, label: object, lease: Lease | None) -> object:
        def resolve(node: dict[str, Any]) -> dict[str, Any]:
            if FILE in node:
                raise UsageError(
                    f"instance {quoted(answer.id)}: its label has a node {{{FILE!r}: ..}}, which is taken only within one process; "
                    f"store the file and send {{{BLOB!r}: {{'sha256': ..}}}}"
                )
            blob = node.get(BLOB)
            if not isinstance(blob, dict):
                return node
            files = self._stored(answer, lease)
            try:
                if "entries" in blob:
                    path = files.folder([(name, sha256) for name, sha256 in blob["entries"]])
                else:
                    path = files.path(blob["sha256"], blob["suffix"])
            except (KeyError, TypeError, ValueError):
                raise UsageError(
                    f"instance {quoted(answer.id)}: a {BLOB!r} in its label has neither 'sha256' and 'suffix' nor 'entries'"
                ) from None
            return {**{key: value for key, value in node.items() if key != BLOB}, FILE: path}

        return replaced_nodes(label, resolve)

    def _stored(self, answer: sc.InstanceAnswer, lease: Lease | None) -> Lease:
        if lease is None:
            raise UsageError(f"instance {quoted(answer.id)} names stored files, and this scorer has no blob store")
        return lease


def _is_text(label: object) -> bool:
    return label is None or isinstance(label, str) or (isinstance(label, list) and all(isinstance(entry, str) for entry in label))
