"""What the answers of a run add up to, kept once it has ended: to add up hundreds of thousands of them takes seconds.

A run that begins, goes on or ends is stored with another time of its last change, and so is one that gets a price or another judge: what
was kept before does not hold any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass

import orjson
from sqlalchemy import Connection, Engine, select

from evaluator.journal.records import Costs, JudgingTotals, RunRecord, Totals
from evaluator.journal.tables import run_sums
from evaluator.journal.usage import NO_USAGE, Usage
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.leases import Lease
from genlevel.runtime.storage import insert_into
from genlevel.v1 import evaluator_pb2 as ev

_TOGETHER = 500

NO_JUDGING = JudgingTotals(0, 0, NO_USAGE, Costs())
"""Of a run whose answers nobody judges."""

Submit = Callable[[Callable[[Connection], object], Lease | None], "asyncio.Future[None]"]


@dataclass(frozen=True, slots=True)
class Sums:
    """What a run's answers, and its judges' calls, add up to.

    models, parameters: what the answers name and what was sent, each with its number of answers, as ``Journal.sent`` tells them. details:
    evaluator.journal.details' as text; "" = they were not counted.
    """

    totals: Totals
    judging: JudgingTotals
    models: Sequence[tuple[str, int]] = ()
    parameters: Sequence[tuple[str, int]] = ()
    details: str = ""

    def text(self) -> str:
        """As JSON."""
        document = {
            "outcomes": [[outcome.number, count] for outcome, count in self.totals.outcomes.items()],
            "usage": list(self.totals.usage),
            "cost": astuple(self.totals.cost),
            "judging": [self.judging.judged, self.judging.failed, list(self.judging.usage), astuple(self.judging.cost)],
            "models": self.models,
            "parameters": self.parameters,
            "details": self.details,
        }
        return orjson.dumps(document).decode()

    @classmethod
    def of(cls, text: str) -> Sums:
        """The inverse of ``text``."""
        found = orjson.loads(text)
        outcomes = {Outcome.of(number): count for number, count in found["outcomes"]}
        judged, failed, usage, cost = found["judging"]
        return cls(
            Totals(outcomes, Usage(*found["usage"]), Costs(*found["cost"])),
            JudgingTotals(judged, failed, Usage(*usage), Costs(*cost)),
            [(name, count) for name, count in found["models"]],
            [(name, count) for name, count in found["parameters"]],
            found.get("details", ""),
        )


def in_groups(run_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Ids, as many at a time as a database takes in one question."""
    return (run_ids[start : start + _TOGETHER] for start in range(0, len(run_ids), _TOGETHER))


class SumTable:
    """Those that are kept. Reading is synchronous (call it off the event loop); writing is grouped with the rest of the journal."""

    def __init__(self, engine: Engine, submit: Submit) -> None:
        self._engine = engine
        self._submit = submit

    def of(self, records: Iterable[RunRecord]) -> dict[str, Sums]:
        """What is kept of these runs and still holds, by their ids. What was kept without details is added up once more."""
        ended = {record.run_id: record.updated for record in records if record.status != ev.RUN_STATUS_RUNNING}
        found = {}
        with self._engine.connect() as connection:
            for ids in in_groups(list(ended)):
                for row in connection.execute(select(run_sums).where(run_sums.c.run_id.in_(ids))):
                    if row.updated == ended[row.run_id] and (sums := Sums.of(row.sums)).details:
                        found[row.run_id] = sums
        return found

    def keep(self, record: RunRecord, sums: Sums) -> asyncio.Future[None]:
        """Keeps what was added up of a run that does not go on. Nobody need wait for it."""
        row = {"run_id": record.run_id, "updated": record.updated, "sums": sums.text()}
        insert = insert_into(run_sums, self._engine).values(row)
        change = insert.on_conflict_do_update(index_elements=["run_id"], set_={name: row[name] for name in ("updated", "sums")})
        return self._submit(lambda connection: connection.execute(change), None)
