"""Runs of chosen instances, and runs that an occasion tells apart from others that ask the same, such as a monitor's ticks."""

from __future__ import annotations

import json

import pytest
from prometheus_client import CollectorRegistry

from genlevel.runtime.errors import ErrorClass, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from scorer.service import Scorer
from tests.evaluator.runs.asking import answers, finish, specification, start

CAUSAL, MEDICAL = "nlp/Causal-Reasoning", "nlp/Medical-Reasoning"
CHOSEN = [ev.ChosenInstances(task=MEDICAL, positions=[1, 4, 9]), ev.ChosenInstances(task=CAUSAL, positions=[0])]
ASKED = {(CAUSAL, "q0"), (MEDICAL, "q1"), (MEDICAL, "q4"), (MEDICAL, "q9")}


@pytest.fixture
def suite(suite_folder):
    suite_folder(10, "Ethical-Reasoning")
    suite_folder(10, "Causal-Reasoning")
    return suite_folder(10, "Medical-Reasoning")


async def asked(evaluator, run):
    return {(answer.task, answer.instance_id) for answer in await answers(evaluator, run)}


async def listed(evaluator, **request):
    return {run.run_id for run in (await evaluator.list_runs(ev.ListRunsRequest(**request))).runs}


async def verdict(scorer, run):
    return await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))


async def test_only_the_chosen_instances_are_asked_and_the_run_is_a_part(make_evaluator, suite, scripted):
    evaluator, scorer = make_evaluator()
    planned = await evaluator.plan_run(ev.PlanRunRequest(specification=specification(suite, chosen=CHOSEN)))
    assert [(task.key, task.instances) for task in planned.tasks] == [(CAUSAL, 1), (MEDICAL, 3)]
    run = await start(evaluator, suite, chosen=CHOSEN)
    assert (run.run_id, run.status, run.partial, run.counts.total) == (planned.run_id, ev.RUN_STATUS_FINISHED, True, 4)
    assert await asked(evaluator, run) == ASKED
    assert sum(scripted.calls.values()) == 4
    found = await verdict(scorer, run)
    assert [(task.task.key, task.counts.total, task.partial) for task in found.tasks] == [(CAUSAL, 1, True), (MEDICAL, 3, True)]


async def test_the_order_in_which_tasks_are_named_does_not_matter(make_evaluator, suite):
    evaluator, _ = make_evaluator()
    run = await start(evaluator, suite, chosen=CHOSEN)
    assert (await start(evaluator, suite, chosen=CHOSEN[::-1], seed=3)).run_id == run.run_id
    assert (await start(evaluator, suite, chosen=CHOSEN[:1])).run_id != run.run_id


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"chosen": CHOSEN, "limit": 3}, "chosen instances and a limit of 3"),
        ({"chosen": [ev.ChosenInstances(task="nlp/None", positions=[0])]}, "no task 'nlp/None'"),
        ({"chosen": CHOSEN, "tasks": "*Causal*"}, f"no task '{MEDICAL}'"),
        ({"chosen": [ev.ChosenInstances(task=CAUSAL, positions=[9, 10])]}, f"'{CAUSAL}' has 10 instances, 0 to 9, and none at 10"),
        ({"chosen": [ev.ChosenInstances(task=CAUSAL, positions=[2, 2])]}, "2 after 2"),
        ({"chosen": [ev.ChosenInstances(task=CAUSAL)]}, "no instance of"),
        ({"occasion": "a\nb"}, "cannot be shown"),
    ],
)
async def test_what_cannot_be_chosen_is_refused_in_one_line_before_anything_is_stored(make_evaluator, suite, fields, said):
    evaluator, _ = make_evaluator()
    for ask in (evaluator.plan_run(ev.PlanRunRequest(specification=specification(suite, **fields))), start(evaluator, suite, **fields)):
        with pytest.raises(UsageError, match=said):
            await ask
    assert await listed(evaluator, ticks=True) == set()


async def test_a_run_of_chosen_instances_goes_on_and_is_scored_again_with_them_alone(make_evaluator, suite, scripted, failing_script):
    evaluator, scorer = make_evaluator(attempts=1)
    failing = failing_script(ErrorClass.TRANSIENT)
    scripted.script = lambda question, calls: failing(question, calls) if question == "Question 4?" else "A"
    run = await start(evaluator, suite, chosen=CHOSEN, occasion="hourly#1")
    assert (run.counts.failed, run.counts.answered) == (1, 3)
    scripted.script = lambda question, calls: "A"
    again, _ = make_evaluator(attempts=1)
    resumed = await finish(again, ev.StartRunRequest(run_id=run.run_id, retry_failed=True))
    assert (resumed.run_id, resumed.counts.failed, await asked(again, resumed)) == (run.run_id, 0, ASKED)
    before = await verdict(scorer, run)
    await again.rescore_run(ev.RescoreRunRequest(run_id=run.run_id))
    assert [task.counts for task in (await verdict(scorer, run)).tasks] == [task.counts for task in before.tasks]


async def test_a_suite_that_has_lost_chosen_instances_cannot_be_gone_on_with(make_evaluator, suite, suite_folder, scripted, failing_script):
    evaluator, _ = make_evaluator(attempts=1)
    scripted.script = failing_script(ErrorClass.CREDENTIAL)
    run = await start(evaluator, suite, chosen=CHOSEN)
    suite_folder(5, "Medical-Reasoning")
    for ask in (evaluator.start_run(ev.StartRunRequest(run_id=run.run_id)), evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id))):
        with pytest.raises(UsageError, match=f"'{MEDICAL}' has 5 instances"):
            await ask


