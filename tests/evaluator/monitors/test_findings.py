"""What an alarm says of each signal: in which direction, by how much, and in which unit."""

from __future__ import annotations

import pytest

from evaluator.monitors.core.change import Change, ChangedTask
from evaluator.monitors.core.signals import BY_NAME, Direction
from evaluator.monitors.core.watch import Check
from evaluator.monitors.findings import _line, _tasks


@pytest.mark.parametrize(
    ("signal", "direction", "group", "said"),
    [
        ("score", Direction.DOWN, "all", "the score fell by 12.5 points (95 %: 5.0 to 20.0)"),
        ("refusals", Direction.UP, "language", "the share of refusals of language rose by 12.5 points (95 %: 5.0 to 20.0)"),
        ("latency", Direction.UP, "all", "latency rose by a factor of 2 or more in 12.5 % of the answers (95 %: 5.0 to 20.0)"),
        (
            "length",
            Direction.DOWN,
            "all",
            "the length of answers fell by a factor of 1.25 or more in 12.5 % of the answers (95 %: 5.0 to 20.0)",
        ),
    ],
)
def test_a_line_says_what_changed_and_by_how_much_of_what(signal, direction, group, said):
    check = Check(group, signal, direction, 0.01, 0.02, (0.1,), 0.01, 9.0)
    assert _line(check, Change(0, 0.125, 0.05, 0.2, 40, 0.5, 0.6, ())) == said


@pytest.mark.parametrize(
    ("signal", "before", "shown"), [("score", 0.5, 50.0), ("errors", 0.02, 2.0), ("latency", 0.5, 0.5), ("cost", 4e6, 0.004)]
)
def test_tasks_are_in_hundredths_seconds_tokens_and_dollars(signal, before, shown):
    change = Change(0, 0.1, 0.0, 0.2, 40, 0.5, 0.6, (ChangedTask("nlp/A", 40, before, 2 * before),))
    (task,) = _tasks(change, BY_NAME[signal])
    assert (task.before, task.now) == pytest.approx((shown, 2 * shown))
