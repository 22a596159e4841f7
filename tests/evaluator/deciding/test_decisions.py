"""How far deciding is, and when what is decided so far is stored."""

from __future__ import annotations

import json
from types import SimpleNamespace

from evaluator.runs import decisions
from evaluator.runs.decisions import Decisions
from genlevel.deciding.values import Criterion, Decided, TaskDecision, TaskState
from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.deciding.test_settling import sought_of

STATES = {"a": TaskState.WON, "b": TaskState.UNDECIDED, "c": TaskState.UNCERTIFIABLE, "d": TaskState.NOT_NEEDED}


class Journal:
    """Takes so long to say what was asked; nothing was decided before."""

    def __init__(self, clock, takes_s=0.0):
        self.clock, self.takes_s = clock, takes_s
        self.decisions = SimpleNamespace(of=lambda _run_id: "", asked=lambda _run_id: {})

    async def reads(self, read, run_id):
        self.clock.now += self.takes_s
        return read(run_id)


def made(monkeypatch, takes_s=0.0):
    """Decisions over a clock that stands, and what they store."""
    clock, stored = SimpleNamespace(now=0.0), []
    monkeypatch.setattr(decisions, "time", SimpleNamespace(monotonic=lambda: clock.now))
    told = tuple(TaskDecision(key, state, 0, 0, Criterion()) for key, state in STATES.items())
    decider = SimpleNamespace(decided=lambda: Decided(False, None, told, ()))
    log = SimpleNamespace(decided=stored.append)
    return Decisions(Journal(clock, takes_s), log, "r", sought_of(STATES), decider), clock, stored


def test_how_far_it_is_counts_tasks_that_can_be_settled(monkeypatch):
    assert made(monkeypatch)[0].progress() == ev.DecidingProgress(settled=2, tasks=3, calls=80)


async def test_what_is_decided_is_stored_now_and_then_and_at_the_end(monkeypatch):
    kept, clock, stored = made(monkeypatch)
    for now, times in ((4.9, 0), (5.0, 1), (9.9, 1), (10.0, 2)):
        clock.now = now
        await kept.keep()
        assert len(stored) == times
    await kept.keep(at_once=True)
    assert len(stored) == 3
    assert [task["task"] for task in json.loads(stored[0])["tasks"]] == list(STATES)


async def test_a_large_journal_is_asked_less_often(monkeypatch):
    kept, clock, stored = made(monkeypatch, takes_s=1.0)
    await kept.keep(at_once=True)  # Two reads, of a second each.
    for later, times in ((39.9, 1), (0.2, 2)):
        clock.now += later
        await kept.keep()
        assert len(stored) == times
