"""What is decided of a run, as the contract says it: made of the decider's values and of what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluator.deciding.units import TaskUnits
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
_LEVELS = {
    LevelState.ATTAINED: ev.DecidedLevel.STATE_ATTAINED,
    LevelState.NOT_ATTAINED: ev.DecidedLevel.STATE_NOT_ATTAINED,
    LevelState.UNDECIDED: ev.DecidedLevel.STATE_UNDECIDED,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run has asked so far. answers: with outcomes, by task. costs: known ones of answers of each task in nano-dollars, and how
    many these are; None: they are not known."""

    answers: Mapping[str, int]
    costs: Mapping[str, tuple[int, int]] | None

    @classmethod
    def of(cls, asked: Mapping[str, tuple[int, int, int]]) -> Asked:
        """As the journal tells it (evaluator.journal.decision_table)."""
        return cls(
            {task: count for task, (count, _, _) in asked.items()}, {task: (cost, known) for task, (_, cost, known) in asked.items()}
        )


def decision_message(
    until: ev.UntilDecided,
    decided: Decided,
    shares: Shares,
    *,
    asked: Asked,
    tasks: Sequence[tuple[TaskPlan, TaskUnits]],
) -> ev.EarlyDecision:
    """The decision as it is stored and shown. until: settled."""
    total = sum(planned.answers for planned, _ in tasks)
    message = ev.EarlyDecision(
        until=until,
        complete=decided.complete,
        verdict=decided.verdict or 0,
        asked=sum(asked.answers.values()),
        total=total,
        tests=shares.tests,
        win_threshold=shares.wins / max(1, shares.tests),
        pooled_threshold=shares.pooled,
        rules=RULES,
    )
    by_key = {planned.task.key: (planned, units) for planned, units in tasks}
    for one in decided.tasks:
        planned, units = by_key[one.key]
        message.tasks.add(
            task=one.key,
            state=_STATES[one.state],
            asked=asked.answers.get(one.key, 0),
            total=planned.answers,
            decided_at=units.answers_of_first(one.decided_at),
            test=one.criterion.test,
            note=one.criterion.obstacle or one.criterion.whole,
        )
    for level in decided.levels:
        message.levels.add(
            level=level.level,
            state=_LEVELS[level.state],
            by=level.by,
            decided_at=level.decided_at,
        )
    saved = saved_nano_usd(asked, {planned.task.key: planned.answers for planned, _ in tasks})
    if saved is not None:
        message.saved_nano_usd = saved
    return message


def saved_nano_usd(asked: Asked, totals: Mapping[str, int]) -> int | None:
    """What the answers that were not asked would have cost, at what those of their task did on average; of a task of which no cost is
    known, at the average of all. None: no cost is known.

    >>> saved_nano_usd(Asked({"a": 10, "b": 0}, {"a": (1000, 10)}), {"a": 30, "b": 5})
    2500
    """
    known = asked.costs or {}
    counted = sum(count for _, count in known.values())
    if not counted:
        return None
    usual = sum(cost for cost, _ in known.values()) / counted
    saved = 0.0
    for key, total in totals.items():
        cost, count = known.get(key, (0, 0))
        saved += max(0, total - asked.answers.get(key, 0)) * (cost / count if count else usual)
    return round(saved)
