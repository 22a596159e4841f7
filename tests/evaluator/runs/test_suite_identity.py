"""Runs carry their suite's content: to the list of runs, to the scorer, and over restarts; what changes meanwhile is noticed."""

from __future__ import annotations

import json
import shutil

import pytest

from genlevel.benchmark.content import suite_content
from genlevel.benchmark.suites import load_suite
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

KEY = "nlp/Causal-Reasoning"


async def run_of(evaluator, folder, *, fresh=False, **fields):
    specification = ev.RunSpecification(model="m", suite=str(folder), **fields)
    run = (await evaluator.start_run(ev.StartRunRequest(specification=specification, fresh=fresh))).run
    async for progress in evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
        run = progress.run
    return run


def content_of(folder):
    return suite_content(load_suite(folder))


async def test_a_run_has_the_hash_of_its_suite_wherever_it_is_shown(make_evaluator, suite_folder):
    evaluator, scorer = make_evaluator()
    folder = suite_folder(4)
    run = await run_of(evaluator, folder, suite_hash="what a caller makes up")
    assert run.suite_hash == content_of(folder)
    (listed,) = (await evaluator.list_runs(ev.ListRunsRequest())).runs
    assert listed.suite_hash == run.suite_hash
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))
    assert (verdict.suite_hash, verdict.part) == (run.suite_hash, False)
    assert verdict.tasks[0].task.content == load_suite(folder).tasks[0].content


@pytest.mark.parametrize("fields", [{"limit": 2}, {"tasks": "*Causal*"}])
async def test_a_run_of_a_part_says_so(make_evaluator, suite_folder, fields):
    evaluator, scorer = make_evaluator()
    suite_folder(4, "Commonsense-Reasoning")
    run = await run_of(evaluator, suite_folder(4), **fields)
    assert (await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))).part


async def test_other_media_under_the_same_annotation_make_a_new_run(make_evaluator, suite_folder, scripted):
    evaluator, _ = make_evaluator()
    folder = suite_folder(3)
    (folder / KEY / "images").mkdir()
    picture = folder / KEY / "images" / "a.png"
    picture.write_bytes(b"one")
    first = await run_of(evaluator, folder)
    assert (await run_of(evaluator, folder)).run_id == first.run_id
    picture.write_bytes(b"two")
    second = await run_of(evaluator, folder)
    assert (first.run_id, first.suite_hash) != (second.run_id, second.suite_hash)
    assert second.run_id.startswith(first.run_id)
    assert set(scripted.calls.values()) == {2}
    assert (await run_of(evaluator, folder)).run_id == second.run_id
    # The first one can be continued, but what it would ask now is not what it asked; nobody asks it anew by accident.
    told = (await evaluator.start_run(ev.StartRunRequest(run_id=first.run_id))).problems
    assert [problem for problem in told if "files of the suite have changed since the run began" in problem]
    assert not (await evaluator.start_run(ev.StartRunRequest(run_id=second.run_id))).problems


async def test_a_run_without_a_hash_goes_on_as_the_same_run(make_evaluator, suite_folder):
    evaluator, scorer = make_evaluator()
    folder = suite_folder(3)
    run = await run_of(evaluator, folder)
    journal = evaluator._journal
    with journal._engine.connect() as connection:
        (stored,) = connection.exec_driver_sql("select specification from evaluator_runs").one()
    older = {name: value for name, value in json.loads(stored).items() if name != "suiteHash"}
    with journal._engine.begin() as connection:  # what writes after having read cannot wait for others who write
        connection.exec_driver_sql("update evaluator_runs set specification = ?", (json.dumps(older),))
    again = await run_of(evaluator, folder)
    assert (again.run_id, again.suite_hash) == (run.run_id, "")
    await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id))
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))
    assert verdict.suite_hash == content_of(folder)  # what it was scored with is known now


async def test_labels_that_change_while_a_run_goes_on_are_not_scored_against(make_evaluator, suite_folder, scripted):
    evaluator, scorer = make_evaluator()
    folder = suite_folder(5)
    annotation = folder / KEY / "annotation.json"

    def script(question, calls):
        if question.startswith("Question 4"):
            annotation.write_text(annotation.read_text().replace('"answer": "B"', '"answer": "A"'))
        return "A"

    scripted.script = script
    run = await run_of(evaluator, folder)
    assert (run.status, run.counts.answered) == (ev.RUN_STATUS_FAILED, 5)
    assert f"{KEY}: its annotation has changed since the run began" in run.reason
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))
    assert verdict.tasks[0].counts.pending == 5
    await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id))
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))
    assert verdict.tasks[0].score == 100.0
    assert verdict.suite_hash == content_of(folder) != run.suite_hash


async def test_two_folders_of_one_name_are_two_suites(make_evaluator, suite_folder, tmp_path):
    evaluator, scorer = make_evaluator()
    one = suite_folder(4)
    other = tmp_path / "elsewhere" / "bench"
    shutil.copytree(one, other)
    annotation = other / KEY / "annotation.json"
    annotation.write_text(annotation.read_text().replace('"answer": "B"', '"answer": "A"'))
    runs = [await run_of(evaluator, folder) for folder in (one, other)]
    assert runs[0].suite == runs[1].suite == "bench"
    assert len({run.suite_hash for run in runs}) == 2
    verdicts = [await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id)) for run in runs]
    assert [verdict.tasks[0].score for verdict in verdicts] == [50.0, 100.0]


async def test_a_fresh_run_in_progress_takes_nobodys_place(make_evaluator, suite_folder, scripted):
    evaluator, scorer = make_evaluator()
    folder = suite_folder(4)
    whole = await run_of(evaluator, folder)

    def shown():
        return [(run.run_id, part) for run, part in scorer._store.current_runs("m", "bench", whole.suite_hash)]

    seen = []
    scripted.script = lambda question, calls: (seen.append(shown()), "A")[1]
    again = await run_of(evaluator, folder, fresh=True)
    assert seen[0] == [(whole.run_id, False), (again.run_id, True)]
    assert shown() == [(again.run_id, False)]
