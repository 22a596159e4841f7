"""The client in hard places: closed, interrupted, forked, shared, left half read, given what makes no sense."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from genlevel import AsyncClient, Client
from genlevel.client import async_answers
from genlevel.client.portal import Portal
from genlevel.client.reaching import addresses_of
from genlevel.client.tables import AnswerRows
from genlevel.errors import NotFoundError, RunTaken, UsageError
from genlevel.runtime import logs
from tests.client.stand_in import StandIn
from tests.client.threads import in_thread

ASKED: dict[str, Any] = {"tasks": "General-Knowledge", "limit": 4}


@pytest.fixture
def client(workplace: Path) -> Iterator[Client]:
    with Client() as client:
        yield client


@pytest.fixture
def slowly(upstream: StandIn) -> Iterator[None]:
    upstream.delay_s = 0.3
    yield
    upstream.delay_s = 0.0


def test_a_run_that_was_going_on_when_its_client_was_closed_goes_on_with_the_same_call(
    workplace: Path, slowly: None, upstream: StandIn
) -> None:
    before = len(upstream.asked)
    with Client() as first:
        begun = first.start("my-model", "starter", **ASKED, concurrency=1)
        next(begun.watch())
    with Client() as second:
        left = second.run(begun.id).state()
        assert left.status == "interrupted"
        run = second.start("my-model", "starter", **ASKED)
        assert run.id == begun.id
        assert run.wait(timeout_s=60).status == "finished"
    assert len(upstream.asked) - before == 4, "nothing is asked twice"


def test_whoever_watches_while_the_client_is_closed_is_told(workplace: Path, slowly: None) -> None:
    client = Client()
    run = client.start("my-model", "starter", **ASKED, concurrency=1)
    thread, raised = in_thread(run.wait)
    while not client._portal._waiting:
        time.sleep(0.01)
    client.close()
    thread.join(30)
    assert [type(error) for error in raised] == [UsageError]
    assert "closed" in str(raised[0])
    with pytest.raises(UsageError, match="closed"):
        run.state()
    client.close()


def test_ctrl_c_ends_the_waiting_and_not_the_run(client: Client, slowly: None) -> None:
    run = client.start("my-model", "starter", **ASKED, seed=1, concurrency=1)

    def pressed() -> None:
        while not client._portal._waiting:
            time.sleep(0.01)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests in the background may ignore it
    try:
        thread, _ = in_thread(pressed)
        with pytest.raises(KeyboardInterrupt):
            run.wait()
        thread.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert run.wait().status == "finished"


def test_waiting_has_a_limit(client: Client, slowly: None) -> None:
    run = client.start("my-model", "starter", **ASKED, seed=2, concurrency=1)
    with pytest.raises(TimeoutError):
        run.wait(timeout_s=0.05)
    run.stop(now=True)
    assert run.wait().status == "interrupted"


def test_what_is_left_half_read_holds_nothing_open(client: Client) -> None:
    run = client.start("my-model", "starter", **ASKED, seed=3)
    for _ in run.watch():
        break
    run.wait()
    answers = iter(run.answers())
    next(answers)
    del answers
    pages = run.answers().pages()
    next(pages)
    assert len(list(run.answers())) == 4


def test_two_clients_share_a_folder_and_one_of_them_works_on_a_run(client: Client, slowly: None) -> None:
    run = client.start("my-model", "starter", **ASKED, seed=4, concurrency=1)
    with Client() as other:
        with pytest.raises(RunTaken):
            other.start("my-model", "starter", **ASKED, seed=4)
        assert other.run(run.id).wait(timeout_s=60).status == "finished"
        assert len(other.run(run.id).answers()) == 4


async def test_a_client_works_where_a_loop_runs_as_in_a_notebook(client: Client) -> None:
    run = client.start("my-model", "starter", **ASKED, seed=3)
    assert run.wait().status == "finished"


def test_a_client_is_for_many_threads(client: Client) -> None:
    run = client.start("my-model", "starter", **ASKED, seed=3)
    run.wait()
    threads = [in_thread(lambda: list(run.answers())) for _ in range(8)]
    for thread, raised in threads:
        thread.join(60)
        assert raised == []


def test_an_asynchronous_client_is_of_one_loop(workplace: Path) -> None:
    client = AsyncClient()
    with asyncio.Runner() as first:
        assert first.run(client.runs()) == []
        with asyncio.Runner() as second, pytest.raises(UsageError, match="belongs to the event loop"):
            second.run(client.runs())
        first.run(client.close())
        with pytest.raises(UsageError, match="closed"):
            first.run(client.runs())


def test_a_client_that_waits_does_not_wait_for_itself(client: Client) -> None:
    async def called_there() -> str:
        with pytest.raises(UsageError, match="AsyncClient"):
            client.runs()
        return "told"

    portal: Portal = client._portal
    assert portal.call(called_there()) == "told"


PROGRAM = """
import os, sys
from genlevel import Client
from genlevel.errors import UsageError

