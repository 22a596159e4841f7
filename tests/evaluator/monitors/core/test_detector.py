"""What gathers: equal to an independent recursion, silent on ticks that say nothing, and begun anew when it is told."""

from __future__ import annotations

import json
import math
import random
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.monitors.core.betting import bets, log_gains
from evaluator.monitors.core.detector import State, advance, log_evidence, reset
from evaluator.monitors.core.documents import document_of, value_of
from evaluator.monitors.core.shares import Rules
from evaluator.monitors.core.signals import Direction
from evaluator.monitors.core.streams import Stream, StreamKind
from evaluator.monitors.core.watch import Check, Watch

KEY = "score:down:all"


def watch_of(margin=0.02, draws=50, horizon=365, share=0.03):
    amounts = bets(draws, margin, 0.01)
    check = Check("all", "score", Direction.DOWN, share, margin, amounts, 0.01, math.log(horizon / share))
    whole = Stream("all", StreamKind.WHOLE, frozenset({0}))
    return Watch(Rules(0.05, 0.01, horizon), (whole,), (draws,), {"t": 0}, (0.0,), (check,), {"all": {}})


def gains_of(watch, drops):
    check = watch.checks[0]
    return {KEY: tuple(log_gains(np.sort(drops), check.margin, np.array(check.bets), check.day_sd).tolist())}


def test_it_equals_an_independent_recursion_over_two_thousand_steps():
    """Shin, Ramdas and Rinaldo 2023, definition of the e-SR procedure: M_0 = 0, M_n = E_n (M_(n-1) + 1), here in 60 decimal digits."""
    watch, rng = watch_of(), random.Random(5)
    state, worst = State(), 0.0
    bets_of = [Decimal(bet) for bet in watch.checks[0].bets]
    plain = [Decimal(0)] * len(bets_of)
    with localcontext() as context:
        context.prec = 60
        for step in range(2000):
            chance = 0.1 if 700 < step < 730 or step > 1980 else 0.05
            drops = [rng.choices([1.0, -1.0, 0.0, 0.4], [chance, 0.05, 0.9 - chance, 0.05])[0] for _one in range(50)]
            state, _crossings = advance(watch, state, gains_of(watch, drops))
            for index, bet in enumerate(bets_of):
                e_value = Decimal(1)
                for drop in drops:
                    e_value *= 1 + bet * (Decimal(drop) - Decimal(watch.checks[0].margin))
                e_value *= (-((50 * bet * Decimal(watch.checks[0].day_sd)) ** 2) / 2).exp()
                plain[index] = e_value * (plain[index] + 1)
            evidence = (sum(plain) / len(plain)).ln()
            worst = max(worst, abs(float(evidence) - log_evidence(state, KEY)))
    assert worst < 1e-9
    assert state.ticks == {KEY: 2000}


def test_it_crosses_at_horizon_over_share_and_not_before():
    watch = watch_of()
    threshold = math.log(365 / 0.03)
    assert watch.checks[0].log_threshold == pytest.approx(threshold)
    below = {KEY: (threshold - 1e-6,) * 6}
    above = {KEY: (threshold + 1e-6,) * 6}
    assert advance(watch, State(), below)[1] == ()
    assert advance(watch, State(), above)[1] == watch.checks


def test_the_mean_over_bets_decides():
    watch = watch_of()
    one_bet = {KEY: (watch.checks[0].log_threshold + math.log(6.0) + 1e-6,) + (-50.0,) * 5}
    assert advance(watch, State(), one_bet)[1] == watch.checks
    assert advance(watch, State(), {KEY: (watch.checks[0].log_threshold + math.log(6.0) - 1e-3,) + (-50.0,) * 5})[1] == ()


def test_a_tick_that_says_nothing_moves_nothing():
    watch = watch_of()
    state, _crossings = advance(watch, State(), gains_of(watch, [1.0] * 20 + [0.0] * 30))
    assert advance(watch, state, {}) == (state, ())


def test_a_check_that_was_acknowledged_begins_anew():
    watch = watch_of()
    state, crossings = advance(watch, State(), gains_of(watch, [1.0] * 40 + [0.0] * 10))
    assert crossings
    assert reset(state, [KEY]) == State()
    assert log_evidence(reset(state, [KEY]), KEY) is None
    assert reset(state, ["score:up:all"]) == state


def test_evidence_neither_overflows_nor_vanishes():
    watch, state = watch_of(), State()
    for _tick in range(300):
        state, _crossings = advance(watch, state, gains_of(watch, [1.0] * 50))
    high = log_evidence(state, KEY)
    assert high > 4000
    for _tick in range(2000):
        state, crossings = advance(watch, state, gains_of(watch, [-1.0] * 50))
    assert not crossings
    assert math.isfinite(log_evidence(state, KEY))


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.dictionaries(st.text(), st.tuples(FLOATS, FLOATS, FLOATS)), st.dictionaries(st.text(), st.integers(0)))
def test_a_state_survives_to_the_last_bit(logs, ticks):
    state = State(logs, ticks)
    assert value_of(State, json.loads(json.dumps(document_of(state)))) == state


def test_a_state_and_a_watch_survive_as_documents():
    watch = watch_of()
    state, _crossings = advance(watch, State(), gains_of(watch, [1.0, 0.3, -0.7]))
    assert value_of(State, json.loads(json.dumps(document_of(state)))) == state
    assert value_of(Watch, json.loads(json.dumps(document_of(watch)))) == watch
    with pytest.raises(ValueError, match="rules"):
        value_of(Watch, {})


def test_false_alarms_within_the_horizon_are_rarer_than_the_share():
    """At the edge of what counts as no change, where the proof is tightest: a drop of exactly the margin, 40 ticks, a share of 0.2."""
    rng, margin, alarms, runs = np.random.default_rng(2), 0.05, 0, 3000
    amounts = np.array(bets(20, margin, 0.0))
    logs = np.log1p(amounts * (np.array([1.0, 0.0])[:, None] - margin))
    gathered, alarmed = np.zeros((runs, 6)), np.zeros(runs, dtype=bool)
    for _tick in range(40):
        hits = rng.binomial(20, margin, runs)
        gathered = (gathered + 1.0) * np.exp(np.stack([hits, 20 - hits], axis=1) @ logs)
        alarmed |= gathered.mean(axis=1) >= 40 / 0.2
    alarms = int(alarmed.sum())
    assert 0.01 * runs < alarms <= 0.2 * runs
