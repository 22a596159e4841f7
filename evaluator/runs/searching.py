"""SearchAnswers: a run's answers by task, outcome, rightness, score and text, from the index beside the journal."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from evaluator.journal.files import stored_files
from evaluator.journal.journal import Journal
from evaluator.journal.records import RunRecord
from evaluator.journal.scored_table import TaskState
from evaluator.planning.suites import Suites
from evaluator.ports import ScorerPort
from evaluator.runs.indexing import index_task, question_of
from evaluator.search.folding import excerpt, folded
from evaluator.search.matching import Wanted, matching
from evaluator.search.pages import Found, Order, Page, Position, read, written
from evaluator.search.rightness import Rightness
from genlevel.benchmark.outcomes import Outcome
from genlevel.benchmark.selection import meant_by
from genlevel.benchmark.suites import find_instances
from genlevel.runtime.errors import GenlevelError, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

USUAL, MOST = 50, 500
"""Answers of a page, if nothing is said, and at most."""
LONGEST_TEXT = 1000
_READ_TOGETHER = 25_000
"""Answers of several tasks whose questions are read from a suite at a time: each time its folders are looked through."""
_WAIT_S = 2.0
"""Seconds for which a search waits until what is not indexed is."""
_AGAIN_S, _AGAIN_A_SECOND = 5.0, 2000
"""Seconds after which a task that goes on is indexed again; more if more answers than so many a second are to be indexed then."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that is sound. is_meant: whether a task is. search: what tells it from others, whichever page is asked for."""

    is_meant: Callable[[str], bool]
    wanted: Wanted
    order: Order
    limit: int
    after: Position | None
    search: str


