"""Decisions for tests, as an evaluator stores them with a run."""

from __future__ import annotations

from collections.abc import Sequence

from genlevel.v1 import evaluator_pb2 as ev

WON, NOT_WON, UNDECIDED = ev.DecidedTask.STATE_WON, ev.DecidedTask.STATE_NOT_WON, ev.DecidedTask.STATE_UNDECIDED
UNCERTIFIABLE, NOT_NEEDED = ev.DecidedTask.STATE_UNCERTIFIABLE, ev.DecidedTask.STATE_NOT_NEEDED
ATTAINED, NOT_ATTAINED, OPEN = ev.DecidedLevel.STATE_ATTAINED, ev.DecidedLevel.STATE_NOT_ATTAINED, ev.DecidedLevel.STATE_UNDECIDED
_BY = {(3, ATTAINED): "pooled betting over 5 tasks: wealth 712, needed 444", (4, ATTAINED): "wins of a and b"}


def decision_of(
    tasks: Sequence[tuple[str, ev.DecidedTask.State]] = (),
    levels: Sequence[ev.DecidedLevel.State] = (ATTAINED, NOT_ATTAINED, NOT_ATTAINED),
    *,
    aim: ev.UntilDecided.Aim = ev.UntilDecided.AIM_VERDICT,
    asked: int = 175,
    total: int = 42_000,
    complete: bool = True,
    saved: int | None = 12_300_000_000,
) -> ev.EarlyDecision:
    """levels: the states of Levels 3, 4 and 5. saved: nano-dollars."""
    attained = [number for number, state in enumerate(levels, start=3) if state == ATTAINED]
    made = ev.EarlyDecision(
        until=ev.UntilDecided(aim=aim, epsilon=0.01, alpha=0.05),
        complete=complete,
        verdict=max(attained, default=0) if aim == ev.UntilDecided.AIM_VERDICT else 0,
        asked=asked,
        total=total,
        tests=516,
        win_threshold=0.0225 / 516,
        pooled_threshold=0.00225,
        tasks=[
            ev.DecidedTask(
                task=key,
                state=state,
                asked=0 if state in (UNCERTIFIABLE, NOT_NEEDED) else 60,
                total=500,
                decided_at=60 if state in (WON, NOT_WON) else 0,
                test="" if state == UNCERTIFIABLE else "exact binomial",
                note="its metric has no test" if state == UNCERTIFIABLE else "",
            )
            for key, state in tasks
        ],
        levels=[
            ev.DecidedLevel(
                level=number,
                state=state,
                by="" if state == OPEN else _BY.get((number, state), "no task of one side can be won"),
                decided_at=0 if state == OPEN else asked,
            )
            for number, state in enumerate(levels, start=3)
        ],
    )
    if saved is not None:
        made.saved_nano_usd = saved
    return made
