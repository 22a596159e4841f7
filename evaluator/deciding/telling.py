"""What is decided of a run, as the contract says it: made of the decider's values and of what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from evaluator.deciding.units import TaskUnits
from evaluator.journal.decision_table import AskedOf
from evaluator.planning.plans import TaskPlan
from genlevel.deciding.decider import RULES
from genlevel.deciding.values import Decided, LevelState, Shares, TaskState
from genlevel.v1 import evaluator_pb2 as ev

_STATES = {
    TaskState.WON: ev.DecidedTask.STATE_WON,
    TaskState.NOT_WON: ev.DecidedTask.STATE_NOT_WON,
    TaskState.UNDECIDED: ev.DecidedTask.STATE_UNDECIDED,
    TaskState.UNCERTIFIABLE: ev.DecidedTask.STATE_UNCERTIFIABLE,
    TaskState.NOT_NEEDED: ev.DecidedTask.STATE_NOT_NEEDED,
}
_HOPELESS = "not even all answers right would be certified as a win"
_LEVELS = {
    LevelState.ATTAINED: ev.DecidedLevel.STATE_ATTAINED,
    LevelState.NOT_ATTAINED: ev.DecidedLevel.STATE_NOT_ATTAINED,
    LevelState.UNDECIDED: ev.DecidedLevel.STATE_UNDECIDED,
}


class ToldTask(NamedTuple):
    """A task of a run. calls: of its answers, those that the model is called for if all are asked."""

    planned: TaskPlan
    units: TaskUnits
    calls: int


def decision_message(
    until: ev.UntilDecided,
    decided: Decided,
    shares: Shares,
    *,
    asked: Mapping[str, AskedOf],
    tasks: Sequence[ToldTask],
) -> ev.EarlyDecision:
    """The decision as it is stored and shown. until: settled. asked: so far, by task."""
    message = ev.EarlyDecision(
        until=until,
        complete=decided.complete,
        verdict=decided.verdict or 0,
        asked=sum(one.called for one in asked.values()),
        total=sum(one.calls for one in tasks),
        tests=shares.tests,
        win_threshold=shares.wins / max(1, shares.tests),
        pooled_threshold=shares.pooled,
        rules=RULES,
    )
    by_key = {one.planned.task.key: one for one in tasks}
    for one in decided.tasks:
        planned, units, _ = by_key[one.key]
        hopeless = _HOPELESS if one.state is TaskState.NOT_WON and not one.decided_at else ""
        message.tasks.add(
            task=one.key,
            state=_STATES[one.state],
            asked=asked[one.key].answers if one.key in asked else 0,
            total=planned.answers,
            decided_at=units.answers_of_first(one.decided_at),
            test=one.criterion.test,
            note=one.criterion.obstacle or one.criterion.whole or hopeless,
        )
    for level in decided.levels:
        message.levels.add(
            level=level.level,
            state=_LEVELS[level.state],
            by=level.by,
            decided_at=level.decided_at,
        )
    saved = saved_nano_usd(asked, {one.planned.task.key: one.calls for one in tasks})
    if saved is not None:
        message.saved_nano_usd = saved
    return message


def saved_nano_usd(asked: Mapping[str, AskedOf], calls: Mapping[str, int]) -> int | None:
    """What the calls that were not made would have cost, at what those of their task did on average; of a task of which no cost is known,
    at the average of all. None: no cost is known. calls: of the full run, by task.

    >>> saved_nano_usd({"a": AskedOf(12, 10, 1000, 10)}, {"a": 30, "b": 5})
    2500
    """
    counted = sum(one.priced for one in asked.values())
    if not counted:
        return None
    usual = sum(one.nano_usd for one in asked.values()) / counted
    nothing, saved = AskedOf(0, 0, 0, 0), 0.0
    for key, total in calls.items():
        one = asked.get(key, nothing)
        saved += max(0, total - one.called) * (one.nano_usd / one.priced if one.priced else usual)
    return round(saved)
