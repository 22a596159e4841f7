"""A run that asks only until something is decided, as commands take it and tell of it."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import pytest

from genlevel.cli import evaluate
from genlevel.cli.driving import _exit_code, _watched
from genlevel.cli.plan import print_plan
from genlevel.cli.printing import Telling
from genlevel.cli.until import until_of
from genlevel.documents.decision_words import expected_told
from genlevel.documents.runs import plan_document
from genlevel.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

NOTHING = {"until_decided": None, "epsilon": None, "alpha": None, "with_uncertifiable": False}


def given(**options):
    return {**NOTHING, **options}


def test_what_is_given_becomes_a_message_and_nothing_is_none():
    assert until_of(given(), batch=None) is None
    assert until_of(given(), batch=True) is None
    whole = until_of(given(until_decided="wins", epsilon=0.001, alpha=0.1, with_uncertifiable=True), batch=False)
    assert whole == ev.UntilDecided(aim=ev.UntilDecided.AIM_WINS, epsilon=0.001, alpha=0.1, with_uncertifiable=True)
    assert until_of(given(until_decided="verdict"), batch=None) == ev.UntilDecided(aim=ev.UntilDecided.AIM_VERDICT)


@pytest.mark.parametrize(("name", "value"), [("epsilon", 0.1), ("alpha", 0.1), ("with_uncertifiable", True)])
def test_its_errors_go_with_an_aim(name, value):
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} goes with --until-decided"):
        until_of(given(**{name: value}), batch=None)


def test_it_is_not_asked_in_batches():
    with pytest.raises(UsageError, match="do not go together"):
        until_of(given(until_decided="wins"), batch=True)


def test_a_decided_run_ends_well_and_says_what_failed(capsys):
    counts = sc.OutcomeCounts(total=9, answered=3, failed=1, pending=5)
    run = ev.Run(run_id="abc", status=ev.RUN_STATUS_DECIDED, counts=counts, decision=ev.EarlyDecision(complete=True))
    assert _exit_code(run, False, "k/1: no", "") == 0
    listed = "`genlevel show abc --failures` lists them"
    assert capsys.readouterr().err == (f"genlevel: 1 instances failed, such as k/1: no; {listed}, it is decided whatever they would be\n")
    assert _exit_code(ev.Run(status=ev.RUN_STATUS_INTERRUPTED), False, "", "") != 0


def test_a_run_with_nothing_left_to_ask_that_decides_is_incomplete(capsys):
    counts = sc.OutcomeCounts(total=9, answered=3, failed=1, pending=5)
    run = ev.Run(run_id="abc", status=ev.RUN_STATUS_DECIDED, counts=counts, reason="it stays undecided", decision=ev.EarlyDecision())
    assert _exit_code(run, False, "k/1: no", "") == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "genlevel: run abc is not decided: it stays undecided"
    assert said[1].endswith("lists them, `genlevel resume abc` asks them again")


async def test_a_run_that_was_decided_before_is_not_asked_and_says_how_the_rest_is(capsys):
    started = ev.StartRunResponse(run=ev.Run(run_id="abc", status=ev.RUN_STATUS_DECIDED), nothing_left=True)
    assert (await _watched(None, started, "", Telling())).run == started.run
    said = capsys.readouterr().err
    assert (
        said == "run abc is decided, and not all of it was asked: `genlevel eval` without --until-decided asks the rest; nothing is asked\n"
    )


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (
            ev.ExpectedDecision(median=42, worst=90, total=100, models=13, runs=8, median_nano_usd=420_000_000, worst_nano_usd=900_000_000),
            "about 42 of 100 calls (median of 13 published models x 8 simulations), the most of them 90; US$ 0.42 to 0.90 of 1.00"
            " if each answer is as long as it may be",
        ),
        (
            ev.ExpectedDecision(total=100, note="no published model has values for these tasks"),
            "at most 100 calls; how many are needed is not known before: no published model has values for these tasks",
        ),
    ],
)
def test_a_dry_run_says_how_many_calls_may_be_needed(capsys, monkeypatch, expected, said):
    monkeypatch.setenv("COLUMNS", "80")
    plan = ev.PlanRunResponse(run_id="r", expected=expected, tasks=[ev.PlannedTask(name="t", answers=100, estimated_nano_usd=10**9)])
    plan.model.ready, plan.model.price.input = True, "1"
    document = plan_document(plan)
    print_plan(document, Telling(), batch_factor="")
    assert f"until it is decided: {said}\n" in capsys.readouterr().out
    assert document["expected"]["total"] == 100
    assert plan_document(ev.PlanRunResponse())["expected"] is None


@pytest.mark.parametrize(("takes_s", "said"), [(0.05, True), (0.0, False)])
async def test_a_plan_that_takes_a_while_says_what_it_does(capsys, monkeypatch, takes_s, said):
    monkeypatch.setattr(evaluate, "_SILENT_S", 0.02)

    class Evaluator:
        async def plan_run(self, request):
            await asyncio.sleep(takes_s)
            return ev.PlanRunResponse(run_id="r")

    request = ev.PlanRunRequest()
    request.traffic.until_decided.SetInParent()
    assert await evaluate._dry_run(SimpleNamespace(evaluator=Evaluator()), request, Telling(), as_json=True) == 0
    printed = capsys.readouterr()
    assert ("and then simulates runs of published models: of a large suite that takes a while" in printed.err) is said
    assert json.loads(printed.out)["run"] == "r"


def test_what_no_answers_can_certify_takes_no_call():
    expected = {"median": 0, "worst": 0, "total": 444, "models": 2, "runs": 3, "median_usd": 0.0, "worst_usd": 0.0}
    assert expected_told(expected, 1.0).startswith("none of 444 calls: it is known before")


def test_of_a_model_that_is_free_no_cost_is_said():
    expected = {"median": 4, "worst": 9, "total": 10, "models": 2, "runs": 3, "median_usd": 0.0, "worst_usd": 0.0}
    told = expected_told({**expected, "usual_median_usd": 0.0, "usual_worst_usd": 0.0}, 0.0, 0.0)
    assert told == "about 4 of 10 calls (median of 2 published models x 3 simulations), the most of them 9"


def test_a_dry_run_says_what_calls_cost_so_far_and_which_are_made_already(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    task = ev.PlannedTask(name="t", answers=100, calls=90, estimated_nano_usd=10**9, usual_nano_usd=2 * 10**8)
    expected = ev.ExpectedDecision(median=42, worst=90, total=90, models=13, runs=8, median_nano_usd=4 * 10**8, worst_nano_usd=9 * 10**8)
    expected.usual_median_nano_usd, expected.usual_worst_nano_usd = 10**8, 2 * 10**8
    plan = ev.PlanRunResponse(run_id="r", expected=expected, tasks=[task], called=12)
    plan.model.ready, plan.model.price.input = True, "1"
    print_plan(plan_document(plan), Telling(), batch_factor="")
    said = " ".join(capsys.readouterr().out.split())
    assert "; US$ 0.10 to 0.20 of 0.20 at what calls of this model have cost so far" in said
    assert "all of it costs about US$ 0.20" in said
    assert "The run has made 12 of these calls already, and makes none of them again" in said
    assert "The model is called for 90 of 100 answers" in said
