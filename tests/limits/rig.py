"""Runs of the evaluator's own traffic code against a provider that limits, in virtual time; and what came of them.

    outcome = drive(Provider(TokenBucket(50, 10)), Line(0.1), seconds=90)
    outcome.used(30, 90), outcome.rejected(30, 90), outcome.longest_stall(30, 90)

Every client is a process of its own: its limiter knows nothing of the others'. Times are seconds since the start.
"""

from __future__ import annotations

import asyncio
import bisect
import functools
import inspect
import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

from evaluator.journal.records import Answer, OpenCalls
from evaluator.planning.prices import CallBounds
from evaluator.planning.requests import PreparedCall
from evaluator.traffic.budget import Budget
from evaluator.traffic.traffic import RunStopped, Traffic, TrafficRules
from evaluator.traffic.unstored import Unstored
from gateway.adapters.base import ProviderError
from gateway.answering.errors import classify
from gateway.answering.remaining import nearly_used_up
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.limits import AccountLimiter
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

from .providers import WALL, Provider
from .virtual import USUAL, Machine, run_virtual

_OUTPUT_TOKENS = 10
TOKENS = 50
"""Of a call, if its client does not say."""


def _call(tokens: int) -> PreparedCall:
    """A call that takes so many."""
    request = gw.GenerateRequest(route="m", parameters=gw.GenerationParameters(max_output_tokens=tokens))
    return PreparedCall(request, f"hash of {tokens}", CallBounds(tokens - _OUTPUT_TOKENS, 2 * tokens, _OUTPUT_TOKENS))


@dataclass(frozen=True)
class Line:
    """How long calls take: latency_s from sending to the answer, on average.

    network_s: there and back again, of it; a refusal takes only that. jitter: which part of each varies (exponentially).
    """

    latency_s: float
    network_s: float | None = None
    jitter: float = 0.3

    def leg_s(self, chance: random.Random) -> float:
        """One way."""
        network = min(0.01, self.latency_s / 2) if self.network_s is None else self.network_s
        return self._varied(network / 2, chance)

    def service_s(self, chance: random.Random) -> float:
        """What the provider itself takes for an answer."""
        network = min(0.01, self.latency_s / 2) if self.network_s is None else self.network_s
        return self._varied(self.latency_s - network, chance)

    def _varied(self, mean: float, chance: random.Random) -> float:
        return mean * (1 - self.jitter + self.jitter * chance.expovariate(1.0)) if mean > 0 else 0.0


@dataclass(frozen=True)
class Client:
    """One process. concurrency: 0 = adaptive, up to 64. rpm, tpm: stated limits. calls: how many instances; 0 = without end.

    begins_s, restarts_s: when it begins, and when it is killed and begins anew. pauses: (from, until) in which there is nothing to ask.
    cancels: of all calls, that part is cancelled a moment after it was asked for. retunes: (when, arguments of ``retune``).
    keeps_learnt: what was learnt is kept over restarts. limits: further arguments of the limiter. sizes: tokens of calls, so many of one
    size in a row.
    """

    concurrency: int = 0
    rpm: int = 0
    tpm: int = 0
    calls: int = 0
    begins_s: float = 0.0
    restarts_s: Sequence[float] = ()
    pauses: Sequence[tuple[float, float]] = ()
    cancels: float = 0.0
    retunes: Sequence[tuple[float, dict[str, int]]] = ()
    deadline_s: float = 900.0
    keeps_learnt: bool = False
    limits: dict[str, object] = field(default_factory=dict)
    sizes: Sequence[int] = (TOKENS,)
    in_a_row: int = 1


@dataclass
class Run:
    """What came of one client.

    arrivals: (when a call arrived at the provider, its status). took_s: each instance, waits included. finished_s: when the last one
    had its outcome; None: it had not.
    """

    arrivals: list[tuple[float, int]] = field(default_factory=list)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    took_s: list[float] = field(default_factory=list)
    stopped: str = ""
    finished_s: float | None = None
    limiter: AccountLimiter | None = None

    def count(self, start: float, end: float, status: int | None = None) -> int:
        """Calls that arrived from start to end, and were answered so."""
        return sum(1 for at, got in self.arrivals if start <= at < end and status in (None, got))


