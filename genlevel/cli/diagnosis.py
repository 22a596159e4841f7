"""What ``genlevel doctor`` looks at. Each look says what it found in one line, and none of them changes anything or calls a model."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from genlevel.runtime.errors import CallerUnknown, ConfigurationError, GenlevelError, RoleMissing, UsageError

if TYPE_CHECKING:
    from genlevel.runtime.callers.access import Access
    from genlevel.runtime.remote import Remote
    from genlevel.runtime.settings import Settings

_SERVICES = ("gateway", "evaluator", "scorer")
_EXPIRES_SOON = timedelta(days=14)


class State(StrEnum):
    """OK: works. NOTE: worth knowing. WARNING: works, and should not stay so. PROBLEM: does not work."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing. what: its name, as settings call it."""

    what: str
    state: State
    said: str


async def diagnosis(settings: Settings, folder: Path, *, file: Path | None) -> list[Finding]:
    """All findings.

    Args:
        folder: of runs, if the settings do not name a database.
        file: of the settings; None: there is none.
    """
    findings = [*_sources(settings, file), *exposure(settings), *tokens(settings)]
    findings += [await _storage(settings, folder), await _blobs(settings, folder)]
    findings += [finding async for finding in _queue(settings)]
    findings += [finding async for finding in _services(settings)]
    findings += [finding async for finding in _routes(settings, folder)]
    findings += _suites(settings)
    findings += _traces(settings)
    findings += destinations(settings)
    findings += monitors(settings)
    return findings


def _sources(settings: Settings, file: Path | None) -> Iterator[Finding]:
    """Where the settings come from, and variables that may have been meant as some."""
    from genlevel.runtime.settings_variables import misspelt

    said = f"{file} is read" if file is not None else "no file of settings; the defaults hold"
    named = settings.variables()
    yield Finding("settings", State.OK, f"{said}, but for {', '.join(named)} of the environment" if named else said)
    for name, meant in misspelt(os.environ).items():
        yield Finding(name, State.NOTE, f"is no setting, and is not read; is {meant} meant?")


# -- who may call --------------------------------------------------------------------------------------------------------


def exposure(settings: Settings) -> Iterator[Finding]:
    """Of each address that a service would listen at: who can call it."""
    from genlevel.runtime.callers.access import Access

    try:
        access = Access(settings.auth)
    except ConfigurationError as error:
        yield Finding("auth", State.PROBLEM, str(error))
        return
    for service in _SERVICES:
        listen = getattr(settings, service)
        yield _open_to(access, settings, f"{service}.grpc", listen.grpc)
        yield _open_to(access, settings, f"{service}.http", listen.http)
    if settings.web is not None:
        yield _open_to(access, settings, "web.http", settings.web.http)


def _open_to(access: Access, settings: Settings, name: str, address: str) -> Finding:
    service, _, kind = name.partition(".")
    listen = getattr(settings, service)
    http = kind == "http" and service != "web"  # pages ask who comes, as gRPC does
    try:
        dangers = access.dangers(name, address, tls=listen.tls, http=http)
    except ConfigurationError as error:
        return Finding(name, State.PROBLEM, str(error))
    return Finding(name, State.WARNING if dangers else State.OK, "; ".join((f"{address}, open to {access.open_to(http=http)}", *dangers)))


def tokens(settings: Settings) -> Iterator[Finding]:
    """Of the file of tokens: whether others can read it, and which tokens have ended or soon will."""
    if settings.auth is None or settings.auth.tokens is None:
        return
    from genlevel.runtime.callers.tokens import read_rows

    file = settings.auth.tokens
    try:
        rows = read_rows(file, "auth.tokens")
        mode = stat.S_IMODE(os.stat(file).st_mode)
    except (ConfigurationError, OSError):
        return  # exposure has said it
    if mode & 0o022:
        yield Finding("auth.tokens", State.WARNING, f"{file} can be written by others (mode {mode:o}), who could let themselves in")
    now = datetime.now(UTC).date()
    for row in rows:
        if row.expires is not None and row.expires < now:
            yield Finding("auth.tokens", State.NOTE, f"the token of {row.name} has expired ({row.expires})")
        elif row.expires is not None and row.expires < now + _EXPIRES_SOON:
            yield Finding("auth.tokens", State.WARNING, f"the token of {row.name} expires at the end of {row.expires}")


