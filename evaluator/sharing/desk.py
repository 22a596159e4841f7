"""What whoever leads runs works with."""

from __future__ import annotations

from dataclasses import dataclass

from evaluator.runs.context import Context
from evaluator.sharing.member_table import MemberTable
from evaluator.sharing.purse_table import PurseTable
from evaluator.sharing.scorers import ScoringRoom
from evaluator.sharing.work_table import WorkTable
from genlevel.runtime.queue.port import Queue


@dataclass(frozen=True, slots=True)
class Desk:
    """The tables, the queue, and what has tasks scored."""

    context: Context
    queue: Queue
    work: WorkTable
    members: MemberTable
    purses: PurseTable
    scoring: ScoringRoom
