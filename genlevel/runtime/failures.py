"""The one map of failures: the tree of errors as google.rpc.Status and back, so that a failure means the same in and between processes.

The class travels as ErrorInfo.reason with the domain "genlevel": the name of the error's class, or, of a failed call to a model, the name
of its ErrorClass. A failed call has details beside it: the wait as RetryInfo, further times as NamedTimes, the part at fault as a
BadRequest field violation, a used-up quota as QuotaFailure, what was used all the same as Charge. Provider bodies never go in: trailers are
limited to some KiB.
"""

from __future__ import annotations

import logging
from typing import NoReturn, TypeVar

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from genlevel.runtime.errors import (
    BlobMissing,
    CallerRefused,
    CallerUnknown,
    CallFailed,
    ConfigurationError,
    DatasetError,
    ErrorClass,
    GenlevelError,
    NotFoundError,
    QueueError,
    RequestTooLarge,
    RoleMissing,
    RunTaken,
    ServiceFull,
    StorageError,
    SuiteChanged,
    Unavailable,
    UsageError,
    WorkbookError,
)
from genlevel.runtime.logs import News, redact
from genlevel.v1 import gateway_pb2 as gw

DOMAIN = "genlevel"
MAX_MESSAGE_CHARACTERS = 4000
MAX_PROVIDER_CHARACTERS = 600  # of a failed call's message, which has a provider's own words in it
MAX_METADATA_CHARACTERS = 200
MAX_FOREIGN_CHARACTERS = 300  # of what something between says, which may be a page of HTML

# What a generic gRPC client may conclude without reading the details. Whoever asked can mend INVALID_ARGUMENT, NOT_FOUND and
# FAILED_PRECONDITION, and nobody needs to repeat such a call. StorageError is INTERNAL, not UNAVAILABLE: a full disk or a database of a
# newer version does not pass by itself, and a balancer must not repeat the call elsewhere, as another process has the same storage.
STATUSES: dict[type[GenlevelError], int] = {
    GenlevelError: code_pb2.INTERNAL,
    UsageError: code_pb2.INVALID_ARGUMENT,
    ConfigurationError: code_pb2.FAILED_PRECONDITION,
    DatasetError: code_pb2.INVALID_ARGUMENT,
    NotFoundError: code_pb2.NOT_FOUND,
    RunTaken: code_pb2.FAILED_PRECONDITION,
    SuiteChanged: code_pb2.FAILED_PRECONDITION,
    WorkbookError: code_pb2.INVALID_ARGUMENT,
    CallerRefused: code_pb2.PERMISSION_DENIED,
    CallerUnknown: code_pb2.UNAUTHENTICATED,
    RoleMissing: code_pb2.PERMISSION_DENIED,
    RequestTooLarge: code_pb2.RESOURCE_EXHAUSTED,
    Unavailable: code_pb2.UNAVAILABLE,
    ServiceFull: code_pb2.RESOURCE_EXHAUSTED,
    StorageError: code_pb2.INTERNAL,
    BlobMissing: code_pb2.NOT_FOUND,
    QueueError: code_pb2.INTERNAL,
}

# The same of CallFailed, by its class.
CODES: dict[ErrorClass, int] = {
    ErrorClass.CREDENTIAL: code_pb2.FAILED_PRECONDITION,
    ErrorClass.MODEL_ACCESS: code_pb2.FAILED_PRECONDITION,
    ErrorClass.QUOTA: code_pb2.RESOURCE_EXHAUSTED,
    ErrorClass.MODEL_GONE: code_pb2.NOT_FOUND,
    ErrorClass.REGION_BLOCKED: code_pb2.FAILED_PRECONDITION,
    ErrorClass.RATE_LIMIT: code_pb2.RESOURCE_EXHAUSTED,
    ErrorClass.CALLER_FAULT: code_pb2.INVALID_ARGUMENT,
    ErrorClass.CONTENT_REFUSED: code_pb2.INVALID_ARGUMENT,
    ErrorClass.CONTEXT_TOO_LONG: code_pb2.INVALID_ARGUMENT,
    ErrorClass.TRANSIENT: code_pb2.UNAVAILABLE,
    ErrorClass.TIMEOUT: code_pb2.DEADLINE_EXCEEDED,
    ErrorClass.UNSUPPORTED: code_pb2.UNIMPLEMENTED,
    ErrorClass.UNKNOWN: code_pb2.UNKNOWN,
    ErrorClass.DENIED: code_pb2.PERMISSION_DENIED,
    ErrorClass.NOT_SENT: code_pb2.UNAVAILABLE,  # RESOURCE_EXHAUSTED if a limit of the gateway (its dimension) is why
    ErrorClass.TOO_LARGE: code_pb2.RESOURCE_EXHAUSTED,
}

