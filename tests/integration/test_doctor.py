"""``genlevel doctor`` names what is open to whom, what answers, and what is missing; it changes nothing."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from genlevel.cli import diagnosis
from genlevel.runtime import remote
from genlevel.runtime.errors import NotFoundError, StorageError
from genlevel.runtime.queue import open_queue
from genlevel.runtime.rpc import RpcServer
from genlevel.runtime.settings import Settings
from genlevel.runtime.settings_file import parse_settings
from genlevel.v1 import scorer_pb2 as sc
from tests.nats_server import NatsServer


@pytest.fixture
def findings(genlevel: Any) -> Any:
    """What doctor finds under some settings, by what it is about, and its exit code."""

    def found(settings: str = "", **environment: str) -> tuple[dict[str, tuple[str, str]], int]:
        if settings:
            (genlevel.folder / "genlevel.yaml").write_text(settings)
        done = genlevel.run("doctor", "--json", **environment)
        assert done.stderr == ""
        return {each["what"]: (each["state"], each["said"]) for each in json.loads(done.stdout)}, done.returncode

    return found


def test_without_settings_all_is_well_and_nothing_is_left_behind(genlevel: Any, findings: Any) -> None:
    before = sorted(genlevel.folder.iterdir())
    found, code = findings()
    assert code == 0
    assert found["settings"] == ("ok", "no file of settings; the defaults hold")
    assert found["gateway.grpc"] == ("ok", "127.0.0.1:7401, open to this machine alone, which is not asked who calls")
    assert {state for state, _ in found.values()} <= {"ok", "note"}, "a note: a service of another process may be there"
    assert sorted(genlevel.folder.iterdir()) == before


def test_it_names_variables_that_hold_and_one_that_was_meant_as_a_setting_and_shows_no_password(findings: Any) -> None:
    address = "postgresql+psycopg://genlevel:hunter22@127.0.0.1:1/genlevel"
    found, code = findings(
        "log: {level: INFO}\n", GENLEVEL_STORAGE__URL=address, GENLEVEL_LOGS="x", GENLEVEL_GATEWAY_PORT="tcp://10.0.0.7:1"
    )
    assert (code, found["storage.url"][0]) == (1, "problem")
    assert found["settings"] == ("ok", "genlevel.yaml is read, but for GENLEVEL_STORAGE__URL of the environment")
    assert found["GENLEVEL_LOGS"] == ("note", "is no setting, and is not read; is GENLEVEL_LOG meant?")
    assert "GENLEVEL_GATEWAY_PORT" not in found
    assert "hunter22" not in json.dumps(found)


def test_it_says_that_auth_is_none_and_what_may_not_be_served(findings: Any) -> None:
    found, code = findings("auth: none\ngateway: {grpc: '0.0.0.0:7401', http: '127.0.0.1:7411'}\n")
    assert (code, found["gateway.grpc"][0]) == (0, "warning")
    assert found["gateway.grpc"][1].endswith("auth is none: whoever reaches 0.0.0.0:7401 may do everything")
    found, code = findings("gateway: {grpc: '0.0.0.0:7401', http: '127.0.0.1:7411'}\n")
    assert (code, found["gateway.grpc"][0], found["gateway.http"][0]) == (1, "problem", "ok")
    assert "can be reached from other machines" in found["gateway.grpc"][1]


def test_it_says_that_a_certificate_opens_no_page_and_what_open_metrics_are(findings: Any) -> None:
    tls = "tls: {certificate: c.pem, key: k.pem, client_ca: ca.pem}"
    services = "".join(f"{name}: {{{tls}}}\n" for name in ("gateway", "evaluator", "scorer"))
    found, _ = findings(f"auth: {{certificates: {{alice: [run]}}, metrics: open}}\n{services}")
    assert found["scorer.grpc"][1].endswith("open to callers who show a certificate")
    assert found["scorer.http"][1].endswith("open to nobody; /metrics to everybody who reaches it")


def test_it_looks_at_tokens_routes_suites_and_storage_without_showing_a_secret(genlevel: Any, findings: Any) -> None:
    token = genlevel.run("token", "ci", "--role", "read", "--expires", "2099-01-01", "--file", "tokens.yaml")
    assert token.returncode == 0, token.stderr
    rows = genlevel.folder / "tokens.yaml"
    rows.write_text(rows.read_text().replace("2099", "2020"))
    (genlevel.folder / "text").write_text("no database")
    found, code = findings(
        "auth: {tokens: tokens.yaml}\n"
        "accounts: {a: {provider: openai}, b: {provider: compatible, base_url: 'https://127.0.0.1:1/v1', api_key_env: PASTED}}\n"
        "routes: {r: {account: a, model: m}, p: {account: b, model: m}}\n"
        "suites: {folders: [nowhere]}\n"
        f"storage: {{url: 'sqlite:///{genlevel.folder / 'text'}'}}\n",
        PASTED="a-secret-key-of-somebody",
        OPENAI_API_KEY="",
    )
    assert code == 1
    assert found["routes.r"] == ("problem", "no key for openai; set the environment variable OPENAI_API_KEY")
    said = "nothing answers at https://127.0.0.1:1/v1 (connection refused); start the server, or correct the account's base_url"
    assert found["routes.p"] == ("problem", said)
    assert found["suites.folders"][0] == found["storage.url"][0] == "problem"
    assert found["auth.tokens"] == ("note", "the token of ci has expired (2020-01-01)")
    everything = json.dumps(found)
    assert "a-secret-key" not in everything
    assert token.stdout.strip() not in everything


DESTINATIONS = """\
destinations:
  signed: {kind: webhook, url: "https://hooks.example/alarms", secret_env: HOOK_SECRET}
  unsigned: {kind: webhook, url: "https://hooks.example/alarms"}
  short: {kind: webhook, url: "https://hooks.example/alarms", secret_env: SHORT_SECRET}
  chat: {kind: slack, url_env: CHAT_ADDRESS}
  plain: {kind: teams, url_env: PLAIN_ADDRESS}
  pager: {kind: pagerduty, secret_file: /nowhere/key}
