"""What the journal keeps, as plain data: runs, answers, judgements, who judges, and what they add up to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from evaluator.journal.usage import NO_USAGE, Usage
from evaluator.journal.wishes import Wanted
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import ErrorClass


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as stored. Times are Unix seconds.

    specification: RunSpecification as JSON. plan: JSON, [[task key, instances asked], ...] in order. status: a RunStatus of the contract.
    traffic: TrafficSettings as JSON, of the latest start or wish. wishes: how many there were. at_once: a stop is to end calls too.
    retry_failed, judge_only: what the latest start was asked for. vain_starts: how often a service has continued it since that last
    brought an answer. continued: when it last did. model: as the specification names it. covers: JSON, what its tasks are called, in its
    suite and in its benchmark. plan_number: which try of the model on them it is (evaluator.journal.plan_numbers), from 1; 0 = not told.
    facts: RunFacts as JSON; "" = not known. occasion: as the specification has it. name, tags (a JSON list), notes: what people say of it.
    """

    run_id: str
    identity: str
    generation: int
    specification: str
    suite: str
    benchmark: str
    partial: bool
    plan: str
    total: int
    priced: bool
    status: int
    reason: str
    prompt_version: str
    traffic: str
    calls: int
    retries: int
    created: float
    updated: float
    wanted: Wanted = Wanted.NOTHING
    wishes: int = 0
    at_once: bool = False
    retry_failed: bool = False
    judge_only: bool = False
    vain_starts: int = 0
    continued: float = 0.0
    model: str = ""
    covers: str = "[]"
    plan_number: int = 0
    facts: str = ""
    occasion: str = ""
    name: str = ""
    tags: str = "[]"
    notes: str = ""

    @property
    def suite_hash(self) -> str:
        """The hash of its suite's content when it was made; "" for a run from before there was one."""
        return str(json.loads(self.specification).get("suiteHash", ""))


class Answer(NamedTuple):
    """One answer's outcome as journalled. finish_reason: a FinishReason of the contract. created: Unix seconds.

    variant, repeat, shuffle: with the instance, the answer's key within its task. files: the stored objects that the answer consists of,
    as evaluator.journal.files writes them. cost_nano_usd: what is known of it. unknown_calls: calls whose bill is not known;
    unknown_nano_usd, unknown_tokens: what they may have taken at most beyond what is known, None = nobody can tell. excess: how many
    times its worst case one of the calls took, if one took more; else 0. parameters: those that were really sent, as JSON; "" = not known.
    fingerprint: what the provider said of the system that answered; "" = nothing, or not kept. member: of those that work on the run, who
    asked last; 0 = whoever had it alone.
    """

    run_id: str
    task: str
    instance_id: str
    outcome: Outcome
    raw_answer: str = ""
    finish_reason: int = 0
    error_class: ErrorClass = ErrorClass.UNSPECIFIED
    error: str = ""
    attempts: int = 1
    waits: int = 0
    usage: Usage = NO_USAGE
    cost_nano_usd: int | None = None
    upstream_s: float = 0.0
    provider_model: str = ""
    response_id: str = ""
    request_hash: str = ""
    created: float = 0.0
    files: str = ""
    variant: int = 0
    repeat: int = 0
    shuffle: int = 0
    unknown_calls: int = 0
    unknown_nano_usd: int | None = 0
    unknown_tokens: int | None = 0
    excess: float = 0.0
    parameters: str = ""
    fingerprint: str = ""
    member: int = 0

    @property
    def key(self) -> AnswerKey:
        """Which answer of its task it is."""
        return AnswerKey(self.instance_id, self.variant, self.repeat, self.shuffle)


class Said(NamedTuple):
    """What of a journalled answer is scored."""

    outcome: Outcome
    raw_answer: str
    files: str


class OpenCalls(NamedTuple):
    """Calls about one answer whose bills are in no journalled answer, noted before they begin.

    number: of the note, within the run. judges: whether it is the judge that is asked. calls: how many may be billed. nano_usd, tokens: the
    most that they may take; None = not known. member: as of answers.
    """

    run_id: str
    number: int
    task: str
    judges: bool
    calls: int
    nano_usd: int | None
    tokens: int | None
    member: int = 0


@dataclass(frozen=True, slots=True)
class Spent:
    """What calls to a model about a task's instances took. Pairs are nano-dollars and tokens.

    model: what the caller calls it. known: what is billed. most_of_one: the highest bill of an answer; None if none is known. calls: of
    which the money, or the tokens, are not known; worst: what those took at most. excess: how many times its worst case a call took, if it
    took more; else 0.
    """

    model: str
    task: str
    known: tuple[int, int]
    most_of_one: tuple[int | None, int | None]
    calls: tuple[int, int]
    worst: tuple[int, int]
    excess: float


@dataclass(frozen=True, slots=True)
class Costs:
    """What calls cost, in nano-dollars.

    nano_usd: what is known; None if nothing is. unknown_costs: answers of whose calls at least one has no known cost. unknown_calls: those
    calls, and calls of unknown fate. most_nano_usd: what all cost at most; None if nobody can tell.
    """

    nano_usd: int | None = None
    unknown_costs: int = 0
    unknown_calls: int = 0
    most_nano_usd: int | None = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """What a run's answers add up to."""

    outcomes: Mapping[Outcome, int]
    usage: Usage
    cost: Costs


@dataclass(frozen=True, slots=True)
class Judgement:
    """One answer judged, or a judge's failure on it. Usage and money are of all calls about it.

    outcome: ANSWERED (rating says how), FAILED (error says why), PENDING (its last reply could not be read; it will be asked again).
    rating: in the scale of the metric's ratings. replies: how many could not be read so far. reply: the judge's last words. What is not
    known of its cost: as of an ``Answer``.
    """

    run_id: str
    task: str
    instance_id: str
    judge: str
    prompt_hash: str
    prompt_version: str
    outcome: Outcome = Outcome.PENDING
    rating: float | None = None
    reply: str = ""
    replies: int = 0
    error_class: ErrorClass = ErrorClass.UNSPECIFIED
    error: str = ""
    calls: int = 0
    usage: Usage = NO_USAGE
    cost_nano_usd: int | None = None
    created: float = 0.0
    variant: int = 0
    repeat: int = 0
    shuffle: int = 0
    unknown_calls: int = 0
    unknown_nano_usd: int | None = 0
    unknown_tokens: int | None = 0
    excess: float = 0.0

    @property
    def key(self) -> AnswerKey:
        """Which answer of its task was judged."""
        return AnswerKey(self.instance_id, self.variant, self.repeat, self.shuffle)


@dataclass(frozen=True, slots=True)
class RunJudge:
    """Who judges a run's answers. prompts: (version, hash) by metric id, of when its judging began. complete: all that it can is judged."""

    run_id: str
    judge: str
    route: str
    prompts: Mapping[str, tuple[str, str]]
    complete: bool = False


@dataclass(frozen=True, slots=True)
class JudgingTotals:
    """Judged and failed are of one judge; usage and money are of all judges of the run."""

    judged: int
    failed: int
    usage: Usage
    cost: Costs
