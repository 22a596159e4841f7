"""A run that goes on: its model is asked, then its judge; how far it is, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import InitVar, dataclass, field, replace

from evaluator.journal.messages import batches_message, judging_message, run_message
from evaluator.journal.records import Totals
from evaluator.journal.spans import Span, Spans
from evaluator.journal.wishes import Wish
from evaluator.runs.asking import RunState
from evaluator.runs.batched import BatchedExecution
from evaluator.runs.crew import Ending
from evaluator.runs.deciding import Deciding
from evaluator.runs.judging import Judging
from evaluator.runs.passes import RunPass
from evaluator.runs.records import ENDED_BY_WISH
from evaluator.runs.run_log import RunLog
from evaluator.runs.traffic_record import TrafficRecorder
from evaluator.runs.work import Work
from evaluator.traffic.budget import Budget
from genlevel.runtime.limits import Share
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc


@dataclass(slots=True)
class ActiveRun:
    """A run that goes on.

    Attributes:
        header: what the scorer is told of it.
        log: where its answers become durable.
        budget: what the model and the judge may spend together.
        totals: its answers before this start.
        wish: the last one that it has followed. heeded: the number of the last one that came in time to make a difference.
        traffic: how fast and how far, as last wished.
        accounts: those that its calls go to.
        execution, judging: the passes, as far as they have begun.
        stopped: set if it was told to end. over: whether all that is left is to store how it ended.
        taken_over: whether it ended because another process works on it now.
        spans: what its calls were like before this start. recorder: what they are like.
    """

    work: Work
    header: sc.ScoreTaskHeader
    log: RunLog
    budget: Budget
    totals: Totals
    wish: Wish
    traffic: ev.TrafficSettings
    accounts: set[str] = field(default_factory=set)
    execution: RunPass | None = None
    judging: Judging | None = None
    task: asyncio.Task[None] | None = None
    stopped: Ending | None = None
    over: bool = False
    taken_over: bool = False
    spans: InitVar[Sequence[Span]] = ()
    heeded: int = field(init=False)
    recorder: TrafficRecorder = field(init=False)

    def __post_init__(self, spans: Sequence[Span]) -> None:
        self.heeded = self.wish.number
        self.recorder = TrafficRecorder(self.log, Spans(spans), lambda: self.judging or self.execution)

    @property
    def run_id(self) -> str:
        """Its id."""
        return self.work.record.run_id

    def follow(self, wish: Wish, traffic: ev.TrafficSettings) -> None:
        """Takes note of a newer wish. One for more calls that comes once none will be made is for whoever goes on with the run."""
        going = self.judging or self.execution
        if wish.wanted in ENDED_BY_WISH or going is None or going.asks:
            self.heeded = wish.number
        self.wish, self.traffic = wish, traffic

    def stop(self, status: int, reason: str, *, now: bool = False, scores: bool = True) -> None:
        """Ends what goes on; what has not begun will not. scores: whether what was begun of a task is scored."""
        self.stopped = self.stopped or Ending(status, reason)
        if (going := self.judging or self.execution) is not None:
            going.stop(status, reason, now=now, scores=scores)

    def reshare(self, share: Share) -> None:
        """Gives it another part of what its account allows."""
        if (going := self.judging or self.execution) is not None:
            going.reshare(share)

    def staff(self) -> None:
        """Sees to it that what goes on has workers enough for the account's limits."""
        if (going := self.judging or self.execution) is not None:
            going.staff()

    async def passes(self, judged: Callable[[], Awaitable[Ending]]) -> Ending:
        """Asks the model, then has its answers judged. Returns how the run ended. judged: makes the judge's pass."""
        recording = asyncio.create_task(self.recorder.run(), name=f"traffic-{self.run_id}")
        try:
            return await self._passes(judged)
        finally:
            recording.cancel()
            self.recorder.end()

    async def _passes(self, judged: Callable[[], Awaitable[Ending]]) -> Ending:
        execution, record = self.execution, self.work.record
        ending = await execution.run() if execution is not None else Ending(ev.RUN_STATUS_FINISHED)
        if ending.is_complete and execution is not None and (fruitless := execution.fruitless(record.calls)):
            ending = Ending(ev.RUN_STATUS_FAILED, fruitless)
        self.recorder.look(ended=True)  # at the last of this pass, before there is another one
        if self.work.judge is not None and ending.is_complete:
            ending = await self._judged(judged, ending)
        if execution is None and ending.status == ev.RUN_STATUS_FINISHED and sum(self.totals.outcomes.values()) < record.total:
            return Ending(record.status, record.reason)  # a pass of the judge alone leaves the state of the answers as it was
        return ending

    async def _judged(self, judged: Callable[[], Awaitable[Ending]], asked: Ending) -> Ending:
        """Has answers judged. What is to be decided may hang on their ratings, and further answers on that.

        asked: how the model's pass ended.
        """
        execution = self.execution
        while True:
            ending = await judged()
            if not ending.is_complete:
                return ending
            if not (isinstance(execution, Deciding) and execution.waits_for_ratings):
                return asked
            self.judging, before = None, sum(execution.state.outcomes.values())
            execution.begin_again()
            asked = await execution.run()
            if not asked.is_complete or sum(execution.state.outcomes.values()) == before:
                return asked

    def last(self, ending: Ending) -> ev.WatchRunResponse:
        """How it ended, as far as this process knows."""
        run = self.progress().run
        run.MergeFrom(ev.Run(status=ev.RunStatus.Name(ending.status), reason=ending.reason))
        return ev.WatchRunResponse(run=run)

    def progress(self) -> ev.WatchRunResponse:
        """How far it is."""
        execution, judging = self.execution, self.judging
        state = execution.state if execution is not None else RunState.of(self.totals)
        run = run_message(replace(self.work.record, wanted=self.wish.wanted), state.outcomes, state.usage, state.cost)
        run.status = ev.RUN_STATUS_RUNNING
        run.reason = ""
        run.traffic.CopyFrom(self.traffic)
        if execution is not None:
            run.calls, run.retries = execution.counted(self.work.record)
        if isinstance(execution, BatchedExecution) and (standing := execution.standing()) is not None:
            run.batches.CopyFrom(batches_message(standing))
        if judging is not None:
            run.judging.CopyFrom(judging_message(judging.judge.kept_as, judging))
            run.judging.open = judging.pending()
        progress = ev.WatchRunResponse(run=run, judging=judging is not None)
        going = judging or execution
        if going is None:
            return progress
        progress.in_flight, progress.rate = going.in_flight(), going.rate()
        progress.waiting.update(going.waiting())
        progress.provider_wait_s = going.provider_wait_s()
        progress.waits_for = going.waits_for()
        progress.pace = going.limits().pace or 0.0
        if progress.waits_for and self.log.waiting:
            progress.waiting["storage"] = self.log.waiting
        if isinstance(execution, Deciding):
            progress.deciding.CopyFrom(execution.progress())
        elif judging is None and progress.rate:
            progress.remaining_s = going.pending() / progress.rate
        return progress
