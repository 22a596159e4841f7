"""How the members of a run share its money, as values: what one keeps, and what it is given of what is free.

The rule that holds the cap: what each member may spend at most, as the table has it, and what is spent already, are never more than the cap
together, unless it was lowered or a bill was above its worst case. A member lowers its own limit before the table does, and the table rises
before the member's own limit does: a lost answer leaves the table too high, never too low.

All amounts are pairs: nano-dollars and tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from evaluator.sharing.excesses import Taught
from evaluator.traffic.budget import NONE, Amount, Caps, Standing

NO_CAP = -1
"""What a member is granted that knows of no cap."""

UNITS = (0, 1)


class Ask(NamedTuple):
    """What a member says of itself and wants.

    limit: what it may spend now by its own budget; NO_CAP: it knows of no cap. bound: what it may spend at most with that limit, as calls
    in flight end that had begun before. committed: what it has spent, calls of unknown fate included. first, least: how much more the first
    call that waits needs, and the cheapest one; None: none waits. waiting: how much more all that wait need. wants: how much more it can
    use soon. spare: what it has and no call holds. taught: by bills.
    """

    limit: Amount
    bound: Amount
    committed: Amount
    first: Amount | None
    least: Amount | None
    waiting: Amount
    wants: Amount
    spare: Amount
    taught: Taught


class Stake(NamedTuple):
    """Another member that lives, by the table. wanting: a call of its waits for money that others may have to spare."""

    granted: Amount
    committed: Amount
    wanting: bool


class Allotment(NamedTuple):
    """What a member is told.

    granted: what the table has for it from now on. limits: of its budget; None = no cap. ceilings: what those could be if no call in flight
    of others cost anything; None = as the limit. final: no call of others is in flight, nor has one money to spare. fair: what each member
    could hold if all that is not spent were divided. others_want: another waits for money. overdrawn: more is granted than there is.
    wanting: it did not get what its calls wait for.
    """

    granted: Amount
    limits: Caps
    ceilings: Caps
    final: bool
    fair: Amount
    others_want: bool
    overdrawn: bool
    wanting: bool


def asked(standing: Standing, limits: Caps, last: Allotment | None, taught: Taught) -> Ask:
    """What a member asks for; from now on its limits are those of the result.

    limits: of its budget. last: what it was told before. It keeps what it has unless others want it; then only what its calls hold, and not
    more than a fair part if it can do with that.
    """
    kept = [_kept(standing, limit, last, unit) for unit, limit in zip(UNITS, limits, strict=True)]
    limit = Amount(*kept)
    committed, held = standing.committed, standing.held
    used = plus(committed, held)

    def more(amount: Amount) -> Amount:
        return Amount(*(0 if limit[unit] == NO_CAP else max(0, used[unit] + amount[unit] - limit[unit]) for unit in UNITS))

    return Ask(
        limit,
        Amount(*(max(limit[unit], committed[unit] + standing.begun[unit]) for unit in UNITS)),
        committed,
        None if standing.first is None else more(standing.first),
        None if standing.least is None else more(standing.least),
        more(standing.waiting),
        more(plus(plus(held, standing.waiting), standing.waiting)),
        Amount(*(max(0, limit[unit] - used[unit]) for unit in UNITS)),
        taught,
    )


def allotted(ask: Ask, caps: Caps, spent: Amount, others: Sequence[Stake]) -> Allotment:
    """What a member is given. caps: of the run. spent: before and beside all members that live, at most. others: those that live."""
    known = [[one.granted[unit] for one in others if one.granted[unit] != NO_CAP] for unit in UNITS]
    hidden = [any(one.granted[unit] == NO_CAP for one in others) for unit in UNITS]
    elsewhere = plus(spent, total(one.committed for one in others))
    left = [_less(cap, elsewhere[unit] + ask.committed[unit]) for unit, cap in zip(UNITS, caps, strict=True)]
    free = [_less(cap, spent[unit] + sum(known[unit]) + ask.bound[unit]) for unit, cap in zip(UNITS, caps, strict=True)]
    overdrawn = any(amount is not None and amount < 0 for amount in free)
    free = [min(amount, 0) if amount is not None and hidden[unit] else amount for unit, amount in zip(UNITS, free, strict=True)]
    members = 1 + len(others)
    fair = Amount(*(0 if amount is None else max(0, amount) // members for amount in left))
    others_want = any(one.wanting for one in others)
    given = _given(ask, free, fair, members, others_want=others_want)
    return Allotment(
        granted=Amount(*(NO_CAP if caps[unit] is None or ask.limit[unit] == NO_CAP else ask.bound[unit] + given[unit] for unit in UNITS)),
        limits=_pair(None if cap is None else _limit(ask, unit) + given[unit] for unit, cap in zip(UNITS, caps, strict=True)),
        ceilings=_pair(_less(cap, elsewhere[unit]) for unit, cap in zip(UNITS, caps, strict=True)),
        final=all(caps[unit] is None or one.granted[unit] == one.committed[unit] for one in others for unit in UNITS),
        fair=fair,
        others_want=others_want,
        overdrawn=overdrawn,
        wanting=ask.first is not None and any(free[unit] is not None and ask.waiting[unit] > given[unit] for unit in UNITS),
    )


def _kept(standing: Standing, limit: int | None, last: Allotment | None, unit: int) -> int:
    """What a member goes on with of one thing, before it asks."""
    if limit is None:
        return NO_CAP
    committed = standing.committed[unit]
    if last is None or not (last.others_want or last.overdrawn):
        return max(limit, committed)
    enough = min(standing.held[unit], last.fair[unit])
    if not last.overdrawn:  # else a call that waits for its permit for long would never begin
        enough = max(enough, standing.one[unit])
    return max(committed, min(limit, committed + enough))


def _given(ask: Ask, free: Sequence[int | None], fair: Amount, members: int, *, others_want: bool) -> Amount:
    """How much more a member may spend. free: what nobody may spend; None = no cap, below 0 = less than that."""

    def there(amount: Amount) -> bool:
        return all(left is None or more <= max(0, left) for more, left in zip(amount, free, strict=True))

    if any(left is not None and ask.bound[unit] > ask.limit[unit] for unit, left in zip(UNITS, free, strict=True)):
        return NONE  # more is in flight than it is to have, or there was no cap that it knew of
    if ask.first is None:
        return NONE if others_want else Amount(*(_portion(ask, unit, free[unit], members) for unit in UNITS))
    needed = next((one for one in (ask.first, ask.least) if one is not None and there(one)), None)
    if needed is None:
        return NONE  # a part of what a call needs would serve nobody
    given = [_portion(ask, unit, free[unit], members) for unit in UNITS]
    if others_want:
        given = [min(one, max(0, fair[unit] - (ask.bound[unit] - ask.committed[unit]))) for unit, one in zip(UNITS, given, strict=True)]
    return Amount(*(0 if free[unit] is None else max(given[unit], needed[unit]) for unit in UNITS))


def _limit(ask: Ask, unit: int) -> int:
    """What a member may spend before it is given more; what it has spent and is in flight, if it knew of no cap."""
    return ask.bound[unit] if ask.limit[unit] == NO_CAP else ask.limit[unit]


def _portion(ask: Ask, unit: int, free: int | None, members: int) -> int:
    """What is wanted of what is free, and so much that half of an equal part is spare, so that it need not be asked for often."""
    if free is None or free <= 0:
        return 0
    return min(free, max(ask.wants[unit], free // (2 * members) - ask.spare[unit]))


def plus(one: Amount, other: Amount) -> Amount:
    """The sum of two amounts."""
    return Amount(one.nano_usd + other.nano_usd, one.tokens + other.tokens)


def total(amounts: Iterable[Amount]) -> Amount:
    """The sum of amounts."""
    found = NONE
    for amount in amounts:
        found = plus(found, amount)
    return found


def _less(cap: int | None, amount: int) -> int | None:
    return None if cap is None else cap - amount


def _pair(amounts: Iterable[int | None]) -> Caps:
    first, second = amounts
    return first, second
