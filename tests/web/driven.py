"""Pages over an evaluator and a scorer of this process, whose gateway answers as told: runs go on while they are looked at."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import httpx2
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from evaluator.planning.suites import AnySuites
from evaluator.service import Evaluator
from genlevel.connection.monitors import MonitorsPort
from genlevel.connection.services import ModelsPort, Services
from genlevel.runtime.settings import Settings
from genlevel.web.app import create_app
from genlevel.web.door import Door
from scorer.service import Scorer
from tests.evaluator.conftest import ScriptedGateway


class Site:
    """Asks the pages as a browser does."""

    def __init__(self, client: httpx2.AsyncClient, evaluator: Evaluator) -> None:
        self.client = client
        self.evaluator = evaluator

    async def get(self, path: str) -> httpx2.Response:
        return await self.client.get(path)

    async def page(self, path: str, status: int = 200) -> str:
        """The HTML at an address."""
        response = await self.client.get(path)
        assert response.status_code == status, (response.status_code, response.text)
        return response.text

    async def post(self, path: str, fields: Mapping[str, str], *, of: str, csrf: str | None = None) -> httpx2.Response:
        """Posts a form that stands on the page ``of``. csrf: instead of what stands there."""
        if csrf is None:
            found = re.search(r'name="csrf" value="([^"]+)"', await self.page(of))
            assert found is not None, f"no form on {of}"
            csrf = found[1]
        return await self.client.post(path, data={**fields, "csrf": csrf})


@asynccontextmanager
async def driven_app(folder: Path, gateway: ScriptedGateway, *, continues: bool = True) -> AsyncIterator[tuple[Evaluator, FastAPI]]:
    """An evaluator over a folder, and its pages. continues: it is a service."""
    settings = Settings.model_validate({"runs": {"attempts": 1, "deadline_s": 20}})
    scorer = Scorer(f"sqlite:///{folder / 'genlevel.db'}")
    evaluator = Evaluator(
        settings, gateway, scorer, registry=CollectorRegistry(), data_folder=folder, suites=AnySuites(), continues=continues
    )
    if continues:
        evaluator.go_on()
    found = Services(evaluator, scorer, cast(ModelsPort, gateway), lambda: cast(MonitorsPort, evaluator.monitors), None)
    try:
        yield evaluator, create_app(found, settings, Door())
    finally:
        await evaluator.close()
        scorer.close()


@asynccontextmanager
async def driven_site(folder: Path, gateway: ScriptedGateway, *, continues: bool = True) -> AsyncIterator[Site]:
    """The same, asked without a network."""
    async with (
        driven_app(folder, gateway, continues=continues) as (evaluator, app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as client,
    ):
        yield Site(client, evaluator)
