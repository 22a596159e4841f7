"""Workers and their queue as the JSON document that `genlevel workers` prints, and in words; docs/json.md has its fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from genlevel.runtime.documents import Document
    from genlevel.v1 import evaluator_pb2 as ev

ALONE = "no queue is configured: each run has one evaluator (docs/workers.md)"
_SCORES = "score."
_SHOWN = 3


def workers_document(found: ev.ListWorkersResponse) -> Document:
    """Who works, and what waits in the queue. What a queue that is away would say is null."""
    known = found.shared and not found.queue_problem
    return {
        "shared": found.shared,
        "workers": [_worker(one) for one in found.workers],
        "queue_problem": found.queue_problem or None,
        "topics": [{"topic": one.name, "waiting": one.waiting, "in_hand": one.in_hand} for one in found.topics] if known else None,
        "dead": found.dead if known else None,
        "dead_letters": [
            {
                "key": one.key,
                "topic": one.topic,
                "reason": one.reason,
                "tries": one.tries,
                "at": _time(one, "at"),
                "body": one.body,
            }
            for one in found.dead_letters
        ],
    }


def _worker(worker: ev.Worker) -> Document:
    return {
        "worker": worker.name,
        "service": worker.service,
        "version": worker.version,
        "host": worker.host,
        "started": _time(worker, "started"),
        "seen": _time(worker, "seen"),
        "age_s": worker.age_s,
        "lost": worker.lost,
        "asks": worker.asks,
        "scores": list(worker.scores),
        "device": worker.device or None,
        "problem": worker.problem or None,
        "runs": [
            {"run": one.run_id, "leads": one.leads, "in_flight": one.in_flight, "rate": one.rate, "shards": one.shards}
            for one in worker.runs
        ],
        "scoring": [{"run": one.run_id, "task": one.task} for one in worker.scoring],
        "more_runs": worker.more_runs,
        "more_scoring": worker.more_scoring,
    }


def _time(message: Message, name: str) -> str | None:
    return str(getattr(message, name).ToJsonString()) if message.HasField(name) else None


def can_told(worker: Document) -> str:
    """What a worker of a document can do: "asks, scores any and vision on cuda:1"."""
    parts = ["asks"] if worker["asks"] else []
    if worker["scores"]:
        parts.append(f"scores {' and '.join(worker['scores'])}" + (f" on {worker['device']}" if worker["device"] else ""))
    return ", ".join(parts) or "nothing"


def doing_told(worker: Document) -> list[str]:
    """What a worker of a document does, or did when it was last seen, a line for each run and task; the first few of each."""
    lines = []
    leads, asks, scores = ("led", "asked for", "was scoring") if worker["lost"] else ("leads", "asks for", "scores")
    for one in worker["runs"][:_SHOWN]:
        parts = f", {one['shards']:,} part{'s' if one['shards'] > 1 else ''}" if one["shards"] else ""
        lines.append(f"{leads if one['leads'] else asks} {one['run']}: {one['in_flight']:,} in flight, {one['rate']:.1f} calls/s{parts}")
    if more := max(0, len(worker["runs"]) - _SHOWN) + worker["more_runs"]:
        lines.append(f"and {more:,} more runs")
    lines += [f"{scores} {one['task']} of {one['run']}" for one in worker["scoring"][:_SHOWN]]
    if more := max(0, len(worker["scoring"]) - _SHOWN) + worker["more_scoring"]:
        lines.append(f"and {more:,} more tasks")
    return lines


def seen_told(worker: Document) -> str:
    """Whether a worker of a document is there."""
    return f"lost, not seen for {worker['age_s']:.0f} s" if worker["lost"] else "here"


def troubles(document: Document) -> list[str]:
    """What a person has to know or do, a line each: what waits for workers that there are not, who can do less than they are told."""
    lines = [f"{one['worker']}: {one['problem']}" for one in document["workers"] if one["problem"]]
    if document["queue_problem"]:
        lines.append(f"the queue cannot be asked: {document['queue_problem']}")
    here: Sequence[Document] = [one for one in document["workers"] if one["service"] == "evaluator" and not one["lost"]]
    for topic in document["topics"] or ():
        need = topic["topic"].removeprefix(_SCORES)
        waiting = topic["waiting"] + topic["in_hand"]
        if topic["topic"].startswith(_SCORES) and waiting and not any(need in one["scores"] for one in here):
            what = f"{waiting:,} tasks wait" if waiting > 1 else "a task waits"
            lines.append(f"{what} to be scored for {need}: no worker declares it; start one with worker.scores: [{need}]")
    asked = any(not one["topic"].startswith(_SCORES) for one in document["topics"] or ())
    if asked and not any(one["asks"] for one in here):
        lines.append("runs wait to be asked, and no worker asks; start one without worker.asks: false")
    return lines


def dead_told(document: Document) -> str:
    """How many messages were given up, in words; "" if none was, or nobody knows."""
    dead = document["dead"]
    return "" if not dead else f"{dead:,} messages were given up" if dead > 1 else "a message was given up"