@dataclass
class Result:
    """What came of all clients at one provider."""

    provider: Provider
    runs: list[Run]

    def count(self, start: float, end: float, status: int | None = None) -> int:
        return sum(run.count(start, end, status) for run in self.runs)

    def used(self, start: float, end: float) -> float:
        """Calls that were admitted as a share of what the provider admits in that time."""
        return self.count(start, end, 200) / max(1e-9, self.provider.rule.admits(start, end))

    def rejected(self, start: float, end: float) -> float:
        """Calls that were limited as a share of all that arrived."""
        return self.count(start, end, 429) / max(1, self.count(start, end))

    def longest_stall(self, start: float, end: float) -> float:
        """The longest time in which no call was admitted."""
        times = sorted(at for run in self.runs for at, status in run.arrivals if status == 200)
        inside = times[bisect.bisect_left(times, start) : bisect.bisect_left(times, end)]
        edges = [start, *inside, end]
        return max(later - earlier for earlier, later in itertools.pairwise(edges))

    def table(self, every_s: float, end: float) -> str:
        """Lines of time, used, rejected, longest stall."""
        lines = []
        start = 0.0
        while start < end:
            until = min(end, start + every_s)
            lines.append(
                f"{start:6.0f}-{until:<6.0f} used {self.used(start, until):7.1%}  rejected {self.rejected(start, until):6.1%}  "
                f"stall {self.longest_stall(start, until):6.2f} s  calls {self.count(start, until)}"
            )
            start = until
        return "\n".join(lines)


def drive(
    provider: Provider,
    line: Line,
    *clients: Client,
    seconds: float,
    seed: int = 0,
    machine: Machine = USUAL,
    sees: Callable[[float, list[Run]], None] | None = None,
) -> Result:
    """Lets clients (one adaptive one if none is named) ask a provider for so long, or until those with an end have come to it.

    sees: called every second with the time and the runs.
    """
    main = functools.partial(_drive, provider, line, clients or (Client(),), seconds=seconds, seed=seed, sees=sees)
    return run_virtual(main, seed=seed, machine=machine)


async def _drive(
    provider: Provider,
    line: Line,
    clients: Sequence[Client],
    *,
    seconds: float,
    seed: int,
    sees: Callable[[float, list[Run]], None] | None,
) -> Result:
    begun = asyncio.get_running_loop().time()
    processes = [_Process(client, _Wire(provider, line, begun, f"{seed} {number}")) for number, client in enumerate(clients)]
    tasks = [asyncio.create_task(process.live(seconds)) for process in processes]
    watcher = asyncio.create_task(_watch(begun, [process.run for process in processes], sees)) if sees else None
    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(*tasks)
    except TimeoutError:
        pass
    finally:
        ended = [*tasks, watcher] if watcher else tasks
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)
    return Result(provider, [process.run for process in processes])


async def _watch(begun: float, runs: list[Run], sees: Callable[[float, list[Run]], None]) -> None:
    while True:
        sees(asyncio.get_running_loop().time() - begun, runs)
        await asyncio.sleep(1.0)


class _Wire:
    """A gateway of one process, as far as limits are concerned: calls on their way, and what failures and answers tell."""

    def __init__(self, provider: Provider, line: Line, begun: float, seed: str) -> None:
        self._provider, self._line, self.begun = provider, line, begun
        self._chance = random.Random(f"wire {seed}")
        self.run = Run()

    def now(self) -> float:
        return asyncio.get_running_loop().time() - self.begun

    async def generate(self, request: gw.GenerateRequest, *, timeout_s: float) -> gw.GenerateResponse:
        line, chance = self._line, self._chance
        await asyncio.sleep(line.leg_s(chance))
        tokens = request.parameters.max_output_tokens
        reply = self._provider.ask(self.now(), float(tokens))
        self.run.arrivals.append((self.now(), reply.status))
        if reply.status == 200:
            try:
                await asyncio.sleep(line.service_s(chance))
            finally:
                self._provider.end(self.now())
        await asyncio.sleep(line.leg_s(chance))
        if reply.status != 200:
            kind = (reply.dimension or "requests") if reply.status == 429 else "server_error"
            error = ProviderError(reply.status, type=kind if reply.dimension else "", message="no", headers=reply.headers)
            raise classify(error, provider="compatible", model="m")
        return gw.GenerateResponse(
            parts=[ct.Part(text="A")],
            finish_reason=gw.FINISH_REASON_STOP,
            usage=gw.Usage(input_tokens=tokens - _OUTPUT_TOKENS, output_tokens=_OUTPUT_TOKENS),
            limits=nearly_used_up(reply.headers, WALL + self.now()),
        )


