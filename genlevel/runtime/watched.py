"""Files that are read again when they change, so that a token or certificate is replaced without a restart."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from genlevel.runtime.errors import ConfigurationError

Content = TypeVar("Content")
_Signature = tuple[tuple[int, int, int], ...]

LOOK_INTERVAL_S = 1.0

logger = logging.getLogger(__name__)


class Watched(Generic[Content]):
    """What some files say together. A rewrite that cannot be used is told in one log line, and what was read before stays good.

    Args:
        files: looked at, at most once in ``look_interval_s``, when ``value`` is asked.
        read: reads them all. Raises ConfigurationError; the first time, so does this class.
        look_interval_s: seconds.
    """

    def __init__(self, files: Sequence[Path], read: Callable[[], Content], *, look_interval_s: float = LOOK_INTERVAL_S) -> None:
        self._files = tuple(files)
        self._read = read
        self._interval_s = look_interval_s
        self._lock = threading.Lock()  # gRPC asks for certificates in threads of its own
        self._seen = self._signature()
        self._value = read()
        self._look_at = time.monotonic() + look_interval_s

    def value(self) -> Content:
        """What the files say now, as of the last ``look_interval_s``."""
        if time.monotonic() < self._look_at:
            return self._value
        with self._lock:
            if time.monotonic() >= self._look_at:
                self._look()
                self._look_at = time.monotonic() + self._interval_s
            return self._value

    def _look(self) -> None:
        # Taken before reading: what is written meanwhile is seen the next time.
        seen = self._signature()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._value = self._read()
        except ConfigurationError as error:
            logger.error("%s; what was read before stays in use", error)
        else:
            logger.info("%s was read again", " and ".join(str(file) for file in self._files))

    def _signature(self) -> _Signature:
        return tuple(_signature(file) for file in self._files)


def _signature(file: Path) -> tuple[int, int, int]:
    """What changes if a file is replaced or written; zeros if it is not there."""
    try:
        found = os.stat(file)
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino
