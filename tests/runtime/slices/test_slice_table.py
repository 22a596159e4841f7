"""The table of slices, as processes that share a database see it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import update

from genlevel.runtime.errors import StorageError
from genlevel.runtime.limits.shared import Account, Ask, Renewal, Slice, Wish, renew, renewal
from genlevel.runtime.room.tables import account_slices
from genlevel.runtime.slices.table import SliceTable
from genlevel.runtime.storage import sqlite_url, writing

EVERYTHING = Wish(stated=6000.0, wanted=math.inf, need=1.0)
SLOTS = Wish(stated=8.0, wanted=20.0)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database of each kind."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "database.sqlite")
    return str(request.getfixturevalue("postgresql"))


@pytest.fixture
def tables(url: str) -> Iterator[tuple[SliceTable, SliceTable]]:
    """The table as two processes see it."""
    both = SliceTable(url), SliceTable(url)
    yield both
    for table in both:
        table.close()


def expire(table: SliceTable, owner: str) -> None:
    """A process's slice has ended, though somebody renewed one a moment ago."""
    with writing(table._engine).begin() as connection:
        connection.execute(update(account_slices).where(account_slices.c.owner == owner).values(until_s=1.0))


def test_what_one_has_the_other_does_not_get_before_it_has_said_that_it_uses_less(tables: tuple[SliceTable, SliceTable]) -> None:
    here, there = tables
    first = here.renew("a", {"account": Ask(1, EVERYTHING, slots=SLOTS)})["account"]
    assert (first.requests.per_minute, first.slots, first.tokens.per_minute) == (6000 - 120 + 1, 8.0, math.inf)
    second = there.renew("b", {"account": Ask(1, EVERYTHING, slots=SLOTS)})["account"]
    assert (second.requests.per_minute, second.slots, second.others) == (0.0, 0.0, 1)
    using = Wish(6000.0, math.inf, need=1.0, using=first.requests.per_minute), Wish(8.0, 20.0, using=8.0)
    told = here.renew("a", {"account": Ask(2, using[0], slots=using[1])})["account"]
    assert (told.requests.per_minute, told.slots) == (first.requests.per_minute / 2, 4.0)
    assert there.renew("b", {"account": Ask(2, EVERYTHING, slots=SLOTS)})["account"].slots == 0.0, "it may not have heard"
    using = Wish(6000.0, math.inf, need=1.0, using=told.requests.per_minute), Wish(8.0, 20.0, using=4.0)
    here.renew("a", {"account": Ask(3, using[0], slots=using[1])})
    second = there.renew("b", {"account": Ask(3, EVERYTHING, slots=SLOTS)})["account"]
    assert (second.requests.per_minute, second.slots) == (first.requests.per_minute / 2, 4.0)


def test_a_slice_that_ended_or_was_given_back_is_the_others(tables: tuple[SliceTable, SliceTable]) -> None:
    here, there = tables
    here.renew("a", {"account": Ask(1, EVERYTHING, slots=SLOTS)})
    expire(there, "a")
    assert there.renew("b", {"account": Ask(1, EVERYTHING, slots=SLOTS)})["account"].slots == 8.0
    there.let_go("b", ["account"], before=1)
    assert [each.owner for each in there.slices("account")] == ["b"], "it comes late, and the slice was renewed"
    there.let_go("b", ["account"], before=2)
    assert [each.owner for each in there.slices("account")] == [], "one that ended long ago was forgotten"
    assert here.renew("a", {"account": Ask(2, EVERYTHING, slots=SLOTS)})["account"].slots == 8.0


def test_an_ask_that_was_overtaken_has_no_answer_and_changes_nothing(tables: tuple[SliceTable, SliceTable]) -> None:
    here, _ = tables
    here.renew("a", {"account": Ask(2, EVERYTHING)})
    before = here.slices("account")
    assert here.renew("a", {"account": Ask(1, Wish()), "another": Ask(1, Wish())}).keys() == {"another"}
    assert here.slices("account") == before


def test_processes_that_ask_at_once_never_have_more_than_there_is(
    tables: tuple[SliceTable, SliceTable], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "SLICE_S", 600.0)  # none ends, and nobody is missed, however long a busy machine takes
    monkeypatch.setattr(renewal, "_ALONE_S", 600.0)
    names = ["first", "second", "third"]
    failed: list[Exception] = []

    def ask(owner: str, table: SliceTable) -> None:
        try:
            for number in range(1, 6):
                table.renew(owner, {name: Ask(number, slots=SLOTS) for name in (names if number % 2 else reversed(names))})
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=ask, args=(owner, tables[place % 2])) for place, owner in enumerate("abcd")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert all(sum(each.slots.granted for each in tables[0].slices(name)) <= 8.0 for name in names)
    for number, owner in product((6, 7), "abcd"):  # the first may find that another has all, which it gives back in its own turn
        tables[0].renew(owner, {name: Ask(number, slots=SLOTS) for name in names})
    assert [sum(each.slots.granted for each in tables[0].slices(name)) for name in names] == [8.0] * 3


@pytest.mark.full
def test_a_process_that_stands_still_in_a_transaction_holds_up_the_others_for_less_than_a_slice(
    postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = SliceTable(postgresql), SliceTable(postgresql)
    there.renew("b", {"account": Ask(1, slots=SLOTS)})
    standing, goes_on = threading.Event(), threading.Event()

    def stands_still(account: Account, slices: list[Slice], owner: str, ask: Ask, now: float) -> Renewal | None:
        if owner == "a":
            standing.set()
            goes_on.wait(30.0)
        return renew(account, slices, owner, ask, now)

    monkeypatch.setattr("genlevel.runtime.slices.table.renew", stands_still)
    failed: list[Exception] = []

    def renew_here() -> None:
        try:
            here.renew("a", {"account": Ask(1, slots=SLOTS)})
        except StorageError as error:
            failed.append(error)

    thread = threading.Thread(target=renew_here)
    thread.start()
    assert standing.wait(10.0)
    began = time.monotonic()
    there.renew("b", {"account": Ask(2, slots=SLOTS)})
    assert time.monotonic() - began < 2.5
    goes_on.set()
    thread.join()
    assert len(failed) == 1, "what it would have written is not"
    assert [each.owner for each in there.slices("account")] == ["b"]
    assert here.renew("a", {"account": Ask(2, slots=SLOTS)}), "it goes on"
    here.close()
    there.close()
