"""What a page is: values for its template, the same as JSON, and its tables as CSV."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from genlevel.runtime.callers import Caller, Role
from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import quoted

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from genlevel.connection.services import Services
    from genlevel.runtime.documents import Document
    from genlevel.runtime.settings import Settings
    from genlevel.views.table import Table


@dataclass(frozen=True, slots=True)
class Page:
    """What a handler makes of a request.

    template: in genlevel/web/templates. title: in the browser's tab, and the page's heading if the template has none. values: for the
    template. document: what PATH.json answers. tables: what PATH.NAME.csv answers, by name. status: of HTTP, as the answer to a form.
    """

    template: str
    title: str
    values: Mapping[str, object]
    document: Document
    tables: Mapping[str, Table] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a browser is to go after an action (303), or because the page is elsewhere."""

    to: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of somebody who may make it.

    path: the values in the address. query: of the address, or of the form of an action; each may be given several times.
    """

    services: Services
    settings: Settings
    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, Sequence[str]]

    def one(self, name: str, default: str = "") -> str:
        """A value that may be given once. Raises UsageError."""
        return self.exact(name, default).strip()

    def exact(self, name: str, default: str = "") -> str:
        """As ``one``, with the white space around it: an id may begin or end with some. Raises UsageError."""
        values = self.query.get(name, ())
        if len(values) > 1:
            raise UsageError(f"{name} is given {len(values)} times; give it once")
        return values[0] if values else default

    def many(self, name: str) -> list[str]:
        """All values that are not empty."""
        return [value.strip() for value in self.query.get(name, ()) if value.strip()]

    def whole(self, name: str, default: int, *, least: int = 0, most: int = 10**9) -> int:
        """A whole number. Raises UsageError."""
        written = self.one(name)
        if not written:
            return default
        digits = written.lstrip("0") or "0"
        if not (written.isascii() and written.isdigit()) or len(digits) > 12 or not least <= int(digits) <= most:
            raise UsageError(f"{name} is {quoted(written)}; give a whole number from {least} to {most}")
        return int(digits)

    def may(self, role: Role) -> bool:
        """Whether the caller may do what needs this role: what they may not is not offered."""
        return self.caller.may(role)


Handler = Callable[[Asked], Awaitable["Page | Moved"]]
FileHandler = Callable[[Asked, "Request"], Awaitable["Response"]]
