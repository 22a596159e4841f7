"""Logging in: a token is exchanged for a cookie that holds it, and never stands in an address, a page or a log."""

from __future__ import annotations

import math
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from genlevel.runtime.errors import CallerRefused, CallerUnknown, GenlevelError
from genlevel.web.door import Door, address_of
from genlevel.web.failures import http_status
from genlevel.web.forms import fields_of, read_form
from genlevel.web.rendering import Rendering
from genlevel.web.tries import Tries

MOST_TOKEN_CHARACTERS = 1000


class SigningIn:
    """The endpoints of /login and /logout."""

    def __init__(self, door: Door, rendering: Rendering) -> None:
        self._door = door
        self._rendering = rendering
        self._tries = Tries()

    async def form(self, request: Request) -> Response:
        """GET /login?to=PATH."""
        try:
            to = own_path("".join(fields_of(request.url.query).get("to", ())[:1]))
        except GenlevelError:
            to = "/"
        if not self._door.asks:
            return RedirectResponse(to, HTTPStatus.SEE_OTHER)
        return await self._page(request, to, "", HTTPStatus.OK)

    async def enter(self, request: Request) -> Response:
        """POST /login: token, to."""
        try:
            form = await read_form(request)
        except GenlevelError as error:
            return self._rendering.problem(request.scope, http_status(error), str(error))
        to, token = (own_path("".join(form.get("to", ())[:1])), "".join(form.get("token", ())[:1]).strip())
        if not self._door.asks:
            return RedirectResponse(to, HTTPStatus.SEE_OTHER)
        try:
            if not token or len(token) > MOST_TOKEN_CHARACTERS or not token.isascii():
                raise CallerUnknown("this is no token; paste one as `genlevel token` has printed it")
            visitor = self._door.logged_in(request.scope, token)
        except CallerRefused as refusal:
            return await self._refused(request, to, refusal)
        answer = RedirectResponse(to, HTTPStatus.SEE_OTHER)
        answer.headers["set-cookie"] = self._door.cookie(request.scope, visitor.token)
        return answer

    async def _refused(self, request: Request, to: str, refusal: CallerRefused) -> Response:
        """Only wrong tokens count: behind a proxy all have one address, and nobody there keeps the others out."""
        address = address_of(request.scope)
        if wait_s := self._tries.wait_s(address):
            page = await self._page(request, to, "too many wrong tokens from your address; wait a minute", HTTPStatus.TOO_MANY_REQUESTS)
            page.headers["retry-after"] = str(math.ceil(wait_s))
            return page
        self._tries.failed(address)
        return await self._page(request, to, str(refusal), http_status(refusal))

    async def leave(self, request: Request) -> Response:
        """POST /logout."""
        try:
            self._door.check_form(request, await read_form(request))
        except GenlevelError as error:
            return self._rendering.problem(request.scope, http_status(error), str(error))
        answer = RedirectResponse("/login" if self._door.asks else "/", HTTPStatus.SEE_OTHER)
        answer.headers["set-cookie"] = self._door.cookie(request.scope, "")
        return answer

    async def _page(self, request: Request, to: str, line: str, status: HTTPStatus) -> Response:
        page = await self._rendering.page(request, "login.html", {"title": "Log in", "to": to, "line": line})
        return Response(page, status, media_type="text/html; charset=utf-8")


def own_path(to: str) -> str:
    """Where to go after the login: a path of ours, else the first page.

    Example:
        >>> [own_path(to) for to in ("/runs/a?x=1", "https://other.example/", "//other.example", "/\\\\other.example", "runs", "/login")]
        ['/runs/a?x=1', '/', '/', '/', '/', '/']
    """
    plain = to.isprintable() and "\\" not in to
    if not plain or not to.startswith("/") or to.startswith("//") or urlsplit(to).path in ("/login", "/logout"):
        return "/"
    return to
