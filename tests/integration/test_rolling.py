"""Two of each service over one PostgreSQL, behind one address each, which are replaced one after the other. Real processes.

No call of a run is lost and none is made twice; no tick of a monitor is. Whoever is asked answers, whoever works on the run. Meanwhile
connections last half a second, and the database is brought to the tables of a version to come.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import evaluator_pb2_grpc
from tests.integration.serving import PATIENCE_S
from tests.next_version import migrate_to_next
from tests.ports import free_ports
from tests.waiting import until

pytestmark = [pytest.mark.full, pytest.mark.services]

PAIRED = ("gateway", "evaluator")
SAMPLE, BASELINE = 20, 2 * 3 * 20
TASKS = ("Causal-Reasoning", "Ethical-Reasoning")
MONITOR = ("--every", "6h", "--sample", str(SAMPLE), "--pool", "3x", "--baseline-repeats", "2")


class Pairs:
    """Gateways and evaluators by name, "gateway-0" to "evaluator-1", and one scorer."""

    def __init__(self, services: Any, storage: str) -> None:
        self.services, folder = services, services.genlevel.folder
        document = yaml.safe_load((folder / "genlevel.yaml").read_text()) | {"storage": {"url": storage}}
        self.ports: dict[str, int] = {}
        self.http: dict[str, int] = services.http
        listening: dict[str, Any] = {}
        for service in PAIRED:
            for number in (0, 1):
                at, http = free_ports(2)
                listening[f"{service}-{number}"] = {service: {"grpc": f"127.0.0.1:{at}", "http": f"127.0.0.1:{http}"}}
                self.ports[f"{service}-{number}"], self.http[f"{service}-{number}"] = at, http
            pair = ",".join(f"127.0.0.1:{self.ports[f'{service}-{number}']}" for number in (0, 1))
            document["addresses"][service] = f"ipv4:{pair}"
        (folder / "genlevel.yaml").write_text(yaml.safe_dump(document))
        for name, of in listening.items():
            (folder / f"{name}.yaml").write_text(yaml.safe_dump(document | of))

    def launch(self, name: str) -> None:
        self.services.launch(name, "--config", f"{name}.yaml", name.partition("-")[0])

    def start(self) -> None:
        for name in self.ports:
            self.launch(name)
        self.services.launch("scorer")
        for name in (*self.ports, "scorer"):
            self.services.until_ready(name)

    def client(self, name: str) -> evaluator_pb2_grpc.EvaluatorServiceStub:
        """A client of one evaluator alone."""
        return evaluator_pb2_grpc.EvaluatorServiceStub(self.services._credentials.channel(self.ports[name]))

    async def replaced(self, name: str) -> None:
        """Tells one to stop, and starts another in its place."""
        await asyncio.to_thread(self.services.running[name].gone_after_s, signal.SIGTERM)
        code, said = self.services.running[name].ended()
        assert (code, "Traceback" in said) == (0, False), said
        self.launch(name)
        await asyncio.to_thread(self.services.until_ready, name)


@pytest.fixture
def pairs(deployed: Callable[..., Any], postgresql: str) -> Callable[..., Pairs]:
    return lambda base_url, **settings: Pairs(deployed(base_url, limits={"connection_s": 0.5}, **settings), postgresql)


SHARED = pytest.mark.parametrize("shared", [False, pytest.param(True, marks=pytest.mark.soak)], ids=["one works", "both work"])


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[str]:
    """The address of a NATS server."""
    from tests.nats_server import NatsServer

    server = NatsServer(tmp_path / "nats")
    server.start()
    yield server.url
    server.stop()


@SHARED
async def test_replacing_each_in_turn_loses_no_call_and_makes_none_twice(
    request, pairs, stub_upstream, choice_suite, *, postgresql, tmp_path, shared
):
    stub = stub_upstream(latency=0.2)
    there = pairs(stub.base_url, concurrency=16, **({"queue": request.getfixturevalue("queue")} if shared else {}))
    there.start()
    suite, instances = choice_suite(360), 360
    request = ev.StartRunRequest(specification=ev.RunSpecification(model="stubbed", suite=suite.name))
    run_id = (await there.client("evaluator-0").StartRun(request, timeout=60)).run.run_id
    for seen, name in ((50, "evaluator-0"), (130, "gateway-0"), (190, "evaluator-1"), (270, "gateway-1")):
        await until(lambda seen=seen: len(stub.calls()) >= seen, PATIENCE_S)
        if name == "evaluator-1":
            await asyncio.to_thread(migrate_to_next, postgresql, tmp_path / "next")
        await there.replaced(name)
    run = await end_of(there, run_id)
    assert (run.status, run.counts.answered, run.calls) == (ev.RUN_STATUS_FINISHED, instances, instances)
    asked = [question for _, question in stub.calls()]
    assert len(asked) == len(set(asked)) == instances, "none was lost, none asked twice"


async def end_of(there: Pairs, run_id: str) -> ev.Run:
    """The run once it has ended, as an evaluator tells that may not be the one that works on it."""
    async for progress in there.client("evaluator-1").WatchRun(ev.WatchRunRequest(run_id=run_id), timeout=PATIENCE_S):
        run: ev.Run = progress.run
    return run


@SHARED
async def test_who_does_not_work_on_a_run_tells_of_it_and_passes_on_what_is_wanted(request, pairs, stub_upstream, choice_suite, shared):
    stub = stub_upstream(latency=0.2)
    there = pairs(stub.base_url, concurrency=8, **({"queue": request.getfixturevalue("queue")} if shared else {}))
    there.start()
    specification = ev.RunSpecification(model="stubbed", suite=choice_suite(1500).name)
    clients = [there.client("evaluator-0"), there.client("evaluator-1")]  # one of them works on the run
    both = await asyncio.gather(*(client.StartRun(ev.StartRunRequest(specification=specification), timeout=60) for client in clients))
    assert both[0].run.run_id == both[1].run.run_id, "the same is started once"
    run_id = both[0].run.run_id
    await until(lambda: len(stub.calls()) >= 20, PATIENCE_S)
    for client in clients:
        run = (await client.GetRun(ev.GetRunRequest(run_id=run_id), timeout=60)).run
        assert (run.status, run.counts.answered > 0) == (ev.RUN_STATUS_RUNNING, True)
        watch = client.WatchRun(ev.WatchRunRequest(run_id=run_id), timeout=PATIENCE_S)
        seen = {0}
        while len(seen) < 3:  # it gets on
            progress = await watch.read()
            assert progress.run.status == ev.RUN_STATUS_RUNNING
            assert progress.run.counts.answered >= max(seen)
            seen.add(progress.run.counts.answered)
        watch.cancel()
    one, other = clients
    await other.UpdateRun(ev.UpdateRunRequest(run_id=run_id, wanted=ev.RUN_WANTED_PAUSED), timeout=60)
    await status_is(clients, run_id, ev.RUN_STATUS_PAUSED)
    before = len(stub.calls())
    await one.UpdateRun(ev.UpdateRunRequest(run_id=run_id, wanted=ev.RUN_WANTED_GO_ON), timeout=60)
    await until(lambda: len(stub.calls()) > before + 8)
    await other.UpdateRun(ev.UpdateRunRequest(run_id=run_id, wanted=ev.RUN_WANTED_PAUSED), timeout=60)
    await other.StartRun(ev.StartRunRequest(run_id=run_id), timeout=60)  # who works on it has not heard of the pause yet
    await asyncio.sleep(1.5)
    again = len(stub.calls())
    await until(lambda: len(stub.calls()) > again + 8)
    await clients[0].CancelRun(ev.CancelRunRequest(run_id=run_id), timeout=60)
    await clients[1].CancelRun(ev.CancelRunRequest(run_id=run_id), timeout=60)
    await status_is(clients, run_id, ev.RUN_STATUS_INTERRUPTED)
    asked = [question for _, question in stub.calls()]
    assert len(asked) == len(set(asked))


async def status_is(clients: list[evaluator_pb2_grpc.EvaluatorServiceStub], run_id: str, status: int) -> None:
    """Waits until each says so."""
    async with asyncio.timeout(60):
        for client in clients:
            while (await client.GetRun(ev.GetRunRequest(run_id=run_id), timeout=60)).run.status != status:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


@pytest.mark.soak
@pytest.mark.parametrize("shared", [False, True], ids=["one works", "both work"])
async def test_replacing_evaluators_loses_no_tick_and_asks_none_twice(request, pairs, stub_upstream, choice_suite, shared):
    stub = stub_upstream(latency=0.1)
    choice_suite(40, tasks=TASKS)
    there = pairs(stub.base_url, concurrency=4, **({"queue": request.getfixturevalue("queue")} if shared else {}))
    there.start()
    command = there.services.genlevel

    def asked(*words: str) -> Any:
        done = command.run("monitor", *words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    async def shown(what: Callable[[Any], bool]) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            while not what(found := await asyncio.to_thread(asked, "show", "m")):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return found

    await asyncio.to_thread(asked, "add", "m", "--model", "stubbed", "--suite", "bench", *MONITOR)
    await until(lambda: len(stub.calls()) >= 20, PATIENCE_S)
    await there.replaced("evaluator-0")
    await shown(lambda found: found["state"] == "watching")
    for tick, name in ((1, "evaluator-1"), (2, "evaluator-0")):
        before = len(stub.calls())
        await asyncio.to_thread(asked, "run-now", "m")
        await until(lambda before=before: len(stub.calls()) > before, PATIENCE_S)
        await there.replaced(name)
        found = await shown(lambda found, tick=tick: found["ticks"] == tick and not found["open_tick"])
    assert [(tick["number"], tick["outcome"], tick["instances"], tick["failed"]) for tick in found["last_ticks"]] == [
        (2, "complete", SAMPLE, 0),
        (1, "complete", SAMPLE, 0),
    ]
    assert (found["missed"], len(stub.calls())) == (0, BASELINE + 2 * SAMPLE)