class AnswerSearch:
    """Finds answers of runs.

    Tasks that were scored before there was an index, or whose scoring was cut off, are indexed when they are first searched: for a moment
    whoever searches waits for that, then it goes on beside.
    """

    def __init__(self, journal: Journal, scorer: ScorerPort, suites: Suites) -> None:
        self.journal = journal
        self.scorer = scorer
        self._suites = suites
        self._indexing: dict[str, asyncio.Task[None]] = {}

    async def search(self, record: RunRecord, request: ev.SearchAnswersRequest) -> ev.SearchAnswersResponse:
        """A page of answers. Raises UsageError for a wrong request; GenlevelError (journal; the scorer, if nothing is indexed)."""
        asked = _asked(record.run_id, request)
        states = await self.journal.reads(self.journal.scored.states, record.run_id)
        retried: frozenset[str] = frozenset()
        if record.status != ev.RUN_STATUS_FINISHED:  # then all that was asked again has been scored
            retried = await self.journal.reads(self.journal.scored.retried, record.run_id)
        if due := due_tasks(states, time.time(), retried):
            await self._index(record, due, wanted=not any(state.indexed for state in states.values()))
        found = await self.journal.reads(self._found, record.run_id, asked)
        found.indexing = record.run_id in self._indexing
        return found

    async def close(self) -> None:
        """Indexes nothing further."""
        for task in self._indexing.values():
            task.cancel()
        await asyncio.gather(*self._indexing.values(), return_exceptions=True)

    # -- indexing --------------------------------------------------------------------------------------------------

    async def _index(self, record: RunRecord, due: Sequence[str], *, wanted: bool) -> None:
        """Indexes tasks, and waits for that for a moment. wanted: there is nothing to search without, so its failure is raised."""
        run_id = record.run_id
        if run_id in self._indexing:
            return
        indexing = self._indexing[run_id] = asyncio.create_task(self._indexed(record, due), name=f"indexing-{run_id}")
        indexing.add_done_callback(partial(self._indexed_or_not, run_id))
        await asyncio.wait((indexing,), timeout=_WAIT_S)
        if wanted and indexing.done() and not indexing.cancelled():
            indexing.result()

    def _indexed_or_not(self, run_id: str, indexing: asyncio.Task[None]) -> None:
        del self._indexing[run_id]
        if not indexing.cancelled() and (error := indexing.exception()) is not None:
            fault = None if isinstance(error, GenlevelError) else error
            logger.warning("answers of run %s are not all indexed: %s", run_id, error, exc_info=fault)

    async def _indexed(self, record: RunRecord, due: Sequence[str]) -> None:
        table = self.journal.scored
        for ids in await self.journal.reads(self._in_parts, record.run_id, due):
            questions = await asyncio.to_thread(self._questions, record, ids)
            for task in ids:
                number = await self.journal.writes(table.claim, record.run_id, task)
                if number is not None:
                    await index_task(self, record.run_id, task, number, questions.get(task, {}))

    def _in_parts(self, run_id: str, due: Sequence[str]) -> list[dict[str, list[str]]]:
        """Tasks with the ids of their answered instances, of which so many are looked for together."""
        parts: list[dict[str, list[str]]] = []
        size = _READ_TOGETHER
        for task in due:
            ids = self.journal.answered_ids(run_id, only=task).get(task, [])
            if size + len(ids) > _READ_TOGETHER:
                parts.append({})
                size = 0
            parts[-1][task] = ids
            size += len(ids)
        return parts

    def _questions(self, record: RunRecord, ids: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
        """What was asked, by task and instance, as far as the suite is still there."""
        with contextlib.suppress(GenlevelError):
            place = self._suites.place_again(json.loads(record.specification)["suite"])
            found = find_instances(place, ids)
            return {task: {name: question_of(one) for name, one in instances.items()} for task, instances in found.items()}
        return {}

    # -- finding ---------------------------------------------------------------------------------------------------

    def _found(self, run_id: str, asked: _Asked) -> ev.SearchAnswersResponse:
        table, wanted = self.journal.scored, asked.wanted
        states = table.states(run_id)
        meant = frozenset(filter(asked.is_meant, states))
        page, found = Page(asked.order, asked.limit, asked.after), 0
        tasks: dict[str, Counter[int]] = {}
        for block, texts in table.blocks(run_id, None if asked.after is None else meant, texts=bool(wanted.text)):
            if block.task not in states or not states[block.task].indexed:
                continue  # what is left of an index that is not whole
            if not (places := matching(block, wanted, texts)):
                continue
            kinds = block.rightness
            counted = tasks.setdefault(block.task, Counter())
            counted.update(kinds if len(places) == len(kinds) else [kinds[place] for place in places])
            if block.task in meant:
                found += len(places)
                page.take(block, places)
        rows, following = page.rows()
        response = ev.SearchAnswersResponse(
            run_id=run_id,
            answers=self._messages(run_id, rows, wanted.text),
            found=found,
            next="" if following is None else written(following, asked.search),
            unscored=sum(state.answers - (min(state.answers, state.indexed) if state.scored else 0) for state in states.values()),
        )
        if asked.after is None:
            response.tasks.extend(
                ev.FoundTask(task=task, answers=kinds.total(), right=kinds[Rightness.RIGHT], wrong=kinds[Rightness.WRONG])
                for task, kinds in tasks.items()
            )
        return response

    def _messages(self, run_id: str, rows: Sequence[Found], text: str) -> Iterator[ev.FoundAnswer]:
        table = self.journal.scored
        questions = table.questions(run_id, {(row.block.task, row.block.number) for row in rows})
        shown = table.shown(run_id, ((row.block.task, row.key) for row in rows))
        for row, known in zip(rows, shown, strict=True):
            block, place, key = row.block, row.place, row.key
            asked = questions[block.task, block.number]
            cost = block.costs[place]
            message = ev.FoundAnswer(
                task=block.task,
                instance_id=key.instance,
                variant=key.variant,
                repeat=key.repeat,
                shuffle=key.shuffle,
                outcome=sc.Outcome.Name(block.outcomes[place]),
                rightness=ev.Rightness.Name(block.rightness[place]),
                score=block.score(place),
                best=block.best,
                question=asked[place] if place < len(asked) else "",
                cost_nano_usd=None if cost < 0 else cost,
                upstream_s=block.seconds[place],
                created_s=block.created[place],
            )
            if known is not None:
                message.excerpt, message.error = excerpt(known.beginning, text), excerpt(known.error, text)
                message.attempts = known.attempts
                message.files = len(stored_files(known.files))
            yield message


def due_tasks(states: Mapping[str, TaskState], now: float, retried: Container[str] = ()) -> list[str]:
    """The tasks that whoever searches is to index first: something is missing, and nobody else indexes it, or did a moment ago.

    retried: tasks whose failures were asked again.
    """

    def is_due(task: str, state: TaskState) -> bool:
        differs = state.answers != state.indexed or task in retried
        return differs and now - state.begun > max(_AGAIN_S, state.indexed / _AGAIN_A_SECOND)

    return [task for task, state in states.items() if state.left or (not state.busy and is_due(task, state))]


def _asked(run_id: str, request: ev.SearchAnswersRequest) -> _Asked:
    """Raises UsageError, which names the field."""
    try:
        outcomes = frozenset(Outcome.of(number).number for number in request.outcomes)
    except ValueError as error:
        raise UsageError(f"outcomes: {error}") from None
    if wrong := set(map(int, request.rightness)) - set(Rightness):
        raise UsageError(f"rightness: there is no {min(wrong)}")
    if int(request.order) not in set(Order):
        raise UsageError(f"order: there is no {request.order}")
    if request.limit > MOST:
        raise UsageError(f"limit: {request.limit} is more than a page has; take at most {MOST} and go on with `after`")
    least, most = (getattr(request, name) if request.HasField(name) else None for name in ("least_score", "most_score"))
    if any(score is not None and math.isnan(score) for score in (least, most)):
        raise UsageError("least_score, most_score: give numbers")
    if len(request.text) > LONGEST_TEXT:
        raise UsageError(f"text: it has {len(request.text):,} characters; take at most {LONGEST_TEXT:,}")
    others = ev.SearchAnswersRequest()
    others.CopyFrom(request)
    others.run_id, others.limit, others.after = run_id, 0, ""
    search = hashlib.sha256(others.SerializeToString(deterministic=True)).hexdigest()[:12]
    wanted = Wanted(outcomes, frozenset(request.rightness), least, most, folded(request.text))
    return _Asked(_meaning(request.tasks), wanted, Order(request.order), request.limit or USUAL, _position(request.after, search), search)


def _meaning(tasks: Sequence[str]) -> Callable[[str], bool]:
    if not tasks:
        return lambda _task: True
    named, is_meant = frozenset(tasks), meant_by(",".join(tasks), "tasks")
    return lambda task: task in named or is_meant(task)


def _position(after: str, search: str) -> Position | None:
    try:
        return read(after, search) if after else None
    except ValueError as error:
        raise UsageError(f"after: {error}; ask for the first page again, without `after`") from None
