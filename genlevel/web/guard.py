"""What every request passes before a page sees it, and every answer before a browser does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response

from genlevel.runtime.callers import Role, set_caller
from genlevel.runtime.callers.passed_on import set_token
from genlevel.runtime.callers.roles import METRICS_PAGE, OPEN_PAGES
from genlevel.runtime.errors import CallerRefused, CallerUnknown
from genlevel.runtime.shown import quoted
from genlevel.web.door import VISITOR, Door
from genlevel.web.headers import HEADERS
from genlevel.web.unsent import AHEAD_BYTES, PIECE_BYTES, GivenUp, OnItsWay, Unsent

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_QUERY_BYTES = 32 << 10
LOGIN = "/login"
STATIC = "/static/"

Problem = Callable[["Scope", HTTPStatus, str], Response]

logger = logging.getLogger(__name__)


class Guard:
    """An ASGI app in front of the pages. What is refused is answered with one line.

    Args:
        door: who comes in.
        problem: an answer that says what is wrong.
    """

    def __init__(self, app: ASGIApp, door: Door, problem: Problem) -> None:
        self._app = app
        self._door = door
        self._problem = problem
        self._unsent = Unsent()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(scope, send, self._door, self._unsent)
        try:
            await (self._refused(scope) or self._app)(scope, receive, answer.send)
        except GivenUp:
            return
        except Exception:
            logger.exception("a page failed: %s", quoted(scope["path"]))
            if not answer.began:
                line = "this page has a fault; the log of the process that serves it says which"
                await self._problem(scope, HTTPStatus.INTERNAL_SERVER_ERROR, line)(scope, receive, answer.send)
        finally:
            answer.end()

    def _refused(self, scope: Scope) -> Response | None:
        """What whoever may not ask is told; None: they may."""
        path = scope["path"]
        if path in OPEN_PAGES:
            return None
        if len(scope["query_string"]) > MOST_QUERY_BYTES:
            return self._problem(scope, HTTPStatus.REQUEST_URI_TOO_LONG, f"this address is longer than {MOST_QUERY_BYTES >> 10} KiB")
        if not self._door.knows_host(scope):
            line = "the pages are not known by the name in this address; ask by an IP address, or put the name into web.hosts"
            return self._problem(scope, HTTPStatus.MISDIRECTED_REQUEST, line)
        if not self._door.is_own_request(scope):
            line = "another site's page has asked for this; open it here, or set web.url to the address that browsers use"
            return self._problem(scope, HTTPStatus.FORBIDDEN, line)
        if path.startswith(STATIC) or (path == METRICS_PAGE and self._door.access.metrics_are_open):
            return None
        try:
            return self._unless_admitted(scope)
        except CallerUnknown as refusal:
            return self._to_login(scope, str(refusal))
        except CallerRefused as refusal:
            return self._problem(scope, HTTPStatus.FORBIDDEN, str(refusal))

    def _unless_admitted(self, scope: Scope) -> Response | None:
        """Finds who asks, for whatever works on it. Raises CallerRefused."""
        path = scope["path"]
        if self._door.asks and (path == LOGIN or not self._door.shows_something(scope)):
            return None if path == LOGIN else self._to_login(scope, "a token is needed; programs send theirs as Authorization: Bearer")
        visitor = self._door.visitor(scope)
        if path != "/logout":
            self._door.access.check_role(visitor.caller, Role.READ, path)
        scope[VISITOR] = visitor
        set_caller(visitor.caller)
        set_token(visitor.token)
        return None

    def _to_login(self, scope: Scope, line: str) -> Response:
        """A person is led to the login, and from there to where they wanted to go; a program, and a script, are told."""
        headers = HTTPConnection(scope).headers
        reads = "text/html" in headers.get("accept", "") and "hx-request" not in headers
        if reads and scope["method"] == "GET" and not scope["path"].endswith((".json", ".csv")):
            query = scope["query_string"].decode("latin-1")
            path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
            wanted = path + (f"?{query}" if query else "")
            return RedirectResponse(LOGIN + ("" if wanted == "/" else f"?to={quote(wanted, safe='/')}"), HTTPStatus.SEE_OTHER)
        answer = self._problem(scope, HTTPStatus.UNAUTHORIZED, line)
        answer.headers["www-authenticate"] = "Bearer"
        return answer


class _Answer:
    """An answer on its way: it gets the headers of all, and has to be taken within a time, by somebody who still may."""

    def __init__(self, scope: Scope, send: Send, door: Door, unsent: Unsent) -> None:
        self._scope = scope
        self._send = send
        self._door = door
        self._unsent = unsent
        self._way = OnItsWay()
        self._length = AHEAD_BYTES
        self.began = False

    async def send(self, message: Message) -> None:
        """Raises GivenUp."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            _add(headers, HEADERS)
            self._length = min(AHEAD_BYTES, int(headers.get("content-length", AHEAD_BYTES)))
            self.began = True
            await self._way.takes(lambda: self._send(message))
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if not self._way.held:
            self._unsent.hold(self._way, self._length if more else len(body))
        for start in range(0, max(1, len(body)), PIECE_BYTES):
            await self._piece(body[start : start + PIECE_BYTES], more or start + PIECE_BYTES < len(body))

    async def _piece(self, body: bytes, more: bool) -> None:
        if not self._door.still_open(self._scope):
            raise GivenUp
        await self._way.takes(lambda: self._send({"type": "http.response.body", "body": body, "more_body": more}))

    def end(self) -> None:
        """Nothing more is sent."""
        self._unsent.release(self._way)


def _add(headers: MutableHeaders, more: Mapping[str, str]) -> None:
    for name, value in more.items():
        headers.setdefault(name, value)