# A status without our ErrorInfo came from gRPC itself or something between. RESOURCE_EXHAUSTED is then a message over the size limit,
# which no wait cures, and UNIMPLEMENTED a missing method, not a missing modality.
FOREIGN_CODES: dict[int, ErrorClass] = {
    code_pb2.UNAVAILABLE: ErrorClass.TRANSIENT,
    code_pb2.CANCELLED: ErrorClass.TRANSIENT,
    code_pb2.ABORTED: ErrorClass.TRANSIENT,
    code_pb2.DEADLINE_EXCEEDED: ErrorClass.TIMEOUT,
    code_pb2.RESOURCE_EXHAUSTED: ErrorClass.TOO_LARGE,
    code_pb2.INVALID_ARGUMENT: ErrorClass.CALLER_FAULT,
    code_pb2.OUT_OF_RANGE: ErrorClass.CALLER_FAULT,
    # The gateway does not take this service's calls: no wait mends that, and a run stops as it does for a provider's key.
    code_pb2.UNAUTHENTICATED: ErrorClass.CREDENTIAL,
    code_pb2.PERMISSION_DENIED: ErrorClass.CREDENTIAL,
}
# The same of a class that a newer service knows and we do not, or of a status by something between.
_NEAREST: dict[int, type[GenlevelError]] = {
    code_pb2.INVALID_ARGUMENT: UsageError,
    code_pb2.RESOURCE_EXHAUSTED: RequestTooLarge,
    code_pb2.NOT_FOUND: NotFoundError,
    code_pb2.FAILED_PRECONDITION: ConfigurationError,
    code_pb2.UNAVAILABLE: Unavailable,
}
# What gRPC says of why nobody is reached, and what that means.
_UNREACHED = {
    "Connection refused": "nothing listens there (connection refused); start it, or correct the address",
    "errors resolving": "nobody knows that name of a host; correct the address",
    "Failed parsing HTTP/2": "what listens there does not speak gRPC; if it is the HTTP port, name the other one",
    "CERTIFICATE_VERIFY_FAILED": "its certificate is not one that addresses.ca trusts, or is another host's",
    "Hostname Verification Check failed": "its certificate is another host's",
    "WRONG_VERSION_NUMBER": "it does not speak TLS, which addresses.ca asks for",
    "Socket closed": "it closed the connection; if it asks for TLS or a certificate, look at addresses.ca, certificate and key",
}
_CLASSES = {kind.__name__: kind for kind in STATUSES}
# What gRPC's client says, in place of how a call has ended, if that comes while it writes to it.
_LOST = "Internal error from Core"
_DETAILS_KEY = "grpc-status-details-bin"

Detail = TypeVar("Detail", bound=Message)

logger = logging.getLogger(__name__)
_absences = News()


def to_status(error: GenlevelError) -> status_pb2.Status:
    """The error as a google.rpc.Status with ErrorInfo and, of a failed call, RetryInfo, BadRequest, QuotaFailure, Charge if they apply."""
    if isinstance(error, CallFailed):
        return _call_status(error)
    kind = next(kind for kind in type(error).__mro__ if kind in STATUSES)
    info = error_details_pb2.ErrorInfo(reason=kind.__name__, domain=DOMAIN)
    return _status(STATUSES[kind], _clip(str(error), MAX_MESSAGE_CHARACTERS), [info])


