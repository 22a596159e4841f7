"""Who comes in to the pages, and what other sites can make a browser do there: each promise, broken on purpose."""

from __future__ import annotations

import datetime
import logging
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.connection.monitors import MonitorsPort
from genlevel.connection.services import EvaluatorPort, ModelsPort, Services, VerdictPort
from genlevel.runtime.callers import Caller, Role, current_caller
from genlevel.runtime.callers.access import Access
from genlevel.runtime.errors import NotFoundError
from genlevel.runtime.http import NAMES
from genlevel.runtime.listening import Web
from genlevel.runtime.settings import NOBODY_IS_ASKED, Auth, Settings
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.web.app import create_app
from genlevel.web.door import Door
from genlevel.web.guard import Guard
from genlevel.web.rows import ACTIONS
from genlevel.web.signing_in import own_path
from genlevel.web.tries import MOST, MOST_ADDRESSES, WITHIN_S, Tries
from tests.token_file import TokenFile, look_at_once

HERE = "http://127.0.0.1"
FORM = {"content-type": "application/x-www-form-urlencoded"}
READS = {"accept": "text/html"}
PAUSE = "/runs/r/wish"


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    look_at_once(monkeypatch)


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "tokens.yaml")


@dataclass
class Evaluator:
    """Has no runs, and says who has asked for them and for what."""

    callers: list[Caller] = field(default_factory=list)
    updates: list[ev.UpdateRunRequest] = field(default_factory=list)

    async def list_runs(self, request: ev.ListRunsRequest) -> ev.ListRunsResponse:
        self.callers.append(current_caller())
        return ev.ListRunsResponse()

    async def update_run(self, request: ev.UpdateRunRequest) -> ev.UpdateRunResponse:
        self.updates.append(request)
        raise NotFoundError("no run of that name")


class Pages:
    """The pages of an evaluator, as programs and browsers ask for them. state: of a connection, such as names in a certificate."""

    def __init__(self, door: Door, state: dict[str, Any] | None = None) -> None:
        self.evaluator = Evaluator()
        found = Services(
            cast(EvaluatorPort, self.evaluator), cast(VerdictPort, None), cast(ModelsPort, None), lambda: cast(MonitorsPort, None), None
        )
        self._app = create_app(found, Settings(), door)
        self._state = state or {}

    def client(self, base: str = HERE, address: str = "10.0.0.9", **options: Any) -> httpx2.AsyncClient:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await self._app({**scope, "state": dict(self._state)}, receive, send)

        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app, client=(address, 1)), base_url=base, **options)


def pages_for(auth: Auth | None = None, web: Web | None = None, **options: Any) -> Pages:
    return Pages(Door(Access(auth), web), **options)


async def enter(client: httpx2.AsyncClient, token: str, **more: str) -> httpx2.Response:
    return await client.post("/login", data={"token": token, **more})


async def csrf_of(client: httpx2.AsyncClient) -> str:
    found = re.search(r'name="csrf" value="(\w+)"', (await client.get("/")).text)
    assert found is not None
    return found[1]


