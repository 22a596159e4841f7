"""What the gateway tells Prometheus: requests, durations, overhead, tokens, money, errors. Labels are bounded."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

from gateway.tallies import Counts, Distributions
from genlevel.runtime.errors import CallFailed
from genlevel.v1 import gateway_pb2 as gw

# Reasoning models answer in minutes.
DURATION_BUCKETS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900)
OVERHEAD_BUCKETS_S = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1)
# As OpenTelemetry advises for gen_ai.server.time_per_output_token.
TOKEN_TIME_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5)
TOKEN_BUCKETS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576)
# Callers choose model names; beyond this many they share one label.
MAX_MODELS = 200
OTHER = "other"
OPERATIONS = {"images": "image_generation", "speech": "speech", "video": "video_generation"}
TOKEN_FIELDS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")


class Telemetry:
    """The gateway's series in one registry. OpenTelemetry's GenAI names if they exist, genlevel_* otherwise."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("provider", "model", "api")
        self._requests = Counts("genlevel_gateway_requests", "Requests by outcome.", (*labels, "outcome"), registry=registry)
        self._errors = Counts("genlevel_gateway_errors", "Failed requests by error class.", ("provider", "class"), registry=registry)
        self.open_calls = 0
        """Requests being worked on: counted by whoever works on them, looked at when somebody asks."""
        in_flight = Gauge("genlevel_gateway_in_flight", "Requests being worked on.", registry=registry)
        in_flight.set_function(lambda: self.open_calls)
        self._duration = Distributions(
            "gen_ai_client_operation_duration_seconds",
            "Duration of a request, upstream included.",
            ("gen_ai_provider_name", "gen_ai_request_model", "gen_ai_operation_name"),
            buckets=DURATION_BUCKETS_S,
            registry=registry,
        )
        self._overhead = Distributions(
            "genlevel_gateway_overhead_seconds",
            "Duration of a request less the time with an upstream call open, or waiting for the embedded server to start.",
            ("provider", "api"),
            buckets=OVERHEAD_BUCKETS_S,
            registry=registry,
        )
        self._first_chunk, self._token_time = _of_streams(registry)
        self._usage = Distributions(
            "gen_ai_client_token_usage",
            "Tokens of one answer.",
            ("gen_ai_provider_name", "gen_ai_request_model", "gen_ai_token_type"),
            buckets=TOKEN_BUCKETS,
            registry=registry,
        )
        self._tokens = Counts("genlevel_gateway_tokens", "Tokens in disjoint buckets.", ("provider", "model", "bucket"), registry=registry)
        self._images = Counts("genlevel_gateway_output_images", "Pictures that were made.", ("provider", "model"), registry=registry)
        self._seconds = Counts(
            "genlevel_gateway_output_media_seconds",
            "Length of the video and audio made.",
            ("provider", "model"),
            registry=registry,
        )
        self._cost = Counts(
            "genlevel_gateway_cost_usd", "US dollars, of answers whose model has a price.", ("provider", "model"), registry=registry
        )
        self._unbilled = Counts(
            "genlevel_gateway_unknown_cost_calls",
            "Calls whose model has a price, that may be billed, and whose cost is not known.",
            ("provider", "model"),
            registry=registry,
        )
        self._models: dict[tuple[str, str, str, bool], ModelSeries] = {}

    def model(self, provider: str, model: str, api: str, *, priced: bool = False) -> ModelSeries:
        """The series of one model; those of the models beyond MAX_MODELS are one. priced: a cost that is not told is unknown, not none."""
        name = (provider, model, api, priced)
        series = self._models.get(name)
        if series is None:
            if len(self._models) >= MAX_MODELS:
                name = (provider, OTHER, api, priced)
                series = self._models.get(name)
                if series is not None:
                    return series
            series = self._models[name] = ModelSeries(self, *name)
        return series

    def failed(self, provider: str, reason: str) -> None:
        """Counts a failure by its class; also those that reach no model."""
        self._errors.labels(provider or "none", reason).inc()


