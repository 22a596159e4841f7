"""The second pass of a run: a judge model rates what the run's model has answered, where a task's metric asks for a judge.

Every judgement is journalled before it counts, so a pass that was killed goes on where it was and asks nothing twice. The run's own
model is not asked. Not asked of the judge: instances without an answer, empty answers, and those that the scorer could not read; they are
rated worst as they stand.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from evaluator.journal.journal import Answer, Journal
from evaluator.journal.judgements import Judgement, JudgingTotals, RunJudge
from evaluator.planning.judge_prompts import JudgePrompt, judge_prompts, no_rating, question_blocks, rating_in
from evaluator.planning.prompts import estimated_tokens, most_tokens
from evaluator.planning.requests import PreparedCall
from evaluator.runs.crew import CHUNK, Context, Crew
from evaluator.runs.scoring import PlannedTask, score_task
from evaluator.traffic.budget import Budget, worst_case_nano_usd
from genlevel.benchmark.model import Instance
from genlevel.runtime.errors import CallFailed, GenlevelError
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

_LONGEST_REPLY = 2_000


@dataclass(frozen=True, slots=True)
class JudgingPlan:
    """Which tasks of a run are judged, by whom. header: what the scorer is told with every task, but the task.

    retry_failed: the judge is asked again about answers that it failed on.
    """

    judge: RunJudge
    model: gw.ModelInfo
    tasks: tuple[PlannedTask, ...]
    header: sc.ScoreTaskHeader
    retry_failed: bool = False

    @property
    def run_id(self) -> str:
        return self.judge.run_id


def judge_name(model: gw.ModelInfo) -> str:
    """What judgements are kept under: provider/model; of a server of one's own, its account's name and the model's."""
    return f"{model.account if model.provider == 'compatible' else model.provider}/{model.model}"


def judged_tasks(tasks: tuple[PlannedTask, ...]) -> tuple[PlannedTask, ...]:
    """Tasks whose metric a judge can rate."""
    return tuple(planned for planned in tasks if planned.task.metric is not None and planned.task.metric.id in judge_prompts())


def judge_of_run(run_id: str, model: gw.ModelInfo) -> RunJudge:
    """The judge with the prompts of now."""
    prompts = {name: (prompt.version, prompt.hash) for name, prompt in judge_prompts().items()}
    return RunJudge(run_id, judge_name(model), model.route, prompts)


def prepare_judgement(prompt: JudgePrompt, instance: Instance, answer: str, model: gw.ModelInfo, last_reply: str = "") -> PreparedCall:
    """The call about one answer, at temperature 0.

    last_reply: one that could not be read; the judge is shown it, and reminded of the form.
    """
    form = prompt.form(structured=model.structured_output)
    question = question_blocks(prompt, instance, answer, form)
    limit = prompt.max_output_tokens + model.extra_output_tokens
    request = gw.GenerateRequest(route=model.route, parameters=gw.GenerationParameters(temperature=0.0, max_output_tokens=limit))
    request.parameters.response_schema_json = form.schema
    turns = [(ct.ROLE_SYSTEM, prompt.system), (ct.ROLE_USER, question)]
    if last_reply:
        turns += [(ct.ROLE_ASSISTANT, last_reply), (ct.ROLE_USER, prompt.reminder.replace("{form}", form.said))]
    for role, text in turns:
        request.messages.add(role=role).parts.add(text=text)
    whole = "\n".join(text for _role, text in turns)
    digest = hashlib.sha256(b"".join(message.SerializeToString(deterministic=True) for message in request.messages)).hexdigest()
    return PreparedCall(request, estimated_tokens(whole), most_tokens(whole), limit, digest)


def estimate(tasks: Sequence[PlannedTask], model: gw.ModelInfo, answer_tokens: Callable[[Instance], int]) -> ev.PlannedJudging:
    """What judging all answers of judged tasks takes. answer_tokens: of an instance's answer at most. Reads all of their instances."""
    found = ev.PlannedJudging(judge=judge_name(model), route=model.route)
    cost = 0
    for planned in judged_tasks(tuple(tasks)):
        assert planned.task.metric is not None
        prompt = judge_prompts()[planned.task.metric.id]
        for instance in planned.task.instances(planned.positions):
            if instance.problem or not prompt.takes(instance):
                continue
            call = prepare_judgement(prompt, instance, "-", model)
            tokens = call.estimated_input_tokens + answer_tokens(instance)
            found.answers += 1
            found.estimated_input_tokens += tokens
            found.max_output_tokens += call.most_output_tokens
            if model.HasField("price"):
                cost += worst_case_nano_usd(model.price, tokens, call.most_output_tokens)
    if model.HasField("price"):
        found.estimated_nano_usd = cost
    return found


