"""The app: each row of the table of pages as HTML, JSON and CSV, each action as a form, what is wrong as one line, and headers on all."""

from __future__ import annotations

import importlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from genlevel.runtime.errors import GenlevelError
from genlevel.runtime.logs import redact
from genlevel.views.environment import make_environment
from genlevel.web.door import Door
from genlevel.web.failures import http_status
from genlevel.web.headers import HEADERS
from genlevel.web.page import Asked, FileHandler, Handler, Moved, Page
from genlevel.web.rows import ACTIONS, FILES, PAGES, PageRow
from genlevel.web.static_files import StaticFiles, static_address

if TYPE_CHECKING:
    from jinja2 import Environment

    from genlevel.connection.services import Services
    from genlevel.runtime.settings import Settings

MOST_FORM_BYTES = 256 << 10


def create_app(services: Services, settings: Settings, door: Door) -> FastAPI:
    """The pages of some services.

    Args:
        services: asked for everything.
        door: who may come in, and as whom.
    """
    app = FastAPI(title="genlevel", openapi_url=None)
    site = _Site(services, settings, door)
    for row in PAGES:  # data first: {run} would take "RUN.json", too
        app.add_route(row.data or f"{row.path}.json", site.data(row), methods=["GET"])
        app.add_route(f"{(row.data or row.path).removesuffix('.json')}.{{table}}.csv", site.csv(row), methods=["GET"])
    for row in PAGES:
        app.add_route(row.path, site.page(row), methods=["GET"])
    for file in FILES:
        app.add_route(file.path, site.file(file.handler), methods=["GET"])
    for action in ACTIONS:
        app.add_route(action.path, site.action(action.handler, action.path), methods=["POST"])
        app.add_route(action.path, site.above, methods=["GET"])
    app.mount("/static", StaticFiles(), name="static")
    app.middleware("http")(_with_headers)
    app.add_exception_handler(404, site.missing)
    return app