# -- what is kept --------------------------------------------------------------------------------------------------------


async def _storage(settings: Settings, folder: Path) -> Finding:
    from genlevel.cli.migrate import schemas
    from genlevel.runtime.storage import look_at, shown_url, sqlite_url

    url = settings.storage.url or sqlite_url(folder / "genlevel.db")
    if not settings.storage.url and not (folder / "genlevel.db").exists():
        return Finding("storage.url", State.OK, f"nothing is stored in {folder} yet")
    try:
        problem = await asyncio.to_thread(look_at, url, schemas(url))
    except GenlevelError as error:
        return Finding("storage.url", State.PROBLEM, str(error))
    return Finding("storage.url", State.PROBLEM if problem else State.OK, problem or f"{shown_url(url)} answers")


async def _blobs(settings: Settings, folder: Path) -> Finding:
    from genlevel.runtime.blobs import BlobStore

    place = settings.storage.blobs or str(folder / "blobs")
    if settings.queue and not settings.storage.blobs:
        said = f"media are in {place}, of this machine alone; evaluators and scorers on others need the same ones: set storage.blobs"
        return Finding("storage.blobs", State.NOTE, said)
    if not settings.storage.blobs and not Path(place).exists():
        return Finding("storage.blobs", State.OK, f"nothing is stored in {place} yet")
    try:
        store = await asyncio.to_thread(BlobStore.open, place)
        problem = await asyncio.to_thread(store.problem)
    except GenlevelError as error:
        problem = str(error)
    return Finding("storage.blobs", State.PROBLEM if problem else State.OK, problem or f"{store.name} can be used")


async def _queue(settings: Settings) -> AsyncIterator[Finding]:
    """Whether the queue that evaluators share can be used, and what was given up in it. Says nothing without one."""
    from genlevel.runtime.queue import open_queue
    from genlevel.runtime.queue.address import Address

    if not settings.queue:
        return
    try:
        queue = open_queue(settings.queue, name="genlevel doctor")
    except ConfigurationError as error:
        yield Finding("queue", State.PROBLEM, str(error).removeprefix("queue: "))
        return
    try:
        if problem := await queue.problem():
            yield Finding("queue", State.PROBLEM, problem)
            return
        depths = (await queue.topics()).values()
        waiting, in_hand = sum(depth.waiting for depth in depths), sum(depth.in_hand for depth in depths)
        yield Finding(
            "queue",
            State.OK,
            f"{Address.of(settings.queue).shown} answers; messages that wait: {waiting:,}, that are worked on: {in_hand:,}",
        )
        if dead := await queue.count_dead():
            said = f"dead letters (messages that were given up): {dead:,}; `genlevel workers --dead` shows why, and what can be done"
            yield Finding("queue", State.WARNING, said)
    except GenlevelError as error:
        yield Finding("queue", State.PROBLEM, str(error))
    finally:
        await queue.close()


# -- what answers --------------------------------------------------------------------------------------------------------


async def _services(settings: Settings) -> AsyncIterator[Finding]:
    """Of each configured service whether it answers and is ready; if none is configured, of those that are served here."""
    addresses = settings.addresses
    if any(getattr(addresses, service) for service in _SERVICES):
        for service in _SERVICES:
            if not (address := getattr(addresses, service)):
                yield Finding(f"addresses.{service}", State.PROBLEM, "is not set, and others are: set all three")
                continue
            yield await _asked(settings, service, address)
        return
    yield Finding("addresses", State.OK, "none is set: each command works in a process of its own")
    for service in _SERVICES:
        address = getattr(settings, service).grpc
        if not await _problem_of(settings, service, address):
            one = "an" if service == "evaluator" else "a"
            said = f"{one} {service} is served at {address}, and ready; set addresses.{service} for commands to use it"
            yield Finding(f"{service}.grpc", State.NOTE, said)