class _Log:
    """A journal that is durable at once."""

    def __init__(self) -> None:
        self._numbers = 0

    def _done(self) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future

    def number(self) -> int:
        self._numbers += 1
        return self._numbers

    def record(self, answer: Answer, number: int | None = None) -> asyncio.Future[None]:
        return self._done()

    def note(self, calls: OpenCalls) -> asyncio.Future[None]:
        return self._done()

    def close_note(self, run_id: str, number: int) -> None: ...

    def flush(self) -> None: ...


class _Process:
    """One client: as many workers as the evaluator has, which ask one instance after the other."""

    def __init__(self, client: Client, wire: _Wire) -> None:
        self._client, self._wire, self.run = client, wire, wire.run
        self._left = client.calls
        self._learnt: object = None
        self._calls = itertools.cycle([_call(tokens) for tokens in client.sizes for _ in range(client.in_a_row)])
        self._chance = random.Random("cancels")

    async def live(self, seconds: float) -> None:
        """Its life, restarts included."""
        client = self._client
        await asyncio.sleep(client.begins_s)
        for until in (*client.restarts_s, seconds + 1.0):
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, until - self._wire.now())):
                    await self._session()
                    self.run.finished_s = self._wire.now()
                    return
            if client.keeps_learnt and self.run.limiter is not None:
                self._learnt = self.run.limiter.learnt()

    async def _session(self) -> None:
        client, loop = self._client, asyncio.get_running_loop()
        limits = dict(client.limits)
        if self._learnt is not None:
            limits["learnt"] = self._learnt
        limiter = self.run.limiter = AccountLimiter(
            requests_per_minute=client.rpm, tokens_per_minute=client.tpm, concurrency=client.concurrency or 64,
            adaptive=not client.concurrency, clock=loop.time, **limits,  # type: ignore[arg-type]
        )  # fmt: skip
        traffic = Traffic(
            run_id="r", model=gw.ModelInfo(route="m"), gateway=self._wire, journal=_Log(), blobs=cast(BlobStore, None),
            limiter=limiter, unstored=Unstored(), budget=Budget(None),
            rules=TrafficRules(max_attempts=6, deadline_s=client.deadline_s, call_timeout_s=300.0),
        )  # fmt: skip
        workers = [asyncio.create_task(self._work(traffic)) for _ in range(2 * (client.concurrency or 64) + 2)]
        for at, arguments in client.retunes:
            loop.call_later(max(0.0, at - self._wire.now()), lambda arguments=arguments: limiter.retune(**arguments))
        try:
            done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
            for worker in done:
                if error := worker.exception():
                    raise error
        except RunStopped as stop:
            self.run.stopped = self.run.stopped or stop.reason
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, traffic: Traffic) -> None:
        while not self._client.calls or self._left > 0:
            self._left -= 1
            for start, end in self._client.pauses:
                if start <= (now := self._wire.now()) < end:
                    await asyncio.sleep(end - now)
            began = self._wire.now()
            asking = traffic.ask("t", AnswerKey("i"), next(self._calls))
            if self._client.cancels and self._chance.random() < self._client.cancels:
                await _cancelled(asyncio.create_task(asking), self._chance.random() * 0.2)
                continue
            answer = await asking
            self.run.outcomes[answer.outcome] += 1
            self.run.took_s.append(self._wire.now() - began)


async def _cancelled(task: asyncio.Task[Answer], after_s: float) -> None:
    await asyncio.wait([task], timeout=after_s)
    task.cancel()
    await asyncio.wait([task])


def takes(name: str) -> bool:
    """Whether the limiter takes an argument."""
    return name in inspect.signature(AccountLimiter).parameters
