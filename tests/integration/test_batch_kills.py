"""A process that asks in batches kills itself at each step in turn: whoever goes on pays nothing twice and loses nothing. Real processes.

The stand-ins of the providers are a process of their own, and keep a ledger of what they were asked.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest
import yaml

from gateway.providers import PROVIDERS
from tests.batching.serving import INPUT_NANO_USD, KEY, MODELS, OUTPUT_NANO_USD, Process
from tests.integration.killed_at import STEPS
from tests.integration.serving import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
INSTANCES, LIMIT = 24, 10
CANCELS = ("it is told to be cancelled", "it is cancelled")
QUICK = {"it is stored that it is handed over", "the provider has taken it", "results are stored"}


def steps():
    """(provider, step, time): those of every day for one provider, all others in the long run."""
    for name in MODELS:
        if name in PROVIDERS:
            for step in STEPS:
                for time in (1, 2):
                    quick = name == "openai" and step in QUICK and time == 1
                    if step not in CANCELS:
                        yield pytest.param(name, step, time, id=f"{name}: {step} ({time})", marks=() if quick else pytest.mark.soak)


class There:
    """A folder with a configuration of one provider's stand-in."""

    def __init__(self, folder, served, name, suite):
        self.folder, self.served, self.name = folder, served, name
        price = {"input": str(INPUT_NANO_USD / 1000), "output": str(OUTPUT_NANO_USD / 1000)}
        (folder / "genlevel.yaml").write_text(
            yaml.safe_dump(
                {
                    "accounts": {name: {"provider": name, "base_url": served.base_url(name), "api_key_env": KEY}},
                    "prices": {f"{name}/{MODELS[name]}": price},
                    "runs": {"batch_look_s": 0.1},
                }
            )
        )
        served.control(name, items=LIMIT, polls=2)
        self.eval = ("eval", "--model", f"{name}/{MODELS[name]}", "--suite", str(suite), "--batch", "--json")

    def run(self, *command, killed=None):
        """A command to its end. killed: (step, time) at which its process kills itself."""
        start = ["-m", "genlevel"] if killed is None else [str(ROOT / "tests/integration/killed_at.py"), killed[0], str(killed[1])]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), KEY: "sk-test-key-that-is-hidden"}
        return subprocess.run(
            [sys.executable, *start, *command],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    @contextmanager
    def time_goes_on(self):
        """Has batches of a provider that keeps no keys go on although nobody asks for them: they are known once they have ended."""
        ended = threading.Event()

        def ask():
            while not ended.wait(0.3):
                for batch in self.served.ledger(self.name).submitted:
                    request = urllib.request.Request(
                        f"{self.served.base_url(self.name)}/v1/messages/batches/{batch}", headers={"x-api-key": "k"}
                    )
                    urllib.request.urlopen(request, timeout=10).close()

        asking = threading.Thread(target=ask, daemon=True)
        if self.name == "anthropic":
            asking.start()
        yield
        ended.set()
        if self.name == "anthropic":
            asking.join()

    def holds(self, result, *, answered=INSTANCES):
        """Nothing was billed twice, and what was billed is what the run says that it cost."""
        ledger = self.served.ledger(self.name)
        assert ledger.more_than_once() == []
        counts = result["instances"]
        assert (counts["answered"] + counts["unparsable"], counts["failed"], counts["pending"]) == (answered, 0, 0)
        assert result["usage"]["usd"] * 1e9 == pytest.approx(ledger.nano_usd(INPUT_NANO_USD, OUTPUT_NANO_USD))
        assert result["usage"]["unknown_calls"] == 0
        return ledger


@pytest.fixture
def served(tmp_path):
    with Process(tmp_path) as served:
        yield served


@pytest.mark.slow
@pytest.mark.parametrize(("name", "step", "time"), list(steps()))
def test_a_kill_at_any_step_pays_nothing_twice_and_loses_nothing(genlevel, served, choice_suite, *, name, step, time):
    there = There(genlevel.folder, served, name, choice_suite(INSTANCES))
    killed = there.run(*there.eval, killed=(step, time))
    assert killed.returncode in (-signal.SIGKILL, 0), killed.stderr
    assert killed.returncode or time > 1, "the step is reached"
    with there.time_goes_on():
        done = there.run(*there.eval)
    assert done.returncode == 0, done.stderr
    there.holds(json.loads(done.stdout))


@pytest.mark.soak
@pytest.mark.parametrize("step", CANCELS)
def test_a_kill_while_batches_are_cancelled_pays_nothing_twice(genlevel, served, choice_suite, step):
    there = There(genlevel.folder, served, "openai", choice_suite(INSTANCES))
    served.control("openai", held=True, items=0)
    killed = there.run(*there.eval, killed=("it is looked at", 4))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    (run,) = json.loads(there.run("runs", "--json").stdout)
    assert run["batches"]["batches"] == 1
    assert there.run("tune", run["run"], "--stop", killed=(step, 1)).returncode == -signal.SIGKILL
    stopped = there.run("tune", run["run"], "--stop", "--json")
    assert stopped.returncode == 0, stopped.stderr
    (run,) = json.loads(there.run("runs", "--json").stdout)
    assert (run["batches"], run["status"], run["wanted"]) == (None, "interrupted", "stopped")
    served.control("openai", held=False)
    done = there.run(*there.eval)
    assert done.returncode == 0, done.stderr
    ledger = there.holds(json.loads(done.stdout))
    assert (ledger.cancelled, len(ledger.submitted)) == (ledger.submitted[:1], 2)


@pytest.mark.slow
def test_a_command_that_is_stopped_leaves_its_batches_and_says_how_to_go_on(genlevel, served, choice_suite):
    there = There(genlevel.folder, served, "openai", choice_suite(6))
    assert "of which a batch costs 0.5: that is counted above" in " ".join(there.run(*there.eval[:-1], "--dry-run").stdout.split())
    served.control("openai", held=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), KEY: "sk-test-key-that-is-hidden"}
    command = [sys.executable, "-m", "genlevel", *there.eval]
    process = subprocess.Popen(command, cwd=genlevel.folder, env=environment, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "waits for 1 batch at openai: " in line:
            break
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "it has 1 batch at openai: " in told
    assert "`genlevel resume " in told
    listed = there.run("runs")
    assert " waits for 1 batch at openai: 3 of 6 answered, by " in listed.stdout
    (run,) = json.loads(there.run("runs", "--json").stdout)
    assert set(run["batches"]) == {"provider", "batches", "instances", "answered", "expires", "cancelling"}
    served.control("openai", held=False)
    done = there.run("resume", run["run"], "--json")
    assert done.returncode == 0, done.stderr
    ledger = there.holds(json.loads(done.stdout), answered=6)
    assert (len(ledger.submitted), ledger.cancelled) == (1, [])


@pytest.mark.slow
def test_services_go_on_with_batches_of_an_evaluator_that_was_killed(genlevel, served, choice_suite, deployed):
    """Over gRPC; and a run that nobody works on any more has its batches cancelled by the service."""
    choice_suite(INSTANCES)
    served.control("openai", held=True)
    (genlevel.folder / "key").write_text("sk-test-key-that-is-hidden")
    account = {"provider": "openai", "base_url": served.base_url("openai"), "api_key_file": "key"}
    price = {"input": str(INPUT_NANO_USD / 1000), "output": str(OUTPUT_NANO_USD / 1000)}
    routes = {"batched": {"account": "desk", "model": MODELS["openai"], "price": price}}
    there = deployed(served.url, accounts={"desk": account}, routes=routes, runs={"batch_look_s": 0.1})
    there.start("gateway", "evaluator", "scorer")
    command = ("eval", "--model", "batched", "--suite", "bench", "--batch", "--json")
    watching = genlevel.start(*command)
    deadline = monotonic() + PATIENCE_S
    while not served.ledger("openai").submitted:
        assert monotonic() < deadline
        sleep(0.1)
    there.running["evaluator"].process.send_signal(signal.SIGKILL)
    there.running["evaluator"].ended()
    there.start("evaluator")
    served.control("openai", held=False)
    out, err = watching.communicate(timeout=PATIENCE_S)
    assert watching.returncode == 0, err
    result = json.loads(out)
    ledger = served.ledger("openai")
    assert (ledger.more_than_once(), len(ledger.submitted), result["instances"]["pending"]) == ([], 1, 0)
    assert result["usage"]["usd"] * 1e9 == pytest.approx(ledger.nano_usd(INPUT_NANO_USD, OUTPUT_NANO_USD))

    served.control("openai", held=True)
    watching = genlevel.start(*command, "--fresh")
    while len(served.ledger("openai").submitted) < 2:
        assert monotonic() < deadline
        sleep(0.1)
    while not (run := json.loads(genlevel.run("runs", "--json").stdout)[0])["batches"] or not run["batches"]["answered"]:
        assert monotonic() < deadline, run
    watching.send_signal(signal.SIGINT)
    _, err = watching.communicate(timeout=PATIENCE_S)
    assert (watching.returncode, served.ledger("openai").cancelled) == (130, []), err
    stopped = genlevel.run("tune", run["run"], "--stop")
    assert (stopped.returncode, "its batches are cancelled" in stopped.stdout) == (0, True), stopped.stdout
    while (now := json.loads(genlevel.run("runs", "--json").stdout)[0])["batches"]:
        assert monotonic() < deadline, now
    assert served.ledger("openai").cancelled == served.ledger("openai").submitted[1:]
    assert 0 < now["pending"] < INSTANCES
