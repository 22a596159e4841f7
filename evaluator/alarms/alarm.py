"""What an alarm says: a value, and the JSON document that it is kept and sent as."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any

from genlevel.runtime.documents import Document
from genlevel.runtime.shown import cut

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")

WHOLE = "all"
"""The group that is all tasks of a monitor."""


class AlarmKind(StrEnum):
    """Why there is an alarm.

    regression, improvement: scores. drift: refusals, unparsable answers, errors, latency, length or cost of answers. outage: a model that
    cannot be asked. model: another model under the same name. test: a person tries a destination.
    """

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    DRIFT = "drift"
    OUTAGE = "outage"
    MODEL = "model"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class ChangedTask:
    """A task beside its baseline. instances: compared. before, now: means of these; None: not known.

    Of scores and shares 0..100, of latency seconds, of length tokens, of cost US dollars.
    """

    task: str
    instances: int
    before: float | None
    now: float | None


@dataclass(frozen=True, slots=True)
class Example:
    """An instance whose answer changed. Scores 0..100; None: it had none. Answers are raw, as models gave them."""

    task: str
    instance: str
    score_before: float | None
    score_now: float | None
    answer_before: str
    answer_now: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm.

    id: letters, digits, "-" and "_"; the same for each try to deliver it, so that a receiver can tell a repetition.
    signal: what was watched (score, refusals, latency, ...). group: which tasks; "all" is the whole.
    at_s, since_s: UNIX seconds; when it was raised, and about when the change began.
    what: one line for people.
    estimate, low, high: the change and its 95 % interval in ``unit``, above 0 in the direction that the alarm is about; None: not known.
    since_tick, tick: numbers of the monitor's ticks; about where the change began, and where it was found. None: no tick.
    baseline_run, tick_run: ids of runs. acknowledged_s: UNIX seconds; None: it is not.

    Raises ValueError for an id with other characters.
    """

    id: str
    monitor: str
    model: str
    suite: str
    kind: AlarmKind
    at_s: float
    what: str
    signal: str = ""
    group: str = WHOLE
    unit: str = ""
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    since_s: float | None = None
    since_tick: int | None = None
    tick: int | None = None
    baseline_run: str = ""
    tick_run: str = ""
    tasks: tuple[ChangedTask, ...] = ()
    examples: tuple[Example, ...] = ()
    acknowledged_s: float | None = None
    acknowledged_by: str = ""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(f"the id {self.id!r} of an alarm has other characters than letters, digits, '-' and '_', or is too long")


def document(alarm: Alarm) -> Document:
    """An alarm as JSON, with all that it says. ``alarm_of`` reads it back."""
    written = asdict(alarm)
    return {**written, "kind": alarm.kind.value, "tasks": list(written["tasks"]), "examples": list(written["examples"])}


def alarm_of(written: Mapping[str, Any]) -> Alarm:
    """The alarm that a document holds. What a later version added is left out, and what an earlier one lacked has its default.

    Raises KeyError, TypeError or ValueError if it is no such document.
    """
    known = {field.name for field in fields(Alarm)}
    given = {name: value for name, value in written.items() if name in known}
    given["kind"] = AlarmKind(given["kind"])
    given["tasks"] = tuple(_read(ChangedTask, task) for task in given.get("tasks", ()))
    given["examples"] = tuple(_read(Example, example) for example in given.get("examples", ()))
    return Alarm(**given)


def _read(kind: type[Any], written: Mapping[str, Any]) -> Any:
    return kind(**{field.name: written[field.name] for field in fields(kind)})


def shortened(alarm: Alarm, *, tasks: int, examples: int, longest: int) -> Alarm:
    """The same with so many tasks and examples at most, and texts of so many characters at most: receivers have limits."""
    return replace(
        alarm,
        monitor=cut(alarm.monitor, longest),
        model=cut(alarm.model, longest),
        suite=cut(alarm.suite, longest),
        what=cut(alarm.what, longest),
        signal=cut(alarm.signal, longest),
        group=cut(alarm.group, longest),
        unit=cut(alarm.unit, longest),
        baseline_run=cut(alarm.baseline_run, longest),
        tick_run=cut(alarm.tick_run, longest),
        acknowledged_by=cut(alarm.acknowledged_by, longest),
        tasks=tuple(replace(task, task=cut(task.task, longest)) for task in alarm.tasks[:tasks]),
        examples=tuple(_short(example, longest) for example in alarm.examples[:examples]),
    )


def _short(example: Example, longest: int) -> Example:
    return replace(
        example,
        task=cut(example.task, longest),
        instance=cut(example.instance, longest),
        answer_before=cut(example.answer_before, longest),
        answer_now=cut(example.answer_now, longest),
    )
