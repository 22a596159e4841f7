"""Spans to an OpenTelemetry collector, if one is configured: recorded when a call has ended, sent by a thread that nobody waits for.

Off unless ``traces.endpoint`` or OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) name a
collector; headers, certificates, sampling and the like are by those variables alone. A collector that does not answer costs one line in the
log, and spans; never a call. Needs the extra genlevel[otlp], which is loaded only here.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import ClassVar, Protocol

from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.shown import hide_secrets_of, without_secrets

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
TRACEPARENT = "traceparent"
MISSING = "traces need OpenTelemetry's exporter: pip install 'genlevel[otlp]'"
_PATH = "/v1/traces"
FLUSH_S = 1.0
"""Seconds that the last spans have: a command that is done does not wait for a collector that is away."""
_CREDENTIALS = ("OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER", "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER")

Attribute = str | int | float | Sequence[str]

logger = logging.getLogger(__name__)
_parent: ContextVar[str] = ContextVar("traceparent", default="")


class Spans:
    """Where spans go. ``record`` takes microseconds and never waits. recording: whether this process has made one."""

    recording: ClassVar[bool] = False

    def __init__(self, endpoint: str, service: str) -> None:
        """endpoint: the collector's address, such as http://localhost:4318; "": as OpenTelemetry's variables say."""
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from requests import Session

        # Each failure has several lines and a traceback there; ``_Told`` says it once.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        addresses = [endpoint, *(os.environ.get(name, "") for name in ENDPOINTS)]
        for address in addresses:
            hide_secrets_of(address)
        target = endpoint if not endpoint or endpoint.rstrip("/").endswith(_PATH) else endpoint.rstrip("/") + _PATH
        # A session of somebody's credential provider is left alone.
        session = None if any(os.environ.get(name) for name in _CREDENTIALS) else Session()
        exporter = _Told(OTLPSpanExporter(endpoint=target or None, session=session), next(filter(None, addresses), ""))
        if session is not None:
            session.hooks["response"].append(exporter.look)
        named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": service}
        self._provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("genlevel")
        Spans.recording = True

    def record(self, name: str, attributes: Mapping[str, Attribute], *, started_ns: int, ended_ns: int, error: bool = False) -> None:
        """One call that has ended, below the span that the caller named if it did. Times: since the epoch."""
        from opentelemetry.trace import SpanKind, Status, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        parent = TraceContextTextMapPropagator().extract({TRACEPARENT: _parent.get()})
        span = self._tracer.start_span(name, parent, SpanKind.CLIENT, attributes, start_time=started_ns)
        if error:
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended_ns)

    async def close(self) -> None:
        """Sends what is still there within FLUSH_S; what does not get through by then is dropped."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def work() -> None:
            self._provider.shutdown()
            if not loop.is_closed():
                loop.call_soon_threadsafe(done.set)

        # No thread of the loop's pool: the process would wait for it as it ends.
        threading.Thread(target=work, name="spans", daemon=True).start()
        try:
            await asyncio.wait_for(done.wait(), FLUSH_S)
        except TimeoutError:
            logger.warning("the last spans were not sent: the collector of traces did not answer within %g s", FLUSH_S)


def spans(endpoint: str, service: str) -> Spans | None:
    """None if no collector is named, or only the environment names one and the extra is missing. endpoint: of the settings.

    Raises ConfigurationError if the settings name a collector and the extra is missing.
    """
    if not is_wanted(endpoint):
        return None
    if is_missing():
        if endpoint:
            raise ConfigurationError(f"traces.endpoint is set, but {MISSING}")
        logger.warning(MISSING)
        return None
    return Spans(endpoint, service)


def is_wanted(endpoint: str) -> bool:
    """Whether somebody named a collector, and OpenTelemetry's variables do not turn it off."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if endpoint:
        return True
    exported = os.environ.get("OTEL_TRACES_EXPORTER", "otlp")
    return "otlp" in exported and any(os.environ.get(name) for name in ENDPOINTS)


def is_missing() -> bool:
    """Whether the extra is not installed."""
    try:
        return importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http") is None
    except ModuleNotFoundError:
        return True


def hear(metadata: Callable[[], Iterable[tuple[str, str | bytes]] | None]) -> None:
    """Takes the caller's span of a call's metadata (W3C Trace Context) as the parent of what is recorded in this task and its children.

    Looks only if this process records spans.
    """
    if not Spans.recording:
        return
    for key, value in metadata() or ():
        if key == TRACEPARENT and isinstance(value, str):
            _parent.set(value)


class _Exporter(Protocol):
    """What OpenTelemetry asks of an exporter."""

    def export(self, spans: Sequence[object]) -> object: ...
    def shutdown(self) -> None: ...
    def force_flush(self, timeout_millis: int = 30_000) -> bool: ...


class _Response(Protocol):
    """What is looked at of a collector's response."""

    status_code: int

    def close(self) -> None: ...


class _Told:
    """An exporter that says in one line that it begins to fail, and in another that it works again."""

    def __init__(self, exporter: _Exporter, address: str) -> None:
        self._exporter = exporter
        self._address = without_secrets(address)
        self._failing = False
        self._said = ""

    def look(self, response: _Response, **_: object) -> None:
        """Refuses a response that leads elsewhere: the exporter does not follow it, and takes it for a success."""
        if 300 <= response.status_code < 400:
            self._said = f"leads elsewhere ({response.status_code}): name the address that it leads to"
            response.close()
            raise ConnectionAbortedError(self._said)

    def export(self, spans: Sequence[object]) -> object:
        from opentelemetry.sdk.trace.export import SpanExportResult

        self._said = "does not take spans"
        try:
            result: object = self._exporter.export(spans)
        except Exception:  # whatever a collector and its network do, the thread goes on
            result = SpanExportResult.FAILURE
        failing = result is not SpanExportResult.SUCCESS
        if failing and not self._failing:
            logger.warning("the collector of traces at %s %s; spans that do not get through are dropped", self._address, self._said)
        elif self._failing and not failing:
            logger.warning("the collector of traces takes spans again")
        self._failing = failing
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)
