"""The pages of the three services, with every series that they can show, as they are made by the services' own code."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from prometheus_client import CollectorRegistry

from evaluator.telemetry import EvaluatorTelemetry, SuiteName
from gateway.telemetry import Telemetry
from genlevel.benchmark.model import Benchmark, Modality, Paradigm, Task, TaskMetric
from genlevel.benchmark.outcomes import Outcome
from genlevel.embedded import service_registry
from genlevel.runtime.callers.access import Access
from genlevel.runtime.limits import LimiterState
from genlevel.runtime.queue.series import QueueSeries
from genlevel.v1 import gateway_pb2 as gw
from scorer.runs.exporter import Current, ScoreExporter, Shown
from scorer.runs.verdict import compute_verdict
from scorer.scoring.task_scoring import TaskOutcome
from scorer.store.records import StoredScore
from scorer.tasks import TaskRecord
from tests.runtime.queue.local import LocalQueue
from tests.scorer.said_verdicts import said_of

SUITE = SuiteName("starter", "1f3a5b7c")


class Pages:
    """A registry for each service. ``goes_on`` is a little of everything."""

    def __init__(self) -> None:
        self.registries = {name: service_registry() for name in ("gateway", "evaluator", "scorer")}
        for registry in self.registries.values():
            Access(registry=registry)
        self._gateway = Telemetry(self.registries["gateway"])
        self._models = {priced: self._gateway.model("openai", "m", "chat", priced=priced) for priced in (False, True)}
        self._evaluator = EvaluatorTelemetry(self.registries["evaluator"])
        self._evaluator.show(_Run())
        show_queue(self.registries["evaluator"])
        self.registries["scorer"].register(_scores())
        self.goes_on()

    def goes_on(self) -> None:
        """One call is answered and one fails, and a run has its outcome of one instance."""
        usage = gw.Usage(input_tokens=3, output_tokens=2, output_images=1, output_milliseconds=500)
        answer = gw.GenerateResponse(upstream_s=0.5, first_piece_s=0.2, overhead_s=0.001, cost_nano_usd=2_500_000, usage=usage)
        self._models[False].answered(answer, True)
        self._models[True].cancelled()
        self._gateway.failed("openai", "RATE_LIMIT")
        self._evaluator.answered("m", SUITE, Outcome.ANSWERED)
        self._evaluator.called("m", SUITE)
        self._evaluator.retried("m", SUITE, "RATE_LIMIT")
        self._evaluator.judged("judge", SUITE, ok=True)


def show_queue(registry: CollectorRegistry) -> None:
    """Shows the series of a queue that is there."""
    with contextlib.suppress(StopIteration):  # one within the process waits for nothing
        QueueSeries(LocalQueue(), registry).look().send(None)


class _Run:
    """A run that goes on."""

    model = "m"
    suite = SUITE
    account = "openai"

    def limits(self) -> LimiterState:
        slices = {"requests_per_minute": 600.0}
        return LimiterState(pace=10.0, stated=False, concurrency=4, in_flight=3, limited=0, succeeded=9, slices=slices)

    def in_flight(self) -> int:
        return 3

    def waiting(self) -> Mapping[str, int]:
        return {"concurrency": 5}

    def pending(self) -> int:
        return 90

    def batches_waiting(self) -> tuple[int, int, int]:
        return 2, 60, 12


def _scores() -> ScoreExporter:
    """One run with one task."""
    exporter = ScoreExporter()
    task = Task("t", "T", "T", "", 0, "1", Modality.IMAGE, Paradigm.COMPREHENSION, TaskMetric("accuracy", "ACC"), 90.0, 90.0)
    outcome = TaskOutcome(50.0, 50.0, 50.0, 1.0, {Outcome.ANSWERED: 2}, "", ())
    verdict = compute_verdict(Benchmark("b", (task,)), [StoredScore(TaskRecord(key="t", name="T"), False, outcome)])
    shown = Shown(said_of(verdict))
    exporter.update(("m", "starter", "1f3a5b7c9d"), lambda: [Current("run", False, lambda: shown)], changed="run")
    return exporter