async def _asked(settings: Settings, service: str, address: str) -> Finding:
    """Of a configured service: whether it is ready, and takes calls of this caller."""
    name = f"addresses.{service}"
    if problem := await _problem_of(settings, service, address):
        return Finding(name, State.PROBLEM, problem)
    try:
        await _look_up_nothing(settings, service, address)
    except CallerUnknown as error:
        return Finding(name, State.PROBLEM, str(error))
    except RoleMissing as error:
        return Finding(name, State.NOTE, f"it is ready; {error}")
    except UsageError:
        pass  # it was asked for what is not there
    except GenlevelError as error:
        return Finding(name, State.PROBLEM, str(error))
    return Finding(name, State.OK, f"the {service} at {address} is ready")


async def _look_up_nothing(settings: Settings, service: str, address: str) -> None:
    """Asks for something that takes the role ``read``: what no service has, which is a UsageError. Raises GenlevelError."""
    from genlevel.v1 import evaluator_pb2, gateway_pb2, scorer_pb2

    looks = {
        "gateway": ("list_models", gateway_pb2.ListModelsRequest()),
        "evaluator": ("get_run", evaluator_pb2.GetRunRequest(run_id="-")),
        "scorer": ("get_verdict", scorer_pb2.GetVerdictRequest(run_id="-")),
    }
    method, request = looks[service]
    async with _remote(settings, service, address) as remote:
        await getattr(remote, method)(request)


async def _problem_of(settings: Settings, service: str, address: str) -> str:
    """Why a service cannot be asked; "" if it is ready."""
    try:
        async with _remote(settings, service, address) as remote:
            return await remote.problem()
    except GenlevelError as error:
        return str(error)


@contextlib.asynccontextmanager
async def _remote(settings: Settings, service: str, address: str) -> AsyncIterator[Remote]:
    """A service at an address. Raises ConfigurationError."""
    from genlevel.runtime.remote import Remote
    from genlevel.runtime.rpc import connect
    from genlevel.v1 import evaluator_pb2, gateway_pb2, scorer_pb2

    contracts = {"gateway": gateway_pb2, "evaluator": evaluator_pb2, "scorer": scorer_pb2}
    contract = contracts[service].DESCRIPTOR.services_by_name[f"{service.capitalize()}Service"]
    channel = connect(address, settings.addresses)
    remote = Remote(channel, contract, name=service, address=address)
    try:
        yield remote
    finally:
        await remote.close()


async def _routes(settings: Settings, folder: Path) -> AsyncIterator[Finding]:
    """Of each configured route: whether what it needs is there, a server of one's own included, and whether its calls have a price."""
    from gateway.reaching import silence_at
    from gateway.service import Gateway
    from genlevel.embedded import service_registry
    from genlevel.v1 import gateway_pb2 as gw

    if settings.addresses.gateway:
        yield Finding("routes", State.OK, "the gateway at addresses.gateway has them; `genlevel models` lists them")
        return
    try:
        gateway = Gateway(settings, service_registry(), folder)
    except ConfigurationError as error:
        yield Finding("routes", State.PROBLEM, str(error))
        return
    try:
        if not settings.routes:
            yield Finding("routes", State.OK, "none is set")
        for name in settings.routes:
            try:
                (model,) = (await gateway.list_models(gw.ListModelsRequest(route=name))).models
            except GenlevelError as error:
                yield Finding(f"routes.{name}", State.PROBLEM, str(error))
                continue
            if not model.ready:
                yield Finding(f"routes.{name}", State.PROBLEM, model.problem.removeprefix(f"{name}: "))
            elif (own := _own_server(settings, name)) and (silence := await silence_at(own)):
                yield Finding(f"routes.{name}", State.PROBLEM, f"{silence}; start the server, or correct the account's base_url")
            elif model.charges and not model.HasField("price"):
                said = f"{model.provider}/{model.model} has no price, so no budget in dollars can be kept; set routes.{name}.price"
                yield Finding(f"routes.{name}", State.WARNING, said)
            else:
                told = "its server answers" if own else "what it needs here is there"
                yield Finding(f"routes.{name}", State.OK, f"{model.provider}/{model.model}: {told}; the model was not called")
    finally:
        await gateway.close()


