"""What of a call is told to a collector of traces: OpenTelemetry's GenAI attributes, and no content, key or caller."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from urllib.parse import urlsplit

from gateway.resolved import ResolvedRoute
from gateway.telemetry import OPERATIONS
from genlevel.runtime import logs
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.traces import Attribute, Spans
from genlevel.v1 import gateway_pb2 as gw

CANCELLED = "cancelled"

logger = logging.getLogger(__name__)


async def traced(
    spans: Spans, route: ResolvedRoute, request: gw.GenerateRequest, call: Awaitable[gw.GenerateResponse]
) -> gw.GenerateResponse:
    """Waits for the call, and records how it ended, whatever that is."""
    started_ns = time.time_ns()
    outcome: gw.GenerateResponse | CallFailed | str = CANCELLED
    try:
        outcome = await call
        return outcome
    except CallFailed as failure:
        outcome = failure
        raise
    except asyncio.CancelledError:
        raise
    except BaseException as problem:
        outcome = type(problem).__qualname__
        raise
    finally:
        try:
            _record(spans, route, request, outcome, started_ns)
        except Exception:  # a call does not fail for what is told of it
            logger.exception("a call could not be told to the collector of traces")


def _record(
    spans: Spans, route: ResolvedRoute, request: gw.GenerateRequest, outcome: gw.GenerateResponse | CallFailed | str, started_ns: int
) -> None:
    """outcome: a text is the type of an error that is neither of the others."""
    ended_ns = time.time_ns()
    operation, model = OPERATIONS.get(route.api, "chat"), logs.redact(route.model)
    found: dict[str, Attribute] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": route.provider,
        "gen_ai.request.model": model,
    }
    address = urlsplit(route.base_url)
    if address.hostname:
        found["server.address"] = address.hostname
        found["server.port"] = address.port or (443 if address.scheme == "https" else 80)
    failed = not isinstance(outcome, gw.GenerateResponse)
    if isinstance(outcome, gw.GenerateResponse):
        _asked(found, outcome.applied_parameters)
        _answered(found, outcome)
    else:
        _asked(found, request.parameters)
        found["error.type"] = outcome if isinstance(outcome, str) else outcome.reason
        if isinstance(outcome, CallFailed) and outcome.usage is not None:
            _used(found, outcome.usage)
    spans.record(f"{operation} {model}", found, started_ns=started_ns, ended_ns=ended_ns, error=failed)


def _answered(found: dict[str, Attribute], response: gw.GenerateResponse) -> None:
    for name, said in (("model", response.model), ("id", response.response_id)):
        if said and not any(map(str.isspace, said)):  # else it is no name: a server may put there what it was sent
            found[f"gen_ai.response.{name}"] = logs.redact(said)
    if response.finish_reason:
        found["gen_ai.response.finish_reasons"] = [gw.FinishReason.Name(response.finish_reason).removeprefix("FINISH_REASON_").lower()]
    if response.HasField("first_piece_s"):
        found["gen_ai.response.time_to_first_chunk"] = response.first_piece_s
    if not response.usage_estimated:
        _used(found, response.usage)


def _asked(found: dict[str, Attribute], parameters: gw.GenerationParameters) -> None:
    for field, name in (("temperature", "temperature"), ("top_p", "top_p"), ("max_output_tokens", "max_tokens"), ("seed", "seed")):
        if parameters.HasField(field):
            found[f"gen_ai.request.{name}"] = getattr(parameters, field)


def _used(found: dict[str, Attribute], usage: gw.Usage) -> None:
    """All tokens that went in, also those that a cache had, and all that came out, as OpenTelemetry counts them."""
    if given := usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens:
        found["gen_ai.usage.input_tokens"] = given
    if made := usage.output_tokens + usage.reasoning_tokens:
        found["gen_ai.usage.output_tokens"] = made
