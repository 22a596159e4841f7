"""What a run decides before all of it is asked: as documents (docs/json.md has every field), and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from genlevel.documents.words import NANO, number
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
_SOUGHT = {
    "wins": "of each task, whether the full run would certify a win",
    "verdict": "the highest level that the full run would certify",
}


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
        "levels": {str(level.level): _level(level) for level in decision.levels},
        "tasks": [_task(task) for task in decision.tasks],
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
        "note": expected.note or None,
    }


def expected_told(expected: Document, usd: float | None) -> str:
    """The same in a line. usd: what the full run would cost; None: not known.

    >>> known = {"median": 420, "worst": 11_800, "total": 42_000, "models": 13, "runs": 8, "median_usd": 0.42, "worst_usd": 11.8}
    >>> expected_told(known, 42.0)
    'about 420 of 42,000 calls (median of 13 published models x 8 simulations), at worst 11,800; US$ 0.42 to 11.80 of 42.00'
    """
    if expected["median"] is None:
        return f"at most {expected['total']:,} calls; how many are needed is not known before: {expected['note']}"
    simulated = f"median of {expected['models']:,} published models x {expected['runs']:,} simulations"
    calls = f"about {expected['median']:,} of {expected['total']:,} calls ({simulated}), at worst {expected['worst']:,}"
    if None in (expected["median_usd"], expected["worst_usd"], usd):
        return calls
    return f"{calls}; US$ {number(expected['median_usd'])} to {number(expected['worst_usd'])} of {number(usd)}"


def decision_stamp(run: ev.Run) -> Document | None:
    """What the stamp of a run says of it: nothing (None) if all of it has been asked, or nothing was to be decided early."""
    if not is_decided_early(run):
        return None
    said = decision_document(run.decision)
    return {name: said[name] for name in ("aim", "epsilon", "alpha", "with_uncertifiable", "complete", "verdict", "asked", "total")}


def is_decided_early(run: ev.Run) -> bool:
    """Whether a decision stands in the place of a full run: it was asked until something was decided, and not completed since."""
    return run.HasField("decision") and run.status != ev.RUN_STATUS_FINISHED


def states_counted(decision: Document) -> dict[str, int]:
    """How many tasks there are of each state, in the order won, not won, undecided, not needed, not certifiable, unknown ones last."""
    found = Counter(task["state"] for task in decision["tasks"])
    ordered = ("won", "not won", "undecided", "not needed", "not certifiable")
    return {state: found[state] for state in (*ordered, *sorted(found.keys() - set(ordered))) if found[state]}


def sought_told(aim: str) -> str:
    """What a run is asked for, in words.

    >>> sought_told("verdict")
    'the highest level that the full run would certify'
    """
    return _SOUGHT.get(aim, f"something that this version does not know ({aim})")


def asked_of(decision: Document) -> str:
    """How much was asked: "asked 1,234 of 42,000"."""
    return f"asked {decision['asked']:,} of {decision['total']:,}"


def error_told(decision: Document) -> str:
    """The errors: the prediction's, and the certificate's own beside it."""
    differs = f"differs from the full run's with a chance of at most {number(decision['epsilon'])}"
    return f"{differs}; the certificate's own error is at most {number(decision['alpha'])}"


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
