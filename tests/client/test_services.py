"""The client over services that ask for certificates: the same as in this process, and what it says of those that refuse or are away."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genlevel import AsyncClient, Client
from genlevel.errors import CallerUnknown, RoleMissing, Unavailable, UsageError
from tests.client.conftest import configuration
from tests.client.deployed import Deployed
from tests.client.stand_in import StandIn
from tests.client.threads import in_thread

pytestmark = pytest.mark.xdist_group("client_services")
ASKED: dict[str, Any] = {"tasks": "General-Knowledge,Review-Sentiment", "limit": 4, "seed": 3}
TIMES = {"created", "updated", "last_answer", "upstream_s", "scored", "begun", "ended", "sha256"}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, upstream: StandIn) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("deployed")
    found = Deployed(folder, configuration(upstream), {"program": ["run"], "reader": ["read"], "owner": ["admin"]})
    found.start()
    yield found
    found.stop()


def plain(value: object) -> object:
    """A value without what differs by the clock, or by which answer came first."""
    if dataclasses.is_dataclass(value):
        return plain({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items() if name not in TIMES}
    if isinstance(value, list | tuple):
        return sorted((plain(one) for one in value), key=str)
    return value


def told(client: Client) -> dict[str, object]:
    """All that a program learns of a run from its plan to its end, and of another that is paused, changed and goes on."""
    plan = client.plan("my-model", "starter", **ASKED)
    run = client.start("my-model", "starter", **ASKED, budget_usd="0.50")
    progress = list(run.watch())
    other = client.start("my-other-model", "starter", **ASKED)
    other.wait()
    slow = client.start("my-model", "starter", tasks="General-Knowledge", limit=3, seed=11, rpm=1)
    slow.pause()
    for progressed in slow.watch():
        if progressed.run.status == "paused":
            break
    paused = slow.state()
    slow.update(rpm=1000, weight=2)
    slow.go_on()
    return {
        "plan": plan,
        "watched": progress[-1].run,
        "state": run.state(),
        "verdict": run.verdict(),
        "certificate": run.certificate(alpha=0.1, against="specialists"),
        "answers": list(run.answers(questions=True)),
        "count": len(run.answers(outcomes=["answered"])),
        "table": run.answers().to_arrow().schema,
        "answer": run.answer("nlp/General-Knowledge", "gk05"),
        "comparison": client.compare(run.id, other.id),
        "described": run.describe(name="first", tags=["weekly"]).tags,
        "by name": client.compare("first", other.id).run_a == run.id,
        "found": client.run("first").id == run.id,
        "listed": {one.id for one in client.runs(model="my-*")},
        "models": client.models("my-*"),
        "monitors": client.monitors(),
        "workers": [(one.service, one.scores, one.asks) for one in client.workers().workers],
        "details": run.details(),
        "board": client.leaderboard(benchmark="starter"),
        "wrong": [answer.instance for answer in run.answers(right=False, order="worst")],
        "found by text": run.answers(text="gk05").count(),
        "paused": paused.status,
        "ended": slow.wait().status,
    }


@pytest.mark.slow
def test_the_same_run_is_the_same_in_this_process_and_over_mutual_tls(deployed: Deployed, workplace: Path) -> None:
    with Client() as here, Client(**deployed.shown("program")) as there:
        in_this_process, over_mutual_tls = told(here), told(there)
    assert plain(in_this_process) == plain(over_mutual_tls)
    assert in_this_process["state"].status == "finished"
    assert in_this_process["by name"]
    assert len(in_this_process["answers"]) == 8


def test_a_caller_without_the_role_is_told_so(deployed: Deployed) -> None:
    with Client(**deployed.shown("reader")) as client:
        assert isinstance(client.runs(), list)
        with pytest.raises(RoleMissing, match=r"the evaluator at .*run"):
            client.start("my-model", "starter", **ASKED, repeats=2)


@pytest.mark.parametrize(("name", "said"), [("expired", "the token of expired has expired"), ("unknown", "this token is not known")])
def test_a_token_that_is_not_taken_is_told_and_shown_nowhere(deployed: Deployed, name: str, said: str) -> None:
    token = deployed.tokens[name]
    with Client(**deployed.shown("program"), token=token) as client:
        with pytest.raises(CallerUnknown, match=f"the evaluator at .*: {said}") as raised:
            client.runs()
        assert token not in "".join(traceback.format_exception(raised.value)) + repr(client)


def test_a_token_goes_before_a_certificate(deployed: Deployed) -> None:
    with Client(**deployed.shown("program"), token=deployed.tokens["reader"]) as client:
        assert isinstance(client.runs(), list)
        with pytest.raises(RoleMissing, match="reader needs the role run"):
            client.start("my-model", "starter", **ASKED, repeats=2)


def test_a_suite_by_its_path_is_refused_by_a_service(deployed: Deployed, tmp_path: Path) -> None:
    with Client(**deployed.shown("program")) as client, pytest.raises(UsageError) as raised:
        client.start("my-model", tmp_path)
    assert "\n" not in str(raised.value)


def test_a_caller_without_a_certificate_or_with_strangers_is_told_so(deployed: Deployed, tmp_path: Path) -> None:
    shown = deployed.shown("program")
    stranger = Deployed(tmp_path, {}, {"program": ["run"]})  # of another authority; it is never started
    for arguments in (
        {**shown, "certificate": None, "key": None},
        {**shown, "ca": None, "certificate": None, "key": None},
        {**shown, "ca": stranger.shown("program")["ca"]},
    ):
        with Client(**arguments) as client, pytest.raises(Unavailable) as raised:
            client.runs()
        assert "\n" not in str(raised.value)
        assert "the evaluator at" in str(raised.value)


def test_a_wrong_port_is_told_at_once(deployed: Deployed) -> None:
    arguments = {**deployed.shown("program"), "address": "127.0.0.1:9"}
    with Client(**arguments) as client, pytest.raises(Unavailable, match=r"the evaluator at 127\.0\.0\.1:9 cannot be reached"):
        client.runs()


def ended(client: Client, run_id: str) -> None:
    """Stops a run: its pace is its account's, which others have too."""
    run = client.run(run_id)
    run.stop(now=True)
    assert run.wait().status == "interrupted"


