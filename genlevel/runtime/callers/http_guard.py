"""What every HTTP request passes before a page sees it: who asks is found, and whether they may."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import cast

from genlevel.runtime.callers import Role, set_caller
from genlevel.runtime.callers.access import Access
from genlevel.runtime.callers.roles import METRICS_PAGE, OPEN_PAGES
from genlevel.runtime.errors import CallerRefused, CallerUnknown

Scope = MutableMapping[str, object]
Message = MutableMapping[str, object]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class HttpGuard:
    """An ASGI app in front of another. A request that is refused is answered 401 or 403 with one line that says why."""

    def __init__(self, app: App, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http", "genlevel.runtime.http serves neither websockets nor lifespans"
        path = str(scope["path"])
        try:
            if path not in OPEN_PAGES and not (path == METRICS_PAGE and self._access.metrics_are_open):
                self._admit(scope, path)
        except CallerRefused as refusal:
            await _refuse(send, refusal)
            return
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope, path: str) -> None:
        """Finds who asks. Raises CallerRefused."""
        client = cast("tuple[str, int] | None", scope.get("client"))
        headers = cast("list[tuple[bytes, bytes]]", scope["headers"])
        authorization = next((value.decode("latin-1") for name, value in headers if name == b"authorization"), "")
        caller = self._access.caller(authorization, None, client[0] if client else "unix", how="send one as Authorization: Bearer")
        self._access.check_role(caller, Role.READ, path)
        set_caller(caller)


async def _refuse(send: Send, refusal: CallerRefused) -> None:
    unknown = isinstance(refusal, CallerUnknown)
    body = json.dumps({"error": str(refusal)}, ensure_ascii=True).encode()
    headers: Mapping[bytes, bytes] = {
        b"content-type": b"application/json",
        b"content-length": b"%d" % len(body),
        **({b"www-authenticate": b"Bearer"} if unknown else {}),
    }
    await send({"type": "http.response.start", "status": 401 if unknown else 403, "headers": list(headers.items())})
    await send({"type": "http.response.body", "body": body})
