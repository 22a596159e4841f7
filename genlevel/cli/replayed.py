"""Answers of a bundle put into a journal and scored again, by today's parsers and metrics, with the suite that is here."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Container, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf import json_format

from evaluator.journal.journal import Journal
from evaluator.planning.planner import offline_plan
from evaluator.planning.suites import AnySuites
from evaluator.runs.copies import copied_record, copy_answers, judge_of, note_unknown_calls
from evaluator.runs.records import RunRecords
from evaluator.runs.redeciding import decided_again
from evaluator.runs.scoring import score_again
from genlevel.benchmark.content import suite_content
from genlevel.cli.bundles import with_media
from genlevel.deciding.decider import RULES
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import UsageError
from genlevel.runtime.files import FileCache
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from scorer.service import Scorer

if TYPE_CHECKING:
    from evaluator.journal.records import RunRecord
    from evaluator.planning.plans import Plan
    from evaluator.runs.crew import Ending
    from genlevel.cli.bundles import Bundle
    from genlevel.runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Kept:
    """A journal with its blob store, and who scores what is in it (evaluator.runs.scoring.Kept)."""

    journal: Journal
    blobs: BlobStore
    scorer: Scorer


class Ended:
    """Nothing goes on in a journal that nobody else has (evaluator.runs.records.Activity)."""

    active: frozenset[str] = frozenset()
    unstored: Mapping[str, Ending] = {}
    waiting: Mapping[str, str] = {}

    async def is_orphaned(self, run_id: str) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Replayed:
    """A run as it stands after it was scored again. suite_hash: of the suite that is here.

    undecided: why what was decided early could not be decided again, in one line; "" = it was, or nothing was decided.
    """

    run: ev.Run
    suite_hash: str
    verdict: sc.GetVerdictResponse
    undecided: str = ""


async def found_plan(run: ev.Run, settings: Settings, suite: str) -> Plan:
    """What a run asks, with its suite as it is found here. suite: where, if not by the run's own word. Raises DatasetError."""
    suites, specification = AnySuites(settings.suites.folders), ev.RunSpecification()
    specification.CopyFrom(run.specification)
    if suite:
        specification.suite = (await asyncio.to_thread(suites.named, suite)).stored
    return await offline_plan(suites, json_format.MessageToJson(specification), run.run_id)


async def put(bundle: Bundle, kept: Kept, run_id: str, *, number: int = 1, tasks: Container[str] | None = None) -> None:
    """Copies a bundle's answers, media and ratings into a journal under a run's id.

    number: among those copied under it. tasks: keys of those that it asked, if answers to others are to be refused.
    """
    before = (await kept.journal.reads(kept.journal.totals, run_id)).cost
    await copy_answers(kept.journal, run_id, with_media(bundle, kept.blobs), tasks=tasks)
    await note_unknown_calls(kept.journal, bundle.run, run_id, number=number, before=before)


async def replay(bundle: Bundle, settings: Settings, suite: str, *, references: str, alpha: float) -> Replayed:
    """Scores a bundle's answers again, in a storage of its own that is then removed.

    Raises GenlevelError: the suite is not here, an answer's media are missing, or something cannot be read.
    """
    plan = await found_plan(bundle.run, settings, suite)
    async with _scratch(settings) as kept:
        record = copied_record(bundle.run, plan, bundle.run.run_id)
        await kept.journal.writes(kept.journal.create_run, record)
        if (judge := judge_of(bundle.run, record.run_id)) is not None:
            await kept.journal.writes(kept.journal.judgements.set_judge, judge)
        await put(bundle, kept, record.run_id)
        await score_again(kept, plan, record)
        run = await RunRecords(kept.journal, Ended()).message(record)
        undecided = await _decide_again(bundle.run, run, kept, plan, record) if bundle.run.HasField("decision") else ""
        request = sc.GetVerdictRequest(run_id=record.run_id, references=references, alpha=alpha)
        verdict = await kept.scorer.get_verdict(request)
        return Replayed(run, await asyncio.to_thread(suite_content, plan.suite), verdict, undecided)


async def _decide_again(said: ev.Run, run: ev.Run, kept: Kept, plan: Plan, record: RunRecord) -> str:
    """Gives the run the decision that its answers come to. said: as it was exported. Returns why there is none, in one line.

    How much was asked when it was decided, and what that saved, stays as it is said: answers may have come since. So do the calls of the
    full run, which depend on what its model took, if they are as many as there are answers at most.
    """
    run.decision.CopyFrom(said.decision)
    if not said.decision.complete:
        return "not all of what was sought is decided, and where it stopped depends on calls and money"
    if said.decision.rules != RULES:
        return f"it was decided by genlevel {said.facts.version or 'of a version that is not known'}, which asks in another order"
    try:
        redecided = await decided_again(kept, plan, record, said.decision.until)
    except UsageError as error:
        run.decision.complete = False
        return str(error)
    again = redecided.decision
    is_other = bool(redecided.set_aside) or said.status == ev.RUN_STATUS_FINISHED  # what had failed may have been asked again since
    levels, tasks = {one.level: one for one in said.decision.levels}, {one.task: one for one in said.decision.tasks}
    for level in again.levels:
        if is_other and level.level in levels:
            level.by, level.decided_at = levels[level.level].by, levels[level.level].decided_at
    for task in again.tasks:
        task.asked = tasks[task.task].asked if task.task in tasks else 0
        task.decided_at = tasks[task.task].decided_at if is_other and task.task in tasks else task.decided_at
    run.decision.CopyFrom(again)
    run.decision.earlier.extend(said.decision.earlier)
    run.decision.asked, run.decision.total = said.decision.asked, min(said.decision.total, plan.total)
    if said.decision.HasField("saved_nano_usd"):
        run.decision.saved_nano_usd = said.decision.saved_nano_usd
    else:
        run.decision.ClearField("saved_nano_usd")
    return ""


@asynccontextmanager
async def _scratch(settings: Settings) -> AsyncIterator[Kept]:
    with tempfile.TemporaryDirectory(prefix="genlevel-") as scratch:
        folder = Path(scratch)
        blobs = BlobStore.open(folder / "blobs")
        scorer = Scorer(sqlite_url(folder / "scores.db"), files=FileCache(blobs, folder / "files"), weights=settings.scorer.weights)
        try:
            journal = Journal(sqlite_url(folder / "journal.db"))
            try:
                yield Kept(journal, blobs, scorer)
            finally:
                await asyncio.to_thread(journal.close)
        finally:
            scorer.close()
