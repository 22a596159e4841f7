"""A failure means the same as google.rpc.Status, in trailers and in process: of a call to a model, and of everything else in the tree."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

import evaluator
import gateway
import genlevel
import scorer
from genlevel.runtime import failures
from genlevel.runtime.errors import (
    CallerRefused,
    CallFailed,
    DatasetError,
    GenlevelError,
    NotFoundError,
    StorageError,
    Unavailable,
    UsageError,
)
from genlevel.runtime.failures import (
    CODES,
    MAX_MESSAGE_CHARACTERS,
    MAX_PROVIDER_CHARACTERS,
    STATUSES,
    abort,
    call_failed,
    from_status,
    status_of,
    to_status,
)
from genlevel.runtime.logs import News
from genlevel.runtime.rpc import connect
from genlevel.v1 import gateway_pb2 as gw

CLASSES = [value for value in gw.ErrorClass.values() if value != gw.ERROR_CLASS_UNSPECIFIED]
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
    shorter_s=st.none() | st.floats(0, 1e6),
    reset_s=st.none() | st.floats(0, 1e6),
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
    shorter_s: float | None,
    reset_s: float | None,
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
        shorter_s=shorter_s,
        reset_s=reset_s,
        dimension=dimension,
        part=part,
        provider=provider,
        provider_code=provider_code,
        may_be_charged=may_be_charged,
    )
    after = call_failed(status_pb2.Status.FromString(to_status(before).SerializeToString()))
    assert (after.error_class, after.message, after.dimension, after.part) == (error_class, message, dimension, part)
    assert (after.provider, after.provider_code, after.may_be_charged) == (provider, provider_code, may_be_charged)
    if retry_after_s is None or error_class == gw.ERROR_CLASS_QUOTA:
        assert (after.retry_after_s, after.shorter_s, after.reset_s) == (None, None, None)
    else:
        assert (after.shorter_s, after.reset_s) == (shorter_s, reset_s)
        assert after.retry_after_s == pytest.approx(retry_after_s, abs=1e-9)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [(None, None), (gw.Usage(input_tokens=5, reasoning_tokens=2), 17), (gw.Usage(output_tokens=1), None), (gw.Usage(), 0)],
)
def test_what_a_failed_call_has_cost_travels_with_it(usage: gw.Usage | None, cost: int | None) -> None:
    before = CallFailed(gw.ERROR_CLASS_CONTENT_REFUSED, "no", usage=usage, cost_nano_usd=cost, may_be_charged=True)
    after = call_failed(status_pb2.Status.FromString(to_status(before).SerializeToString()))
    assert (after.usage, after.cost_nano_usd) == (usage, cost)


def test_every_class_has_a_grpc_code() -> None:
    assert set(CODES) == set(CLASSES)


@pytest.mark.parametrize(
    ("error_class", "code"),
    [
        (gw.ERROR_CLASS_CALLER_FAULT, code_pb2.INVALID_ARGUMENT),
        (gw.ERROR_CLASS_CONTEXT_TOO_LONG, code_pb2.INVALID_ARGUMENT),
        (gw.ERROR_CLASS_RATE_LIMIT, code_pb2.RESOURCE_EXHAUSTED),
        (gw.ERROR_CLASS_QUOTA, code_pb2.RESOURCE_EXHAUSTED),
        (gw.ERROR_CLASS_CREDENTIAL, code_pb2.FAILED_PRECONDITION),
        (gw.ERROR_CLASS_MODEL_GONE, code_pb2.NOT_FOUND),
        (gw.ERROR_CLASS_TRANSIENT, code_pb2.UNAVAILABLE),
        (gw.ERROR_CLASS_TIMEOUT, code_pb2.DEADLINE_EXCEEDED),
        (gw.ERROR_CLASS_UNSUPPORTED, code_pb2.UNIMPLEMENTED),
    ],
)
def test_generic_clients_see_the_right_code(error_class: int, code: int) -> None:
    assert to_status(CallFailed(error_class, "x")).code == code


def test_a_rate_limit_carries_retry_info_and_a_quota_does_not() -> None:
    limited = to_status(CallFailed(gw.ERROR_CLASS_RATE_LIMIT, "slow down", retry_after_s=1.5))
    retry = detail(limited, error_details_pb2.RetryInfo)
    assert retry is not None
    assert (retry.retry_delay.seconds, retry.retry_delay.nanos) == (1, 500_000_000)
    used_up = to_status(CallFailed(gw.ERROR_CLASS_QUOTA, "no money", retry_after_s=1.5, provider="openai"))
    assert detail(used_up, error_details_pb2.RetryInfo) is None
    quota = detail(used_up, error_details_pb2.QuotaFailure)
    assert quota is not None
    assert quota.violations[0].subject == "openai"


def test_a_callers_fault_names_the_part_as_a_field_violation() -> None:
    bad = detail(to_status(CallFailed(gw.ERROR_CLASS_CALLER_FAULT, "empty", part="messages[0].parts[1]")), error_details_pb2.BadRequest)
    assert bad is not None
    assert bad.field_violations[0].field == "messages[0].parts[1]"


def test_trailers_stay_small_and_on_one_line_whatever_a_provider_says() -> None:
    status = to_status(CallFailed(gw.ERROR_CLASS_UNKNOWN, "a\nb " * 10_000, provider_code="x" * 9000))
    assert len(status.SerializeToString()) < 4096
    assert len(status.message) == MAX_PROVIDER_CHARACTERS
    assert "\n" not in status.message


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (code_pb2.UNAVAILABLE, "TRANSIENT"),
        (code_pb2.DEADLINE_EXCEEDED, "TIMEOUT"),
        (code_pb2.RESOURCE_EXHAUSTED, "TOO_LARGE"),
        (code_pb2.UNIMPLEMENTED, "UNKNOWN"),
        (code_pb2.INTERNAL, "UNKNOWN"),
    ],
)
def test_a_status_that_is_not_ours_is_judged_by_its_code(code: int, reason: str) -> None:
    assert call_failed(status_pb2.Status(code=code, message="from gRPC")).reason == reason


def test_a_class_of_a_newer_gateway_is_unknown() -> None:
    info = any_pb2.Any()
    info.Pack(error_details_pb2.ErrorInfo(reason="SOMETHING_NEW", domain="genlevel"))
    status = status_pb2.Status(code=code_pb2.ABORTED, message="m", details=[info])
    assert call_failed(status).reason == "UNKNOWN"
    assert came_back(status).reason == "UNKNOWN"


async def ended_with(error: Exception) -> grpc.aio.AioRpcError:
    """What a client sees of a call that ends with this error."""

    async def handler(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
        await abort(context, error, method="Call")

    server = grpc.aio.server()
    method = grpc.unary_unary_rpc_method_handler(handler)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Service", {"Call": method}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with connect(f"127.0.0.1:{port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            # A busy machine may take longer to connect than one attempt has: that would be a failure of another kind.
            await channel.unary_unary("/test.Service/Call")(b"", timeout=120, wait_for_ready=True)
    await server.stop(None)
    return caught.value


async def test_abort_reaches_the_client_with_all_its_details() -> None:
    failure = CallFailed(
        gw.ERROR_CLASS_RATE_LIMIT,
        "slow down",
        retry_after_s=2.25,
        shorter_s=0.5,
        reset_s=60.0,
        dimension="tokens",
        provider="openai",
        provider_code="429 tokens",
    )
    caught = await ended_with(failure)
    assert caught.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    received = call_failed(status_of(caught))
    assert vars(received) == vars(failure)
    assert vars(came_back(status_of(caught))) == vars(failure), "through whatever service it passes"


async def test_a_call_to_nobody_is_transient() -> None:
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/test.Service/Call")(b"", timeout=10)
    assert call_failed(status_of(caught.value)).reason == "TRANSIENT"


# -- the rest of the tree ------------------------------------------------------------------------------------------------


def came_back(status: status_pb2.Status) -> GenlevelError:
    return from_status(status, service="scorer", address="127.0.0.1:7403")


# They import torch, which is in no base install, and raise errors that other modules define.
NEED_TORCH = {"scorer.models.torchs", "scorer.models.video", "scorer.models.vision"}


def whole_tree() -> set[type[GenlevelError]]:
    """Every class of the tree, wherever it is defined."""
    for package in (genlevel, gateway, evaluator, scorer):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(("__main__", ".env")) and module.name not in NEED_TORCH:
                importlib.import_module(module.name)
    found: set[type[GenlevelError]] = set()
    waiting = [GenlevelError]
    while waiting:
        kind = waiting.pop()
        if kind not in found and not kind.__module__.startswith("test"):
            found.add(kind)
            waiting.extend(kind.__subclasses__())
    return found


def test_every_class_of_the_tree_has_a_row() -> None:
    assert whole_tree() == {*STATUSES, CallFailed}


REFUSALS = [kind for kind in STATUSES if issubclass(kind, CallerRefused)]


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_a_refused_caller_is_told_which_service_refused(kind: type[GenlevelError]) -> None:
    back = came_back(to_status(kind("this token is not known")))
    assert type(back) is kind
    assert str(back) == "the scorer at 127.0.0.1:7403: this token is not known"


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
async def test_a_service_that_a_neighbour_refuses_does_not_blame_its_own_caller(kind: type[GenlevelError]) -> None:
    refused = came_back(to_status(kind("this token is not known")))
    caught = await ended_with(refused)
    assert caught.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert str(came_back(status_of(caught))) == f"the service that was asked is refused itself: {refused}"


@pytest.mark.parametrize("kind", [kind for kind in STATUSES if kind not in REFUSALS], ids=lambda kind: kind.__name__)
async def test_every_error_comes_back_as_itself(kind: type[GenlevelError]) -> None:
    message = "no run 'α' here;\n `genlevel runs` lists them"
    back = came_back(status_of(await ended_with(kind(message))))
    assert type(back) is kind
    assert str(back) == message


async def test_long_messages_in_any_script_arrive() -> None:
    back = came_back(status_of(await ended_with(StorageError("磁" * MAX_MESSAGE_CHARACTERS))))
    assert type(back) is StorageError
    assert str(back) == "磁" * MAX_MESSAGE_CHARACTERS
    assert str(came_back(to_status(StorageError("x" * 10**6)))) == "x" * (MAX_MESSAGE_CHARACTERS - 1) + "…"


async def test_what_was_not_foreseen_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    caught = await ended_with(ValueError("a secret of the inside"))
    assert caught.code() is grpc.StatusCode.INTERNAL
    assert caught.details() == "Call failed inside the service; its log says more"
    assert "a secret of the inside" in caplog.text


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        (
            code_pb2.UNAVAILABLE,
            Unavailable,
            "the scorer at 127.0.0.1:7403 cannot be reached (addresses.scorer in the configuration): from gRPC",
        ),
        (
            code_pb2.DEADLINE_EXCEEDED,
            Unavailable,
            "the scorer at 127.0.0.1:7403 could not be reached, or did not answer in time (addresses.scorer in the configuration)",
        ),
        (
            code_pb2.UNIMPLEMENTED,
            GenlevelError,
            "the scorer at 127.0.0.1:7403 has another version; gateway, evaluator and scorer must have the same one",
        ),
        (
            code_pb2.CANCELLED,
            Unavailable,
            "the scorer at 127.0.0.1:7403 ended the call, as it does if it stops (addresses.scorer in the configuration)",
        ),
        (code_pb2.INTERNAL, GenlevelError, "the scorer at 127.0.0.1:7403 answered INTERNAL: from gRPC"),
        (code_pb2.INVALID_ARGUMENT, UsageError, "the scorer at 127.0.0.1:7403 answered INVALID_ARGUMENT: from gRPC"),
        (code_pb2.NOT_FOUND, NotFoundError, "the scorer at 127.0.0.1:7403 answered NOT_FOUND: from gRPC"),
    ],
)
def test_a_status_that_is_not_ours_names_the_service_and_what_to_do(code: int, kind: type[GenlevelError], said: str) -> None:
    back = came_back(status_pb2.Status(code=code, message="from gRPC"))
    assert type(back) is kind
    assert str(back) == said


def test_a_class_of_a_newer_service_is_the_nearest_that_we_know() -> None:
    info = any_pb2.Any()
    info.Pack(error_details_pb2.ErrorInfo(reason="VersionNotFoundError", domain="genlevel"))
    back = came_back(status_pb2.Status(code=code_pb2.NOT_FOUND, message="no such version", details=[info]))
    assert type(back) is NotFoundError
    assert str(back) == "no such version"


def test_a_gateways_other_errors_are_failed_calls_to_who_asks_for_answers() -> None:
    failure = call_failed(to_status(StorageError("the disk is full")))
    assert (failure.reason, failure.message) == ("UNKNOWN", "the disk is full")


@pytest.mark.parametrize("error_class", [gw.ERROR_CLASS_QUOTA, gw.ERROR_CLASS_CALLER_FAULT, gw.ERROR_CLASS_UNSUPPORTED])
async def test_whatever_a_failed_call_says_reaches_the_client(error_class: int) -> None:
    long = "x" * 100_000
    failure = CallFailed(error_class, long, part=long, provider=long, provider_code=long, dimension=long)
    found = call_failed(status_of(await ended_with(failure)))
    assert (found.error_class, len(found.message)) == (error_class, MAX_PROVIDER_CHARACTERS), found.message


@pytest.mark.parametrize("error", [DatasetError("no file b\udcff.png"), CallFailed(gw.ERROR_CLASS_UNKNOWN, "no file b\udcff.png")])
async def test_names_that_are_no_text_reach_the_client(error: GenlevelError) -> None:
    found = came_back(status_of(await ended_with(error)))
    assert (type(found), str(found)) == (type(error), r"no file b\udcff.png")


async def test_what_is_not_the_callers_fault_is_in_the_services_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "_absences", News())
    await ended_with(StorageError("the disk is full"))
    await ended_with(NotFoundError("no run 'x'"))
    assert [record.getMessage() for record in caplog.records] == ["Call failed: the disk is full"]


@pytest.mark.parametrize(
    ("from_grpc", "said"),
    [
        ("connections to all backends failing; last error: UNKNOWN: Connection refused", "nothing listens there"),
        ("errors resolving nowhere:7402: [field:hostname lookup error: Domain name not found]", "nobody knows that name"),
        ("Failed parsing HTTP/2 (Expected SETTINGS frame as the first frame, got frame type 80)", "does not speak gRPC"),
    ],
)
def test_who_is_not_reached_is_told_in_our_words(from_grpc: str, said: str) -> None:
    found = str(came_back(status_pb2.Status(code=code_pb2.UNAVAILABLE, message=from_grpc)))
    assert said in found
    assert from_grpc[:20] not in found


def test_a_page_of_a_proxy_is_a_short_line() -> None:
    page = "<html>\n<h1>502 Bad Gateway</h1>\r\n" + "<hr>nginx\n" * 1000
    said = str(came_back(status_pb2.Status(code=code_pb2.UNAVAILABLE, message=page)))
    assert "cannot be reached" in said
    assert "<html> <h1>502 Bad Gateway</h1> <hr>nginx" in said
    assert len(said) < 400
    assert "\n" not in said


async def test_a_storage_that_is_away_is_in_the_log_once(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(failures, "_absences", News(clock=lambda: now[0]))
    for after_s in (0, 5, 50, 59, 61):
        now[0] += after_s
        await ended_with(StorageError("the folder is gone"))
    await ended_with(StorageError("the disk is full"))
    said = [record.getMessage() for record in caplog.records]
    assert said == ["Call failed: the folder is gone"] * 2 + ["Call failed: the disk is full"]
