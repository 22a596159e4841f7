"""What a caller can name over the network: routes and suites of the configuration. No address, no path, no secret's name."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import pytest
import yaml

from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import evaluator_pb2_grpc, gateway_pb2_grpc, scorer_pb2_grpc
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.integration.credentials import Credentials
from tests.integration.serving import PATIENCE_S, wait_until_ready
from tests.ports import free_ports

pytestmark = pytest.mark.services

SECRETS = {"OPENAI_API_KEY": "sk-openai-of-the-service", "AWS_SECRET_ACCESS_KEY": "aws-of-the-service", "NAMED_KEY": "named-of-the-service"}


class Trap:
    """A server that nobody should call, with what arrived all the same."""

    def __init__(self) -> None:
        arrived: list[tuple[str, dict[str, str]]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                arrived.append((self.path, dict(self.headers)))
                self.send_error(401)

            do_GET = do_POST

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self.arrived = arrived
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def trap() -> Iterator[Trap]:
    trap = Trap()
    yield trap
    trap.close()


class Served:
    """`genlevel up` with its stubs; ``refused`` is what it answers to a request that it does not take."""

    def __init__(self, credentials: Credentials, ports: list[int]) -> None:
        self.channels = [credentials.blocking_channel(port) for port in ports]
        self.gateway = gateway_pb2_grpc.GatewayServiceStub(self.channels[0])
        self.evaluator = evaluator_pb2_grpc.EvaluatorServiceStub(self.channels[1])
        self.scorer = scorer_pb2_grpc.ScorerServiceStub(self.channels[2])

    def refused(self, call: Callable[..., object], request: object) -> tuple[str, str]:
        with pytest.raises(grpc.RpcError) as caught:
            call(request, timeout=30)
        return caught.value.code().name, caught.value.details()


@pytest.fixture
def served(genlevel, credentials, stub_upstream, choice_suite, tmp_path) -> Iterator[Served]:
    """A service with the suite "bench" below a folder of suites, one route, and keys in its environment."""
    stub = stub_upstream(answer="A")
    choice_suite(4, name="suites/bench")
    choice_suite(4, name="outside")
    ports = free_ports(6)
    document = {
        name: {"grpc": f"127.0.0.1:{ports[2 * n]}", "http": f"127.0.0.1:{ports[2 * n + 1]}"}
        for n, name in enumerate(("gateway", "evaluator", "scorer"))
    }
    document["suites"] = {"folders": [str(tmp_path / "suites")]}
    document["accounts"] = {"stub": {"provider": "compatible", "base_url": stub.base_url}}
    document["routes"] = {"stubbed": {"account": "stub", "model": "stub-1"}}
    (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump(document))
    process = genlevel.start("up", **SECRETS)
    found = Served(credentials, ports[::2])
    try:
        wait_until_ready(process, ports[3])
        yield found
    finally:
        for channel in found.channels:
            channel.close()
        process.terminate()
        _, stderr = process.communicate(timeout=PATIENCE_S)
        assert not [secret for secret in SECRETS.values() if secret in stderr]


def specification(**fields: object) -> ev.RunSpecification:
    return ev.RunSpecification(**{"model": "stubbed", "suite": "bench", **fields})  # type: ignore[arg-type]


def ended(served: Served, request: ev.StartRunRequest) -> ev.Run:
    run = served.evaluator.StartRun(request, timeout=60).run
    for progress in served.evaluator.WatchRun(ev.WatchRunRequest(run_id=run.run_id), timeout=60):
        run = progress.run
    return run


def test_nobody_makes_a_service_call_an_address_or_send_a_key(served, trap) -> None:
    """The attack: base_url and api_key_env in StartRun sent the service's keys to whoever asked for them."""
    for secret in ("OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", ""):
        for fields in (
            {"base_url": trap.base_url, "api_key_env": secret},
            {"model": "openai/x", "base_url": trap.base_url, "api_key_env": secret, "api": "images"},
            {"api_key_env": secret or "NAMED_KEY"},
            {"api": "images"},
        ):
            asked = specification(**fields)
            code, said = served.refused(served.evaluator.PlanRun, ev.PlanRunRequest(specification=asked))
            assert (code, len(said.splitlines())) == ("INVALID_ARGUMENT", 1)
            assert "a service takes no " in said
            start = ev.StartRunRequest(specification=asked, traffic=ev.TrafficSettings(unpriced_ok=True))
            assert served.refused(served.evaluator.StartRun, start) == (code, said)
    for route in (trap.base_url, f"m at {trap.base_url}", f"m at {trap.base_url} (chat)", "tgi/m", "ollama/m", "../m", "/etc/passwd"):
        code, said = served.refused(served.evaluator.PlanRun, ev.PlanRunRequest(specification=specification(model=route)))
        assert (code, len(said.splitlines())) == ("FAILED_PRECONDITION", 1), said
        judged = ev.StartRunRequest(specification=specification(), judge=route, traffic=ev.TrafficSettings(unpriced_ok=True))
        ended(served, judged)  # nothing is judged: the route is not looked at
        message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="hello")])
        code, said = served.refused(served.gateway.Generate, gw.GenerateRequest(route=route, messages=[message]))
        assert (code, len(said.splitlines())) == ("INVALID_ARGUMENT", 1)
    assert trap.arrived == []
    assert served.evaluator.PlanRun(ev.PlanRunRequest(specification=specification())).tasks[0].instances == 4


