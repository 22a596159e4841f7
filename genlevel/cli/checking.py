"""``genlevel models --check ROUTE``: asks a model the smallest calls there are, and says what works and what they cost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import click

from genlevel.cli.printing import console, table
from genlevel.connection.services import services
from genlevel.documents.words import one_line
from genlevel.runtime.errors import CallFailed, GenlevelError, UsageError
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

if TYPE_CHECKING:
    from gateway.service import Gateway
    from genlevel.cli.model_checks import Check, Finding
    from genlevel.runtime.documents import Document
    from genlevel.runtime.settings import Settings

UNASKED_NANO_USD = 50_000_000
"""What may be spent without --yes: 0.05 US$."""
_NANO = 1_000_000_000


class AskedPort(Protocol):
    """The gateway as this command sees it."""

    async def list_models(self, request: gw.ListModelsRequest) -> gw.ListModelsResponse: ...
    async def generate(self, request: gw.GenerateRequest) -> gw.GenerateResponse: ...
    async def streamed(self, request: gw.GenerateRequest) -> gw.GenerateResponse: ...


class RemotePort(Protocol):
    """A gateway over gRPC, with the contract's methods."""

    async def list_models(self, request: gw.ListModelsRequest) -> gw.ListModelsResponse: ...
    async def generate(self, request: gw.GenerateRequest) -> gw.GenerateResponse: ...
    def generate_stream(self, request: gw.GenerateStreamRequest) -> AsyncIterator[gw.GenerateStreamResponse]: ...


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    remote: RemotePort

    async def list_models(self, request: gw.ListModelsRequest) -> gw.ListModelsResponse:
        return await self.remote.list_models(request)

    async def generate(self, request: gw.GenerateRequest) -> gw.GenerateResponse:
        return await self.remote.generate(request)

    async def streamed(self, request: gw.GenerateRequest) -> gw.GenerateResponse:
        """The whole answer, which comes last."""
        response = gw.GenerateResponse()
        async for message in self.remote.generate_stream(gw.GenerateStreamRequest(request=request)):
            if message.HasField("response"):
                response = message.response
        return response


@dataclass(frozen=True, slots=True)
class _Here:
    gateway: Gateway

    async def list_models(self, request: gw.ListModelsRequest) -> gw.ListModelsResponse:
        return await self.gateway.list_models(request)

    async def generate(self, request: gw.GenerateRequest) -> gw.GenerateResponse:
        return await self.gateway.generate(request)

    async def streamed(self, request: gw.GenerateRequest) -> gw.GenerateResponse:
        async def pass_on(pieces: Sequence[ct.Part]) -> None:
            pass  # the whole answer says when the first of them came

        return await self.gateway.stream(request, pass_on)


@dataclass(slots=True)
class Checked:
    """What was found of a model. most_nano_usd: of all calls together; None: nobody can tell. nano_usd: what is known of what they cost."""

    model: gw.ModelInfo
    most_nano_usd: int | None
    findings: list[Finding] = field(default_factory=list)
    calls: int = 0
    nano_usd: int = 0
    unknown_calls: int = 0

    @property
    def works(self) -> bool:
        """Whether nothing that was asked failed, and something was asked."""
        return bool(self.calls) and all(finding.works is not False for finding in self.findings)


async def check(settings: Settings, out: Path, route: str, *, yes: bool) -> Checked:
    """What works at a route. Raises UsageError if that may cost more than may be spent unasked, and GenlevelError for an unknown route."""
    from evaluator.planning.prices import dollars
    from genlevel.cli.model_checks import Finding, checks_of, most_nano_usd

    async with _gateway(settings, out) as gateway:
        (model,) = (await gateway.list_models(gw.ListModelsRequest(route=route))).models
        calls, known = checks_of(model)
        each = [most_nano_usd(model, one) for one in calls]
        most = None if None in each else sum(one for one in each if one is not None)
        found = Checked(model, most)
        if not model.ready:
            found.findings = [Finding("key", False, model.problem, "CREDENTIAL")]
            return found
        if not yes and (most is None or most > UNASKED_NANO_USD):
            cost = "an amount that is not known" if most is None else f"up to {dollars(most, up=True)}"
            raise UsageError(f"{len(calls)} calls to {route} may cost {cost}; --yes makes them all the same")
        await _ask(gateway, calls, found)
        found.findings += known
        return found


async def _ask(gateway: AskedPort, calls: list[Check], found: Checked) -> None:
    """Makes the calls one after another; if the first one fails, no other."""
    from genlevel.cli.model_checks import failed, shown

    for number, one in enumerate(calls):
        found.calls += 1
        try:
            response = await (gateway.streamed if one.streamed else gateway.generate)(one.request)
        except GenlevelError as error:
            found.findings += failed(one, error)
            if isinstance(error, CallFailed) and error.may_be_charged:
                _count(found, error.cost_nano_usd)
            if number == 0:
                return
            continue
        _count(found, response.cost_nano_usd if response.HasField("cost_nano_usd") else None)
        found.findings += shown(one, response)


def _count(found: Checked, cost: int | None) -> None:
    if cost is None and not found.model.charges:
        return
    if cost is None:
        found.unknown_calls += 1
    else:
        found.nano_usd += cost


@asynccontextmanager
async def _gateway(settings: Settings, out: Path) -> AsyncIterator[AskedPort]:
    """The configured services' gateway, else one in this process."""
    if settings.addresses.evaluator:
        async with services(settings, out) as found:
            yield _Elsewhere(cast(RemotePort, found.gateway))
        return
    from gateway.service import Gateway
    from genlevel.embedded import service_registry

    gateway = Gateway(settings, service_registry(), out)
    try:
        yield _Here(gateway)
    finally:
        await gateway.close()


def document_of(found: Checked) -> Document:
    """What was found, as it is printed with --json."""
    return {
        "route": found.model.route,
        "provider": found.model.provider,
        "model": found.model.model,
        "works": found.works,
        "calls": found.calls,
        "most_usd": None if found.most_nano_usd is None else found.most_nano_usd / _NANO,
        "usd": found.nano_usd / _NANO,
        "unknown_calls": found.unknown_calls,
        "checks": [
            {"check": one.check, "works": one.works, "said": one.said or None, "reason": one.reason or None} for one in found.findings
        ],
    }


def print_checked(found: Checked) -> None:
    """What was found, for people."""
    from evaluator.planning.prices import dollars

    rows = table("what", "works", "")
    for one in found.findings:
        state = "-" if one.works is None else "yes" if one.works else f"no: {one.reason}" if one.reason else "no"
        rows.add_row(one.check, state, one_line(one.said))
    console().print(rows)
    if not found.calls:
        click.echo("nothing was asked")
        return
    cost = dollars(found.nano_usd)
    if found.unknown_calls:
        cost = f"at least {cost}, and what {found.unknown_calls} calls cost is not known"
    click.echo(f"{found.calls} {'call' if found.calls == 1 else 'calls'}, {cost}")
