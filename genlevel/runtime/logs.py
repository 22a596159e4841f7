"""Log lines for people or for machines, without secrets: one place configures logging for every command and service."""

from __future__ import annotations

import json
import logging
import math
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Literal, TextIO

LogFormat = Literal["plain", "json"]

_SECRETS: set[str] = set()
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_QUIET_LOGGERS = (
    *("httpx2", "httpcore2", "openai", "anthropic", "alembic", "uvicorn.access", "uvicorn.error", "asyncio"),
    "genlevel.runtime.pool",  # SQLAlchemy's words under the name of our class
)


def hide(secret: str) -> None:
    """Remembers a secret, so that no log line made from now on shows it, nor as it stands in JSON."""
    if secret:
        _SECRETS.add(secret)
        _SECRETS.add(json.dumps(secret, ensure_ascii=False)[1:-1])


def redact(text: str) -> str:
    """The text with every remembered secret replaced by ``***``: whole, also if another one is a part of it or overlaps it."""
    shown, hidden_to = [], 0
    for begin, end in sorted(place for secret in tuple(_SECRETS) for place in _places(secret, text)):  # a key may be read meanwhile
        if begin >= hidden_to:
            shown += [text[hidden_to:begin], "***"]
        hidden_to = max(hidden_to, end)
    return "".join(shown) + text[hidden_to:] if shown else text


def _places(secret: str, text: str) -> Iterator[tuple[int, int]]:
    """Where a secret begins and ends in a text, wherever it does."""
    at = text.find(secret)
    while at >= 0:
        yield at, at + len(secret)
        at = text.find(secret, at + 1)


def configure_logging(log_format: LogFormat = "plain", level: str = "INFO", stream: TextIO | None = None) -> None:
    """Sends all log records to ``stream`` (standard error by default), replacing what was configured before.

    Args:
        log_format: "plain" (time, level, logger, message) or "json" (one object a line; values given by ``extra=`` become its fields).
        level: the lowest level that is shown, by its name. Chatty libraries are shown from WARNING on.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonFormatter() if log_format == "json" else _PlainFormatter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


class Seldom:
    """Says whether a line may be written that others can cause at will: one in ``interval_s`` seconds. clock: seconds, for tests."""

    def __init__(self, interval_s: float = 10.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval_s = interval_s
        self._clock = clock
        self._quiet_until = -math.inf
        self._untold = 0

    def more(self) -> str | None:
        """What to add to the line, which tells of those that were held back; None: hold this one back."""
        now = self._clock()
        if now < self._quiet_until:
            self._untold += 1
            return None
        untold, self._untold = self._untold, 0
        self._quiet_until = now + self._interval_s
        return f" ({untold:,} more since the last such line)" if untold else ""


class News:
    """Says whether a line is news: not if it comes again and again, as it does while something is away.

    Args:
        forgotten_s: seconds without it, after which it is news again.
        clock: seconds, for tests.
    """

    def __init__(self, forgotten_s: float = 60.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._forgotten_s = forgotten_s
        self._clock = clock
        self._said: dict[str, float] = {}

    def is_new(self, line: str) -> bool:
        """Whether to write it."""
        now = self._clock()
        self._said = {said: at for said, at in self._said.items() if now - at < self._forgotten_s}
        new = line not in self._said
        self._said[line] = now
        return new


class SeldomWarnings(logging.Filter):
    """Holds back most warnings and errors of a logger, as ``Seldom`` says."""

    def __init__(self) -> None:
        super().__init__()
        self._seldom = Seldom()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        if (more := self._seldom.more()) is None:
            return False
        record.msg, record.args = f"{record.getMessage()}{more}", None
        return True


class GrpcWarnings(logging.Filter):
    """Of what gRPC logs: a caller who went away is told seldom, and in a line; a header that is no text, which may be a token, never."""

    def __init__(self) -> None:
        super().__init__()
        self._seldom = Seldom()

    def filter(self, record: logging.LogRecord) -> bool:
        if str(record.msg).startswith("Invalid encoding on"):
            return False
        kind = record.exc_info[0] if record.exc_info else None
        if kind is None or kind.__name__ != "ExecuteBatchError":
            return True
        if (more := self._seldom.more()) is None:
            return False
        record.msg, record.args, record.exc_info = f"a caller went away before its call had ended{more}", None, None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD and not name.startswith("_")}


class _PlainFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%H:%M:%S")
        self.converter = time.localtime

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        return redact(super().format(record) + fields)


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({name: value for name, value in _fields(record).items() if name not in line})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return redact(json.dumps(line, default=str, ensure_ascii=False))
