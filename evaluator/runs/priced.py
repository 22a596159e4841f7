"""Notes that the models of a run have prices, if they have some now and had none before."""

from __future__ import annotations

from dataclasses import replace

from evaluator.journal.journal import Journal
from evaluator.journal.messages import is_priced
from evaluator.runs.work import Work


async def with_prices(journal: Journal, work: Work) -> Work:
    """The work of a run of which it is stored that its models have prices, if they have some now and had none before."""
    record, judge = work.record, work.judge
    if judge is not None and judge.model.HasField("price"):
        judging = await journal.reads(journal.judgements.totals, record.run_id)
        if not is_priced(judging.cost):
            await journal.writes(journal.judgements.set_priced, record.run_id)
    if record.priced or not work.asks or not work.plan.model.HasField("price"):
        return work
    await journal.writes(journal.set_priced, record.run_id)
    return replace(work, record=replace(record, priced=True))
