"""The page of a run: watched from its first to its last instance, paused, changed, and looked at by whoever may not change it."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from html import unescape

import pytest
from google.protobuf import json_format

from genlevel.runtime.callers import Caller, Role
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.web.door import Door
from tests.evaluator.conftest import ScriptedGateway, failing
from tests.views.decided import WON, decision_of
from tests.waiting import until
from tests.web.driven import driven_site


def make_suite(folder, instances=10, task="Causal-Reasoning"):
    place = folder / "bench" / "nlp" / task
    place.mkdir(parents=True)
    data = [
        {"id": f"q{n}", "input": {"question": f"Question {n}?", "options": ["yes", "no"]}, "output": {"answer": "AB"[n % 2]}}
        for n in range(instances)
    ]
    (place / "annotation.json").write_text(json.dumps({"task": task, "type": "MultipleChoiceQA", "data": data}))
    return folder / "bench"


def shown(html: str) -> str:
    """What a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


async def begun(site, suite, **traffic):
    request = ev.StartRunRequest(
        specification=ev.RunSpecification(model="m", suite=str(suite)), traffic=ev.TrafficSettings(concurrency=1, **traffic)
    )
    return (await site.evaluator.start_run(request)).run.run_id


async def state(site, run):
    return (await site.evaluator.get_run(ev.GetRunRequest(run_id=run))).run


async def comes(ask, right):
    """Asks until the answer is right."""
    async with asyncio.timeout(30):
        while not right(await ask()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.fixture
def gateway():
    made = ScriptedGateway()
    made.latency_s = 0.02
    return made


async def test_a_run_is_watched_from_its_first_to_its_last_instance_and_its_limits_are_changed(tmp_path, gateway):
    suite, gateway.latency_s = make_suite(tmp_path, 30), 0.3
    async with driven_site(tmp_path / "data", gateway) as site:
        run = await begun(site, suite)
        seen, path = [], f"/runs/{run}"
        whole = await site.page(path)
        assert "htmx.min.js" in whole
        assert f'hx-get="{path}?part=live"' in whole
        changed = False
        async with asyncio.timeout(30):
            while True:
                live = await site.page(f"{path}?part=live")
                assert live.strip().startswith("<section"), "the part alone"
                done = re.search(r"(\d+) of 30", shown(live))
                seen.append(int(done[1]))
                if not changed and seen[-1] >= 2:
                    posted = await site.post(f"{path}/limits", {"concurrency": "8", "weight": "3"}, of=path)
                    assert (posted.status_code, posted.headers["location"]) == (303, path)
                    changed = True
                if "hx-trigger" not in live:
                    break
                assert "Reload" in live
                await asyncio.sleep(0.02)
        assert seen == sorted(seen)
        assert (seen[0] < 15, seen[-1], len(set(seen)) > 3) == (True, 30, True), seen
        assert gateway.most_at_once > 1, "the limit was followed"
        ended = await site.page(path)
        assert "finished" in ended
        assert "htmx.min.js" not in ended
        traffic = (await state(site, run)).traffic
        assert (traffic.concurrency, traffic.weight) == (8, 3)
        document = (await site.get(f"{path}.json")).json()
        assert (document["instances"]["answered"], document["limits"]["concurrency"], document["status"]) == (30, 8, "finished")
        assert (await site.get(f"{path}.tasks.csv")).text.splitlines()[1] == "nlp/Causal-Reasoning,30,30,0,0,0,0"


async def test_a_run_is_paused_goes_on_and_is_stopped_from_its_page(tmp_path, gateway):
    suite = make_suite(tmp_path, 200)
    async with driven_site(tmp_path / "data", gateway) as site:
        run = await begun(site, suite)
        path = f"/runs/{run}"
        await until(lambda: gateway.calls.total() >= 2)

        async def wish(wanted, word):
            posted = await site.post(f"{path}/wish", {"wanted": wanted}, of=path)
            assert posted.status_code == 303, posted.text
            await comes(lambda: site.page(f"{path}?part=live"), lambda live: f">{word}<" in live)

        await wish("pause", "paused")
        calls = gateway.calls.total()
        paused = await site.page(path)
        assert 'value="go-on"' in paused
        assert 'value="pause"' not in paused
        assert "Nothing is asked until it goes on." in paused
        assert gateway.calls.total() == calls
        await wish("go-on", "running")
        await wish("stop", "stopped")
        assert "It stays stopped until somebody lets it go on." in await site.page(path)
        assert (await state(site, run)).status == ev.RUN_STATUS_INTERRUPTED
        assert (await site.post(f"{path}/wish", {"wanted": "dance"}, of=path)).status_code == 400
        again = await site.post(f"{path}/wish", {"wanted": "pause"}, of=path)
        assert again.status_code == 400
        assert "there is nothing to pause" in shown(again.text)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"concurrency": "many"}, "'many' is no whole number from 1 to 4,096"),
        ({"concurrency": "0"}, "'0' is no whole number from 1 to 4,096"),
        ({"weight": "101"}, "'101' is no whole number from 1 to 100"),
        ({"budget_tokens": "9" * 30}, "is no whole number from 1 to"),
        ({"budget_usd": "-1"}, "'-1' is not an amount that can be spent"),
        ({"budget_usd": "nan"}, "'nan' is not an amount that can be spent"),
        ({"requests_per_minute": "<i>"}, "'<i>' is no whole number"),
        ({"interactive": "perhaps"}, "'perhaps' is none of the choices"),
        ({"concurrency": ""}, "give a number: what was set can be changed, not taken away again"),
        ({"budget_usd": "5"}, "its model has no price"),
    ],
)
async def test_what_cannot_be_taken_is_told_at_its_field_and_what_was_typed_is_kept(tmp_path, gateway, fields, wrong):
    suite, gateway.latency_s = make_suite(tmp_path, 3), 60.0
    async with driven_site(tmp_path / "data", gateway, continues=False) as site:
        run = await begun(site, suite)
        path = f"/runs/{run}"
        posted = await site.post(f"{path}/limits", {"concurrency": "1", "tokens_per_minute": "777", **fields}, of=path)
        assert posted.status_code == 400
        assert wrong in shown(posted.text)
        assert "<i>" not in posted.text
        assert 'value="777"' in posted.text, "what was typed in another field is kept"
        assert (await state(site, run)).traffic.tokens_per_minute == 0
        assert (await site.get(f"{path}/limits")).headers["location"] == path, "to load it again leads to the page"
        await site.evaluator.cancel_run(ev.CancelRunRequest(run_id=run, now=True))


