"""What a member keeps and is given, by the rules alone."""

from __future__ import annotations

import asyncio

import pytest

from evaluator.sharing.allotment import NO_CAP, Allotment, Ask, Stake, allotted, asked
from evaluator.sharing.excesses import NO_EXCESS, NOTHING_TAUGHT, Taught, all_wrong, highest, read, written
from evaluator.sharing.purse import Account
from evaluator.sharing.purse_table import Answer
from evaluator.traffic.budget import NONE, Amount, Bill, Budget, Standing, Wrong
from evaluator.traffic.purses import Excess

SPENT = Amount(100, 0)


def usd(amount):
    return Amount(amount, 0)


def ask(limit=0, *, bound=None, committed=0, first=None, least=None, waiting=0, wants=0, spare=0):
    """What a member asks for, of money alone; it knows of no cap on tokens."""
    return Ask(
        Amount(limit, NO_CAP),
        Amount(max(limit, committed) if bound is None else bound, 0),
        usd(committed),
        None if first is None else usd(first),
        None if first is None else usd(first if least is None else least),
        usd(waiting or first or 0),
        usd(wants or waiting or first or 0),
        usd(spare),
        NOTHING_TAUGHT,
    )


def stake(granted, committed=0, *, wanting=False):
    return Stake(Amount(granted, NO_CAP), usd(committed), wanting)


def given(told, asking):
    return told.limits[0] - asking.limit[0]


def told_of(asking, cap=1000, others=()):
    return allotted(asking, (cap, None), SPENT, others)


def test_all_that_is_granted_and_spent_is_never_more_than_the_cap():
    asking = ask(50, first=2000, least=850, waiting=2000)
    told = told_of(asking)
    assert (told.granted.nano_usd, told.limits) == (900, (900, None)), "100 are spent already, and 50 it had"
    assert told_of(ask(50, first=851)).granted.nano_usd == 50
    told = told_of(ask(50, first=850), others=[stake(1)])
    assert (told.granted.nano_usd, told.wanting, told.ceilings) == (50, True, (900, None)), "the other's may come back"


def test_a_part_that_serves_no_call_is_not_given():
    assert given(told_of(told := ask(0, first=901)), told) == 0
    assert given(told_of(told := ask(0, first=901, least=900)), told) == 900
    assert given(told_of(told := ask(0, first=10, waiting=500, wants=700)), told) == 700


def test_whoever_comes_gets_half_an_equal_part_of_what_is_free_so_that_others_get_some():
    assert given(told_of(told := ask()), told) == 450
    assert given(told_of(told := ask(spare=400)), told) == 50
    assert given(told_of(told := ask(spare=451)), told) == 0
    others = [stake(0), stake(0)]
    assert given(told_of(told := ask(), others=others), told) == 150
    assert given(told_of(told := ask(first=1), others=others), told) == 150
    assert given(told_of(told := ask(first=1, waiting=200), others=others), told) == 200


def test_while_another_waits_an_idle_member_gets_nothing_and_a_busy_one_a_fair_part():
    want = stake(100, 100, wanting=True)
    assert given(told_of(told := ask(wants=50), others=[want]), told) == 0
    told = told_of(asking := ask(100, committed=100, first=10, waiting=5000), others=[want])
    assert (told.fair, given(told, asking)) == ((350, 0), 350)
    told = told_of(asking := ask(100, committed=100, first=600, waiting=5000), others=[want])
    assert given(told, asking) == 600, "more, if a single call needs it and it is there"


def test_what_others_have_spent_lowers_what_could_ever_fit():
    told = told_of(ask(), others=[stake(500, 300), stake(40, 40)])
    assert (told.ceilings, told.final) == ((560, None), False)
    assert told_of(ask(), others=[stake(300, 300)]).final
    assert told_of(ask()).final