# -- where nobody is asked -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["127.0.0.1:7400", "localhost:7400", "LOCALHOST", "[::1]:7400", "genlevel.localhost:1", "192.168.1.7", "[fe80::1]"]
)
async def test_whoever_asks_by_an_address_or_as_localhost_is_answered(host: str) -> None:
    async with pages_for().client() as client:
        assert (await client.get("/runs.json", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7400", "127.0.0.1.evil.example", "localhost.evil.example", "evil-localhost", "2130706433"]
)
@pytest.mark.parametrize("auth", [None, NOBODY_IS_ASKED])
async def test_a_name_of_another_site_that_leads_here_shows_nothing(host: str, auth: Auth | None) -> None:
    pages = pages_for(auth)
    async with pages.client() as client:
        for path in ("/", "/runs.json", "/static/style.css", "/login", "/metrics"):
            answer = await client.get(path, headers={"host": host})
            assert answer.status_code == 421, path
        answer = await client.post(PAUSE, data={"csrf": "x"}, headers={"host": host, "origin": f"http://{host}"})
        assert answer.status_code == 421
        assert (await client.get("/healthz", headers={"host": host})).status_code == 200
    assert pages.evaluator.callers == []
    assert pages.evaluator.updates == []


async def test_names_that_are_configured_are_known() -> None:
    web = Web(hosts=["Pages.example"], url="https://proxy.example:8443")
    async with pages_for(web=web).client() as client:
        for host, status in (("pages.example:7400", 200), ("proxy.example", 200), ("other.example", 421)):
            assert (await client.get("/runs.json", headers={"host": host})).status_code == status


FORGED = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:9999"},
    {"origin": HERE, "sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
]


@pytest.mark.parametrize("forged", FORGED)
async def test_a_form_of_another_site_does_nothing_even_if_it_knows_the_secret(forged: dict[str, str]) -> None:
    pages = pages_for()
    async with pages.client() as client:
        secret = pages_secret(pages)
        answer = await client.post(PAUSE, data={"wanted": "pause", "csrf": secret}, headers=forged)
        assert answer.status_code == 403
        assert pages.evaluator.updates == []
        answer = await client.post(
            PAUSE, data={"wanted": "pause", "csrf": secret}, headers={"origin": HERE, "sec-fetch-site": "same-origin"}
        )
        assert answer.status_code == 404, "it came to the evaluator, which has no such run"
        assert len(pages.evaluator.updates) == 1


def pages_secret(pages: Pages) -> str:
    """What the forms of a page carry where nobody logs in."""
    from starlette.requests import Request

    scope = {"type": "http", "headers": [], "client": ("10.0.0.9", 1), "method": "GET", "path": "/", "query_string": b"", "scheme": "http"}
    guard = next(each for each in pages._app.user_middleware if "door" in each.kwargs)
    door = cast(Door, guard.kwargs["door"])
    scope["genlevel.visitor"] = door.visitor(scope)
    return door.form_token(Request(scope))


@pytest.mark.parametrize("secret", ["", "x", "ä", "0" * 64])
async def test_a_form_without_the_page_s_secret_does_nothing(secret: str) -> None:
    pages = pages_for()
    async with pages.client() as client:
        assert (await client.post(PAUSE, data={"wanted": "pause", "csrf": secret})).status_code == 400
        assert (await client.post(PAUSE, data={"wanted": "pause"})).status_code == 400
    assert pages.evaluator.updates == []


async def test_what_another_site_embeds_is_not_given_but_its_links_are_followed() -> None:
    async with pages_for().client() as client:
        for mode in ("no-cors", "cors"):
            for site in ("cross-site", "same-site"):
                answer = await client.get("/runs.json", headers={"sec-fetch-site": site, "sec-fetch-mode": mode})
                assert answer.status_code == 403
        assert (await client.get("/", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})).status_code == 200


async def test_without_auth_there_is_no_login() -> None:
    async with pages_for().client() as client:
        assert (await client.get("/login?to=/leaderboard")).headers["location"] == "/leaderboard"
        assert (await enter(client, "anything")).headers["location"] == "/"
        assert "set-cookie" not in (await enter(client, "anything")).headers


# -- tokens --------------------------------------------------------------------------------------------------------------


async def test_a_person_is_led_to_the_login_and_a_program_is_told(file: TokenFile) -> None:
    pages = pages_for(file.auth)
    async with pages.client() as client:
        answer = await client.get("/runs/a%2Fb/card?x=1&y=%20", headers=READS)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?to=/runs/a%252Fb/card%3Fx%3D1%26y%3D%2520")
        for path, headers in (("/runs.json", READS), ("/", {}), ("/", {**READS, "hx-request": "true"}), ("/metrics", {})):
            answer = await client.get(path, headers=headers)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), path
        assert (await client.post(PAUSE, data={"csrf": pages_secret(pages_for())}, headers=READS)).status_code == 401
        assert (await client.get("/runs.json", headers={"authorization": "Bearer gl_wrong"})).status_code == 401
        assert (await client.get("/static/style.css")).status_code == 200, "the login has a sheet"
    assert pages.evaluator.callers == []