async def test_fields_that_a_program_does_not_send_stay_as_they_are(tmp_path, gateway):
    gateway.latency_s = 60.0
    async with driven_site(tmp_path / "data", gateway, continues=False) as site:
        run = await begun(site, make_suite(tmp_path, 50), budget_tokens=10**6)
        path = f"/runs/{run}"
        assert (await site.post(f"{path}/limits", {"weight": "7"}, of=path)).status_code == 303
        now = (await state(site, run)).traffic
        assert (now.weight, now.concurrency, now.budget_tokens) == (7, 1, 10**6)
        await site.evaluator.cancel_run(ev.CancelRunRequest(run_id=run, now=True))


async def test_what_a_person_has_to_know_is_told_once_a_wish_is_stored(tmp_path, gateway):
    suite = make_suite(tmp_path, 50)
    async with driven_site(tmp_path / "data", gateway, continues=False) as site:
        run = await begun(site, suite)
        path = f"/runs/{run}"
        await site.evaluator.update_run(ev.UpdateRunRequest(run_id=run, wanted=ev.RUN_WANTED_PAUSED))
        await comes(lambda: state(site, run), lambda now: now.status == ev.RUN_STATUS_PAUSED)
        told = await site.post(f"{path}/wish", {"wanted": "go-on"}, of=path)
        assert told.status_code == 200
        assert f"a service over this storage goes on with it; without one, `genlevel resume {run}` does" in shown(told.text)


