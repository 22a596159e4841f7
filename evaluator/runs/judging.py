"""The second pass of a run: a judge model rates what the run's model has answered, if a task's metric asks for a judge.

Every judgement is journalled before it counts, so a pass that was killed goes on where it was and asks nothing twice. The run's own
model is not asked. Not asked of the judge: instances without an answer, empty answers, and those that the scorer could not read; they are
rated worst as they stand.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from evaluator.journal.messages import is_priced
from evaluator.journal.records import Answer, Judgement, JudgingTotals, OpenCalls, RunJudge
from evaluator.planning.judge_prompts import JudgePrompt, judge_prompts, no_rating, rating_in
from evaluator.planning.judge_requests import judge_name, prepare_judgement
from evaluator.planning.plans import TaskPlan
from evaluator.runs.context import Context
from evaluator.runs.costs import RunningCost
from evaluator.runs.crew import CHUNK, Crew, Ending
from evaluator.runs.run_log import RunLog
from evaluator.runs.scoring import score_task
from evaluator.telemetry import suite_name
from evaluator.traffic.bills import plus
from evaluator.traffic.budget import Budget
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.model import Instance
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import GenlevelError
from genlevel.runtime.limits import AccountLimiter, Share
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

_LONGEST_REPLY = 2_000


@dataclass(frozen=True, slots=True)
class Judge:
    """Who is to judge a run: the model that is asked, and the name and prompts that its judgements are kept under."""

    model: gw.ModelInfo
    kept_as: RunJudge

    @classmethod
    def of_run(cls, run_id: str, model: gw.ModelInfo) -> Judge:
        """A judge of the run with today's prompts."""
        prompts = {name: (prompt.version, prompt.hash) for name, prompt in judge_prompts().items()}
        return cls(model, RunJudge(run_id, judge_name(model), model.route, prompts))


class _JudgementLog:
    """Makes the answers of a judge durable as judgements: what ``Traffic`` writes to. ``open``: judgements that are being asked for."""

    def __init__(self, log: RunLog, *, structured: bool) -> None:
        self._log = log
        self._structured = structured
        self.open: dict[tuple[str, AnswerKey], tuple[JudgePrompt, Judgement]] = {}

    def number(self) -> int:
        """See ``RunLog``."""
        return self._log.number()

    def record(self, answer: Answer, number: int | None = None) -> asyncio.Future[None]:
        """Journals what the judge said, or failed on."""
        asked = (answer.task, answer.key)
        prompt, judgement = self.open[asked]
        judgement = _with_answer(judgement, prompt, answer, structured=self._structured)
        self.open[asked] = (prompt, judgement)
        return self._log.judged(judgement, number)

    def note(self, calls: OpenCalls) -> asyncio.Future[None]:
        """See ``RunLog``."""
        return self._log.note(calls._replace(judges=True))

    def close_note(self, run_id: str, number: int) -> None:
        """See ``RunLog``."""
        self._log.close_note(run_id, number)

    def flush(self) -> None:
        """See ``RunLog``."""
        self._log.flush()


def _with_answer(judgement: Judgement, prompt: JudgePrompt, answer: Answer, *, structured: bool) -> Judgement:
    """A judgement after one more call (or the last of several that failed) about it."""
    cost = judgement.cost_nano_usd
    if answer.cost_nano_usd is not None:
        cost = (cost or 0) + answer.cost_nano_usd
    judgement = replace(
        judgement,
        calls=judgement.calls + answer.attempts,
        usage=judgement.usage + answer.usage,
        cost_nano_usd=cost,
        unknown_calls=judgement.unknown_calls + answer.unknown_calls,
        unknown_nano_usd=plus(judgement.unknown_nano_usd, answer.unknown_nano_usd),
        unknown_tokens=plus(judgement.unknown_tokens, answer.unknown_tokens),
        excess=max(judgement.excess, answer.excess),
        created=time.time(),
    )
    if answer.outcome is not Outcome.ANSWERED:
        error = f"the judge gave no rating: {answer.error}"
        return replace(judgement, outcome=Outcome.FAILED, error_class=answer.error_class, error=error)
    reply = answer.raw_answer[:_LONGEST_REPLY]
    rating = rating_in(prompt, answer.raw_answer, judgement.instance_id, prompt.form(structured=structured))
    if rating is not None:
        return replace(judgement, outcome=Outcome.ANSWERED, rating=rating, reply=reply, error="")
    replies = judgement.replies + 1
    failed = replies >= prompt.attempts
    error = no_rating(reply, replies)
    return replace(judgement, outcome=Outcome.FAILED if failed else Outcome.PENDING, reply=reply, replies=replies, error=error)


def _in_chunks(instances: Iterator[Instance]) -> Callable[[], list[Instance]]:
    """Gives the next ones at each call; none at the end."""
    return lambda: list(islice(instances, CHUNK))


@dataclass(frozen=True, slots=True)
class _Item:
    """One answer to be judged, with what is known of its judgement."""

    planned: TaskPlan
    instance: Instance
    answer: str
    prompt: JudgePrompt
    judgement: Judgement