async def test_a_token_becomes_a_cookie_that_scripts_and_other_sites_do_not_have(file: TokenFile) -> None:
    token = file.add("alice", Role.READ)
    pages = pages_for(file.auth)
    async with pages.client() as client:
        answer = await enter(client, f" {token} ", to="/leaderboard?scope=all")
        assert (answer.status_code, answer.headers["location"]) == (303, "/leaderboard?scope=all")
        kept, *attributes = answer.headers["set-cookie"].split("; ")
        assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Lax"]
        assert kept.startswith("genlevel=")
        shown = await client.get("/", headers=READS)
        assert shown.status_code == 200
        assert "alice" in shown.text
        assert "Log out" in shown.text
        assert pages.evaluator.callers == [Caller("alice", frozenset({Role.READ}))]


async def test_over_tls_the_cookie_is_for_this_host_and_tls_alone(file: TokenFile) -> None:
    token = file.add("alice", Role.READ)
    for base, web in (("https://127.0.0.1", Web()), (HERE, Web(url="https://pages.example"))):
        async with pages_for(file.auth, web).client(base) as client:
            kept, *attributes = (await enter(client, token)).headers["set-cookie"].split("; ")
            assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]
            assert kept.startswith("__Host-genlevel=")


async def test_a_program_shows_its_token_as_a_header_and_needs_no_secret_of_a_page(file: TokenFile) -> None:
    pages = pages_for(file.auth)
    shows = {"authorization": f"Bearer {file.add('bot', Role.RUN)}"}
    async with pages.client() as client:
        assert (await client.get("/runs.json", headers=shows)).status_code == 200
        assert (await client.post(PAUSE, data={"wanted": "pause"}, headers=shows)).status_code == 404
        assert len(pages.evaluator.updates) == 1


async def test_a_token_that_is_taken_away_or_ends_opens_nothing_from_then_on(file: TokenFile) -> None:
    pages = pages_for(file.auth)
    token = file.add("alice", Role.RUN)
    async with pages.client() as client:
        await enter(client, token)
        secret = await csrf_of(client)
        file.write("tokens: []\n")
        assert (await client.get("/", headers=READS)).headers["location"] == "/login"
        assert (await client.get("/runs.json")).status_code == 401
        assert (await client.post(PAUSE, data={"wanted": "pause", "csrf": secret})).status_code == 401
        ended = file.add("bob", Role.RUN, expires=datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1))
        answer = await enter(client, ended)
        assert answer.status_code == 401
        assert "has expired" in answer.text
    assert pages.evaluator.updates == []


async def test_an_answer_on_its_way_ends_where_the_token_is_taken_away(file: TokenFile) -> None:
    shows = {"authorization": f"Bearer {file.add('alice', Role.READ)}"}

    async def long(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        file.write("tokens: []\n")
        await send({"type": "http.response.body", "body": b"two", "more_body": False})

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    door = Door(Access(file.auth))
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(name.encode(), value.encode()) for name, value in {"host": "127.0.0.1", **shows}.items()]
    asked = {"type": "http", "method": "GET", "path": "/runs.json", "query_string": b"", "headers": headers, "scheme": "http"}
    await Guard(long, door, cast(Any, None))(asked, receive, send)
    assert [message.get("body") for message in sent] == [None, b"one"]


async def test_who_logs_out_is_out(file: TokenFile) -> None:
    async with pages_for(file.auth).client() as client:
        await enter(client, file.add("alice", Role.READ))
        assert (await client.post("/logout", data={})).status_code == 400, "another site cannot log anybody out"
        answer = await client.post("/logout", data={"csrf": await csrf_of(client)})
        assert "Max-Age=0" in answer.headers["set-cookie"]
        assert (await client.get("/", headers=READS)).headers["location"] == "/login"


