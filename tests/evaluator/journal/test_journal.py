"""The journal: at most one outcome an instance, durable when it says so."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Connection, event, text

from evaluator.journal import writer as writer_module
from evaluator.journal.journal import Journal
from evaluator.journal.records import Answer, Costs, Judgement, OpenCalls, RunJudge, RunRecord, Spent
from evaluator.journal.tables import answers, judgements, metadata
from evaluator.journal.usage import BUCKETS, TOKEN_BUCKETS, Usage
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime import patience as patience_module
from genlevel.runtime.errors import StorageError
from genlevel.runtime.leases import LeaseTable
from genlevel.runtime.patience import DatabasePatience, Patience
from genlevel.runtime.schema import schema_differences
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw


def keys(*instances):
    return [AnswerKey(instance) for instance in instances]


def answer(instance, outcome=Outcome.ANSWERED, text="A", cost=None):
    unknown = int(cost is None)
    return Answer("r", "t", instance, outcome, raw_answer=text, usage=Usage(input_tokens=3), cost_nano_usd=cost, unknown_calls=unknown)


async def test_what_is_recorded_is_on_disk_when_the_future_is_done(tmp_path):
    journal = Journal(f"sqlite:///{tmp_path}/j.db")
    await asyncio.gather(*(journal.record(answer(f"i{n}")) for n in range(300)))
    with sqlite3.connect(tmp_path / "j.db") as other:
        assert other.execute("select count(*) from evaluator_answers").fetchone() == (300,)
    journal.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def journal(request, tmp_path):
    """A journal on either database."""
    opened = Journal(f"sqlite:///{tmp_path}/j.db" if request.param == "sqlite" else request.getfixturevalue("postgresql"))
    yield opened
    opened.close()


@pytest.mark.full
async def test_what_was_being_written_when_the_server_cut_the_connection_is_written_again(postgresql):
    journal = Journal(postgresql, patience=DatabasePatience.of(10.0))
    cuts = iter([True])

    def cut(connection):
        if next(cuts, False):
            connection.execute(text("select pg_terminate_backend(pg_backend_pid())"))

    await asyncio.gather(journal.record(answer("a", Outcome.FAILED, "", cost=5)), journal.submit(cut), journal.record(answer("b")))
    assert journal.totals("r").outcomes == {Outcome.ANSWERED: 1, Outcome.FAILED: 1}
    assert journal.totals("r").cost.nano_usd == 5
    journal.close()


async def test_all_before_it_is_written_when_it_is_said(journal):
    for number in range(1000):
        journal.record(answer(f"i{number}"))
    await journal.written()
    assert journal.totals("r").outcomes == {Outcome.ANSWERED: 1000}


@pytest.fixture
def leases(journal):
    """The leases of runs in the journal's database."""
    table = LeaseTable(journal._engine.url.render_as_string(hide_password=False))
    yield table
    table.close()


async def test_what_another_process_is_to_write_by_now_is_left_out(journal, leases):
    """As of a process that is stopped between its request to write and the commit, until another has taken its run."""
    old = leases.acquire("run r", "a", ttl_s=-1.0)
    assert old is not None
    await journal.record(answer("before"), old)
    leases.acquire("run r", "b", ttl_s=100.0)
    lost, others = journal.record(answer("a"), old), journal.record(answer("b"))
    with pytest.raises(StorageError, match="too late") as raised:
        await lost
    assert raised.value.overtaken
    await others
    assert journal.answers_to("r", "t", keys("before", "a", "b")).keys() == set(keys("before", "b"))


async def test_what_was_committed_although_nobody_heard_it_is_not_written_again(journal, leases, monkeypatch):
    """A failure's cost is added to what is there: written twice, it would count twice."""
    lease = leases.acquire("run r", "a", ttl_s=100.0)
    journal.writes.seconds = 10.0
    commit, unheard = Connection.commit, iter([True, True])

    def deaf(connection):
        commit(connection)
        if threading.current_thread().name == "journal" and next(unheard, False):
            raise StorageError("the connection was lost", passes=True)

    monkeypatch.setattr(Connection, "commit", deaf)
    await asyncio.gather(journal.record(answer("a", Outcome.FAILED, "", cost=5), lease), journal.record(answer("b", cost=7), lease))
    await journal.note(note(1, nano_usd=9), lease)
    assert next(unheard, None) is None, "both were tried twice"
    totals = journal.totals("r")
    assert (totals.cost, totals.usage.input_tokens) == (Costs(12, 0, 1, 21), 6)


