"""What became of each answer of a run: its score as the scorer has it, and what the journal knows of its call."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from evaluator.journal.journal import Journal
from evaluator.monitors.core.readings import Reading
from evaluator.ports import ScorerPort
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.metrics import sigma
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import DatasetError, NotFoundError
from genlevel.v1 import scorer_pb2 as sc

Place = tuple[str, str]
"""A task's key and an instance's id."""


@dataclass(slots=True)
class RunReadings:
    """Readings by instance, in the order of their repeats. models, fingerprints: as answers name them, and how many do."""

    readings: dict[Place, list[Reading]] = field(default_factory=dict)
    models: Counter[str] = field(default_factory=Counter)
    fingerprints: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Scored:
    outcome: Outcome
    score: float | None


async def readings_of(journal: Journal, scorer: ScorerPort, run_id: str, metrics: Mapping[str, str]) -> RunReadings:
    """What became of each answer of a run. metrics: the id of each task's metric, by its key. Raises GenlevelError."""
    scored: dict[tuple[str, AnswerKey], _Scored] = {}
    with contextlib.suppress(NotFoundError):  # nothing was scored if no call succeeded
        async for one in scorer.list_instances(sc.ListInstancesRequest(run_id=run_id)):
            key = AnswerKey(one.instance_id, one.variant, one.repeat, one.shuffle)
            score = _unit_score(metrics.get(one.task, ""), one.score) if one.HasField("score") else None
            scored[one.task, key] = _Scored(Outcome.of(one.outcome), score)
    return await journal.reads(_read, journal, run_id, scored)


def _read(journal: Journal, run_id: str, scored: Mapping[tuple[str, AnswerKey], _Scored]) -> RunReadings:
    found = RunReadings()
    answers = sorted(journal.list_answers(run_id), key=lambda answer: (answer.task, answer.key))
    for answer in answers:
        known = scored.get((answer.task, answer.key))
        failed = answer.outcome is Outcome.FAILED
        answered = answer.outcome in (Outcome.ANSWERED, Outcome.REFUSED)
        if not failed and (known is None or not answered):
            continue  # not scored, or not what this model can be asked
        reading = Reading(
            score=None if known is None or failed else known.score,
            refused=known is not None and known.outcome is Outcome.REFUSED,
            unparsable=known is not None and known.outcome is Outcome.UNPARSABLE,
            failed=failed,
            latency_s=answer.upstream_s if answered and answer.upstream_s > 0.0 else None,
            output_tokens=(answer.usage.output_tokens + answer.usage.reasoning_tokens or None) if answered else None,
            cost_nano_usd=answer.cost_nano_usd if answered and not answer.unknown_calls else None,
        )
        found.readings.setdefault((answer.task, answer.instance_id), []).append(reading)
        if answered and answer.provider_model:
            found.models[answer.provider_model] += 1
        if answered and answer.fingerprint:
            found.fingerprints[answer.fingerprint] += 1
    return found


def _unit_score(metric: str, score: float) -> float | None:
    """A score of one instance on the scale of levels, 0..1; None if it cannot be placed there."""
    try:
        return min(1.0, max(0.0, sigma(metric, score) / 100.0))
    except DatasetError:
        return None
