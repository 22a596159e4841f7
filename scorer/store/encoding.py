"""How records lie in the database's columns: tasks as the contract's messages, statistics as compressed JSON, evidence as JSON."""

from __future__ import annotations

import json
import zlib

import orjson

from genlevel.benchmark.answer_key import MARK, AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.v1 import scorer_pb2 as sc
from scorer.certify.ends import Ends, Estimate
from scorer.certify.samples import Ranked, Sample, Sizes
from scorer.scoring.readings import KeptReadings, readings_of
from scorer.scoring.task_scoring import TaskOutcome
from scorer.tasks import RunFacts, TaskAnswers, TaskRecord
from scorer.wire import facts_message, read_facts, task_message, task_of

EVIDENCE_VERSION = 3
"""Of the evidence beside a score: 1 had no version, and no numbers of units; 2 had a ranking's answers counted by level."""
CURRENT_EVIDENCE = f'{{"version":{EVIDENCE_VERSION},'
"""What current evidence begins with."""
_RANKED = "ranked"
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
    """JSON: {"version", "ends"}: one estimate, or the two that open answers leave; none if nothing is known.

    An estimate is its numbers, what its units are (see ``_sample_columns``), why that is not known, and how many things are to find.
    """
    ends = () if evidence is None else (evidence.low,) if evidence.low == evidence.high else (evidence.low, evidence.high)
    return orjson.dumps({"version": EVIDENCE_VERSION, "ends": [_estimate_columns(end) for end in ends]}).decode()


def _estimate_columns(end: Estimate) -> list[object]:
    numbers = [end.value, end.standard_error, end.units, end.binary, end.clustered, end.skewness, end.degrees]
    return [*numbers, _sample_columns(end), end.flaw, end.things]


def is_current(column: str | None) -> bool:
    """Whether evidence is kept in the form that certificates need; what older code kept is computed again."""
    return column is not None and column.startswith(CURRENT_EVIDENCE)


def decoded_evidence(column: str | None) -> Ends | None:
    """None if nothing is known, or what is kept is not ``is_current``."""
    if column is None or not is_current(column):
        return None
    ends = [
        Estimate(
            value,
            error,
            units,
            binary=binary,
            clustered=clustered,
            skewness=skewness,
            degrees=degrees,
            sample=_sample_of(sample),
            flaw=flaw,
            things=things,
        )
        for value, error, units, binary, clustered, skewness, degrees, sample, flaw, things in orjson.loads(column)["ends"]
    ]
    return Ends(ends[0], ends[-1]) if ends else None


def _sample_columns(end: Estimate) -> list[object] | None:
    """Of a sample: where sizes come from, lowest and highest score, and by unit above, below and counts, each 1 if all are 1.

    Of a ranking: "ranked", negatives, positives.
    """
    sample = end.sample
    if isinstance(sample, Ranked):
        return [_RANKED, sample.negatives, sample.positives]
    if sample is None:
        return None
    below, counts = (1 if all(entry == 1 for entry in column) else column for column in (sample.below, sample.counts))
    return [sample.sizes.value, sample.lowest, sample.highest, sample.above, below, counts]


def _sample_of(columns: list[object] | None) -> Sample | Ranked | None:
    match columns:
        case [str() as name, list() as negatives, list() as positives] if name == _RANKED:
            return Ranked(tuple(negatives), tuple(positives))
        case [str() as sizes, float() | int() as lowest, float() | int() as highest, list() as above, below, counts]:
            ones = (1,) * len(above)
            return Sample(
                above=tuple(above),
                below=tuple(below) if isinstance(below, list) else ones,
                counts=tuple(counts) if isinstance(counts, list) else ones,
                sizes=Sizes(sizes),
                lowest=lowest,
                highest=highest,
            )
    return None
