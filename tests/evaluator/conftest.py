"""A gateway in memory that answers as told, and suites on disk."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from evaluator.planning.suites import AnySuites
from evaluator.service import Evaluator
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.settings import Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from scorer.service import Scorer


class ScriptedGateway:
    """Answers "A" unless ``script`` says otherwise: it takes the question and its number of calls so far, and returns text or raises."""

    def __init__(self) -> None:
        self.script: Callable[[str, int], str] = lambda question, calls: "A"
        self.calls: Counter[str] = Counter()
        self.requests: list[gw.GenerateRequest] = []
        self.info = gw.ModelInfo(
            route="m", provider="compatible", model="m", account="acct", ready=True,
            input_modalities=[ct.MODALITY_TEXT], output_modalities=[ct.MODALITY_TEXT],
        )  # fmt: skip
        self.cost: int | None = None
        self.usage = gw.Usage(input_tokens=10, output_tokens=2)
        self.fingerprint = ""
        self.most_at_once = 0
        self._open = 0
        self.latency_s = 0.0

    async def generate(self, request: gw.GenerateRequest, *, timeout_s: float) -> gw.GenerateResponse:
        question = request.messages[0].parts[-1].text.splitlines()[0]
        self.calls[question] += 1
        self.requests.append(request)
        self._open += 1
        self.most_at_once = max(self.most_at_once, self._open)
        try:
            await asyncio.sleep(self.latency_s)
            text = self.script(question, self.calls[question])
        finally:
            self._open -= 1
        return gw.GenerateResponse(
            parts=[ct.Part(text=text)], finish_reason=gw.FINISH_REASON_STOP, usage=self.usage,
            cost_nano_usd=self.cost, provider="compatible", model="m",
            provider_fingerprint=self.fingerprint,
        )  # fmt: skip

    async def list_models(self, request: gw.ListModelsRequest) -> gw.ListModelsResponse:
        return gw.ListModelsResponse(models=[self.info])


def failing(error_class: int, times: int = 10**9, **facts: Any) -> Callable[[str, int], str]:
    """A script: fails so many times per question, then answers."""

    def script(question: str, calls: int) -> str:
        if calls <= times:
            raise CallFailed(error_class, "as scripted", **facts)
        return "A"

    return script


@pytest.fixture
def scripted() -> ScriptedGateway:
    return ScriptedGateway()


@pytest.fixture
def failing_script() -> Callable[..., Callable[[str, int], str]]:
    return failing


@pytest.fixture
def suite_folder(tmp_path: Path) -> Callable[..., Path]:
    def make(instances: int = 10, task: str = "Causal-Reasoning") -> Path:
        folder = tmp_path / "bench" / "nlp" / task
        folder.mkdir(parents=True, exist_ok=True)
        data = [
            {"id": f"q{n}", "input": {"question": f"Question {n}?", "options": ["yes", "no"]}, "output": {"answer": "A" if n % 2 else "B"}}
            for n in range(instances)
        ]
        (folder / "annotation.json").write_text(json.dumps({"task": task, "type": "MultipleChoiceQA", "data": data}))
        return tmp_path / "bench"

    return make


@pytest.fixture
async def make_evaluator(tmp_path: Path, scripted: ScriptedGateway) -> AsyncIterator[Callable[..., tuple[Evaluator, Scorer]]]:
    """Evaluators over one data folder; a second one sees what the first one stored."""
    made: list[tuple[Evaluator, Scorer]] = []

    def make(**runs: Any) -> tuple[Evaluator, Scorer]:
        settings = Settings.model_validate({"runs": {"attempts": 3, "deadline_s": 20, **runs}, "storage": {"patience_s": 0.3}})
        url = f"sqlite:///{tmp_path / 'data' / 'genlevel.db'}"
        scorer = Scorer(url)
        evaluator = Evaluator(settings, scripted, scorer, registry=CollectorRegistry(), data_folder=tmp_path / "data", suites=AnySuites())
        made.append((evaluator, scorer))
        return evaluator, scorer

    yield make
    for evaluator, scorer in made:
        await evaluator.close()
        scorer.close()
