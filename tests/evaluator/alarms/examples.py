"""Alarms for tests: one that says all, and any."""

from __future__ import annotations

from hypothesis import strategies as st

from evaluator.alarms.alarm import Alarm, AlarmKind, ChangedTask, Example

FULL = Alarm(
    id="nightly-12-score-all",
    monitor="nightly",
    model="gpt-5",
    suite="starter",
    kind=AlarmKind.REGRESSION,
    at_s=1_800_000_000.0,
    what="scores of all tasks are 7.2 points below the baseline",
    signal="score",
    group="all",
    unit="points",
    estimate=7.24,
    low=3.1,
    high=11.4,
    since_s=1_799_900_000.0,
    since_tick=10,
    tick=12,
    baseline_run="1f3a5b7c",
    tick_run="9d8e7f6a",
    tasks=(ChangedTask("Table-Reading", 40, 91.5, 70.25), ChangedTask("Sign-Reading", 8, None, 50.0)),
    examples=(Example("Table-Reading", "17", 100.0, 0.0, "42", "I cannot read the table."),),
)

hostile = ["<!channel> & <http://evil.example|click>", "*_~`x`~_*", "\x00" * 90, "\U0001f600" * 90]
texts = st.one_of(st.text(max_size=60), st.sampled_from(hostile))
long_texts = st.one_of(texts, st.sampled_from(["&" * 5000, "\x01" * 5000, "\U0001f600" * 5000, "a\n\r\u2028\u202e" * 1000, "<@U1>" * 900]))
numbers = st.none() | st.floats(-1e6, 1e6)
tasks = st.builds(ChangedTask, task=long_texts, instances=st.integers(0, 10**6), before=numbers, now=numbers)
instances = st.builds(
    Example, task=long_texts, instance=long_texts, score_before=numbers, score_now=numbers, answer_before=long_texts, answer_now=long_texts
)
alarms = st.builds(
    Alarm,
    id=st.from_regex(r"[A-Za-z0-9_-]{1,100}", fullmatch=True),
    monitor=long_texts,
    model=long_texts,
    suite=long_texts,
    kind=st.sampled_from(AlarmKind),
    at_s=st.floats(0, 4e9),
    what=long_texts,
    signal=texts,
    group=long_texts,
    unit=long_texts,
    estimate=numbers,
    low=numbers,
    high=numbers,
    since_s=st.none() | st.floats(0, 4e9),
    since_tick=st.none() | st.integers(0, 10**6),
    tick=st.none() | st.integers(0, 10**6),
    baseline_run=long_texts,
    tick_run=long_texts,
    tasks=st.lists(tasks, max_size=3).map(lambda found: tuple(found * 30)),
    examples=st.lists(instances, max_size=2).map(lambda found: tuple(found * 8)),
    acknowledged_s=st.none() | st.floats(0, 4e9),
    acknowledged_by=long_texts,
)
