"""What the journal keeps, as plain data: runs, answers, judgements, who judges, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from evaluator.journal.usage import Usage
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
    brought an answer. continued: when it last did.
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


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer's outcome as journalled. finish_reason: a FinishReason of the contract. created: Unix seconds.

    variant, repeat, shuffle: with the instance, the answer's key within its task. files: the stored objects that the answer consists of,
    as evaluator.journal.files writes them.
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
    usage: Usage = field(default_factory=Usage)
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

    @property
    def key(self) -> AnswerKey:
        """Which answer of its task it is."""
        return AnswerKey(self.instance_id, self.variant, self.repeat, self.shuffle)


@dataclass(frozen=True, slots=True)
class Totals:
    """What a run's answers add up to; cost in nano-dollars, None if none is known.

    unknown_costs: instances that were asked and whose cost is not known. uncertain_nano_usd: what calls of unknown fate may have cost.
    """

    outcomes: Mapping[Outcome, int]
    usage: Usage
    cost_nano_usd: int | None
    uncertain_nano_usd: int
    unknown_costs: int = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """One answer judged, or a judge's failure on it. Usage and money are of all calls about it.

    outcome: ANSWERED (rating says how), FAILED (error says why), PENDING (its last reply could not be read; it will be asked again).
    rating: in the scale of the metric's ratings. replies: how many could not be read so far. reply: the judge's last words.
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
    usage: Usage = field(default_factory=Usage)
    cost_nano_usd: int | None = None
    created: float = 0.0
    variant: int = 0
    repeat: int = 0
    shuffle: int = 0

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
    """Judged and failed are of one judge; usage and money are of all judges of the run.

    unknown_costs: judgements whose calls have no known cost.
    """

    judged: int
    failed: int
    usage: Usage
    cost_nano_usd: int | None
    unknown_costs: int = 0