def from_status(status: status_pb2.Status, *, service: str, address: str) -> GenlevelError:
    """The error that a service's status means, of the class and with the message that it had there.

    A status that gRPC itself or something between made is judged by its code, and the error names the service.

    Args:
        status: what the call ended with.
        service: the service's name in the configuration, such as "scorer".
        address: where it was looked for.
    """
    info = _our_info(status)
    if info is None:
        return _foreign(status, service, address)
    if info.reason in _CLASSES:
        kind = _CLASSES[info.reason]
        # Who refuses matters: the token to mend is the one that is shown there.
        return kind(f"the {service} at {address}: {status.message}" if issubclass(kind, CallerRefused) else status.message)
    if info.reason.isupper():
        return call_failed(status)
    return _NEAREST.get(status.code, GenlevelError)(status.message)


def call_failed(status: status_pb2.Status) -> CallFailed:
    """The failed call that a google.rpc.Status carries. A status that carries none is judged by its code alone."""
    info = _our_info(status)
    retry = _detail(status, error_details_pb2.RetryInfo)
    retry_after_s = None if retry is None else retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
    if info is None or not info.reason.isupper():
        name = _code_name(status.code)
        kind = FOREIGN_CODES.get(status.code, ErrorClass.UNKNOWN)
        return CallFailed(kind, status.message or name, retry_after_s=retry_after_s, provider_code=f"grpc {name}")
    charge = _detail(status, gw.Charge) or gw.Charge()
    named = _detail(status, gw.NamedTimes) or gw.NamedTimes()
    return CallFailed(
        ErrorClass.__members__.get(info.reason, ErrorClass.UNKNOWN),  # a newer gateway may know a class that we do not
        status.message,
        retry_after_s=retry_after_s,
        shorter_s=named.shorter_s if named.HasField("shorter_s") else None,
        reset_s=named.reset_s if named.HasField("reset_s") else None,
        dimension=info.metadata.get("dimension", ""),
        part=info.metadata.get("part", ""),
        provider=info.metadata.get("provider", ""),
        provider_code=info.metadata.get("provider_code", ""),
        may_be_charged=info.metadata.get("may_be_charged", "") == "true",
        usage=charge.usage if charge.HasField("usage") else None,
        cost_nano_usd=charge.cost_nano_usd if charge.HasField("cost_nano_usd") else None,
    )


def status_of(error: grpc.RpcError) -> status_pb2.Status:
    """What a grpc.aio.AioRpcError (or a grpc.Call that failed) ended with, with the details in its trailers."""
    code: int = error.code().value[0]
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY:
            status = status_pb2.Status()
            try:
                status.ParseFromString(value)
            except Exception:  # not a Status: judged by its code below
                break
            if status.code == code:
                return status
    return status_pb2.Status(code=code, message=error.details() or "")


async def abort(context: grpc.aio.ServicerContext[object, object], error: BaseException, *, method: str) -> NoReturn:
    """Ends the call with the error's status, its details in the trailers. Raises, as context.abort does.

    What is not of our tree was not foreseen: it is logged, and the caller is told no more than that. What is of it and the caller's fault
    neither, such as a full disk, is logged too. method: which call this is.
    """
    if isinstance(error, CallerRefused):  # by a neighbour: what is wrong is this service's own token or certificate, not the caller's
        error = ConfigurationError(f"the service that was asked is refused itself: {error}")
    if not isinstance(error, GenlevelError):
        logger.error("%s failed in an unforeseen way", method, exc_info=error)
        status = to_status(GenlevelError(f"{method} failed inside the service; its log says more"))
    else:
        status = to_status(error)
        if status.code in (code_pb2.INTERNAL, code_pb2.UNKNOWN):
            line = f"{method} failed: {status.message}"
            if not isinstance(error, StorageError) or _absences.is_new(line):  # who waits for a storage that is away asks on and on
                logger.error("%s", line)
    await _end(context, status)


async def end_with(context: grpc.aio.ServicerContext[object, object], error: GenlevelError) -> NoReturn:
    """Ends the call with the error's status, as it is. Raises, as context.abort does."""
    await _end(context, to_status(error))


async def _end(context: grpc.aio.ServicerContext[object, object], status: status_pb2.Status) -> NoReturn:
    await context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("abort_with_status returned")  # pragma: no cover


