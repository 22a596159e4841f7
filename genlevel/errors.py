"""The errors that a program meets: each message is one line for a person, which says what, where, and what to do.

genlevel.runtime.errors draws the whole tree.
"""

from genlevel.runtime.errors import (
    CallerRefused,
    CallerUnknown,
    CallFailed,
    ConfigurationError,
    DatasetError,
    GenlevelError,
    NotFoundError,
    RoleMissing,
    RunTaken,
    ServiceFull,
    StorageError,
    Unavailable,
    UsageError,
)

__all__ = [
    "CallFailed",
    "CallerRefused",
    "CallerUnknown",
    "ConfigurationError",
    "DatasetError",
    "GenlevelError",
    "NotFoundError",
    "RoleMissing",
    "RunTaken",
    "ServiceFull",
    "StorageError",
    "Unavailable",
    "UsageError",
]
