"""What is counted in plain numbers is shown as prometheus_client shows its own counters and histograms."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from gateway.tallies import Counts, Distributions

BUCKETS = (0.01, 0.5, 1, 2, 1048576)


def shown(registry: CollectorRegistry, *, open_metrics: bool) -> str:
    text = (generate_openmetrics if open_metrics else generate_latest)(registry).decode()
    return re.sub(r"(_created\{.*\}) .*", r"\1 then", text)


@pytest.mark.parametrize("open_metrics", [False, True])
@given(
    counted=st.lists(st.tuples(st.sampled_from(["a", 'b"\\', "c\n"]), st.integers(0, 5))),
    observed=st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([-1.0, 0.0, 0.01, 0.3, 0.5, 0.50001, 1.0, 7.0, 1048576.0, 2e9]))),
)
def test_they_are_shown_alike(open_metrics: bool, counted: list[tuple[str, int]], observed: list[tuple[str, float]]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    mine, other = Counts("n", "Said.", ("k", "l"), registry=ours), Counter("n", "Said.", ("k", "l"), registry=theirs)
    for name, by in counted:
        mine.labels(name, "x").inc(by)
        other.labels(name, "x").inc(by)
    lengths = Distributions("h", "Of it.", ("k",), buckets=BUCKETS, registry=ours)
    their_lengths = Histogram("h", "Of it.", ("k",), buckets=BUCKETS, registry=theirs)
    for name, value in observed:
        lengths.labels(name).observe(value)
        their_lengths.labels(name).observe(value)
    assert shown(ours, open_metrics=open_metrics) == shown(theirs, open_metrics=open_metrics)
    for name in ("a", "b"):
        assert ours.get_sample_value("h_sum", {"k": name}) == theirs.get_sample_value("h_sum", {"k": name})


def test_a_name_is_there_once() -> None:
    registry = CollectorRegistry()
    Counts("n", "Said.", (), registry=registry)
    with pytest.raises(ValueError, match="Duplicated"):
        Counts("n", "Said.", (), registry=registry)
