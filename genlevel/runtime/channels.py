"""A gRPC channel to one of our services: it shows this process's token with each call, and is made anew when its certificates change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

import grpc

from genlevel.runtime.tls import Pems, channel_credentials
from genlevel.runtime.watched import Watched

Options = Sequence[tuple[str, str | int]]
Header = tuple[str, str]


class Shown(Protocol):
    """What says with each call who makes it."""

    def headers(self) -> tuple[Header, ...]: ...


class OwnChannel(grpc.aio.Channel):  # type: ignore[misc]
    """A grpc.aio.Channel.

    Args:
        target: as gRPC writes it. It is an address of ours: a token that is shown elsewhere is given away.
        options: of the channels underneath.
        pems: what it is encrypted with; None: it is not.
        token: None: none is shown.
    """

    def __init__(self, target: str, options: Options, *, pems: Watched[Pems] | None, token: Shown | None) -> None:
        self._target = target
        self._options = options
        self._pems = pems
        self._token = token
        self._in_use = None if pems is None else pems.value()
        self._replaced: list[grpc.aio.Channel] = []  # calls may still be open on them
        self._channel = self._made()

    def current(self) -> grpc.aio.Channel:
        """The channel for a new call: another one after the certificates have changed. Calls on the one before go on."""
        if self._pems is not None and (found := self._pems.value()) is not self._in_use:
            self._in_use = found
            self._replaced.append(self._channel)
            self._channel = self._made()
        return self._channel

    def headers(self) -> tuple[Header, ...]:
        """What this channel says with each call. Raises ConfigurationError if what should hold a token holds something else."""
        return () if self._token is None else self._token.headers()

    def unary_unary(self, *arguments: object, **options: object) -> Callable[..., object]:
        return _Method(self, "unary_unary", arguments, options)

    def unary_stream(self, *arguments: object, **options: object) -> Callable[..., object]:
        return _Method(self, "unary_stream", arguments, options)

    def stream_unary(self, *arguments: object, **options: object) -> Callable[..., object]:
        return _Method(self, "stream_unary", arguments, options)

    def stream_stream(self, *arguments: object, **options: object) -> Callable[..., object]:
        return _Method(self, "stream_stream", arguments, options)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self.current().get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self.current().wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self.current().channel_ready()

    async def close(self, grace: float | None = None) -> None:
        await asyncio.gather(*(channel.close(grace) for channel in (self._channel, *self._replaced)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def _made(self) -> grpc.aio.Channel:
        if self._in_use is None:
            return grpc.aio.insecure_channel(self._target, options=self._options)
        return grpc.aio.secure_channel(self._target, channel_credentials(self._in_use), options=self._options)


class _Method:
    """One RPC over whichever channel is in use."""

    def __init__(self, owner: OwnChannel, kind: str, arguments: tuple[object, ...], options: dict[str, object]) -> None:
        self._owner = owner
        self._kind = kind
        self._arguments = arguments
        self._options = options
        self._channel: grpc.aio.Channel | None = None
        self._call: Callable[..., object] | None = None

    def __call__(self, *arguments: object, metadata: Sequence[Header] | None = None, **options: object) -> object:
        channel = self._owner.current()
        if self._call is None or channel is not self._channel:
            self._channel, self._call = channel, getattr(channel, self._kind)(*self._arguments, **self._options)
        headers = self._owner.headers()
        return self._call(*arguments, metadata=(*(metadata or ()), *headers) or None, **options)
