"""What an answer that is stored survives."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path


class Durability(StrEnum):
    """process: a killed process, as what is written is with the system. power: a power cut too, as it is on the disk."""

    PROCESS = "process"
    POWER = "power"


def to_disk(file: Path, top: Path) -> None:
    """Has the system write a file to the disk, with its name: the folders that lead to it, up to ``top``. Raises OSError."""
    _sync(file)
    for folder in (one for one in file.parents if one.is_relative_to(top)):
        _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
