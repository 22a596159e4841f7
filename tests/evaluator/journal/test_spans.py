"""A run's traffic in spans: their number is bounded and nothing of it is lost, however long it lasts and whenever it stops."""

from __future__ import annotations

import time
from collections import Counter

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from evaluator.journal.spans import MOST_SPANS, NARROWEST_S, Seen, Span, Spans
from evaluator.journal.tables import accounts
from evaluator.journal.traffic_table import TrafficTable
from genlevel.runtime.limits import Learnt

STEPS = st.lists(
    st.tuples(st.sampled_from([0.5, 3.0, 40.0, 5_000.0, 1e6]), st.integers(0, 9), st.integers(0, 3), st.sampled_from([None, 2.0, 50.0])),
    min_size=1,
    max_size=80,
)


def seen_of(steps):
    return [
        Seen(
            1.0, calls=calls, limited=min(calls, limited), account_calls=2 * calls, in_flight=3, pace=pace, waits=frozenset({"requests"}),
            account="a", concurrency=8,
        )
        for _, calls, limited, pace in steps
    ]  # fmt: skip


@given(STEPS, st.integers(1, 6))
@settings(max_examples=80, deadline=None)
def test_nothing_is_lost_over_restarts_and_the_number_is_bounded(steps, restarts):
    stored: dict[int, Span] = {}
    spans, at = Spans(), 1_700_000_000.0

    def store():
        nonlocal stored
        news, whole = spans.news()
        stored = {} if whole else stored
        stored |= {span.start_s: span for span in news}

    for number, (step, seen) in enumerate(zip(steps * 6, seen_of(steps * 6), strict=True)):
        at += step[0]
        spans.add(at, seen)
        if number % restarts == 0:
            store()
            spans = Spans(sorted(stored.values(), key=lambda one: one.start_s))
    store()
    kept = sorted(stored.values(), key=lambda one: one.start_s)
    assert kept == spans.spans()
    assert len(kept) <= MOST_SPANS
    width = kept[0].width_s
    assert width % NARROWEST_S == 0
    assert all(span.width_s == width and span.start_s % width == 0 for span in kept)
    assert sum(span.calls for span in kept) == 6 * sum(step[1] for step in steps)
    assert sum(span.account_calls for span in kept) == 12 * sum(step[1] for step in steps)
    assert sum(span.seen_s for span in kept) == pytest.approx(6 * len(steps))
    assert sum(span.paced_calls for span in kept) == pytest.approx(6 * sum(step[3] or 0 for step in steps))
    assert sum(span.waits_s["requests"] for span in kept) == pytest.approx(6 * len(steps))


def test_a_run_of_a_week_has_no_more_spans_than_one_of_an_hour():
    spans = Spans()
    for second in range(0, 7 * 86_400, 60):
        spans.add(1_700_000_000.0 + second, Seen(60.0, calls=1))
    assert MOST_SPANS / 2 <= len(spans.spans()) <= MOST_SPANS
    assert sum(span.calls for span in spans.spans()) == 7 * 86_400 // 60


def test_wider_spans_are_stored_in_place_of_the_narrow_ones():
    spans, stored = Spans(), {}
    for number in range(3 * MOST_SPANS):
        spans.add(1_700_000_000.0 + 5 * number, Seen(5.0, calls=1))
        if number % 3 == 0:
            news, whole = spans.news()
            stored = {span.start_s: span for span in news} if whole else stored | {span.start_s: span for span in news}
            assert list(stored.values()) == spans.spans()
    of_two_widths = [Span(0, 5, calls=1), Span(20, 20, calls=2)]
    news, whole = Spans(of_two_widths).news()
    assert whole
    assert [(span.start_s, span.width_s, span.calls) for span in news] == [(0, 20, 1), (20, 20, 2)]


def test_what_could_not_be_stored_is_news_again():
    spans = Spans()
    spans.add(10.0, Seen(1.0, calls=1))
    spans.news()
    assert spans.news() == ([], False)
    spans.store_all()
    news, whole = spans.news()
    assert whole
    assert [span.calls for span in news] == [1]


