"""Until what a run may be asked, and what is said if that makes no sense."""

from __future__ import annotations

import math

import pytest

from evaluator.deciding.until import aim_of, check_kind, settled
from evaluator.runs.limits import check_limits
from genlevel.deciding.values import Aim
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev

WINS = ev.UntilDecided.AIM_WINS


def traffic(batch=False, **until):
    return ev.TrafficSettings(batch=batch, until_decided=ev.UntilDecided(**{"aim": WINS, **until}))


@pytest.mark.parametrize("until", [{}, {"aim": ev.UntilDecided.AIM_VERDICT}, {"epsilon": 1e-9, "alpha": 0.4999}])
def test_what_makes_sense_is_taken(until):
    check_limits(traffic(**until))


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ({"aim": 0}, "wins or verdict"),
        ({"aim": 9}, "wins or verdict"),
        ({"epsilon": 0.5}, "--epsilon must be"),
        ({"epsilon": -0.01}, "--epsilon must be"),
        ({"epsilon": math.nan}, "--epsilon must be"),
        ({"alpha": 1e-10}, "--alpha must be"),
        ({"batch": True}, "--batch"),
    ],
)
def test_what_makes_none_is_refused_in_one_line(until, said):
    with pytest.raises(UsageError, match=said) as raised:
        check_limits(traffic(**until))
    assert "\n" not in str(raised.value)


def test_what_is_left_open_is_said():
    assert settled(ev.UntilDecided(aim=WINS)) == ev.UntilDecided(aim=WINS, epsilon=0.01, alpha=0.05)
    assert aim_of(ev.UntilDecided(aim=WINS)) is Aim.WINS


@pytest.mark.parametrize("specification", [ev.RunSpecification(occasion="m#1"), ev.RunSpecification(chosen=[ev.ChosenInstances(task="t")])])
def test_a_run_of_which_nothing_is_certified_is_not_decided(specification):
    check_kind(ev.RunSpecification())
    with pytest.raises(UsageError, match="nothing is certified"):
        check_kind(specification)
