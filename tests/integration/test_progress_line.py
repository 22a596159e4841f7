"""The line that says how a run goes: whole where there is room; elsewhere done, rate, cost and time left stay to the last."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.documents.progress_line import progress_line
from genlevel.v1 import evaluator_pb2 as ev

BUSY = ev.WatchRunResponse(
    in_flight=32, rate=12.34, remaining_s=4500, pace=12.5, provider_wait_s=20, waiting={"tokens": 40, "retry": 7, "pace": 12}
)
BUSY.run.counts.total, BUSY.run.counts.pending, BUSY.run.counts.refused, BUSY.run.counts.failed = 325_876, 200_001, 7, 3
BUSY.run.retries, BUSY.run.unknown_calls = 310, 2
BUSY.run.cost_nano_usd, BUSY.run.most_cost_nano_usd = 12_340_000_000, 13_100_000_000
BUSY.run.usage.input_tokens, BUSY.run.usage.output_tokens, BUSY.run.usage.output_images = 12_345_678, 987_654, 12


def test_the_whole_line_has_everything():
    waits = "waiting: 12 on pace, 7 on retry, 40 on tokens (the provider asks for 20 s)"
    assert progress_line(BUSY) == (
        f"125,875/325,876 | 7 refused | 3 failed | 32 in flight | 12.3/s, calls paced at 12.5/s | {waits} | 310 retries"
        " | 12.3M tokens in, 987.7k out | 12 images | at least $12.34, at most $13.10 | about 1 h 15 min left"
    )


def test_at_80_columns_done_rate_cost_and_time_left_are_there():
    assert progress_line(BUSY, 80) == "125,875/325,876 | 3 failed | 12.3/s | $12.34 to $13.10 | 1 h 15 min left"


def test_a_calm_run_loses_little_at_80_columns():
    calm = ev.WatchRunResponse(in_flight=8, rate=4.0, remaining_s=75)
    calm.run.counts.total, calm.run.counts.pending, calm.run.cost_nano_usd = 103, 60, 12_300_000
    assert progress_line(calm, 80) == "43/103 | 8 in flight | 4.0/s | 0 in, 0 out | $0.0123 | about 1 min 15 s left"


def test_while_a_judge_is_asked_the_rate_and_the_cost_are_there():
    judged = ev.WatchRunResponse(judging=True, in_flight=16, rate=3.2, waiting={"tokens": 100})
    judged.run.judging.MergeFrom(ev.Judging(judged=1234, route="openrouter/some-quite-long/name-of-a-model", cost_nano_usd=1_000_000_000))
    assert progress_line(judged, 80) == "1,234 judged | 16 in flight | 3.2/s | 100 wait | $1.00"


COUNTS = st.integers(0, 10**6)


@pytest.mark.parametrize("columns", [80, 100, 120])
@given(st.lists(COUNTS, min_size=9, max_size=9), st.booleans(), st.booleans())
def test_whatever_happens_the_line_fits_and_says_the_four(columns, counts, bounded, has_judge):
    done, refused, failed, unsupported, in_flight, waiting, retries, tokens, cost = counts
    said = ev.WatchRunResponse(in_flight=in_flight, rate=1.5, remaining_s=100_000, pace=99.9)
    said.waiting.update({"concurrency": waiting, "storage": 1})
    of = said.run.counts
    of.total, of.pending, of.refused, of.failed, of.unsupported = 10**7, 10**7 - done, refused, failed, unsupported
    said.run.retries, said.run.usage.input_tokens, said.run.usage.output_tokens = retries, tokens * 10**6, tokens * 10**6
    said.run.cost_nano_usd, said.run.unknown_calls = cost * 10**9, int(bounded)
    if bounded:
        said.run.most_cost_nano_usd = 2 * cost * 10**9 + 1
    if has_judge:
        said.run.judging.cost_nano_usd = cost
    line = progress_line(said, columns)
    assert len(line) < columns
    assert all(word in line for word in (f"{done:,}/10,000,000", "1.5/s", f"${cost:,.2f}", "27 h 46 min left"))