def test_media_by_address_or_path_make_a_service_fetch_and_read_nothing(served, trap) -> None:
    for source in (
        {"uri": f"{trap.base_url}/x.png"},
        {"uri": trap.base_url.replace("http:", "https:")},
        {"uri": "file:///etc/passwd"},
        {"uri": "https://169.254.169.254/latest/meta-data"},
        {"blob": ct.BlobReference(sha256="../../../../etc/passwd")},
        {"blob": ct.BlobReference(sha256="/etc/passwd")},
        {"blob": ct.BlobReference(sha256="a" * 10_000)},
    ):
        media = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", **source)  # type: ignore[arg-type]
        message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(media=media)])
        code, said = served.refused(served.gateway.Generate, gw.GenerateRequest(route="stubbed", messages=[message]))
        assert code in ("INVALID_ARGUMENT", "UNIMPLEMENTED"), (source, said)
        assert len(said) < 500
        assert "root:" not in said
    task = sc.TaskDescription(key="t", name="Image-Deraining", sheet="", modality="image", paradigm="generation", metric="psnr")
    header = sc.ScoreTaskHeader(run_id="r", model="m", suite="s", benchmark="general-bench", task=task)
    for named in (
        sc.InstanceAnswer(id="1", outcome=sc.OUTCOME_ANSWERED, answer_type="media", label_json=json.dumps({"file": PASSWORDS})),
        sc.InstanceAnswer(id="1", outcome=sc.OUTCOME_ANSWERED, answer_type="media", files=[sc.File(mime_type="image/png", path=PASSWORDS)]),
    ):
        request = sc.ScoreTaskRequest(header=header, instances=[named])
        code, said = served.refused(served.scorer.ScoreTask, iter([request]))
        assert code == "INVALID_ARGUMENT", said
        assert "taken only within one process" in said
    assert trap.arrived == []


PASSWORDS = "/etc/passwd"
PATHS = [
    PASSWORDS, "/etc", "/", ".", "..", "../outside", "bench/../../outside", "bench/..", "./bench", "bench/", "/bench", "link", "link/nlp",
    "empty", "file.txt", "~", "~root", "a\0b", "bench\0", "b" * 10_000, "bench/" * 3000, "\\\\host\\share", "bench\\nlp", "file:///etc",
    "\u202ebench", "bench\n",
]  # fmt: skip


def test_a_suite_that_is_no_name_is_told_nothing_of_what_files_there_are(served, tmp_path) -> None:
    """The attack: PlanRun(suite=/etc/passwd) said whether a file exists."""
    folder = tmp_path / "suites"
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "empty").mkdir()
    (folder / "file.txt").write_text("x")
    (folder / "again").symlink_to(folder / "bench")

    def answer(name: str) -> str:
        asked = specification(suite=name)
        code, said = served.refused(served.evaluator.PlanRun, ev.PlanRunRequest(specification=asked))
        assert code == "INVALID_ARGUMENT"
        assert len(said) < 400
        assert len(said.splitlines()) == 1
        told = said.partition("' here: ")[2] if str(tmp_path) in name else said  # what it was given may be said again, shortened
        assert told
        assert str(tmp_path) not in told
        start = ev.StartRunRequest(specification=asked, traffic=ev.TrafficSettings(unpriced_ok=True))
        assert served.refused(served.evaluator.StartRun, start) == (code, said)
        return said.partition("here: ")[2]

    there, absent = str(tmp_path / "outside"), str(tmp_path / "nothing")
    answers = {name: answer(name) for name in [*PATHS, there, absent, str(folder / "bench"), "nothing", "team/nothing"]}
    assert len(set(answers.values())) == 1, answers
    assert served.evaluator.ListRuns(ev.ListRunsRequest()).runs == []
    assert served.evaluator.PlanRun(ev.PlanRunRequest(specification=specification(suite="again"))).tasks[0].instances == 4


