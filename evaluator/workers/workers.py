"""This evaluator among the workers: its row, what its scorer can do, and what it says of them all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from evaluator.ports import ScorerPort
from evaluator.workers.abilities import Abilities, abilities
from evaluator.workers.listing import Revive, dead_letter_changed, workers_listed
from genlevel._version import __version__
from genlevel.runtime.errors import GenlevelError
from genlevel.runtime.process import process_name
from genlevel.runtime.workers import Doing, RunPart, ScoredTask, Seen, Worker, who_scores
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from evaluator.runs.active import ActiveRun
    from evaluator.sharing.sharing import Sharing
    from genlevel.runtime.queue import Queue
    from genlevel.runtime.settings import Settings
    from genlevel.runtime.workers.registration import Registration

SOON_S, LATER_S = 5.0, 60.0
"""Between two times that the scorer is asked what it can do: until it has answered, and after."""

logger = logging.getLogger(__name__)


class Workers:
    """Who works, as one evaluator sees it. Without a queue it is alone, writes no row, and asks its scorer nothing.

    Args:
        doing: what this process does now.
        queue: that it shares with others, if whoever makes it has it already.

    Attributes:
        queue: that it shares with others; None: it is not connected to one.
    """

    def __init__(self, settings: Settings, scorer: ScorerPort, doing: Callable[[], Doing], *, queue: Queue | None = None) -> None:
        self.queue = queue
        self._told = settings.worker
        self._scorer = scorer
        self._doing = doing
        self._started_s = time.time()
        self._device = settings.worker.device
        self._found = abilities(settings.worker.scores, None)
        self._asking: asyncio.Task[None] | None = None
        self._storage = settings.storage if settings.queue else None
        self._made: Registration | None = None

    @property
    def _registration(self) -> Registration | None:
        """Its place among the others; None without a queue. Raises StorageError if the list of workers cannot be opened."""
        if self._made is None and self._storage is not None:
            from genlevel.runtime.workers.registration import Registration
            from genlevel.runtime.workers.table import WorkerTable

            table = WorkerTable(self._storage.url, patience_s=self._storage.patience_s)
            self._made = Registration(table, self.this, self._doing)
        return self._made

    @property
    def able(self) -> tuple[str, ...]:
        """What this process can be given to score, by need; what its scorer is not known to be able to is left out."""
        return self._found.able

    async def problem(self) -> str:
        """Why it can do less than worker.scores says, in one line; "" if it can do all, or is not known to do less."""
        return self._found.problem

    def this(self) -> Worker:
        """This process."""
        return Worker(
            process_name(),
            "evaluator",
            __version__,
            socket.gethostname(),
            asks=self._told.asks,
            scores=self.able,
            device=self._device,
            problem=self._found.problem,
        )

    def begin(self) -> None:
        """Says from now on that it is there, and asks its scorer what that can do. Nothing happens without a queue."""
        if (registration := self._registration) is not None:
            registration.begin()
            self._asking = asyncio.create_task(self._ask(), name="abilities")

    async def who_can(self, need: str) -> frozenset[str]:
        """Names of the workers that are there and can be given what has this need. Raises StorageError."""
        own = [self.this().name] if need in self.able else []
        return frozenset([*own, *(one.worker.name for one in who_scores(await self._listed(), need))])

    async def others(self) -> bool:
        """Whether there are other evaluators. Raises StorageError."""
        name = self.this().name
        return any(one.worker.service == "evaluator" and one.worker.name != name and not one.is_lost for one in await self._listed())

    async def is_scoring(self, name: str, run_id: str, task: str) -> bool:
        """Whether a worker is there and says that it has a task scored. It says so some seconds late. Raises StorageError."""
        mine = [one.doing for one in await self._listed() if one.worker.name == name and not one.is_lost]
        return any(ScoredTask(run_id, task) in doing.scoring or doing.more_scoring for doing in mine)

    async def _listed(self) -> Sequence[Seen]:
        """All workers; none without a queue."""
        return await self._registration.listed() if self._registration is not None else []

    async def list(self, request: ev.ListWorkersRequest) -> ev.ListWorkersResponse:
        """All workers. Raises GenlevelError."""
        if (registration := self._registration) is not None:
            return await workers_listed(await registration.listed(), self.queue, request, shared=True)
        this = Seen(self.this(), self._doing(), self._started_s, time.time())
        return await workers_listed([this], self.queue, request, shared=self.queue is not None)

    async def change_dead_letter(self, request: ev.ChangeDeadLetterRequest, revive: Revive) -> ev.ChangeDeadLetterResponse:
        """Publishes a dead letter again, or forgets it. revive: see ``dead_letter_changed``. Raises GenlevelError."""
        return await dead_letter_changed(self.queue, request, revive)

    async def close(self) -> None:
        """It is not there any more."""
        if self._asking is not None:
            self._asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._asking
        if self._made is not None:
            await self._made.close()

    async def _ask(self) -> None:
        while True:
            try:
                pause_s = LATER_S if await self._asked() else SOON_S
            except Exception:
                logger.exception("the scorer cannot be asked what it can do for an unforeseen reason")
                pause_s = LATER_S
            await asyncio.sleep(pause_s)

    async def _asked(self) -> bool:
        """Takes note of what the scorer can do. False: it does not say so now."""
        try:
            async with asyncio.timeout(SOON_S):
                found = await self._scorer.get_abilities(sc.GetAbilitiesRequest())
        except (GenlevelError, TimeoutError):  # whether it is there at all is said by the evaluator's readiness
            return False
        self._note(abilities(self._told.scores, found), found.device)
        return True

    def _note(self, found: Abilities, device: str) -> None:
        if (found, device) == (self._found, self._device):
            return
        if found.problem and found.problem != self._found.problem:
            logger.error("%s", found.problem)
        self._found, self._device = found, device
        if self._made is not None:
            self._made.changed()


def doing_of(runs: Iterable[ActiveRun], sharing: Sharing) -> Doing:
    """What is done of runs that this process leads or has alone, of those that it shares in, and which tasks it has scored."""
    parts = {}
    for run in runs:
        asks = run.judging or (run.execution if run.execution is None or not run.execution.shared else None)
        in_flight, rate = (asks.in_flight(), asks.rate()) if asks is not None else (0, 0.0)
        parts[run.run_id] = RunPart(run.run_id, leads=True, in_flight=in_flight, rate=rate)
    for one in sharing.going.values():
        if (going := one.going) is None:
            continue
        leads = one.run_id in parts
        parts[one.run_id] = RunPart(one.run_id, leads, in_flight=going.in_flight(), rate=going.rate(), shards=len(going.shards))
    return Doing(tuple(parts.values()), tuple(ScoredTask(*pair) for pair in sharing.scoring))
