"""Parts of a run written into this storage as one, and scored."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.journal.journal import Journal
from evaluator.journal.plan_numbers import Part, Standing
from evaluator.journal.records import RunJudge, RunRecord
from evaluator.planning.plans import Plan
from evaluator.runs.copies import copied_record, first_answer, judge_of
from evaluator.runs.records import RunRecords
from evaluator.runs.scoring import score_again
from genlevel.benchmark.selection import matching_tasks
from genlevel.cli.replayed import Ended, Kept, put
from genlevel.documents.runs import result_document
from genlevel.embedded import make_scorer
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import UsageError
from genlevel.runtime.locks import run_locks
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.cli.bundles import Bundle
    from genlevel.runtime.documents import Document
    from genlevel.runtime.settings import Settings


async def keep(bundles: Sequence[Bundle], plans: Sequence[Plan], run_id: str, settings: Settings, folder: Path) -> Document:
    """Stores the merged run, if it is not there, scores it, and returns its result. Raises GenlevelError.

    plans: of the bundles' runs, over tasks that they do not share. The run is stored last: if that is not reached, nothing is there.
    """
    plan = joined_plan(plans, run_id)
    blobs = BlobStore.open(settings.storage.blobs or folder / "blobs", durability=settings.storage.durability)
    scorer = make_scorer(settings, folder, None)
    try:
        journal = Journal(settings.storage.url or sqlite_url(folder / "genlevel.db"), durability=settings.storage.durability)
        kept, locks = Kept(journal, blobs, scorer), run_locks(settings.storage.url, folder, durability=settings.storage.durability)
        lock = locks.of(run_id)
        try:
            if not await lock.acquire():
                raise UsageError(f"run {run_id} is being merged or deleted by {await lock.holder() or 'another process'}; wait for that")
            record = await journal.reads(journal.run, run_id)
            if record is None or record.run_id != run_id:
                record = await _stored(bundles, plans, plan, kept, run_id)
            await score_again(kept, plan, record)
            run = await RunRecords(journal, Ended()).message(record)
            return result_document(run, await scorer.get_verdict(sc.GetVerdictRequest(run_id=run_id)))
        finally:
            await lock.release()
            locks.close()
            await asyncio.to_thread(journal.close)
    finally:
        scorer.close()


async def _stored(bundles: Sequence[Bundle], plans: Sequence[Plan], plan: Plan, kept: Kept, run_id: str) -> RunRecord:
    journal = kept.journal
    await journal.writes(journal.clear, run_id)
    for number, (bundle, one) in enumerate(zip(bundles, plans, strict=True), start=1):
        await put(bundle, kept, run_id, number=number, tasks={planned.task.key for planned in one.tasks})
    if (judge := _judge([bundle.run for bundle in bundles], run_id)) is not None:
        await journal.writes(journal.judgements.set_judge, judge)
    parts = [
        Part(bundle.run.run_id, tuple(one.covers), await asyncio.to_thread(first_answer, bundle.run.run_id, bundle.answers()))
        for bundle, one in zip(bundles, plans, strict=True)
    ]

    def merged(standings: Sequence[Standing]) -> RunRecord:
        tick = bool(plan.specification.occasion)  # it is no try, and has no number
        runs = [bundle.run if tick else numbered(bundle.run, standing.least) for bundle, standing in zip(bundles, standings, strict=True)]
        # A try that is counted here by a run of its own, or by one that was merged before, counts by that.
        covers = {name for part, standing in zip(parts, standings, strict=True) if standing.counts for name in part.covers}
        return replace(copied_record(joined_run(runs, plans, plan), plan, run_id), covers=json.dumps(sorted(covers)))

    return await journal.writes(journal.create_merged, plan.specification.model, plan.suite.benchmark.name, parts, merged)


def numbered(run: ev.Run, least: int) -> ev.Run:
    """A part as it counts in this storage: the numbers of its plans are no lower than this."""
    raised = ev.Run()
    raised.CopyFrom(run)
    raised.plan = max(run.plan, least)
    for task, number in run.facts.task_plans.items():
        raised.facts.task_plans[task] = max(number, least)
    return raised


def joined_plan(plans: Sequence[Plan], run_id: str) -> Plan:
    """What all of them ask, of one suite. Raises UsageError if its tasks cannot be named together."""
    first = plans[0]
    by_key = {planned.task.key: planned for plan in plans for planned in plan.tasks}
    specification = ev.RunSpecification()
    specification.CopyFrom(first.specification)
    for plan in plans[1:]:
        specification.chosen.extend(plan.specification.chosen)
    whole = len(by_key) == len(first.suite.tasks)
    specification.tasks = "" if whole else ",".join(sorted(by_key))
    chosen = matching_tasks(first.suite, specification.tasks)
    if {task.key for task in chosen} != set(by_key):
        raise UsageError("the parts' tasks cannot be named together: a folder's name has a comma or is another task's name; rename it")
    return Plan(specification, first.suite, first.model, tuple(by_key[task.key] for task in chosen), run_id)


def joined_run(runs: Sequence[ev.Run], plans: Sequence[Plan], plan: Plan) -> ev.Run:
    """The runs as one: what they say alike, with the sums of their counts, and the number of the last of their plans.

    plans: of the runs. plan: of all.
    """
    run = ev.Run()
    run.CopyFrom(runs[0])
    run.specification.CopyFrom(plan.specification)
    run.plan = max(one.plan for one in runs)
    run.calls, run.retries = sum(one.calls for one in runs), sum(one.retries for one in runs)
    run.created.CopyFrom(min((one.created for one in runs), key=lambda time: time.ToNanoseconds()))
    run.updated.CopyFrom(max((one.updated for one in runs), key=lambda time: time.ToNanoseconds()))
    run.reason = "; ".join(_open_parts(runs))
    run.status = ev.RUN_STATUS_INTERRUPTED if run.reason else ev.RUN_STATUS_FINISHED
    run.ClearField("decision")  # of a part: over all tasks nothing was decided
    for priced in (one for one in runs if one.HasField("cost_nano_usd") or one.HasField("most_cost_nano_usd")):
        run.cost_nano_usd = run.most_cost_nano_usd = priced.cost_nano_usd  # says that it has a price; the journal adds it up
    facts = joined_facts(runs, plans, plan)
    run.ClearField("facts")
    if facts is not None:
        run.facts.CopyFrom(facts)
    return run


def _open_parts(runs: Sequence[ev.Run]) -> Iterator[str]:
    """Which parts were not asked in full, and how they are, in one line each."""
    if early := [run.run_id for run in runs if run.status == ev.RUN_STATUS_DECIDED]:
        yield f"decided early: {', '.join(early)}; `genlevel eval` without --until-decided asks the rest, then merge again"
    if others := [run.run_id for run in runs if run.status not in (ev.RUN_STATUS_FINISHED, ev.RUN_STATUS_DECIDED)]:
        yield f"not finished: {', '.join(others)}; continue it and merge again"


def joined_facts(runs: Sequence[ev.Run], plans: Sequence[Plan], plan: Plan) -> sc.RunFacts | None:
    """How the parts were asked, which is alike but for the genlevel that did and the price; None if it is not known of any."""
    known = [run.facts for run in runs if run.HasField("facts")]
    if not known:
        return None
    facts = sc.RunFacts()
    facts.CopyFrom(known[0])
    for name in ("version", "commit", "price"):
        if len({getattr(run.facts, name) for run in runs}) > 1:
            facts.ClearField(name)
    facts.tasks, facts.chosen = plan.specification.tasks, plan.chosen
    facts.ClearField("parts")
    facts.parts.extend(run.run_id for run in runs)
    numbers = {
        planned.task.key: run.facts.task_plans.get(planned.task.key, max(1, run.plan))
        for run, one in zip(runs, plans, strict=True)
        for planned in one.tasks
    }
    facts.ClearField("task_plans")
    if len(set(numbers.values())) > 1:
        facts.task_plans.update(numbers)
    return facts


def _judge(runs: Sequence[ev.Run], run_id: str) -> RunJudge | None:
    """Who judged the parts: one judge, with the prompts of all."""
    judges = [judge for run in runs if (judge := judge_of(run, run_id)) is not None]
    return replace(judges[0], prompts={name: prompt for judge in judges for name, prompt in judge.prompts.items()}) if judges else None
