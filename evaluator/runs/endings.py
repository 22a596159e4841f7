"""What is said of how a run ended: to whoever watches it, in its record, and in the log."""

from __future__ import annotations

import logging

from evaluator.journal.journal import Journal
from evaluator.runs.active import ActiveRun
from evaluator.runs.crew import Ending
from evaluator.runs.work import Work
from evaluator.traffic.bills import plus
from evaluator.traffic.told import bounds_told
from genlevel.runtime.shown import cut
from genlevel.v1 import evaluator_pb2 as ev

logger = logging.getLogger(__name__)


async def told_ending(journal: Journal, active: ActiveRun, ending: Ending) -> Ending:
    """An ending with what the journal says of the run: answers that are gone, and what it may have cost."""
    return await _with_bounds(journal, active, await _with_losses(journal, active, ending))


def with_unstored(active: ActiveRun, ending: Ending) -> Ending:
    """An ending that says how many answers have come and could not be stored. If another process has the run now, that is its to say."""
    if not active.log.unstored or active.log.overtaken:
        return ending
    return ending._replace(reason="; ".join(filter(None, (ending.reason, active.log.losses()))))


def named(work: Work) -> tuple[str, str]:
    """The model and the suite of a run, as a log line names them."""
    return cut(work.plan.specification.model), cut(work.record.suite)


def log_end(active: ActiveRun, ending: Ending) -> None:
    """Says in the log how a run ended."""
    outcomes = active.progress().run.counts
    counted = ", ".join(f"{count.name} {value:,}" for count, value in outcomes.ListFields())
    status = ev.RunStatus.Name(ending.status).removeprefix("RUN_STATUS_").lower()
    reason = f" ({' '.join(ending.reason.split())})" if ending.reason else ""
    logger.info("run %s ended: %s%s; %s on %s: %s", active.run_id, status, reason, *named(active.work), counted)


async def _with_losses(journal: Journal, active: ActiveRun, ending: Ending) -> Ending:
    """An ending that says if answers which were stored are gone: then the run has not finished, whatever was counted."""
    if not ending.is_complete or active.execution is None:
        return ending
    outcomes = (await journal.reads(journal.totals, active.run_id)).outcomes
    lost = sum(active.execution.state.outcomes.values()) - sum(outcomes.values())
    if lost <= 0:
        return ending
    told = f"{lost:,} answers that had been stored are not in the database any more (was an older copy put in its place?)"
    return Ending(ev.RUN_STATUS_FAILED, f"{told}; they are asked again", may_pass=True)


async def _with_bounds(journal: Journal, active: ActiveRun, ending: Ending) -> Ending:
    """An ending that says if the run may have cost more than its budget."""
    limit, _ = active.budget.limits
    if limit is None:
        return ending
    answers = (await journal.reads(journal.totals, active.run_id)).cost
    judging = (await journal.reads(journal.judgements.totals, active.run_id)).cost
    told = bounds_told(
        limit,
        (answers.nano_usd or 0) + (judging.nano_usd or 0),
        plus(answers.most_nano_usd, judging.most_nano_usd),
        answers.unknown_calls + judging.unknown_calls,
    )
    return ending._replace(reason="; ".join(filter(None, (ending.reason, told))))
