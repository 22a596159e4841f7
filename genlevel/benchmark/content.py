"""What a suite and its tasks hold, as hashes: two suites of one name whose content differs are two suites.

A task's content is its annotation (with the labels) and the files beside it: media, and what labels name. Reading all of General-Bench's
media would take longer than many a run, so the first of a task's files are read, and of the others their names and sizes count.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from genlevel.benchmark.archives import is_archive
from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.media import is_data_folder, names_medium
from genlevel.benchmark.model import GENERAL_BENCH, Suite, SuiteTask

READ_BYTES = 8 << 20
"""Bytes of a task's files that are read, in the order of their paths; a file counts by its bytes if it ends within them."""


def suite_content(suite: Suite) -> str:
    """The sha256 of what a suite holds, in hexadecimal: its tasks' keys and contents, and the benchmark that it is, if it is its own.

    Its name is no part of it, nor is where it lies. Reads files: call it in a thread.
    """
    benchmark = [] if suite.benchmark.name == GENERAL_BENCH else suite.benchmark.tasks
    document = {
        "tasks": sorted((task.key, task_content(task)) for task in suite.tasks),
        "benchmark": [
            (task.id, task.name, task.sheet, task.metric.id, task.metric.parameters, task.reference_workbook, task.reference_appendix)
            for task in benchmark
        ],
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def task_content(task: SuiteTask) -> str:
    """The sha256 of what a task holds, in hexadecimal; of a task that is no folder, its fingerprint. Remembered by the task."""
    return task.content if isinstance(task, FolderTask) else task.fingerprint


def folder_content(fingerprint: str, folder: Path) -> str:
    """The same from the hash of an annotation and the folder that it belongs to."""
    found = hashlib.sha256(fingerprint.encode())
    left = READ_BYTES
    for name, path in sorted(_files(folder)):
        try:
            size = path.stat().st_size
            digest = ""
            if size <= left:
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                left -= size
        except OSError:
            size, digest = -1, ""
        found.update(json.dumps([name, size, digest]).encode())
    return found.hexdigest()


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files of a task's folder that may be media or labels, by their paths within it: others, such as notes, may come and go."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(place).relative_to(folder).parts
        of_data = any(is_data_folder(part) for part in inside)
        for name in files:
            if not name.startswith(".") and (of_data or names_medium(name) or is_archive(Path(name))):
                yield "/".join((*inside, name)), Path(place) / name