async def test_failures_are_told_by_class_with_links_to_answers(tmp_path, gateway):
    gateway.script = failing(gw.ERROR_CLASS_CALLER_FAULT)
    async with driven_site(tmp_path / "data", gateway, continues=False) as site:
        run = await begun(site, make_suite(tmp_path, 3))
        async with asyncio.timeout(20):
            async for _ in site.evaluator.watch_run(ev.WatchRunRequest(run_id=run)):
                pass
        page = await site.page(f"/runs/{run}")
        assert "caller fault" in shown(page)
        assert "as scripted" in shown(page)
        assert f'href="/runs/{run}/answers?outcome=failed"' in page
        assert f'href="/runs/{run}/answer?task=nlp%2FCausal-Reasoning&amp;instance=q0"' in page
        assert (
            (await site.get(f"/runs/{run}.failures.csv")).text.splitlines()[1].startswith("failed,caller_fault,3,nlp/Causal-Reasoning,q0,")
        )


async def test_a_name_tags_and_notes_are_text(tmp_path, gateway):
    async with driven_site(tmp_path / "data", gateway, continues=False) as site:
        run = await begun(site, make_suite(tmp_path, 3))
        path = f"/runs/{run}"
        fields = {"name": "<i>first</i>", "tags": "one <b>two</b>", "notes": "<script>alert(1)</script>\nand more"}
        posted = await site.post(f"{path}/describe", fields, of=path)
        assert (posted.status_code, posted.headers["location"]) == (303, f"{path}#about")
        page = await site.page(path)
        assert "&lt;i&gt;first&lt;/i&gt;" in page
        for markup in ("<i>first", "<b>two", "<script>alert"):
            assert markup not in page
        assert [*(await state(site, run)).tags] == ["one", "<b>two</b>"]
        posted = await site.post(f"{path}/describe", {"name": "x" * 201, "tags": "kept", "notes": ""}, of=path)
        assert posted.status_code == 400
        assert "it has 201 characters; at most 200" in shown(posted.text)
        assert 'value="kept"' in posted.text
        await site.post(f"{path}/describe", {"name": "", "tags": "two", "notes": ""}, of=path)
        now = await state(site, run)
        assert (now.name, [*now.tags], now.notes) == ("", ["two"], "")


async def test_who_may_only_read_is_offered_nothing_to_change(tmp_path, gateway, monkeypatch):
    async with driven_site(tmp_path / "data", gateway, continues=False) as site:
        run = await begun(site, make_suite(tmp_path, 3))
        monkeypatch.setattr(Door, "caller", lambda *_: Caller("reader", frozenset({Role.READ})))
        assert "<form" not in await site.page(f"/runs/{run}")


async def test_an_id_may_be_cut_short_and_one_that_is_not_there_is_told_of(tmp_path, gateway):
    async with driven_site(tmp_path / "data", gateway, continues=False) as site:
        run = await begun(site, make_suite(tmp_path, 3))
        short = await site.get(f"/runs/{run[:6]}")
        assert (short.status_code, short.headers["location"]) == (303, f"/runs/{run}")
        for data in (".json", ".tasks.csv"):
            there = await site.get(f"{short.request.url.path}{data}")
            assert (there.status_code, there.headers["location"]) == (303, f"/runs/{run}{data}")
        assert "no run 'nothing' here" in shown(await site.page("/runs/nothing", 404))
        assert (await site.get("/runs/nothing.json")).status_code == 404


async def test_a_run_that_goes_on_in_another_process_is_shown_from_what_is_stored(tmp_path, gateway):
    gateway.info.input_modalities.append(ct.MODALITY_IMAGE)
    suite = make_suite(tmp_path, 300)
    async with driven_site(tmp_path / "data", gateway, continues=False) as here:
        run = await begun(here, suite)
        async with driven_site(tmp_path / "data", ScriptedGateway(), continues=False) as elsewhere:
            await until(lambda: gateway.calls.total() >= 4)
            first = shown(await elsewhere.page(f"/runs/{run}?part=live"))
            assert "running" in first
            await until(lambda: gateway.calls.total() >= 12)
            later = await elsewhere.page(f"/runs/{run}?part=live")
            assert "hx-trigger" in later
            counts = [int(re.search(r"(\d+) of 300", text)[1]) for text in (first, shown(later))]
            assert 0 < counts[0] < counts[1]
            await elsewhere.post(f"/runs/{run}/wish", {"wanted": "stop", "now": "1"}, of=f"/runs/{run}")
        await comes(lambda: state(here, run), lambda now: now.status != ev.RUN_STATUS_RUNNING)