def test_a_run_of_an_address_is_looked_at_and_rescored_by_a_service_but_not_continued(
    genlevel, credentials, stub_upstream, choice_suite, trap
) -> None:
    """One that a command began in the same folder: nothing is called for looking, and its address is not called for others."""
    stub, suite = stub_upstream(answer="A", latency=0.0), choice_suite(6)
    command = ("eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(suite), "--json")
    run = json.loads(genlevel.run(*command).stdout)["run"]
    other = json.loads(genlevel.run(*command[:4], trap.base_url, *command[5:], "--api-key-env", "NAMED_KEY", **SECRETS).stdout)["run"]
    asked, arrived = len(stub.calls()), len(trap.arrived)
    assert arrived > 0
    ports = free_ports(6)
    document = {
        name: {"grpc": f"127.0.0.1:{ports[2 * n]}", "http": f"127.0.0.1:{ports[2 * n + 1]}"}
        for n, name in enumerate(("gateway", "evaluator", "scorer"))
    }
    document["storage"] = {"url": ""}  # that of the command, whatever else services have
    (genlevel.folder / "service.yaml").write_text(yaml.safe_dump(document))
    process = genlevel.start("--config", "service.yaml", "up", **SECRETS)
    try:
        wait_until_ready(process, ports[3])
        served = Served(credentials, ports[::2])
        assert served.evaluator.RescoreRun(ev.RescoreRunRequest(run_id=run), timeout=60).run.counts.answered == 6
        answers = served.evaluator.ListAnswers(ev.ListAnswersRequest(run_id=run, instance="q00000"), timeout=60)
        (answer,) = list(answers)
        assert "Question 0" in answer.prompt
        assert answer.label_json
        for name in (run, other):
            code, said = served.refused(served.evaluator.StartRun, ev.StartRunRequest(run_id=name, retry_failed=True))
            assert (code, len(said.splitlines())) == ("INVALID_ARGUMENT", 1)
            assert "a service takes no base_url" in said
            assert SECRETS["NAMED_KEY"] not in said
        assert (len(stub.calls()), len(trap.arrived)) == (asked, arrived)
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def test_a_command_sends_the_name_of_a_suite_that_it_is_given_by_path(genlevel, served, tmp_path, choice_suite) -> None:
    document = yaml.safe_load((genlevel.folder / "genlevel.yaml").read_text())
    document["addresses"] = {name: document[name]["grpc"] for name in ("gateway", "evaluator", "scorer")}
    (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump(document))
    bench = tmp_path / "suites" / "bench"
    plans = []
    for suite in ("bench", str(bench), os.path.relpath(bench, genlevel.folder), f"{bench}/"):
        done = genlevel.run("eval", "--model", "stubbed", "--suite", suite, "--dry-run", "--json")
        assert done.returncode == 0, done.stderr
        plans.append(json.loads(done.stdout)["run"])
    assert len(set(plans)) == 1
    one = genlevel.run("eval", "--model", "stubbed", "--suite", str(bench / "nlp"), "--dry-run", "--json")
    assert json.loads(one.stdout)["instances"] == 4
    for suite in (str(tmp_path / "outside"), "/nothing/here", "../outside", "./bench"):
        done = genlevel.run("eval", "--model", "stubbed", "--suite", suite, "--dry-run")
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert "takes no path; put the suite below a folder that suites.folders names" in line
    (genlevel.folder / "bench").mkdir()
    done = genlevel.run("eval", "--model", "stubbed", "--suite", "bench", "--dry-run")
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert "./bench is taken, which lies here" in line
    assert "if its own suite of this name is meant, give the command in another folder" in line
    done = genlevel.run("eval", "--model", "stubbed", "--suite", "nothing", "--dry-run")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "no suite 'nothing' here" in done.stderr
    listed = json.loads(genlevel.run("suites", "--json").stdout)
    assert [entry["suite"] for entry in listed] == ["bench", "starter"]


def test_a_name_that_two_folders_have_is_said_with_both(genlevel, choice_suite, tmp_path) -> None:
    choice_suite(2, name="one/bench")
    choice_suite(2, name="two/bench")
    choice_suite(2, name="two/starter")
    (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump({"suites": {"folders": [str(tmp_path / "one"), str(tmp_path / "two")]}}))
    done = genlevel.run("eval", "--model", "embedded/generalist", "--suite", "bench", "--dry-run")
    assert done.returncode == 2
    assert "the suite 'bench' is among suites.folders[0] and in suites.folders[1]: rename one of them" in done.stderr


@pytest.mark.parametrize("service", ["up", "evaluator"])
def test_a_service_does_not_start_without_its_folders_of_suites(genlevel, service) -> None:
    document = {"suites": {"folders": ["/nothing/here"]}, "addresses": {"gateway": "127.0.0.1:1", "scorer": "127.0.0.1:1"}}
    (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump(document))
    done = genlevel.run(service)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "suites.folders" in line
    assert "/nothing/here is no folder that can be read" in line


@contextlib.contextmanager
def taken_port(port: int) -> Iterator[None]:
    """Holds a port, as soon as no other test has it any more."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            server = socket.create_server(("127.0.0.1", port))
            break
        except OSError:
            assert time.monotonic() < deadline, f"port {port} stays taken"
            time.sleep(0.1)
    with server:
        yield


def test_up_takes_another_port_for_metrics_and_logs_runs_and_failures(genlevel, credentials, stub_upstream, choice_suite, tmp_path) -> None:
    stubs = {"good": stub_upstream(answer="A"), "bad": stub_upstream(status=400)}
    choice_suite(4, name="suites/bench")
    ports = free_ports(3)
    names = ("gateway", "evaluator", "scorer")
    document = {name: {"grpc": f"127.0.0.1:{port}"} for name, port in zip(names, ports, strict=True)}
    document["suites"] = {"folders": [str(tmp_path / "suites")]}
    document["accounts"] = {name: {"provider": "compatible", "base_url": stub.base_url} for name, stub in stubs.items()}
    document["routes"] = {name: {"account": name, "model": name} for name in stubs}
    (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump(document))
    with taken_port(7412):
        process = genlevel.start("up")
        try:
            while "/readyz" not in (line := process.stderr.readline()):
                assert line, process.communicate()
            port = int(line.rpartition(":")[2])
            assert port != 7412
            wait_until_ready(process, port)
            served = Served(credentials, ports)
            runs = []
            for model in stubs:
                start = ev.StartRunRequest(specification=specification(model=model), traffic=ev.TrafficSettings(unpriced_ok=True))
                runs.append(ended(served, start).run_id)
        finally:
            process.terminate()
            _, stderr = process.communicate(timeout=PATIENCE_S)
    said = [line.partition(": ")[2] for line in stderr.splitlines()]
    assert f"run {runs[0]} goes on: good on bench, 0 of 4 instances done" in said
    assert f"run {runs[0]} ended: finished; good on bench: total 4, answered 4" in said
    (failed,) = [line for line in said if line.startswith("a call failed as CALLER_FAULT")]
    assert "(400 stub)" in failed
    (bad,) = [line for line in said if line.startswith(f"run {runs[1]} ended: failed (no call succeeded: 4 of 4")]
    assert bad.endswith("bad on bench: total 4, failed 4")


def test_a_run_of_an_address_beside_configured_services_is_local_and_found(genlevel, served, stub_upstream, tmp_path, choice_suite) -> None:
    document = yaml.safe_load((genlevel.folder / "genlevel.yaml").read_text())
    document["addresses"] = {name: document[name]["grpc"] for name in ("gateway", "evaluator", "scorer")}
    (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump(document))
    there = json.loads(genlevel.run("eval", "--model", "stubbed", "--suite", "bench", "--unpriced-ok", "--json", "--out", "mine").stdout)[
        "run"
    ]
    stub = stub_upstream(answer="Answer: A")
    command = ("eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(tmp_path / "outside"), "--out", "mine", "--json")
    done = genlevel.run(*command)
    assert done.returncode == 0, done.stderr
    here = json.loads(done.stdout)["run"]
    evaluator = document["addresses"]["evaluator"]
    said = f"note: --base-url is asked by this command itself, not by the evaluator at {evaluator}: the run is local and lies in mine"
    assert said in done.stderr.splitlines()
    listed = json.loads(genlevel.run("runs", "--out", "mine", "--json").stdout)
    assert [(run["run"], run["local"]) for run in listed] == [(here, True), (there, False)]
    shown = [line.split() for line in genlevel.run("runs", "--out", "mine").stdout.splitlines()]
    assert [line[-1] for line in shown if line and line[0] in (here, there)] == ["local", "service"]
    for run in (here, there):
        result = json.loads(genlevel.run("show", run, "--out", "mine", "--json").stdout)
        assert (result["run"], result["instances"]["answered"]) == (run, 4)
        (answer,) = json.loads(genlevel.run("show", run, "--out", "mine", "--instance", "q00000", "--json").stdout)
        assert answer["prompt"]
        assert genlevel.run("rescore", run, "--out", "mine").returncode == 0
        assert genlevel.run("certify", run, "--out", "mine", "--json").returncode == 0
        assert genlevel.run("resume", run, "--out", "mine").returncode == 0
    missed = genlevel.run("show", "nosuchrun", "--out", "mine")
    assert (missed.returncode, len(missed.stderr.splitlines())) == (2, 1)
    document["addresses"]["evaluator"] = "127.0.0.1:9"
    (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump(document))
    away = json.loads(genlevel.run("show", here, "--out", "mine", "--json").stdout)
    assert away["run"] == here
    lost = genlevel.run("show", there, "--out", "mine")
    assert "cannot be reached" in lost.stderr
