"""What a tick brings to light, as alarms and events: a check that has reached its threshold, an outage, a model by another name.

What raised an alarm raises no other one until that is acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

import orjson

from evaluator.alarms.alarm import WHOLE, Alarm, AlarmKind, ChangedTask, Example, document
from evaluator.journal.journal import Journal
from evaluator.journal.monitor_records import AlarmRecord, EventRecord, MonitorRecord, TickEnd, TickRecord
from evaluator.monitors.core.change import Change, explain
from evaluator.monitors.core.readings import Pooled
from evaluator.monitors.core.signals import BY_NAME, Direction, Signal
from evaluator.monitors.core.watch import Check, Watch
from evaluator.monitors.notes import Notes
from evaluator.monitors.readings import RunReadings
from evaluator.monitors.stored import summary_of
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.runtime.shown import cut
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import monitor_pb2 as mo

HISTORY = 1000
"""Ticks that are looked at to tell since when something has changed."""
_MOST_TASKS = 50
_MOST_EXAMPLES = 5
_LONGEST_ANSWER = 500

OUTAGE, MODEL = "outage", "model"
"""Latches of alarms that no check raises."""

POINTS, BY_RANK = "points", "% of the answers"
"""Of alarms: a hundredth of what an instance can change. What goes by rank: of how many more answers it is so than the other way round."""
_VERBS = {Direction.UP: "rose", Direction.DOWN: "fell"}


@dataclass(frozen=True, slots=True)
class Seen:
    """A tick that has ended. drawn: which of the pool it asked. known: names that the provider had before."""

    record: MonitorRecord
    specification: mo.MonitorSpecification
    tick: TickRecord
    run: ev.Run
    watch: Watch
    pool: Sequence[Pooled]
    drawn: Sequence[int]
    found: RunReadings
    known: Notes


Raised = list[tuple[AlarmRecord, Sequence[str]]]


class Findings:
    """Makes alarms and events of ticks. Blocking. destinations: names of those that alarms go to unless a monitor names some."""

    def __init__(self, journal: Journal, destinations: Callable[[], Sequence[str]]) -> None:
        self._journal = journal
        self._destinations = destinations

    def of_tick(self, seen: Seen, crossings: Sequence[Check]) -> tuple[Raised, list[EventRecord]]:
        """The alarms that a tick raises, each with its destinations, and its events."""
        name, now = seen.record.name, seen.tick.ended or 0.0
        latched = {alarm.latch for alarm in self._journal.monitors.alarms(name)}
        alarms: list[tuple[str, Alarm]] = []
        if news := [check for check in crossings if check.key not in latched]:
            earlier = self._journal.monitors.ticks_after(name, seen.record.baseline, 0, HISTORY - 1)
            alarms += [(check.key, self._of_check(seen, check, earlier)) for check in news]
        if seen.tick.outcome is TickEnd.OUTAGE and OUTAGE not in latched:
            alarms.append((OUTAGE, _of_outage(seen)))
        models = sorted(set(seen.found.models) - set(seen.known.models)) if seen.known.models else []
        prints = sorted(set(seen.found.fingerprints) - set(seen.known.fingerprints)) if seen.known.fingerprints else []
        if models and MODEL not in latched:
            alarms.append((MODEL, _of_model(seen, models)))
        events = [EventRecord(name, now, "model", f"answers name the model {cut(model, 200)}") for model in models]
        events += [EventRecord(name, now, "fingerprint", f"answers have the fingerprint {cut(one, 200)}") for one in prints]
        events += [EventRecord(name, now, "alarm", alarm.what) for _latch, alarm in alarms]
        destinations = list(seen.specification.destinations) or list(self._destinations())
        return [(_record(latch, alarm), destinations) for latch, alarm in alarms], events

    def _of_check(self, seen: Seen, check: Check, earlier: Sequence[TickRecord]) -> Alarm:
        began = seen.known.began.get(check.key, 0)
        ticks = [tick for tick in (*earlier, seen.tick) if tick.number > began]
        summaries = [summary for tick in ticks if (summary := summary_of(tick)) is not None]
        change = explain(seen.watch, check, summaries)
        onset = ticks[change.onset]
        return _alarm(
            seen,
            check.key,
            AlarmKind(check.kind.value),
            f"{_line(check, change)} since about {_shown(onset.due)} (tick {onset.number})",
            signal=check.signal,
            group=check.stream,
            unit=BY_RANK if BY_NAME[check.signal].by_rank else POINTS,
            estimate=100.0 * change.estimate,
            low=100.0 * change.low,
            high=100.0 * change.high,
            since_s=onset.due,
            since_tick=onset.number,
            tasks=_tasks(change, BY_NAME[check.signal]),
            examples=self._examples(seen, check),
        )

    def _examples(self, seen: Seen, check: Check) -> tuple[Example, ...]:
        """The instances of this tick that changed most in the check's direction, with their answers before and now."""
        signal = BY_NAME[check.signal]
        strata = next(stream.strata for stream in seen.watch.streams if stream.name == check.stream)
        changed: list[tuple[float, Pooled]] = []
        for index in seen.drawn:
            one = seen.pool[index]
            several = seen.found.readings.get((one.task, one.instance))
            known = signal.known(one.readings)
            now = signal.value(several[0]) if several else None
            if one.stratum in strata and now is not None and known:
                changed.append((check.sign * signal.difference(now, known), one))
        worst = sorted((entry for entry in changed if entry[0] > 0.0), key=lambda entry: (-entry[0], entry[1].task, entry[1].instance))
        return tuple(self._example(seen, one) for _change, one in worst[:_MOST_EXAMPLES])

    def _example(self, seen: Seen, one: Pooled) -> Example:
        now = seen.found.readings[one.task, one.instance][0].score
        before = [reading.score for reading in one.readings if reading.score is not None]
        said = [self._said(run, one) for run in (seen.record.baseline_run, seen.tick.run_id)]
        return Example(
            one.task,
            one.instance,
            100.0 * sum(before) / len(before) if before else None,
            None if now is None else 100.0 * now,
            *said,
        )

    def _said(self, run_id: str, one: Pooled) -> str:
        key = AnswerKey(one.instance)
        found = self._journal.said_to(run_id, one.task, [key]).get(key)
        return cut(found.raw_answer, _LONGEST_ANSWER) if found is not None else ""