async def test_a_choice_of_two_hundred_instances_is_stored_in_two_kilobytes(make_evaluator, suite_folder):
    evaluator, _ = make_evaluator()
    for number in range(20):
        folder = suite_folder(600, f"Task-{number:02d}")
    chosen = [ev.ChosenInstances(task=f"nlp/Task-{number:02d}", positions=range(number, 600, 60)) for number in range(20)]
    run = await start(evaluator, folder, chosen=chosen)
    assert run.counts.answered == 200
    stored = evaluator._journal.run(run.run_id).specification
    assert len(stored) < 2048
    assert len(json.loads(stored)["chosen"]) == 20


async def test_occasions_tell_apart_runs_that_ask_the_same(make_evaluator, suite, scripted):
    evaluator, _ = make_evaluator()
    runs = [await start(evaluator, suite, chosen=CHOSEN, occasion=occasion) for occasion in ("hourly#1", "hourly#2", "hourly#1")]
    assert runs[0].run_id == runs[2].run_id != runs[1].run_id
    assert sum(scripted.calls.values()) == 8


async def test_ticks_are_listed_only_if_they_are_asked_for(make_evaluator, suite):
    evaluator, _ = make_evaluator()
    run = await start(evaluator, suite, limit=1)
    tick = await start(evaluator, suite, limit=1, occasion="hourly#1")
    assert await listed(evaluator) == {run.run_id}
    assert await listed(evaluator, ticks=True) == {run.run_id, tick.run_id}
    assert (await evaluator.get_run(ev.GetRunRequest(run_id=tick.run_id))).run.specification.occasion == "hourly#1"


async def test_ticks_have_no_number_and_raise_none(make_evaluator, suite):
    evaluator, scorer = make_evaluator()
    ticks = [await start(evaluator, suite, occasion=f"hourly#{number}") for number in range(3)]
    assert {tick.plan for tick in ticks} == {(await verdict(scorer, tick)).plan for tick in ticks} == {0}
    assert (await evaluator.plan_run(ev.PlanRunRequest(specification=specification(suite)))).plan == 1
    run = await start(evaluator, suite)
    late = await start(evaluator, suite, occasion="hourly#9")
    assert (run.plan, late.plan, (await start(evaluator, suite, limit=2)).plan) == (1, 0, 2)
    for fields in ({"occasion": "hourly#9"}, {"occasion": "hourly#10"}):
        planned = await evaluator.plan_run(ev.PlanRunRequest(specification=specification(suite, **fields)))
        assert planned.plan == 0


async def test_a_choice_without_an_occasion_counts_as_a_try_for_those_after_it(make_evaluator, suite):
    evaluator, _ = make_evaluator()
    assert (await start(evaluator, suite, chosen=CHOSEN)).plan == 1
    assert (await start(evaluator, suite)).plan == 2


@pytest.mark.parametrize("fields", [{"chosen": CHOSEN}, {"occasion": "hourly#1"}, {"chosen": CHOSEN, "occasion": "hourly#1"}])
async def test_nothing_is_certified_of_what_is_no_try(make_evaluator, suite, fields, scripted):
    """Else one could choose what was answered well, or ask until a tick looks good."""
    scripted.script = lambda question, calls: "A" if int(question.split()[1][:-1]) % 2 else "B"  # all right
    evaluator, scorer = make_evaluator()
    found = await verdict(scorer, await start(evaluator, suite, **fields))
    assert {task.score for task in found.tasks} == {100.0}
    for certificate in (found.certificate, found.certificate_against_specialists):
        assert (certificate.plan, certificate.alpha_plan, certificate.certified_wins, certificate.discovered_wins) == (0, 0.0, 0, 0)
        assert {task.win for task in certificate.tasks} == {sc.DECISION_UNDECIDED}
        assert {task.HasField("interval") for task in certificate.tasks} == {False}
        assert {(level.interval.lower, level.interval.upper) for level in certificate.levels} == {(0.0, 100.0)}
        assert any("no try at a verdict" in note for note in certificate.notes)
    drawn = await scorer.get_verdict(sc.GetVerdictRequest(run_id=found.run_id, bootstrap_draws=20))
    assert {level.HasField("bootstrap") for level in drawn.certificate.levels} == {False}


async def test_a_tick_is_nobodys_current_run(make_evaluator, suite, tmp_path):
    evaluator, _ = make_evaluator()
    registry = CollectorRegistry()
    watched = Scorer(f"sqlite:///{tmp_path / 'data' / 'genlevel.db'}", registry)
    evaluator._context.scorer = watched
    run = await start(evaluator, suite, limit=3)
    await start(evaluator, suite, limit=3, occasion="hourly#1")
    await start(evaluator, suite, chosen=CHOSEN, occasion="hourly#2")
    again = CollectorRegistry()
    restarted = Scorer(f"sqlite:///{tmp_path / 'data' / 'genlevel.db'}", again)
    for registered in (registry, again):
        shown = [sample for family in registered.collect() for sample in family.samples if sample.name == "genlevel_run_info"]
        assert [sample.labels["run"] for sample in shown] == [run.run_id]
    watched.close()
    restarted.close()


async def test_ticks_take_no_place_among_the_suites_that_are_shown(make_evaluator, suite, tmp_path, scripted):
    evaluator, _ = make_evaluator()
    registry = CollectorRegistry()
    watched = Scorer(f"sqlite:///{tmp_path / 'data' / 'genlevel.db'}", registry, most_suites=1)
    evaluator._context.scorer = watched
    run = await start(evaluator, suite, limit=3)
    other = ev.RunSpecification(model="other", suite=str(suite), limit=3, occasion="hourly#1")
    await finish(evaluator, ev.StartRunRequest(specification=other))
    shown = [sample.labels["run"] for family in registry.collect() for sample in family.samples if sample.name == "genlevel_run_info"]
    assert shown == [run.run_id]
    watched.close()
