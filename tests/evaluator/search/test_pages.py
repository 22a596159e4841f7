"""Blocks, filters and pages find what looking at every answer finds: each once, in order, whatever comes in between."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.search import blocks as blocks_module
from evaluator.search.blocks import Block, Texts, packed, questions_of
from evaluator.search.folding import folded
from evaluator.search.matching import Wanted, matching
from evaluator.search.pages import Order, Page, Position, read, written
from evaluator.search.rightness import Rightness
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.search.answers import TEXTS, is_wanted, position_of, tasks

WANTED = st.builds(
    Wanted,
    st.frozensets(st.sampled_from([outcome.number for outcome in Outcome]), max_size=2),
    st.frozensets(st.sampled_from([int(kind) for kind in Rightness]), max_size=2),
    st.sampled_from([None, 0.0, 25.0, 26.0]),
    st.sampled_from([None, 50.0, 100.0]),
    TEXTS.map(folded),
)


def blocks_of(found):
    """All blocks in order, with their texts."""
    for task in sorted(found):
        best, entries = found[task]
        for number, block in enumerate(packed(entries, best)):
            columns = (block.outcomes, block.rightness, block.scores, block.costs, block.seconds, block.created, block.keys)
            yield Block(task, number, block.answers, block.best, *columns), Texts(block.ends, block.texts)


def page_of(found, wanted, order, limit, after):
    page = Page(order, limit, after)
    for block, texts in blocks_of(found):
        page.take(block, matching(block, wanted, texts))
    return page.rows()


def all_pages(found, wanted, order, limit):
    rows, after = page_of(found, wanted, order, limit, None)
    yield rows
    while after is not None:
        assert read(written(after, "s"), "s") == after
        before = after
        rows, after = page_of(found, wanted, order, limit, before)
        assert after is None or after > before, "it goes on"
        yield rows


@pytest.fixture(autouse=True, scope="module")
def small_blocks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks_module, "MOST_ANSWERS", 3)
        patch.setattr(blocks_module, "MOST_BYTES", 40)
        yield


@settings(deadline=None)
@given(tasks(), WANTED, st.sampled_from(Order), st.integers(1, 4))
def test_pages_together_are_what_looking_at_every_answer_finds(found, wanted, order, limit):
    expected = sorted(
        position_of(task, best, entry, order) for task, (best, entries) in found.items() for entry in entries if is_wanted(entry, wanted)
    )
    pages = list(all_pages(found, wanted, order, limit))
    assert [row.position for rows in pages for row in rows] == expected
    assert all(len(rows) == limit for rows in pages[:-1])


@given(tasks())
def test_a_block_has_what_was_packed(found):
    for task, (best, entries) in found.items():
        packs = list(packed(entries, best))
        told = [(block, place) for block, _texts in blocks_of({task: (best, entries)}) for place in range(block.answers)]
        assert [block.key(place) for block, place in told] == [entry.key for entry in entries]
        assert [block.score(place) for block, place in told] == [entry.score for entry in entries]
        assert [None if block.costs[place] < 0 else block.costs[place] for block, place in told] == [one.cost_nano_usd for one in entries]
        assert [block.created[place] for block, place in told] == [entry.created for entry in entries]
        assert [block.seconds[place] for block, place in told] == [entry.upstream_s for entry in entries]
        assert [question for pack in packs for question in questions_of(pack.questions)] == [entry.question for entry in entries]


@settings(deadline=None)
@given(tasks(), tasks(), st.sampled_from(Order), st.integers(1, 3))
def test_what_is_added_between_pages_neither_repeats_nor_hides_an_answer(found, added, order, limit):
    """Answers come to tasks that had none: no answer of those that were there moves."""
    rows, after = page_of(found, Wanted(), order, limit, None)
    seen = [row.position for row in rows]
    more = {**added, **found}
    while after is not None:
        before = after
        rows, after = page_of(more, Wanted(), order, limit, before)
        assert after is None or after > before, "it goes on"
        seen += [row.position for row in rows]
    assert len(seen) == len(set(seen))
    there = {position_of(task, best, entry, order) for task, (best, entries) in found.items() for entry in entries}
    assert there <= set(seen)


def test_a_position_that_is_broken_or_of_another_search_is_refused():
    whole = written(Position(-2.5, "nlp/a", 3.0, AnswerKey("q1", repeat=2)), "here")
    assert read(whole, "here") == Position(-2.5, "nlp/a", 3.0, AnswerKey("q1", repeat=2))
    with pytest.raises(ValueError, match="of another search"):
        read(whole, "there")
    told = json.loads(base64.urlsafe_b64decode(whole))
    for place, wrong in ((1, "x"), (1, True), (2, 5), (3, None), (4, 7), (5, 1.5), (6, "1")):
        broken = base64.urlsafe_b64encode(json.dumps([*told[:place], wrong, *told[place + 1 :]]).encode()).decode()
        with pytest.raises(ValueError, match="broken"):
            read(broken, "here")
    for text in ("", "é", "x", whole[:-4], whole + "A", base64.b64encode(b"[" * 100_000).decode(), base64.b64encode(b"{}").decode()):
        with pytest.raises(ValueError, match="broken"):
            read(text, "here")


@given(st.text())
def test_no_text_is_taken_for_a_position(text):
    with pytest.raises(ValueError, match="it is"):
        read(text, "here")


def test_numbers_are_those_of_the_contract():
    named = {f"ANSWER_ORDER_{order.name}": int(order) for order in Order if order is not Order.TASK}
    assert named | {"ANSWER_ORDER_UNSPECIFIED": 0} == dict(ev.AnswerOrder.items())
