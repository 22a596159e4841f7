"""Batches in the journal: items are their own notes of open calls, and end with their answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluator.journal.batch_records import BatchItem, BatchRecord, BatchStep, ItemEnd, ItemState, Standing
from evaluator.journal.journal import Journal
from evaluator.journal.records import Answer
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import StorageError


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def journal(request, tmp_path):
    opened = Journal(f"sqlite:///{tmp_path}/j.db" if request.param == "sqlite" else request.getfixturevalue("postgresql"))
    yield opened
    opened.close()


def item(number, instance=None, *, batch=1, tries=0, nano_usd=100):
    return BatchItem("r", number, batch, "t", instance or f"i{number}", 0, 0, 0, ItemState.OPEN, tries, "h", 0, nano_usd, 50, 20)


def ended(of, outcome=Outcome.ANSWERED, text="A"):
    return Answer("r", "t", of.instance_id, outcome, raw_answer=text, cost_nano_usd=30)


BATCH = BatchRecord("r", 1, "key", "openai", BatchStep.FILLING, 5.0)


async def test_what_waits_counts_as_open_calls_until_its_answer_is_there(journal):
    await journal.batches.begin(BATCH)
    await journal.batches.add([item(1), item(2)])
    cost = journal.totals("r").cost
    assert (cost.unknown_calls, cost.most_nano_usd) == (2, 200)
    assert journal.totals("r", batches=False).cost.unknown_calls == 0
    assert journal.spending("r", "m", "") == []
    await journal.batches.end([ItemEnd(item(1), ItemState.ENDED, ended(item(1), text="with a \0"))])
    totals = journal.totals("r")
    assert (totals.outcomes, totals.cost.nano_usd, totals.cost.unknown_calls, totals.cost.most_nano_usd) == (
        {Outcome.ANSWERED: 1},
        30,
        1,
        130,
    )
    assert [one.number for one in journal.batches.open_items("r", 1)] == [2]
    assert (journal.batches.count_items("r", 1), journal.batches.last_numbers("r")) == (2, (1, 2))
    assert journal.batches.open_keys("r", "t", [AnswerKey("i1"), AnswerKey("i2"), AnswerKey("i3")]) == {AnswerKey("i2")}


async def test_a_bound_that_is_not_known_is_none(journal):
    await journal.batches.add([item(1), item(2, nano_usd=None)])
    assert journal.totals("r").cost.most_nano_usd is None
    await journal.batches.add([item(3, nano_usd=0)])
    journal.set_priced("r")
    assert [one.nano_usd for one in journal.batches.open_items("r", 1)] == [100, None, None]


async def test_an_item_ends_with_its_answer_or_not_at_all(journal):
    await journal.batches.add([item(1)])
    broken = ended(item(1))._replace(outcome=Outcome.ANSWERED, attempts=2**70)
    with pytest.raises(StorageError):
        await journal.batches.end([ItemEnd(item(1), ItemState.ENDED, broken)])
    assert (len(journal.batches.open_items("r", 1)), journal.totals("r").outcomes) == (1, {})


async def test_tries_are_kept_until_an_item_is_asked_anew(journal):
    await journal.batches.begin(BATCH)
    await journal.batches.add([item(1), item(2)])
    failed = ended(item(1), Outcome.FAILED)
    await journal.batches.end([ItemEnd(item(1), ItemState.AGAIN, failed), ItemEnd(item(2), ItemState.RETURNED)])
    assert journal.batches.to_ask_again("r") == {("t", AnswerKey("i1")): 1}
    await journal.batches.begin(replace(BATCH, number=2))
    await journal.batches.add([item(3, "i1", batch=2, tries=1)])
    assert journal.batches.to_ask_again("r") == {}, "it is being asked"
    await journal.batches.close(replace(BATCH, number=2))
    assert journal.batches.to_ask_again("r") == {("t", AnswerKey("i1")): 1}, "the batch was not taken"
    await journal.batches.add([item(4, "i1", batch=3, tries=1)])
    await journal.batches.end([ItemEnd(item(4, "i1", batch=3, tries=1), ItemState.RETURNED)])
    assert journal.batches.to_ask_again("r") == {("t", AnswerKey("i1")): 1}
    await journal.batches.add([item(5, "i1", batch=4, tries=1)])
    await journal.batches.end([ItemEnd(item(5, "i1", batch=4, tries=1), ItemState.AGAIN, failed)])
    assert journal.batches.to_ask_again("r") == {("t", AnswerKey("i1")): 2}
    assert journal.totals("r").cost.nano_usd == 60, "each try was paid"


async def test_batches_go_on_step_by_step_and_are_told_together(journal):
    await journal.batches.begin(BATCH)
    assert (journal.batches.open("r"), journal.batches.standing("r")) == ([BATCH], None)
    waits = replace(BATCH, state=BatchStep.WAITS, batch_id="b1", items=10, answered=12, expires=9.0)
    await journal.batches.change(waits)
    await journal.batches.begin(replace(BATCH, number=2, state=BatchStep.HANDED_OVER, items=5))
    assert journal.batches.standing("r") == Standing("openai", 2, 15, 10, 9.0, 0)
    assert journal.batches.open_ids() == {"b1"}
    journal.batches.want_cancelled("r", wanted=True)
    await journal.batches.change(waits)
    assert journal.batches.standing("r").cancelling == 2, "what a person wants stays"
    assert journal.batches.to_cancel() == ["r"]
    journal.batches.want_cancelled("r", wanted=False)
    await journal.batches.close(waits)
    await journal.batches.close(replace(BATCH, number=2))
    assert (journal.batches.open("r"), journal.batches.to_cancel()) == ([], [])


async def test_what_was_copied_and_left_goes_with_its_batches(journal):
    await journal.batches.begin(BATCH)
    await journal.batches.add([item(1)])
    journal.clear("r")
    assert (journal.batches.open("r"), journal.batches.count_items("r", 1)) == ([], 0)
