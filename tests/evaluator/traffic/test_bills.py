"""What is known of a bill, and what is surely not within a limit."""

from __future__ import annotations

import pytest

from evaluator.journal.usage import Usage
from evaluator.traffic.bills import FRESH, Took, bill_of, bill_of_failure, is_surely_longer
from evaluator.traffic.budget import NOTHING, Amount, Bill
from genlevel.runtime.errors import CallFailed
from genlevel.v1 import gateway_pb2 as gw

USED = Usage(input_tokens=30, output_tokens=4)


@pytest.mark.parametrize(
    ("text", "most", "longer"),
    [
        ("A", 1, False),
        ("one two three", 3, False),
        ("one two three four", 3, True),
        ("?!... --- ...", 3, False),
        ("x" * 24, 3, False),
        ("x" * 25, 3, True),
        ("word " * 1_000, 0, False),
        ("", 5, False),
    ],
)
def test_a_text_is_surely_longer_than_a_limit_by_its_words_or_its_bytes(text, most, longer):
    assert is_surely_longer(text, most) is longer


def test_an_answer_that_says_nothing_or_not_all_has_no_bill():
    def bill(usage=USED, *, priced=True, **fields):
        return bill_of(gw.GenerateResponse(**fields), usage, priced=priced)

    assert bill(cost_nano_usd=7) == (7, 34)
    assert bill(cost_nano_usd=0) == (0, 34)
    assert bill() == (None, 34)
    assert bill(Usage(output_images=1), cost_nano_usd=7) == (7, None)
    assert bill(priced=False) == (0, 34)
    assert bill(Usage(), priced=False) == (0, None)
    assert bill(priced=False, usage_incomplete=True) == (0, None)


def test_a_failure_is_billed_if_it_may_be_charged():
    def bill(*, priced=True, **facts):
        return bill_of_failure(CallFailed(gw.ERROR_CLASS_TRANSIENT, "", **facts), priced=priced)

    assert bill() == bill(priced=False) == NOTHING
    assert bill(may_be_charged=True) == (None, None)
    assert bill(may_be_charged=True, priced=False) == (0, None)
    assert bill(may_be_charged=True, cost_nano_usd=5, usage=gw.Usage(input_tokens=9)) == (5, 9)


def test_what_calls_took_adds_up_and_what_is_not_known_stays_apart():
    worst, sure = Amount(100, 50), (True, True)
    took = FRESH.and_call(NOTHING, Usage(), worst, priced=True, bounded=sure)
    assert (took.cost_nano_usd, took.charged) == (0, 0), "surely nothing, and that is known"
    assert FRESH.and_call(NOTHING, Usage(), worst, priced=False, bounded=sure) == FRESH
    took = took.and_call(Bill(7, 34), USED, worst, priced=True, bounded=sure)
    took = took.and_call(Bill(None, None), Usage(input_tokens=20), worst, priced=True, bounded=sure)
    assert took == Took(Usage(input_tokens=50, output_tokens=4), 7, 1, 100, 30, 0.0, 2, 107, 84)
    took = took.and_call(Bill(250, 50), Usage(), worst, priced=True, bounded=(False, False))
    assert (took.excess, took.unknown_nano_usd, took.most_nano_usd) == (2.5, 100, 357), "a bill needs no bound"
    took = took.and_call(Bill(None, 75), Usage(), worst, priced=True, bounded=(False, True))
    assert (took.excess, took.unknown_calls, took.unknown_nano_usd, took.most_nano_usd) == (2.5, 2, None, None)
    assert (took.unknown_tokens, took.most_tokens) == (30, 84 + 50 + 75)
    unpriced = FRESH.and_call(Bill(0, None), Usage(), Amount(0, 50), priced=False, bounded=sure)
    assert (unpriced.cost_nano_usd, unpriced.unknown_calls, unpriced.unknown_nano_usd, unpriced.unknown_tokens) == (None, 1, 0, 50)
    assert FRESH.and_call(Bill(3, 1), Usage(), Amount(0, 50), priced=True, bounded=sure).excess == 1.0, "what should be free"
