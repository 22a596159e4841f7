"""Slices of one account, whatever happens to processes, network and database: their sum is within the limit, and the limit is used."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.runtime.limits.feedback import Waiting
from genlevel.runtime.limits.shared import Account, Ask, HeldSlice, Part, Slice, Wish, renew
from tests.runtime.limits.shared.world import Life, Network, Process, World, most_in

SECONDS = 70.0
times = st.floats(0.0, SECONDS)
stretches = st.tuples(times, st.floats(0.1, 12.0)).map(lambda pair: (pair[0], pair[0] + pair[1]))
networks = st.builds(
    Network, late_s=st.sampled_from([0.0, 0.05, 1.0, 4.0]), lost=st.sampled_from([0.0, 0.2]), away=st.lists(stretches, max_size=2)
)


def lives(**limits: float) -> st.SearchStrategy[list[Life]]:
    return st.lists(
        st.builds(
            Life,
            begins_s=st.floats(0.0, 40.0),
            ends_s=st.floats(5.0, 200.0),
            gives_back=st.booleans(),
            stops=st.lists(stretches, max_size=2),
            calls_per_s=st.sampled_from([0.02, 3.0, math.inf]),
            takes_s=st.sampled_from([0.3, 6.0]) if "slots" in limits else st.just(0.0),
            clock_s=st.floats(-1e6, 1e6),
            **{name: st.just(value) for name, value in limits.items()},
        ),
        min_size=1,
        max_size=5,
    )


def usable(process: Process, now: float) -> tuple[float, float]:
    """The rate a minute and the slots that a process may use now, if it moved."""
    held, clock = process.held, process.clock(now)
    if held.granted is None or held.blocked(0, clock) is Waiting.SLICE:
        return 0.0, 0.0
    return held.granted.requests.per_minute, held.granted.slots


@given(rpm=st.sampled_from([3, 60, 200, 6000]), data=st.data())
@settings(max_examples=15)
def test_parts_of_a_limit_are_within_it_at_every_moment_and_calls_in_every_minute(rpm: int, data: st.DataObject) -> None:
    world = World(data.draw(lives(requests_per_minute=rpm)), data.draw(networks), seed=data.draw(st.integers(0, 99)))

    def watch(now: float, living: list[Process]) -> None:
        assert sum(usable(process, now)[0] for process in living) <= rpm

    world.run(SECONDS, watch)
    calls = [call for process in world.processes for call in process.calls]
    assert most_in(60.0, calls) <= rpm + len(world.processes), "as many as may have been saved by those that are gone"
    assert most_in(10.0, calls) <= 1.02 * rpm / 6.0 + 2.0 * len(world.processes)


@given(slots=st.sampled_from([1, 3, 16]), data=st.data())
@settings(max_examples=15)
def test_slots_are_within_the_limit_at_every_moment(slots: int, data: st.DataObject) -> None:
    world = World(data.draw(lives(slots=slots)), data.draw(networks), seed=data.draw(st.integers(0, 99)))

    def watch(now: float, living: list[Process]) -> None:
        assert sum(usable(process, now)[1] for process in living) <= slots

    world.run(40.0, watch)


def calls_of(world: World, *, since_s: float = 0.0, to_s: float = math.inf) -> list[float]:
    return [call for process in world.processes for call in process.calls if since_s <= call - 1000.0 < to_s]


@pytest.mark.parametrize(("rpm", "count"), [(6000, 1), (6000, 4), (200, 4), (60, 4), (20, 8)])
def test_a_limit_is_used_by_however_many_there_are_each_with_its_part(rpm: int, count: int) -> None:
    world = World([Life(requests_per_minute=rpm)] * count)
    world.run(130.0)
    assert len(calls_of(world, since_s=10.0)) >= 0.95 * rpm * 2.0
    assert most_in(60.0, calls_of(world)) <= rpm
    assert most_in(10.0, calls_of(world)) <= 1.02 * rpm / 6.0 + 2.0
    each = [len(process.calls) for process in world.processes]
    assert max(each) - min(each) <= 0.25 * max(each) + 2


def test_a_limit_is_used_while_processes_join_and_leave() -> None:
    world = World([Life(requests_per_minute=6000, begins_s=begins, ends_s=begins + 45.0, gives_back=True) for begins in (0, 10, 20, 30)])
    world.run(60.0)
    assert len(calls_of(world, since_s=5.0)) >= 0.95 * 100 * 55.0
    assert most_in(10.0, calls_of(world)) <= 1.02 * 1000


def test_what_one_does_not_want_the_others_have() -> None:
    world = World([Life(requests_per_minute=6000, calls_per_s=5.0), Life(requests_per_minute=6000), Life(requests_per_minute=6000)])
    world.run(30.0)
    few, *many = [len([call for call in process.calls if call >= 1010.0]) for process in world.processes]
    assert few == pytest.approx(5 * 20, abs=3)
    assert min(many) >= 0.43 * 100 * 20


def test_a_call_of_a_process_that_was_idle_waits_for_about_a_second_at_most() -> None:
    world = World([Life(requests_per_minute=6000), Life(requests_per_minute=6000, begins_s=20.0)])
    world.run(25.0)
    assert world.processes[1].calls[0] - 1020.0 <= 1.5
    assert len(calls_of(world, since_s=23.0, to_s=24.0)) >= 90


def test_a_dead_process_leaves_its_part_when_its_slice_ends() -> None:
    world = World([Life(requests_per_minute=6000), Life(requests_per_minute=6000, ends_s=10.0)])
    world.run(20.0)
    assert len(calls_of(world, since_s=11.0, to_s=12.5)) <= 80, "nobody can know yet"
    assert len(calls_of(world, since_s=14.5, to_s=19.5)) >= 95 * 5


def test_while_the_database_is_away_slices_end_and_calls_wait() -> None:
    world = World([Life(requests_per_minute=6000, slots=10, takes_s=5.0)] * 3, Network(away=[(10.0, 20.0)]))
    most = 0

    def watch(now: float, living: list[Process]) -> None:
        nonlocal most
        most = max(most, sum(process.in_flight(now) for process in living))
        if 14.0 <= now - 1000.0 < 20.0:
            assert {process.waits for process in living} == {Waiting.SLICE}

    world.run(40.0, watch)
    assert not calls_of(world, since_s=13.1, to_s=20.0)
    assert len(calls_of(world, since_s=24.0)) >= 0.9 * 2 * 16
    assert most == 10, "calls that outlived the outage have their slots until they end"


@pytest.mark.parametrize(("slots", "takes_s"), [(64, 1.0), (10, 5.0), (3, 0.2), (1, 1.0)])
def test_slots_are_used_and_go_round(slots: int, takes_s: float) -> None:
    world = World([Life(slots=slots, takes_s=takes_s)] * 4)
    busy = steps = 0

    def watch(now: float, living: list[Process]) -> None:
        nonlocal busy, steps
        in_flight = sum(process.in_flight(now) for process in living)
        assert in_flight <= slots
        busy, steps = busy + in_flight, steps + 1

    world.run(90.0, watch)
    assert busy >= 0.9 * slots * steps
    assert all(process.calls for process in world.processes)


def test_calls_a_minute_and_slots_hold_together() -> None:
    world = World([Life(requests_per_minute=7200, slots=160, takes_s=1.3)] * 4)
    most = 0

    def watch(now: float, living: list[Process]) -> None:
        nonlocal most
        most = max(most, sum(process.in_flight(now) for process in living))

    world.run(40.0, watch)
    assert most <= 160
    assert 0.95 * 120 * 30 <= len(calls_of(world, since_s=10.0)) <= 1.02 * 120 * 30


@pytest.mark.parametrize(
    ("tpm", "tokens", "least"), [(60_000, 100, 0.95), (60_000, 2_000, 0.94), (10_000, 2_000, 0.75), (1_000, 2_000, 0.7)]
)
def test_tokens_are_kept_and_used_even_if_a_call_takes_more_than_a_part_has(tpm: int, tokens: int, least: float) -> None:
    world = World([Life(tokens_per_minute=tpm, tokens=tokens)] * 4)
    world.run(310.0)
    assert len(calls_of(world, since_s=10.0)) * tokens >= least * tpm * 5.0
    assert most_in(300.0, calls_of(world)) * tokens <= 5.0 * tpm + tokens


def test_the_lowest_of_the_limits_that_processes_know_holds() -> None:
    world = World([Life(requests_per_minute=6000, ends_s=30.0, gives_back=True), Life(requests_per_minute=600), Life()])
    world.run(25.0)
    assert 0.9 * 10 * 20 <= len(calls_of(world, since_s=5.0)) <= 10 * 20 + 10, "the one that knows of none, too"


def test_a_process_that_knows_of_no_limit_goes_on_without_a_database() -> None:
    free, bound = HeldSlice(0.0), HeldSlice(0.0, requests_per_minute=600)
    for held in (free, bound):
        held.ask(0.0, in_flight=0, waiting=1)
        assert held.blocked(0, 0.0) is Waiting.SLICE, "another may have told the database of one"
        held.unanswered()
    assert free.blocked(0, 2.0) is None
    assert bound.blocked(0, 2.0) is Waiting.SLICE


def ask(number: int, *, closed: bool = False, using: float = 0.0) -> Ask:
    return Ask(number, requests=Wish(600.0, math.inf, need=1.0, using=using), closed=closed)


def test_while_one_finds_that_the_account_takes_no_calls_it_alone_tries() -> None:
    account, slices = Account(), dict[str, Slice]()

    def told(owner: str, asked: Ask, now: float) -> bool:
        nonlocal account
        renewal = renew(account, list(slices.values()), owner, asked, now)
        assert renewal is not None
        account, slices[owner] = renewal.account, renewal.slice
        return renewal.grant.paused

    assert not told("b", ask(1, closed=True), 100.0)
    assert told("a", ask(1), 100.1)
    assert told("a", ask(2, closed=True), 101.0), "it found it later"
    assert not told("b", ask(2, closed=True), 101.1)
    assert not told("b", ask(3), 102.0) or told("a", ask(3), 102.1) is False
    assert not told("a", ask(4), 102.2), "it takes some again"


def test_an_ask_that_comes_late_changes_nothing() -> None:
    newest = renew(Account(), [], "a", ask(5), 100.0)
    assert newest is not None
    assert renew(newest.account, [newest.slice], "a", ask(4), 101.0) is None


def test_if_the_database_s_clock_is_set_back_what_the_dead_had_is_free_when_they_would_have_stopped() -> None:
    account, slices = Account(), dict[str, Slice]()

    def told(owner: str, number: int, now: float) -> float:
        nonlocal account
        renewal = renew(account, list(slices.values()), owner, Ask(number, slots=Wish(8.0, 20.0)), now)
        assert renewal is not None
        account, slices[owner] = renewal.account, renewal.slice
        return renewal.grant.slots

    assert (told("dead", 1, 5000.0), told("b", 1, 5000.5)) == (8.0, 0.0)
    assert [told("b", number, 1000.0 + number) for number in (2, 3, 4)] == [0.0] * 3, "it may live, and use it"
    assert told("b", 5, 1005.1) == 8.0
    assert told("c", 1, 1005.2) == 0.0


def test_who_has_not_heard_that_it_is_to_use_less_is_counted_with_what_it_had() -> None:
    first = renew(Account(), [], "a", ask(1), 100.0)
    assert first is not None
    other = Part(600.0, math.inf, 1.0, 0.0, 0.0, 0.0)
    waits = Slice("b", 1, 103.0, 0.0, 0.0, 0.0, other, other, other)
    whole = first.grant.requests.per_minute
    second = renew(first.account, [first.slice, waits], "a", ask(2, using=whole), 101.0)
    assert second is not None
    assert (second.slice.requests.granted, second.slice.requests.counted) == (whole / 2, whole)
    third = renew(second.account, [second.slice, waits], "a", ask(3, using=whole / 2), 102.0)
    assert third is not None
    assert third.slice.requests.counted == whole / 2
