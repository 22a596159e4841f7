"""The pages as processes: in `up`, alone in front of services, and over a folder in which a command works."""

from __future__ import annotations

import json
import re
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from genlevel.runtime.callers import Role
from tests.integration.conftest import Command, Program
from tests.integration.serving import PATIENCE_S, SERVICES
from tests.ports import free_ports
from tests.token_file import TokenFile

pytestmark = pytest.mark.own_auth("each of these tests says itself who may call")


def get(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    """The status and the text of a page, wherever it leads."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, headers=dict(headers or {})), timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def address_in(process: Program) -> str:
    """Where the pages are, as a process says it."""
    assert process.stderr is not None
    said = []
    while line := process.stderr.readline():
        said.append(line)
        if found := re.search(r"pages: (http://\S+?)/(\S*)", line):
            return found[1]
    raise AssertionError(said)


@contextmanager
def started(genlevel: Command, *arguments: str, **environment: str) -> Iterator[Program]:
    process = genlevel.start(*arguments, **environment)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def until(url: str, wanted: int) -> str:
    """Waits until a page has a status; its text."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := get(url))[0] != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found[1]


def write(genlevel: Command, name: str, **sections: Any) -> None:
    (genlevel.folder / name).write_text(yaml.safe_dump(sections))


@pytest.mark.slow
def test_each_visitor_s_token_goes_on_from_pages_that_stand_alone(genlevel: Command) -> None:
    ports = free_ports(6)
    listening = {name: {"grpc": f"127.0.0.1:{ports.pop()}", "http": f"127.0.0.1:{ports.pop()}"} for name in SERVICES}
    file = TokenFile(genlevel.folder / "tokens.yaml")
    alice = {"authorization": f"Bearer {file.add('alice', Role.READ)}"}
    auth, addresses = {"tokens": "tokens.yaml"}, {name: each["grpc"] for name, each in listening.items()}
    write(genlevel, "services.yaml", **listening, auth=auth, addresses=addresses, web={"http": "127.0.0.1:0"})
    write(genlevel, "web.yaml", auth=auth, addresses=addresses, web={"http": "127.0.0.1:0"})
    with started(genlevel, "--config", "services.yaml", "up") as up, started(genlevel, "--config", "web.yaml", "web") as web:
        ours, theirs = address_in(web), address_in(up)
        until(f"{ours}/readyz", 200)
        for address in (ours, theirs):
            assert get(f"{address}/runs.json", alice) == (200, '{"runs": [], "found": 0, "next": null}')
            assert get(f"{address}/runs.json")[0] == 401
            assert 'name="token"' in get(f"{address}/", {"accept": "text/html"})[1]
        assert "genlevel_ready 1.0" in get(f"{ours}/metrics", alice)[1]
        up.send_signal(signal.SIGTERM)
        assert up.wait(60) == 0
        assert "evaluator" in until(f"{ours}/readyz", 503)
        status, text = get(f"{ours}/runs.json", alice)
        assert (status, "evaluator" in json.loads(text)["error"]) == (503, True)
        assert get(f"{ours}/healthz")[0] == 200
        web.send_signal(signal.SIGTERM)
        assert web.wait(60) == 0


def test_a_folder_is_shown_while_a_command_works_in_it(genlevel: Command, stub_upstream: Any, choice_suite: Any) -> None:
    suite = str(choice_suite(40))
    asking = ("eval", "--model", "m", "--base-url", stub_upstream(latency=0.3).base_url, "--suite", suite, "--concurrency", "2")
    with started(genlevel, *asking) as evaluating:
        assert evaluating.stderr is not None
        found = re.search(r"run (\w+):", evaluating.stderr.readline())
        assert found
        run = found[1]
        with started(genlevel, "view", run, "--no-browser", "--port", "0") as viewing:
            address = address_in(viewing)
            seen = json.loads(get(f"{address}/runs.json")[1])["runs"][0]
            assert (seen["run"], seen["status"]) == (run, "running")
            evaluating.send_signal(signal.SIGINT)
            assert evaluating.wait(60) == 130
            assert json.loads(get(f"{address}/runs.json")[1])["runs"][0]["status"] == "interrupted"
            viewing.send_signal(signal.SIGINT)
            assert viewing.wait(60) == 0


def test_what_cannot_be_shown_is_one_line(genlevel: Command) -> None:
    def said(*arguments: str) -> str:
        done = genlevel.run(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr

    assert "no runs in genlevel-data" in said("view", "nothing", "--no-browser")
    assert "the pages need addresses.evaluator" in said("web")
    for section, line in (
        ({"url": "pages.example"}, "must be http:// or https://, a host and no path"),
        ({"http": "7400"}, "must be host:port"),
        ({"tls": {"key": "a"}}, "needs both certificate and key"),
        ("off", "must be a section with http, or the word none"),
    ):
        write(genlevel, "wrong.yaml", web=section)
        assert line in said("--config", "wrong.yaml", "web")
    addresses = dict.fromkeys(SERVICES, "127.0.0.1:1")
    write(genlevel, "none.yaml", web="none", addresses=addresses)
    assert "it is none, so there is nothing to serve" in said("--config", "none.yaml", "web")
    tls = {"certificate": "a", "key": "a", "client_ca": "a"}
    write(genlevel, "certificates.yaml", web={"tls": tls}, auth={"certificates": {"a": ["read"]}}, addresses=addresses)
    assert "cannot do so with certificates; set auth.tokens" in said("--config", "certificates.yaml", "web")
    write(genlevel, "open.yaml", web={"http": "0.0.0.0:0"}, addresses=addresses)
    assert "web.http: 0.0.0.0:0 can be reached from other machines" in said("--config", "open.yaml", "web")
