"""A failure means the same as google.rpc.Status, in trailers and in process."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from genlevel.runtime.errors import CallFailed
from genlevel.runtime.failures import CODES, MAX_MESSAGE_CHARACTERS, abort, from_rpc_error, from_status, to_status
from genlevel.v1 import gateway_pb2 as pb

CLASSES = [value for value in pb.ErrorClass.values() if value != pb.ERROR_CLASS_UNSPECIFIED]
WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=40)


def detail(status: status_pb2.Status, kind: type[Any]) -> Any:
    for packed in status.details:
        if packed.Is(kind.DESCRIPTOR):
            found = kind()
            packed.Unpack(found)
            return found
    return None


@given(
    error_class=st.sampled_from(CLASSES),
    message=WORDS,
    retry_after_s=st.none() | st.floats(0, 1e6),
    dimension=st.sampled_from(["", "requests", "tokens"]),
    part=WORDS,
    provider=WORDS,
    provider_code=WORDS,
    may_be_charged=st.booleans(),
)
def test_every_failure_survives_the_round_trip(
    *,
    error_class: int,
    message: str,
    retry_after_s: float | None,
    dimension: str,
    part: str,
    provider: str,
    provider_code: str,
    may_be_charged: bool,
) -> None:
    before = CallFailed(
        error_class,
        message,
        retry_after_s=retry_after_s,
        dimension=dimension,
        part=part,
        provider=provider,
        provider_code=provider_code,
        may_be_charged=may_be_charged,
    )
    after = from_status(status_pb2.Status.FromString(to_status(before).SerializeToString()))
    assert (after.error_class, after.message, after.dimension, after.part) == (error_class, message, dimension, part)
    assert (after.provider, after.provider_code, after.may_be_charged) == (provider, provider_code, may_be_charged)
    if retry_after_s is None or error_class == pb.ERROR_CLASS_QUOTA:
        assert after.retry_after_s is None
    else:
        assert after.retry_after_s == pytest.approx(retry_after_s, abs=1e-9)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [(None, None), (pb.Usage(input_tokens=5, reasoning_tokens=2), 17), (pb.Usage(output_tokens=1), None), (pb.Usage(), 0)],
)
def test_what_a_failed_call_has_cost_travels_with_it(usage: pb.Usage | None, cost: int | None) -> None:
    before = CallFailed(pb.ERROR_CLASS_CONTENT_REFUSED, "no", usage=usage, cost_nano_usd=cost, may_be_charged=True)
    after = from_status(status_pb2.Status.FromString(to_status(before).SerializeToString()))
    assert (after.usage, after.cost_nano_usd) == (usage, cost)


def test_every_class_has_a_grpc_code() -> None:
    assert set(CODES) == set(CLASSES)


@pytest.mark.parametrize(
    ("error_class", "code"),
    [
        (pb.ERROR_CLASS_CALLER_FAULT, code_pb2.INVALID_ARGUMENT),
        (pb.ERROR_CLASS_CONTEXT_TOO_LONG, code_pb2.INVALID_ARGUMENT),
        (pb.ERROR_CLASS_RATE_LIMIT, code_pb2.RESOURCE_EXHAUSTED),
        (pb.ERROR_CLASS_QUOTA, code_pb2.RESOURCE_EXHAUSTED),
        (pb.ERROR_CLASS_CREDENTIAL, code_pb2.FAILED_PRECONDITION),
        (pb.ERROR_CLASS_MODEL_GONE, code_pb2.NOT_FOUND),
        (pb.ERROR_CLASS_TRANSIENT, code_pb2.UNAVAILABLE),
        (pb.ERROR_CLASS_TIMEOUT, code_pb2.DEADLINE_EXCEEDED),
        (pb.ERROR_CLASS_UNSUPPORTED, code_pb2.UNIMPLEMENTED),
    ],
)
def test_generic_clients_see_the_right_code(error_class: int, code: int) -> None:
    assert to_status(CallFailed(error_class, "x")).code == code


def test_a_rate_limit_carries_retry_info_and_a_quota_does_not() -> None:
    limited = to_status(CallFailed(pb.ERROR_CLASS_RATE_LIMIT, "slow down", retry_after_s=1.5))
    retry = detail(limited, error_details_pb2.RetryInfo)
    assert retry is not None
    assert (retry.retry_delay.seconds, retry.retry_delay.nanos) == (1, 500_000_000)
    used_up = to_status(CallFailed(pb.ERROR_CLASS_QUOTA, "no money", retry_after_s=1.5, provider="openai"))
    assert detail(used_up, error_details_pb2.RetryInfo) is None
    quota = detail(used_up, error_details_pb2.QuotaFailure)
    assert quota is not None
    assert quota.violations[0].subject == "openai"


def test_a_callers_fault_names_the_part_as_a_field_violation() -> None:
    bad = detail(to_status(CallFailed(pb.ERROR_CLASS_CALLER_FAULT, "empty", part="messages[0].parts[1]")), error_details_pb2.BadRequest)
    assert bad is not None
    assert bad.field_violations[0].field == "messages[0].parts[1]"


def test_trailers_stay_small_and_on_one_line_whatever_a_provider_says() -> None:
    status = to_status(CallFailed(pb.ERROR_CLASS_UNKNOWN, "a\nb " * 10_000, provider_code="x" * 9000))
    assert len(status.SerializeToString()) < 4096
    assert len(status.message) == MAX_MESSAGE_CHARACTERS
    assert "\n" not in status.message


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (code_pb2.UNAVAILABLE, "TRANSIENT"),
        (code_pb2.DEADLINE_EXCEEDED, "TIMEOUT"),
        (code_pb2.RESOURCE_EXHAUSTED, "CALLER_FAULT"),
        (code_pb2.UNIMPLEMENTED, "UNKNOWN"),
        (code_pb2.INTERNAL, "UNKNOWN"),
    ],
)
def test_a_status_that_is_not_ours_is_judged_by_its_code(code: int, reason: str) -> None:
    assert from_status(status_pb2.Status(code=code, message="from gRPC")).reason == reason


def test_a_class_of_a_newer_gateway_is_unknown() -> None:
    info = any_pb2.Any()
    info.Pack(error_details_pb2.ErrorInfo(reason="SOMETHING_NEW", domain="genlevel"))
    assert from_status(status_pb2.Status(code=code_pb2.ABORTED, message="m", details=[info])).reason == "UNKNOWN"


async def test_abort_reaches_the_client_with_all_its_details() -> None:
    failure = CallFailed(
        pb.ERROR_CLASS_RATE_LIMIT, "slow down", retry_after_s=2.25, dimension="tokens", provider="openai", provider_code="429 tokens"
    )

    async def handler(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
        await abort(context, failure)

    server = grpc.aio.server()
    method = grpc.unary_unary_rpc_method_handler(handler)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Service", {"Call": method}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/test.Service/Call")(b"")
    await server.stop(None)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    received = from_rpc_error(caught.value)
    assert vars(received) == vars(failure)


async def test_a_call_to_nobody_is_transient() -> None:
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/test.Service/Call")(b"", timeout=10)
    assert from_rpc_error(caught.value).reason == "TRANSIENT"
