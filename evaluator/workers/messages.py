"""Workers and what was given up, as messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp

from genlevel.runtime.workers import Seen
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from genlevel.runtime.queue import DeadLetter

_MOST_SHOWN = 1000


def worker_message(seen: Seen) -> ev.Worker:
    """A worker as it was last heard of."""
    worker, doing = seen.worker, seen.doing.shown()
    return ev.Worker(
        name=worker.name,
        service=worker.service,
        version=worker.version,
        host=worker.host,
        started=_time(seen.started_s),
        seen=_time(seen.seen_s),
        lost=seen.is_lost,
        asks=worker.asks,
        scores=worker.scores,
        device=worker.device,
        problem=worker.problem,
        runs=[ev.RunPart(run_id=one.run, leads=one.leads, in_flight=one.in_flight, rate=one.rate, shards=one.shards) for one in doing.runs],
        scoring=[ev.ScoredTask(run_id=one.run, task=one.task) for one in doing.scoring],
        more_runs=doing.more_runs,
        more_scoring=doing.more_scoring,
        age_s=seen.age_s,
    )


def dead_letter_message(letter: DeadLetter) -> ev.DeadLetter:
    """A message that was given up."""
    return ev.DeadLetter(
        key=letter.key,
        topic=letter.topic,
        reason=letter.reason,
        tries=letter.tries,
        at=_time(letter.at),
        body=letter.body.decode(errors="replace")[:_MOST_SHOWN],
    )


def _time(seconds: float) -> Timestamp:
    moment = Timestamp()
    moment.FromNanoseconds(round(seconds * 1e9))
    return moment