"""


def test_it_says_what_destinations_of_alarms_lack_without_showing_a_secret(genlevel: Any, findings: Any) -> None:
    held = {
        "HOOK_SECRET": "a-secret-of-thirty-two-characters",
        "SHORT_SECRET": "too-short-secret",
        "PLAIN_ADDRESS": "http://flow.example/path",
    }
    found, code = findings(DESTINATIONS, **held)
    assert code == 1
    assert {name.removeprefix("destinations."): said for name, said in found.items() if name.startswith("destinations.")} == {
        "signed": ("ok", "webhook at hooks.example: what it needs is there; nothing was sent"),
        "unsigned": (
            "warning",
            "webhook at hooks.example: what it needs is there; nothing was sent; nothing is signed, so anybody could send it alarms: set "
            "secret_env",
        ),
        "short": ("problem", "its secret has fewer than 24 bytes; make one with `openssl rand -base64 32`"),
        "chat": ("problem", "no address; put it into the environment variable CHAT_ADDRESS of the evaluator"),
        "plain": ("problem", "its address must begin with https://, as a secret is sent with each message"),
        "pager": ("problem", "cannot read its routing key from /nowhere/key (No such file or directory)"),
    }


MONITORS = """\
accounts: {here: {provider: compatible, base_url: "http://127.0.0.1:1/v1"}}
routes: {candidate: {account: here, model: some-model}}
monitors:
  nightly: {model: candidate, suite: starter, every: 0 2 * * *, time_zone: Europe/Berlin, paused: true}
  never: {model: candidate, suite: starter, every: 0 2 31 2 x}
  lost: {model: candidate, suite: starter, every: 6h, time_zone: Mars/Olympus}
  once: {model: candidate, suite: starter, every: 6h, panel: true, baseline_repeats: 1}
  nobody: {model: nobody, suite: starter, every: 6h}
  nothing: {model: candidate, suite: nothing, every: 6h}
