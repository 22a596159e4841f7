"""A run that is being decided, and whose process is killed, decides as one that is not, and asks little again. Real processes."""

from __future__ import annotations

import json
import random
import signal
import time

import pytest

from genlevel.v1 import evaluator_pb2 as ev
from tests.integration.cluster import Cluster
from tests.integration.serving import PATIENCE_S
from tests.nats_server import NatsServer

SLOTS = 8


@pytest.fixture
def suite(tmp_path):
    """One task that the stub knows, and that no constant answer does well in."""
    folder, chance = tmp_path / "bench" / "nlp" / "Causal-Reasoning", random.Random(1)
    folder.mkdir(parents=True)
    data = []
    for number in range(400):
        label = chance.choice("AB")
        options = [f"{'right' if label == letter else 'wrong'} {number}" for letter in "AB"]
        given = {"question": f"Question {number}?", "options": options}
        data.append({"id": f"q{number}", "input": given, "output": {"answer": label}})
    (folder / "annotation.json").write_text(json.dumps({"task": folder.name, "type": "MultipleChoiceQA", "data": data}))
    return folder.parents[1]


@pytest.mark.slow
def test_a_killed_run_decides_as_one_that_was_not(genlevel, stub_upstream, suite):
    stub = stub_upstream(latency=0.1, knows="right")
    (genlevel.folder / "genlevel.yaml").write_text(
        f"accounts: {{stub: {{provider: compatible, base_url: '{stub.base_url}'}}}}\nroutes: {{stubbed: {{account: stub, model: s}}}}\n"
    )
    asked = ("--model", "stubbed", "--suite", str(suite), "--concurrency", str(SLOTS), "--until-decided", "wins", "--json")
    whole = genlevel.run("eval", *asked, "--out", str(genlevel.folder / "whole"), timeout_s=600)
    assert whole.returncode == 0, whole.stderr
    expected, before = json.loads(whole.stdout)["decision"], len(stub.calls())
    for calls in (12, 20):
        process, deadline = genlevel.start("eval", *asked), time.monotonic() + PATIENCE_S
        while len(stub.calls()) - before < calls:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    ended = genlevel.run("eval", *asked, timeout_s=600)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)["decision"]
    assert found["tasks"][0]["state"] == expected["tasks"][0]["state"] == "won"
    assert found["tasks"][0]["decided_at"] == expected["tasks"][0]["decided_at"]
    again = len(stub.calls()) - before - found["asked"]
    assert again <= 2 * SLOTS


@pytest.fixture
def cluster_of(tmp_path, credentials, forker, own_postgresql):
    """Starts two evaluators that share runs, a scorer and a gateway, of an upstream's model."""
    queue, started = NatsServer(tmp_path / "nats"), []

    def start(base_url):
        queue.start()
        (tmp_path / "cluster").mkdir()
        where = {"database": own_postgresql.url, "queue": queue.url, "base_url": base_url}
        started.append(Cluster(tmp_path / "cluster", credentials, forker, **where, limits={}, counts={"evaluator": 2}))
        started[0].start()
        return started[0]

    yield start
    for cluster in started:
        cluster.close()
    queue.stop()


@pytest.mark.full
@pytest.mark.slow
def test_another_evaluator_decides_on_and_a_scorer_may_have_been_away(cluster_of, genlevel, stub_upstream, suite):
    stub = stub_upstream(latency=0.1, knows="right")
    cluster = cluster_of(stub.base_url)
    run_id = cluster.start_run(suite, concurrency=SLOTS, until_decided=ev.UntilDecided(aim=ev.UntilDecided.AIM_WINS))
    waited(stub, 12)
    cluster.again("scorer-0")
    waited(stub, 24)
    cluster.end("evaluator-0")
    found, deadline = ev.Run(), time.monotonic() + 120
    while found.status != ev.RUN_STATUS_DECIDED:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
        found = cluster.evaluator("evaluator-1").GetRun(ev.GetRunRequest(run_id=run_id), timeout=60).run
    asked = ("--model", "mine", "--base-url", stub.base_url, "--suite", str(suite), "--until-decided", "wins", "--json")
    alone = json.loads(genlevel.run("eval", *asked, timeout_s=600).stdout)["decision"]["tasks"]
    assert [(task.task, task.decided_at) for task in found.decision.tasks] == [(task["key"], task["decided_at"]) for task in alone]
    assert found.calls <= found.counts.answered + 2 * SLOTS


def waited(stub, calls):
    """Returns once the stub has so many."""
    deadline = time.monotonic() + PATIENCE_S
    while len(stub.calls()) < calls:
        assert time.monotonic() < deadline
        time.sleep(0.002)
