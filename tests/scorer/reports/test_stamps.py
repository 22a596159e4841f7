"""The hash of a result: of its content alone, however it is written."""

from __future__ import annotations

import copy
import json

import pytest

from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from scorer.reports.stamps import content_hash, run_stamp, stamped

RESULT = {"run": "r", "tasks": [{"key": "a", "score": 50.0, "win": None}, {"key": "b", "score": 12.25}], "stamp": {"alpha": 0.05}}


def test_a_stamped_result_has_the_hash_of_its_own_content_after_any_writing() -> None:
    result = stamped(RESULT)
    again = json.loads(json.dumps(result, indent=4, sort_keys=True).replace("50.0", "50"))
    assert content_hash(again) == again["stamp"]["sha256"] == stamped(result)["stamp"]["sha256"]


@pytest.mark.parametrize("change", ["score", "order", "stamp", "lost"])
def test_every_change_of_its_content_is_noticed(change: str) -> None:
    result = copy.deepcopy(stamped(RESULT))
    match change:
        case "score":
            result["tasks"][1]["score"] = 12.26
        case "order":
            result["tasks"].reverse()
        case "stamp":
            result["stamp"]["alpha"] = 0.1
        case _:
            del result["tasks"][0]["win"]
    assert content_hash(result) != result["stamp"]["sha256"]


def test_what_is_not_known_of_an_older_run_is_null() -> None:
    stamp = run_stamp(ev.Run(run_id="r", suite="s"), sc.GetVerdictResponse(run_id="r"), None)
    assert (stamp["genlevel"], stamp["route"], stamp["models"], stamp["applied_parameters"]) == (None, None, None, None)
    assert (stamp["plan"], stamp["alpha"], stamp["scored"], stamp["asked"]["genlevel"], stamp["asked"]["prompt_version"]) == (None,) * 5


def test_all_models_that_answered_are_named_with_counts_and_silence_is_unknown() -> None:
    facts = sc.RunFacts(version="1", route_fingerprint="f")
    facts.models.extend([sc.CountedText(text="gpt-4o-2024-08-06", answers=7), sc.CountedText(text="", answers=2)])
    facts.parameters.extend([sc.CountedText(text='{"max_output_tokens":64}', answers=8), sc.CountedText(text="", answers=1)])
    stamp = run_stamp(ev.Run(run_id="r", facts=facts, plan=2), sc.GetVerdictResponse(run_id="r"), "workbook")
    assert stamp["models"] == [{"model": "gpt-4o-2024-08-06", "answers": 7}, {"model": None, "answers": 2}]
    assert stamp["applied_parameters"] == [{"parameters": {"max_output_tokens": 64}, "answers": 8}, {"parameters": None, "answers": 1}]
    assert (stamp["plan"], stamp["route"]["fingerprint"], stamp["asked"]["genlevel"]) == (2, "f", {"version": "1", "commit": None})


def test_the_price_of_a_run_is_kept_with_its_source_and_day_if_it_had_one() -> None:
    price = '{"input": "2", "output": "10", "source": "a page", "as_of": "2026-11-29"}'
    route = run_stamp(ev.Run(facts=sc.RunFacts(provider="p", price=price)), sc.GetVerdictResponse(), "workbook")["route"]
    assert route["price"] == {"input": "2", "output": "10", "source": "a page", "as_of": "2026-11-29"}
    assert "price" not in run_stamp(ev.Run(facts=sc.RunFacts(provider="p")), sc.GetVerdictResponse(), "workbook")["route"]
