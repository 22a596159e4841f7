"""Services that are stopped or killed go on with their runs by themselves, and whoever watches a run watches on. Real processes."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections import Counter

import pytest
import yaml

from tests.integration.serving import PATIENCE_S, configuration, ports_of, wait_until_ready
from tests.ports import free_ports

SLOTS = 8


class Installation:
    """A stub upstream, and the services of one configuration, started and ended by hand."""

    def __init__(self, genlevel, stub, storage="", slots=SLOTS):
        document = configuration(stub.base_url, genlevel.folder.parent, concurrency=slots)
        if storage:
            document["storage"] = {"url": storage}
        self.document = document
        self.genlevel, self.stub = genlevel, stub
        self.pages = ports_of(document, "http")
        self.processes = {}
        self.said = []
        (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump(document))

    def start(self, name, *arguments, page="", config="", ready=True):
        process = self.genlevel.start(*(("--config", config) if config else ()), name, *arguments)
        threading.Thread(target=self._read, args=[process], daemon=True).start()
        self.processes[page or name] = process
        if not ready:
            return process
        wait_until_ready(process, self.pages.get(page or name, self.pages["evaluator"]))
        return process

    def end(self, name, number):
        """Ends a service by a signal. Returns how many calls the upstream had seen when it had ended."""
        process = self.processes.pop(name)
        process.send_signal(number)
        process.wait(60)
        return len(self.stub.calls())

    def close(self):
        for process in self.processes.values():
            process.kill()
            process.wait()

    def asked(self):
        return Counter(question for _, question in self.stub.calls())

    def wait_for_calls(self, count):
        deadline = time.monotonic() + PATIENCE_S
        while len(self.stub.calls()) < count:
            assert time.monotonic() < deadline, self.said[-20:]
            time.sleep(0.02)

    def listed(self):
        return json.loads(self.genlevel.run("runs", "--json").stdout)

    def until(self, **state):
        deadline = time.monotonic() + PATIENCE_S
        while True:
            (run,) = self.listed()
            if all(run[name] == value for name, value in state.items()):
                return run
            assert time.monotonic() < deadline, (run, self.said[-20:])
            time.sleep(0.1)

    def _read(self, process):
        with process.stderr as lines, process.stdout:
            for line in lines:
                self.said.append(line.rstrip())


@pytest.fixture
def installed(genlevel, stub_upstream):
    made = []

    def make(storage="", slots=SLOTS, **options):
        made.append(Installation(genlevel, stub_upstream(**{"latency": 0.05, **options}), storage, slots))
        return made[-1]

    yield make
    for each in made:
        each.close()


def tune(genlevel, run, *options):
    done = genlevel.run("tune", run, *options, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("service", "number"), [("up", signal.SIGKILL), pytest.param("evaluator", signal.SIGTERM, marks=pytest.mark.services)]
)
def test_a_run_goes_on_after_a_restart_and_its_watcher_sees_the_end(genlevel, installed, choice_suite, service, number):
    there = installed()
    if service == "evaluator":
        there.start("gateway", "--out", "data-gateway")
        there.start("scorer", "--out", "data-scorer")
    there.start(service, "--out", "data")
    suite = choice_suite(300)
    watching = genlevel.start("eval", "--model", "stubbed", "--suite", str(suite), "--json")
    for after in (40, 150):
        there.wait_for_calls(after)
        there.end(service, number)
        there.start(service, "--out", "data")
    stdout, stderr = watching.communicate(timeout=120)
    assert watching.returncode == 0, stderr
    assert "Traceback" not in stderr
    assert "the evaluator is away, waiting for it" in stderr
    result = json.loads(stdout)
    assert (result["instances"]["answered"], result["status"], result["wanted"]) == (300, "finished", "finished")
    asked = there.asked()
    assert len(asked) == 300, "nothing is lost"
    repeated = asked.total() - 300
    kills = 2 if number == signal.SIGKILL else 0
    assert repeated <= kills * 2 * SLOTS, "only what was in flight or not durable at a kill is asked again"
    assert any("goes on by itself: " in line and "of 300 instances done" in line for line in there.said)
    there.end(service, signal.SIGTERM)
    before = there.asked().total()
    there.start(service, "--out", "data")
    time.sleep(1.0)
    assert there.asked().total() == before, "a run that has finished is left alone"


def test_an_evaluator_that_starts_before_its_neighbours_waits_for_them(genlevel, installed, choice_suite):
    there = installed()
    services = ("gateway", "scorer", "evaluator")
    for name in services:
        there.start(name, "--out", f"data-{name}")
    watching = genlevel.start("eval", "--model", "stubbed", "--suite", str(choice_suite(150)), "--json")
    there.wait_for_calls(40)
    for name in services:
        there.end(name, signal.SIGKILL)
    there.start("evaluator", "--out", "data-evaluator", ready=False)
    time.sleep(1.0)
    for name in ("gateway", "scorer"):
        there.start(name, "--out", f"data-{name}")
    stdout, stderr = watching.communicate(timeout=120)
    assert watching.returncode == 0, (stderr, there.said)
    assert json.loads(stdout)["instances"]["answered"] == 150
    assert there.asked().total() - 150 <= 2 * SLOTS, "what the gateway had open, and what had come and was not durable"


@pytest.mark.services
def test_a_run_that_is_paused_stays_so_over_a_restart_until_it_is_resumed(genlevel, installed, choice_suite):
    there = installed()
    there.start("up")
    watching = genlevel.start("eval", "--model", "stubbed", "--suite", str(choice_suite(200)), "--json")
    there.wait_for_calls(30)
    (run,) = there.listed()
    told = tune(genlevel, run["run"], "--pause")
    assert told["wanted"] == "paused"
    there.until(status="paused")
    asked = there.asked().total()
    for number in (signal.SIGTERM, signal.SIGKILL):
        there.end("up", number)
        there.start("up")
    time.sleep(1.0)
    assert there.asked().total() == asked < 200
    assert there.until(status="paused")["reason"] == "paused by request"
    assert watching.poll() is None, "it is watched all the time"
    assert tune(genlevel, run["run"], "--resume")["wanted"] == "go on"
    stdout, stderr = watching.communicate(timeout=PATIENCE_S)
    assert watching.returncode == 0, stderr
    assert "| paused; `genlevel tune" in stderr
    assert json.loads(stdout)["instances"]["answered"] == 200
    assert set(there.asked().values()) == {1}


@pytest.mark.slow
def test_a_run_that_a_person_stopped_stays_stopped(genlevel, installed, choice_suite):
    there = installed()
    there.start("up")
    watching = genlevel.start("eval", "--model", "stubbed", "--suite", str(choice_suite(300)))
    there.wait_for_calls(30)
    watching.send_signal(signal.SIGINT)
    _, stderr = watching.communicate(timeout=PATIENCE_S)
    assert watching.returncode == 130, stderr
    there.end("up", signal.SIGKILL)
    there.start("up")
    time.sleep(1.0)
    run = there.until(status="interrupted", wanted="stopped")
    asked = there.asked().total()
    assert asked < 300
    resumed = genlevel.run("resume", run["run"])
    assert resumed.returncode == 0, resumed.stderr
    assert set(there.asked().values()) == {1}


def test_limits_and_a_budget_change_while_a_run_goes_on(genlevel, installed, choice_suite, tmp_path):
    there = installed(latency=0.1)
    there.start("up")
    watching = genlevel.start(
        "eval", "--model", "stubbed", "--suite", str(choice_suite(150)), "--concurrency", "1", "--budget-usd", "0.002"
    )
    there.wait_for_calls(3)
    (run,) = there.listed()
    changed = tune(genlevel, run["run"], "--concurrency", "32")["changed"]
    assert {name: value for name, value in changed.items() if value is not None} == {"concurrency": 32}
    _, stderr = watching.communicate(timeout=PATIENCE_S)
    assert watching.returncode == 1, stderr
    assert "budget" in stderr
    assert there.until(status="budget")["wanted"] == "cannot succeed"
    asked = there.asked().total()
    assert 3 < asked < 150
    told = genlevel.run("tune", run["run"], "--budget-usd", "5")
    assert (told.returncode, "with a budget of $5" in told.stdout) == (0, True), told.stdout
    assert there.until(status="finished")["pending"] == 0
    assert set(there.asked().values()) == {1}
    refused = genlevel.run("tune", run["run"], "--pause")
    assert refused.returncode == 2
    assert "has finished" in refused.stderr
    assert genlevel.run("tune", run["run"]).returncode == 2


def test_a_run_of_a_command_can_be_told_from_outside_and_is_not_continued_by_a_service(genlevel, installed, choice_suite):
    there = installed()
    document = {name: value for name, value in there.document.items() if name not in ("addresses",)}
    (genlevel.folder / "alone.yaml").write_text(yaml.safe_dump(document))
    alone = ("--config", "alone.yaml")
    evaluation = genlevel.start(*alone, "eval", "--model", "stubbed", "--suite", str(choice_suite(400)), "--concurrency", "2")
    there.wait_for_calls(10)
    (run,) = json.loads(genlevel.run(*alone, "runs", "--json").stdout)
    assert (run["status"], run["wanted"]) == ("running", None)
    told = genlevel.run(*alone, "tune", run["run"], "--pause")
    assert "is to pause; calls in flight may end" in told.stdout, (told.stdout, told.stderr)
    _, stderr = evaluation.communicate(timeout=PATIENCE_S)
    assert evaluation.returncode == 130, stderr
    assert "was paused by request; `genlevel resume" in stderr
    again = genlevel.start(*alone, "resume", run["run"], "--concurrency", "2")
    there.wait_for_calls(there.asked().total() + 10)
    again.kill()
    again.communicate()
    asked = there.asked().total()
    there.start("up")
    time.sleep(1.0)
    (left,) = there.listed()
    assert (left["status"], left["wanted"], there.asked().total()) == ("interrupted", None, asked)


def test_a_watcher_that_gives_up_says_how_to_look_again(genlevel, installed, choice_suite):
    there = installed()
    there.start("up")
    watching = genlevel.start("eval", "--model", "stubbed", "--suite", str(choice_suite(300)))
    there.wait_for_calls(20)
    (run,) = there.listed()
    there.end("up", signal.SIGKILL)
    time.sleep(1.0)
    watching.send_signal(signal.SIGINT)
    stdout, stderr = watching.communicate(timeout=PATIENCE_S)
    assert watching.returncode == 1, stderr
    assert stdout == ""
    assert f"`genlevel show {run['run']}` looks again" in stderr.splitlines()[-1]


@pytest.mark.slow
def test_restarts_of_every_service_lose_nothing_and_repeat_only_what_a_kill_cut(genlevel, installed, choice_suite):
    there, instances = installed(), 600
    services = ("gateway", "scorer", "evaluator")
    for name in services:
        there.start(name, "--out", f"data-{name}")
    suite = choice_suite(instances // 4, ("Causal-Reasoning", "Abductive-Reasoning", "Analogical-Reasoning", "Deductive-Reasoning"))
    watching = genlevel.start("eval", "--model", "stubbed", "--suite", str(suite), "--json")
    restarts = [("gateway", signal.SIGKILL), ("scorer", signal.SIGKILL), ("evaluator", signal.SIGKILL)]
    restarts += [("gateway", signal.SIGTERM), ("evaluator", signal.SIGTERM)]
    for restart, (name, number) in enumerate(restarts, 1):
        there.wait_for_calls(instances * restart // (len(restarts) + 2))
        there.end(name, number)
        there.start(name, "--out", f"data-{name}")
    stdout, stderr = watching.communicate(timeout=500)
    assert watching.returncode == 0, (stderr[-3000:], there.said[-30:])
    result = json.loads(stdout)
    assert (result["instances"]["answered"], result["instances"]["total"]) == (instances, instances)
    asked = there.asked()
    assert len(asked) == instances, "nothing is lost"
    cut = SLOTS + 2 * SLOTS
    assert asked.total() - instances <= cut, "what was in flight at the gateway, and with the evaluator what was not durable yet"
    assert not [line for line in there.said if "Traceback" in line]


@pytest.mark.full
@pytest.mark.soak
def test_an_evaluator_takes_over_from_one_that_was_killed(genlevel, installed, choice_suite, postgresql):
    there = installed(storage=postgresql)
    there.start("gateway", "--out", "data-gateway")
    there.start("scorer", "--out", "data-scorer")
    there.start("evaluator", "--out", "data-1")
    grpc, http = free_ports(2)
    other = {**there.document, "evaluator": {"grpc": f"127.0.0.1:{grpc}", "http": f"127.0.0.1:{http}"}}
    other["addresses"] = {**other["addresses"], "evaluator": f"127.0.0.1:{grpc}"}
    (genlevel.folder / "other.yaml").write_text(yaml.safe_dump(other))
    there.pages["other"] = http
    there.start("evaluator", "--out", "data-2", page="other", config="other.yaml")
    watching = genlevel.start("eval", "--model", "stubbed", "--suite", str(choice_suite(300)))
    there.wait_for_calls(40)
    there.end("evaluator", signal.SIGKILL)
    deadline = time.monotonic() + 90
    while json.loads(genlevel.run("--config", "other.yaml", "runs", "--json").stdout)[0]["status"] != "finished":
        assert time.monotonic() < deadline, there.said[-20:]
        time.sleep(0.5)
    watching.kill()
    watching.communicate()
    asked = there.asked()
    assert len(asked) == 300
    assert asked.total() - 300 <= 2 * SLOTS


@pytest.mark.full
@pytest.mark.soak
def test_a_run_that_its_storage_has_ended_goes_on_by_itself_once_it_is_back(genlevel, installed, choice_suite, own_postgresql):
    there = installed(storage=own_postgresql.url)
    there.document["storage"]["patience_s"] = 2
    (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump(there.document))
    there.start("up")
    watching = genlevel.start("eval", "--model", "stubbed", "--suite", str(choice_suite(200)), "--json")
    there.wait_for_calls(40)
    with own_postgresql.stopped():
        time.sleep(8)
    stdout, stderr = watching.communicate(timeout=120)
    assert watching.returncode == 0, (stderr[-3000:], there.said[-20:])
    assert json.loads(stdout)["instances"]["answered"] == 200
    assert there.asked().total() - 200 <= 2 * SLOTS, "what was in flight, and what had come, could not be stored"
    assert not [line for line in there.said if "Traceback" in line]