class _JudgementLog:
    """Makes the answers of a judge durable as judgements: what ``Traffic`` writes to. ``open``: judgements that are being asked for."""

    def __init__(self, journal: Journal, *, structured: bool) -> None:
        self._journal = journal
        self._structured = structured
        self.open: dict[tuple[str, str], tuple[JudgePrompt, Judgement]] = {}

    def record(self, answer: Answer) -> asyncio.Future[None]:
        key = (answer.task, answer.instance_id)
        prompt, judgement = self.open[key]
        judgement = _with_answer(judgement, prompt, answer, structured=self._structured)
        self.open[key] = (prompt, judgement)
        return self._journal.judgements.record(judgement)

    def reserve(self, run_id: str, number: int, nano_usd: int) -> asyncio.Future[None]:
        return self._journal.reserve(run_id, number, nano_usd)

    def settle(self, run_id: str, number: int) -> asyncio.Future[None]:
        return self._journal.settle(run_id, number)


def _with_answer(judgement: Judgement, prompt: JudgePrompt, answer: Answer, *, structured: bool) -> Judgement:
    """A judgement after one more call (or the last of several that failed) about it."""
    cost = judgement.cost_nano_usd
    if answer.cost_nano_usd is not None:
        cost = (cost or 0) + answer.cost_nano_usd
    judgement = replace(
        judgement,
        calls=judgement.calls + answer.attempts,
        input_tokens=judgement.input_tokens + answer.input_tokens,
        cache_read_tokens=judgement.cache_read_tokens + answer.cache_read_tokens,
        cache_write_tokens=judgement.cache_write_tokens + answer.cache_write_tokens,
        output_tokens=judgement.output_tokens + answer.output_tokens,
        reasoning_tokens=judgement.reasoning_tokens + answer.reasoning_tokens,
        cost_nano_usd=cost,
        created=time.time(),
    )
    if answer.outcome != sc.OUTCOME_ANSWERED:
        error = f"the judge gave no rating: {answer.error}"
        return replace(judgement, outcome=sc.OUTCOME_FAILED, error_class=answer.error_class, error=error)
    reply = answer.raw_answer[:_LONGEST_REPLY]
    rating = rating_in(prompt, answer.raw_answer, judgement.instance_id, prompt.form(structured=structured))
    if rating is not None:
        return replace(judgement, outcome=sc.OUTCOME_ANSWERED, rating=rating, reply=reply, error="")
    replies = judgement.replies + 1
    failed = replies >= prompt.attempts
    error = no_rating(reply, replies)
    return replace(judgement, outcome=sc.OUTCOME_FAILED if failed else sc.OUTCOME_PENDING, reply=reply, replies=replies, error=error)


@dataclass(frozen=True, slots=True)
class _Item:
    """One answer to be judged, with what is known of its judgement."""

    planned: PlannedTask
    instance: Instance
    answer: str
    prompt: JudgePrompt
    judgement: Judgement


