"""Runs as values: how one stands, what it has cost, and how it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from genlevel.documents.runs import status_name, tokens_in, tokens_out, wanted_name
from genlevel.documents.words import NANO, cost_told
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from genlevel.v1 import scorer_pb2 as sc


_STATUSES = {
    "running": ev.RUN_STATUS_RUNNING,
    "finished": ev.RUN_STATUS_FINISHED,
    "interrupted": ev.RUN_STATUS_INTERRUPTED,
    "budget": ev.RUN_STATUS_BUDGET,
    "failed": ev.RUN_STATUS_FAILED,
    "paused": ev.RUN_STATUS_PAUSED,
    "decided": ev.RUN_STATUS_DECIDED,
}


class RunStatus(StrEnum):
    """What has become of a run; each is its own text, so that ``status == "finished"`` holds.

    Attributes:
        RUNNING: it goes on.
        FINISHED: every instance has an outcome.
        INTERRUPTED: it stopped before its end, and can be continued.
        BUDGET: its budget ended it.
        FAILED: no call could succeed (key, quota, model gone).
        PAUSED: a person paused it.
        DECIDED: what it was asked for is decided, and not all of its instances were asked.
        UNKNOWN: the evaluator is of a newer version, which has a word that this one does not know.
    """

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    BUDGET = "budget"
    FAILED = "failed"
    PAUSED = "paused"
    DECIDED = "decided"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, value: object) -> RunStatus:
        return cls.UNKNOWN


@dataclass(frozen=True, slots=True)
class Counts:
    """Answers asked for, by what became of them: disjoint, and together the total.

    Attributes:
        total: instances, as often as each is asked.
        answered: with an answer; where ``unparsable`` is not known, also those that nothing could be read in.
        refused: the model or its provider would not, or the input was too long for it. Counts as wrong.
        unparsable: answered, but nothing of the asked kind could be read. Counts as wrong. None: not known, as only a verdict tells it.
        failed: failed for good, so that the task is incomplete.
        unsupported: not asked, as the model does not take or make the modality.
        pending: not asked yet.
    """

    total: int
    answered: int
    refused: int
    unparsable: int | None
    failed: int
    unsupported: int
    pending: int

    @property
    def done(self) -> int:
        """Those with an outcome."""
        return self.total - self.pending


@dataclass(frozen=True, slots=True)
class Cost:
    """What calls have cost, in US dollars. As a text: exactly, or within which bounds.

    Attributes:
        usd: what is known of it: at least this. None: the model has no price, or no call's cost is known.
        most_usd: at most this, which may be above the budget. None: there is no price, or nobody can tell.
        unknown_calls: calls whose cost is not known.
    """

    usd: float | None
    most_usd: float | None
    unknown_calls: int

    def __str__(self) -> str:
        return cost_told(self.usd, self.most_usd, self.unknown_calls)


@dataclass(frozen=True, slots=True)
class Judging:
    """How far a judge has rated a run's answers.

    Attributes:
        judge: as provider/model.
        judged: answers that it rated.
        failed: answers that it failed on.
        cost: of the judge's calls alone.
    """

    judge: str
    judged: int
    failed: int
    cost: Cost


@dataclass(frozen=True, slots=True)
class Batches:
    """What of a run waits in batches at a provider.

    Attributes:
        provider: its name.
        batches: how many.
        instances: in them.
        answered: of these, those that the provider says it has answered or failed on.
        expires: when the provider ends the last of them at the latest, in UTC. None: not known.
    """

    provider: str
    batches: int
    instances: int
    answered: int
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class RunState:
    """A run as it stood at one moment.

    Attributes:
        id: 12 hexadecimal digits, with ``-1`` and so on if it was started over.
        model: as it was asked for.
        suite: its name.
        suite_hash: of the suite's content. None: not known.
        benchmark: ``general-bench``, or the suite's own.
        partial: less than the whole benchmark is asked.
        status: what has become of it.
        reason: why it stopped, in one line; empty if it did not.
        wanted: what is to become of it: ``go on``, ``paused``, ``stopped``, ``cannot succeed`` or ``finished``. None: nothing is stored, as
            the process that started it drives it.
        counts: answers by outcome.
        cost: of the run's model; the judge's is in ``judging``.
        input_tokens: those from a cache included.
        output_tokens: those of reasoning included.
        calls: of the model, repeated ones included.
        retries: of these, those that were made again.
        judging: None: no judge was asked.
        batches: None: nothing waits at a provider.
        plan: which try of this model on these tasks it is, from 1. None: not told, or no try.
        occasion: what tells it apart from runs that ask the same, such as a monitor's tick. None: nothing does.
        repeats: how often each instance is asked.
        created: when it was made, in UTC.
        updated: when it last began, ended or was changed, in UTC.
        name: what people call it; empty: nothing.
        tags: words that people gave it.
        notes: what people say of it.
    """

    id: str
    model: str
    suite: str
    suite_hash: str | None
    benchmark: str
    partial: bool
    status: RunStatus
    reason: str
    wanted: str | None
    counts: Counts
    cost: Cost
    input_tokens: int
    output_tokens: int
    calls: int
    retries: int
    judging: Judging | None
    batches: Batches | None
    plan: int | None
    occasion: str | None
    repeats: int
    created: datetime
    updated: datetime
    name: str
    tags: tuple[str, ...]
    notes: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How a run goes at one moment.

    Attributes:
        run: as it stands.
        in_flight: calls that are open.
        rate: instances finished per second over the last seconds.
        waiting: instances that wait, by reason: requests, tokens, pace, concurrency, retry, provider, budget, storage, batch.
        remaining_s: seconds to its end, estimated. None: not known.
        judging: the answers are there, and the judge is being asked.
        waits_for: what it cannot go on without, in one line, such as a database that is away; empty: nothing.
        settled: of a run until something is decided: tasks of which nothing further is to be asked. None: it asks all.
        to_settle: and all tasks that it may ask. None: the same.
    """

    run: RunState
    in_flight: int
    rate: float
    waiting: Mapping[str, int]
    remaining_s: float | None
    judging: bool
    waits_for: str
    settled: int | None
    to_settle: int | None


