"""One instance's attempts so far: what its calls took, and the outcome or the note that tells of them."""

from __future__ import annotations

import time
from dataclasses import dataclass

from evaluator.journal.messages import sent_parameters
from evaluator.journal.records import Answer, OpenCalls
from evaluator.planning.outputs import visible_text
from evaluator.traffic.bills import FRESH, Took, plus
from evaluator.traffic.budget import Amount
from evaluator.traffic.policy import Action, Decision
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.v1 import gateway_pb2 as gw

_SILENCE = gw.GenerateResponse()
_GIVE_UP = Decision(Action.GIVE_UP)


@dataclass(slots=True)
class Try:
    """One instance's attempts so far.

    request_hash: of what is asked. took: what the calls that ended took. noted: what the journal has of them; noted_at: since when, by
    time.monotonic. failure: the last one.
    """

    run_id: str
    task: str
    key: AnswerKey
    request_hash: str
    number: int
    took: Took = FRESH
    noted: OpenCalls | None = None
    noted_at: float = 0.0
    calls: int = 0
    failures: int = 0
    waits: int = 0
    first_call: float | None = None
    failure: CallFailed | None = None
    decision: Decision = _GIVE_UP

    def outcome(
        self,
        outcome: Outcome,
        response: gw.GenerateResponse = _SILENCE,
        *,
        files: str = "",
        error_class: ErrorClass = ErrorClass.UNSPECIFIED,
        error: str = "",
    ) -> Answer:
        """The instance's answer with what these attempts took. error: why it failed."""
        took, cut = self.took, response.finish_reason == gw.FINISH_REASON_LENGTH
        return Answer(
            self.run_id,
            self.task,
            self.key.instance,
            outcome,
            raw_answer=visible_text(response),
            finish_reason=response.finish_reason,
            error_class=error_class,
            error="the answer was cut at its token limit" if cut else error,
            attempts=self.calls,
            waits=self.waits,
            usage=took.usage,
            cost_nano_usd=took.cost_nano_usd,
            upstream_s=response.upstream_s,
            provider_model=response.model,
            parameters=sent_parameters(response),
            response_id=response.response_id,
            request_hash=self.request_hash,
            created=time.time(),
            files=files,
            variant=self.key.variant,
            repeat=self.key.repeat,
            shuffle=self.key.shuffle,
            unknown_calls=took.unknown_calls,
            unknown_nano_usd=took.unknown_nano_usd,
            unknown_tokens=took.unknown_tokens,
            excess=took.excess,
            fingerprint=response.provider_fingerprint,
        )

    def open(self, worst: Amount, *, bounded: bool) -> OpenCalls:
        """The note of these calls and one more, which is about to begin."""
        took = self.took
        nano = plus(took.most_nano_usd, worst.nano_usd if bounded else None)
        return OpenCalls(self.run_id, self.number, self.task, False, took.charged + 1, nano, plus(took.most_tokens, worst.tokens))

    def unanswered(self) -> OpenCalls:
        """The note of these calls, which no journalled answer tells of."""
        took = self.took
        return OpenCalls(self.run_id, self.number, self.task, False, took.charged, took.most_nano_usd, took.most_tokens)
