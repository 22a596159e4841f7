"""What people read of an alarm."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from hypothesis import given

from evaluator.alarms.alarm import Alarm, AlarmKind, ChangedTask
from evaluator.alarms.words import change, example_lines, facts, plain, task_line, title
from tests.evaluator.alarms.examples import FULL, alarms, long_texts


def test_an_alarm_says_what_by_how_much_since_when_and_where() -> None:
    assert title(FULL) == "Regression: nightly: scores of all tasks are 7.2 points below the baseline"
    assert facts(FULL) == [
        ("Model", "gpt-5"),
        ("Suite", "starter"),
        ("Tasks", "all tasks"),
        ("Change", "7.2 points (95 % interval 3.1 to 11.4)"),
        ("Since about", "2027-01-14 04:13 UTC, tick 10"),
        ("Raised", "2027-01-15 08:00 UTC, tick 12"),
        ("Run", "9d8e7f6a"),
        ("Baseline", "1f3a5b7c"),
    ]
    assert [task_line(task, "score") for task in FULL.tasks] == [
        "Table-Reading: 91.5 before, 70.2 now (40 instances)",
        "Sign-Reading: unknown before, 50.0 now (8 instances)",
    ]
    assert example_lines(FULL.examples[0]) == (
        "Table-Reading, instance 17",
        "before (100.0): 42",
        "now (0): I cannot read the table.",
    )


def test_what_tasks_had_before_has_the_unit_of_what_was_watched() -> None:
    task = ChangedTask("Table-Reading", 40, 0.52, None)
    assert task_line(task, "latency") == "Table-Reading: 0.5 s before, unknown now (40 instances)"
    assert task_line(replace(task, now=0.0024), "cost") == "Table-Reading: 0.5 US$ before, 0.0024 US$ now (40 instances)"
    assert task_line(replace(task, now=12.0), "refusals") == "Table-Reading: 0.5 % before, 12.0 % now (40 instances)"


def test_what_is_not_known_is_left_out() -> None:
    alarm = Alarm(id="a", monitor="m", model="x", suite="s", kind=AlarmKind.OUTAGE, at_s=0.0, what="no call succeeded", tick=3)
    assert facts(alarm) == [("Model", "x"), ("Suite", "s"), ("Tasks", "all tasks"), ("Raised", "1970-01-01 00:00 UTC, tick 3")]
    assert change(replace(FULL, low=None)) == "7.2 points"


@given(long_texts)
def test_a_text_of_others_is_one_line_that_turns_nothing_around(text: str) -> None:
    shown = plain(text)
    assert shown == shown.strip()
    assert not [
        one for one in shown if unicodedata.category(one) in {"Cc", "Zl", "Zp"} or one in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068"
    ]


@given(alarms)
def test_words_can_be_found_for_every_alarm(alarm: Alarm) -> None:
    assert "\n" not in title(alarm)
    assert 3 <= len(facts(alarm)) <= 8 or not alarm.model.strip()
    assert all(name and value for name, value in facts(alarm))
