"""The three services, each its own process, found by configured addresses; and all three in one by ``genlevel up``."""

from __future__ import annotations

import json
import re
import signal
import socket
import time

import pytest
import yaml

from tests.integration.serving import PATIENCE_S, configuration, fetch, ports_of, wait_until_ready

pytestmark = pytest.mark.services


@pytest.fixture
def configured(genlevel, stub_upstream):
    """A genlevel.yaml with free ports and one route to the stub; returns the HTTP ports by service."""
    stub = stub_upstream(latency=0.05)
    document = configuration(stub.base_url, genlevel.folder.parent, concurrency=8)
    (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump(document))
    return ports_of(document, "http")


def evaluate_and_check(genlevel, suite, stub_calls_port):
    done = genlevel.run("eval", "--model", "stubbed", "--suite", str(suite), "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["instances"]["answered"] == 60
    assert result["tasks"][0]["score"] == 100
    assert result["usage"]["usd"] > 0
    series = fetch(stub_calls_port)
    labels = f'model="stubbed",outcome="answered",suite="bench",suite_hash="{result["suite_hash"][:8]}"'
    assert f"genlevel_evaluator_answers_total{{{labels}}} 60.0" in series
    return result


def test_three_processes_evaluate_a_model_and_show_it_to_prometheus(genlevel, configured, choice_suite):
    processes = {name: genlevel.start(name, "--out", f"data-{name}") for name in configured}
    try:
        for name, port in configured.items():
            wait_until_ready(processes[name], port)
        result = evaluate_and_check(genlevel, choice_suite(60), configured["evaluator"])
        assert "genlevel_gateway_requests_total{" in fetch(configured["gateway"])
        scored = fetch(configured["scorer"])
        assert "genlevel_task_score{" in scored
        assert "genlevel_verdict{" in scored
        shown = json.loads(genlevel.run("show", result["run"], "--json").stdout)
        assert shown == result
        listed = json.loads(genlevel.run("runs", "--json").stdout)
        assert [run["run"] for run in listed] == [result["run"]]
        refused = genlevel.run("show", "nosuchrun")
        assert refused.returncode == 2
        assert "nosuchrun" in refused.stderr
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        for name, process in processes.items():
            _, stderr = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 0, (name, stderr)
            assert "Traceback" not in stderr
    finally:
        for process in processes.values():
            process.kill()
            process.communicate()


def value_of(series, port):
    """The value of one series of a service; 0 where it is not there yet."""
    found = re.search(re.escape(series) + r" (\S+)", fetch(port))
    return float(found[1]) if found else 0.0


def test_a_gateway_that_is_killed_costs_counted_calls_and_no_instance(genlevel, configured, choice_suite, tmp_path):
    calls, retries = (
        'genlevel_evaluator_calls_total{model="stubbed"}',
        'genlevel_evaluator_retries_total{error_class="TRANSIENT",model="stubbed"}',
    )
    processes = {name: genlevel.start(name, "--out", f"data-{name}") for name in configured}
    try:
        for name, port in configured.items():
            wait_until_ready(processes[name], port)
        evaluation = genlevel.start("eval", "--model", "stubbed", "--suite", str(choice_suite(400)), "--json")
        for after in (60, 160):
            deadline = time.monotonic() + PATIENCE_S
            while value_of(calls, configured["evaluator"]) < after:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            processes["gateway"].kill()
            processes["gateway"].communicate()
            processes["gateway"] = genlevel.start("gateway", "--out", "data-gateway")
        stdout, stderr = evaluation.communicate(timeout=120)
        assert evaluation.returncode == 0, stderr
        assert json.loads(stdout)["instances"]["answered"] == 400
        repeated = value_of(retries, configured["evaluator"])
        assert 0 < repeated <= 2 * 8, "no more than were in flight"
        assert value_of(calls, configured["evaluator"]) == 400 + repeated
        asked = len((tmp_path / "stub-0.log").read_text().splitlines())
        assert 400 <= asked <= 400 + repeated, "each call that the provider saw is counted"
    finally:
        for process in processes.values():
            process.kill()
            process.communicate()


def test_one_process_serves_all_three_with_one_port_for_metrics(genlevel, configured, choice_suite):
    process = genlevel.start("up")
    try:
        wait_until_ready(process, configured["evaluator"])
        evaluate_and_check(genlevel, choice_suite(60), configured["evaluator"])
        series = fetch(configured["evaluator"])
        for name in ("genlevel_gateway_requests_total", "genlevel_level_score", "genlevel_evaluator_calls_total"):
            assert f"{name}{{" in series, name
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, stderr
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("listen", ["http", "grpc"])
def test_a_taken_port_is_said_with_its_setting_and_nothing_is_announced_before(genlevel, configured, listen):
    document = yaml.safe_load((genlevel.folder / "genlevel.yaml").read_text())
    with socket.create_server(("127.0.0.1", int(document["evaluator"][listen].rpartition(":")[2]))):
        done = genlevel.run("up")
    assert done.returncode == 2
    assert "gRPC on" not in done.stderr, "nothing is served that could be announced"
    line = done.stderr.splitlines()[-1]
    assert f"evaluator.{listen}: cannot listen on {document['evaluator'][listen]}" in line
    assert f"as evaluator.{listen} in genlevel.yaml" in line


def test_a_shared_service_calls_no_address_outside_its_configuration(genlevel, configured, choice_suite):
    """--base-url runs embedded even where services are configured, so a shared gateway is never told an address."""
    done = genlevel.run(
        "eval", "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--suite", str(choice_suite(2)), "--dry-run", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["instances"] == 2


def test_a_log_for_machines_has_nothing_else_in_it(genlevel):
    free = "{grpc: '127.0.0.1:0', http: '127.0.0.1:0'}"
    (genlevel.folder / "genlevel.yaml").write_text(f"scorer: {free}\nlog: {{format: json}}\n")
    service = genlevel.start("scorer")
    lines = [service.stderr.readline() for _ in range(2)]
    service.send_signal(signal.SIGTERM)
    lines += service.communicate(timeout=20)[1].splitlines()
    said = [json.loads(line)["message"] for line in lines]
    assert said[0].startswith("scorer: gRPC on 127.0.0.1:")
    assert said[-1] == "stopping: waiting for the calls in flight (again to stop at once)"