def test_a_lowered_cap_takes_back_what_is_not_in_flight():
    told = told_of(asking := ask(400, bound=420, committed=100, first=10), cap=500, others=[stake(300, 0)])
    assert (told.overdrawn, told.fair, given(told, asking), told.granted) == (True, (150, 0), 0, (420, NO_CAP))
    standing = Standing(usd(100), usd(320), usd(330), usd(10), None, None, NONE)
    again = asked(standing, (400, None), told, NOTHING_TAUGHT)
    assert (again.limit, again.bound) == ((250, NO_CAP), (420, 0)), "calls in flight may end"


def test_nothing_is_granted_while_another_spends_without_a_cap_that_it_knows_of():
    told = told_of(asking := ask(50, first=10), others=[Stake(Amount(NO_CAP, NO_CAP), NONE, wanting=False)])
    assert (given(told, asking), told.overdrawn, told.wanting, told.final) == (0, False, True, False)


def test_who_did_not_know_of_a_cap_gets_nothing_before_it_has_said_what_it_spent():
    standing = Standing(usd(70), usd(30), usd(45), usd(15), usd(5), usd(5), usd(5))
    asking = asked(standing, (None, None), None, NOTHING_TAUGHT)
    told = told_of(asking)
    assert (told.granted, told.limits) == ((NO_CAP, NO_CAP), (100, None))
    asking = asked(standing, told.limits, told, NOTHING_TAUGHT)
    assert (asking.limit, asking.bound, asking.first, asking.spare) == ((100, NO_CAP), (100, 0), (20, 0), (0, 0))
    assert told_of(asking).granted == (500, NO_CAP), "half of the 800 that are left"
    assert asked(standing, (130, None), told, NOTHING_TAUGHT).spare == (15, 0)


def test_a_cap_that_is_gone_leaves_no_limit():
    told = allotted(ask(50, first=10), (None, None), SPENT, [stake(10)])
    assert (told.granted, told.limits, told.ceilings) == ((NO_CAP, NO_CAP), (None, None), (None, None))


def test_what_was_billed_above_its_worst_case_does_not_keep_a_member_from_asking():
    standing = Standing(usd(170), NONE, NONE, NONE, usd(20), usd(20), usd(20))
    asking = asked(standing, (100, None), None, NOTHING_TAUGHT)
    assert (asking.limit, asking.bound, asking.first) == ((170, NO_CAP), (170, 0), (20, 0))
    assert told_of(asking).limits[0] >= 190
    wanted = told_of(asking, others=[stake(0, wanting=True)])
    assert asked(standing, (100, None), wanted, NOTHING_TAUGHT).limit == (170, NO_CAP)


@pytest.mark.parametrize(
    ("held", "one", "kept"),
    [(0, 0, 100), (40, 0, 140), (90, 0, 160), (90, 70, 170), (90, 90, 190)],
    ids=["all that is free", "what its calls hold", "a fair part", "or one call", "or one dear call"],
)
def test_what_is_kept_when_others_want_it(held, one, kept):
    told = Allotment(NONE, (None, None), (None, None), True, usd(60), True, False, False)
    standing = Standing(usd(100), NONE, usd(held), usd(one), None, None, NONE)
    assert asked(standing, (500, None), told, NOTHING_TAUGHT).limit == (kept, NO_CAP)
    assert asked(standing, (500, None), told._replace(others_want=False), NOTHING_TAUGHT).limit == (500, NO_CAP)
    overdrawn = told._replace(overdrawn=True)
    assert asked(standing, (500, None), overdrawn, NOTHING_TAUGHT).limit == (100 + min(held, 60), NO_CAP)


def test_tokens_are_shared_as_money_is_and_a_call_needs_both():
    asking = Ask(NONE, NONE, NONE, Amount(10, 20), Amount(10, 20), Amount(10, 20), Amount(10, 20), NONE, NOTHING_TAUGHT)
    told = allotted(asking, (1000, 19), NONE, [])
    assert (told.granted, told.wanting) == (NONE, True)
    told = allotted(asking, (1000, 20), NONE, [])
    assert (told.granted, told.limits, told.wanting) == ((500, 20), (500, 20), False)