class _Site:
    """Makes the endpoints of rows."""

    def __init__(self, services: Services, settings: Settings, door: Door) -> None:
        self._services = services
        self._settings = settings
        self._door = door
        self._templates: Environment = make_environment("genlevel.web")
        self._templates.globals["static"] = static_address
        self._templates.globals["navigation"] = [(row.navigation, row.path) for row in PAGES if row.navigation]

    def page(self, row: PageRow) -> Callable[[Request], Awaitable[Response]]:
        """HTML; with ?part=NAME that block of the template alone, for what is looked at again and again."""

        async def endpoint(request: Request) -> Response:
            async def work() -> Response:
                asked = await self._asked(request, parse_qs(request.url.query, keep_blank_values=True, max_num_fields=1000))
                made = await _handler(row.handler)(asked)
                if isinstance(made, Moved):
                    return RedirectResponse(made.to, HTTPStatus.SEE_OTHER)
                return Response(self._html(request, asked, made, row.path), media_type="text/html; charset=utf-8")

            return await self._answered(request, work)

        return endpoint

    def data(self, row: PageRow) -> Callable[[Request], Awaitable[Response]]:
        """The page's document as JSON."""

        async def endpoint(request: Request) -> Response:
            async def work() -> Response:
                made = await self._made(request, row)
                return Response(json.dumps(made.document, ensure_ascii=False, allow_nan=False), media_type="application/json")

            return await self._answered(request, work)

        return endpoint

    def csv(self, row: PageRow) -> Callable[[Request], Awaitable[Response]]:
        """One of the page's tables as CSV."""

        async def endpoint(request: Request) -> Response:
            async def work() -> Response:
                made = await self._made(request, row)
                found = made.tables.get(request.path_params["table"])
                if found is None:
                    return self._problem(request, HTTPStatus.NOT_FOUND, f"this page has no such table; it has {', '.join(made.tables)}")
                return Response(found.csv(), media_type="text/csv; charset=utf-8", headers={"content-disposition": "attachment"})

            return await self._answered(request, work)

        return endpoint

    def file(self, handler: str) -> Callable[[Request], Awaitable[Response]]:
        """Bytes, as their handler says."""

        async def endpoint(request: Request) -> Response:
            async def work() -> Response:
                asked = await self._asked(request, parse_qs(request.url.query, keep_blank_values=True, max_num_fields=1000))
                module, _, function = handler.partition(":")
                found: FileHandler = getattr(importlib.import_module(f"genlevel.web.{module}"), function)
                return await found(asked, request)

            return await self._answered(request, work)

        return endpoint

    def action(self, handler: str, path: str) -> Callable[[Request], Awaitable[Response]]:
        """What a form asks for: where to go then, or the page again with what was wrong with it, or what a person has to know."""

        async def endpoint(request: Request) -> Response:
            async def work() -> Response:
                form = await _form(request)
                self._door.check_form(request, form)
                asked = await self._asked(request, form)
                made = await _handler(handler)(asked)
                if isinstance(made, Moved):
                    return RedirectResponse(made.to, HTTPStatus.SEE_OTHER)
                page = self._html(request, asked, made, path, address=_above(request))
                return Response(page, made.status, media_type="text/html; charset=utf-8")

            return await self._answered(request, work)

        return endpoint

    async def above(self, request: Request) -> Response:
        """Where the form of an action is: somebody who loads the answer to it again comes there."""
        return RedirectResponse(_above(request), HTTPStatus.SEE_OTHER)

    async def missing(self, request: Request, _: Exception) -> Response:
        return self._problem(request, HTTPStatus.NOT_FOUND, "there is no such page")

    async def _made(self, request: Request, row: PageRow) -> Page:
        asked = await self._asked(request, parse_qs(request.url.query, keep_blank_values=True, max_num_fields=1000))
        made = await _handler(row.handler)(asked)
        assert isinstance(made, Page), f"{row.path} has no data"
        return made

    async def _asked(self, request: Request, query: Mapping[str, Sequence[str]]) -> Asked:
        path = {name: value for name, value in request.path_params.items() if name != "table"}
        return Asked(self._services, self._settings, self._door.caller(request), path, query)

    def _html(self, request: Request, asked: Asked, made: Page, path: str, *, address: str = "") -> str:
        """address: of the page, if it is not the request's."""
        address, query = address or request.url.path, "" if address else request.url.query
        template = self._templates.get_template(made.template)
        values = {
            **made.values,
            "title": made.title,
            "tables": made.tables,
            "asked": asked,
            "here": path,
            "address": address,
            "data": f"{'/runs' if path == '/' else address}.json" + (f"?{query}" if query else ""),
            "csrf": self._door.form_token(request),
        }
        if not (part := asked.one("part")):
            return template.render(values)
        if part not in template.blocks:
            return template.render(values)
        return "".join(template.blocks[part](template.new_context(values)))

    async def _answered(self, request: Request, work: Callable[[], Awaitable[Response]]) -> Response:
        try:
            return await work()
        except GenlevelError as error:
            return self._problem(request, http_status(error), redact(str(error)))

    def _problem(self, request: Request, status: HTTPStatus, line: str) -> Response:
        """What is wrong, in one line: a page, or JSON for a program."""
        if request.url.path.endswith((".json", ".csv")):
            return Response(json.dumps({"error": line}, ensure_ascii=False), status, media_type="application/json")
        page = self._templates.get_template("problem.html").render(
            title=status.phrase, status=status.value, line=line, here="", address=request.url.path, data="", csrf=""
        )
        return Response(page, status, media_type="text/html; charset=utf-8")


def _above(request: Request) -> str:
    return request.url.path.rpartition("/")[0] or "/"


def _handler(name: str) -> Handler:
    module, _, function = name.partition(":")
    found: Handler = getattr(importlib.import_module(f"genlevel.web.pages.{module}"), function)
    return found


async def _form(request: Request) -> Mapping[str, Sequence[str]]:
    """A form's fields. Larger ones are cut off: no form here is."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_FORM_BYTES:
            break
    return parse_qs(body[:MOST_FORM_BYTES].decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=1000)


async def _with_headers(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
