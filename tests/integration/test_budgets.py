"""Money and tokens against upstreams that lie about them, as real processes: caps are kept, and bounds contain what was really billed."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.serving import PATIENCE_S

HERE = Path(__file__).parent
IN, OUT = 2, 8  # dollars for a million tokens
CONCURRENCY = 64


@dataclass(frozen=True)
class Biller:
    base_url: str
    log: Path

    def ledger(self):
        """(tokens in, tokens out, calls open when it came, whether its bill was wrong) of every call."""
        return [tuple(map(int, line.split("\t"))) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def billed(self):
        """Dollars, of all calls."""
        return sum(prompt * IN + completion * OUT for prompt, completion, *_ in self.ledger()) / 1e6

    def tokens(self):
        return sum(prompt + completion for prompt, completion, *_ in self.ledger())


@pytest.fixture
def biller(tmp_path, forker, genlevel):
    """Starts an upstream that bills, and configures it as the route "billed" at a price and as "unpriced" without."""
    started = []

    def start(**options):
        port_file, log = tmp_path / "biller.port", tmp_path / "biller.log"
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        command = [str(HERE / "billing_upstream.py"), f"--port-file={port_file}", f"--log={log}", *arguments]
        if forker is None:
            pytest.skip("needs descriptors of processes")
        started.append(forker.start(*command, folder=tmp_path, environment=os.environ, pipes=False))
        deadline = time.monotonic() + PATIENCE_S
        while not port_file.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        base_url = f"http://127.0.0.1:{port_file.read_text()}/v1"
        (genlevel.folder / "genlevel.yaml").write_text(
            "runs: {attempts: 3, call_timeout_s: 3}\n"
            f"accounts: {{stub: {{provider: compatible, base_url: '{base_url}'}}}}\n"
            f"routes:\n  billed: {{account: stub, model: s, price: {{input: '{IN}', output: '{OUT}'}}}}\n"
            "  unpriced: {account: stub, model: s}\n"
        )
        return Biller(base_url, log)

    yield start
    for process in started:
        process.kill()
        process.wait()


def run_it(genlevel, suite, *options, model="billed", codes=(0, 1)):
    command = ("eval", "--model", model, "--suite", str(suite), "--concurrency", str(CONCURRENCY), "--json", *options)
    done = genlevel.run(*command, timeout_s=300)
    assert done.returncode in codes, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("honest", [0, 100])
@pytest.mark.parametrize("unit", ["usd", "tokens"])
def test_an_overrun_is_what_was_in_flight_when_the_first_wrong_bill_came(genlevel, biller, choice_suite, unit, honest):
    upstream = biller(lie="times", latency=0.2, honest=honest)
    cap = ("--budget-usd", "0.5") if unit == "usd" else ("--budget-tokens", "100000")
    result, said = run_it(genlevel, choice_suite(800), *cap, model="billed" if unit == "usd" else "unpriced", codes=(1,))
    ledger = upstream.ledger()
    first = next(number for number, entry in enumerate(ledger) if entry[3])
    assert len(ledger) - first <= CONCURRENCY, "nothing was begun once the first wrong bill was there"
    assert result["status"] == "budget"
    assert result["reason"].count("was exceeded by") == 1
    assert said.count("was exceeded by") == 1
    if unit == "usd":
        spent = result["usage"]["usd"]
        assert (result["usage"]["most_usd"], result["usage"]["unknown_calls"]) == (spent, 0)
        assert spent == pytest.approx(upstream.billed())
        exceeded = float(result["reason"].split("exceeded by $")[1].split(":")[0].replace(",", ""))
        assert exceeded == pytest.approx(spent - 0.5, abs=0.01)
    else:
        assert f"exceeded by {upstream.tokens() - 100_000:,} tokens" in result["reason"]
    calls = len(ledger)
    resumed = genlevel.run("resume", result["run"], "--json")
    assert json.loads(resumed.stdout)["status"] == "budget"
    assert len(upstream.ledger()) == calls, "a further start does not begin again where the first one has learnt"


@pytest.mark.parametrize("lie", ["none", "missing", "negative", "absurd", "endless"])
def test_the_bounds_contain_what_was_billed(genlevel, biller, choice_suite, lie):
    upstream = biller(lie=lie, lie_rate=0.1 if lie != "endless" else 0.02, error_rate=0.1, latency=0.02)
    result, _ = run_it(genlevel, choice_suite(200))
    usage = result["usage"]
    assert usage["usd"] <= upstream.billed() * 1.000001
    assert upstream.billed() <= usage["most_usd"] * 1.000001
    assert 0 < usage["unknown_calls"] < 150
    assert usage["most_usd"] < 200 * upstream.billed()


@pytest.mark.parametrize("lie", ["missing", "negative", "endless"])
def test_a_budget_is_kept_by_what_is_really_billed_though_bills_do_not_come(genlevel, biller, choice_suite, lie):
    upstream = biller(lie=lie, lie_rate=0.1 if lie != "endless" else 0.02, error_rate=0.1, latency=0.02)
    cap = 0.006
    result, _ = run_it(genlevel, choice_suite(200), "--budget-usd", str(cap), codes=(1,))
    assert result["status"] == "budget"
    assert result["instances"]["answered"] > 10
    assert result["usage"]["usd"] <= upstream.billed() <= cap
    assert upstream.billed() <= result["usage"]["most_usd"]


def test_if_the_limit_is_ignored_in_silence_nobody_can_tell_the_most(genlevel, biller, choice_suite):
    upstream = biller(lie="long", lie_rate=0.1, latency=0.01)
    result, _ = run_it(genlevel, choice_suite(60))
    assert result["usage"]["usd"] <= upstream.billed()
    assert (result["usage"]["most_usd"], result["usage"]["unknown_calls"] > 0) == (None, True)
    assert "at most unknown" in genlevel.run("show", result["run"]).stdout


@pytest.mark.slow
@pytest.mark.parametrize(("kills", "instances"), [(3, 400), pytest.param(20, 4000, marks=pytest.mark.soak)])
@pytest.mark.parametrize("cap", [(), ("--budget-usd", "50")], ids=["no cap", "a cap"])
def test_the_bounds_contain_what_was_billed_over_kills(genlevel, biller, choice_suite, *, kills, instances, cap):
    upstream = biller(latency=0.05, error_rate=0.02, lie="missing", lie_rate=0.02)
    suite = choice_suite(instances)
    command = ("eval", "--model", "billed", "--suite", str(suite), "--concurrency", "16", "--json", *cap)
    chance = random.Random()
    for _ in range(kills):
        before = len(upstream.ledger())
        process = genlevel.start(*command)
        target, deadline = before + chance.randrange(10, instances // kills - 20), time.monotonic() + PATIENCE_S
        while len(upstream.ledger()) < target:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        (left,) = json.loads(genlevel.run("runs", "--json").stdout)
        assert (left["usd"] or 0) <= upstream.billed() <= left["most_usd"], left
        assert left["unknown_calls"] > 0
    done = genlevel.run(*command, timeout_s=600)
    assert done.returncode == 0, done.stderr
    usage = json.loads(done.stdout)["usage"]
    assert usage["usd"] <= upstream.billed() <= usage["most_usd"]
    assert usage["unknown_calls"] >= kills
    assert "at least $0." in genlevel.run("show", json.loads(done.stdout)["run"]).stdout


@pytest.mark.slow
def test_what_kills_leave_does_not_use_up_the_budget(genlevel, biller, choice_suite):
    upstream = biller(latency=0.3)
    suite = choice_suite(300)
    dear = ("eval", "--model", "billed", "--suite", str(suite), "--concurrency", "32", "--max-tokens", "4000", "--json")
    command = (*dear, "--budget-usd", "10")
    process = genlevel.start(*command)
    while len(upstream.ledger()) < 96:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (left,) = json.loads(genlevel.run("runs", "--json").stdout)
    assert left["most_usd"] > 1, "at the worst case: 32 calls at least"
    done = genlevel.run(*dear, "--budget-usd", "1", timeout_s=300)
    result = json.loads(done.stdout)
    assert (result["status"], result["instances"]["answered"]) == ("finished", 300), "they count as much as their like have cost"
    assert result["usage"]["most_usd"] > 1 > upstream.billed()
    assert "it may have cost" in result["reason"]
    assert "it may have cost" in done.stderr


def test_a_budget_below_some_calls_asks_the_others_and_says_what_is_missing(genlevel, biller, tmp_path):
    folder = tmp_path / "bench" / "nlp" / "Causal-Reasoning"
    folder.mkdir(parents=True)
    data = [
        {
            "id": f"q{number}",
            "input": {"question": f"Question {number}? " + "long " * (5_000 if number % 2 else 0), "options": ["yes", "no"]},
            "output": {"answer": "A"},
        }
        for number in range(40)
    ]
    envelope = {"task": "Causal-Reasoning", "type": "MultipleChoiceQA", "data": data}
    (folder / "annotation.json").write_text(json.dumps(envelope))
    upstream = biller(latency=0.01)
    result, said = run_it(genlevel, tmp_path / "bench", "--budget-usd", "0.03", codes=(1,))
    assert (result["status"], result["instances"]["answered"], result["instances"]["pending"]) == ("budget", 20, 20)
    assert len(upstream.ledger()) == 20
    assert "too little for 20 instances, which may cost $0.0" in result["reason"]
    assert "would allow one more" in said
    enough = result["reason"].split("--budget-usd $")[-1].split()[0]
    more, _ = run_it(genlevel, tmp_path / "bench", "--budget-usd", enough, codes=(1,))
    assert more["instances"]["answered"] > 20, "the amount that is named is enough for one more"
    nothing, _ = run_it(genlevel, tmp_path / "bench", "--budget-usd", "0.000001", "--fresh", codes=(1,))
    assert nothing["instances"]["answered"] == 0
    assert "too little for 40 instances" in nothing["reason"]
