"""Comparisons that pages show: computed once, beside the pages, and kept while the scores that they are of stay as they are."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from genlevel.runtime.errors import GenlevelError, Unavailable
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.connection.services import VerdictPort

MOST_KEPT = 64
MOST_BEGUN = 32
AT_ONCE = 2
"""The scorer computes four things at once, verdicts among them."""
DRAWS = 500
"""A quarter of what `genlevel compare` takes: the error of an interval's ends is then about 3 % of its width."""


class Pair(NamedTuple):
    """What a comparison is of. scored_s: when each was last scored; another number is another comparison."""

    run_a: str
    run_b: str
    scored_s: tuple[float, float]
    references: str
    alpha: float


class Comparisons:
    """Of one scorer; from one event loop."""

    def __init__(self, scorer: VerdictPort) -> None:
        self._scorer = scorer
        self._known: OrderedDict[Pair, sc.CompareResponse | GenlevelError] = OrderedDict()
        self._going: dict[Pair, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def of(self, pair: Pair, within_s: float) -> sc.CompareResponse | None:
        """The comparison; None if it takes longer: then it goes on, and is there when it is asked for again.

        Raises what the scorer raised, Unavailable if too many go on.
        """
        if pair not in self._known:
            await asyncio.wait((self._begun(pair),), timeout=within_s)
        found = self._known.get(pair)
        if found is not None:
            self._known.move_to_end(pair)
        if isinstance(found, GenlevelError):
            del self._known[pair]  # it may go another way the next time
            raise found
        return found

    def _begun(self, pair: Pair) -> asyncio.Task[None]:
        going = self._going.get(pair)
        if going is not None and not going.done():
            return going
        if sum(not task.done() for task in self._going.values()) >= MOST_BEGUN:
            raise Unavailable(f"{MOST_BEGUN} comparisons are being computed; load this page again in a minute")
        self._going[pair] = begun = asyncio.create_task(self._computed(pair))
        return begun

    async def _computed(self, pair: Pair) -> None:
        request = sc.CompareRequest(run_a=pair.run_a, run_b=pair.run_b, references=pair.references, alpha=pair.alpha, draws=DRAWS)
        try:
            async with self._turns:
                found: sc.CompareResponse | GenlevelError = await self._scorer.compare(request)
        except GenlevelError as error:
            found = error.with_traceback(None)
        self._known[pair] = found
        while len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)
        self._going.pop(pair, None)


_BY_SCORER: WeakKeyDictionary[VerdictPort, Comparisons] = WeakKeyDictionary()


def comparisons_of(scorer: VerdictPort) -> Comparisons:
    """Those that are known of a scorer."""
    found = _BY_SCORER.get(scorer)
    if found is None:
        found = _BY_SCORER[scorer] = Comparisons(scorer)
    return found
