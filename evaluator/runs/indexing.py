"""Keeps the index by which answers are found: of one task, from its journalled answers and what the scorer says of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol

from evaluator.journal.journal import Journal
from evaluator.journal.scored_table import Kept
from evaluator.ports import ScorerPort
from evaluator.search.blocks import QUESTION, Entry, Packed, packed
from evaluator.search.rightness import as_scored, rightness
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.model import Instance
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import GenlevelError, NotFoundError
from genlevel.v1 import scorer_pb2 as sc

_WRITTEN_BYTES = 16 << 20
"""Of blocks that are written together, about."""

_ASKED_TOGETHER = 50_000
"""Instances of a task that the scorer is asked about at a time."""

logger = logging.getLogger(__name__)


class Scored(Protocol):
    """Where answers are kept, and who scores them."""

    @property
    def journal(self) -> Journal: ...
    @property
    def scorer(self) -> ScorerPort: ...


class Scores(NamedTuple):
    """What the scorer says of a task's answers; of none if it has not scored it. best: the best score that one can have; None: none."""

    answers: Mapping[AnswerKey, tuple[Outcome, float | None]]
    best: float | None


def question_of(instance: Instance) -> str:
    """The beginning of a question, as it is kept."""
    return "\n".join(part for part in (instance.prompt, instance.context, *instance.dialog) if part)[:QUESTION]


@asynccontextmanager
async def indexed_after(kept: Scored, run_id: str, task: str) -> AsyncIterator[dict[str, str]]:
    """Indexes a task once it has been scored. Gives a dictionary, in which questions are put by instance meanwhile.

    Until then answers are found by the index as it was. If scoring fails, or the process is killed, whoever searches makes it anew.
    """
    table = kept.journal.scored
    number = await kept.journal.writes(table.begin, run_id, task)
    questions: dict[str, str] = {}
    whole = False
    try:
        yield questions
        try:
            number = await kept.journal.writes(table.begin, run_id, task)  # anew: if it took long, somebody has indexed it meanwhile
            await index_task(kept, run_id, task, number, questions)
            whole = True
        except GenlevelError as error:
            logger.warning("%s of run %s is scored, and not indexed: %s; it will be when answers are searched", task, run_id, error)
    finally:
        if not whole:
            table.forget(run_id, task, number)


@asynccontextmanager
async def outdated_by(kept: Scored, run_id: str, task: str) -> AsyncIterator[None]:
    """Scores a task that is indexed when somebody searches it: what was indexed before, or meanwhile, holds no more."""
    await _outdated(kept.journal, run_id, task)
    try:
        yield
    finally:
        await _outdated(kept.journal, run_id, task)


async def _outdated(journal: Journal, run_id: str, task: str) -> None:
    outdating = journal.scored.outdate(run_id, task)
    journal.flush()
    await outdating


async def index_task(kept: Scored, run_id: str, task: str, number: int, questions: Mapping[str, str]) -> None:
    """Indexes the answers that a task has. number: under which (evaluator.journal.scored_table). questions: by instance, as far as known.

    Raises GenlevelError (journal or scorer).
    """
    journal = kept.journal
    scores = await _scores(kept, run_id, task)
    blocks, some = await journal.reads(_first, journal, run_id, task, scores, questions)
    first, last = 0, False
    while not last:  # what is read has begun, and is not begun again
        following = await asyncio.to_thread(_next_of, blocks) if some else []
        last = not following
        writing = journal.scored.write(run_id, task, number, some, first=first, last=last, with_scores=bool(scores.answers))
        first, some = first + len(some), following
        await writing


async def _scores(kept: Scored, run_id: str, task: str) -> Scores:
    """Raises GenlevelError."""
    found: dict[AnswerKey, tuple[Outcome, float | None]] = {}
    best = None
    try:
        for request in await kept.journal.reads(_asked, kept.journal, run_id, task):
            async for one in kept.scorer.list_instances(request):
                key = AnswerKey(one.instance_id, one.variant, one.repeat, one.shuffle)
                found[key] = Outcome.of(one.outcome), one.score if one.HasField("score") else None
                if best is None and one.HasField("best"):
                    best = one.best
    except NotFoundError:
        return Scores({}, None)
    return Scores(found, best)


def _asked(journal: Journal, run_id: str, task: str) -> list[sc.ListInstancesRequest]:
    """Requests for all of a task's instances."""
    if sum(journal.outcome_counts(run_id, task).values()) <= _ASKED_TOGETHER:
        return [sc.ListInstancesRequest(run_id=run_id, task=task)]
    ids = journal.answered_ids(run_id, only=task)[task]
    return [
        sc.ListInstancesRequest(run_id=run_id, task=task, instances=ids[start : start + _ASKED_TOGETHER])
        for start in range(0, len(ids), _ASKED_TOGETHER)
    ]


def _first(journal: Journal, run_id: str, task: str, scores: Scores, questions: Mapping[str, str]) -> tuple[Iterator[Packed], list[Packed]]:
    blocks = packed(entries_of(journal.scored.rows(run_id, task), scores, questions), scores.best)
    return blocks, _next_of(blocks)


def _next_of(blocks: Iterator[Packed]) -> list[Packed]:
    """The next few blocks; none at the end."""
    some, size = [], 0
    for block in blocks:
        some.append(block)
        size += len(block.texts)
        if size >= _WRITTEN_BYTES:
            break
    return some


def entries_of(rows: Iterable[Kept], scores: Scores, questions: Mapping[str, str]) -> Iterator[Entry]:
    """Journalled answers as they are indexed."""
    for row in rows:
        key = row.key
        outcome, score = as_scored(row.outcome, scores.answers.get(key))
        yield Entry(
            key=key,
            outcome=outcome,
            rightness=rightness(outcome, score, scores.best),
            score=score,
            cost_nano_usd=row.cost_nano_usd,
            upstream_s=row.upstream_s,
            created=row.created,
            question=questions.get(key.instance, ""),
            answer=row.raw_answer,
            error=row.error,
        )
