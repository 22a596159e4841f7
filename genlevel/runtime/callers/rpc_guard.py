"""What every call over gRPC passes before its service sees it: who calls is found, and whether they may."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import grpc

from genlevel.runtime.callers import Caller, set_caller
from genlevel.runtime.callers.access import Access
from genlevel.runtime.callers.roles import HEALTH, needed_role
from genlevel.runtime.errors import CallerRefused
from genlevel.runtime.failures import end_with
from genlevel.runtime.handlers import Around, behaviour_of, instead_of, yields

_NAMES = ("peer_uri", "peer_dns")
"""Where gRPC has the names of a verified certificate. The first that is known is the caller's."""
_COMMON_NAME = "x509_common_name"
"""The name of a certificate that has no others: whoever signs looks at those, and may let anybody choose this one."""
_HOW = "set addresses.token_file or the environment variable GENLEVEL_TOKEN to one that is known"


class RpcGuard(Around):
    """Lets calls in that ``access`` allows, and says to whatever works on one who makes it (``current_caller``).

    Nothing of a refused call's request is read. A token that is withdrawn, or expires, while a stream is open: no further message of the
    stream is taken or given, what had begun is answered, and the stream ends as a call with that token does. A stream that has one answer,
    to all of it, has none then: what came of it is not taken for the whole.
    """

    def __init__(self, access: Access) -> None:
        super().__init__()
        self._access = access

    def around(self, method: str, handler: grpc.RpcMethodHandler) -> grpc.RpcMethodHandler:
        inner = behaviour_of(handler)

        async def request_of(visit: _Visit) -> object:
            return visit.requests(one_answer=not handler.response_streaming) if handler.request_streaming else await visit.request()

        async def answer(_: object, context: grpc.aio.ServicerContext) -> object:
            visit = _Visit(self._access, method, context)
            await visit.enter()
            answered = await inner(await request_of(visit), context)
            await visit.leave()
            return answered

        async def answers(_: object, context: grpc.aio.ServicerContext) -> AsyncIterator[object]:
            visit = _Visit(self._access, method, context)
            await visit.enter()
            async with aclosing(inner(await request_of(visit), context)) as found:
                async for each in found:
                    if not visit.goes_on():
                        break
                    yield each
            await visit.leave()

        # Its requests are left unread until the caller is known.
        return instead_of(handler, answers if yields(handler) else answer, reads=True, deserializer=handler.request_deserializer)


class _Visit:
    """One call, from its caller being found to its end."""

    def __init__(self, access: Access, method: str, context: grpc.aio.ServicerContext) -> None:
        self._access = access
        self._method = method
        self._context = context
        self._authorization = _authorization(context) if access.asks else ""
        self._refusal: CallerRefused | None = None

    async def enter(self) -> None:
        """Ends the call if its caller may not make it."""
        if not self.goes_on():
            await self.leave()

    def goes_on(self) -> bool:
        """Whether the caller may (still) make this call. Whoever asks for health is not asked, and has no role."""
        if self._method.startswith(HEALTH):
            set_caller(Caller(peer_name(self._context.peer()), frozenset()))
            return True
        try:
            caller = self._access.caller(self._authorization, self._names, peer_name(self._context.peer()), how=_HOW)
            self._access.check_role(caller, needed_role(self._method), self._method.rpartition("/")[2])
        except CallerRefused as refusal:
            self._refusal = refusal
            return False
        set_caller(caller)
        return True

    async def leave(self) -> None:
        """Ends the call as refused, if it was."""
        if self._refusal is not None:
            await end_with(self._context, self._refusal)

    async def request(self) -> object:
        """The one request of a call that has one."""
        request = await self._context.read()
        if request is grpc.aio.EOF:
            await self._context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{self._method}: the call has no request")
        return request

    async def requests(self, *, one_answer: bool) -> AsyncIterator[object]:
        """The requests of a stream, for as long as their caller may send them. one_answer: all of them have one, or none."""
        while True:
            request = [await self._context.read()]
            if request[0] is grpc.aio.EOF:
                return
            if not self.goes_on():
                if one_answer:
                    await self.leave()
                return
            yield request.pop()  # what this names while it waits would stay in memory

    def _names(self) -> Iterator[str]:
        known = self._context.auth_context()
        found = [known[kind] for kind in _NAMES if known.get(kind)] or [known.get(_COMMON_NAME, ())]
        yield from (name.decode("utf-8", "replace") for names in found for name in names if name)


def peer_name(peer: str) -> str:
    """Where a call comes from, without the port.

    Example:
        >>> peer_name("ipv4:10.0.0.7:51312"), peer_name("ipv6:%5B::1%5D:51312"), peer_name("unix:")
        ('10.0.0.7', '::1', 'unix')
    """
    kind, _, rest = peer.partition(":")
    if kind not in ("ipv4", "ipv6"):
        return kind
    return rest.rpartition(":")[0].removeprefix("%5B").removesuffix("%5D").strip("[]")


def _authorization(context: grpc.aio.ServicerContext) -> str:
    """The first header of that name, as a proxy puts its own behind it; "" if there is none."""
    for key, value in context.invocation_metadata() or ():
        if key == "authorization" and isinstance(value, str):
            return value
    return ""
