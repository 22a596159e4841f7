"""What is told of a monitor before a cent is spent."""

from __future__ import annotations

import time

import pytest

from evaluator.monitors.core import outlook as module
from evaluator.monitors.core.outlook import Design, outlook
from evaluator.monitors.core.shares import Rules
from evaluator.monitors.core.streams import Place, streams_of

PLACES = [Place(f"t{n}", f"g{n}", "image", "comprehension") for n in range(20)]


def design(sample, groups, repeats, times=20):
    layout = streams_of(PLACES[:groups], sample)
    each = sample // groups
    return Design(layout.streams, (each,) * groups, (each * times,) * groups, repeats)


def test_larger_drops_are_seen_sooner_and_the_whole_before_a_group():
    found = outlook(Rules(0.05, 0.01, 365), design(1000, 20, 5), 365)
    whole, group = found.delays
    assert (whole.stream, whole.instances, group.instances) == ("all", 1000, 50)
    assert whole.margin < group.margin
    known = [ticks for ticks in whole.ticks.values() if ticks is not None]
    assert len(known) == 4
    assert known == sorted(known, reverse=True)
    assert whole.ticks[0.1] < group.ticks[0.1]


def test_a_drop_within_the_margin_is_not_seen_within_a_year():
    assert outlook(Rules(0.05, 0.05, 365), design(200, 1, 5), 365).delays[0].ticks[0.03] is None


def test_a_monitor_of_one_stream_has_one_delay():
    assert len(outlook(Rules(0.05, 0.01, 365), design(200, 1, 1), 365).delays) == 1


def test_false_alarms_a_year_follow_from_alpha_and_the_horizon():
    assert outlook(Rules(0.05, 0.01, 365), design(200, 1, 1), 1460).false_alarms_a_year == pytest.approx(0.2)


def test_it_says_the_same_each_time():
    first, second = (outlook(Rules(0.05, 0.01, 365), design(200, 20, 5), 365) for _try in range(2))
    assert first == second


def test_a_year_of_half_a_million_ticks_is_told_within_seconds():
    began = time.process_time()
    outlook(Rules(0.05, 0.01, 525_600), design(40, 2, 5, times=5), 525_600)
    assert time.process_time() - began < 20


def test_ticks_that_are_drawn_in_steps_say_nearly_what_single_ones_do(monkeypatch):
    asked = Rules(0.05, 0.01, 8760), design(100, 2, 5, times=10), 8760
    steps = outlook(*asked)
    monkeypatch.setattr(module, "_ONE_BY_ONE", 8760)
    singly = outlook(*asked)
    late = 0
    for one, other in zip(steps.delays, singly.delays, strict=True):
        for drop, ticks in one.ticks.items():
            assert (ticks is None) == (other.ticks[drop] is None)
            assert ticks is None or ticks == pytest.approx(other.ticks[drop], rel=0.05)
            late += ticks is not None and ticks > 400
    assert late


def test_very_many_repeats_are_looked_at_in_seconds():
    began = time.process_time()
    assert outlook(Rules(0.05, 0.3, 1460), design(200, 1, 1000), 1460).delays[0].ticks[0.03] is None
    assert time.process_time() - began < 15.0
