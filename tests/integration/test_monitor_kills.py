"""Services that watch a model are killed again and again: no tick is lost or asked twice, and the evidence is as if nothing had happened.

Real processes. The promise of calls: of each kill at most twice the slots are asked again.
"""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
import yaml

from tests.integration.serving import PATIENCE_S
from tests.ports import free_ports

SLOTS = 4
SAMPLE, BASELINE = 20, 2 * 3 * 20
TASKS = ("Causal-Reasoning", "Ethical-Reasoning")
ADDED = ("--every", "6h", "--sample", str(SAMPLE), "--pool", "3x", "--baseline-repeats", "2")


class Watched:
    """A monitor "m" of services that come and go. kill: lets one process that works on it end at once, and another one take its place."""

    def __init__(self, there: Any, stub: Any, *, kill: Callable[[], None], seed: int) -> None:
        self._there, self._genlevel, self._stub, self._kill = there, there.genlevel, stub, kill
        self._chance = random.Random(seed)
        self.kills = 0

    def calls(self) -> int:
        return len(self._stub.calls())

    def asked(self, *command: str) -> Any:
        """What a command prints, once the services answer again."""
        deadline = time.monotonic() + PATIENCE_S
        while (done := self._genlevel.run("monitor", *command, "--json")).returncode:
            assert time.monotonic() < deadline, done.stderr
            for service in self._there.running.values():
                assert service.process.poll() is None, service.ended()
            time.sleep(0.5)
        return json.loads(done.stdout)

    def killed_within(self, calls: int, since: int) -> None:
        """Kills once some of so many calls have come. since: how many there were before."""
        target, deadline = since + self._chance.randrange(calls), time.monotonic() + PATIENCE_S
        while self.calls() < target:
            assert time.monotonic() < deadline, "it does not go on"
            time.sleep(0.005)
        self._kill()
        self.kills += 1

    def until(self, what: Callable[[Any], bool]) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while not what(shown := self.asked("show", "m")):
            assert time.monotonic() < deadline, shown
            time.sleep(0.2)
        return shown

    def watch(self, worse: Any, *, baseline_kills: int, ticks: int) -> Any:
        """Asks the baseline and so many ticks, with a kill in each; from the second tick on the model is worse. Returns what is shown."""
        for _ in range(baseline_kills):
            self.killed_within(BASELINE // (2 * baseline_kills), self.calls())
        self.until(lambda shown: shown["state"] == "watching")
        for number in range(1, ticks + 1):
            if number == 2:
                worse.touch()
            before = self.calls()
            self.asked("run-now", "m")
            self.killed_within(SAMPLE, before)
            self.until(lambda shown, number=number: shown["ticks"] == number and not shown["open_tick"])
        return self.asked("show", "m")


def evidence(shown: Any) -> dict[tuple[str, str, str], float | None]:
    """Of all checks but that of latency, which is what it is."""
    return {
        (group["group"], check["signal"], check["direction"]): check["log_evidence"]
        for group in shown["groups"]
        for check in group["checks"]
        if check["signal"] != "latency"
    }


def twin_of(genlevel: Any, stub: Any, worse: Any, *, suite: Any, uid: str, ticks: int) -> Any:
    """The same monitor with the same draws, asked by commands that nobody disturbs."""
    folder = genlevel.folder / "twin"
    folder.mkdir()
    accounts = {"stub": {"provider": "compatible", "base_url": stub.base_url, "limits": {"concurrency": SLOTS}}}
    route = {"account": "stub", "model": "stub-1", "price": {"input": "1", "output": "4"}}
    (folder / "genlevel.yaml").write_text(yaml.safe_dump({"accounts": accounts, "routes": {"stubbed": route}}))
    options = ("--config", str(folder / "genlevel.yaml"), "monitor")
    ends = ("--out", str(folder / "data"), "--json")
    done = genlevel.run(*options, "add", "m", "--model", "stubbed", "--suite", str(suite), *ADDED, *ends)
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(folder / "data" / "genlevel.db")) as database, database:
        database.execute("UPDATE evaluator_monitors SET uid = ?", (uid,))
    worse.unlink()
    for number in range(1, ticks + 1):
        if number == 2:
            worse.touch()
        done = genlevel.run(*options, "run-now", "m", "--wait", *ends)
        assert done.returncode in (0, 3), done.stderr
    return json.loads(genlevel.run(*options, "show", "m", *ends).stdout)


