"""CallFailed as google.rpc.Status and back, so that a failure means the same in band, in trailers and in process.

The class travels as ErrorInfo.reason (its name without prefix, domain "genlevel"); the wait as RetryInfo; the part
at fault as a BadRequest field violation; a used-up quota as QuotaFailure; what was used all the same as Charge.
Everything stays small: trailers are limited to a few KiB, so provider bodies never go in.
"""

from __future__ import annotations

from typing import NoReturn

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.v1 import gateway_pb2 as pb

DOMAIN = "genlevel"
MAX_MESSAGE_CHARACTERS = 600
MAX_METADATA_CHARACTERS = 200

# The policy of notes on gRPC mapping: what a generic gRPC client may conclude without reading the details.
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
}

# A status without our ErrorInfo came from gRPC itself or something between. RESOURCE_EXHAUSTED is then a message over
# the size limit, which no wait cures, and UNIMPLEMENTED a missing method, not a missing modality.
FOREIGN_CODES: dict[int, ErrorClass] = {
    code_pb2.UNAVAILABLE: ErrorClass.TRANSIENT,
    code_pb2.CANCELLED: ErrorClass.TRANSIENT,
    code_pb2.ABORTED: ErrorClass.TRANSIENT,
    code_pb2.DEADLINE_EXCEEDED: ErrorClass.TIMEOUT,
    code_pb2.RESOURCE_EXHAUSTED: ErrorClass.CALLER_FAULT,
    code_pb2.INVALID_ARGUMENT: ErrorClass.CALLER_FAULT,
    code_pb2.OUT_OF_RANGE: ErrorClass.CALLER_FAULT,
}


def to_status(failure: CallFailed) -> status_pb2.Status:
    """The failure as a google.rpc.Status with ErrorInfo and, where they apply, RetryInfo, BadRequest, QuotaFailure."""
    message = _clip(failure.message, MAX_MESSAGE_CHARACTERS)
    status = status_pb2.Status(code=CODES.get(failure.error_class, code_pb2.UNKNOWN), message=message)
    metadata = {
        "provider": failure.provider,
        "provider_code": failure.provider_code,
        "dimension": failure.dimension,
        "part": failure.part,
        "may_be_charged": "true" if failure.may_be_charged else "",
    }
    info = error_details_pb2.ErrorInfo(reason=failure.reason, domain=DOMAIN)
    info.metadata.update({name: _clip(value, MAX_METADATA_CHARACTERS) for name, value in metadata.items() if value})
    details: list[Message] = [info]
    if failure.usage is not None or failure.cost_nano_usd is not None:
        details.append(pb.Charge(usage=failure.usage, cost_nano_usd=failure.cost_nano_usd))
    if failure.retry_after_s is not None and failure.error_class != ErrorClass.QUOTA:
        nanos = round(failure.retry_after_s * 1e9)
        delay = duration_pb2.Duration(seconds=nanos // 10**9, nanos=nanos % 10**9)
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    if failure.part and failure.error_class in (ErrorClass.CALLER_FAULT, ErrorClass.UNSUPPORTED):
        violation = error_details_pb2.BadRequest.FieldViolation(field=failure.part, description=message)
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    if failure.error_class == ErrorClass.QUOTA:
        quota = error_details_pb2.QuotaFailure.Violation(subject=failure.provider or "account", description=message)
        details.append(error_details_pb2.QuotaFailure(violations=[quota]))
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def from_status(status: status_pb2.Status) -> CallFailed:
    """The failure that a google.rpc.Status carries. A status that is not ours is judged by its code alone."""
    info: error_details_pb2.ErrorInfo | None = None
    retry_after_s: float | None = None
    charge = pb.Charge()
    for packed in status.details:
        if packed.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            candidate = error_details_pb2.ErrorInfo()
            packed.Unpack(candidate)
            if candidate.domain == DOMAIN:
                info = candidate
        elif packed.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo()
            packed.Unpack(retry)
            retry_after_s = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
        elif packed.Is(pb.Charge.DESCRIPTOR):
            packed.Unpack(charge)
    if info is None:
        error_class = FOREIGN_CODES.get(status.code, ErrorClass.UNKNOWN)
        name = code_pb2.Code.Name(status.code) if status.code in code_pb2.Code.values() else str(status.code)
        return CallFailed(error_class, status.message or name, retry_after_s=retry_after_s, provider_code=f"grpc {name}")
    try:
        error_class = ErrorClass[info.reason]
    except KeyError:  # a newer gateway knows a class that we do not
        error_class = ErrorClass.UNKNOWN
    return CallFailed(
        error_class,
        status.message,
        retry_after_s=retry_after_s,
        dimension=info.metadata.get("dimension", ""),
        part=info.metadata.get("part", ""),
        provider=info.metadata.get("provider", ""),
        provider_code=info.metadata.get("provider_code", ""),
        may_be_charged=info.metadata.get("may_be_charged", "") == "true",
        usage=charge.usage if charge.HasField("usage") else None,
        cost_nano_usd=charge.cost_nano_usd if charge.HasField("cost_nano_usd") else None,
    )


def from_rpc_error(error: grpc.RpcError) -> CallFailed:
    """The failure behind a grpc.aio.AioRpcError (or a grpc.Call that failed)."""
    code: int = error.code().value[0]
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = status_pb2.Status()
            try:
                status.ParseFromString(value)
            except Exception:  # not a Status: judged by its code below
                break
            if status.code == code:
                return from_status(status)
    return from_status(status_pb2.Status(code=code, message=error.details() or ""))


async def abort(context: grpc.aio.ServicerContext[object, object], failure: CallFailed) -> NoReturn:
    """Ends the call with the failure's status and details in its trailers. Raises, as context.abort does."""
    await context.abort_with_status(rpc_status.to_status(to_status(failure)))
    raise AssertionError("abort_with_status returned")  # pragma: no cover


def _clip(text: str, limit: int) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= limit else one_line[: limit - 1] + "…"