async def test_what_is_beside_something_that_cannot_be_stored_is_stored(journal):
    odd = answer("a")._replace(usage=Usage(input_tokens=10**30))
    results = await asyncio.gather(journal.record(answer("b")), journal.record(odd), journal.record(answer("c")), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), StorageError, type(None)]
    assert journal.answers_to("r", "t", keys("a", "b", "c")).keys() == set(keys("b", "c"))


async def test_what_cannot_be_written_for_longer_than_patience_fails_and_then_all_fails_at_once_until_one_succeeds(tmp_path, monkeypatch):
    monkeypatch.setattr(patience_module, "_RESPITE_S", 0.0)
    trying, tries = Patience._trying, []
    monkeypatch.setattr(Patience, "_trying", lambda self: tries.append(self) or trying(self))
    journal = Journal(f"sqlite:///{tmp_path}/j.db", patience=DatabasePatience.of(3.0))
    with lock(tmp_path / "j.db"):
        began = time.monotonic()
        waiting = [journal.record(answer(f"i{n}")) for n in range(3)]
        await asyncio.sleep(2.6)
        assert "another process keeps it locked" in journal.waits_for
        for result in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(result, StorageError)
        assert 2.5 < time.monotonic() - began < 40
        tries.clear()
        with pytest.raises(StorageError):
            await journal.record(answer("later"))
        assert len(tries) == 1
    await journal.record(answer("last"))
    assert journal.waits_for == ""
    assert journal.totals("r").outcomes == {Outcome.ANSWERED: 1}
    journal.close()