client = Client()
run = client.start("my-model", "starter", tasks="General-Knowledge", limit=4, seed=9, rpm=1)
child = os.fork()
if child == 0:
    try:
        client.runs()
    except UsageError as error:
        os._exit(7 if "forked" in str(error) else 1)
    os._exit(2)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(run.id)
"""


def test_a_program_that_forks_and_ends_without_a_word_leaves_its_run_in_order(workplace: Path) -> None:
    environment = {**os.environ, "PYTHONWARNINGS": "error", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=workplace, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    code, run_id = done.stdout.split()
    assert code == "7"
    with Client() as client:
        left = client.run(run_id).state()
        assert left.status == "interrupted"
        assert left.reason == "the evaluator stopped"
        assert left.cost.unknown_calls == 0


def test_a_run_is_shown_in_a_notebook_whatever_becomes_of_its_services(workplace: Path, slowly: None) -> None:
    with Client() as client:
        run = client.start("my-model", "starter", **ASKED, seed=5, concurrency=1)
        assert "my-model" in run._repr_html_(), "it has no answer yet"
        run.wait()
        card = run._repr_html_()
    assert "<style" in card
    assert "<script" not in card
    assert "http://" not in card.replace("http://www.w3.org/", "")
    told = run._repr_html_()
    assert told.startswith("<pre>&lt;Run ")
    assert "closed" in told


@pytest.mark.parametrize("page", [1, 2, 3])
def test_pages_come_one_after_the_other_whatever_their_size(client: Client, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    run = client.start("my-model", "starter", **ASKED, seed=3)
    run.wait()
    at_once = {order: [answer.instance for answer in run.answers(order=order)] for order in ("worst", "newest")}
    monkeypatch.setattr(async_answers, "_PAGE", page)
    monkeypatch.setattr(async_answers, "_MOST_TOGETHER", 2)
    for order, instances in at_once.items():
        assert [answer.instance for answer in run.answers(order=order)] == instances
        assert [answer.instance for answer in run.answers(order=order, limit=3)] == instances[:3]
    assert [len(some) for some in run.answers().pages()] == {1: [1, 1, 1, 1], 2: [2, 2], 3: [3, 1]}[page]


@pytest.mark.parametrize(("name", "what"), [("pyarrow", AnswerRows), ("pandas", lambda: AnswerRows.frame(AnswerRows().table()))])
def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, name: str, what: Callable[[], object]) -> None:
    what()
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match=f"^to_(arrow|pandas) needs {name}: pip install {name}$"):
        what()


# -- arguments ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"buget_usd": 1}, "buget_usd is not known here; did you mean budget_usd?"),
        ({"limit": 0}, "limit must be a whole number from 1 to 1,000,000,000, not 0"),
        ({"limit": True}, "limit must be a whole number"),
        ({"repeats": 1001}, "repeats must be a whole number from 1 to 1,000"),
        ({"temperature": float("nan")}, "temperature must be a number from 0 to 2"),
        ({"budget_usd": "much"}, "budget_usd must be an amount in US dollars, not 'much'"),
        ({"budget_usd": -1}, "budget_usd must be an amount in US dollars, not -1"),
        ({"batch": "yes"}, "batch must be True or False"),
        ({"droppable": "seed"}, "droppable must be a list of texts, such as ['seed']"),
        ({"tasks": 3}, "tasks must be text, not 3"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named(client: Client, given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        client.start("my-model", "starter", **given)
    assert str(raised.value).startswith(said)
    assert "\n" not in str(raised.value)


def test_other_arguments_that_make_no_sense_are_named(client: Client) -> None:
    for call, said in (
        (lambda: client.run(""), "run must be text"),
        (lambda: client.run("nothing"), "no run 'nothing' here"),
        (lambda: client.runs(status="finished"), r"status must be a list of texts, such as \['finished'\]"),
        (lambda: client.runs(status=["done"]), "status must be of running, finished"),
        (lambda: client.compare("a", "b", alpha=1), "alpha must be a number from 0 to 0.5"),
        (lambda: client.monitor("none"), "none"),
        (lambda: client.runs(limit=-1), "limit must be a whole number"),
        (lambda: client.runs(text="\ud800"), "text must be text"),
        (lambda: client.leaderboard(modalities="image"), "modalities must be a list"),
    ):
        with pytest.raises(UsageError, match=said):
            call()


def test_which_answers_are_wanted_is_checked_before_they_are_looked_for(client: Client) -> None:
    run = client.start("my-model", "starter", **ASKED, seed=3)
    run.wait()
    for call, said in (
        (lambda: run.answers(tasks="a"), r"tasks must be a list of texts, such as \['a'\]"),
        (lambda: run.answers(outcomes=["good"]), "outcomes must be of answered"),
        (lambda: run.answers(order="random"), "order must be one of task, worst"),
        (lambda: run.answer("no", "such"), "such"),
        (lambda: run.media("nlp/General-Knowledge", "gk08", of="picture"), "of must be one of question"),
        (lambda: run.media("nlp/General-Knowledge", "gk08"), "the answer has 0 media"),
        (lambda: run.report("report.pdf"), "ends in .html or .md"),
        (lambda: run.report("missing/report.md"), "cannot be written"),
        (lambda: run.certificate(against="nobody"), "against must be one of published, specialists"),
    ):
        with pytest.raises(UsageError, match=said):
            call()
    assert [len(list(run.answers(order="worst", limit=limit))) for limit in (1, 3, 4, 5)] == [1, 3, 4, 4]
    assert [len(run.answers(order="worst", limit=limit)) for limit in (1, 5)] == [1, 4]
    assert list(run.answers(text="nothing has this")) == []
    empty = run.answers(text="nothing has this").to_arrow()
    assert (empty.num_rows, empty.schema) == (0, run.answers().to_arrow().schema)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"address": "http://localhost:7402"}, "the evaluator's address is host:port without http://"),
        ({"address": "localhost:9000"}, "give gateway= and scorer= the addresses, too"),
        ({"address": "unix:///run/evaluator.sock", "gateway": "g:1"}, "give scorer= the addresses, too"),
        ({"address": "two words:7402"}, "the evaluator's address must be host:port"),
        ({"address": "localhost:99999"}, "the evaluator's address must be host:port"),
        ({"address": ""}, "the evaluator's address must be host:port"),
        ({"address": "localhost", "folder": "here"}, "folder goes without an address"),
        ({"address": "localhost", "certificate": "a.pem"}, "certificate and key go together"),
        ({"token": "secret"}, "token goes with the evaluator's address"),
        ({"scorer": "localhost:1"}, "scorer goes with the evaluator's address"),
        ({"config": "missing.yaml"}, "--config: cannot read missing.yaml"),
    ],
)
def test_where_a_client_looks_is_checked_before_it_looks(workplace: Path, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        Client(**arguments)


def test_addresses_follow_from_the_evaluators_usual_port() -> None:
    usual = {"gateway": "[::1]:7401", "evaluator": "[::1]:7402", "scorer": "[::1]:7403"}
    assert addresses_of("[::1]:7402", None, None) == usual
    assert addresses_of("[::1]", None, None) == usual
    assert addresses_of("e:1", "g:2", "s") == {"gateway": "g:2", "evaluator": "e:1", "scorer": "s:7403"}


def test_without_an_address_the_configuration_says_where_to_look(workplace: Path) -> None:
    (workplace / "genlevel.yaml").write_text("addresses: {gateway: 'g:1', evaluator: 'e:2', scorer: 's:3'}")
    for arguments, place in (({}, "e:2"), ({"token": "one"}, "e:2"), ({"folder": "here"}, "here"), ({"address": "h"}, "h:7402")):
        with Client(**arguments) as client:
            assert repr(client) == f"<Client of {place}>"
    with pytest.raises(UsageError, match="token goes with the evaluator's address"):
        Client(folder="here", token="one")


def test_a_token_is_shown_nowhere(workplace: Path) -> None:
    token = "glt_" + "s3cret" * 5
    with Client("127.0.0.1:9", gateway="127.0.0.1:9", scorer="127.0.0.1:9", token=token) as client:
        with pytest.raises(Exception, match="cannot be reached") as raised:
            client.runs()
        said = "".join(traceback.format_exception(raised.value))
        assert token not in said + repr(client) + repr(vars(client)) + repr(client._inner)
        assert logs.redact(f"it is {token}") == "it is ***"


def test_nothing_is_made_of_a_look_at_a_run_that_is_not_there(client: Client) -> None:
    with pytest.raises(NotFoundError):
        client.run("0123456789ab")


LOADED = """
import sys
import genlevel
print(*(name for name in ("asyncio", "genlevel.client") if name in sys.modules))
from genlevel import Client
needless = ("grpc", "sqlalchemy", "pydantic", "evaluator", "scorer", "gateway", "numpy", "jinja2", "pyarrow")
print(*(name for name in needless if name in sys.modules))
"""


def test_to_import_the_client_loads_no_service() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", LOADED], env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "\n\n"