async def test_the_secret_of_one_session_is_of_no_use_in_another(file: TokenFile) -> None:
    pages = pages_for(file.auth)
    alice, mallory = file.add("alice", Role.RUN), file.add("mallory", Role.RUN)
    async with pages.client() as hers, pages.client() as his:
        await enter(hers, alice)
        await enter(his, mallory)
        stolen = await csrf_of(his)
        assert (await hers.post(PAUSE, data={"wanted": "pause", "csrf": stolen})).status_code == 400
        assert (await his.post(PAUSE, data={"wanted": "pause", "csrf": stolen})).status_code == 404
    assert len(pages.evaluator.updates) == 1


async def test_another_process_with_the_same_file_knows_who_has_logged_in(file: TokenFile) -> None:
    token = file.add("alice", Role.RUN)
    first, second = pages_for(file.auth), pages_for(file.auth)
    async with first.client() as client:
        await enter(client, token)
        secret, cookies = await csrf_of(client), client.cookies
    async with second.client(cookies=cookies) as client:
        assert (await client.get("/runs.json")).status_code == 200
        assert (await client.post(PAUSE, data={"wanted": "pause", "csrf": secret})).status_code == 404


@pytest.mark.parametrize("token", ["", " ", "gl_wrong", "gl_" + "x" * 5000, "gl_ü", "a b", "\x00", "' or 1=1"])
async def test_what_is_no_token_is_told_so_without_showing_it(token: str, file: TokenFile, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with pages_for(file.auth).client() as client:
        answer = await enter(client, token)
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        assert token.strip() == "" or token not in answer.text
    assert token.strip() == "" or token not in told(caplog)


def told(caplog: pytest.LogCaptureFixture) -> str:
    """The log, without the lines of the client that asks."""
    return "\n".join(record.getMessage() for record in caplog.records if record.name != "httpx2")


async def test_no_log_line_and_no_page_shows_a_token(file: TokenFile, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = file.add("alice", Role.READ)
    async with pages_for(file.auth).client() as client:
        assert token not in (await enter(client, token)).text
        assert token not in (await client.get("/")).text
        assert token not in (await client.get(f"/login?token={token}", headers=READS)).text
    assert token not in told(caplog)


async def test_a_token_that_may_not_read_does_not_log_in(file: TokenFile) -> None:
    async with pages_for(file.auth).client() as client:
        token = file.add("caller", Role.CALL)
        answer = await enter(client, token)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
        assert "needs the role read" in answer.text
        assert (await client.get("/runs.json", headers={"authorization": f"Bearer {token}"})).status_code == 403


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.path)
async def test_who_may_only_read_does_nothing_and_is_offered_nothing(action: Any, file: TokenFile) -> None:
    pages = pages_for(file.auth)
    async with pages.client() as client:
        await enter(client, file.add("reader", Role.READ))
        answer = await client.post(re.sub(r"{\w+}", "r", action.path), data={"csrf": await csrf_of(client), "wanted": "pause"})
        assert answer.status_code == 403
        assert f"needs the role {action.role}" in answer.text
    assert pages.evaluator.updates == []


async def test_nobody_else_can_log_a_browser_in(file: TokenFile) -> None:
    async with pages_for(file.auth).client() as client:
        token = file.add("mallory", Role.READ)
        answer = await client.post("/login", data={"token": token}, headers={"origin": "https://evil.example"})
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


# -- how often -----------------------------------------------------------------------------------------------------------


async def test_whoever_sends_too_many_wrong_tokens_has_to_wait_and_nobody_else_does(file: TokenFile) -> None:
    pages = pages_for(file.auth)
    token = file.add("alice", Role.READ)
    async with pages.client() as client:
        assert {(await enter(client, f"gl_{number}")).status_code for number in range(MOST)} == {401}
        answer = await enter(client, "gl_another")
        assert (answer.status_code, "set-cookie" in answer.headers) == (429, False)
        assert 0 < int(answer.headers["retry-after"]) <= WITHIN_S
        answer = await enter(client, token)
        assert (answer.status_code, "set-cookie" in answer.headers) == (303, True), "who comes by the same proxy is not kept out"
    async with pages.client(address="10.0.0.10") as client:
        assert (await enter(client, token)).status_code == 303, "others are not kept out"


async def test_what_a_proxy_may_say_of_a_request_is_not_believed(file: TokenFile) -> None:
    said = {
        "x-forwarded-for": "10.9.9.9",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "127.0.0.1",
        "forwarded": "for=10.9.9.9;proto=https",
    }
    async with pages_for(file.auth).client(headers=said) as client:
        assert "Secure" not in (await enter(client, file.add("alice", Role.READ))).headers["set-cookie"]
        for number in range(MOST + 1):
            answer = await client.post("/login", data={"token": "gl_x"}, headers={"x-forwarded-for": f"10.1.1.{number}"})
        assert answer.status_code == 429
    async with pages_for().client(headers=said) as client:
        assert (await client.get("/runs.json", headers={"host": "evil.example"})).status_code == 421


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 30)), max_size=80))
def test_nobody_fails_more_often_than_allowed(steps: list[tuple[int, float]]) -> None:
    now = 0.0
    tries = Tries(lambda: now)
    failed: dict[int, list[float]] = {}
    for who, wait_s in steps:
        now += wait_s
        if not tries.wait_s(f"10.0.0.{who}"):
            tries.failed(f"10.0.0.{who}")
            failed.setdefault(who, []).append(now)
    for times in failed.values():
        assert all(later - earlier >= WITHIN_S for earlier, later in zip(times, times[MOST:], strict=False))


