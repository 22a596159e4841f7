"""A gateway in memory with a batch API: batches go on by a step at each look, and what was asked is counted as paid."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from genlevel.runtime.errors import CallFailed, NotFoundError
from genlevel.runtime.failures import to_status
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.evaluator.conftest import ScriptedGateway

INPUT, OUTPUT = 10, 2
COST = (INPUT * 2_000 + OUTPUT * 8_000) // 2
"""What one item costs in a batch, in nano-dollars."""
_OVER = (gw.BATCH_STATE_ENDED, gw.BATCH_STATE_FAILED)


@dataclass
class Stored:
    id: str
    key: str
    items: list[gw.BatchItem]
    looks: int = 0
    state: int = gw.BATCH_STATE_WAITING
    cut_short: str = ""
    results: dict[str, gw.BatchResult] = field(default_factory=dict)


def question_of(request):
    return request.messages[0].parts[-1].text.splitlines()[0]


class BatchGateway(ScriptedGateway):
    """Items are answered as ``script`` says; it may raise.

    looks: after so many a batch has ended. held: none ends. on: called with the name of each step as it is reached (it may raise).
    rejects: questions that are not taken. cut_short: "expired" or "cancelled" once so many items (most) are answered. keyless: it keeps no
    keys until a batch has ended.
    """

    def __init__(self):
        super().__init__()
        self.info.price.CopyFrom(gw.Price(input="2", output="8"))
        self.info.charges = True
        self.info.batch.CopyFrom(gw.BatchLimits(items=1000, bytes=10 << 20, price_factor="0.5"))
        self.stored: dict[str, Stored] = {}
        self.paid: Counter[str] = Counter()
        self.sizes: list[int] = []
        self.cancelled: list[str] = []
        self.asked: list[gw.CollectBatchRequest] = []
        self.looks, self.held, self.most, self.cut_short = 1, False, None, "expired"
        self.on = lambda step: None
        self.rejects = ()
        self.failed_with: list[tuple[int, str]] = []
        self.keyless = False
        self.fault = ""  # the question that makes a batch invalid
        self.factor = 1
        self.extra_results: list[gw.BatchResult] = []
        self.lose = ()
        self.single = 0

    async def generate(self, request, *, timeout_s):
        self.single += 1
        return await super().generate(request, timeout_s=timeout_s)

    async def submit_batch(self, requests):
        key, items = "", []
        async for message in requests:
            key = key or message.key
            items += message.items
            self.on("filling")
        self.on("handed over")
        assert len({item.id for item in items}) == len(items)
        refused = CallFailed(gw.ERROR_CLASS_UNSUPPORTED, "not this one", part="messages[0]")
        out = [item for item in items if question_of(item.request) in self.rejects]
        kept = [item for item in items if question_of(item.request) not in self.rejects]
        response = gw.SubmitBatchResponse(rejected=[gw.BatchResult(id=item.id, error=to_status(refused)) for item in out])
        if kept:
            stored = Stored(f"batch-{len(self.stored) + 1}", key, kept)
            self.stored[stored.id] = stored
            self.sizes.append(len(kept))
            self.on("accepted")
            response.batch.CopyFrom(self._shown(stored))
        await asyncio.sleep(0)
        return response

    async def get_batch(self, request):
        self.on("looked at")
        stored = self._of(request.id)
        stored.looks += 1
        if stored.state in _OVER:
            return gw.GetBatchResponse(batch=self._shown(stored))
        if any(question_of(item.request) == self.fault for item in stored.items):
            stored.state, stored.problem = gw.BATCH_STATE_FAILED, (gw.ERROR_CLASS_CALLER_FAULT, "a line is not valid")
        elif self.failed_with:
            stored.state = gw.BATCH_STATE_FAILED
            error_class, problem = self.failed_with.pop(0)
            stored.problem = (error_class, problem)
        elif stored.state == gw.BATCH_STATE_CANCELLING:
            self._end(stored, len(stored.items) // 2, "cancelled")
        elif stored.looks >= self.looks and not self.held:
            self._end(stored, self.most, self.cut_short)
        else:
            stored.state = gw.BATCH_STATE_RUNNING
        return gw.GetBatchResponse(batch=self._shown(stored))

    async def find_batches(self, request):
        self.on("looked for")
        found = [self._shown(stored) for stored in self.stored.values()]
        if self.keyless:
            for batch in found:
                if batch.state not in _OVER:
                    batch.key = ""
            for stored in self.stored.values():  # time goes on
                if stored.state not in _OVER and not self.held:
                    self._end(stored, self.most, self.cut_short)
        return gw.FindBatchesResponse(batches=[batch for batch in found if batch.key in ("", request.key)])

    async def collect_batch(self, request):
        self.asked.append(request)
        stored = self._of(request.id)
        results = [*self.extra_results, *reversed(stored.results.values())]
        half = max(1, len(results) // 2)
        for part in (results[:half], results[half:]):
            self.on("collecting")
            yield gw.CollectBatchResponse(results=part)
            self.on("collected")

    async def cancel_batch(self, request):
        stored = self._of(request.id)
        self.on("cancelling")
        self.cancelled.append(request.id)
        if stored.state != gw.BATCH_STATE_ENDED:
            stored.state = gw.BATCH_STATE_CANCELLING
        return gw.CancelBatchResponse()

    def _of(self, batch_id):
        if batch_id not in self.stored:
            raise NotFoundError(f"no batch {batch_id}")
        return self.stored[batch_id]

    def _shown(self, stored):
        batch = gw.Batch(id=stored.id, key=stored.key, state=stored.state, total=len(stored.items), answered=len(stored.results),
                         created_s=1.0, expires_s=2e9, cut_short=stored.cut_short)  # fmt: skip
        if stored.state == gw.BATCH_STATE_FAILED:
            batch.problem_class, batch.problem = stored.problem
        return batch

    def _end(self, stored, most, cut_short):
        stored.state = gw.BATCH_STATE_ENDED
        answered = stored.items if most is None else stored.items[:most]
        stored.cut_short = cut_short if len(answered) < len(stored.items) else ""
        for place, item in enumerate(stored.items):
            if place >= len(answered):
                code = "batch_expired" if cut_short == "expired" else "batch_cancelled"
                error = CallFailed(gw.ERROR_CLASS_NOT_SENT, f"the batch {cut_short}", provider_code=code)
                stored.results[item.id] = gw.BatchResult(id=item.id, error=to_status(error))
                continue
            question = question_of(item.request)
            if question in self.lose:
                continue
            self.calls[question] += 1
            try:
                text = self.script(question, self.calls[question])
            except CallFailed as error:
                stored.results[item.id] = gw.BatchResult(id=item.id, error=to_status(error))
                continue
            self.paid[question] += 1
            stored.results[item.id] = gw.BatchResult(id=item.id, response=self._answer(text))

    def _answer(self, text):
        return gw.GenerateResponse(
            parts=[ct.Part(text=text)], finish_reason=gw.FINISH_REASON_STOP, usage=gw.Usage(input_tokens=INPUT, output_tokens=OUTPUT),
            cost_nano_usd=COST * self.factor, provider="compatible", model="m",
        )  # fmt: skip