class Judging(Crew[_Item]):
    """Drives one judging pass to its end.

    Args:
        tasks: those of the run that the judge can rate.
        header: what the scorer is told with every task, but the task.
        log: where judgements become durable.
        totals: what the journal has of the run's judging already.
        retry_failed: the judge is asked again about answers that it failed on.
    """

    def __init__(
        self,
        judge: Judge,
        tasks: Sequence[TaskPlan],
        header: sc.ScoreTaskHeader,
        context: Context,
        *,
        log: RunLog,
        limiter: AccountLimiter,
        budget: Budget,
        share: Share,
        totals: JudgingTotals,
        retry_failed: bool = False,
    ) -> None:
        self._log = _JudgementLog(log, structured=judge.model.structured_output)
        super().__init__(
            context,
            limiter=limiter,
            budget=budget,
            run_id=header.run_id,
            model_info=judge.model,
            log=self._log,
            model=judge.model.route,
            suite=suite_name(header),
            priced_before=is_priced(totals.cost),
            share=share,
        )
        self.judge = judge
        self._tasks = tasks
        self._header = header
        self._retry_failed = retry_failed
        self.judged, self.failed = totals.judged, totals.failed
        self.usage, self.cost = totals.usage, RunningCost.of(totals.cost)
        self._open: Counter[str] = Counter()  # by task: handed to a worker, not judged

    async def run(self) -> Ending:
        """Judges until nothing is left to judge or it is stopped; then scores the tasks."""
        self._context.telemetry.show(self)
        try:
            if (fault := await self._drive()) is not None:
                raise fault
            if self._scores:
                self._scoring = asyncio.create_task(self._score_all(), name="scoring")
                await self._scored()
        finally:
            if self._scoring is not None:
                self._scoring.cancel()
            self._context.telemetry.hide(self)
        ending = self._told_ending("answers to be judged")
        return ending._replace(reason=f"judging: {ending.reason}" if ending.reason else "")

    @property
    def asks(self) -> bool:
        """See ``Crew``. What was left out is not read again."""
        return super().asks and not self._left_out.count

    # -- reading ---------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        for planned in self._tasks:
            # The scorer knows which answers cannot be read: they are rated worst, and the judge need not see them.
            unreadable = frozenset((await self._score(planned)).unparsable_ids)
            following = _in_chunks(planned.task.instances(planned.positions))
            while chunk := await asyncio.to_thread(following):
                for item in await self._context.journal.reads(self._items, planned, chunk, unreadable):
                    if item.judgement.outcome is Outcome.FAILED:
                        self.failed -= 1
                        item = replace(item, judgement=replace(item.judgement, outcome=Outcome.PENDING, replies=0, reply=""))  # noqa: PLW2901
                    self._open[planned.task.key] += 1
                    await self._queue.put(item)

    def _items(self, planned: TaskPlan, chunk: Sequence[Instance], unreadable: frozenset[str]) -> list[_Item]:
        """Those of these instances that the judge has to be asked about (in a thread)."""
        prompt, task, run = judge_prompts()[planned.metric], planned.task.key, self._header.run_id
        asked = [(key, instance) for instance in chunk for key in planned.keys(instance)]
        keys = [key for key, _instance in asked]
        journal, judge = self._context.journal, self.judge.kept_as
        answers = journal.answers_to(run, task, keys)
        judged = journal.judgements.of(judge, task, prompt.metric, keys)
        items = []
        for key, instance in asked:
            answer = answers.get(key)
            if answer is None or answer.outcome is not Outcome.ANSWERED or not answer.raw_answer.strip():
                continue
            if str(key) in unreadable or not prompt.takes(instance):
                continue
            known = judged.get(key)
            if known is None:
                known = Judgement(
                    run_id=run,
                    task=task,
                    instance_id=key.instance,
                    variant=key.variant,
                    repeat=key.repeat,
                    shuffle=key.shuffle,
                    judge=judge.judge,
                    prompt_hash=prompt.hash,
                    prompt_version=prompt.version,
                )
            elif known.outcome is Outcome.ANSWERED or (known.outcome is Outcome.FAILED and not self._retry_failed):
                continue
            items.append(_Item(planned, instance, answer=answer.raw_answer, prompt=prompt, judgement=known))
        return items

    # -- judging ---------------------------------------------------------------------------------------------------

    async def _work_on(self, item: _Item) -> None:
        judgement = await self._judge(item)
        self._open[item.planned.task.key] -= 1
        self._count_judgement(judgement)

    async def _judge(self, item: _Item) -> Judgement:
        """Asks until a rating can be read or the judge has failed; each reply is journalled."""
        task, judgement = item.planned.task.key, item.judgement
        asked = (task, judgement.key)
        try:
            while judgement.outcome is Outcome.PENDING:
                before = judgement
                call = prepare_judgement(item.prompt, item.instance, item.answer, self.judge.model, judgement.reply)
                self._log.open[asked] = (item.prompt, judgement)
                await self._traffic.ask(task, judgement.key, call)
                _prompt, judgement = self._log.open[asked]
                self._add_usage(before, judgement)
        finally:
            self._log.open.pop(asked, None)
        return judgement

    async def _score_all(self) -> None:
        try:
            for planned in self._tasks:
                await self._score(planned)
        except GenlevelError as error:
            self.fail(error)

    async def _score(self, planned: TaskPlan) -> sc.TaskScore:
        return await score_task(self._context, self._header, planned)

    # -- counting --------------------------------------------------------------------------------------------------

    def _add_usage(self, before: Judgement, after: Judgement) -> None:
        self.usage += after.usage - before.usage
        self.cost.change(before, after)

    def _count_judgement(self, judgement: Judgement) -> None:
        self._finished()
        self._context.telemetry.judged(self.judge.kept_as.judge, self.suite, ok=judgement.outcome is Outcome.ANSWERED)
        if judgement.outcome is Outcome.ANSWERED:
            self.judged += 1
            self._succeeded()
        else:
            self.failed += 1
            if self._failed():
                said = f"the judge failed on the last {self._failures_in_a_row} answers; of the last one: {judgement.error}"
                self.stop(ev.RUN_STATUS_FAILED, said)

    def _leave(self, item: _Item) -> None:
        """It stays among the open ones: it has no judgement."""

    def pending(self) -> int:
        """Answers found so far that wait for their judgement."""
        return self._open.total()
