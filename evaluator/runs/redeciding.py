"""What was decided of a stored run, decided again from the answers that the journal has. No model is asked, and nothing is stored.

What is drawn and decided follows from the outcomes of units alone (``genlevel.deciding.decider``), so that whoever has the answers comes to
the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from evaluator.deciding.telling import decision_message
from evaluator.deciding.units import UnitReader
from evaluator.journal.records import RunRecord
from evaluator.planning.plans import Plan
from evaluator.runs.measuring import AnsweredUnit
from evaluator.runs.scoring import Kept, header_of, score_task
from evaluator.runs.settling import Settling
from evaluator.runs.sought import Sought, sought
from genlevel.benchmark.content import suite_content
from genlevel.deciding.values import Draw
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

_TOGETHER = 512
"""Draws that are looked up and measured together."""


@dataclass(frozen=True, slots=True)
class Redecided:
    """set_aside: tasks of which units without all of their answers were drawn, as of a run that had no money for them. How the others went
    on then depends on when that was, and so does after how many answers levels were decided."""

    decision: ev.EarlyDecision
    set_aside: frozenset[str]


async def decided_again(kept: Kept, plan: Plan, record: RunRecord, until: ev.UntilDecided) -> Redecided:
    """What the run's answers decide, with today's parsers and metrics, once it has been scored.

    Raises:
        UsageError: nothing can be certified of its tasks, or answers are missing on which what is to be decided depends.
        GenlevelError: the suite, the journal or the scorer cannot be asked.
    """
    header = header_of(plan, record, await asyncio.to_thread(suite_content, plan.suite))
    wanted = await sought(kept.scorer, header, plan, until)
    return await _Again(kept, plan, header, wanted).decide()


class _Again:
    def __init__(self, kept: Kept, plan: Plan, header: sc.ScoreTaskHeader, wanted: Sought) -> None:
        self._kept = kept
        self._run_id = header.run_id
        self._sought = wanted
        self._decider = wanted.decider()
        self._planned = {planned.task.key: planned for planned in plan.tasks}
        self._reading = UnitReader((one.planned, one.units) for one in wanted.tasks)

        async def scored(task: str) -> sc.TaskScore:
            return await score_task(kept, header, self._planned[task])

        self._settling = Settling(kept.scorer, kept.blobs, header, wanted, self._decider, score=scored)

    async def decide(self) -> Redecided:
        decider, missing = self._decider, list[Draw]()
        set_aside: set[str] = set()
        await self._settling.settle()
        while not decider.over:
            if draws := decider.draws(_TOGETHER):
                found = await asyncio.to_thread(self._answered, draws)
                there = {draw.number for draw, _unit in found}
                missing += [draw for draw in draws if draw.number not in there]
                await self._settling.weigh(found)
            elif short := {draw.task for draw in missing if decider.needs(draw)} - set_aside:
                set_aside |= short
                for task in sorted(short):
                    decider.set_aside(task)
            else:
                break
            await self._settling.settle()
        decided = decider.decided()
        if not decided.complete:
            raise UsageError(f"units without all of their answers are needed to decide it, of {len(set_aside):,} tasks")
        asked = await self._kept.journal.reads(self._kept.journal.decisions.asked, self._run_id)
        message = decision_message(self._sought.until, decided, self._sought.criteria.shares, asked=asked, tasks=self._sought.told)
        return Redecided(message, frozenset(set_aside))

    def _answered(self, draws: Sequence[Draw]) -> list[tuple[Draw, AnsweredUnit]]:
        """Those of these units whose answers the journal has."""
        found = []
        for draw in draws:
            planned, instances = self._planned[draw.task], self._reading.take(draw.task, draw.unit)
            keys = [key for instance in instances for key in planned.keys(instance)]
            said = self._kept.journal.said_to(self._run_id, draw.task, keys)
            if len(said) == len(keys):
                found.append((draw, AnsweredUnit(planned, instances, said)))
        return found
