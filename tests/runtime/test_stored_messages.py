"""What a newer version stored is read by this one, as far as this one knows it."""

from __future__ import annotations

import json

from genlevel.runtime.stored_messages import knows_all, stored_message
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc


def test_what_is_not_known_is_left_out_and_the_rest_is_read() -> None:
    stored = json.dumps({"model": "m", "limit": 3, "fromTomorrow": {"a": [1]}})
    assert stored_message(stored, ev.RunSpecification()) == ev.RunSpecification(model="m", limit=3)
    assert not knows_all(stored, ev.RunSpecification)
    assert knows_all('{"model": "m", "limit": 3}', ev.RunSpecification)
    assert (stored_message("", ev.TrafficSettings()), knows_all("", ev.TrafficSettings)) == (ev.TrafficSettings(), True)


def test_a_value_of_an_enum_that_is_not_known_is_left_out() -> None:
    stored = json.dumps({"runId": "r", "outcome": "OUTCOME_OF_TOMORROW"})
    assert stored_message(stored, ev.ListAnswersResponse()) == ev.ListAnswersResponse(run_id="r")
    assert not knows_all(stored, ev.ListAnswersResponse)
    assert stored_message('{"version": "9.0", "ofTomorrow": 1}', sc.RunFacts()).version == "9.0"
