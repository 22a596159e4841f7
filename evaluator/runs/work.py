"""What a start is to do."""

from __future__ import annotations

from dataclasses import dataclass

from evaluator.journal.records import RunRecord
from evaluator.journal.wishes import Wanted
from evaluator.planning.plans import Plan
from evaluator.runs.judging import Judge
from genlevel.v1 import evaluator_pb2 as ev


@dataclass(frozen=True, slots=True)
class Work:
    """What a start is to do with a run.

    traffic: how fast and how far. judge: who rates its answers, if anybody. asks: whether the run's own model is asked, for what has no
    outcome. retry: what failed is done again, by the model and by the judge. wanted: what is wanted of the run from now on, as a person
    starts it; None: it is continued as it was wanted. winds_up: it is stopped, and its batches are cancelled and
    collected.
    """

    plan: Plan
    record: RunRecord
    traffic: ev.TrafficSettings
    judge: Judge | None
    asks: bool
    retry: bool
    wanted: Wanted | None = Wanted.NOTHING
    winds_up: bool = False
