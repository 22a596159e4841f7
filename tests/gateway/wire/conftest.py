"""A replay of recorded exchanges: one server, and one gateway that knows a route to each model of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from gateway.adapters import adapter_of
from gateway.adapters.base import Adapter
from gateway.providers import PROVIDERS
from gateway.service import Gateway
from genlevel.runtime.settings import Account, Api, Route, Settings
from tests.gateway.wire.recordings import Recording
from tests.gateway.wire.serving import Replay, lead_here, replaying

KEY = "GENLEVEL_WIRE_KEY"


@dataclass(frozen=True)
class Place:
    """Who answers a recording: an account at a provider, a model and an API of it."""

    provider: str
    model: str
    api: Api
    base_url: str = ""
    api_version: str = ""

    @property
    def account(self) -> str:
        return f"{self.provider} {self.base_url} {self.api_version}".strip()

    @property
    def route(self) -> str:
        return f"{self.account} {self.model} {self.api}"

    @property
    def adapter(self) -> Adapter:
        return adapter_of(PROVIDERS[self.provider], self.api)

    def account_settings(self) -> Account:
        return Account(provider=self.provider, base_url=self.base_url, api_version=self.api_version, api_key_env=KEY)

    def route_settings(self) -> Route:
        takes = ["text", "image", "audio", "video", "document"]
        return Route(account=self.account, model=self.model, api=self.api, input_modalities=takes)


@dataclass(frozen=True)
class Player:
    """A gateway whose clients are led to the replay."""

    replay: Replay
    gateway: Gateway


@pytest.fixture
async def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[Iterable[Place]], Player]]:
    """Makes a gateway with a route to each of these places, named ``Place.route``."""
    gateways: list[Gateway] = []
    monkeypatch.setenv(KEY, "key-of-nobody-0123456789")
    async with replaying() as replay:
        lead_here(monkeypatch, replay.url)

        def make(places: Iterable[Place]) -> Player:
            known = {place.route: place for place in places}
            settings = Settings(
                accounts={place.account: place.account_settings() for place in known.values()},
                routes={route: place.route_settings() for route, place in known.items()},
            )
            gateways.append(Gateway(settings, CollectorRegistry(), tmp_path))
            return Player(replay, gateways[-1])

        yield make
        for gateway in gateways:
            await gateway.close()


def compatible_url(recording: Recording, path: str) -> str:
    """The address of a server that is known by it alone. path: of its API below the address."""
    return f"https://{recording.host.replace('<', '').replace('>', '')}{recording.url_path.removesuffix(f'/{path}')}"
