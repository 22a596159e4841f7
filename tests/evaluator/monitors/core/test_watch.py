"""What is fixed at the baseline: each check's margin, bets and threshold."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from evaluator.monitors.core.bounds import Measured, excess
from evaluator.monitors.core.documents import document_of, value_of
from evaluator.monitors.core.readings import Pooled, Reading
from evaluator.monitors.core.shares import Rules
from evaluator.monitors.core.streams import Stream, StreamKind
from evaluator.monitors.core.watch import ChangeKind, Watch, make_watch

WHOLE = (Stream("all", StreamKind.WHOLE, frozenset({0, 1})),)
ASYMMETRIC = [Pooled(f"t{n % 2}", f"{n}", n, n % 2, (Reading(float(n % 10 > 0)),)) for n in range(400)]


def watch(rules=None, pool=ASYMMETRIC, failures=((0, 200), (0, 200)), allocation=(10, 10)):
    return make_watch(rules or Rules(0.05, 0.01, 365), WHOLE, pool, allocation, failures)


def test_a_margin_is_the_tolerance_and_what_the_baseline_may_be_off_to_that_side():
    found = watch()
    down, up = found.check("score:down:all"), found.check("score:up:all")
    scores = np.array([one.readings[0].score for one in sorted(ASYMMETRIC, key=lambda one: one.stratum)])
    measured = Measured(np.full(400, 1 / 400), scores, np.ones(400), np.zeros(400))
    assert down.margin == pytest.approx(0.01 + excess(measured, 0.05 * 0.1 / 2, above=False))
    assert up.margin == pytest.approx(0.01 + excess(measured, 0.05 * 0.1 / 2 / 4, above=True))
    assert (down.kind, up.kind, found.check("errors:up:all").kind) == (ChangeKind.REGRESSION, ChangeKind.IMPROVEMENT, ChangeKind.DRIFT)


def test_a_threshold_is_the_horizon_over_the_share():
    for horizon in (365, 1460):
        found = watch(Rules(0.05, 0.01, horizon))
        assert found.check("score:down:all").log_threshold == pytest.approx(math.log(horizon / (0.6 * 0.05)))
        assert found.check("score:up:all").log_threshold == pytest.approx(math.log(horizon / (0.1 * 0.05)))


def test_all_shares_of_checks_and_baselines_are_alpha(make_setting):
    found = make_setting().watch
    assert len(found.streams) == 7
    assert math.fsum(check.share for check in found.checks) == pytest.approx(0.9 * 0.05)


def test_more_repeats_make_margins_smaller(make_setting):
    once, five = (make_setting(repeats=repeats).watch.check("score:down:all").margin for repeats in (1, 5))
    assert five < once


def test_failures_at_the_baseline_are_what_later_ones_are_held_against():
    found = watch(failures=((20, 200), (0, 200)))
    assert found.failure_rates == (0.1, 0.0)
    assert found.references["all"]["errors"].mean == pytest.approx(0.05)
    assert found.check("errors:up:all").margin > watch().check("errors:up:all").margin


def test_failures_that_nobody_counted_are_not_watched():
    with pytest.raises(KeyError):
        watch(failures=((0, 0), (0, 200))).check("errors:up:all")


def test_an_instance_whose_answers_all_failed_does_not_count():
    lost = [one._replace(readings=(Reading(failed=True),)) for one in ASYMMETRIC[:40]]
    assert watch(pool=lost + ASYMMETRIC[40:]).references["all"]["score"].instances == 360


def test_a_stratum_without_a_score_is_named():
    with pytest.raises(ValueError, match="baseline: no answer has a score in stratum 1; ask again, or choose other tasks"):
        watch(pool=[one for one in ASYMMETRIC if one.stratum == 0])


def test_weights_follow_the_draws_and_not_the_pool():
    pool = [Pooled(f"t{n >= 100}", f"{n}", n, int(n >= 100), (Reading(float(n >= 100)),)) for n in range(400)]
    assert watch(pool=pool, allocation=(10, 10)).references["all"]["score"].mean == pytest.approx(0.5)
    assert watch(pool=pool, allocation=(30, 10)).references["all"]["score"].mean == pytest.approx(0.25)
    assert watch(failures=((20, 200), (0, 200)), allocation=(30, 10)).references["all"]["errors"].mean == pytest.approx(0.075)


def test_an_instance_without_a_value_takes_its_weight_with_it():
    """Drawn, it leaves the evidence as it is: so the null is about the others, and a stratum with half of the values weighs half."""
    pool = [Pooled(f"t{n % 2}", f"{n}", n, n % 2, (Reading(float(n % 2) if n % 4 < 3 else None),)) for n in range(400)]
    assert watch(pool=pool).references["all"]["score"].mean == pytest.approx(1 / 3)


def test_a_watch_survives_as_a_document(make_setting):
    found = make_setting().watch
    assert value_of(Watch, json.loads(json.dumps(document_of(found)))) == found


def test_the_order_of_the_pool_changes_nothing():
    assert document_of(watch(pool=ASYMMETRIC[::-1])) == document_of(watch())
