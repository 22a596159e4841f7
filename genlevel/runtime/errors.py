"""The errors of genlevel, as one tree. Each message is one line for a person: what, where, and what to do.

A class that is added here gets a row in genlevel.runtime.failures, too, which says how it travels between services.

GenlevelError
├── UsageError              the command or configuration is wrong (exit 2)
│   ├── ConfigurationError  genlevel.yaml, an environment variable or a flag
│   ├── DatasetError        a suite, task folder or annotation file
│   ├── NotFoundError       a run or instance that is not there
│   ├── RunTaken            another process works on the run
│   ├── WorkbookError       an official result or reference workbook
│   ├── RequestTooLarge     a service takes no request so large
│   └── CallerRefused       a service does not take calls from here
│       ├── CallerUnknown   it does not know who calls
│       └── RoleMissing     it does, and the caller may not do this
├── Unavailable             a service is away, or stops: it may be asked again, elsewhere or later
│   └── ServiceFull         it has more to do than it takes on at once
├── StorageError            a database, journal or blob store cannot be used
│   ├── BlobMissing         an object is not in the blob store
│   └── QueueError          the queue of work cannot be used
└── CallFailed              one call to a model failed; has a class with one policy
"""

from __future__ import annotations

import asyncio
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genlevel.v1 import gateway_pb2 as gw


STOPPING = "stopping"
"""The code of a call that was not sent because a process stops; one that is full has another."""


class ErrorClass(IntEnum):
    """Why a call to a model failed, as far as it matters to what is done next: one class, one policy.

    The twin of genlevel.v1's ErrorClass, with its numbers, so that what decides by it needs no message.
    """

    UNSPECIFIED = 0
    CREDENTIAL = 1
    MODEL_ACCESS = 2
    QUOTA = 3
    MODEL_GONE = 4
    REGION_BLOCKED = 5
    RATE_LIMIT = 6
    CALLER_FAULT = 7
    CONTENT_REFUSED = 8
    CONTEXT_TOO_LONG = 9
    TRANSIENT = 10
    TIMEOUT = 11
    UNSUPPORTED = 12
    UNKNOWN = 13
    DENIED = 14
    NOT_SENT = 15
    TOO_LARGE = 16

    @classmethod
    def of(cls, number: int) -> ErrorClass:
        """The class with this number; UNKNOWN for one of a newer contract."""
        return cls(number) if number in cls._value2member_map_ else cls.UNKNOWN


class CancelledUnsent(asyncio.CancelledError):
    """A call was cancelled before any of it had left: it is surely not charged."""


class GenlevelError(Exception):
    """Something a person has to know, in one line."""


class UsageError(GenlevelError):
    """The command or its input is wrong; nothing was done."""


class ConfigurationError(UsageError):
    """A setting is wrong."""


class DatasetError(UsageError):
    """A suite, task folder or annotation file cannot be used."""


class SuiteChanged(DatasetError):
    """A suite has another content than is asked for."""


class NotFoundError(UsageError):
    """A run or an instance that is asked for is not there."""


class RunTaken(UsageError):
    """Another process works on the run."""


class WorkbookError(UsageError):
    """A workbook in the official layout cannot be read."""


class RequestTooLarge(UsageError):
    """A service takes no request so large."""


class CallerRefused(UsageError):
    """A service does not take this call from this caller."""


class CallerUnknown(CallerRefused):
    """There is no token or certificate with the call, or none that the service knows, or it has expired."""


class RoleMissing(CallerRefused):
    """The caller is known, and has no role that allows this call."""


class Unavailable(GenlevelError):
    """A service is away, or stops: it may be asked again, elsewhere or later."""


class ServiceFull(Unavailable):
    """A service has more to do than it takes on at once."""


class StorageError(GenlevelError):
    """A database, journal or blob store cannot be used.

    Attributes:
        passes: whether it may pass, by itself or once somebody has made room: what was to be done may be tried again.
        overtaken: whether it is another process's by now to write what was to be written.
    """

    def __init__(self, told: str, *, passes: bool = False, overtaken: bool = False) -> None:
        super().__init__(told)
        self.passes = passes
        self.overtaken = overtaken


class BlobMissing(StorageError):
    """An object is not in the blob store."""


class QueueError(StorageError):
    """The queue of work cannot be used, or takes no such message."""


class CallFailed(GenlevelError):
    """One call to a model failed.

    Attributes:
        error_class: decides the policy, never the message. A number may be given, too, as messages have it.
        retry_after_s: seconds the provider asks to wait, the longer time if it names two; if it names none, reset_s. None: neither.
        shorter_s: the shorter one, if it names two.
        reset_s: seconds until a limit that is used up is there again as a whole, so at most; None if it does not say.
        dimension: what a rate limit is counted in ("requests", "tokens", "concurrency"), if known.
        part: the part or field at fault ("messages[0].parts[1]"), for caller faults and unsupported parts.
        provider: the provider's name.
        provider_code: the provider's own code, type or HTTP status, for the log.
        may_be_charged: the provider may have done (and bill) the work although no answer came.
        usage: what the call used all the same, as its provider says; None if it does not.
        cost_nano_usd: what that costs; None if it is not known.
    """

    def __init__(
        self,
        error_class: int,
        message: str,
        *,
        retry_after_s: float | None = None,
        shorter_s: float | None = None,
        reset_s: float | None = None,
        dimension: str = "",
        part: str = "",
        provider: str = "",
        provider_code: str = "",
        may_be_charged: bool = False,
        usage: gw.Usage | None = None,
        cost_nano_usd: int | None = None,
    ) -> None:
        super().__init__(message)
        self.error_class = ErrorClass.of(error_class)
        self.message = message
        self.retry_after_s = retry_after_s
        self.shorter_s = shorter_s
        self.reset_s = reset_s
        self.dimension = dimension
        self.part = part
        self.provider = provider
        self.provider_code = provider_code
        self.may_be_charged = may_be_charged
        self.usage = usage
        self.cost_nano_usd = cost_nano_usd

    @property
    def reason(self) -> str:
        """The class's name, such as RATE_LIMIT."""
        return self.error_class.name


def may_pass(error: GenlevelError) -> bool:
    """Whether the same may succeed later although nobody mends what was asked: a service or a storage is away."""
    return isinstance(error, (Unavailable, StorageError)) and not isinstance(error, BlobMissing)
