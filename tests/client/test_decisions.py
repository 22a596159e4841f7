"""What a run decides early, as values of the client."""

from __future__ import annotations

from genlevel.client.values.decisions import DecidedLevel, DecidedTask, decision_of
from genlevel.client.values.plans import plan_of
from genlevel.client.values.runs import RunStatus, progress_of, run_state, statuses_of
from genlevel.v1 import evaluator_pb2 as ev


def test_a_decision_is_a_value_that_says_whether_the_run_was_completed_since() -> None:
    decision = ev.EarlyDecision(
        until=ev.UntilDecided(aim=ev.UntilDecided.AIM_VERDICT),
        complete=True,
        verdict=3,
        asked=7,
        total=1000,
        tasks=[ev.DecidedTask(task="k", state=ev.DecidedTask.STATE_WON, asked=7, total=50, decided_at=6, test="exact")],
        levels=[ev.DecidedLevel(level=3, state=ev.DecidedLevel.STATE_ATTAINED, by="the pooled test", decided_at=7)],
    )
    run = ev.Run(run_id="r", status=ev.RUN_STATUS_DECIDED, decision=decision)
    found = decision_of(run)
    assert found is not None
    assert (found.aim, found.epsilon, found.alpha, found.level, found.saved_usd, found.completed) == ("verdict", 0.01, 0.05, 3, None, False)
    assert found.tasks == (DecidedTask("k", "won", 7, 50, 6, "exact", ""),)
    assert found.levels == {3: DecidedLevel("attained", "the pooled test", 7)}
    assert str(found).startswith("Level 3 (")
    assert "asked 7 of 1,000" in str(found)
    assert found.earlier == ()
    run.decision.earlier.add(until=ev.UntilDecided(aim=ev.UntilDecided.AIM_WINS), complete=True, asked=5, won=2)
    again = decision_of(run)
    assert again is not None
    (before,) = again.earlier
    assert before.startswith("decided before, with an error of its own: 2 wins (")
    assert before.endswith("no call is made")
    assert run_state(run).status is RunStatus.DECIDED
    assert statuses_of(["decided"]) == [ev.RUN_STATUS_DECIDED]
    run.status = ev.RUN_STATUS_FINISHED
    completed = decision_of(run)
    assert completed is not None
    assert completed.completed
    assert decision_of(ev.Run()) is None


def test_a_plan_says_how_many_calls_may_be_needed() -> None:
    expected = plan_of(ev.PlanRunResponse(expected=ev.ExpectedDecision(median=4, worst=9, total=90, models=2, runs=3))).expected
    assert expected is not None
    assert str(expected) == "about 4 of 90 calls (median of 2 published models x 3 simulations), the most of them 9"
    unknown = plan_of(ev.PlanRunResponse(expected=ev.ExpectedDecision(total=90, note="none is known"))).expected
    assert unknown is not None
    assert (unknown.median, unknown.note) == (None, "none is known")
    assert plan_of(ev.PlanRunResponse()).expected is None


def test_progress_says_how_many_tasks_are_settled() -> None:
    told = progress_of(ev.WatchRunResponse(deciding=ev.DecidingProgress(settled=3, tasks=9)))
    assert (told.settled, told.to_settle) == (3, 9)
    assert progress_of(ev.WatchRunResponse()).settled is None