def _own_server(settings: Settings, route: str) -> str:
    """The address of a route's server if people run it themselves; "": a provider's."""
    from gateway.providers import PROVIDERS, Charging

    name = settings.routes[route].account
    account = settings.accounts.get(name)
    row = PROVIDERS[account.provider if account else name]
    usual = row.base_url if row.charging is Charging.KEYED_ELSEWHERE else ""
    return (account.base_url if account else None) or usual


def _suites(settings: Settings) -> Iterator[Finding]:
    """Of each folder of suites: whether it can be read."""
    from genlevel.benchmark.suite_folders import SuiteFolders

    missing = SuiteFolders(settings.suites.folders).missing()
    for number, folder in enumerate(settings.suites.folders):
        if number in missing:
            yield Finding("suites.folders", State.PROBLEM, f"{folder} is no folder that can be read")
        else:
            yield Finding("suites.folders", State.OK, f"{folder} can be read")


def _traces(settings: Settings) -> Iterator[Finding]:
    """Whether calls are told to a collector, and whether what that needs is installed. Says nothing if nobody named one."""
    from genlevel.runtime.shown import without_secrets
    from genlevel.runtime.traces import MISSING, is_missing, is_wanted

    if is_wanted(settings.traces.endpoint):
        named = without_secrets(settings.traces.endpoint) or "the address in OpenTelemetry's environment variables"
        yield (
            Finding("traces", State.PROBLEM, MISSING)
            if is_missing()
            else Finding("traces", State.OK, f"a span of each call goes to {named}")
        )


def destinations(settings: Settings) -> Iterator[Finding]:
    """Of each destination of alarms: whether its address and its secret are there. If the evaluator is elsewhere, that is for it to say."""
    from evaluator.alarms.targets import target_of
    from genlevel.runtime.destinations import DestinationKind

    if settings.addresses.evaluator:
        return
    for name, destination in settings.destinations.items():
        try:
            target = target_of(name, destination)
        except ConfigurationError as error:
            yield Finding(f"destinations.{name}", State.PROBLEM, str(error).removeprefix(f"destinations.{name}: "))
            continue
        told = f"{target.kind} at {target.host}: what it needs is there; nothing was sent"
        if target.kind is DestinationKind.WEBHOOK and not target.secret:
            said = f"{told}; nothing is signed, so anybody could send it alarms: set secret_env"
            yield Finding(f"destinations.{name}", State.WARNING, said)
        else:
            yield Finding(f"destinations.{name}", State.OK, told)


def monitors(settings: Settings) -> Iterator[Finding]:
    """Of each monitor in the settings: whether it can be watched as it is written. If the evaluator is elsewhere, that is for it to say."""
    from evaluator.monitors.specification import settled
    from genlevel.runtime.declared_monitors import specification_of

    if settings.addresses.evaluator:
        return
    for name, monitor in settings.monitors.items():
        try:
            settled(specification_of(monitor))
            _check_route_and_suite(settings, monitor.model, monitor.suite)
        except GenlevelError as error:
            yield Finding(f"monitors.{name}", State.PROBLEM, str(error))
            continue
        told = f"{monitor.model} on {monitor.suite}, every {monitor.every}{', paused' if monitor.paused else ''}"
        yield Finding(f"monitors.{name}", State.OK, f"{told}; `genlevel monitor add {name} --dry-run` says what it costs")


def _check_route_and_suite(settings: Settings, model: str, suite: str) -> None:
    """Raises GenlevelError if there is no such route or suite. Routes of a gateway elsewhere are for it to say."""
    from gateway.routes import Routes
    from genlevel.benchmark.suite_folders import SuiteFolders
    from genlevel.benchmark.suites import shipped_suites

    if not settings.addresses.gateway:
        Routes(settings, served=True).resolve(model)
    if suite not in shipped_suites() and SuiteFolders(settings.suites.folders).find(suite) is None and not Path(suite).exists():
        raise UsageError(f"no suite {suite!r} comes with genlevel or lies below suites.folders; `genlevel suites` lists them")
