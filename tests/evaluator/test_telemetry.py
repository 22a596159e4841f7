"""The evaluator's series tell suites apart by content, and stay bounded though suites change every day."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from evaluator.telemetry import EvaluatorTelemetry, SuiteName
from genlevel.benchmark.outcomes import Outcome


def shown(registry: CollectorRegistry, name: str) -> dict[tuple[str, str, str], float]:
    samples = (sample for family in registry.collect() for sample in family.samples if sample.name == name)
    first = "judge" if "judgements" in name else "model"
    return {(one.labels[first], one.labels["suite"], one.labels["suite_hash"]): one.value for one in samples}


def test_contents_of_one_name_are_counted_apart_and_those_of_long_ago_leave() -> None:
    registry = CollectorRegistry()
    telemetry = EvaluatorTelemetry(registry)
    for day in range(10):
        telemetry.answered("m", SuiteName("bench", str(day)), Outcome.ANSWERED)
        telemetry.answered("m", SuiteName("bench", str(day)), Outcome.ANSWERED)
        telemetry.answered("n", SuiteName("bench", "0"), Outcome.ANSWERED)
        telemetry.judged("j", SuiteName("bench", str(day)), ok=True)
    answers = shown(registry, "genlevel_evaluator_answers_total")
    assert answers == {("m", "bench", "7"): 2, ("m", "bench", "8"): 2, ("m", "bench", "9"): 2, ("n", "bench", "0"): 10}
    assert set(shown(registry, "genlevel_evaluator_judgements_total")) == {("j", "bench", day) for day in "789"}


def test_beyond_the_bound_of_models_and_suites_all_are_others() -> None:
    registry = CollectorRegistry()
    telemetry = EvaluatorTelemetry(registry, most_pairs=2)
    for model in ("a", "b", "c", "d"):
        telemetry.answered(model, SuiteName("bench", "1"), Outcome.FAILED)
    answers = shown(registry, "genlevel_evaluator_answers_total")
    assert answers == {("a", "bench", "1"): 1, ("b", "bench", "1"): 1, ("other", "other", ""): 2}
