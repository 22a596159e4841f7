"""Runs as a list is made of them: little of each is read of all, and the rest of those that are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import Engine, select

from evaluator.journal.records import RunJudge, RunRecord
from evaluator.journal.rows import run_record
from evaluator.journal.sums import in_groups
from evaluator.journal.tables import run_judges, runs
from evaluator.journal.wishes import Wanted


class ListedRun(NamedTuple):
    """What a run is found by. suite_word: how its specification names the suite, which may be a path; "" if that was not read."""

    run_id: str
    created: float
    model: str
    suite: str
    status: int
    wanted: Wanted
    name: str
    tags: tuple[str, ...]
    notes: str
    suite_word: str
    updated: float = 0.0
    occasion: str = ""


class RunList:
    """Reads lists of runs. Blocking: call it off the event loop. engine: of the journal's database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self, *, ticks: bool, since: float = 0.0, suite_words: bool = False, only: str = "") -> list[ListedRun]:
        """The runs, the newest first. ticks: those with an occasion, too. since: created then or later, as Unix seconds. only: this run."""
        columns = [runs.c[name] for name in ListedRun._fields if name != "suite_word"]
        query = select(*columns, *([runs.c.specification] if suite_words else [])).where(runs.c.created >= since)
        if not ticks:
            query = query.where(runs.c.occasion == "")
        if only:
            query = query.where(runs.c.run_id == only)
        with self._engine.connect() as connection:
            return [_listed(row) for row in connection.execute(query.order_by(runs.c.created.desc(), runs.c.run_id.desc()))]

    def records(self, run_ids: Sequence[str]) -> list[RunRecord]:
        """Runs by their ids, in that order; those that are not there any more are left out."""
        found: dict[str, RunRecord] = {}
        with self._engine.connect() as connection:
            for ids in in_groups(run_ids):
                found |= {row.run_id: run_record(row) for row in connection.execute(select(runs).where(runs.c.run_id.in_(ids)))}
        return [found[run_id] for run_id in run_ids if run_id in found]

    def judges(self, run_ids: Sequence[str]) -> dict[str, RunJudge]:
        """Who judges the answers of these runs, by their ids; without those of which nobody was asked to."""
        found: dict[str, RunJudge] = {}
        with self._engine.connect() as connection:
            for ids in in_groups(run_ids):
                for row in connection.execute(select(run_judges).where(run_judges.c.run_id.in_(ids))):
                    prompts = {name: (version, hashed) for name, (version, hashed) in orjson.loads(row.prompts).items()}
                    found[row.run_id] = RunJudge(row.run_id, row.judge, row.route, prompts, bool(row.complete))
        return found

    def named(self, name: str) -> list[RunRecord]:
        """The runs that people call so, the newest first."""
        query = select(runs).where(runs.c.name == name).order_by(runs.c.created.desc(), runs.c.run_id)
        with self._engine.connect() as connection:
            return [run_record(row) for row in connection.execute(query)]


def _listed(row: tuple[object, ...]) -> ListedRun:
    run_id, created, model, suite, status, wanted, name, tags, notes, updated, occasion, *specification = row
    word = str(orjson.loads(str(specification[0])).get("suite", "")) if specification else ""
    return ListedRun(
        str(run_id),
        float(str(created)),
        str(model),
        str(suite),
        int(str(status)),
        Wanted.of(int(str(wanted))),
        str(name),
        tuple(orjson.loads(str(tags))),
        str(notes),
        word,
        float(str(updated)),
        str(occasion),
    )
