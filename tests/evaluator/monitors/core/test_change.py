"""What an alarm tells: since when, how much, and where."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from evaluator.monitors.core.betting import log_gains
from evaluator.monitors.core.change import explain
from evaluator.monitors.core.detector import State, advance
from evaluator.monitors.core.intervals import Sums, least_log_gains, mean_interval
from evaluator.monitors.core.ticks import StreamTick, TickSummary, observe


def until_alarm(setting, since, drop, key="score:down:all"):
    state, summaries = State(), []
    for tick in range(since + 200):
        setting.model.drop = drop if tick >= since else 0.0
        found = observe(setting.watch, setting.pool, *setting.tick(tick))
        summaries.append(found.summary)
        state, crossings = advance(setting.watch, state, found.gains)
        if key in {check.key for check in crossings}:
            return summaries
    raise AssertionError("no alarm")


def test_an_alarm_says_since_when_how_much_and_where(make_setting):
    setting = make_setting(sample=100, per_task=300)
    summaries = until_alarm(setting, 30, 0.2)
    found = explain(setting.watch, setting.watch.check("score:down:all"), summaries)
    assert abs(found.onset - 30) <= 2
    assert 0.01 <= found.low < 0.2 < found.high < 0.5
    assert found.before - found.now == pytest.approx(found.estimate)
    assert found.instances == 100 * (len(summaries) - found.onset)
    assert len(found.tasks) == 8
    losses = [(one.before - one.now) * one.instances for one in found.tasks]
    assert losses == sorted(losses, reverse=True)
    assert sum(one.instances for one in found.tasks) == found.instances


@pytest.mark.parametrize(("direction", "drop"), [("down", 0.6), ("up", -0.6)])
def test_an_interval_is_wider_by_what_the_baseline_may_be_off_to_each_side(make_setting, direction, drop):
    """A baseline that lies above the truth makes a fall look larger and a rise smaller."""
    setting = make_setting(sample=100, per_task=300)
    watch, key = setting.watch, f"score:{direction}:all"
    tick = StreamTick(Sums(400, -400 * drop, 400 * 0.45), 280.0, 280.0 - 400 * drop)
    summaries = [TickSummary(400, 0, outage=False, streams={"all": {"score": tick}})] * 3

    def told(over, under):
        reference = replace(watch.references["all"]["score"], over=over, under=under)
        return explain(replace(watch, references={"all": {"score": reference}}), watch.check(key), summaries)

    sharp, off = told(0.0, 0.0), told(0.03, 0.01)
    larger, smaller = (0.03, 0.01) if direction == "down" else (0.01, 0.03)
    assert off.low == pytest.approx(sharp.low - larger)
    assert off.high == pytest.approx(sharp.high + smaller)
    assert sharp.estimate == off.estimate == pytest.approx(0.6)


def test_the_onset_of_a_slow_alarm_is_where_the_drop_began(make_setting):
    setting = make_setting()

    def tick(drop):
        sums = StreamTick(Sums(40, -40 * drop, 4.0 + 40 * drop**2), 28.0, 28.0 - 40 * drop)
        return TickSummary(40, 0, outage=False, streams={"all": {"score": sums}})

    found = explain(setting.watch, setting.watch.check("score:down:all"), [tick(0.0)] * 20 + [tick(0.2)] * 12)
    assert found.onset == 20
    assert found.instances == 480


def test_only_tasks_of_the_stream_are_told(make_setting):
    setting = make_setting(sample=100, per_task=300)
    summaries = until_alarm(setting, 5, 0.4, "score:down:language")
    found = explain(setting.watch, setting.watch.check("score:down:language"), summaries)
    assert {one.task.split("-")[0] for one in found.tasks} == {"algebra", "facts"}


def test_outages_in_between_do_not_shift_the_onset(make_setting):
    setting = make_setting(sample=100, per_task=300)
    summaries = until_alarm(setting, 30, 0.2)
    check = setting.watch.check("score:down:all")
    plain = explain(setting.watch, check, summaries)
    shifted = explain(setting.watch, check, [TickSummary(100, 90, outage=True), *summaries])
    assert (shifted.onset, shifted.low, shifted.high) == (plain.onset + 1, plain.low, plain.high)


def test_without_a_tick_that_says_anything_there_is_nothing_to_tell(make_setting):
    setting = make_setting()
    with pytest.raises(ValueError, match="score:down:all: no tick says anything of it"):
        explain(setting.watch, setting.watch.check("score:down:all"), [TickSummary(1, 1, outage=True)])


def sums_of(values):
    return Sums(len(values), float(np.sum(values)), float(np.sum(np.square(values))))


def test_what_the_sums_say_is_never_more_than_the_answers_themselves_do():
    rng, amounts = np.random.default_rng(1), np.array([0.7, 0.3, 0.05, 0.001])
    for _case in range(200):
        values = np.sort(rng.choice([-1.0, 0.0, 0.3, 1.0], size=30, p=rng.dirichlet([1, 5, 1, 1])))
        margin = rng.uniform(0.0, 0.3)
        assert (least_log_gains(sums_of(values), margin, amounts) <= log_gains(values, margin, amounts, 0.0) + 1e-12).all()


def test_an_interval_holds_at_whatever_tick_one_stops():
    """Stopped when it excludes the truth, which a fixed interval would do in nearly all runs: 60 runs of 40 ticks, with shared effects."""
    rng, missed = np.random.default_rng(4), 0
    for _run in range(60):
        ticks, out = [], False
        for _tick in range(40):
            chance = min(1.0, max(0.0, 0.15 + rng.normal(0.0, 0.01)))
            ticks.append(sums_of(rng.choice([1.0, -1.0, 0.0], size=40, p=[chance, 0.05, 0.95 - chance])))
            low, high = mean_interval(ticks, 0.01, 0.05)
            out |= not low <= 0.1 <= high
        missed += out
    assert missed <= 0.1 * 60


def test_an_interval_forgives_what_a_ticks_answers_share():
    """20,000 answers with a mean of 0.1, moved by a normal effect with a standard deviation of 0.01, at 200 of its quantiles."""
    effects = stats.norm.ppf((np.arange(200) + 0.5) / 200) * 0.01
    ticks = [Sums(20000, 20000 * (0.1 + effect), 2000.0) for effect in effects]

    def held(sd):
        return sum(low <= 0.1 <= high for low, high in (mean_interval([one], sd, 0.02) for one in ticks))

    assert held(0.0) < 150
    assert held(0.01) >= 0.96 * 200


def test_an_interval_closes_in():
    few, many = (mean_interval([sums_of([1.0] * 10 + [0.0] * 90)] * ticks, 0.0, 0.02) for ticks in (1, 50))
    assert many[1] - many[0] < 0.25 * (few[1] - few[0])
    assert many[0] < 0.1 < many[1]


@pytest.mark.parametrize("value", [-1.0, 0.0, 1.0])
def test_changes_that_are_all_alike_have_an_interval(value):
    low, high = mean_interval([sums_of([value] * 200)], 0.0, 0.02)
    assert -1.0 <= low <= value <= high <= 1.0
    assert high - low < 0.2