@contextmanager
def lock(file):
    """Another process's lock."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("begin immediate")
    yield
    other.execute("commit")
    other.close()


async def test_closing_does_not_wait_long_for_a_database_that_is_away(tmp_path, caplog):
    journal = Journal(f"sqlite:///{tmp_path}/j.db", patience=DatabasePatience.of(60.0))
    with lock(tmp_path / "j.db"):
        lost = journal.record(answer("a"))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await asyncio.to_thread(journal.close, 1.0)
        assert time.monotonic() - began < 20
    assert [record.message for record in caplog.records] == ["1 writes to the journal are not stored: the database does not answer"]
    lost.cancel()


@pytest.mark.full
async def test_a_process_that_is_stopped_in_the_midst_of_writing_does_not_hold_up_others(postgresql, monkeypatch):
    monkeypatch.setattr(writer_module, "_IDLE_S", 0.5)
    stopped, other, table = Journal(postgresql), Journal(postgresql), LeaseTable(postgresql)
    began, woken, lease = threading.Event(), threading.Event(), table.acquire("run r", "a", ttl_s=0.1)

    def stop(connection):
        connection.exec_driver_sql(stopped._writer._insert.sql, [stopped._writer._insert.row(answer("a", text="late"))])
        began.set()
        woken.wait(20)

    late = stopped.submit(stop, lease)
    await asyncio.to_thread(began.wait)
    async with asyncio.timeout(60):
        taken = await asyncio.to_thread(table.acquire, "run r", "b", ttl_s=100.0)
        await other.record(answer("a", text="in time"), taken)
    woken.set()
    with pytest.raises(StorageError):
        await late
    found = other.answers_to("r", "t", keys("a"))
    assert [value.raw_answer for value in found.values()] == ["in time"]
    stopped.close()
    other.close()
    table.close()


async def test_a_second_answer_is_ignored_unless_the_first_one_failed(journal):
    await journal.record(answer("a", text="first"))
    await journal.record(answer("a", text="second"))
    await journal.record(answer("b", Outcome.FAILED, ""))
    await journal.record(answer("b", text="at last"))
    found = journal.answers_to("r", "t", keys("a", "b", "c"))
    assert {key.instance: value.raw_answer for key, value in found.items()} == {"a": "first", "b": "at last"}
    assert journal.totals("r").outcomes == {Outcome.ANSWERED: 2}


async def test_what_a_failed_try_has_cost_stays_spent(journal):
    await journal.record(answer("a", Outcome.FAILED, "", cost=5))
    await journal.record(answer("b", Outcome.FAILED, ""))
    totals = journal.totals("r")
    assert (totals.cost.nano_usd, totals.cost.unknown_costs, totals.usage.input_tokens) == (5, 1, 6)
    await journal.record(answer("a", cost=7))
    await journal.record(answer("b"))
    await journal.record(answer("c", Outcome.UNSUPPORTED, "")._replace(attempts=0, unknown_calls=0))
    totals = journal.totals("r")
    assert (totals.cost.nano_usd, totals.cost.unknown_costs, totals.usage.input_tokens) == (12, 1, 15)
    await journal.record(answer("d", Outcome.FAILED, "", cost=3))
    await journal.record(answer("e", Outcome.FAILED, "", cost=0))
    await journal.record(answer("d"))
    await journal.record(answer("e"))
    totals = journal.totals("r")
    assert (totals.cost.nano_usd, totals.cost.unknown_costs) == (15, 3), "a cost that is not known is no less than what a try has cost"


async def test_any_text_can_be_journalled(journal):
    await journal.record(answer("a", text="nul \0, escape \x1b, a line\u2028 and \U0001f600"))
    assert journal.answers_to("r", "t", keys("a"))[AnswerKey("a")].raw_answer == "nul \ufffd, escape \x1b, a line\u2028 and \U0001f600"


@pytest.mark.parametrize("odd", [{"usage": Usage(input_tokens=10**30)}, {"response_id": object()}, {"upstream_s": object()}])
async def test_what_cannot_be_stored_is_said_and_the_next_answer_is_stored(journal, odd):
    with pytest.raises(StorageError, match="the journal cannot be written"):
        await asyncio.wait_for(journal.record(answer("a")._replace(**odd)), 60)
    await asyncio.wait_for(journal.record(answer("b")), 60)
    assert journal.totals("r").outcomes == {Outcome.ANSWERED: 1}


async def test_totals_keep_priced_and_unpriced_apart(journal):
    await journal.record(answer("a"))
    assert journal.totals("r").cost.nano_usd is None
    await journal.record(answer("b", cost=7))
    totals = journal.totals("r")
    assert (totals.cost.nano_usd, totals.cost.unknown_costs, totals.usage.input_tokens) == (7, 1, 6)


def test_a_run_that_is_there_is_not_made_again(journal):
    record = RunRecord(
        run_id="r", identity="r", generation=0, specification="{}", suite="s", benchmark="b", partial=False, plan="[]", total=1,
        priced=True, status=ev.RUN_STATUS_INTERRUPTED, reason="not begun", prompt_version="1", traffic="{}", calls=0, retries=0,
        created=1.0, updated=1.0,
    )  # fmt: skip
    assert journal.create_run(record) == record
    journal.update_run("r", status=ev.RUN_STATUS_RUNNING)
    found = journal.create_run(replace(record, total=7))
    assert (found.total, found.status) == (1, ev.RUN_STATUS_RUNNING)
    assert len(journal.list.all(ticks=False)) == 1


def test_migrations_and_tables_agree(tmp_path):
    journal = Journal(f"sqlite:///{tmp_path}/j.db")
    assert schema_differences(journal._engine, metadata, "evaluator") == []
    journal.close()


def test_what_is_used_has_the_contracts_buckets():
    assert tuple(gw.Usage.DESCRIPTOR.fields_by_name) == (*BUCKETS, "details"), "which are parts of the others"
    assert set(BUCKETS) <= set(answers.columns.keys())
    assert set(TOKEN_BUCKETS) <= set(judgements.columns.keys())
    used = Usage(1, 2, 3, 4, 5, output_images=6, output_milliseconds=7)
    assert used.tokens == 15, "pictures and time are no tokens"
    assert used + used == Usage(2, 4, 6, 8, 10, output_images=12, output_milliseconds=14)
    assert used + used - used == used


async def test_variants_repeats_and_shuffles_of_a_question_are_answers_of_their_own(journal):
    plain, others = AnswerKey("a"), [AnswerKey("a", variant=1), AnswerKey("a", repeat=1), AnswerKey("a", shuffle=1)]
    for number, key in enumerate((plain, *others)):
        _instance, variant, repeat, shuffle = key
        await journal.record(answer("a", text=str(number))._replace(variant=variant, repeat=repeat, shuffle=shuffle))
        await journal.record(answer("a", text="too late")._replace(variant=variant, repeat=repeat, shuffle=shuffle))
        await journal.judgements.record(judgement("a", rating=10.0 * number, variant=variant, repeat=repeat, shuffle=shuffle))
    assert {key: one.raw_answer for key, one in journal.answers_to("r", "t", [plain, *others]).items()} == dict(
        zip((plain, *others), "0123", strict=True)
    )
    assert list(journal.answers_to("r", "t", [plain])) == [plain]
    assert journal.outcomes_of("r", "t", others[:2]) == dict.fromkeys(others[:2], Outcome.ANSWERED)
    judge = RunJudge("r", "openai/j", "route", {"gpt_score": ("1", "p1")})
    assert journal.judgements.of(judge, "t", "gpt_score", others[1:])[others[1]].rating == 20.0
    assert [one.rating for one in journal.judgements.about("r", "t", others[2])] == [30.0]
    assert journal.totals("r").outcomes == {Outcome.ANSWERED: 4}


async def test_what_is_queued_when_the_journal_closes_is_written(tmp_path):
    journal = Journal(f"sqlite:///{tmp_path}/j.db")
    wait_for_a_lock = sqlite3.connect(tmp_path / "j.db", isolation_level=None)
    wait_for_a_lock.execute("begin immediate")
    waiting = [journal.record(answer(f"i{number}")) for number in range(20)]
    closing = asyncio.create_task(asyncio.to_thread(journal.close))
    await asyncio.sleep(0.1)
    assert not closing.done(), "it waits for what is queued"
    wait_for_a_lock.execute("commit")
    wait_for_a_lock.close()
    await asyncio.wait_for(closing, 60)
    with sqlite3.connect(tmp_path / "j.db") as other:
        assert other.execute("select count(*) from evaluator_answers").fetchone() == (20,)
    assert await asyncio.gather(*waiting) == [None] * 20


def judgement(instance, outcome=Outcome.ANSWERED, judge="openai/j", prompt="p1", **facts):
    return Judgement("r", "t", instance, judge, prompt, "1", outcome, usage=Usage(input_tokens=5), cost_nano_usd=7, created=1.0, **facts)


async def test_judgements_are_kept_by_judge_and_prompt_and_a_rating_stays(journal):
    kept = journal.judgements
    await kept.record(judgement("a", rating=70.0, reply="nul \0"))
    await kept.record(judgement("a", rating=10.0))
    await kept.record(judgement("a", rating=20.0, judge="openai/k"))
    await kept.record(judgement("a", rating=30.0, prompt="p2"))
    await kept.record(judgement("b", Outcome.PENDING, replies=1))
    await kept.record(judgement("b", Outcome.FAILED, replies=3, error="no"))
    assert kept.judge_of("r") is None
    kept.set_judge(RunJudge("r", "openai/j", "route", {"gpt_score": ("1", "p1")}))
    kept.set_judge(judge := RunJudge("r", "openai/j", "route", {"gpt_score": ("1", "p1"), "user_preference": ("1", "q")}))
    assert kept.judge_of("r") == judge
    found = kept.of(judge, "t", "gpt_score", keys("a", "b", "c"))
    assert {key.instance: (one.rating, one.outcome) for key, one in found.items()} == {
        "a": (70.0, Outcome.ANSWERED),
        "b": (None, Outcome.FAILED),
    }
    assert found[AnswerKey("a")].reply == "nul \ufffd"
    assert [one.rating for one in kept.about("r", "t", AnswerKey("a"))].count(None) == 0
    assert len(kept.about("r", "t", AnswerKey("a"))) == 3
    assert [one.instance_id for one in kept.failures(judge)] == ["b"]
    totals = kept.totals("r")
    assert (totals.judged, totals.failed, totals.usage.input_tokens, totals.cost.nano_usd) == (1, 1, 20, 28)
    await kept.record(judgement("b", rating=50.0))
    assert kept.totals("r").judged == 2
    await kept.complete("r")
    assert kept.judge_of("r") == replace(judge, complete=True)


def test_ratings_by_people_are_replaced_by_the_same_raters_new_ones(journal):
    kept = journal.judgements
    kept.store_people("r", {"t": {"a": {"ben": 2.5, "anna": 4.0}, "b": {"anna": 1.0}}, "u": {"a": {"anna": 3.0}}})
    kept.store_people("r", {"t": {"a": {"anna": 5.0}}})
    assert kept.people_of("r", "t", keys("a", "b", "c")) == {
        AnswerKey("a"): {"anna": 5.0, "ben": 2.5},
        AnswerKey("b"): {"anna": 1.0},
    }
    assert list(kept.people_of("r", "t", keys("a"))[AnswerKey("a")]) == ["anna", "ben"]
    assert (kept.has_people("r", "u"), kept.has_people("r", "v"), kept.has_people("s", "t")) == (True, False, False)
    kept.store_people("r", {})


def note(number, *, calls=1, nano_usd=100, tokens=50, task="t", judges=False):
    return OpenCalls("r", number, task, judges, calls, nano_usd, tokens)


async def test_calls_of_unknown_fate_are_within_the_bounds_until_an_answer_tells_of_them(journal):
    await journal.record(answer("a", cost=7))
    await journal.note(note(1))
    await journal.note(note(2, nano_usd=50))
    await journal.note(note(3, judges=True, nano_usd=9))
    await journal.note(note(1, nano_usd=5)._replace(run_id="another"))
    assert journal.totals("r").cost == Costs(7, 0, 2, 157)
    await journal.note(note(2, calls=2, nano_usd=90))
    assert (journal.totals("r").cost, journal.last_note("r")) == (Costs(7, 0, 3, 197), 3), "a later note takes the place of the earlier one"
    await journal.record(answer("b", cost=11), closes=("r", 1))
    await journal.close_note(("r", 2))
    assert (journal.totals("r").cost, journal.totals("another").cost) == (Costs(18, 0, 0, 18), Costs(None, 0, 1, 5))
    assert journal.judgements.totals("r").cost == Costs(None, 0, 1, 9)
    await journal.note(note(4, nano_usd=None))
    assert journal.totals("r").cost == Costs(18, 0, 1, None)


async def test_what_nobody_can_tell_of_one_call_nobody_can_of_all(journal):
    await journal.record(answer("a", Outcome.FAILED)._replace(unknown_calls=2, unknown_nano_usd=30))
    await journal.record(answer("a", cost=5)._replace(unknown_calls=1, unknown_nano_usd=4))
    assert journal.totals("r").cost == Costs(5, 1, 3, 39)
    await journal.record(answer("b", Outcome.FAILED)._replace(unknown_calls=1, unknown_nano_usd=None))
    await journal.record(answer("b", cost=5)._replace(unknown_calls=0, unknown_nano_usd=0))
    assert journal.totals("r").cost == Costs(10, 2, 4, None)


async def test_a_call_above_its_worst_case_takes_the_bound_off_those_that_are_not_known(journal):
    await journal.record(answer("a", Outcome.FAILED, cost=9)._replace(excess=3.0))
    await journal.record(answer("a", cost=1)._replace(excess=0.0))
    assert journal.totals("r").cost == Costs(10, 0, 0, 10), "it is known exactly"
    await journal.note(note(1))
    assert journal.totals("r").cost == Costs(10, 0, 1, None)
    assert [spent.excess for spent in journal.spending("r", "m", "j")] == [3.0, 0.0]


async def test_what_was_spent_is_told_by_task(journal):
    used = Usage(input_tokens=30, output_tokens=4, output_images=9)
    await journal.record(answer("a", cost=9)._replace(usage=used))
    await journal.record(answer("b")._replace(unknown_nano_usd=70, unknown_tokens=6))
    await journal.record(answer("c", cost=20)._replace(task="other", usage=Usage()))
    await journal.judgements.record(replace(judgement("a"), unknown_calls=1, unknown_nano_usd=8, unknown_tokens=2))
    await journal.note(note(1, calls=2))
    await journal.note(note(2, nano_usd=None, tokens=None, task=""))
    await journal.note(note(3, judges=True))
    assert journal.spending("r", "m", "j") == [
        Spent("m", "other", (20, 0), (20, None), (0, 0), (0, 0), 0.0),
        Spent("m", "t", (9, 37), (9, 34), (1, 1), (70, 6), 0.0),
        Spent("m", "", (0, 0), (None, None), (1, 1), (20, 34), 0.0),
        Spent("m", "t", (0, 0), (None, None), (2, 2), (100, 50), 0.0),
        Spent("j", "t", (7, 5), (7, 5), (1, 1), (8, 2), 0.0),
        Spent("j", "t", (0, 0), (None, None), (1, 1), (100, 50), 0.0),
    ]


@pytest.mark.parametrize("of", ["model", "judge"])
async def test_what_was_asked_before_there_was_a_price_has_an_unknown_cost_and_no_bound(journal, of):
    judges = of == "judge"

    async def record(instance, **fields):
        if judges:
            await journal.judgements.record(replace(judgement(instance), **{"usage": Usage(input_tokens=3), **fields}))
        else:
            await journal.record(answer(instance)._replace(**fields))

    def cost():
        return journal.judgements.totals("r").cost if judges else journal.totals("r").cost

    def priced():
        (journal.judgements if judges else journal).set_priced("r")

    known = {"unknown_calls": 0, "unknown_nano_usd": 0}
    await record("rejected", cost_nano_usd=None, usage=Usage(), **known)
    await record("billed", cost_nano_usd=9, **known)
    await record("bounded", cost_nano_usd=None, unknown_calls=1, unknown_nano_usd=5)
    await journal.note(note(1, nano_usd=7, judges=judges))
    await journal.note(note(2, nano_usd=0, judges=not judges))
    before = cost()
    priced()
    assert cost() == before == Costs(9, 1, 2, 21), "all of it was asked at a price"
    await record("asked", cost_nano_usd=None, **known)
    priced()
    assert cost() == Costs(9, 2, 3, None)


@pytest.mark.parametrize("judges", [True, False])
async def test_a_call_that_was_open_before_there_was_a_price_has_no_bound(journal, judges):
    await journal.note(note(1, nano_usd=0, judges=judges))
    (journal.judgements if judges else journal).set_priced("r")
    cost = journal.judgements.totals("r").cost if judges else journal.totals("r").cost
    assert cost == Costs(None, 0, 1, None)


async def test_an_answer_without_a_bill_before_there_was_a_price_has_no_bound(journal):
    await journal.record(answer("a")._replace(unknown_calls=2, unknown_nano_usd=0, usage=Usage()))
    journal.set_priced("r")
    assert journal.totals("r").cost == Costs(None, 1, 2, None)


class HeldUp:
    """Holds the writer up, so that what is submitted meanwhile is one group."""

    def __init__(self, journal):
        self._go, self.began = threading.Event(), threading.Event()
        self.writing = journal.submit(self._wait)

    def _wait(self, _connection):
        self.began.set()
        assert self._go.wait(30)

    def go_on(self):
        self._go.set()


async def company(journal):
    """Has the writer write two answers together, as it does while many come."""
    held = HeldUp(journal)
    await asyncio.to_thread(held.began.wait, 30)
    both = [journal.record(answer(f"company-{number}")) for number in range(2)]
    held.go_on()
    await asyncio.gather(held.writing, *both)


async def test_what_comes_alone_is_written_at_once(journal, monkeypatch):
    monkeypatch.setattr(writer_module, "_LINGER_S", 600.0)
    async with asyncio.timeout(60):
        for number in range(3):
            await journal.record(answer(f"alone-{number}"))


@pytest.mark.parametrize("waits", ["flush", "written", "end_run", "close"])
async def test_what_comes_with_others_waits_for_more_unless_somebody_waits_for_it(journal, monkeypatch, waits):
    monkeypatch.setattr(writer_module, "_LINGER_S", 600.0)
    async with asyncio.timeout(60):
        await company(journal)
        late = journal.record(answer("late"))
        await asyncio.sleep(0.05)
        assert not late.done()
        if waits == "flush":
            journal.flush()
        elif waits == "written":
            await journal.written()
        elif waits == "end_run":
            await journal.end_run("r", status=1, reason="", calls=0, retries=0, wish={}, lease=None)
        else:
            await asyncio.to_thread(journal.close)
        await late


async def test_many_at_once_are_few_transactions(journal):
    transactions = []
    event.listen(journal._engine, "commit", lambda _connection: transactions.append(1))
    await company(journal)
    writing = []
    for number in range(200):
        writing.append(journal.record(answer(f"i{number}")))
        await asyncio.sleep(0)
    await asyncio.gather(*writing)
    assert len(transactions) <= 50
