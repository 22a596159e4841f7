"""What is decided of a run, as it is stored and shown: in answers, where the decider counts units."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from evaluator.deciding.telling import ToldTask, decision_message
from evaluator.deciding.units import TaskUnits
from evaluator.journal.decision_table import AskedOf
from evaluator.planning.plans import TaskPlan
from genlevel.deciding.decider import RULES
from genlevel.deciding.values import Criterion, Decided, LevelDecision, LevelState, Shares, TaskDecision, TaskState
from genlevel.v1 import evaluator_pb2 as ev

UNTIL = ev.UntilDecided(aim=ev.UntilDecided.AIM_VERDICT, epsilon=0.01, alpha=0.05)
SHARES = Shares(tests=516, wins=0.0405, pooled=0.002, epsilon=0.01)
ASKED = {"won": AskedOf(18, 17, 1_700, 17), "lost": AskedOf(4, 4, 0, 0)}


def told(verdict: int | None = 4, asked: dict[str, AskedOf] = ASKED) -> ev.EarlyDecision:
    def task(key: str, ends: list[int], repeats: int, calls: int) -> ToldTask:
        planned = TaskPlan(SimpleNamespace(key=key), None, ends[-1], repeats)
        return ToldTask(planned, TaskUnits(range(ends[-1]), ends, repeats), calls)

    tasks = [task("won", [3, 6, 10], 2, 20), task("lost", [1, 2, 3, 4, 5], 1, 5), task("none", [1, 2], 1, 2), task("hopeless", [1], 1, 0)]
    decisions = (
        TaskDecision("won", TaskState.WON, 2, 3, Criterion(test="betting on clusters")),
        TaskDecision("lost", TaskState.NOT_WON, 4, 4, Criterion(test="exact binomial", whole="all at once")),
        TaskDecision("none", TaskState.UNCERTIFIABLE, 0, 0, Criterion(obstacle="no reference")),
        TaskDecision("hopeless", TaskState.NOT_WON, 0, 0, Criterion(test="exact binomial")),
    )
    levels = (LevelDecision(3, LevelState.ATTAINED, "win of won", 12), LevelDecision(4, LevelState.UNDECIDED, "", 0))
    return decision_message(UNTIL, Decided(True, verdict, decisions, levels), SHARES, asked=asked, tasks=tasks)


def test_decisions_are_told_in_answers() -> None:
    found = told()
    assert [(task.task, task.asked, task.total, task.decided_at) for task in found.tasks] == [
        ("won", 18, 20, 12),
        ("lost", 4, 5, 4),
        ("none", 0, 2, 0),
        ("hopeless", 0, 1, 0),
    ]
    assert [task.state for task in found.tasks] == [
        ev.DecidedTask.STATE_WON,
        ev.DecidedTask.STATE_NOT_WON,
        ev.DecidedTask.STATE_UNCERTIFIABLE,
        ev.DecidedTask.STATE_NOT_WON,
    ]
    assert [(task.test, task.note) for task in found.tasks] == [
        ("betting on clusters", ""),
        ("exact binomial", "all at once"),
        ("", "no reference"),
        ("exact binomial", "not even all answers right would be certified as a win"),
    ]
    assert [(level.level, level.state, level.by, level.decided_at) for level in found.levels] == [
        (3, ev.DecidedLevel.STATE_ATTAINED, "win of won", 12),
        (4, ev.DecidedLevel.STATE_UNDECIDED, "", 0),
    ]


def test_a_decision_says_by_which_errors_and_rules_it_was_made() -> None:
    found = told()
    assert (found.until, found.complete, found.verdict, found.tests, found.rules) == (UNTIL, True, 4, 516, RULES)
    assert (found.win_threshold, found.pooled_threshold) == (pytest.approx(0.0405 / 516), 0.002)
    assert told(verdict=None).verdict == 0


def test_what_was_saved_are_calls_that_were_not_made() -> None:
    found = told()
    assert (found.asked, found.total) == (21, 27)
    assert found.saved_nano_usd == (3 + 1 + 2) * 100
    # More calls than the full run has are no loss: some were made again.
    assert told(asked={"won": AskedOf(20, 30, 3_000, 30)}).saved_nano_usd == (5 + 2) * 100
    assert not told(asked={"lost": AskedOf(4, 4, 0, 0)}).HasField("saved_nano_usd")
