"""How records lie in the database's columns: tasks as the contract's messages, statistics as compressed JSON, evidence as JSON."""

from __future__ import annotations

import json
import zlib

import orjson

from genlevel.benchmark.answer_key import MARK, AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.v1 import scorer_pb2 as sc
from scorer.certify.evidence import Ends, Estimate
from scorer.scoring.readings import KeptReadings, readings_of
from scorer.scoring.task_scoring import TaskOutcome
from scorer.tasks import RunFacts, TaskAnswers, TaskRecord
from scorer.wire import facts_message, read_facts, task_message, task_of

NO_STATISTICS = zlib.compress(orjson.dumps({}))
"""The statistics of a task without any answer yet."""


def encoded_task(task: TaskRecord) -> bytes:
    return task_message(task).SerializeToString()


def decoded_task(column: bytes) -> TaskRecord:
    return task_of(sc.TaskDescription.FromString(column))


def encoded_statistics(outcome: TaskOutcome) -> bytes:
    """JSON: key of the answer (``AnswerKey``) -> [outcome, statistic, number of its cluster if it shares one], compressed."""
    clusters = outcome.clusters
    kept = {
        str(key): (kind.value, statistic, clusters[key]) if key in clusters else (kind.value, statistic)
        for key, (kind, statistic) in outcome.statistics.items()
    }
    return zlib.compress(orjson.dumps(kept)) if kept else NO_STATISTICS


def decoded_answers(
    task: bytes, statistics: bytes, only: frozenset[str] = frozenset(), readings: KeptReadings | None = None
) -> TaskAnswers:
    """only: answers to these instances alone, if some are named. readings: None if they are not wanted, or not there."""
    kept = orjson.loads(zlib.decompress(statistics))
    if only:
        kept = {key: entry for key, entry in kept.items() if key in only or (key[:1] == MARK and AnswerKey.parse(key).instance in only)}
    rows = {AnswerKey.parse(key): entry for key, entry in kept.items()}
    return TaskAnswers(
        decoded_task(task),
        {key: (Outcome(entry[0]), entry[1]) for key, entry in rows.items()},
        {key: entry[2] for key, entry in rows.items() if len(entry) > 2},
        {} if readings is None else readings_of(readings, only),
    )


def encoded_facts(facts: RunFacts | None) -> bytes | None:
    return None if facts is None else facts_message(facts).SerializeToString()


def decoded_facts(column: bytes | None) -> RunFacts | None:
    return None if column is None else read_facts(sc.RunFacts.FromString(column))


def encoded_counts(outcome: TaskOutcome) -> str:
    return json.dumps({kind.value: count for kind, count in outcome.counts.items()})


def decoded_counts(column: str) -> dict[Outcome, int]:
    return {Outcome(name): int(count) for name, count in json.loads(column).items()}


def encoded_evidence(evidence: Ends | None) -> str:
    """JSON: one estimate, or the two that open answers leave; null if nothing is known."""
    if evidence is None:
        return json.dumps(None)
    ends = (evidence.low,) if evidence.low == evidence.high else (evidence.low, evidence.high)
    return json.dumps([[end.value, end.standard_error, end.units, end.binary, end.clustered, end.skewness, end.degrees] for end in ends])


def decoded_evidence(column: str | None) -> Ends | None:
    kept: list[tuple[float, float | None, int, bool, bool, float, float | None]] | None = json.loads(column) if column else None
    ends = [
        Estimate(value, error, units, binary=binary, clustered=clustered, skewness=skewness, degrees=degrees)
        for value, error, units, binary, clustered, skewness, degrees in kept or ()
    ]
    return Ends(ends[0], ends[-1]) if ends else None
