"""Calls over time: each row is what its spans say, and a pause is a gap."""

from __future__ import annotations

from genlevel.v1 import evaluator_pb2 as ev
from genlevel.views.figures.traffic import traffic_picture
from tests.views.figures.svg import drawn, elements, texts


def span(start, **fields):
    return ev.TrafficSpan(start_s=1_764_403_200 + start, width_s=5, seen_s=5, calls=10, **fields)


def test_a_time_without_the_run_is_a_gap():
    together = elements(drawn(traffic_picture([span(0), span(5), span(10), span(15)])), "path", "trace")
    apart = elements(drawn(traffic_picture([span(0), span(5), span(600), span(605)])), "path", "trace")
    assert (len(together), len(apart)) == (2, 4)


def test_rows_are_there_if_there_is_something_to_see():
    plain = texts(drawn(traffic_picture([span(0), span(5)])))
    assert [said for said in plain if " a second" in said] == ["Calls a second"]
    limited = texts(drawn(traffic_picture([span(0, limited=3), span(5, pace=2.0)])))
    assert {"Rejected or failed a second", "Pace, calls a second of the account"} < set(limited)