def _call_status(failure: CallFailed) -> status_pb2.Status:
    message = _line(failure.message, MAX_PROVIDER_CHARACTERS)
    metadata = {
        "provider": failure.provider,
        "provider_code": failure.provider_code,
        "dimension": failure.dimension,
        "part": failure.part,
        "may_be_charged": "true" if failure.may_be_charged else "",
    }
    info = error_details_pb2.ErrorInfo(reason=failure.reason, domain=DOMAIN)
    info.metadata.update({name: _line(value, MAX_METADATA_CHARACTERS) for name, value in metadata.items() if value})
    details: list[Message] = [info]
    if failure.usage is not None or failure.cost_nano_usd is not None:
        details.append(gw.Charge(usage=failure.usage, cost_nano_usd=failure.cost_nano_usd))
    if failure.retry_after_s is not None and failure.error_class != ErrorClass.QUOTA:
        nanos = round(failure.retry_after_s * 1e9)
        delay = duration_pb2.Duration(seconds=nanos // 10**9, nanos=nanos % 10**9)
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
        if failure.shorter_s is not None or failure.reset_s is not None:
            details.append(gw.NamedTimes(shorter_s=failure.shorter_s, reset_s=failure.reset_s))
    if failure.part and failure.error_class in (ErrorClass.CALLER_FAULT, ErrorClass.UNSUPPORTED):
        violation = error_details_pb2.BadRequest.FieldViolation(field=_line(failure.part, MAX_METADATA_CHARACTERS), description=message)
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    if failure.error_class == ErrorClass.QUOTA:
        subject = _line(failure.provider, MAX_METADATA_CHARACTERS) or "account"
        quota = error_details_pb2.QuotaFailure.Violation(subject=subject, description=message)
        details.append(error_details_pb2.QuotaFailure(violations=[quota]))
    code = CODES.get(failure.error_class, code_pb2.UNKNOWN)
    if failure.error_class == ErrorClass.NOT_SENT and failure.dimension:
        code = code_pb2.RESOURCE_EXHAUSTED
    return _status(code, message, details)


def _foreign(status: status_pb2.Status, service: str, address: str) -> GenlevelError:
    message = _line(status.message, MAX_FOREIGN_CHARACTERS)
    who, setting = f"the {service} at {address}", f"addresses.{service} in the configuration"
    if status.code == code_pb2.UNAVAILABLE:
        why = next((said for sign, said in _UNREACHED.items() if sign in message), message)
        return Unavailable(f"{who} cannot be reached ({setting}): {why}")
    if status.code == code_pb2.INTERNAL and message == _LOST:
        return Unavailable(f"{who} ended a call before all of it was sent; asked again, it may say why")
    if status.code == code_pb2.DEADLINE_EXCEEDED:
        return Unavailable(f"{who} could not be reached, or did not answer in time ({setting})")
    if status.code == code_pb2.CANCELLED:  # not by the caller, who would not be told: the service is stopping
        return Unavailable(f"{who} ended the call, as it does if it stops ({setting})")
    if status.code == code_pb2.UNIMPLEMENTED:
        return GenlevelError(f"{who} has another version; gateway, evaluator and scorer must have the same one")
    said = f"{who} answered {_code_name(status.code)}: {message}"
    return _NEAREST.get(status.code, GenlevelError)(said)


def _status(code: int, message: str, details: list[Message]) -> status_pb2.Status:
    status = status_pb2.Status(code=code, message=redact(message))
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def _our_info(status: status_pb2.Status) -> error_details_pb2.ErrorInfo | None:
    info = _detail(status, error_details_pb2.ErrorInfo)
    return info if info is not None and info.domain == DOMAIN else None


def _detail(status: status_pb2.Status, kind: type[Detail]) -> Detail | None:
    for packed in status.details:
        if packed.Is(kind.DESCRIPTOR):
            found = kind()
            packed.Unpack(found)
            return found
    return None


def _code_name(code: int) -> str:
    return code_pb2.Code.Name(code) if code in code_pb2.Code.values() else str(code)


def _line(text: str, limit: int) -> str:
    return _clip(" ".join(text.split()), limit)


def _clip(text: str, limit: int) -> str:
    """A text that is not too long, and that UTF-8 can carry: the names of files may have bytes in them that are not characters."""
    return (text if len(text) <= limit else text[: limit - 1] + "…").encode("utf-8", "backslashreplace").decode("utf-8")
