"""What one run asks in batches, while it goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from evaluator.batches.filling import Filler
from evaluator.batches.keeping import Keeper, Recovered, Setup, Told
from evaluator.batches.looking import Looker
from evaluator.journal.batch_records import Standing
from evaluator.planning.requests import PreparedCall
from genlevel.benchmark.answer_key import AnswerKey

_LEAVES_S = 30.0
"""For what is being handed over or collected to come to its end, once the run is to stop."""
_CANCELS_S = 900.0
"""For providers to end batches that are cancelled: OpenAI takes up to ten minutes."""


class Batches:
    """The batches of one run. waits: how many instances wait in those of earlier starts, by task."""

    def __init__(self, setup: Setup, told: Told, found: Recovered) -> None:
        self.waits = Counter(item.task for _, items in found.waiting for item in items)
        self._keeper = Keeper.of(setup, told, found)
        self._filler = filler = Filler(self._keeper, found.last_batch, found.last_item)
        self._looker = Looker(self._keeper, lambda failure, items: filler.not_taken(failure, items, 0))
        self._looking: asyncio.Task[None] | None = None

    async def look(self) -> None:
        """Looks at batches until ``leave``. Raises RunStopped, GenlevelError."""
        self._looking = asyncio.create_task(self._looker.run(), name=f"batches-{self._keeper.setup.run_id}")
        await asyncio.shield(self._looking)

    async def put(self, task: str, key: AnswerKey, call: PreparedCall) -> None:
        """Puts one instance into a batch; ``Told`` is told of its end. Raises DoesNotFit, RunStopped, GenlevelError."""
        await self._filler.put(task, key, call)

    async def asked_already(self, task: str, keys: Iterable[AnswerKey]) -> set[AnswerKey]:
        """Those of these keys of a task that are asked for in batches. Read it before what is answered: what ends meanwhile is there."""
        journal = self._keeper.setup.journal
        return await journal.reads(journal.batches.open_keys, self._keeper.setup.run_id, task, keys)

    async def ended(self, enough: Callable[[], bool]) -> None:
        """Hands over what was put in, and waits until no batch is open, or one was closed and that is enough.

        Raises RunStopped, GenlevelError.
        """
        await self._filler.flush()
        keeper = self._keeper
        while keeper.open and not enough():
            keeper.changed.clear()
            await keeper.changed.wait()

    async def leave(self, *, cancels: bool) -> None:
        """The run ends: what is being handed over or collected comes to its end, and what was only put in is given up.

        cancels: the provider is told to cancel what it has, and what that brought is collected. Else it stays there, for whoever goes on.
        """
        if self._looking is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CANCELS_S if cancels else _LEAVES_S):
                await self._filler.discard()
                self._looker.leave(cancels=cancels)
                await asyncio.wait((self._looking,))
        self.cut()

    def cut(self) -> None:
        """Ends all at once, as a crash would."""
        self._filler.cut()
        if self._looking is not None:
            self._looking.cancel()

    # -- what others see -------------------------------------------------------------------------------------------

    def standing(self) -> Standing | None:
        """How they stand; None if none waits."""
        return self._keeper.standing()

    def waiting(self) -> Mapping[str, int]:
        """Instances that wait, by reason."""
        in_batches = sum(len(waiting.reservations) for waiting in self._keeper.open.values())
        return Counter({"batch": in_batches}) + self._filler.waiting

    @property
    def trouble(self) -> str:
        """Why it is not known how they stand, in one line; "" = it is."""
        return self._keeper.trouble
