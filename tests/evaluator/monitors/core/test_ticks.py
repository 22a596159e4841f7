"""What a tick says: failed calls are no wrong answers, an outage is none, and no order matters."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from evaluator.monitors.core.betting import log_gains
from evaluator.monitors.core.detector import State, advance
from evaluator.monitors.core.documents import document_of, value_of
from evaluator.monitors.core.readings import Reading
from evaluator.monitors.core.signals import BY_NAME
from evaluator.monitors.core.ticks import TickSummary, change_interval, observe


def test_the_evidence_of_a_check_is_that_of_its_stream_in_its_direction(make_setting):
    setting = make_setting()
    setting.model.drop = 0.2
    drawn, readings = setting.tick(1)
    found = observe(setting.watch, setting.pool, drawn, readings)
    for check in setting.watch.checks:
        if check.signal != "score":
            continue
        strata = setting.watch.stream(check.stream).strata
        rows = [(setting.pool[index], readings[setting.pool[index].task, setting.pool[index].instance].score) for index in drawn]
        drops = [math.fsum(one.score for one in pooled.readings) / 5 - score for pooled, score in rows if pooled.stratum in strata]
        values = np.sort(drops if check.direction == "down" else [-drop for drop in drops])
        assert found.gains[check.key] == pytest.approx(log_gains(values, check.margin, np.array(check.bets), 0.01).tolist(), abs=1e-12)
        sums = found.summary.streams[check.stream]["score"]
        assert sums.changes.total == pytest.approx(-math.fsum(drops), abs=1e-12)
        assert sums.before - sums.now == pytest.approx(math.fsum(drops), abs=1e-12)


def test_a_failed_call_is_no_wrong_answer(make_setting):
    setting = make_setting()
    drawn, readings = setting.tick(1)
    victim = next(key for key, reading in readings.items() if reading.score == 1.0)
    failing = observe(setting.watch, setting.pool, drawn, readings | {victim: Reading(score=0.0, failed=True)})
    wrong = observe(setting.watch, setting.pool, drawn, readings | {victim: Reading(score=0.0)})
    whole = observe(setting.watch, setting.pool, drawn, readings)
    sums = {name: one.summary.streams["all"] for name, one in (("failing", failing), ("wrong", wrong), ("whole", whole))}
    assert sums["failing"]["score"].changes.number == 39
    assert sums["failing"]["score"].now == sums["whole"]["score"].now - 1.0 == sums["wrong"]["score"].now
    assert failing.gains["score:down:all"] < wrong.gains["score:down:all"]
    assert failing.gains["errors:up:all"] > whole.gains["errors:up:all"]
    assert sums["failing"]["errors"].changes.number == 40


def test_more_than_half_of_the_calls_failed_is_an_outage_and_moves_nothing(make_setting):
    setting = make_setting()
    drawn, readings = setting.tick(1)
    keys = list(readings)
    half = observe(setting.watch, setting.pool, drawn, readings | {key: Reading(failed=True) for key in keys[:20]})
    most = observe(setting.watch, setting.pool, drawn, readings | {key: Reading(failed=True) for key in keys[:21]})
    assert not half.summary.outage
    assert half.gains
    assert most.summary == TickSummary(40, 21, outage=True)
    assert advance(setting.watch, State(), most.gains) == (State(), ())


def test_a_stream_with_a_stratum_that_is_not_complete_does_not_move(make_setting):
    setting = make_setting()
    drawn, readings = setting.tick(1)
    gone = next(key for key in readings if key[0].startswith("charts"))
    found = observe(setting.watch, setting.pool, drawn, {key: reading for key, reading in readings.items() if key != gone})
    assert found.summary.asked == 39
    assert set(found.summary.streams) == {"language", "algebra", "facts", "counting"}
    assert {key.split(":")[2] for key in found.gains} == {"language", "algebra", "facts", "counting"}


def test_values_that_are_not_known_take_no_part(make_setting):
    setting = make_setting()
    drawn, readings = setting.tick(1)
    assert not any(check.signal == "cost" for check in setting.watch.checks)
    unknown = {key: reading._replace(latency_s=None) for key, reading in readings.items()}
    found = observe(setting.watch, setting.pool, drawn, unknown)
    assert "latency:up:all" not in found.gains
    assert "latency" not in found.summary.streams["all"]
    assert found.gains["score:down:all"] == observe(setting.watch, setting.pool, drawn, readings).gains["score:down:all"]


def test_slower_answers_count_by_rank(make_setting):
    setting = make_setting()
    drawn, readings = setting.tick(1)
    slower = {key: reading._replace(latency_s=reading.latency_s + 9.0) for key, reading in readings.items()}
    sums = observe(setting.watch, setting.pool, drawn, slower).summary.streams["all"]["latency"]
    assert sums.changes == (40, 40.0, 40.0)
    assert sums.now / 40 > 9.9
    same = observe(setting.watch, setting.pool, drawn, {key: reading._replace(output_tokens=0) for key, reading in readings.items()})
    assert same.gains["length:down:all"] > same.gains["length:up:all"]


@pytest.mark.parametrize(("factor", "expected"), [(0.4, -40.0), (0.6, 0.0), (1.0, 0.0), (1.9, 0.0), (2.1, 40.0)])
def test_answers_that_are_a_little_slower_are_no_change_however_regular_that_is(make_setting, factor, expected):
    setting = make_setting(repeats=1)
    drawn, readings = setting.tick(1)
    then = {(one.task, one.instance): one.readings[0].latency_s for one in setting.pool}
    now = {key: reading._replace(latency_s=factor * then[key]) for key, reading in readings.items()}
    assert observe(setting.watch, setting.pool, drawn, now).summary.streams["all"]["latency"].changes.total == expected


def test_nothing_is_as_large_as_nothing() -> None:
    assert BY_NAME["cost"].difference(0.0, (0.0, 0.0)) == 0.0
    assert BY_NAME["cost"].difference(1.0, (0.0, 0.0)) == 1.0


def test_the_order_of_answers_and_instances_changes_nothing(make_setting):
    setting = make_setting()
    drawn, readings = setting.tick(1)
    there = observe(setting.watch, setting.pool, drawn, readings)
    back = observe(setting.watch, setting.pool, drawn[::-1], dict(reversed(readings.items())))
    assert back == there


def test_tasks_have_their_own_sums(make_setting):
    setting = make_setting()
    found = observe(setting.watch, setting.pool, *setting.tick(1)).summary
    for signal in ("score", "refusals", "errors", "latency"):
        assert sum(of[signal].instances for of in found.tasks.values()) == 40
        assert math.fsum(of[signal].now for of in found.tasks.values()) == pytest.approx(found.streams["all"][signal].now)


def test_a_summary_survives_as_a_document(make_setting):
    setting = make_setting()
    summary = observe(setting.watch, setting.pool, *setting.tick(1)).summary
    assert value_of(TickSummary, json.loads(json.dumps(document_of(summary)))) == summary


def test_a_score_out_of_its_range_is_named(make_setting):
    setting = make_setting()
    drawn, readings = setting.tick(1)
    key = next(iter(readings))
    with pytest.raises(ValueError, match=r"score: 1\.5 is not between 0 and 1"):
        observe(setting.watch, setting.pool, drawn, readings | {key: Reading(score=1.5)})


def test_the_interval_of_a_tick_counts_in_what_the_baseline_may_be_off(make_setting):
    setting = make_setting()
    summary = observe(setting.watch, setting.pool, *setting.tick(1)).summary
    tick = summary.streams["all"]["score"]
    low, high = change_interval(setting.watch, "all", "score", tick)
    reference = setting.watch.references["all"]["score"]
    exact = {**setting.watch.references["all"], "score": replace(reference, over=0.0, under=0.0)}
    sharp = replace(setting.watch, references={**setting.watch.references, "all": exact})
    narrow_low, narrow_high = change_interval(sharp, "all", "score", tick)
    assert (low, high) == pytest.approx((narrow_low - reference.under, narrow_high + reference.over))
    assert low < tick.changes.total / tick.changes.number < high
