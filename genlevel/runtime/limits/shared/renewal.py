"""Renews one process's slice of an account, as a transaction on the account's rows. Pure.

A limit of P units a minute is a stream: of what flows in, each process has a part, and what nobody has is saved for whoever asks next. All
that is saved anywhere is at most a burst B, and P - B + 1 flow in a minute, so that no more than P are used in any 60 s, however they are
divided. Parts are fair (max-min). Where they would be below a call a second, to save for a call would take each process long, and what all
save would be many calls: then nobody has a part, and who waits has its turn, and takes for one call of what was saved.

A process that is to use less is told so, and what the others get of it they get once it has said that it has heard.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from genlevel.runtime.limits.shared.division import fair_parts, fair_slots
from genlevel.runtime.limits.shared.rows import Account, Ask, Grant, Part, Rate, Slice, Wish

SLICE_S = 3.0
"""How long a slice lasts, from before it was asked for."""

_ALONE_S = 1.5
"""If nobody has renewed a slice for so long, nobody could; then ended slices count for as long again."""
_LEAST_CALLS_PER_MINUTE = 60.0
_SAVED_CALLS, _SAVED_PART = 1.25, 0.02
"""What is saved in all: at least so many calls, or this part of what a minute has."""
_BRIDGE_S = 0.2
"""Where processes have parts, so much of what flows in is saved beside them."""
_BURST_S = 0.08
"""What a process saves of its part, in seconds' worth: what a late timer missed."""
_TURN_S, _BETWEEN_S = 1.2, 1.0
"""A turn is for what flows in until the next one; what flows in until somebody asks is saved beside a call."""
_MOST_SAVED_REQUESTS, _MOST_SAVED_TOKENS = 1.0, 1.0 / 6.0
"""At most this part of a minute's is saved. A larger call is begun when as much is there, and leaves a debt."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """What is to be stored, and what the process is told."""

    account: Account
    slice: Slice
    grant: Grant


def renew(account: Account, slices: Sequence[Slice], owner: str, ask: Ask, now: float) -> Renewal | None:
    """Divides an account's limits anew for one process. None: a newer ask of it was answered before.

    slices: all that are stored of the account, its own and ended ones too. now: by the database's clock, once nobody else can change them.
    """
    own = next((each for each in slices if each.owner == owner), None)
    if own is not None and own.number >= ask.number:
        return None
    account = _spared(account, now)
    others = [each for each in slices if each.owner != owner and _counts(each, account, now)]
    before = [each for each in slices if _lasts(each, account.at_s) or each in others]
    elapsed_s = max(0.0, now - account.at_s) if account.at_s else 0.0
    served_s = own.served_s if own is not None else 0.0

    def rate(of: Callable[[Slice], Part], wish: Wish, saved: float, most_saved: float) -> _Divided:
        used = sum(of(each).counted for each in before)
        waiting = [of(each) for each in others if each.served_s < served_s]
        return _divide_rate([of(each) for each in others], wish, most_saved).renewed(saved, elapsed_s, used, waiting)

    requests = rate(lambda each: each.requests, ask.requests, account.requests, _MOST_SAVED_REQUESTS)
    tokens = rate(lambda each: each.tokens, ask.tokens, account.tokens, _MOST_SAVED_TOKENS)
    slots = _slots(others, owner, ask.slots, now)
    closed_s = 0.0
    if ask.closed:
        closed_s = own.closed_s if own is not None and own.closed_s else now
    kept = Slice(
        owner,
        ask.number,
        now + SLICE_S,
        now if requests.turn or tokens.turn else served_s,
        closed_s,
        ask.pace,
        requests.part,
        tokens.part,
        slots,
    )
    grant = Grant(
        ask.number,
        requests.rate,
        tokens.rate,
        slots.granted,
        paused=any(_tries(each, kept) for each in others),
        others=len(others),
        others_pace=sum(each.pace for each in others),
    )
    return Renewal(replace(account, at_s=now, requests=requests.saved, tokens=tokens.saved), kept, grant)


def _spared(account: Account, now: float) -> Account:
    """The account, if nobody could renew for a while: who had a slice then may still have calls in flight, and is about to come back.

    So may whoever had one when the clock was set back, by which it would last until the clock is there again.
    """
    if now < account.at_s:
        return replace(account, spared_s=account.at_s, spared_until_s=now + SLICE_S)
    if account.at_s and now - account.at_s > _ALONE_S:
        return replace(account, spared_s=account.at_s, spared_until_s=now + _ALONE_S)
    return account


def _counts(each: Slice, account: Account, now: float) -> bool:
    return _lasts(each, now) or (now < account.spared_until_s and each.until_s > account.spared_s)


def _lasts(each: Slice, now: float) -> bool:
    """Whether a slice lasts by a clock that was not set back since it was renewed."""
    return now < each.until_s <= now + SLICE_S


def _tries(other: Slice, own: Slice) -> bool:
    """Whether it is for the other one to try if an account takes calls again: it knew first."""
    return bool(other.closed_s) and (not own.closed_s or (other.closed_s, other.owner) < (own.closed_s, own.owner))


def _limit(parts: Sequence[Part], wish: Wish) -> float:
    """The lowest limit that one of them knows of; inf: none does."""
    return min((stated for stated in (*(part.stated for part in parts), wish.stated) if stated), default=math.inf)


@dataclass(frozen=True, slots=True)
class _Divided:
    """One limit's outcome. turn: whether the process had its turn at what was saved."""

    saved: float
    part: Part
    rate: Rate
    turn: bool