def check(shown: Any, watched: Watched, ticks: int) -> None:
    """Each tick is there once and whole, and no more was asked again than kills allow."""
    assert [tick["number"] for tick in shown["last_ticks"]] == list(range(ticks, 0, -1))
    assert {(tick["outcome"], tick["instances"], tick["failed"]) for tick in shown["last_ticks"]} == {("complete", SAMPLE, 0)}
    assert (shown["missed"], shown["ticks"]) == (0, ticks)
    again = watched.calls() - BASELINE - ticks * SAMPLE
    assert 0 <= again <= watched.kills * 2 * SLOTS
    runs = {tick["run"] for tick in shown["last_ticks"]}
    assert len(runs) == ticks


@pytest.mark.slow
@pytest.mark.parametrize(("baseline_kills", "ticks"), [(1, 2), pytest.param(5, 20, marks=pytest.mark.soak)])
def test_services_that_are_killed_watch_on_as_if_nothing_had_happened(
    genlevel, stub_upstream, choice_suite, deployed, tmp_path, *, baseline_kills, ticks
):
    worse = tmp_path / "worse"
    stub = stub_upstream(latency=0.03, worse=worse)
    suite = choice_suite(40, tasks=TASKS)
    there = deployed(stub.base_url, concurrency=SLOTS)
    there.launch("up")
    there.until_ready("up")

    def kill() -> None:
        killed = there.running.pop("up")
        assert killed.process.poll() is None, killed.ended()
        killed.process.kill()
        killed.ended()
        there.launch("up")

    watched = Watched(there, stub, kill=kill, seed=ticks)
    watched.asked("add", "m", "--model", "stubbed", "--suite", "bench", *ADDED)
    shown = watched.watch(worse, baseline_kills=baseline_kills, ticks=ticks)
    check(shown, watched, ticks)
    with closing(sqlite3.connect(genlevel.folder / "data" / "genlevel.db")) as database:
        (uid,) = database.execute("SELECT uid FROM evaluator_monitors").fetchone()
    twin = twin_of(genlevel, stub, worse, suite=suite, uid=uid, ticks=ticks)
    assert [tick["score"] for tick in shown["last_ticks"]] == [tick["score"] for tick in twin["last_ticks"]]
    assert evidence(shown) == evidence(twin)
    assert len({value for value in evidence(shown).values() if value is not None}) > 3


@pytest.mark.soak
def test_of_two_evaluators_over_one_database_either_goes_on_when_the_other_is_killed(
    genlevel, stub_upstream, choice_suite, deployed, tmp_path, *, postgresql
):
    worse = tmp_path / "worse"
    stub = stub_upstream(latency=0.05, worse=worse)
    choice_suite(40, tasks=TASKS)
    there = deployed(stub.base_url, concurrency=SLOTS, storage={"url": postgresql, "patience_s": 5})
    document = yaml.safe_load((genlevel.folder / "genlevel.yaml").read_text())
    grpc, http = free_ports(2)
    document["evaluator"] = {"grpc": f"127.0.0.1:{grpc}", "http": f"127.0.0.1:{http}"}
    (genlevel.folder / "other.yaml").write_text(yaml.safe_dump(document))
    commands = {"evaluator": ("evaluator",), "other": ("--config", "other.yaml", "evaluator")}
    there.start("gateway", "scorer", "evaluator")
    there.launch("other", *commands["other"])

    def kill() -> None:
        name = random.Random(watched.calls()).choice(list(commands))
        killed = there.running.pop(name)
        killed.process.kill()
        killed.ended()
        there.launch(name, *commands[name])

    watched = Watched(there, stub, kill=kill, seed=3)
    watched.asked("add", "m", "--model", "stubbed", "--suite", "bench", *ADDED)
    check(watched.watch(worse, baseline_kills=2, ticks=4), watched, 4)
