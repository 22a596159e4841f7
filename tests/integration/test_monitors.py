"""Deployed models watched by the commands: over an evaluator of the command's own, and over services; the model changes under its name."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.integration.serving import PATIENCE_S

TASKS = ("Causal-Reasoning", "Ethical-Reasoning")
ADDED = ("--every", "6h", "--sample", "20", "--pool", "3x", "--baseline-repeats", "2", "--budget-usd", "5/day")


def printed(genlevel, *command: str, code: int = 0) -> Any:
    done = genlevel.run("monitor", *command, "--out", "data", "--json")
    assert done.returncode == code, (done.stdout, done.stderr)
    return json.loads(done.stdout)


def configured(genlevel, base_url: str, more: str = "") -> None:
    (genlevel.folder / "genlevel.yaml").write_text(
        f"accounts:\n  stub: {{provider: compatible, base_url: {base_url}}}\n"
        f"routes:\n  watched: {{account: stub, model: s, price: {{input: '1', output: '2'}}}}\n{more}"
    )


@pytest.fixture
def desk() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Where a webhook arrives: its address, and what has come."""
    arrived: list[dict[str, Any]] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrived.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/alarms", arrived
        server.shutdown()


@pytest.fixture
def servers(stub_upstream):
    """Where every answer is right, and where every answer is wrong."""
    return stub_upstream(answer="Answer: A"), stub_upstream(answer="Answer: B")


def test_a_model_that_changes_raises_an_alarm_until_it_is_acknowledged(genlevel, servers, choice_suite, desk):
    good, bad = servers
    destinations = f"destinations: {{desk: {{kind: webhook, url: '{desk[0]}'}}}}\n"
    suite = str(choice_suite(60, tasks=TASKS))
    configured(genlevel, good.base_url, destinations)
    plan = printed(genlevel, "add", "m", "--model", "watched", "--suite", suite, *ADDED, "--dry-run")
    assert (plan["ticks_a_year"], plan["sample"], plan["pool"], plan["baseline_calls"]) == (1460, 20, 60, 120)
    assert (plan["usd"]["year"] > plan["usd"]["day"] > 0, plan["false_alarms_a_year"] <= 0.05) == (True, True)
    assert good.calls() == []

    added = printed(genlevel, "add", "m", "--model", "watched", "--suite", suite, *ADDED)
    assert (added["state"], added["budget_usd_per_day"], good.calls()) == ("baseline", 5.0, [])
    first = printed(genlevel, "run-now", "m", "--wait")
    assert (first["number"], first["tick"]["outcome"], first["tick"]["score"], first["alarms"]) == (1, "complete", 100.0, [])
    assert len(good.calls()) == 120 + 20
    shown = printed(genlevel, "show", "m")
    assert (shown["state"], shown["ticks"], shown["open_alarms"], shown["next_tick"] is not None) == ("watching", 1, 0, True)
    assert {group["group"] for group in shown["groups"]} > {"all"}

    assert printed(genlevel, "test-alarm", "m") == [{"destination": "desk", "problem": None}]
    assert len(desk[1]) == 1

    configured(genlevel, bad.base_url, destinations)
    for _ in range(6):
        done = genlevel.run("monitor", "run-now", "m", "--wait", "--out", "data", "--json")
        if done.returncode == 3:
            break
        assert done.returncode == 0, done.stderr
    assert done.returncode == 3
    told = json.loads(done.stdout)
    alarms = {(alarm["kind"], alarm["group"]): alarm for alarm in told["alarms"]}
    (dropped,) = [alarm for (kind, group), alarm in alarms.items() if (kind, group) == ("regression", "all")]
    assert (dropped["unit"], dropped["since_tick"] >= 2) == ("points", True)
    assert {(one["answer_before"], one["answer_now"]) for one in dropped["instances"]} == {("Answer: A", "Answer: B")}
    assert f"ALARM {dropped['id']}" in genlevel.run("monitor", "show", "m", "--out", "data").stdout
    assert len(desk[1]) == 1 + len(alarms), "each alarm has arrived before the command ended"
    run = told["tick"]["run"]
    assert genlevel.run("show", run, "--wrong", "--out", "data").returncode == 0
    assert genlevel.run("compare", run, shown["baseline"], "--out", "data").returncode == 0

    ids = [alarm["id"] for alarm in told["alarms"]]
    done_with = printed(genlevel, "acknowledge", "m", "--note", "known")
    assert (sorted(done_with["acknowledged"]), done_with["open_alarms"]) == (sorted(ids), 0)
    assert printed(genlevel, "rebase", "m", "--repeats", "1")["state"] == "baseline"
    assert printed(genlevel, "run-now", "m", "--wait")["alarms"] == []
    assert printed(genlevel, "remove", "m") == {"monitor": "m", "removed": True}
    assert printed(genlevel, "list") == []
    assert len(json.loads(genlevel.run("runs", "--ticks", "--out", "data", "--json").stdout)) >= 4


def test_a_pause_holds_and_mistakes_are_said(genlevel, servers, choice_suite):
    suite = str(choice_suite(60, tasks=TASKS))
    configured(genlevel, servers[0].base_url)
    printed(genlevel, "add", "m", "--model", "watched", "--suite", suite, *ADDED)
    assert printed(genlevel, "pause", "m")["state"] == "paused"
    refused = genlevel.run("monitor", "run-now", "m", "--out", "data")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert printed(genlevel, "resume", "m")["state"] == "baseline"
    for command, said in (
        (("show", "n"), "no monitor 'n' here; `genlevel monitor list` lists them"),
        (("add", "m", "--model", "watched", "--suite", suite, *ADDED), "there is a monitor 'm' already"),
        (("add", "n", "--model", "watched", "--suite", suite, "--every", "whenever"), "is no schedule"),
        (("add", "n", "--model", "none", "--suite", suite, "--every", "6h"), "no route 'none': use a name from genlevel.yaml"),
        (("add", "n", "--model", "watched", "--suite", suite, "--every", "6h", "--alarm-to", "chat"), "no destination 'chat'"),
        (("acknowledge", "m", "a1"), "has no alarm 'a1'"),
    ):
        done = genlevel.run("monitor", *command, "--out", "data")
        assert (done.returncode, said in done.stderr, len(done.stderr.splitlines())) == (2, True, 1), done.stderr


def test_services_watch_what_is_added_from_afar(deployed, genlevel, servers, choice_suite):
    good, _bad = servers
    choice_suite(60, tasks=TASKS)
    there = deployed(good.base_url)
    there.start("gateway", "evaluator", "scorer")
    printed(genlevel, "add", "m", "--model", "stubbed", "--suite", "bench", *ADDED)
    ticked = printed(genlevel, "run-now", "m", "--wait")
    assert (ticked["number"], ticked["tick"]["outcome"], ticked["alarms"]) == (1, "complete", [])
    assert printed(genlevel, "show", "m")["baseline"] is not None
    assert [one["ticks"] for one in printed(genlevel, "list")] == [1]
    scored = re.compile(r'^genlevel_monitor_score\{(?=[^}]*monitor="m")(?=[^}]*group="all")[^}]*\} 100\.0$', re.MULTILINE)
    until = time.monotonic() + PATIENCE_S
    while not scored.search(there.page("evaluator", "/metrics")[1]):
        assert time.monotonic() < until
        time.sleep(0.2)