def run_state(run: ev.Run) -> RunState:
    """A run's message as a value."""
    counts, given = run.counts, run.specification
    return RunState(
        id=run.run_id,
        model=given.model,
        suite=run.suite,
        suite_hash=run.suite_hash or None,
        benchmark=run.benchmark,
        partial=run.partial,
        status=RunStatus(status_name(run.status)),
        reason=run.reason,
        wanted=wanted_name(run.wanted),
        counts=counts_of(counts),
        cost=_cost(run),
        input_tokens=tokens_in(run.usage),
        output_tokens=tokens_out(run.usage),
        calls=run.calls,
        retries=run.retries,
        judging=_judging(run.judging) if run.HasField("judging") else None,
        batches=_batches(run.batches) if run.HasField("batches") else None,
        plan=run.plan or None,
        occasion=given.occasion or None,
        repeats=max(1, given.repeats),
        created=_time(run.created),
        updated=_time(run.updated),
        name=run.name,
        tags=tuple(run.tags),
        notes=run.notes,
    )


def statuses_of(names: Sequence[str]) -> list[ev.RunStatus]:
    """The numbers that a message has for states. Raises UsageError for what is none."""
    if other := [name for name in names if name not in _STATUSES]:
        raise UsageError(f"status must be of {', '.join(_STATUSES)}, not {other[0]!r}")
    return [_STATUSES[name] for name in names]


def progress_of(told: ev.WatchRunResponse) -> Progress:
    """A message of a watched run as a value."""
    return Progress(
        run=run_state(told.run),
        in_flight=told.in_flight,
        rate=told.rate,
        waiting={reason: count for reason, count in told.waiting.items() if count},
        remaining_s=told.remaining_s if told.HasField("remaining_s") else None,
        judging=told.judging,
        waits_for=told.waits_for,
        settled=told.deciding.settled if told.HasField("deciding") else None,
        to_settle=told.deciding.tasks if told.HasField("deciding") else None,
    )


def counts_of(counts: sc.OutcomeCounts) -> Counts:
    """A message's counts as a value."""
    return Counts(counts.total, counts.answered, counts.refused, None, counts.failed, counts.unsupported, counts.pending)


def _cost(of: ev.Run | ev.Judging) -> Cost:
    return Cost(
        usd=of.cost_nano_usd / NANO if of.HasField("cost_nano_usd") else None,
        most_usd=of.most_cost_nano_usd / NANO if of.HasField("most_cost_nano_usd") else None,
        unknown_calls=of.unknown_calls,
    )


def _judging(judging: ev.Judging) -> Judging:
    return Judging(judging.judge, judging.judged, judging.failed, _cost(judging))


def _batches(waiting: ev.WaitingBatches) -> Batches:
    expires = datetime.fromtimestamp(waiting.expires_s, UTC) if waiting.expires_s else None
    return Batches(waiting.provider, waiting.batches, waiting.instances, waiting.answered, expires)


def _time(moment: Timestamp) -> datetime:
    return moment.ToDatetime(UTC)