def _line(check: Check, change: Change) -> str:
    """What has changed, in which direction, and by how much."""
    signal, of = BY_NAME[check.signal], "" if check.stream == WHOLE else f" of {check.stream}"
    estimate, within = f"{100.0 * change.estimate:.1f}", f"(95 %: {100.0 * change.low:.1f} to {100.0 * change.high:.1f})"
    told = f"{signal.called}{of} {_VERBS[check.direction]}"
    if signal.by_rank:
        return f"{told} by a factor of {signal.factor:g} or more in {estimate} {BY_RANK} {within}"
    return f"{told} by {estimate} {POINTS} {within}"


def _tasks(change: Change, signal: Signal) -> tuple[ChangedTask, ...]:
    """Tasks before and after: scores and shares 0..100; latency in seconds, length in tokens, cost in US dollars."""
    scale = 1e-9 if signal.name == "cost" else 1.0 if signal.by_rank else 100.0
    return tuple(ChangedTask(one.task, one.instances, scale * one.before, scale * one.now) for one in change.tasks[:_MOST_TASKS])


def _of_outage(seen: Seen) -> Alarm:
    counts = f"{seen.tick.failed:,} of {seen.tick.instances:,} instances have no answer"
    why = f": {cut(seen.run.reason, 300)}" if seen.run.reason else ""
    return _alarm(seen, OUTAGE, AlarmKind.OUTAGE, f"the model cannot be asked: {counts}{why}")


def _of_model(seen: Seen, models: Sequence[str]) -> Alarm:
    named, before = (cut(", ".join(names), 200) for names in (models, seen.known.models))
    return _alarm(seen, MODEL, AlarmKind.MODEL, f"the provider now names the model {named}; before it was {before}")


def _alarm(seen: Seen, latch: str, kind: AlarmKind, what: str, **known: object) -> Alarm:
    record, tick = seen.record, seen.tick
    token = sha256(f"{record.uid}\0{latch}".encode()).hexdigest()[:8]
    values: Mapping[str, object] = {
        "id": f"{record.name.replace('.', '_')}-{tick.number}-{token}",
        "monitor": record.name,
        "model": seen.specification.asked.model,
        "suite": seen.run.suite,
        "kind": kind,
        "at_s": tick.ended,
        "what": what,
        "tick": tick.number,
        "tick_run": tick.run_id,
        "baseline_run": record.baseline_run,
        **known,
    }
    return Alarm(**values)  # type: ignore[arg-type]


def _record(latch: str, alarm: Alarm) -> AlarmRecord:
    return AlarmRecord(alarm.id, alarm.monitor, latch, alarm.kind.value, alarm.at_s, orjson.dumps(document(alarm)).decode())


def _shown(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