def test_who_gives_back_spends_no_more_from_then_on_though_no_answer_has_come():
    account = Account("m", Budget())
    assert account.budget.limits == (0, 0), "before it is told"
    told = allotted(account.ask(), (1000, None), SPENT, [stake(100, 100, wanting=True)])
    account.take(Answer(told._replace(limits=(400, None)), NO_EXCESS))
    account.budget.take("m", "t", usd(50))
    assert account.ask().limit == (50, NO_CAP)
    assert account.budget.limits == (50, None)
    assert account.budget.take("m", "t", usd(1)) is None


async def test_a_standing_tells_what_waits_and_what_is_held():
    budget = Budget(100)
    assert budget.standing == Standing(NONE, NONE, NONE, NONE, None, None, NONE)
    begun, idle = budget.take("m", "t", usd(30)), budget.take("m", "t", usd(50))
    budget.begin(begun)
    waiting = [asyncio.create_task(budget.reserve("m", "t", usd(worst))) for worst in (60, 25)]
    await asyncio.sleep(0)
    assert budget.standing == Standing(NONE, usd(30), usd(80), usd(50), usd(60), usd(25), usd(85))
    budget.cancel(idle)
    budget.settle(begun, Bill(5, 0))
    await asyncio.gather(*waiting)
    assert budget.standing == Standing(usd(5), NONE, usd(85), usd(60), None, None, NONE)


async def test_a_call_waits_as_long_as_others_may_give_back_and_no_longer():
    budget, told = Budget(10), []
    budget.on_short = lambda: told.append(1)
    budget.share((10, None), (50, None))
    waiting = asyncio.create_task(budget.reserve("m", "t", usd(40)))
    await asyncio.sleep(0)
    assert told, "it is said that money is short"
    with pytest.raises(Exception, match="does not allow"):
        budget.take("m", "t", usd(51))
    budget.share((10, None), (39, None), final=False)
    with pytest.raises(Exception, match="does not allow") as refused:
        await waiting
    assert not refused.value.exhausted
    budget.share((0, None), (0, None), final=False)
    with pytest.raises(Exception, match="does not allow") as refused:
        budget.take("m", "t", usd(1))
    assert not refused.value.exhausted, "calls of others may turn out cheaper than they count"
    budget.share((0, None), (0, None))
    with pytest.raises(Exception, match="does not allow") as refused:
        budget.take("m", "t", usd(1))
    assert refused.value.exhausted


def test_what_others_learn_raises_the_worst_cases_of_calls_that_are_open():
    budget, told = Budget(1000), []
    budget.on_short = lambda: told.append(1)
    first, second = budget.take("m", "t", usd(10)), budget.take("m", "t", usd(10))
    budget.learn("m", (Excess(10.0, 120), None))
    assert (first.held, budget.held, budget.take("m", "t", usd(20)).held) == ((240, 0), (480, 0), (400, 0))
    budget.learn("m", (Excess(5.0, 60), None))
    assert second.held == (240, 0), "the highest stays"
    assert told == []
    budget.begin(first)
    budget.settle(first, Bill(300, 0))
    assert (told, budget.excesses("m")) == ([1], (Excess(30.0, 300), None))


def test_what_bills_have_taught_is_written_as_text():
    known = Taught((Excess(2.5, 30), None), (Wrong("m", 12, 30, 2), Wrong()))
    assert read(written(known)) == known
    assert read(written(Taught((None, Excess(1.5, 4))))) == Taught((None, Excess(1.5, 4)))
    assert written(NOTHING_TAUGHT) == written(Taught(NO_EXCESS, (Wrong(), Wrong()))) == ""
    assert read("") == NOTHING_TAUGHT
    assert highest([known.excesses, NO_EXCESS, (Excess(2.0, 70), Excess(1.5, 4))]) == (Excess(2.5, 70), Excess(1.5, 4))
    further = Taught(NO_EXCESS, (Wrong("n", 10, 29, 3), Wrong("n", 1, 2, 1)))
    assert all_wrong([known, NOTHING_TAUGHT, further]) == (Wrong("n", 10, 29, 5), Wrong("n", 1, 2, 1))