def _of_streams(registry: CollectorRegistry) -> tuple[Distributions, Distributions]:
    """Times of answers that came as streams."""
    labels = ("gen_ai_provider_name", "gen_ai_request_model", "gen_ai_operation_name")
    first, each = "gen_ai_client_operation_time_to_first_chunk_seconds", "gen_ai_server_time_per_output_token_seconds"
    return (
        Distributions(
            first, "From when an answer was asked for to its first piece.", labels, buckets=DURATION_BUCKETS_S, registry=registry
        ),
        Distributions(each, "Time for each token after the first piece.", labels, buckets=TOKEN_TIME_BUCKETS_S, registry=registry),
    )


class ModelSeries:
    """The series of one model with their labels bound once, because looking them up costs more than counting."""

    def __init__(self, telemetry: Telemetry, provider: str, model: str, api: str, priced: bool) -> None:
        own = telemetry
        self._priced = priced
        self._telemetry, self._names = telemetry, (provider, model, OPERATIONS.get(api, "chat"))
        self._answered = own._requests.labels(provider, model, api, "answered")
        self._failed = own._requests.labels(provider, model, api, "failed")
        self._cancelled = own._requests.labels(provider, model, api, "cancelled")
        self._duration = own._duration.labels(provider, model, OPERATIONS.get(api, "chat"))
        self._overhead = own._overhead.labels(provider, api)
        self._input = own._usage.labels(provider, model, "input")
        self._output = own._usage.labels(provider, model, "output")
        self._tokens = [own._tokens.labels(provider, model, field.removesuffix("_tokens")) for field in TOKEN_FIELDS]
        self._images, self._seconds = own._images.labels(provider, model), own._seconds.labels(provider, model)
        self._cost = own._cost.labels(provider, model)
        self._unbilled = own._unbilled.labels(provider, model)

    def answered(self, response: gw.GenerateResponse, has_usage: bool) -> None:
        """Counts an answer, its durations, tokens and cost."""
        overhead_s = response.overhead_s
        self._duration.observe(response.upstream_s + overhead_s)
        self._overhead.observe(overhead_s)
        if response.HasField("first_piece_s"):
            self._streamed(response, has_usage)
        self.collected(response, has_usage)

    def collected(self, response: gw.GenerateResponse, has_usage: bool) -> None:
        """Counts an answer, its tokens and cost: all of one that came in a batch, whose durations say nothing."""
        self._answered.inc()
        usage = response.usage
        if has_usage:
            self._used(usage)
        if usage.output_images:
            self._images.inc(usage.output_images)
        if usage.output_milliseconds:
            self._seconds.inc(usage.output_milliseconds / 1000)
        if response.cost_nano_usd:
            self._cost.inc(response.cost_nano_usd / 1e9)
        elif self._priced and not response.HasField("cost_nano_usd"):
            self._unbilled.inc()

    def _streamed(self, response: gw.GenerateResponse, has_usage: bool) -> None:
        """Counts the times of an answer that came as a stream; there are no such series of models that answer whole."""
        self._telemetry._first_chunk.labels(*self._names).observe(response.first_piece_s)
        tokens = response.usage.output_tokens
        if any(part.HasField("reasoning") for part in response.parts):  # else it came before the first piece
            tokens += response.usage.reasoning_tokens
        if has_usage and tokens > 1:
            self._telemetry._token_time.labels(*self._names).observe((response.upstream_s - response.first_piece_s) / (tokens - 1))

    def failed(self, duration_s: float, failure: CallFailed) -> None:
        """Counts a request that failed, and what it used all the same."""
        self._duration.observe(duration_s)
        self.failed_in_batch(failure)

    def failed_in_batch(self, failure: CallFailed) -> None:
        """Counts a request that failed, and what it used all the same, without a duration."""
        self._failed.inc()
        if failure.usage is not None:
            self._used(failure.usage)
        if failure.cost_nano_usd:
            self._cost.inc(failure.cost_nano_usd / 1e9)
        elif self._priced and failure.may_be_charged and failure.cost_nano_usd is None:
            self._unbilled.inc()

    def _used(self, usage: gw.Usage) -> None:
        fresh, read, written = usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens
        said, thought = usage.output_tokens, usage.reasoning_tokens
        self._input.observe(fresh + read + written)
        self._output.observe(said + thought)
        for tokens, counter in zip((fresh, read, written, said, thought), self._tokens, strict=True):
            if tokens:
                counter.inc(tokens)

    def cancelled(self) -> None:
        """Counts a request whose caller went away. It may be billed all the same."""
        self._cancelled.inc()
        if self._priced:
            self._unbilled.inc()
