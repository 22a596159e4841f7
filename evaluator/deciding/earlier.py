"""Decisions of a run that others have followed: each was made with an error of its own, so none is forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from genlevel.v1 import evaluator_pb2 as ev


def earlier_of(stored: ev.EarlyDecision, until: ev.UntilDecided) -> Sequence[ev.EarlierDecision]:
    """What was decided before the decision of ``until``, if this is stored: the oldest first. until: settled.

    What is asked for again is decided again, and so is no earlier one.
    """
    if not stored.HasField("until"):
        return ()
    before = [one for one in stored.earlier if not _is_alike(one.until, until)]
    has_error = stored.asked > 0  # what is known without an answer has none
    return [*before, _told(stored)] if has_error and not _is_alike(stored.until, until) else before


def earlier_note(stored: ev.EarlyDecision, until: ev.UntilDecided) -> str:
    """What a person has to know who asks for another decision than the last one; empty: for the same, or nothing was decided."""
    if not stored.asked or _is_alike(stored.until, until):
        return ""
    was = stored.until
    aims = {number: name.removeprefix("AIM_").lower() for name, number in ev.UntilDecided.Aim.items()}
    said = f"--until-decided {aims.get(was.aim, was.aim)}, epsilon {was.epsilon:g}, alpha {was.alpha:g}"
    return f"the run has a decision of {said}: it is kept beside the new one, and each has an error of its own"


def _is_alike(one: ev.UntilDecided, other: ev.UntilDecided) -> bool:
    """Whether they decide the same with the same errors."""
    return (one.aim, one.epsilon, one.alpha) == (other.aim, other.epsilon, other.alpha)


def _told(decision: ev.EarlyDecision) -> ev.EarlierDecision:
    states = Counter(task.state for task in decision.tasks)
    return ev.EarlierDecision(
        until=decision.until,
        complete=decision.complete,
        verdict=decision.verdict,
        asked=decision.asked,
        levels=decision.levels,
        won=states[ev.DecidedTask.STATE_WON],
        not_won=states[ev.DecidedTask.STATE_NOT_WON],
        undecided=states[ev.DecidedTask.STATE_UNDECIDED],
    )
