"""A model's server for the tests of the client, and a folder whose genlevel.yaml has routes to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.client.stand_in import StandIn

PRICE = {"input": "1", "output": "4"}


@pytest.fixture(scope="session")
def upstream() -> Iterator[StandIn]:
    with StandIn() as server:
        yield server


def configuration(upstream: StandIn) -> dict[str, object]:
    """A genlevel.yaml with two routes to the server."""
    routes = {name: {"account": "mine", "model": name, "price": PRICE} for name in ("my-model", "my-other-model")}
    return {"accounts": {"mine": {"provider": "compatible", "base_url": upstream.base_url, "limits": {"concurrency": 4}}}, "routes": routes}


@pytest.fixture
def workplace(tmp_path: Path, upstream: StandIn, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, where the process stands, with that genlevel.yaml."""
    for name in ("GENLEVEL_CONFIG", "GENLEVEL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "genlevel.yaml").write_text(yaml.safe_dump(configuration(upstream)))
    monkeypatch.chdir(tmp_path)
    return tmp_path