def test_means_are_over_the_time_that_was_seen():
    span = Span(0, 5).with_seen(Seen(1.0, in_flight=4, pace=10.0, stated=True)).with_seen(Seen(3.0, in_flight=8))
    assert (span.seen_s, span.in_flight_s, span.pace, span.stated) == (4.0, 28.0, 10.0, True)
    assert Span(0, 5).pace is None


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def journal(request, tmp_path):
    from evaluator.journal.journal import Journal
    from genlevel.runtime.storage import sqlite_url

    url = sqlite_url(tmp_path / "j.db") if request.param == "sqlite" else request.getfixturevalue("postgresql")
    journal = Journal(url)
    yield journal
    journal.close()


async def test_spans_come_back_as_they_were_stored(journal):
    table: TrafficTable = journal.traffic
    first, second = (Span(start, 5, 4.5, 9, 1, 2, 10, "acct", 3.25, 8.0, 4.0, 40.0, True, {"retry": 1.5}) for start in (5, 10))
    await table.keep("r", [first, second], None, whole=False)
    await table.keep("other", [first], None, whole=False)
    assert table.of("r") == [first, second]
    more = second.with_seen(Seen(1.0, calls=3))
    await table.keep("r", [more], None, whole=False)
    assert table.of("r") == [first, more]
    wider = Span(0, 20, calls=12)
    await table.keep("r", [wider], None, whole=True)
    assert (table.of("r"), table.of("other"), table.of("none")) == ([wider], [first], [])


async def test_the_newest_that_was_learnt_of_an_account_is_kept(journal):
    table: TrafficTable = journal.traffic
    assert table.learnt("acct") is None
    old, new = (Learnt(rate=rate, concurrency=7, at=rate) for rate in (40.0, 50.0))
    for one in (old, new, old):
        await table.keep_learnt("acct", one)
    assert table.learnt("acct") == new
    assert table.learnt("another") is None


async def test_what_another_version_learnt_of_an_account_is_read_as_far_as_it_is_understood(journal):
    table: TrafficTable = journal.traffic
    before = dict(rate=40.0, burst=0.0, concurrency=7, headers_held=None, at=1.0)
    with table._engine.begin() as connection:
        rows = [{"account": "before", "learnt": before}, {"account": "other", "learnt": {"pace": 1.0}}]
        connection.execute(accounts.insert(), [row | {"learnt": orjson.dumps(row["learnt"]).decode(), "at_s": 1.0} for row in rows])
    assert table.learnt("before") == Learnt(rate=40.0, concurrency=7, at=1.0)
    assert table.learnt("other") is None


async def test_what_was_learnt_at_a_time_to_come_does_not_stand_for_ever(journal):
    now, table = time.time(), journal.traffic
    for at, kept in ((now, now), (now - 10, now), (now + 30, now + 30), (now, now + 30), (now + 3600, now + 3600), (now, now)):
        await table.keep_learnt("acct", Learnt(rate=4.0, concurrency=7, at=at))
        assert table.learnt("acct").at == kept


@pytest.mark.parametrize(("stored", "warned"), [('{"rate": 4', True), ("", True), ('{"pace": 40.0}', False), ("[1]", False)])
async def test_what_was_learnt_and_cannot_be_read_is_as_if_nothing_were_known_and_is_said_once(journal, caplog, stored, warned):
    await journal.traffic.keep_learnt("acct", Learnt(rate=4.0, concurrency=7, at=1.0))
    with journal._engine.begin() as connection:
        connection.execute(text("update evaluator_accounts set learnt = :stored"), {"stored": stored})
    assert [journal.traffic.learnt("acct") for _ in range(2)] == [None, None]
    told = [record.getMessage() for record in caplog.records]
    assert told == ["what was learnt of the limits of account acct cannot be read, and is learnt anew"] * warned
    new = Learnt(rate=5.0, concurrency=7, at=2.0)
    await journal.traffic.keep_learnt("acct", new)
    assert journal.traffic.learnt("acct") == new


def test_reasons_add_up():
    span = Span(0, 5, waits_s={"retry": 1.0}).plus(Span(0, 5, waits_s={"retry": 0.5, "tokens": 2.0}))
    assert Counter(span.waits_s) == Counter({"retry": 1.5, "tokens": 2.0})