def test_closing_while_a_run_there_is_watched_ends_the_watching(deployed: Deployed) -> None:
    client = Client(**deployed.shown("program"))
    run = client.start("my-model", "starter", tasks="General-Knowledge", limit=3, seed=21, rpm=1)
    thread, raised = in_thread(run.wait)
    while not client._portal._waiting:
        time.sleep(0.01)
    client.close()
    thread.join(30)
    assert [type(error) for error in raised] == [UsageError]
    with Client(**deployed.shown("program")) as another:
        assert another.run(run.id).status() == "running", "it is the service's"
        ended(another, run.id)


def test_what_is_left_half_read_over_the_network_is_closed_with_the_client(deployed: Deployed, caplog: pytest.LogCaptureFixture) -> None:
    with Client(**deployed.shown("program")) as client:
        run = client.start("my-model", "starter", tasks="General-Knowledge", limit=3, seed=25, rpm=1)
        watching = run.watch()
        next(watching)
        ended(client, run.id)
        answers = iter(run.answers(questions=True))
        next(answers, None)
    with pytest.raises(UsageError, match="closed"):
        next(watching)
    assert caplog.text == ""


async def test_an_asynchronous_client_that_is_closed_meanwhile_says_so(deployed: Deployed) -> None:
    client = AsyncClient(**deployed.shown("program"))
    run = await client.start("my-model", "starter", tasks="General-Knowledge", limit=3, seed=22, rpm=1)
    waiting = asyncio.create_task(run.wait())
    await asyncio.sleep(0.2)
    await client.close()
    with pytest.raises(UsageError, match="closed"):
        await waiting
    with Client(**deployed.shown("program")) as another:
        ended(another, run.id)


@pytest.mark.soak
def test_a_run_is_watched_through_a_kill_of_its_service(deployed: Deployed, upstream: StandIn) -> None:
    upstream.delay_s = 0.3
    try:
        with Client(**deployed.shown("program")) as client:
            run = client.start("my-model", "starter", tasks="General-Knowledge", limit=6, seed=23, concurrency=1)
            seen = []
            for progress in run.watch():
                seen.append(progress.run.counts.done)
                if len(seen) == 2:
                    deployed.stop(signal.SIGKILL)
                    deployed.start()
            assert seen[-1] == 6
            assert run.verdict().counts.answered == 6
    finally:
        upstream.delay_s = 0.0
