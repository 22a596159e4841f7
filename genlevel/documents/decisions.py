"""What a run decides before all of it is asked, as documents (docs/json.md has every field)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from genlevel.deciding.values import STAYS_UNDECIDED
from genlevel.documents.words import NANO
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

AIMS: Mapping[str, ev.UntilDecided.Aim] = {"wins": ev.UntilDecided.AIM_WINS, "verdict": ev.UntilDecided.AIM_VERDICT}
"""What can be decided, as users name it."""
EPSILON, ALPHA = 0.01, 0.05
"""What 0 stands for in a message."""

_TASKS = {
    ev.DecidedTask.STATE_WON: "won",
    ev.DecidedTask.STATE_NOT_WON: "not won",
    ev.DecidedTask.STATE_UNDECIDED: "undecided",
    ev.DecidedTask.STATE_UNCERTIFIABLE: "not certifiable",
    ev.DecidedTask.STATE_NOT_NEEDED: "not needed",
}
_LEVELS = {
    ev.DecidedLevel.STATE_ATTAINED: "attained",
    ev.DecidedLevel.STATE_NOT_ATTAINED: "not attained",
    ev.DecidedLevel.STATE_UNDECIDED: "undecided",
}
_DECIDED = ("won", "not won", "attained", "not attained")


def until_document(until: ev.UntilDecided) -> Document:
    """What is to be decided, and with which errors."""
    aims = {aim: name for name, aim in AIMS.items()}
    return {
        "aim": aims.get(until.aim, f"unknown {until.aim}"),
        "epsilon": until.epsilon or EPSILON,
        "alpha": until.alpha or ALPHA,
        "with_uncertifiable": until.with_uncertifiable,
    }


def decision_document(decision: ev.EarlyDecision) -> Document:
    """What is decided of a run of which not all was asked. Tasks are in the decision's order, levels by their numbers."""
    return {
        **until_document(decision.until),
        "complete": decision.complete,
        "verdict": decision.verdict or None,
        "asked": decision.asked,
        "total": decision.total,
        "saved_usd": decision.saved_nano_usd / NANO if decision.HasField("saved_nano_usd") else None,
        "tests": decision.tests,
        "win_threshold": decision.win_threshold,
        "pooled_threshold": decision.pooled_threshold,
        "rules": decision.rules,
        "levels": {str(level.level): _level(level) for level in decision.levels},
        "tasks": [_task(task) for task in decision.tasks],
        "earlier": [_earlier(one) for one in decision.earlier],
    }


def expected_document(expected: ev.ExpectedDecision) -> Document:
    """How much a run until something is decided may take, by simulation. What nothing can be said of is null."""
    known = not expected.note
    return {
        "median": expected.median if known else None,
        "worst": expected.worst if known else None,
        "total": expected.total,
        "models": expected.models,
        "runs": expected.runs,
        "median_usd": expected.median_nano_usd / NANO if expected.HasField("median_nano_usd") else None,
        "worst_usd": expected.worst_nano_usd / NANO if expected.HasField("worst_nano_usd") else None,
        "usual_median_usd": expected.usual_median_nano_usd / NANO if expected.HasField("usual_median_nano_usd") else None,
        "usual_worst_usd": expected.usual_worst_nano_usd / NANO if expected.HasField("usual_worst_nano_usd") else None,
        "note": expected.note or None,
    }


def decision_stamp(run: ev.Run) -> Document | None:
    """What the stamp of a run says of it: nothing (None) if all of it has been asked, or nothing was to be decided early."""
    if not is_decided_early(run):
        return None
    said = decision_document(run.decision)
    stamped = ("aim", "epsilon", "alpha", "with_uncertifiable", "complete", "verdict", "asked", "total")
    return {**{name: said[name] for name in stamped}, "earlier": len(said["earlier"])}


def is_decided_early(run: ev.Run) -> bool:
    """Whether a decision stands in the place of a full run: it was asked until something was decided, and not completed since."""
    return run.HasField("decision") and run.status != ev.RUN_STATUS_FINISHED


def _earlier(decision: ev.EarlierDecision) -> Document:
    return {
        **until_document(decision.until),
        "complete": decision.complete,
        "verdict": decision.verdict or None,
        "asked": decision.asked,
        "levels": {str(level.level): _level(level) for level in decision.levels},
        "won": decision.won,
        "not_won": decision.not_won,
        "undecided": decision.undecided,
    }


def stays_undecided(status: str, reason: str | None) -> bool:
    """Whether a run that ended as decided is not, as answers have failed or are not rated. status, reason: as documents have them."""
    return status == "decided" and STAYS_UNDECIDED in (reason or "")


def _task(task: ev.DecidedTask) -> Document:
    state = _TASKS.get(task.state, f"unknown {task.state}")
    return {
        "key": task.task,
        "state": state,
        "asked": task.asked,
        "total": task.total,
        "decided_at": task.decided_at if state in _DECIDED else None,
        "test": task.test or None,
        "note": task.note or None,
    }


def _level(level: ev.DecidedLevel) -> Document:
    state = _LEVELS.get(level.state, f"unknown {level.state}")
    return {"state": state, "by": level.by, "decided_at": level.decided_at if state in _DECIDED else None}
