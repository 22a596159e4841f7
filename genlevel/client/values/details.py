"""More of a run as values: how far its tasks are, what has failed, what its calls were like, what deleting it frees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from genlevel.client.values.runs import Counts, counts_of
from genlevel.documents.runs import outcome_name
from genlevel.runtime.errors import ErrorClass

if TYPE_CHECKING:
    from genlevel.v1 import evaluator_pb2 as ev


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """How far one task is asked.

    Attributes:
        task: its key in the suite.
        counts: answers by outcome.
    """

    task: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Failures:
    """What was refused, failed or not asked for one reason.

    Attributes:
        outcome: refused, failed or unsupported.
        error_class: the class of error, such as RATE_LIMIT or CONTENT_REFUSED.
        answers: how many.
        examples: a few of them, each of another task: (task, instance, error).
    """

    outcome: str
    error_class: str
    answers: int
    examples: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class RunDetails:
    """How far a run is, task by task, and what has failed.

    Attributes:
        tasks: in the order in which they are asked.
        failures: the most frequent first.
        last_answer: when its last answer came, in UTC. None: there is none.
    """

    tasks: tuple[TaskCounts, ...]
    failures: tuple[Failures, ...]
    last_answer: datetime | None


@dataclass(frozen=True, slots=True)
class TrafficSpan:
    """What a run's calls were like for a while.

    Attributes:
        start: in UTC.
        width_s: seconds that the span covers; a long run has wide ones.
        seen_s: seconds of it for which the run went on.
        account: whose limits held.
        calls: that ended.
        limited: of them, those that the provider's limit rejected.
        failures: of them, those that failed otherwise.
        in_flight: calls that were open, a mean.
        concurrency: the most that the account's limiter allowed, a mean.
        pace: calls a second at which it let calls begin, a mean. None: it did not pace them.
        waits_s: seconds in which calls waited, by reason; several may hold at once.
    """

    start: datetime
    width_s: float
    seen_s: float
    account: str
    calls: int
    limited: int
    failures: int
    in_flight: float
    concurrency: float
    pace: float | None
    waits_s: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Freed:
    """What deleting a run frees.

    Attributes:
        answers: of the run.
        files: media that no other run has.
        bytes: of answers and files together, about.
        problems: what a person has to know, a line each.
    """

    answers: int
    files: int
    bytes: int
    problems: tuple[str, ...]


def details_of(told: ev.RunDetails) -> RunDetails:
    """A run's details as a value."""
    return RunDetails(
        tasks=tuple(TaskCounts(one.task, counts_of(one.counts)) for one in told.tasks),
        failures=tuple(
            Failures(
                outcome=outcome_name(group.outcome),
                error_class=ErrorClass.of(group.error_class).name,
                answers=group.answers,
                examples=tuple((one.task, one.instance_id, one.error) for one in group.examples),
            )
            for group in told.failures
        ),
        last_answer=datetime.fromtimestamp(told.last_answer_s, UTC) if told.last_answer_s else None,
    )


def span_of(told: ev.TrafficSpan) -> TrafficSpan:
    """A span of a run's calls as a value."""
    return TrafficSpan(
        start=datetime.fromtimestamp(told.start_s, UTC),
        width_s=told.width_s,
        seen_s=told.seen_s,
        account=told.account,
        calls=told.calls,
        limited=told.limited,
        failures=told.failures,
        in_flight=told.in_flight,
        concurrency=told.concurrency,
        pace=told.pace if told.HasField("pace") else None,
        waits_s=dict(told.waits_s),
    )


def freed_of(told: ev.DeleteRunResponse) -> Freed:
    """What deleting a run frees, as a value."""
    return Freed(told.answers, told.files, told.bytes, tuple(told.problems))
