"""What a run that goes on asks of its pass over the instances, whether this process makes it or leads others that do."""

from __future__ import annotations

from typing import Protocol

from evaluator.journal.records import RunRecord, Totals
from evaluator.runs.asking import RunState
from evaluator.runs.crew import Ending
from evaluator.runs.run_log import RunLog
from evaluator.runs.traffic_record import Going
from evaluator.runs.work import Work
from genlevel.runtime.leases import Lease
from genlevel.runtime.limits import Share
from genlevel.v1 import scorer_pb2 as sc


class RunPass(Going, Protocol):
    """A pass over a run's instances. state, retries: since the run's start here, and since this pass began."""

    retries: int

    @property
    def state(self) -> RunState: ...
    @property
    def asks(self) -> bool: ...
    @property
    def shared(self) -> bool:
        """Whether others spend the run's money, too."""
        ...

    async def run(self) -> Ending: ...
    def stop(self, status: int, reason: str, *, now: bool = False, scores: bool = True, may_pass: bool = False) -> None: ...
    def reshare(self, share: Share) -> None: ...
    def staff(self) -> None: ...
    def pending(self) -> int: ...
    def fruitless(self, earlier_calls: int) -> str: ...
    def rate(self) -> float: ...
    def waits_for(self) -> str: ...
    def provider_wait_s(self) -> float: ...
    def uncounted(self) -> tuple[int, int]:
        """Calls and retries that are to be added to the run's record as it ends."""
        ...

    def counted(self, record: RunRecord) -> tuple[int, int]:
        """Calls and retries of the run, of all starts. record: as it was when this one began."""
        ...


class Shares(Protocol):
    """Lets others work on runs, too (evaluator.sharing)."""

    def pass_of(
        self, work: Work, header: sc.ScoreTaskHeader, log: RunLog, *, lease: Lease, totals: Totals, scored: frozenset[str]
    ) -> RunPass:
        """The pass of whoever leads a run. lease: of the run. totals: what the journal has of it. scored: as of ``Execution``."""
        ...

    def may(self, work: Work) -> bool:
        """Whether a run's work may be shared."""
        ...

    def accounts(self) -> frozenset[str]:
        """The accounts that calls of members in this process go to."""
        ...


async def nobody_else(run_id: str, lease: Lease | None) -> None:
    """What is to be done before one process has a run alone, where runs are never shared: nothing."""
