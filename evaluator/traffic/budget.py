"""What a run may spend, in money and in tokens: a promise with a number.

Each call is reserved at its worst case, looked at again when it is about to begin, and settled at what it was billed. A bill above the
worst case raises the worst cases of that model's further calls, those in flight included: an overrun is at most what was in flight when
the first such bill came. A call of unknown fate counts as the dearest one that was seen of its task; as its worst case if none was.

docs/budgets.md states the promise and what it assumes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from evaluator.journal.records import Spent
from evaluator.traffic.purses import Excesses, Purse

_PATIENCE = 100
"""How many calls that were asked for later may pass one that waits for more money than is free; then nothing passes it any more."""


class Amount(NamedTuple):
    """What calls may take: nano-dollars (0 if the model has no price), and tokens of every kind."""

    nano_usd: int
    tokens: int


NONE = Amount(0, 0)


Caps = tuple[int | None, int | None]
"""Of nano-dollars and of tokens; None = no cap."""


class Bill(NamedTuple):
    """What a call took, as far as it is known: nano-dollars (0 if the model has no price), and tokens of every kind."""

    nano_usd: int | None
    tokens: int | None


NOTHING = Bill(0, 0)


class DoesNotFit(Exception):
    """What is left does not allow a call, whatever the calls in flight will cost.

    worst: its worst case. exhausted: nothing is left at all.
    """

    def __init__(self, worst: Amount, *, exhausted: bool) -> None:
        super().__init__("the budget does not allow this call")
        self.worst = worst
        self.exhausted = exhausted


@dataclass(slots=True, eq=False)
class Reservation:
    """The place of one call in a budget. worst: by its bounds. held: what it counts as, by what is known of its model."""

    model: str
    task: str
    worst: Amount
    held: Amount
    begun: bool = False


@dataclass(slots=True, eq=False)
class _Waiter:
    reservation: Reservation
    granted: asyncio.Future[None]
    passed: int = 0


@dataclass(slots=True)
class Wrong:
    """Bills above the worst case, in one purse: how many, and the one that was the furthest above it (of which model, and its amounts)."""

    of: str = ""
    worst: int = 0
    bill: int = 0
    count: int = 0

    def add(self, other: Wrong) -> None:
        """Counts other such bills, too."""
        self.count += other.count
        if other.bill - other.worst > self.bill - self.worst:
            self.of, self.worst, self.bill = other.of, other.worst, other.bill


class Standing(NamedTuple):
    """What a budget that shares its caps with others needs.

    committed: as of a budget. begun, held: reserved for calls in flight, and for all. one: the largest reservation of a call that has not
    begun. first, least: what the first call that waits takes, and the cheapest one; None: none waits. waiting: what all of them take.
    """

    committed: Amount
    begun: Amount
    held: Amount
    one: Amount
    first: Amount | None
    least: Amount | None
    waiting: Amount


class Budget:
    """Caps on money and on tokens, either or both; None = no cap (all is counted the same).

    A call is reserved (``take`` or ``reserve``); then it is begun (``begin``) and settled (``settle``), or cancelled (``cancel``).

    wrong: what is known of bills above the worst case, of others that spent of the same caps. on_short: called when a call waits for more
    money than is free, or when a bill was above its worst case.
    """

    def __init__(
        self,
        nano_usd: int | None = None,
        tokens: int | None = None,
        earlier: Iterable[Spent] = (),
        *,
        wrong: tuple[Wrong, Wrong] | None = None,
    ) -> None:
        self._money, self._tokens = Purse(nano_usd), Purse(tokens)
        self._purses = (self._money, self._tokens)
        self._open: set[Reservation] = set()
        self._waiting: deque[_Waiter] = deque()
        self._wrong = wrong or (Wrong(), Wrong())
        self.on_short: Callable[[], None] = _nothing
        for entry in earlier:
            amounts = zip(self._purses, entry.known, entry.most_of_one, entry.calls, entry.worst, strict=True)
            for purse, known, most, calls, worst in amounts:
                purse.count(entry, known=known, most=most, calls=calls, worst=worst)

    # -- what others see -------------------------------------------------------------------------------------------

    @property
    def limits(self) -> tuple[int | None, int | None]:
        """The caps: nano-dollars, tokens."""
        return self._money.limit, self._tokens.limit

    @property
    def capped(self) -> bool:
        """Whether there is any cap."""
        return self._money.limit is not None or self._tokens.limit is not None

    @property
    def spent(self) -> Amount:
        """What is billed."""
        return Amount(self._money.spent, self._tokens.spent)

    @property
    def uncertain(self) -> Amount:
        """What calls of unknown fate count as."""
        return Amount(self._money.uncertain, self._tokens.uncertain)

    @property
    def committed(self) -> Amount:
        """What is billed, and what calls of unknown fate count as."""
        return Amount(self._money.committed, self._tokens.committed)

    @property
    def held(self) -> Amount:
        """What is reserved for calls that wait or are in flight."""
        return Amount(self._money.held, self._tokens.held)

    @property
    def standing(self) -> Standing:
        """How it stands, for those that share its caps."""
        idle = [one.held for one in self._open if not one.begun]
        waiting = [one.reservation.held for one in self._waiting if not one.granted.done()]
        return Standing(
            self.committed,
            Amount(self._money.begun, self._tokens.begun),
            self.held,
            Amount(*map(max, zip(*idle, strict=True))) if idle else NONE,
            waiting[0] if waiting else None,
            min(waiting, default=None),
            Amount(*map(sum, zip(*waiting, strict=True))) if waiting else NONE,
        )

    @property
    def wrong(self) -> tuple[Wrong, Wrong]:
        """What this start has seen of bills above the worst case: in money, in tokens."""
        return self._wrong

    def is_exceeded_by(self, model: str) -> bool:
        """Whether a call of the model took more than its worst case: its worst cases are not to be trusted."""
        return model in self._money.excesses or model in self._tokens.excesses

    def excesses(self, model: str) -> Excesses:
        """How the model's bills exceeded worst cases, in money and in tokens; None: they did not."""
        return self._money.excesses.get(model), self._tokens.excesses.get(model)

    def could_fit(self, worst: Amount) -> bool:
        """Whether a call with this worst case (as it counted when it did not fit) fits now, if no other is in flight."""
        return self._money.could_allow(worst.nano_usd) and self._tokens.could_allow(worst.tokens)

    def check(self, model: str, task: str, worst: Amount) -> None:
        """Raises DoesNotFit if a call cannot fit, whatever the calls in flight will cost."""
        self._reservation(model, task, worst)

    # -- one call --------------------------------------------------------------------------------------------------

    def take(self, model: str, task: str, worst: Amount) -> Reservation | None:
        """Reserves a call at its worst case; None if it has to wait (``reserve``). Raises DoesNotFit."""
        reservation = self._reservation(model, task, worst)
        if self._waiting or not self._fits(reservation):
            return None
        self._hold(reservation)
        return reservation

    async def reserve(self, model: str, task: str, worst: Amount) -> Reservation:
        """Waits until the worst case of a call fits beside all that is spent and reserved. Raises DoesNotFit if it never will."""
        reservation = self._reservation(model, task, worst)
        waiter = _Waiter(reservation, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        self._look_again()
        try:
            await waiter.granted
        except asyncio.CancelledError:
            if waiter.granted.done() and not waiter.granted.cancelled() and waiter.granted.exception() is None:
                self.cancel(reservation)
            elif waiter in self._waiting:
                self._waiting.remove(waiter)
                self._look_again()
            raise
        return reservation

    def adopt(self, model: str, task: str, worst: Amount) -> Reservation:
        """Reserves a call that was begun before this start, whatever the caps allow."""
        reservation = Reservation(model, task, worst, self._raised(model, worst))
        self._hold(reservation)
        reservation.begun = True
        self._money.begun += reservation.held.nano_usd
        self._tokens.begun += reservation.held.tokens
        return reservation

    def begin(self, reservation: Reservation) -> bool:
        """Whether a reserved call may begin, by all that is known now. If not, its reservation is cancelled; it may be made anew."""
        money, tokens, held = self._money, self._tokens, reservation.held
        if not (money.allows(held.nano_usd, money.begun) and tokens.allows(held.tokens, tokens.begun)):
            self.cancel(reservation)
            return False
        reservation.begun = True
        money.begun += held.nano_usd
        tokens.begun += held.tokens
        return True

    def cancel(self, reservation: Reservation) -> None:
        """Frees the reservation of a call that was not begun."""
        self._release(reservation)
        self._look_again()

    def settle(self, reservation: Reservation, bill: Bill) -> None:
        """Replaces the reservation of a call that was begun by what it took."""
        self._release(reservation)
        learned = self._settle(0, reservation, bill.nano_usd)
        learned |= self._settle(1, reservation, bill.tokens)
        if learned:
            self._hold_all_again()
        self._look_again()
        if learned:
            self.on_short()

    # -- caps ------------------------------------------------------------------------------------------------------

    def retune(self, nano_usd: int | None, tokens: int | None) -> None:
        """Changes the caps from now on; None = no cap. What waits is looked at again."""
        self.share((nano_usd, tokens), (None, None))

    def share(self, limits: Caps, ceilings: Caps, *, final: bool = True) -> None:
        """Changes what may be spent of caps that others spend of, too (evaluator.traffic.purses.Purse). What waits is looked at again."""
        for purse, limit, ceiling in zip(self._purses, limits, ceilings, strict=True):
            purse.limit, purse.ceiling, purse.final = limit, ceiling, final
        self._look_again()

    def restrict(self, limits: Caps) -> None:
        """Lowers what may be spent for now. What waits goes on waiting."""
        self._money.limit, self._tokens.limit = limits

    def learn(self, model: str, excesses: Excesses) -> None:
        """Takes over what others have learnt of a model's bills."""
        pairs = zip(self._purses, excesses, strict=True)
        if any([purse.exceeded(model, *excess) for purse, excess in pairs if excess is not None]):
            self._hold_all_again()

    # -- within ----------------------------------------------------------------------------------------------------

    def _reservation(self, model: str, task: str, worst: Amount) -> Reservation:
        reservation = Reservation(model, task, worst, self._raised(model, worst))
        self._check(reservation)
        return reservation

    def _raised(self, model: str, worst: Amount) -> Amount:
        if not self.is_exceeded_by(model):
            return worst
        return Amount(self._money.raised(model, worst.nano_usd), self._tokens.raised(model, worst.tokens))

    def _check(self, reservation: Reservation) -> None:
        """Raises DoesNotFit if the call does not fit beside what is spent alone."""
        if not self.could_fit(reservation.held):
            exhausted = any(purse.is_exhausted for purse in self._purses)
            raise DoesNotFit(reservation.held, exhausted=exhausted)

    def _fits(self, reservation: Reservation) -> bool:
        held = reservation.held
        return self._money.allows(held.nano_usd, self._money.held) and self._tokens.allows(held.tokens, self._tokens.held)

    def _hold(self, reservation: Reservation) -> None:
        self._open.add(reservation)
        self._money.held += reservation.held.nano_usd
        self._tokens.held += reservation.held.tokens

    def _release(self, reservation: Reservation) -> None:
        money, tokens, held = self._money, self._tokens, reservation.held
        self._open.remove(reservation)
        money.held -= held.nano_usd
        tokens.held -= held.tokens
        if reservation.begun:
            money.begun -= held.nano_usd
            tokens.begun -= held.tokens

    def _settle(self, number: int, reservation: Reservation, billed: int | None) -> bool:
        """Counts a bill in one purse. Returns whether it has taught something of its model."""
        worst = reservation.worst[number]
        if billed is not None and billed > worst:
            self._wrong[number].add(Wrong(reservation.model, worst, billed, 1))
        return self._purses[number].settle(reservation.model, reservation.task, worst, reservation.held[number], billed)

    def _hold_all_again(self) -> None:
        for one in self._open:
            self._hold_again(one)

    def _hold_again(self, reservation: Reservation) -> None:
        """Counts an open call as what it may take by what is known now."""
        raised = self._raised(reservation.model, reservation.worst)
        for purse, before, now in zip(self._purses, reservation.held, raised, strict=True):
            purse.held += now - before
            purse.begun += now - before if reservation.begun else 0
        reservation.held = raised

    def _look_again(self) -> None:
        """Grants what fits now, in the order in which it was asked for; who waits for more than is free may be passed for a while."""
        if not self._waiting:
            return
        passed: list[_Waiter] = []
        while self._waiting:
            waiter = self._waiting.popleft()
            if waiter.granted.done():
                continue
            waiter.reservation.held = self._raised(waiter.reservation.model, waiter.reservation.worst)
            try:
                self._check(waiter.reservation)
            except DoesNotFit as problem:
                waiter.granted.set_exception(problem)
                continue
            if not self._fits(waiter.reservation):
                passed.append(waiter)
                if waiter.passed >= _PATIENCE:
                    break
                continue
            self._hold(waiter.reservation)
            waiter.granted.set_result(None)
            for other in passed:
                other.passed += 1
        self._waiting.extendleft(reversed(passed))
        if self._waiting:
            self.on_short()


def _nothing() -> None:
    pass
