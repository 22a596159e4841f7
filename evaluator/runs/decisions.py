"""Stores what is decided of a run while it goes on, and tells how far that is."""

from __future__ import annotations

import time
from collections.abc import Sequence

from google.protobuf import json_format

from evaluator.deciding.earlier import earlier_of
from evaluator.deciding.telling import decision_message
from evaluator.journal.journal import Journal
from evaluator.runs.run_log import RunLog
from evaluator.runs.sought import Sought
from genlevel.deciding.decider import Decider
from genlevel.deciding.values import TaskState
from genlevel.runtime.stored_messages import stored_message
from genlevel.v1 import evaluator_pb2 as ev

_KEEP_S = 5.0
_PAUSES = 20.0  # what was asked so far is added up from the journal: of a large run less often


class Decisions:
    """Of one run. log: where they become durable."""

    def __init__(self, journal: Journal, log: RunLog, run_id: str, sought: Sought, decider: Decider) -> None:
        self._journal = journal
        self._log = log
        self._run_id = run_id
        self._sought = sought
        self._decider = decider
        self._earlier: Sequence[ev.EarlierDecision] | None = None
        self._kept_at, self._took_s = time.monotonic(), 0.0

    async def keep(self, *, at_once: bool = False) -> None:
        """Stores what is decided so far, if that was not done a moment ago. Raises StorageError."""
        began = time.monotonic()
        if not at_once and began - self._kept_at < max(_KEEP_S, _PAUSES * self._took_s):
            return
        if self._earlier is None:
            stored = stored_message(await self._journal.reads(self._journal.decisions.of, self._run_id), ev.EarlyDecision())
            self._earlier = earlier_of(stored, self._sought.until)
        asked = await self._journal.reads(self._journal.decisions.asked, self._run_id)
        sought = self._sought
        message = decision_message(sought.until, self._decider.decided(), sought.criteria.shares, asked=asked, tasks=sought.told)
        message.earlier.extend(self._earlier)
        self._log.decided(json_format.MessageToJson(message, indent=None))
        self._kept_at = time.monotonic()
        self._took_s = self._kept_at - began

    def progress(self) -> ev.DecidingProgress:
        """How far it is."""
        tasks = [one for one in self._decider.decided().tasks if one.state is not TaskState.UNCERTIFIABLE]
        settled = sum(one.state is not TaskState.UNDECIDED for one in tasks)
        return ev.DecidingProgress(settled=settled, tasks=len(tasks), calls=sum(one.calls for one in self._sought.tasks))
