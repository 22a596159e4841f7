"""What is kept of monitors, on SQLite and PostgreSQL alike: each change whole and once, whoever makes it, and alarms until they arrive."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace

import pytest
from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError

from evaluator.journal import monitor_store
from evaluator.journal.journal import Journal
from evaluator.journal.monitor_records import AlarmRecord, DeliveryRecord, EventRecord, Glance, MonitorRecord, Phase, TickEnd, TickRecord
from evaluator.journal.monitor_store import Beside
from evaluator.journal.monitor_tables import events
from evaluator.journal.tables import metadata
from genlevel.runtime.errors import StorageError
from genlevel.runtime.leases import LeaseTable
from genlevel.runtime.schema import schema_differences

ONE = MonitorRecord("one", "1234abcd", '{"every": "6h"}', declared=False, created=1000.5)
FULL = replace(
    ONE,
    declared=True,
    paused=True,
    phase=Phase.WATCHING,
    reason="waits \U0001f600",
    next_due=2000.25,
    asked=True,
    tick=2**40,
    open_tick=2**40,
    missed=3,
    last_ended=1.0 / 3.0,
    spent=2**60,
    unknown=True,
    day="2027-01-15",
    day_spent=7,
    before=8,
    baseline=9,
    baseline_run="r" * 40,
    suite_hash="h" * 64,
    watch="{" + "w" * 100_000,
    state="s",
    notes='{"began": {}}',
)
TICK = TickRecord("one", 1, 1, due=10.0, begun=11.0)
ALARM = AlarmRecord("one-1-abc", "one", "score:down:all", "regression", 50.0, '{"what": "it fell"}')


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def journal(request, tmp_path):
    """A journal on either database."""
    opened = Journal(f"sqlite:///{tmp_path}/j.db" if request.param == "sqlite" else request.getfixturevalue("postgresql"))
    yield opened
    opened.close()


@pytest.fixture
def store(journal):
    return journal.monitors


def event(at, kind="budget", name="one"):
    return EventRecord(name, at, kind, f"at {at}")


def test_a_monitor_is_kept_as_it_is_and_its_name_is_there_once(store):
    assert store.find("one") is None
    assert store.add(FULL, Beside(events=[event(1.0)]))
    assert store.find("one") == FULL
    assert not store.add(replace(ONE, uid="another"))
    assert store.add(FULL), "it was stored, and nobody heard of that"
    assert store.find("one") == FULL
    assert store.events("one", 10) == [event(1.0)]
    assert store.add(replace(ONE, name="another", uid="2"))
    assert [record.name for record in store.all()] == ["another", "one"]
    assert store.all()[1] == FULL


def test_of_two_who_change_a_monitor_at_once_one_does_and_all_of_it(store):
    store.add(ONE)
    first = store.change(ONE, replace(ONE, tick=1, open_tick=1), Beside(begun=TICK))
    assert first == replace(ONE, version=2, tick=1, open_tick=1)
    assert (
        store.change(ONE, replace(ONE, tick=1, open_tick=1, missed=5), Beside(begun=replace(TICK, due=99.0), events=[event(1.0)])) is None
    )
    assert store.find("one") == first
    assert store.last_ticks("one", 10) == [TICK]
    assert store.events("one", 10) == []
    removed = replace(first, uid="another")
    assert store.change(removed, removed) is None, "of a monitor that had this name before"
    assert store.change(replace(first, name="two"), first) is None


def test_many_who_change_a_monitor_at_once_count_each_change_once(store):
    store.add(ONE)
    done = []

    def change():
        for _ in range(10):
            while True:
                seen = store.find("one")
                if store.change(seen, replace(seen, missed=seen.missed + 1), Beside(events=[event(float(seen.missed))])) is not None:
                    done.append(1)
                    break

    threads = [threading.Thread(target=change) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (store.find("one").missed, store.find("one").version, len(done)) == (40, 41, 40)
    assert [one.at for one in store.events("one", 100)] == [float(number) for number in range(39, -1, -1)]


def test_a_change_that_cannot_be_stored_whole_is_not_stored_at_all(store):
    store.add(ONE)
    seen = store.change(ONE, replace(ONE, tick=1, open_tick=1), Beside(begun=TICK))
    with pytest.raises(IntegrityError):
        store.change(seen, replace(seen, missed=7), Beside(events=[event(1.0)], raised=[(ALARM, ["desk"])], begun=TICK))
    assert store.find("one") == seen
    assert (store.events("one", 10), store.alarms("one", most=9), store.deliveries_due(1e12)) == ([], [], [])


def test_a_commit_of_which_nobody_heard_is_not_made_twice(store, journal):
    store.add(ONE)
    ended, unheard = replace(ONE, spent=5), iter([True])

    def change():
        stored = store.change(ONE, ended, Beside(events=[event(1.0)]))
        if next(unheard, False):
            raise StorageError("the connection was lost", passes=True)
        return stored

    journal.writes.seconds = 10.0
    assert journal.writes.repeat(change) is None, "it is looked at again"
    assert (store.find("one"), len(store.events("one", 10))) == (replace(ended, version=2), 1)


def test_who_has_lost_the_lease_changes_nothing(store, journal):
    leases = LeaseTable(journal._engine.url.render_as_string(hide_password=False))
    store.add(ONE)
    old = leases.acquire("run monitors", "a", ttl_s=-1.0)
    first = store.change(ONE, ONE, lease=old)
    assert first is not None, "an expired lease that nobody has taken will do"
    new = leases.acquire("run monitors", "b", ttl_s=100.0)
    assert store.change(first, replace(first, missed=1), lease=old) is None
    assert store.change(first, replace(first, missed=2), lease=new).missed == 2
    leases.close()


def test_what_is_to_be_done_is_seen_at_a_glance(store):
    store.add(ONE)
    assert store.glances() == [Glance("one", 1, False, None, False, busy=True)]
    watching = replace(ONE, phase=Phase.WATCHING, next_due=5.0, asked=True)
    seen = store.change(ONE, watching)
    assert store.glances() == [Glance("one", 2, False, 5.0, True, busy=False)]
    seen = store.change(seen, replace(seen, open_tick=1, paused=True))
    assert store.glances() == [Glance("one", 3, True, 5.0, True, busy=True)]
    store.change(seen, replace(seen, open_tick=0, phase=Phase.FAILED, paused=False))
    assert store.glances() == [Glance("one", 4, False, None, True, busy=False)], "nothing is due of one that has failed"


def test_ticks_are_replaced_by_how_they_ended_counted_and_found(store):
    store.add(ONE)
    record = ONE
    for number in range(1, 6):
        record = store.change(record, replace(record, tick=number), Beside(begun=replace(TICK, number=number, baseline=1 + (number > 3))))
        outcome = TickEnd.OUTAGE if number == 2 else TickEnd.COMPLETE
        ended = replace(store.tick("one", number), ended=1.5, outcome=outcome, run_id="r", cost=None, instances=9, failed=2, reason="x")
        if number < 5:
            record = store.change(record, record, Beside(tick=replace(ended, summary=b"\x00\xff" if number != 3 else None)))
            assert store.tick("one", number) == replace(ended, summary=b"\x00\xff" if number != 3 else None)
    assert store.tick("one", 6) is store.tick("two", 1) is None
    assert [tick.number for tick in store.last_ticks("one", 2)] == [5, 4]
    assert [tick.number for tick in store.ticks_after("one", 1, 0, 10)] == [1, 2]
    assert [tick.number for tick in store.ticks_after("one", 1, 0, 1)] == [2]
    assert [tick.number for tick in store.ticks_after("one", 1, 1, 10)] == [2]
    assert [tick.number for tick in store.ticks_after("one", 2, 0, 10)] == [4]
    assert store.tick_counts("one") == {TickEnd.COMPLETE: 3, TickEnd.OUTAGE: 1}


def test_a_baselines_pool_takes_the_place_of_the_one_before(store):
    store.add(ONE)
    first = store.change(ONE, ONE, Beside(pool=b"\x00" * 1000))
    assert store.pool("one", 1) == b"\x00" * 1000
    store.change(first, replace(first, baseline=2), Beside(pool=b"two"))
    assert (store.pool("one", 1), store.pool("one", 2), store.pool("two", 2)) == (None, b"two", None)


def test_an_alarm_is_on_its_way_from_the_moment_that_it_is_there_until_it_arrives(store):
    store.add(ONE)
    record = store.change(ONE, ONE, Beside(raised=[(ALARM, ["desk", "chat"])]))
    assert store.deliveries_due(49.0) == []
    desk, chat = DeliveryRecord(ALARM.id, "desk", due=50.0), DeliveryRecord(ALARM.id, "chat", due=50.0)
    assert sorted(store.deliveries_due(50.0), key=str) == sorted([(desk, ALARM.document), (chat, ALARM.document)], key=str)
    assert len(store.deliveries_due(50.0, 1)) == 1
    store.set_delivery(replace(desk, due=80.0, tries=1, why="away"))
    assert [one for one, _ in store.deliveries_due(79.0)] == [chat]
    arrived = replace(desk, tries=2, ended=81.0, arrived=True)
    store.set_delivery(arrived)
    store.set_delivery(replace(desk, tries=3, due=99.0, why="somebody else tried it, too"))
    assert store.deliveries_of([ALARM.id]) == [chat, arrived]
    store.change(record, record, Beside(acknowledged=[replace(ALARM, acknowledged=90.0, by="me", note="known")]))
    assert [one for one, _ in store.deliveries_due(100.0)] == [chat], "whoever was to be told is told"
    assert store.deliveries_of([]) == []


def test_what_is_due_by_a_clock_that_was_wrong_is_due_now(store):
    """A clock that was years ahead for a moment holds no alarm back."""
    store.add(ONE)
    store.change(ONE, ONE, Beside(raised=[(replace(ALARM, raised=4e9), ["desk"])]))
    assert [one.destination for one, _ in store.deliveries_due(2e9)] == ["desk"]
    store.set_delivery(DeliveryRecord(ALARM.id, "desk", due=2e9 + 3960.0, tries=1))
    assert store.deliveries_due(2e9) == [], "it was put off for as long as can be"


def test_an_alarm_is_acknowledged_once(store):
    store.add(ONE)
    second = replace(ALARM, id="one-2-abc", raised=60.0, kind="drift")
    record = store.change(ONE, ONE, Beside(raised=[(ALARM, []), (second, [])]))
    assert store.alarms("one") == [second, ALARM]
    known = replace(ALARM, acknowledged=70.0, by="me", note="\U0001f600" * 1000)
    record = store.change(record, record, Beside(acknowledged=[known]))
    store.change(record, record, Beside(acknowledged=[replace(known, by="another", acknowledged=80.0)]))
    assert (store.alarms("one"), store.alarms("one", most=5)) == ([second], [second, known])
    assert store.alarm_counts("one") == {"regression": 1, "drift": 1}
    assert store.alarms("two", most=5) == []


def test_a_monitor_that_is_removed_leaves_nothing_and_others_stay(store, journal):
    for name in ("one", "two"):
        record = replace(ONE, name=name, uid=name)
        store.add(record, Beside(events=[event(1.0, name=name)]))
        alarm = replace(ALARM, id=f"{name}-1", name=name)
        store.change(record, record, Beside(begun=replace(TICK, name=name), pool=b"p", raised=[(alarm, ["desk"])]))
    assert store.remove("one")
    assert not store.remove("one")
    assert (store.find("one"), store.pool("one", 1), store.tick("one", 1)) == (None, None, None)
    assert (store.events("one", 9), store.alarms("one"), [one.alarm for one, _ in store.deliveries_due(1e12)]) == ([], [], ["two-1"])
    assert (store.find("two").uid, store.pool("two", 1), store.tick("two", 1).number, len(store.events("two", 9))) == ("two", b"p", 1, 1)
    assert store.add(replace(ONE, uid="new"), Beside(events=[event(2.0)]))
    assert store.change(replace(ONE, uid="new"), ONE, Beside(begun=TICK)) is not None


def test_the_oldest_events_of_a_kind_go_and_what_is_counted_never_falls(store, monkeypatch):
    """Prometheus takes a counter that falls for one that began anew, and its rate for what it has reached."""
    monkeypatch.setattr(monitor_store, "_EVENTS_KEPT", 5)
    store.add(ONE, Beside(events=[event(0.0, "model")]))
    record, before = ONE, {}
    for number in range(12):
        record = store.change(record, record, Beside(events=[event(float(number // 2))]))
        counts = store.event_counts("one")
        assert all(counts[kind] >= count for kind, count in before.items())
        before = counts
    assert before == {"model": 1, "budget": 5}
    assert [one.at for one in store.events("one", 99)] == [5.0, 5.0, 4.0, 4.0, 3.0, 3.0, 0.0], "what is of one time goes together"


def test_a_database_of_before_monitors_gets_their_tables_and_keeps_its_runs(repository, tmp_path):
    file = tmp_path / "genlevel.db"
    with sqlite3.connect(file) as connection:
        connection.executescript((repository / "tests/fixtures/before_callers/genlevel.sql").read_text())
    before = sqlite3.connect(file).execute("SELECT count(*) FROM evaluator_runs").fetchone()
    journal = Journal(f"sqlite:///{file}")
    assert events.name in inspect(journal._engine).get_table_names()
    assert schema_differences(journal._engine, metadata, "evaluator") == []
    journal.monitors.add(ONE, Beside(events=[event(1.0)]))
    assert len(journal.list.all(ticks=True)) == before[0] > 0
    assert journal.of_occasion("one.1234abcd#1") == ""
    journal.close()
