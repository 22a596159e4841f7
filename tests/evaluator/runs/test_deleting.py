"""Deleting runs: what goes, what has to stay, and what must not be deleted at all."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from evaluator.journal.batch_records import Standing
from evaluator.journal.listing import ListedRun
from evaluator.journal.monitor_records import MonitorRecord, Phase
from evaluator.journal.wishes import Wanted
from evaluator.reading import RunReader
from evaluator.runs import deleting
from evaluator.runs.deleting import refusal
from evaluator.runs.tidying import Tidying, outdated
from genlevel.runtime.errors import NotFoundError, UsageError
from genlevel.runtime.settings import RunDefaults, Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.evaluator.journal.test_deletion import left
from tests.evaluator.journal.test_plan_numbers import record
from tests.evaluator.runs.asking import finish, specification, start


def delete_of(run, **fields):
    return ev.DeleteRunRequest(run_id=run.run_id, **fields)


async def listed(evaluator):
    return [run.run_id for run in (await evaluator.list_runs(ev.ListRunsRequest())).runs]


async def test_a_run_goes_with_its_scores_and_its_results_files(make_evaluator, suite_folder, tmp_path):
    evaluator, scorer = make_evaluator()
    run, other = await start(evaluator, suite_folder(3)), await start(evaluator, suite_folder(3), limit=1)
    results = tmp_path / "data" / "runs" / run.run_id
    results.mkdir(parents=True)
    (results / "result.json").write_text("{}")
    said = await evaluator.delete_run(delete_of(run, dry_run=True))
    assert (said.run_id, said.answers, said.files, said.bytes, list(said.problems)) == (run.run_id, 3, 0, 3, [])
    assert (await listed(evaluator), results.exists()) == ([other.run_id, run.run_id], True)
    assert await evaluator.delete_run(delete_of(run)) == said
    assert (await listed(evaluator), results.exists()) == ([other.run_id], False)
    with pytest.raises(NotFoundError):
        await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))
    assert (await scorer.get_verdict(sc.GetVerdictRequest(run_id=other.run_id))).plan == 2
    with pytest.raises(NotFoundError, match="no run"):
        await evaluator.get_run(ev.GetRunRequest(run_id=run.run_id))
    with pytest.raises(NotFoundError, match="was deleted before"):
        await evaluator.delete_run(delete_of(run))


async def test_a_bad_run_that_was_deleted_is_a_try_in_the_certificate_of_the_next(make_evaluator, suite_folder):
    evaluator, scorer = make_evaluator()
    folder = suite_folder(4)
    bad = await start(evaluator, folder)
    await evaluator.delete_run(delete_of(bad))
    planned = await evaluator.plan_run(ev.PlanRunRequest(specification=specification(folder)))
    again = await start(evaluator, folder)
    assert (planned.plan, again.plan, again.run_id) == (2, 2, f"{bad.run_id}-1"), "an id means one run for ever"
    certificate = (await scorer.get_verdict(sc.GetVerdictRequest(run_id=again.run_id))).certificate
    assert (certificate.plan, certificate.alpha_plan < 0.05 / 2) == (2, True)
    with pytest.raises(NotFoundError, match="was deleted before"):
        await evaluator.delete_run(delete_of(bad))
    assert await listed(evaluator) == [again.run_id], "though its id begins so"


@pytest.fixture
def drawing(scripted, suite_folder):
    """A model that answers with pictures: the same one to the first question, whatever run asks."""
    drawn = []

    async def generate(request, *, timeout_s):
        scripted.requests.append(request)
        question = request.messages[-1].parts[-1].text
        content = b"\x89PNG same" if "Question 0" in question else f"\x89PNG {len(drawn)}".encode()
        drawn.append(content)
        picture = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", inline=content)
        return gw.GenerateResponse(parts=[ct.Part(text="A"), ct.Part(media=picture)], finish_reason=gw.FINISH_REASON_STOP)

    scripted.generate = generate
    return suite_folder(2)


def stored(tmp_path):
    return [file.resolve() for file in (tmp_path / "data" / "blobs").rglob("*") if file.is_file()]


async def media_of(evaluator, run):
    answers = [answer async for answer in evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id))]
    return {Path(file.path).resolve() for answer in answers for file in answer.files}


def age(tmp_path, seconds):
    for file in stored(tmp_path):
        os.utime(file, (time.time() - seconds,) * 2)


async def test_media_go_if_no_other_run_has_them(make_evaluator, drawing, tmp_path):
    evaluator, _ = make_evaluator()
    one, other = await start(evaluator, drawing), await start(evaluator, drawing, seed=1, limit=2)
    assert len(stored(tmp_path)) == 3
    age(tmp_path, 60)
    said = await evaluator.delete_run(delete_of(one))
    assert (said.answers, said.files, list(said.problems)) == (2, 1, [])
    assert len(stored(tmp_path)) == 2
    assert await media_of(evaluator, other) <= set(stored(tmp_path))
    assert (await evaluator.delete_run(delete_of(other))).files == 2
    assert stored(tmp_path) == []


async def test_media_that_somebody_may_be_about_to_use_stay_until_later(make_evaluator, drawing, tmp_path, monkeypatch):
    evaluator, _ = make_evaluator()
    runs = [await start(evaluator, drawing), await start(evaluator, drawing, limit=1)]
    later = "files were stored only a while ago and go with the next deletion, or within a day"
    kept = len(stored(tmp_path))
    (said,) = (await evaluator.delete_run(delete_of(runs[0]))).problems
    assert (said.endswith(later), len(stored(tmp_path))) == (True, kept)
    age(tmp_path, 60)
    monkeypatch.setattr(evaluator._deleting, "_runs_go_on", _yes)
    (said,) = await evaluator._deleting.end()
    assert (said.endswith(later), len(stored(tmp_path))) == (True, kept)
    age(tmp_path, 8000)
    assert await evaluator._deleting.end() == []
    assert len(stored(tmp_path)) < kept


async def _yes():
    return True


async def test_a_run_that_goes_on_is_not_deleted(make_evaluator, suite_folder, scripted):
    scripted.latency_s = 0.3
    evaluator, _ = make_evaluator()
    other, _ = make_evaluator()
    run = (await evaluator.start_run(ev.StartRunRequest(specification=specification(suite_folder(1))))).run
    for one in (evaluator, other):
        for dry_run in (True, False):
            with pytest.raises(UsageError, match=rf"^run {run.run_id} goes on; `genlevel tune {run.run_id} --stop` stops it"):
                await one.delete_run(delete_of(run, dry_run=dry_run))
    assert (await finish(evaluator, ev.StartRunRequest(specification=specification(suite_folder(1))))).counts.answered == 1


@pytest.mark.parametrize(
    ("fields", "batches", "monitor", "tick", "said"),
    [
        ({}, None, None, "", ""),
        ({"wanted": Wanted.STOPPED}, None, None, "", ""),
        ({"wanted": Wanted.GO_ON}, None, None, "", "is to go on"),
        ({"wanted": Wanted.PAUSED}, None, None, "", "is to go on"),
        ({}, Standing("openai", 2, 9, 0, 0.0, 0), None, "", "has 2 batches at openai, which may be charged"),
        ({}, None, {"baseline_run": "r"}, "", "is the baseline of monitor hourly"),
        ({}, None, {"specification": '{"baseline": "r"}'}, "", "is the baseline of monitor hourly"),
        ({"name": "base"}, None, {"specification": '{"baseline": "base"}'}, "", "is the baseline of monitor hourly"),
        ({}, None, {"specification": '{"baseline": ""}', "baseline_run": "other"}, "", ""),
        ({}, None, {"open_tick": 3}, "r", "is the tick that monitor hourly asks now"),
        ({"occasion": "hourly.u#3"}, None, {"open_tick": 3}, "", "is the tick that monitor hourly asks now"),
        ({"occasion": "hourly.u#2"}, None, {"open_tick": 3}, "other", ""),
    ],
)
def test_what_somebody_still_needs_is_not_deleted(fields, batches, monitor, tick, said):
    watched = (
        [] if monitor is None else [(MonitorRecord("hourly", "u", **{"specification": "{}", **monitor}, declared=False, created=1.0), tick)]
    )
    assert said in refusal(replace(record("r"), **fields), batches, watched)
    assert bool(said) == bool(refusal(replace(record("r"), **fields), batches, watched))


def test_the_baseline_of_a_monitor_that_watches_is_needed_whatever_it_was_named_by():
    monitor = MonitorRecord("hourly", "u", '{"baseline": "x"}', declared=False, created=1.0, phase=Phase.WATCHING, baseline_run="r")
    assert "is the baseline" in refusal(record("r"), None, [(monitor, "")])
    assert refusal(record("x"), None, [(monitor, "")]) == ""


async def test_who_merged_from_it_is_told(make_evaluator, suite_folder):
    evaluator, _ = make_evaluator()
    run = await start(evaluator, suite_folder(1))
    merged = replace(evaluator._journal.run(run.run_id), run_id="merged", identity="merged", facts=f'{{"parts": ["{run.run_id}", "x"]}}')
    evaluator._journal.create_run(merged)
    told = "run merged, which was merged from it, keeps its answers, but cannot be merged from it again"
    for dry_run in (True, False):
        assert list((await evaluator.delete_run(delete_of(run, dry_run=dry_run))).problems) == [told]


@pytest.mark.parametrize("step", ["clear", "forget_run", "remove_results", "cleared", "remove_unused"])
async def test_what_breaks_off_is_not_seen_and_ended_by_the_next(make_evaluator, drawing, tmp_path, monkeypatch, step):
    evaluator, scorer = make_evaluator()
    run, other = await start(evaluator, drawing), await start(evaluator, drawing, limit=1)
    age(tmp_path, 60)
    places = {"forget_run": scorer, "remove_results": deleting, "remove_unused": evaluator._deleting}

    def broken(*_, **__):
        raise ZeroDivisionError  # whatever ends a process

    with monkeypatch.context() as breaking:
        place = places.get(step, type(evaluator._journal.deletion))
        breaking.setattr(place, step, broken)
        with pytest.raises(ZeroDivisionError):
            await evaluator.delete_run(delete_of(run))
    assert await listed(evaluator) == [other.run_id]
    with pytest.raises(NotFoundError):
        await evaluator.get_run(ev.GetRunRequest(run_id=run.run_id))
    with pytest.raises(NotFoundError):
        await evaluator.start_run(ev.StartRunRequest(run_id=run.run_id))
    await evaluator._deleting.end()
    with pytest.raises(NotFoundError):
        await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))
    assert evaluator._journal.deletion.to_clear() == []
    assert evaluator._journal.deletion.unused() == {}
    assert set(stored(tmp_path)) == await media_of(evaluator, other) != set()


async def test_the_same_command_again_ends_what_broke_off(make_evaluator, suite_folder, monkeypatch):
    evaluator, _ = make_evaluator()
    run = await start(evaluator, suite_folder(1))
    with monkeypatch.context() as breaking:
        breaking.setattr(type(evaluator._journal.deletion), "clear", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await evaluator.delete_run(delete_of(run))
    assert list((await evaluator.delete_run(delete_of(run))).problems) == ["it was being deleted before"]
    with pytest.raises(NotFoundError, match="was deleted before"):
        await evaluator.delete_run(delete_of(run))


async def test_a_scorer_that_is_away_forgets_it_later(make_evaluator, suite_folder, monkeypatch):
    evaluator, scorer = make_evaluator()
    run = await start(evaluator, suite_folder(1))

    async def away(request):
        raise UsageError("the scorer is away")

    with monkeypatch.context() as breaking:
        breaking.setattr(scorer, "forget_run", away)
        (said,) = (await evaluator.delete_run(delete_of(run))).problems
    assert (
        said
        == f"the scores of run {run.run_id} cannot be deleted now (the scorer is away); they go with the next deletion, or within a day"
    )
    assert await evaluator._deleting.end() == []
    with pytest.raises(NotFoundError):
        await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))


async def test_a_start_that_has_read_a_run_before_it_was_deleted_begins_nothing(make_evaluator, suite_folder, scripted, monkeypatch):
    evaluator, scorer = make_evaluator()
    run = await start(evaluator, suite_folder(2))
    begin, asked = evaluator._control.begin, scripted.calls.total()

    async def late(work):
        await evaluator.delete_run(delete_of(run))
        await begin(work)

    monkeypatch.setattr(evaluator._control, "begin", late)
    evaluator._journal.update_run(run.run_id, status=ev.RUN_STATUS_INTERRUPTED)
    with pytest.raises(NotFoundError, match=f"run {run.run_id} was deleted"):
        await evaluator.start_run(ev.StartRunRequest(run_id=run.run_id))
    assert scripted.calls.total() == asked
    with pytest.raises(NotFoundError):
        await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))


async def test_a_run_that_is_deleted_while_it_is_scored_again_leaves_nothing(make_evaluator, suite_folder, monkeypatch):
    evaluator, scorer = make_evaluator()
    run = await start(evaluator, suite_folder(1))
    from evaluator import service

    again = service.score_again

    async def deleted_meanwhile(*arguments):
        await evaluator.delete_run(delete_of(run))
        evaluator._journal.judgements.store_people(run.run_id, {"nlp/Causal-Reasoning": {"q0": {"anna": 3.0}}})
        await again(*arguments)

    monkeypatch.setattr(service, "score_again", deleted_meanwhile)
    with pytest.raises(NotFoundError, match="deleted meanwhile"):
        await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id))
    assert left(evaluator._journal, run.run_id) == set()
    with pytest.raises(NotFoundError):
        await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))


async def test_a_run_that_was_made_anew_under_its_id_keeps_its_scores(make_evaluator, suite_folder, monkeypatch, tmp_path):
    """As a merged run is, between the look at what is to be cleared and the lock."""
    evaluator, scorer = make_evaluator()
    run = await start(evaluator, suite_folder(1))
    results = tmp_path / "data" / "runs" / run.run_id
    results.mkdir(parents=True)
    monkeypatch.setattr(type(evaluator._journal.deletion), "to_clear", lambda self: [run.run_id])
    assert await evaluator._deleting.end() == []
    assert len((await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))).tasks) == 1
    assert results.is_dir()
    assert (await evaluator.get_run(ev.GetRunRequest(run_id=run.run_id))).run.counts.answered == 1


async def test_a_reader_of_stored_runs_deletes_them_too(make_evaluator, suite_folder, tmp_path):
    evaluator, scorer = make_evaluator()
    run = await start(evaluator, suite_folder(1))
    reader = RunReader(Settings(), scorer=scorer, data_folder=tmp_path / "data")
    assert (await reader.delete_run(delete_of(run))).answers == 1
    assert await listed(reader) == []
    await reader.close()


DAY = 86_400.0


def run_of(run_id, **fields):
    return ListedRun(run_id, 0.0, "m", "s", ev.RUN_STATUS_FINISHED, Wanted.FINISHED, "", (), "", "")._replace(**fields)


def test_runs_that_are_over_go_after_so_many_days_unless_somebody_keeps_them():
    runs = [
        run_of("old"),
        run_of("stopped", wanted=Wanted.STOPPED, status=ev.RUN_STATUS_INTERRUPTED),
        run_of("decided", wanted=Wanted.NOTHING, status=ev.RUN_STATUS_DECIDED),
        run_of("failed", wanted=Wanted.CANNOT_SUCCEED, status=ev.RUN_STATUS_FAILED),
        run_of("new", updated=9.5 * DAY),
        run_of("named", name="x"),
        run_of("kept", tags=("a", "keep")),
        run_of("paused", wanted=Wanted.PAUSED, status=ev.RUN_STATUS_PAUSED),
        run_of("to go on", wanted=Wanted.GO_ON, status=ev.RUN_STATUS_INTERRUPTED),
        run_of("interrupted", wanted=Wanted.NOTHING, status=ev.RUN_STATUS_INTERRUPTED),
        run_of("running", wanted=Wanted.STOPPED, status=ev.RUN_STATUS_RUNNING),
        run_of("tick", occasion="hourly#1"),
    ]
    assert outdated(runs, 10 * DAY, keep_days=1, keep_ticks_days=None) == ["old", "stopped", "decided", "failed"]
    assert outdated(runs, 10 * DAY, keep_days=None, keep_ticks_days=9) == ["tick"]
    assert outdated(runs, 10 * DAY, keep_days=None, keep_ticks_days=None) == []
    assert outdated(runs, 10 * DAY, keep_days=0.1, keep_ticks_days=11) == ["old", "stopped", "decided", "failed", "new"]


async def test_a_service_deletes_what_is_that_old_and_says_so(make_evaluator, suite_folder, caplog):
    evaluator, _ = make_evaluator()
    folder = suite_folder(2)
    old, named, busy = [await start(evaluator, folder, limit=limit) for limit in (1, 2, 0)]
    await evaluator.describe_run(ev.DescribeRunRequest(run_id=named.run_id, name="mine"))
    lock = evaluator._locks.of(busy.run_id)
    assert await lock.acquire()
    tidying = Tidying(evaluator._journal, evaluator._deleting, RunDefaults(keep_days=2), lambda: time.time() + 3 * DAY)
    with caplog.at_level("INFO"):
        await tidying.tidy()
    await lock.release()
    assert await listed(evaluator) == [busy.run_id, named.run_id]
    assert f"run {old.run_id} is deleted, as it is that old: 1 answers, 0 files" in caplog.text
    assert f"run {busy.run_id} is older than runs.keep_days or runs.keep_ticks_days, and stays: run {busy.run_id} goes on" in caplog.text


async def test_a_run_that_is_kept_or_goes_on_while_others_are_deleted_stays(make_evaluator, suite_folder, monkeypatch, caplog):
    """Deleting hundreds of runs takes a while, in which somebody may name one of them, tag it, or ask more of it."""
    evaluator, _ = make_evaluator()
    folder = suite_folder(5)
    runs = [await start(evaluator, folder, limit=limit) for limit in (1, 2, 3, 4, 5)]
    old, named, tagged, asked, other = [run.run_id for run in runs]
    journal = evaluator._journal
    usual, done = evaluator._deleting.delete, []

    async def delete(request, **options):
        if not done:
            await evaluator.describe_run(ev.DescribeRunRequest(run_id=named, name="mine"))
            await evaluator.describe_run(ev.DescribeRunRequest(run_id=tagged, add_tags=["keep"]))
            with monkeypatch.context() as later:
                later.setattr("evaluator.journal.journal.time.time", lambda: time_of_tidying - 1.0)
                journal.update_run(asked, status=ev.RUN_STATUS_FINISHED)
        done.append(request.run_id)
        return await usual(request, **options)

    time_of_tidying = time.time() + 3 * DAY
    monkeypatch.setattr(evaluator._deleting, "delete", delete)
    with caplog.at_level("INFO"):
        await Tidying(journal, evaluator._deleting, RunDefaults(keep_days=2), lambda: time_of_tidying).tidy()
    assert set(await listed(evaluator)) == {named, tagged, asked}
    assert set(done) == {old, named, tagged, asked, other}
    assert f"run {named} is older than runs.keep_days or runs.keep_ticks_days, and stays: run {named} is to be kept" in caplog.text