@dataclass(frozen=True, slots=True)
class _Division:
    """A limit a minute among processes. burst: what may be saved in all. flow: what flows in a minute. fair: what the process is to have
    of it. granted: what it has now. most: what it saves of that. in_turns: nobody has a part."""

    others: Sequence[Part]
    wish: Wish
    limit: float
    burst: float
    flow: float
    fair: float
    granted: float
    most: float
    in_turns: bool = False

    def renewed(self, saved: float, elapsed_s: float, used: float, waiting: Sequence[Part]) -> _Divided:
        """saved: when somebody renewed last, ``elapsed_s`` ago. used: of the flow since. waiting: who waits for longer."""
        wish = self.wish
        if self.limit == math.inf:
            part = Part(wish.stated, wish.wanted, wish.unit, math.inf, math.inf, 0.0)
            return _Divided(0.0, part, Rate(math.inf, 0.0, 0.0, math.inf), turn=False)
        most = self.flow / 60.0 * _BRIDGE_S + 1.0 if self.granted else self.burst
        room = max(0.0, min(most, self.burst - sum(other.held for other in self.others) - self.most))
        saved = min(room, saved + max(0.0, self.flow - used) / 60.0 * elapsed_s + wish.back)
        taken = self._taken(saved, waiting)
        part = Part(wish.stated, wish.wanted, wish.unit, self.granted, max(wish.using, self.granted), self.most)
        rate = Rate(self.granted, self.most, taken, self.fair if self.in_turns else self.granted)
        return _Divided(saved - taken, part, rate, turn=taken > 0 and not self.granted)

    def _taken(self, saved: float, waiting: Sequence[Part]) -> float:
        """What the process takes at once of what is saved, if a call waits for it."""
        if not self.wish.need or saved <= 0:
            return 0.0
        coming = max(0.0, self.fair - self.granted) / 60.0 * _TURN_S
        if self.granted:
            return min(saved, coming)
        saved -= sum(min(self.burst, part.unit) for part in waiting if part.wanted)
        if saved < min(self.burst, self.wish.need) - 1e-9:
            return 0.0
        return max(self.wish.need, min(saved, coming))


def _divide_rate(others: Sequence[Part], wish: Wish, most_saved: float) -> _Division:
    limit = _limit(others, wish)
    if limit == math.inf:
        return _Division(others, wish, limit, 0.0, math.inf, math.inf, math.inf, 0.0)
    unit = max(wish.unit, *(part.unit for part in others if part.wanted), 0.0)
    burst = min(limit * most_saved, max(_SAVED_CALLS * unit, _SAVED_PART * limit))
    calls = min(unit, burst / _SAVED_CALLS)
    flow = limit - burst + 1.0
    wanted = [wish.wanted, *(part.wanted for part in others)]
    asking = sum(1 for each in wanted if each)
    few = max(1, int(limit / (_LEAST_CALLS_PER_MINUTE * calls)))
    if asking > few:
        burst = min(limit * most_saved, calls + limit / 60.0 * _BETWEEN_S)
        flow = limit - burst + 1.0
        return _Division(others, wish, limit, burst, flow, flow / asking if wish.wanted else 0.0, 0.0, 0.0, in_turns=True)
    parts = fair_parts(flow, wanted)
    fair = parts[0]
    if len(wanted) <= few:
        fair += (flow - sum(parts)) / len(wanted)
    elif wish.wanted:
        fair += (flow - sum(parts)) / asking
    granted = max(0.0, min(fair, flow - sum(part.counted for part in others)))
    most = max(_SAVED_CALLS * calls, granted * _BURST_S / 60.0) if granted else 0.0
    return _Division(others, wish, limit, burst, flow, fair, granted, min(most, burst))


def _slots(others: Sequence[Slice], owner: str, wish: Wish, now: float) -> Part:
    """Calls in flight: those that are there count until they end, even if they should be fewer."""
    limit = _limit([each.slots for each in others], wish)
    if limit == math.inf:
        return Part(wish.stated, wish.wanted, 1.0, math.inf, math.inf, 0.0)
    names = sorted([owner, *(each.owner for each in others)])
    wanted = {owner: wish.wanted, **{each.owner: each.slots.wanted for each in others}}
    fair = fair_slots(int(limit), [int(min(limit, wanted[name])) for name in names], now)[names.index(owner)]
    left = limit - sum(each.slots.counted for each in others)
    granted = max(0.0, min(float(fair), left))
    return Part(wish.stated, wish.wanted, 1.0, granted, max(wish.using, granted), 0.0)
