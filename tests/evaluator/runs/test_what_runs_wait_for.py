"""Runs wait for what is away, and are set aside if they cannot succeed."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3

import pytest

from evaluator.journal.wishes import Wanted
from evaluator.runs import continuing
from evaluator.workers.workers import Workers
from genlevel.runtime.errors import Unavailable, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.runs.places import CANNOT, GO_ON, PAUSED, begun, reaches, rows_of, seen, wish
from tests.waiting import until


async def test_a_model_that_is_not_ready_is_waited_for(place, suite_folder, caplog):
    first = place.start()
    run = await begun(place, first, suite_folder(20))
    await place.stop(first)
    place.gateway.info.ready, place.gateway.info.problem = False, "set OPENAI_API_KEY"
    second = place.start()
    async with asyncio.timeout(60):
        while "set OPENAI_API_KEY" not in (waits := await seen(second, run.run_id)).reason:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert (waits.status, waits.wanted) == (ev.RUN_STATUS_INTERRUPTED, GO_ON)
    await asyncio.sleep(0.3)
    assert sum("set OPENAI_API_KEY" in message for message in caplog.messages) == 1, "said once"
    place.gateway.info.ready = True
    second._continuing.wake()
    await reaches(second, run.run_id, ev.RUN_STATUS_FINISHED)


async def test_a_gateway_that_is_away_is_waited_for(place, scripted, suite_folder):
    first = place.start()
    run = await begun(place, first, suite_folder(20))
    await place.stop(first)
    there, looks = scripted.list_models, []

    async def away(request):
        looks.append(request)
        if len(looks) < 4:
            raise Unavailable("the gateway cannot be reached")
        return await there(request)

    scripted.list_models = away
    second = place.start()
    await reaches(second, run.run_id, ev.RUN_STATUS_FINISHED)
    assert len(looks) >= 4


async def test_a_run_whose_stored_answers_vanished_has_not_finished_and_goes_on(place, suite_folder, caplog):
    """An older copy was put in place of the database, say."""
    caplog.set_level("INFO")
    service = place.start()
    run = await begun(place, service, suite_folder(20), calls=10)
    with sqlite3.connect(place.folder / "genlevel.db") as connection:
        lost = connection.execute("delete from evaluator_answers").rowcount
    connection.close()
    assert lost
    assert (await reaches(service, run.run_id, ev.RUN_STATUS_FINISHED)).counts.answered == 20
    assert f"failed ({lost} answers that had been stored are not in the database any more" in caplog.text
    assert place.gateway.calls.total() == 20 + lost


async def test_a_run_whose_suite_has_changed_is_set_aside(place, suite_folder):
    first = place.start()
    run = await begun(place, first, suite_folder(20))
    await place.stop(first)
    suite_folder(21)
    second = place.start()
    aside = await reaches(second, run.run_id, ev.RUN_STATUS_FAILED)
    assert aside.wanted == CANNOT
    assert "changed since it began" in aside.reason
    with pytest.raises(UsageError, match="nothing to pause"):
        await second.update_run(wish(run, PAUSED))


async def test_a_run_whose_suite_is_another_here_waits_for_an_evaluator_that_has_it(place, suite_folder, monkeypatch):
    first = place.start()
    run = await begun(place, first, suite_folder(20))
    await place.stop(first)
    suite_folder(21)
    monkeypatch.setattr(Workers, "others", yes)
    second = place.start()
    await until(lambda: run.run_id in second._control.waiting)
    waits = await seen(second, run.run_id)
    assert (waits.status, waits.wanted) == (ev.RUN_STATUS_INTERRUPTED, GO_ON)
    assert "changed since it began" in waits.reason


async def yes(workers):
    return True


@pytest.mark.parametrize("wanted", [GO_ON, CANNOT])
async def test_how_a_run_ended_elsewhere_while_its_start_was_planned_stays(place, suite_folder, wanted):
    first = place.start()
    run = await begun(place, first, suite_folder(20))
    await place.stop(first)
    other = place.start(going=False)
    seen_before = (await other._records.find(run.run_id)).wishes
    place.change(wanted=wanted, status=ev.RUN_STATUS_BUDGET, reason="the budget is used up")
    await other._control.set_following(run.run_id, ev.RUN_STATUS_FAILED, "its suite has changed", Wanted.CANNOT_SUCCEED, seen=seen_before)
    said = (await seen(other, run.run_id)).reason
    assert said == ("its suite has changed" if wanted == GO_ON else "the budget is used up")


async def test_a_run_whose_suite_is_away_waits_for_it(place, suite_folder):
    first = place.start()
    folder = suite_folder(20)
    run = await begun(place, first, folder)
    await place.stop(first)
    gone = folder.rename(folder.with_name("gone"))
    second = place.start()
    async with asyncio.timeout(60):
        while folder.name not in (waits := await seen(second, run.run_id)).reason:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert (waits.status, waits.wanted) == (ev.RUN_STATUS_INTERRUPTED, GO_ON)
    assert waits.reason.startswith("it goes on once this has passed: ")
    assert "\n" not in waits.reason
    gone.rename(folder)
    second._continuing.wake()
    await reaches(second, run.run_id, ev.RUN_STATUS_FINISHED)


async def test_a_run_that_kills_its_process_again_and_again_is_set_aside(place, suite_folder):
    first = place.start()
    run = await begun(place, first, suite_folder(20))
    await place.stop(first)
    asked = place.gateway.calls.total()
    place.gateway.latency_s = 60.0  # no answer comes
    for _ in range(continuing.MOST_VAIN_STARTS):
        killed = place.start()
        await until(lambda started=killed: started._control.active)
        task = killed._control.active[run.run_id].task
        await until(lambda: place.gateway.calls.total() > asked)
        with contextlib.suppress(asyncio.CancelledError):
            await killed.update_run(wish(run, 0))  # a wish of no kind changes nothing
        before = [dict(row) for row in rows_of(place)]
        killed._going_on.cancel()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        place.change(status=ev.RUN_STATUS_RUNNING, vain_starts=before[0]["vain_starts"], wanted=GO_ON)
        await place.stop(killed)
    last = place.start()
    aside = await reaches(last, run.run_id, ev.RUN_STATUS_FAILED)
    assert aside.wanted == CANNOT
    assert "continued 5 times in a row" in aside.reason
    place.gateway.latency_s = 0.0
    await last.update_run(wish(run, GO_ON))
    await reaches(last, run.run_id, ev.RUN_STATUS_FINISHED)