"""


def test_it_says_which_monitors_cannot_be_watched_as_they_are_written(findings: Any) -> None:
    found, code = findings(MONITORS)
    assert code == 1
    said = {name.removeprefix("monitors."): finding for name, finding in found.items() if name.startswith("monitors.")}
    assert said["nightly"] == (
        "ok",
        "candidate on starter, every 0 2 * * *, paused; `genlevel monitor add nightly --dry-run` says what it costs",
    )
    assert {name: state for name, (state, _) in said.items() if name != "nightly"} == dict.fromkeys(
        ("never", "lost", "once", "nobody", "nothing"), "problem"
    )
    assert said["never"][1].startswith("'0 2 31 2 x' is no cron expression")
    assert said["lost"][1] == "no time zone is named 'Mars/Olympus'; take an IANA name such as Europe/Berlin"
    assert said["nobody"][1].startswith("no route 'nobody': use a name from genlevel.yaml (candidate), or ")
    assert said["nothing"][1] == "no suite 'nothing' comes with genlevel or lies below suites.folders; `genlevel suites` lists them"
    assert said["once"][1] == "a panel needs a baseline of at least 5 repeats: its error does not average out"


@pytest.mark.parametrize(
    ("error", "state", "said"),
    [
        (NotFoundError("no run '-'"), "ok", "the scorer at {address} is ready"),
        (StorageError("the disk is full"), "problem", "the disk is full"),
    ],
    ids=["not there", "it cannot look"],
)
@pytest.mark.own_auth("it serves a scorer of its own")
async def test_a_service_that_says_it_is_ready_is_asked_for_something(findings: Any, error: Exception, state: str, said: str) -> None:
    service = sc.DESCRIPTOR.services_by_name["ScorerService"]

    class Core:
        async def fails(self, _: Any) -> Any:
            raise error

    server = RpcServer("127.0.0.1:0", grace_s=0.0)
    remote.serve(server, service, Core(), instead={method.name: Core().fails for method in service.methods})
    async with server:
        address = f"127.0.0.1:{server.port}"
        found, _ = await asyncio.to_thread(findings, f"addresses: {{scorer: '{address}'}}\n")
    assert found["addresses.scorer"] == (state, said.format(address=address))


def test_it_asks_the_servers_of_ones_own_and_knows_wrong_providers(findings: Any, stub_upstream: Any) -> None:
    own = f"{{provider: compatible, base_url: '{stub_upstream().base_url}'}}"
    found, code = findings(f"accounts: {{a: {own}}}\nroutes: {{r: {{account: a, model: m}}}}\n")
    assert (code, found["routes.r"]) == (0, ("ok", "compatible/m: its server answers; the model was not called"))
    found, code = findings("accounts: {a: {provider: opnai}}\n")
    assert (code, found["routes"][0]) == (1, "problem")
    assert "genlevel.yaml:1: accounts.a.provider: 'opnai' is not a provider; did you mean 'openai'?" in found["routes"][1]


@pytest.mark.own_auth("doctor is to show a token that the test has made")
def test_it_asks_the_configured_services_with_its_own_token(genlevel: Any, findings: Any) -> None:
    token = genlevel.run("token", "me", "--role", "read", "--file", "tokens.yaml").stdout.strip()
    free = "{grpc: '127.0.0.1:0', http: '127.0.0.1:0'}"
    (genlevel.folder / "served.yaml").write_text(f"auth: {{tokens: tokens.yaml}}\ngateway: {free}\nevaluator: {free}\nscorer: {free}\n")
    service = genlevel.start("--config", "served.yaml", "up")
    try:
        addresses: dict[str, str] = {}
        while len(addresses) < 3:
            line = service.stderr.readline()
            assert line, "up ended"
            if found := re.match(r"(\w+): gRPC on (\S+)", line):
                addresses[found[1]] = found[2]
        settings = "addresses: {" + ", ".join(f"{name}: '{address}'" for name, address in addresses.items()) + "}\n"
        found, code = findings(settings, GENLEVEL_TOKEN=token)
        assert (code, found["addresses.scorer"]) == (0, ("ok", f"the scorer at {addresses['scorer']} is ready"))
        found, code = findings(settings)
        assert (code, {found[f"addresses.{name}"][0] for name in addresses}) == (1, {"problem"}), "it is ready, and takes no call"
        assert "a token is needed; set addresses.token_file or" in found["addresses.scorer"][1]
        only_calls = genlevel.run("token", "caller", "--role", "call", "--file", "tokens.yaml").stdout.strip()
        time.sleep(1.1)
        found, code = findings(settings, GENLEVEL_TOKEN=only_calls)
        assert (code, found["addresses.gateway"][0]) == (0, "note")
        assert found["addresses.gateway"][1].endswith(": caller needs the role read for ListModels, and has call")
    finally:
        service.kill()
        service.communicate(timeout=20)
    found, code = findings(settings, GENLEVEL_TOKEN=token)
    assert (code, found["addresses.scorer"][0]) == (1, "problem")


def test_a_database_of_a_newer_version_is_a_problem(genlevel: Any, findings: Any) -> None:
    folder: Path = genlevel.folder / "genlevel-data"
    folder.mkdir()
    with sqlite3.connect(folder / "genlevel.db") as connection:
        connection.execute("create table evaluator_alembic_version (version_num text)")
        connection.execute("insert into evaluator_alembic_version values ('9999')")
    connection.close()
    found, code = findings()
    assert (code, found["storage.url"][1]) == (1, "the database was written by a newer genlevel (schema of evaluator 9999)")


def test_it_says_that_a_queue_is_away_without_a_secret(findings: Any) -> None:
    shared = "storage: {url: 'postgresql+psycopg://127.0.0.1:1/genlevel'}\n"
    found, code = findings(f"{shared}queue: nats://me:hunter22@127.0.0.1:1\n")
    assert (code, found["queue"][0]) == (1, "problem")
    assert found["queue"][1].startswith("the queue at nats://127.0.0.1:1 is away since ")
    assert found["queue"][1].endswith("nothing listens there (connection refused); start it, or correct the address")
    assert "hunter22" not in json.dumps(found)
    assert found["storage.blobs"][0] == "note"
    assert "of this machine alone" in found["storage.blobs"][1]


@pytest.mark.full
async def test_it_looks_at_a_queue_and_what_was_given_up_there(tmp_path: Path) -> None:
    settings = parse_settings(f"storage: {{url: 'postgresql+psycopg://x/y'}}\nqueue: {(server := NatsServer(tmp_path).start()).url}\n")
    try:
        assert await queue_findings(settings) == [("ok", f"{server.url} answers; messages that wait: 0, that are worked on: 0")]
        queue = open_queue(settings.queue, name="test")
        for number in range(3):
            await queue.publish("ask.run", b"", key=str(number))
        first, _ = await queue.pull("ask.run", most=2, wait_s=60)
        await first.dead("no")
        await queue.close()
        told = await queue_findings(settings)
        assert told[0] == ("ok", f"{server.url} answers; messages that wait: 1, that are worked on: 1")
        assert told[1] == (
            "warning",
            "dead letters (messages that were given up): 1; `genlevel workers --dead` shows why, and what can be done",
        )
    finally:
        server.kill()


async def queue_findings(settings: Settings) -> list[tuple[str, str]]:
    """What doctor says of the queue."""
    return [(finding.state.value, finding.said) async for finding in diagnosis._queue(settings)]
