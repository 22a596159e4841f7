"""A fuzz of the services: 20,000 well-formed messages with random contents over all methods of gateway, evaluator and scorer.

    python tests/performance/fuzz_services.py [--cases 20000] [--seed 0] [--method ScoreTask]

Each service is a process of its own, asked over gRPC; the model is a stub. The messages are those of a small real run, as they went between
the services, of which a few fields are changed (mutation.py): extreme numbers, odd texts, deep structs, many entries, ids that exist and
others. One in twenty is random bytes. Prints how the calls of each method ended. Exit code 1: a call ended as UNKNOWN or INTERNAL, or did
not end; a service logged a traceback, is not ready at the end, or kept over 100 MiB more than at the start.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import runpy
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
import yaml
from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from mutation import Mutator

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.runtime.loop import run
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import monitor_pb2 as mo
from genlevel.v1 import scorer_pb2 as sc
from scorer.metrics import implemented

MOST_MORE_MIB = 100.0
MOST_S = 60.0
AT_ONCE = 8
MOST_KEPT = 40
TESTS = Path(__file__).parents[1]
SERVICES = {
    "gateway": gw.DESCRIPTOR.services_by_name["GatewayService"],
    "evaluator": ev.DESCRIPTOR.services_by_name["EvaluatorService"],
    "scorer": sc.DESCRIPTOR.services_by_name["ScorerService"],
}
MONITORS = mo.DESCRIPTOR.services_by_name["MonitorService"]
"""Served by the evaluator."""
METHODS = {method.name: (service, method) for service, found in SERVICES.items() for method in found.methods}
METHODS |= {method.name: ("evaluator", method) for method in MONITORS.methods}
DEEP = ["ScoreTask"] * 8 + ["BeginRun", "GetVerdict", "Compare", "Generate", "GenerateMany", "PlanRun", "RescoreRun", "UpdateRun"]
"""Methods that have more to them are called more often."""
LOST = "Internal error from Core"
"""What gRPC's client says if a call ends while it writes to it, in place of how it ended; parts of a message are one message."""
BAD = (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL)
TASKS = ("Causal-Reasoning", "Abductive-Reasoning")
Seeds = dict[str, list[list[Message]]]


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on."""
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in taken]
    for server in taken:
        server.close()
    return ports


class Process:
    """A service in its own process, which is killed at the end."""

    def __init__(self, name: str, folder: Path, http: int) -> None:
        self.name, self.http = name, http
        self.log = folder / f"{name}.log"
        command = [sys.executable, "-m", "genlevel", name, "--out", str(folder / f"data-{name}")]
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("GENLEVEL_", "OPENAI_", "ANTHROPIC_"))}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, stderr=log, stdout=log, env=clean)

    def problem(self) -> str:
        """Why it is not ready; "" if it is."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/readyz", timeout=5):
                return ""
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except OSError as error:
            return str(error)

    def wait_until_ready(self, most_s: float = 180.0) -> str:
        """Why it is not ready in time; "" if it is."""
        deadline = time.monotonic() + most_s
        while (problem := self.problem()) and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        return problem

    def mib(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


class Recorder:
    """Passes calls on to a service and keeps their requests, by method: each call's messages."""

    def __init__(self, target: int) -> None:
        self.kept: dict[str, list[list[bytes]]] = defaultdict(list)
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{target}", options=[("grpc.max_receive_message_length", -1)])
        self.server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
        self.server.add_generic_rpc_handlers((self,))

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        async def passed(requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> AsyncIterator[bytes]:
            sent: list[bytes] = []
            kept = self.kept[details.method.rpartition("/")[2]]
            if len(kept) < MOST_KEPT:
                kept.append(sent)

            async def through() -> AsyncIterator[bytes]:
                async for request in requests:
                    if len(sent) < MOST_KEPT:
                        sent.append(request)
                    yield request

            call = self._channel.stream_stream(details.method)(through())
            try:
                await context.send_initial_metadata(await call.initial_metadata())
                async for response in call:
                    yield response
            except grpc.aio.AioRpcError as error:
                await context.abort(error.code(), error.details() or "", tuple(error.trailing_metadata() or ()))

        return grpc.stream_stream_rpc_method_handler(passed)

    async def close(self) -> None:
        await self.server.stop(0)
        await self._channel.close()


class Bench:
    """The three services, the stub they ask, and recorders between them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = dict(zip(("gateway", "evaluator", "scorer"), free_ports(3), strict=True))
        self.http = dict(zip(("gateway", "evaluator", "scorer"), free_ports(3), strict=True))
        self.recorders: dict[str, Recorder] = {}
        self.processes: dict[str, Process] = {}
        self._stub: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Bench:
        script = str(TESTS / "integration" / "stub_upstream.py")
        port_file = self.folder / "stub.port"
        self._stub = await asyncio.to_thread(subprocess.Popen, [sys.executable, script, "--port-file", str(port_file)])
        self._make_suites()
        recording = {}
        for name in ("gateway", "scorer"):
            recorder = self.recorders[name] = Recorder(self.ports[name])
            recording[name] = recorder.server.add_insecure_port("127.0.0.1:0")
            await recorder.server.start()
        while not port_file.exists():  # noqa: ASYNC110 - a process tells it
            await asyncio.sleep(0.05)
        self._configure(int(port_file.read_text()), recording)
        for name in self.ports:
            self.processes[name] = Process(name, self.folder, self.http[name])
        for process in self.processes.values():
            problem = await asyncio.to_thread(process.wait_until_ready)
            assert not problem, f"{process.name}: {problem}: {process.log.read_text()[-2000:]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.process.kill()
            process.process.wait()
        for recorder in self.recorders.values():
            await recorder.close()
        assert self._stub is not None
        self._stub.kill()
        self._stub.wait()

    def _configure(self, stub_port: int, recording: dict[str, int]) -> None:
        document: dict[str, object] = {
            name: {"grpc": f"127.0.0.1:{self.ports[name]}", "http": f"127.0.0.1:{self.http[name]}"} for name in self.ports
        }
        document |= {
            "addresses": {name: f"127.0.0.1:{port}" for name, port in recording.items()},
            "accounts": {"stub": {"provider": "compatible", "base_url": f"http://127.0.0.1:{stub_port}/v1", "limits": {"concurrency": 16}}},
            "routes": {
                "stubbed": {"account": "stub", "model": "stub-1", "price": {"input": "1", "output": "4"}},
                "seeing": {"account": "stub", "model": "stub-2", "input_modalities": ["text", "image"]},
            },
            "runs": {"attempts": 2, "deadline_s": 20.0, "judge": "seeing"},
            "storage": {"blobs": str(self.folder / "blobs")},
            "suites": {"folders": [str(self.folder / "suites")]},
        }
        (self.folder / "genlevel.yaml").write_text(yaml.safe_dump(document))

    def _make_suites(self) -> None:
        for suite in ("bench", "other"):
            for task in TASKS:
                folder = self.folder / "suites" / suite / "nlp" / task
                folder.mkdir(parents=True)
                data = [
                    {"id": f"q{n}", "input": {"question": f"Question {n}?", "options": ["yes", "no"]}, "output": {"answer": "A"}}
                    for n in range(4)
                ]
                envelope = {"task": task, "type": "MultipleChoiceQA", "modality": {"in": ["text"], "out": ["text"]}, "data": data}
                (folder / "annotation.json").write_text(json.dumps(envelope))


class Client:
    """Calls methods by their names, with messages or with bytes."""

    def __init__(self, ports: dict[str, int]) -> None:
        self._channels = {name: grpc.aio.insecure_channel(f"127.0.0.1:{port}") for name, port in ports.items()}

    async def call(self, name: str, requests: Sequence[bytes], *, most_s: float = MOST_S) -> tuple[grpc.StatusCode, str, list[Message]]:
        """How the call ended, what was said, and its last answers. Streams that go on are left."""
        service, method = METHODS[name]
        full = f"/{method.containing_service.full_name}/{name}"
        call = self._channels[service].stream_stream(full, response_deserializer=GetMessageClass(method.output_type).FromString)(
            _each(requests), timeout=MOST_S
        )
        answers: list[Message] = []
        try:
            async with asyncio.timeout(most_s):
                async for answer in call:
                    answers = [*answers[-4:], answer]
        except TimeoutError:
            call.cancel()
        except grpc.aio.AioRpcError as error:
            return error.code(), error.details() or "", answers
        return grpc.StatusCode.OK, "", answers

    async def one(self, name: str, request: Message) -> Message:
        """The answer to a call that succeeds."""
        code, said, answers = await self.call(name, [request.SerializeToString()])
        assert code is grpc.StatusCode.OK, f"{name}: {code} {said}"
        return answers[0]

    async def close(self) -> None:
        for channel in self._channels.values():
            await channel.close()


async def _each(requests: Sequence[bytes]) -> AsyncIterator[bytes]:
    for request in requests:
        yield request


async def real_runs(client: Client) -> list[str]:
    """Two runs, to their ends, and one whose budget allows nothing. Returns their ids."""
    ids = []
    asked = (("bench", ev.TrafficSettings(), ev.RUN_STATUS_FINISHED), ("other", ev.TrafficSettings(), ev.RUN_STATUS_FINISHED))
    for suite, traffic, status in (*asked, ("bench", ev.TrafficSettings(budget_nano_usd=1), ev.RUN_STATUS_BUDGET)):
        specification = ev.RunSpecification(model="stubbed", suite=suite, limit=len(ids))
        started = await client.one("StartRun", ev.StartRunRequest(specification=specification, traffic=traffic))
        ids.append(started.run.run_id)  # type: ignore[attr-defined]
        _code, said, updates = await client.call("WatchRun", [ev.WatchRunRequest(run_id=ids[-1]).SerializeToString()], most_s=60.0)
        assert updates[-1].run.status == status, said  # type: ignore[attr-defined]
    return ids


def _monitor_seeds() -> list[tuple[str, Message]]:
    asked = ev.RunSpecification(model="stubbed", suite="bench")
    hourly = mo.MonitorSpecification(asked=asked, every="1h", sample=10, pool=2, baseline_repeats=1, budget_nano_usd=10**9)
    daily = mo.MonitorSpecification(asked=asked, every="0 6 * * *", time_zone="Europe/Berlin", sample=10, alpha=0.05, unpriced_ok=True)
    return [
        ("PlanMonitor", mo.PlanMonitorRequest(name="m", specification=hourly)),
        ("AddMonitor", mo.AddMonitorRequest(name="hourly", specification=hourly)),
        ("AddMonitor", mo.AddMonitorRequest(name="daily", specification=daily)),
        ("ListMonitors", mo.ListMonitorsRequest()),
        ("GetMonitor", mo.GetMonitorRequest(name="hourly", ticks=5)),
        ("PauseMonitor", mo.PauseMonitorRequest(name="hourly", paused=True)),
        ("RunMonitor", mo.RunMonitorRequest(name="hourly")),
        ("AcknowledgeAlarms", mo.AcknowledgeAlarmsRequest(name="hourly", alarms=["hourly-1-00000000"], note="seen")),
        ("RebaseMonitor", mo.RebaseMonitorRequest(name="hourly", baseline_repeats=1)),
        ("RemoveMonitor", mo.RemoveMonitorRequest(name="daily")),
        ("TestAlarm", mo.TestAlarmRequest(name="hourly", destination="nowhere")),
    ]


def seeds_of(bench: Bench, runs: Sequence[str]) -> Seeds:
    """Valid requests by method: those that went between the services, and some with the ids of what is there."""
    seeds: Seeds = {name: [] for name in METHODS}
    for recorder in bench.recorders.values():
        for name, calls in recorder.kept.items():
            if name in METHODS:
                kind = GetMessageClass(METHODS[name][1].input_type)
                seeds[name] += [[kind.FromString(message) for message in call] for call in calls if call]
    one, other, unfunded = runs
    specification = ev.RunSpecification(model="stubbed", suite="bench", limit=2, parameters=gw.GenerationParameters(temperature=0.5))
    traffic = ev.TrafficSettings(concurrency=4, requests_per_minute=600, budget_nano_usd=10**9)
    rating = ev.WrittenRating(task=TASKS[0], instance="q1", rater="anna", rating="4", where="ratings.csv:2")
    picture = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", inline=b"\x89PNG\r\n\x1a\n" + bytes(60))
    stored = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", blob=ct.BlobReference(sha256="0" * 64, size_bytes=5))
    for media in (picture, stored):
        parts = [ct.Part(media=media), ct.Part(text="What is it?")]
        request = gw.GenerateRequest(route="seeing", messages=[ct.Message(role=ct.ROLE_USER, parts=parts)])
        seeds["Generate"].append([request])
        seeds["GenerateMany"].append([gw.GenerateManyRequest(items=[gw.GenerateManyItem(id=1, timeout_s=20, request=request)])])
        seeds["GenerateStream"].append([gw.GenerateStreamRequest(request=request)])
        items = [gw.BatchItem(id="a", request=request)]
        seeds["SubmitBatch"].append([gw.SubmitBatchRequest(route="seeing", key="run-1"), gw.SubmitBatchRequest(items=items)])
    by_hand: list[tuple[str, Message]] = [
        ("ListModels", gw.ListModelsRequest(route="stubbed")),
        ("PlanRun", ev.PlanRunRequest(specification=specification, traffic=traffic, judge="seeing")),
        ("StartRun", ev.StartRunRequest(specification=specification, traffic=traffic)),
        ("StartRun", ev.StartRunRequest(run_id=one, traffic=traffic, retry_failed=True)),
        ("WatchRun", ev.WatchRunRequest(run_id=one)),
        ("GetRun", ev.GetRunRequest(run_id=one)),
        ("GetRun", ev.GetRunRequest(run_id=other, details=True)),
        ("ReadMedia", ev.ReadMediaRequest(run_id=one, task=TASKS[0], instance_id="q1", of=ev.MEDIA_OF_QUESTION)),
        ("ReadMedia", ev.ReadMediaRequest(run_id=other, task="t", instance_id="i", of=ev.MEDIA_OF_LABEL, position=7, offset=9, length=1)),
        ("GetTraffic", ev.GetTrafficRequest(run_id=one)),
        ("ListWorkers", ev.ListWorkersRequest(dead_letters=10)),
        ("ChangeDeadLetter", ev.ChangeDeadLetterRequest(key="run/1", change=ev.DEAD_LETTER_CHANGE_RETRY)),
        ("ListRuns", ev.ListRunsRequest()),
        ("CancelRun", ev.CancelRunRequest(run_id=one)),
        ("UpdateRun", ev.UpdateRunRequest(run_id=unfunded, traffic=traffic)),
        ("UpdateRun", ev.UpdateRunRequest(run_id=unfunded, wanted=ev.RUN_WANTED_PAUSED)),
        ("CancelRun", ev.CancelRunRequest(run_id=unfunded, now=True)),
        ("DescribeRun", ev.DescribeRunRequest(run_id=other, name="called so", notes="good", add_tags=["a", "keep"], remove_tags=["b"])),
        ("DeleteRun", ev.DeleteRunRequest(run_id=other, dry_run=True)),
        ("ForgetRun", sc.ForgetRunRequest(run_id="nothing")),
        ("GetAbilities", sc.GetAbilitiesRequest()),
        ("ListRuns", ev.ListRunsRequest(model="*", suite="b*", statuses=[ev.RUN_STATUS_FINISHED], text="called", limit=1, since_s=1.0)),
        ("RescoreRun", ev.RescoreRunRequest(run_id=one, ratings=[rating])),
        ("ListAnswers", ev.ListAnswersRequest(run_id=one, instance="q1")),
        ("ListAnswers", ev.ListAnswersRequest(run_id=other, outcomes=[sc.OUTCOME_ANSWERED])),
        ("SearchAnswers", ev.SearchAnswersRequest(run_id=one, tasks=["nlp/*"], text="this", order=ev.ANSWER_ORDER_WORST, limit=5)),
        ("SearchAnswers", ev.SearchAnswersRequest(run_id=other, rightness=[ev.RIGHTNESS_WRONG], least_score=0.0, after="W10=")),
        ("GetVerdict", sc.GetVerdictRequest(run_id=one, bootstrap_draws=50, alpha=0.05, reference_instances=100)),
        ("Compare", sc.CompareRequest(run_a=one, run_b=one, draws=50, alpha=0.05)),
        ("Compare", sc.CompareRequest(run_a=one, run_b=other, draws=50)),
        ("ListStandings", sc.ListStandingsRequest(run_ids=[one, other], kept=True)),
        ("ListInstances", sc.ListInstancesRequest(run_id=one, task=f"nlp/{TASKS[0]}")),
        ("GetBatch", gw.GetBatchRequest(route="stubbed", id="batch_1")),
        ("FindBatches", gw.FindBatchesRequest(route="stubbed", key="run-1", since_s=1.8e9)),
        ("CollectBatch", gw.CollectBatchRequest(route="stubbed", id="batch_1")),
        ("CancelBatch", gw.CancelBatchRequest(route="stubbed", id="batch_1")),
        *_monitor_seeds(),
    ]
    for name, message in by_hand:
        seeds[name].append([message])
    seeds["ScoreTask"] += scored_tasks(seeds["ScoreTask"][0][0].header)  # type: ignore[attr-defined]
    for name, asked in decided_early(seeds["ScoreTask"]):
        seeds[name].append([asked])
    missing = [name for name, found in seeds.items() if not found]
    assert not missing, f"no request to begin with: {missing}"
    return seeds


def decided_early(scored: list[list[Message]]) -> Iterator[tuple[str, Message]]:
    """The same answers measured, and what would decide their tasks."""
    for first, *_others in scored:
        assert isinstance(first, sc.ScoreTaskRequest)
        yield "MeasureAnswers", sc.MeasureAnswersRequest(tasks=[sc.AnswersOfTask(task=first.header.task, instances=first.instances)] * 2)
        sizes = [sc.UnitSize(instances=1, units=40), sc.UnitSize(instances=5, units=2)]
        task = sc.CriteriaTask(task=first.header.task, instances=50, repeats=1, sizes=sizes, answer_type="choice", best_constant=40.0)
        yield "GetCriteria", sc.GetCriteriaRequest(header=first.header, tasks=[task], alpha=0.05)
        yield "ExpectDecision", sc.ExpectDecisionRequest(header=first.header, tasks=[task], alpha=0.05, epsilon=0.01, aim=1)


def scored_tasks(header: sc.ScoreTaskHeader) -> list[list[Message]]:
    """A task of each metric and each type of answer, whose answers are right, wrong, missing and rated."""
    right = runpy.run_path(str(TESTS / "fixtures" / "right_answers.py"))["right_answers"]
    chance = random.Random(0)
    found: list[list[Message]] = []
    for metric in sorted(implemented()):
        for kind in chance.sample(list(AnswerType), 3):
            asked = sc.ScoreTaskHeader()
            asked.CopyFrom(header)
            asked.run_id = "fuzzed"
            asked.task.key = f"nlp/{metric}-{kind}"
            asked.task.metric = metric
            answers = [json.dumps(answer) if not isinstance(answer, str) else answer for answer in right(kind)]
            labels = [json.dumps(answer) for answer in right(kind)]
            instances = [
                sc.InstanceAnswer(
                    id=f"i{number}",
                    outcome=outcome,
                    answer_type=kind,
                    raw_answer=chance.choice([*answers, "no"]),
                    label_json=chance.choice(labels),
                    options=["yes", "no"],
                    cluster=chance.choice(("", "a")),
                    ratings=chance.choice(([], [3.0], [0.5, 1.0])),
                    compared_ratings=chance.choice(([], [2.0])),
                )
                for number, outcome in enumerate((1, 1, 1, 2, 3, 4, 5))
            ]
            found.append([sc.ScoreTaskRequest(header=asked, instances=instances)])
    return found


class Fuzz:
    """Draws calls, makes them, and keeps what was wrong."""

    def __init__(self, client: Client, seeds: Seeds, known: Sequence[str], seed: int) -> None:
        self._client = client
        self._seeds = seeds
        self._chance = random.Random(seed)
        self._mutator = Mutator(seed, known)
        self.ended: dict[str, Counter[str]] = defaultdict(Counter)
        self.slowest: dict[str, float] = defaultdict(float)
        self.wrong: list[str] = []

    def draw(self, names: Sequence[str]) -> tuple[str, list[bytes], str]:
        """A method, its requests, and what they are for people."""
        name = self._chance.choice(names)
        messages = self._chance.choice(self._seeds[name])[:3]
        if self._chance.random() < 0.05:
            cut = messages[0].SerializeToString()[:-1] + b"\xff"
            raw = self._chance.choice((self._chance.randbytes(50), cut, b"\x0a\xff\xff\xff\xff\x0f"))
            return name, [raw], raw.hex()[:200]
        changed = [self._mutator.mutated(message) for message in messages]
        shown = "; ".join(json_format.MessageToJson(message, indent=None) if _shows(message) else str(message) for message in changed)
        return name, [message.SerializeToString() for message in changed], shown

    async def one(self, names: Sequence[str]) -> None:
        name, requests, shown = self.draw(names)
        started = time.monotonic()
        code, said, answers = await self._client.call(name, requests, most_s=2.0 if name == "WatchRun" else MOST_S)
        if (code, said) == (grpc.StatusCode.INTERNAL, LOST):
            code, said, answers = await self._client.call(name, [b"".join(requests)])
        took = time.monotonic() - started
        self.slowest[name] = max(self.slowest[name], took)
        self.ended[name][code.name] += 1
        results = [result for answer in answers if isinstance(answer, gw.GenerateManyResponse) for result in answer.results]
        inner = [result.error for result in results if result.WhichOneof("result") == "error"]
        bad = [f"{error.code} {error.message}" for error in inner if error.code in (2, 13)]
        if code in BAD or bad or took > MOST_S - 1:
            self.wrong.append(f"{name}: {code.name} {said} {bad} after {took:.1f} s: {shown[:1500]}")


def _shows(message: Message) -> bool:
    try:
        json_format.MessageToJson(message, indent=None)
    except (json_format.SerializeToJsonError, ValueError, TypeError, RecursionError):
        return False
    return True


async def fuzz(cases: int, seed: int, names: Sequence[str], folder: Path) -> list[str]:
    """Everything that was wrong, in lines."""
    async with Bench(folder) as bench:
        client = Client(bench.ports)
        runs = await real_runs(client)
        seeds = seeds_of(bench, runs)
        known = [*runs * 10, "fuzzed", "stubbed", "seeing", "bench", "other", "starter", *TASKS, *(f"nlp/{task}" for task in TASKS)]
        known += [*(f"q{n}" for n in range(4)), *(f"i{n}" for n in range(4)), *AnswerType, *implemented(), "stub-1", "openai/gpt-5"]
        going = Fuzz(client, seeds, known, seed)
        drawn = iter(range(cases))

        async def work(most: int) -> None:
            for _ in zip(range(most), drawn, strict=False):
                await going.one(names)

        await work(min(200, cases // 10))  # what is loaded at first use is not what is kept
        before = {name: process.mib() for name, process in bench.processes.items()}
        await asyncio.gather(*(work(cases) for _ in range(AT_ONCE)))
        await asyncio.sleep(3.0)
        wrong = going.wrong
        for name in sorted(set(names)):
            print(f"{name:14} {dict(going.ended[name].most_common())}, slowest {going.slowest[name]:.1f} s")
        for name, process in bench.processes.items():
            more = process.mib() - before[name]
            print(f"{name}: {before[name]:.0f} MiB at the start, {more:+.0f} MiB at the end")
            if more > MOST_MORE_MIB:
                wrong.append(f"{name} kept {more:.0f} MiB")
            if problem := await asyncio.to_thread(process.wait_until_ready, 60.0):  # the machine may be busy
                wrong.append(f"{name} is not ready: {problem}")
            log = process.log.read_text(errors="replace")
            if "Traceback" in log:
                wrong.append(f"{name} logged a traceback: {log[log.index('Traceback') - 300 :][:3000]}")
        await client.close()
        return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--method", action="append", choices=sorted(METHODS), help="only this one; may be repeated")
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        wrong = run(fuzz(options.cases, options.seed, options.method or [*sorted(METHODS), *DEEP], Path(folder)))
    for line in wrong[:30]:
        print(f"WRONG {line}")
    print(f"{options.cases} calls, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
