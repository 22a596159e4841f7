"""The app: each row of the table of pages as HTML, JSON and CSV, each action as a form, what is wrong as one line, and headers on all."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from prometheus_client import CollectorRegistry

from genlevel.runtime.errors import GenlevelError
from genlevel.runtime.http import add_state
from genlevel.runtime.logs import redact
from genlevel.runtime.readiness import Check, fine
from genlevel.runtime.threads import in_thread
from genlevel.web.door import Door
from genlevel.web.failures import http_status
from genlevel.web.forms import fields_of, read_form
from genlevel.web.guard import Guard
from genlevel.web.page import Asked, FileHandler, Handler, Moved, Page
from genlevel.web.rendering import Rendering
from genlevel.web.room import AT_ONCE, AT_ONCE_ALONE, PAGE_S, Left, Room, unless_gone
from genlevel.web.rows import ACTIONS, FILES, PAGES, ActionRow, PageRow
from genlevel.web.signing_in import SigningIn
from genlevel.web.static_files import StaticFiles

if TYPE_CHECKING:
    from genlevel.connection.services import Services
    from genlevel.runtime.settings import Settings

Work = Callable[[], Coroutine[object, object, Response]]
Endpoint = Callable[[Request], Coroutine[object, object, Response]]

_LEFT = 499
"""What logs of servers call an answer that nobody waits for any more."""


def create_app(
    services: Services,
    settings: Settings,
    door: Door,
    *,
    registry: CollectorRegistry | None = None,
    ready: Check = fine,
    alone: bool = False,
) -> FastAPI:
    """The pages of some services.

    Args:
        services: asked for everything.
        door: who may come in, and as whom.
        registry: what /metrics shows; None: nothing.
        ready: what /readyz says.
        alone: the process does nothing else: genlevel_ready is shown here, and more pages are made at once.
    """
    registry = CollectorRegistry() if registry is None else registry
    app = FastAPI(title="genlevel", openapi_url=None, redirect_slashes=False)
    add_state(app, registry, ready=ready, counted=alone)
    rendering = Rendering(door)
    room = Room(AT_ONCE_ALONE if alone else AT_ONCE)
    signing_in, site = SigningIn(door, rendering), _Site(services, settings, door, rendering, room)
    app.add_route("/login", signing_in.form, methods=["GET"])
    app.add_route("/login", signing_in.enter, methods=["POST"])
    app.add_route("/logout", signing_in.leave, methods=["POST"])
    for row in PAGES:  # data first: {run} would take "RUN.json", too
        app.add_route(row.data or f"{row.path}.json", site.data(row), methods=["GET"])
        app.add_route(f"{(row.data or row.path).removesuffix('.json')}.{{table}}.csv", site.csv(row), methods=["GET"])
    for row in PAGES:
        app.add_route(row.path, site.page(row), methods=["GET"])
    for file in FILES:
        app.add_route(file.path, site.file(file.handler), methods=["GET"])
    for action in ACTIONS:
        app.add_route(action.path, site.action(action), methods=["POST"])
        app.add_route(action.path, site.above, methods=["GET"])
    app.mount("/static", StaticFiles(), name="static")
    for status, line in ((404, "there is no such page"), (405, "this address does not take that kind of request")):
        app.add_exception_handler(status, site.refusal(HTTPStatus(status), line))
    app.add_middleware(Guard, door=door, problem=rendering.problem)
    return app


class _Site:
    """Makes the endpoints of rows."""

    def __init__(self, services: Services, settings: Settings, door: Door, rendering: Rendering, room: Room) -> None:
        self._services = services
        self._settings = settings
        self._door = door
        self._rendering = rendering
        self._room = room

    def page(self, row: PageRow) -> Endpoint:
        """HTML; with ?part=NAME that block of the template alone, for what is looked at again and again."""

        async def answer(request: Request) -> Response:
            asked = self._asked(request, fields_of(request.url.query))
            made = await _handler(row.handler)(asked)
            if isinstance(made, Moved):
                return RedirectResponse(made.to, HTTPStatus.SEE_OTHER)
            return await self._drawn(request, asked, made, row.path, part=asked.one("part"))

        return self._endpoint(answer)

    def data(self, row: PageRow) -> Endpoint:
        """The page's document as JSON."""

        async def answer(request: Request) -> Response:
            made = await self._made(request, row)
            if isinstance(made, Moved):
                return _elsewhere(made, ".json")
            document = made.document
            text = await in_thread(lambda: json.dumps(document, ensure_ascii=False, allow_nan=False), name="a page's data")
            return Response(text, media_type="application/json")

        return self._endpoint(answer)

    def csv(self, row: PageRow) -> Endpoint:
        """One of the page's tables as CSV."""

        async def answer(request: Request) -> Response:
            made = await self._made(request, row)
            if isinstance(made, Moved):
                return _elsewhere(made, f".{request.path_params['table']}.csv")
            found = made.tables.get(request.path_params["table"])
            if found is None:
                line = f"this page has no such table; it has {', '.join(made.tables) or 'none'}"
                return self._rendering.problem(request.scope, HTTPStatus.NOT_FOUND, line)
            return Response(found.csv(), media_type="text/csv; charset=utf-8", headers={"content-disposition": "attachment"})

        return self._endpoint(answer)

    def file(self, handler: str) -> Endpoint:
        """Bytes, as their handler says."""

        async def answer(request: Request) -> Response:
            module, _, function = handler.partition(":")
            found: FileHandler = getattr(importlib.import_module(f"genlevel.web.{module}"), function)
            return await found(self._asked(request, fields_of(request.url.query)), request)

        return self._endpoint(answer)

    def action(self, row: ActionRow) -> Endpoint:
        """What a form asks for: where to go then, or the page again with what was wrong with it, or what a person has to know."""

        async def answer(request: Request) -> Response:
            self._door.access.check_role(self._door.caller(request), row.role, request.url.path)
            form = await read_form(request)
            self._door.check_form(request, form)
            asked = self._asked(request, form)
            made = await _handler(row.handler)(asked)
            if isinstance(made, Moved):
                return RedirectResponse(made.to, HTTPStatus.SEE_OTHER)
            return await self._drawn(request, asked, made, row.path, address=_above(request))

        return self._endpoint(answer)

    async def above(self, request: Request) -> Response:
        """Where the form of an action is: somebody who loads the answer to it again comes there."""
        return RedirectResponse(_above(request), HTTPStatus.SEE_OTHER)

    def refusal(self, status: HTTPStatus, line: str) -> Callable[[Request, Exception], Coroutine[object, object, Response]]:
        """What is answered where there is no page."""

        async def answer(request: Request, _: Exception) -> Response:
            return self._rendering.problem(request.scope, status, line)

        return answer

    def _endpoint(self, answer: Endpoint) -> Endpoint:
        """Answers within the room that pages have; what is wrong in one line."""

        async def endpoint(request: Request) -> Response:
            try:
                async with self._room.place(), asyncio.timeout(PAGE_S):
                    if request.method == "POST":  # it is done, whoever waits for it
                        return await answer(request)
                    return await unless_gone(partial(answer, request), partial(_gone, request))
            except TimeoutError:
                line = f"this page was not made within {PAGE_S:.0f} s: the services are slow or away; try again, or ask for less"
                return self._rendering.problem(request.scope, HTTPStatus.GATEWAY_TIMEOUT, line)
            except Left:
                return Response(status_code=_LEFT)
            except GenlevelError as error:
                return self._rendering.problem(request.scope, http_status(error), redact(str(error)))

        return endpoint

    async def _made(self, request: Request, row: PageRow) -> Page | Moved:
        return await _handler(row.handler)(self._asked(request, fields_of(request.url.query)))

    async def _drawn(self, request: Request, asked: Asked, made: Page, path: str, *, address: str = "", part: str = "") -> Response:
        """A page as HTML. path: of its row. address: of the page, if it is not the request's. part: that block of it alone."""
        address, query = address or request.url.path, "" if address else request.url.query
        values = {
            **made.values,
            "title": made.title,
            "tables": made.tables,
            "asked": asked,
            "here": path,
            "address": address,
            "data": f"{'/runs' if path == '/' else address}.json" + (f"?{query}" if query else ""),
        }
        text = await self._rendering.page(request, made.template, values, part=part)
        return Response(text, made.status, media_type="text/html; charset=utf-8")

    def _asked(self, request: Request, query: Mapping[str, Sequence[str]]) -> Asked:
        path = {name: value for name, value in request.path_params.items() if name != "table"}
        return Asked(self._services, self._settings, self._door.caller(request), path, query)


def _elsewhere(made: Moved, end: str) -> Response:
    """To the data of the page that it leads to."""
    path, mark, query = made.to.partition("?")
    return RedirectResponse(f"{path}{end}{mark}{query}", HTTPStatus.SEE_OTHER)


def _above(request: Request) -> str:
    return request.url.path.rpartition("/")[0] or "/"


def _handler(name: str) -> Handler:
    module, _, function = name.partition(":")
    found: Handler = getattr(importlib.import_module(f"genlevel.web.pages.{module}"), function)
    return found


async def _gone(request: Request) -> None:
    """Returns when the reader has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
