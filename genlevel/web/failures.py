"""Failures as HTTP says them."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from genlevel.runtime.errors import (
    CallerUnknown,
    GenlevelError,
    NotFoundError,
    RequestTooLarge,
    RoleMissing,
    RunTaken,
    Unavailable,
    UsageError,
)

_STATUSES: Mapping[type[GenlevelError], HTTPStatus] = {
    CallerUnknown: HTTPStatus.UNAUTHORIZED,
    RoleMissing: HTTPStatus.FORBIDDEN,
    NotFoundError: HTTPStatus.NOT_FOUND,
    RunTaken: HTTPStatus.CONFLICT,
    RequestTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UsageError: HTTPStatus.BAD_REQUEST,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def http_status(error: GenlevelError) -> HTTPStatus:
    """The status of the nearest class that has one; 500 of others."""
    return next((_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES), HTTPStatus.INTERNAL_SERVER_ERROR)
