"""What to do about a failed call: decisions as values, apart from the code that acts on them.

The error's class decides, never its message (see the classes in proto/genlevel/v1/gateway.proto).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.limits import Feedback

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 60.0
_PUT_BACK = 3
"""So often a call that met a limit goes back into its account's queue at once."""


class Action(StrEnum):
    """What a failed call leads to."""

    RETRY = "retry"  # may pass; uses up an attempt
    WAIT = "wait"  # a limit, or a gateway that did not begin the call; uses up no attempt
    GIVE_UP = "give_up"  # this instance has its outcome
    STOP_RUN = "stop_run"  # no further call can succeed


_ACTIONS: dict[ErrorClass, Action] = {
    ErrorClass.CREDENTIAL: Action.STOP_RUN,
    ErrorClass.MODEL_ACCESS: Action.STOP_RUN,
    ErrorClass.QUOTA: Action.STOP_RUN,
    ErrorClass.MODEL_GONE: Action.STOP_RUN,
    ErrorClass.REGION_BLOCKED: Action.STOP_RUN,
    ErrorClass.RATE_LIMIT: Action.WAIT,
    ErrorClass.NOT_SENT: Action.WAIT,
    ErrorClass.CALLER_FAULT: Action.GIVE_UP,
    ErrorClass.CONTENT_REFUSED: Action.GIVE_UP,
    ErrorClass.CONTEXT_TOO_LONG: Action.GIVE_UP,
    ErrorClass.UNSUPPORTED: Action.GIVE_UP,
    ErrorClass.DENIED: Action.GIVE_UP,
    ErrorClass.TOO_LARGE: Action.GIVE_UP,
    ErrorClass.TRANSIENT: Action.RETRY,
    ErrorClass.TIMEOUT: Action.RETRY,
    ErrorClass.UNKNOWN: Action.RETRY,
}

_OUTCOMES: dict[ErrorClass, Outcome] = {
    ErrorClass.CONTENT_REFUSED: Outcome.REFUSED,
    ErrorClass.CONTEXT_TOO_LONG: Outcome.REFUSED,
    ErrorClass.UNSUPPORTED: Outcome.UNSUPPORTED,
}

_FEEDBACK: dict[ErrorClass, Feedback] = {
    ErrorClass.RATE_LIMIT: Feedback.RATE_LIMITED,
    ErrorClass.TRANSIENT: Feedback.TRANSIENT,
    ErrorClass.TIMEOUT: Feedback.TRANSIENT,
    ErrorClass.UNKNOWN: Feedback.TRANSIENT,
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and after how long. why: what ends the tries, if the failure itself does not say."""

    action: Action
    delay_s: float = 0.0
    why: str = ""

    @property
    def repeats(self) -> bool:
        """Whether the call is made again."""
        return self.action in (Action.RETRY, Action.WAIT)


def outcome_of(failure: CallFailed) -> Outcome:
    """The outcome of an instance whose last call failed for good."""
    return _OUTCOMES.get(failure.error_class, Outcome.FAILED)


def feedback_of(failure: CallFailed) -> Feedback:
    """What a failed call tells the limiter of its account."""
    return _FEEDBACK.get(failure.error_class, Feedback.OTHER)


def decide(
    failure: CallFailed,
    *,
    attempts: int,
    waits: int,
    max_attempts: int,
    elapsed_s: float,
    deadline_s: float,
    closed: bool = True,
    chance: float | None = None,
) -> Decision:
    """Decides after a failed call.

    Args:
        attempts: calls that failed at something other than a limit, this one included.
        waits: calls that met a limit, this one included.
        elapsed_s, deadline_s: since the instance's first call, and the most it may take.
        closed: whether the account takes no call at present, as its limiter found; else what a limit asks to wait is not believed.
        chance: 0..1, for the jitter; drawn when None.

    A retry waits a full-jitter exponential time, and never less than the provider asked for. A wait that would
    pass the deadline is not begun. If it is the provider's wish that would pass it, more than what went before, no other instance
    would fare better: the run stops, to be continued later.

    What met a limit is at first only put back: the account's limiter knows when its next call may go, and whether what the provider says
    holds. One that meets limits again and again while others do not is a case of its own, and waits as a retry does.
    """
    action = _ACTIONS.get(failure.error_class, Action.RETRY)
    if action in (Action.GIVE_UP, Action.STOP_RUN):
        return Decision(action)
    if action is Action.RETRY and attempts >= max_attempts:
        return Decision(Action.GIVE_UP, why=f"tried {attempts} times (runs.attempts)" if attempts > 1 else "")
    limited = failure.error_class is ErrorClass.RATE_LIMIT
    asked = 0.0 if limited and not closed else failure.retry_after_s or 0.0
    if limited and waits <= _PUT_BACK and elapsed_s + asked <= deadline_s:
        return Decision(action)
    chance = random.random() if chance is None else chance
    exponent = min(attempts if action is Action.RETRY else waits - _PUT_BACK * limited, 10) - 1
    jitter = chance * min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** max(exponent, 0))
    # Everyone who was told the same time must not come back in the same instant. "Retry-After: 0", or nearly 0, is not a wait.
    delay = asked + (min(jitter, 0.1 * asked + 0.05) if asked >= FIRST_BACKOFF_S else jitter)
    if elapsed_s + delay > deadline_s:
        if asked > elapsed_s:
            after = "" if asked > deadline_s else f" after {elapsed_s:.0f} s"
            most = f"what an instance may take (runs.deadline_s: {deadline_s:g})"
            why = f"the provider asks to wait {asked:.0f} s{after}, longer than {most}; continue after that"
            return Decision(Action.STOP_RUN, why=why)
        return Decision(
            Action.GIVE_UP, why=f"a further try after {delay:.0f} s would be past its deadline (runs.deadline_s: {deadline_s:g})"
        )
    return Decision(action, delay)