async def test_a_run_is_deleted_once_it_was_said_what_that_frees(tmp_path, gateway, monkeypatch):
    suite = make_suite(tmp_path, 5)
    async with driven_site(tmp_path / "data", gateway) as site:
        gateway.latency_s = 60.0
        run = await begun(site, suite)
        path = f"/runs/{run}"
        assert "Delete this run" not in await site.page(path), "it goes on"
        await site.page(f"{path}/delete", 400)
        gateway.latency_s = 0.0
        await site.evaluator.update_run(ev.UpdateRunRequest(run_id=run, wanted=ev.RUN_WANTED_STOPPED, now=True))
        await comes(lambda: state(site, run), lambda now: now.status == ev.RUN_STATUS_INTERRUPTED)
        assert f'href="{path}/delete"' in await site.page(path)
        assert "answers: about" in shown(await site.page(f"{path}/delete"))
        with monkeypatch.context() as patched:
            patched.setattr(Door, "caller", lambda *_: Caller("runner", frozenset({Role.RUN})))
            assert "Delete this run" not in await site.page(path)
            await site.page(f"{path}/delete", 403)
        deleted = await site.post(f"{path}/delete", {}, of=f"{path}/delete")
        assert (deleted.status_code, deleted.headers["location"]) == (303, "/")
        await site.page(path, 404)
        assert (await site.get("/runs.json")).json()["runs"] == []


async def test_a_run_that_was_decided_early_says_what_is_decided_also_of_each_task(tmp_path, gateway):
    gateway.latency_s = 0.0
    async with driven_site(tmp_path / "data", gateway) as site:
        run = await begun(site, make_suite(tmp_path, 3))
        await comes(lambda: state(site, run), lambda now: now.status == ev.RUN_STATUS_FINISHED)
        plain = await site.page(f"/runs/{run}")
        assert "Decided early" not in plain
        journal, decision = site.evaluator._journal, decision_of([("nlp/Causal-Reasoning", WON)])
        await journal.decisions.keep(run, json_format.MessageToJson(decision))
        page = shown(await site.page(f"/runs/{run}"))
        assert "Decided early, and completed since It was decided after 175 of the full run's 42,000 calls; the verdict" in page
        journal.update_run(run, status=ev.RUN_STATUS_DECIDED)
        whole = await site.page(f"/runs/{run}")
        page = shown(whole)
        assert "Decided early: Level 3 Sought: the highest level" in page
        assert "<code>genlevel eval</code> of the same model and suite without --until-decided asks the rest" in whole
        assert f'href="/runs/{run}/card#decided"' in whole
        assert "Go on" not in page
        document = (await site.get(f"/runs/{run}.json")).json()
        assert (document["decision"]["verdict"], document["status"]) == (3, "decided")
        (head, row) = csv.reader(io.StringIO((await site.get(f"/runs/{run}.tasks.csv")).text))
        assert (head[1], row[1], head[-1], row[-1]) == ("to be asked in full", "3", "decided early", "won")
        assert ">won</td></tr>" in await site.page(f"/runs/{run}?part=detail")
        assert (await site.get("/runs.json?status=decided")).json()["found"] == 1


async def test_a_run_that_is_decided_offers_nothing_to_go_on_with(tmp_path, gateway):
    async with driven_site(tmp_path / "data", gateway) as site:
        until = ev.UntilDecided(aim=ev.UntilDecided.AIM_VERDICT)  # which is known before any call: no task is outside language
        run = await begun(site, make_suite(tmp_path), until_decided=until)
        await comes(lambda: state(site, run), lambda known: known.status == ev.RUN_STATUS_DECIDED)
        page = shown(await site.page(f"/runs/{run}"))
    assert "decided What it was asked for is decided; not all of its instances were asked." in page
    assert "Go on" not in page
    assert "Change them" not in page
