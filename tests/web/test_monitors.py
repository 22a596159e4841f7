"""The pages of monitors: what was found tick by tick, alarms and what may be done about them."""

from __future__ import annotations

import asyncio
import re
import shutil
from html import unescape

import pytest

from genlevel.runtime.callers import Caller, Role
from genlevel.v1 import monitor_pb2 as mo
from genlevel.web.door import Door
from genlevel.web.pages import monitors
from tests.evaluator.conftest import ScriptedGateway
from tests.evaluator.monitors.watched import Deployed, Watchers, add, make_suite, seen, tick
from tests.web.driven import driven_site
from tests.web.test_run import shown


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A data folder with a model that has fallen after its second tick, which raised an alarm with the fourth."""
    root = tmp_path_factory.mktemp("watched")
    labels = make_suite(root / "bench", {"Causal-Reasoning": 60})
    gateway = ScriptedGateway()
    gateway.script = Deployed(labels, level=1.0, flips=0.0)

    async def watch():
        there = Watchers(root / "data", gateway)
        evaluator = there.start()
        await add(evaluator, root / "bench", pool=3, sample=20)
        await tick(there, evaluator, 2)
        gateway.script.drop = 0.65
        await tick(there, evaluator, 2)
        found = await seen(evaluator)
        await there.close()
        return [(alarm.kind, alarm.group, alarm.since_tick) for alarm in found.alarms]

    assert asyncio.run(watch()) == [("regression", "all", 3)]
    return root / "data"


@pytest.fixture
async def site(watched, tmp_path):
    shutil.copytree(watched, tmp_path / "data")
    async with driven_site(tmp_path / "data", ScriptedGateway(), continues=False) as made:
        yield made


async def state(site):
    return await site.evaluator.monitors.get_monitor(mo.GetMonitorRequest(name="one"))


async def test_monitors_are_listed_with_their_alarms(site):
    page = await site.page("/monitors")
    assert 'href="/monitors/one"' in page
    assert "1 open" in shown(page)
    assert [one["monitor"] for one in (await site.get("/monitors.json")).json()["monitors"]] == ["one"]
    assert (await site.get("/monitors.monitors.csv")).text.splitlines()[1].startswith("one,watching,m,")


async def test_a_monitor_shows_its_sequence_its_alarm_and_since_when(site):
    page = await site.page("/monitors/one")
    (alarm,) = (await state(site)).alarms
    for said in (alarm.id, "Answers before and now", "since about here, tick 3", "alarm from here on", "Score, 0 to 100"):
        assert said in unescape(page), said
    document = (await site.get("/monitors/one.json")).json()
    (whole,) = document["sequences"]
    assert [point["tick"] for point in whole["ticks"]] == [1, 2, 3, 4]
    scores = [point["score"] for point in whole["ticks"]]
    assert (scores[:2], scores[2] < 60) == ([100.0, 100.0], True)
    assert whole["ticks"][2]["evidence"] < whole["threshold"] <= whole["ticks"][3]["evidence"]
    for point in whole["ticks"]:
        assert point["interval"][0] < point["drop"] <= point["interval"][1]
    rows = (await site.get("/monitors/one.group0.csv")).text.splitlines()
    assert [row.split(",")[0] for row in rows] == ["tick", "1", "2", "3", "4"]
    assert len((await site.get("/monitors/one.json?ticks=2")).json()["sequences"][0]["ticks"]) == 2


async def test_an_alarm_is_acknowledged_with_a_note_which_is_text(site):
    (alarm,) = (await state(site)).alarms
    fields = {"alarm": alarm.id, "note": "<b>known</b>"}
    posted = await site.post("/monitors/one/acknowledge", fields, of="/monitors/one")
    assert (posted.status_code, posted.headers["location"]) == (303, "/monitors/one")
    page = await site.page("/monitors/one")
    assert "<b>known" not in page
    assert "<b>known</b>" in unescape(page)
    assert "Acknowledge, and watch from anew" not in page
    again = await site.post("/monitors/one/acknowledge", fields, of="/monitors/one")
    assert again.status_code == 400
    assert f"{alarm.id!r}" in shown(again.text) or alarm.id in shown(again.text)
    assert (await site.post("/monitors/one/acknowledge", {}, of="/monitors/one")).status_code == 400


async def test_a_monitor_is_paused_goes_on_and_ticks_now(site):
    for verb, now in (("pause", mo.MONITOR_STATE_PAUSED), ("resume", mo.MONITOR_STATE_WATCHING)):
        assert (await site.post(f"/monitors/one/{verb}", {}, of="/monitors/one")).status_code == 303
        assert (await state(site)).monitor.state == now
    assert (await site.post("/monitors/one/run", {}, of="/monitors/one")).status_code == 303
    assert "Tick 5 goes on, or waits to begin." in shown(await site.page("/monitors/one"))
    await site.post("/monitors/one/pause", {}, of="/monitors/one")
    refused = await site.post("/monitors/one/run", {}, of="/monitors/one")
    assert refused.status_code == 400
    assert "monitor one is paused" in shown(refused.text)


async def test_a_long_sequence_has_a_chart_and_the_picture_for_whom_it_is_not_drawn(site, monkeypatch):
    assert "sequence.js" not in await site.page("/monitors/one")
    monkeypatch.setattr(monitors, "TICKS", 2)
    page = await site.page("/monitors/one")
    assert "sequence.js" in page
    assert re.search(r'class="long" data-source="/monitors/one.json\?ticks=1000" data-group="all" hidden', page)
    assert "<svg" in page


async def test_who_may_only_read_is_offered_nothing_to_change(site, monkeypatch):
    monkeypatch.setattr(Door, "caller", lambda *_: Caller("reader", frozenset({Role.READ})))
    assert "<form" not in await site.page("/monitors/one")


@pytest.mark.parametrize(("path", "status"), [("/monitors/none", 404), ("/monitors/one?ticks=0", 400), ("/monitors/one?ticks=1001", 400)])
async def test_what_is_not_there_is_told(site, path, status):
    await site.page(path, status)