class Judging(Crew[_Item]):
    """Drives one judging pass to its end. ``run`` returns (status, reason)."""

    def __init__(self, plan: JudgingPlan, context: Context, budget: Budget, totals: JudgingTotals, *, first_reservation: int = 0) -> None:
        self._log = _JudgementLog(context.journal, structured=plan.model.structured_output)
        super().__init__(
            context,
            budget,
            run_id=plan.run_id,
            model_info=plan.model,
            log=self._log,
            model=plan.model.route,
            suite=plan.header.suite,
            first_reservation=first_reservation,
        )
        self.plan = plan
        self.judged, self.failed = totals.judged, totals.failed
        self.usage, self.cost_nano_usd, self.unknown_costs = totals.usage, totals.cost_nano_usd, totals.unknown_costs
        self._open: Counter[str] = Counter()  # by task: handed to a worker, not judged

    async def run(self) -> tuple[int, str]:
        """Judges until nothing is left to judge or it is stopped; then scores the tasks. Returns (RunStatus, why)."""
        self._context.telemetry.show(self)
        try:
            if (fault := await self._drive()) is not None:
                raise fault
            self._scoring = asyncio.create_task(self._score_all(), name="scoring")
            await self._scored()
        finally:
            if self._scoring is not None:
                self._scoring.cancel()
            self._context.telemetry.hide(self)
        return self._status, f"judging: {self._reason}" if self._reason else ""

    # -- reading ---------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        for planned in self.plan.tasks:
            # The scorer knows which answers cannot be read: they are rated worst, and the judge need not see them.
            unreadable = frozenset((await self._score(planned)).unparsable_ids)
            iterator = planned.task.instances(planned.positions)
            while (chunk := await asyncio.to_thread(self._next_items, planned, iterator, unreadable)) is not None:
                for item in chunk:
                    if item.judgement.outcome == sc.OUTCOME_FAILED:
                        self.failed -= 1
                        item = replace(item, judgement=replace(item.judgement, outcome=sc.OUTCOME_PENDING, replies=0, reply=""))  # noqa: PLW2901
                    self._open[planned.task.key] += 1
                    await self._queue.put(item)

    def _next_items(self, planned: PlannedTask, iterator: Iterator[Instance], unreadable: frozenset[str]) -> list[_Item] | None:
        """Those of the next instances that the judge has to be asked about (in a thread); None at the end."""
        chunk = list(islice(iterator, CHUNK))
        if not chunk:
            return None
        assert planned.task.metric is not None
        prompt, key = judge_prompts()[planned.task.metric.id], planned.task.key
        ids = [instance.id for instance in chunk]
        journal, judge = self._context.journal, self.plan.judge
        answers = journal.answers_to(self.plan.run_id, key, ids)
        judged = journal.judgements.of(judge, key, prompt.metric, ids)
        items = []
        for instance in chunk:
            answer = answers.get(instance.id)
            if answer is None or answer.outcome != sc.OUTCOME_ANSWERED or not answer.raw_answer.strip():
                continue
            if instance.id in unreadable or not prompt.takes(instance):
                continue
            known = judged.get(instance.id)
            if known is None:
                known = Judgement(self.plan.run_id, key, instance.id, judge.judge, prompt.hash, prompt.version)
            elif known.outcome == sc.OUTCOME_ANSWERED or (known.outcome == sc.OUTCOME_FAILED and not self.plan.retry_failed):
                continue
            items.append(_Item(planned, instance, answer.raw_answer, prompt, known))
        return items

    # -- judging ---------------------------------------------------------------------------------------------------

    async def _work_on(self, item: _Item) -> None:
        judgement = await self._judge(item)
        self._open[item.planned.task.key] -= 1
        self._count(judgement)

    async def _judge(self, item: _Item) -> Judgement:
        """Asks until a rating can be read or the judge has failed; each reply is journalled."""
        key = (item.planned.task.key, item.instance.id)
        judgement = item.judgement
        try:
            while judgement.outcome == sc.OUTCOME_PENDING:
                before = judgement
                call = prepare_judgement(item.prompt, item.instance, item.answer, self.plan.model, judgement.reply)
                self._log.open[key] = (item.prompt, judgement)
                await self._traffic.ask(*key, call)
                _prompt, judgement = self._log.open[key]
                self._add_usage(before, judgement)
        finally:
            self._log.open.pop(key, None)
        return judgement

    async def _score_all(self) -> None:
        try:
            for planned in self.plan.tasks:
                await self._score(planned)
        except (GenlevelError, CallFailed) as error:
            self.stop(ev.RUN_STATUS_FAILED, str(error))

    async def _score(self, planned: PlannedTask) -> sc.TaskScore:
        return await score_task(self._context.scorer, self._context.journal, self._context.blobs, self.plan.header, planned)

    # -- counting --------------------------------------------------------------------------------------------------

    def _add_usage(self, before: Judgement, after: Judgement) -> None:
        for name in ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens"):
            setattr(self.usage, name, getattr(self.usage, name) + getattr(after, name) - getattr(before, name))
        if after.cost_nano_usd is not None:
            self.cost_nano_usd = (self.cost_nano_usd or 0) + after.cost_nano_usd - (before.cost_nano_usd or 0)
        elif after.calls and not before.calls:
            self.unknown_costs += 1

    def _count(self, judgement: Judgement) -> None:
        self._finished()
        self._context.telemetry.judged(self.plan.judge.judge, self.suite, ok=judgement.outcome == sc.OUTCOME_ANSWERED)
        if judgement.outcome == sc.OUTCOME_ANSWERED:
            self.judged += 1
            self._succeeded()
        else:
            self.failed += 1
            if self._failed():
                said = f"the judge failed on the last {self._failures_in_a_row} answers; of the last one: {judgement.error}"
                self.stop(ev.RUN_STATUS_FAILED, said)

    def pending(self) -> int:
        """Answers found so far that wait for their judgement."""
        return self._open.total()
