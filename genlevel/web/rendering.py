"""From the values of a page to its HTML, and what is wrong as a page or as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from starlette.requests import HTTPConnection
from starlette.responses import Response

from genlevel.runtime.threads import in_thread
from genlevel.views.environment import make_environment
from genlevel.web.door import VISITOR, Door, Visitor
from genlevel.web.rows import PAGES
from genlevel.web.static_files import static_address

if TYPE_CHECKING:
    from starlette.types import Scope

FOR_PROGRAMS = (".json", ".csv")


class Rendering:
    """The templates of the pages, with what is on each of them."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._templates = make_environment("genlevel.web")
        self._templates.globals["static"] = static_address
        self._templates.globals["navigation"] = [(row.navigation, row.path) for row in PAGES if row.navigation]

    async def page(self, connection: HTTPConnection, template: str, values: Mapping[str, object], *, part: str = "") -> str:
        """A page's HTML; of a block of it alone, if there is one named ``part``. In a thread: a long page holds nothing else up."""
        return await in_thread(lambda: self._rendered(connection, template, values, part), name="a page")

    def problem(self, scope: Scope, status: HTTPStatus, line: str) -> Response:
        """What is wrong, in one line: a page, or JSON for a program."""
        if scope["path"].endswith(FOR_PROGRAMS):
            return Response(json.dumps({"error": line}, ensure_ascii=False), status, media_type="application/json")
        values = {"title": status.phrase, "status": status.value, "line": line}
        return Response(self._rendered(HTTPConnection(scope), "problem.html", values, ""), status, media_type="text/html; charset=utf-8")

    def _rendered(self, connection: HTTPConnection, name: str, values: Mapping[str, object], part: str) -> str:
        visitor = cast("Visitor | None", connection.scope.get(VISITOR))
        known = visitor is not None and visitor.by_cookie and visitor.token
        template = self._templates.get_template(name)
        shown: dict[str, object] = {
            "here": "",
            "data": "",
            "address": connection.url.path,
            "csrf": self._door.form_token(connection),
            "account": visitor.caller.name if visitor is not None and known else "",
            **values,
        }
        if part in template.blocks and part not in self._templates.get_template("base.html").blocks:
            return "".join(template.blocks[part](template.new_context(shown)))
        return template.render(shown)