def test_tries_are_kept_of_so_many_addresses_and_a_subscriber_of_ipv6_is_one() -> None:
    tries = Tries()
    for number in range(3 * MOST_ADDRESSES):
        tries.failed(f"10.{number >> 8}.{number & 255}.1")
    assert len(tries._failed) == MOST_ADDRESSES
    for number in range(MOST):
        tries.failed(f"2001:db8::{number:x}")
    assert tries.wait_s("2001:db8::ffff") > 0
    assert tries.wait_s("2001:db8:0:1::1") == 0


# -- where to after the login --------------------------------------------------------------------------------------------

ELSEWHERE = [
    "//evil.example",
    "https://evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/\n/evil",
]
ELSEWHERE += ["evil.example", "", " //evil.example", "/\x00", "/login", "/login?to=/login", "/logout", "///evil.example", "/\u202e"]


@pytest.mark.parametrize("to", ELSEWHERE)
async def test_the_login_leads_nowhere_else(to: str, file: TokenFile) -> None:
    async with pages_for(file.auth).client() as client:
        answer = await enter(client, file.add("alice", Role.READ), to=to)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


@given(st.text(max_size=40) | st.text("/\\.:@?#%x\t ", max_size=12))
def test_whatever_is_asked_for_is_on_this_site(to: str) -> None:
    path = own_path(to)
    assert httpx2.URL("https://genlevel.example").join(path).host == "genlevel.example"
    assert re.match(r"/([^/\\]|$)", path)


# -- certificates --------------------------------------------------------------------------------------------------------


async def test_a_certificate_that_is_known_comes_in_without_a_token() -> None:
    auth = Auth(certificates={"alice.example": [Role.RUN]})
    pages = pages_for(auth, state={NAMES: ("alice.example",)})
    async with pages.client("https://127.0.0.1") as client:
        assert (await client.get("/runs.json")).status_code == 200
        assert pages.evaluator.callers[0].name == "alice.example"
        assert (await client.post(PAUSE, data={"wanted": "pause"})).status_code == 400, "a browser shows it to whichever page makes it ask"
    async with pages_for(auth, state={NAMES: ("mallory.example",)}).client("https://127.0.0.1") as client:
        assert (await client.get("/runs.json")).status_code == 401


async def test_a_certificate_is_nothing_to_services_elsewhere(file: TokenFile) -> None:
    file.add("alice", Role.READ)
    auth = Auth(tokens=file.path, certificates={"alice.example": [Role.ADMIN]})
    pages = Pages(Door(Access(auth), passes_on=True), {NAMES: ("alice.example",)})
    async with pages.client("https://127.0.0.1") as client:
        assert (await client.get("/runs.json")).status_code == 401
    assert pages.evaluator.callers == []
