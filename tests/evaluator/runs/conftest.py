"""Where evaluators are started one after another, or together."""

from __future__ import annotations

import json

import pytest

from evaluator.runs import continuing, control
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.evaluator.runs.places import Place

PNG = b"\x89PNG\r\n\x1a\n not really"


@pytest.fixture
async def place(tmp_path, scripted, monkeypatch):
    monkeypatch.setattr(continuing, "LOOK_S", 0.05)
    monkeypatch.setattr(control, "LOOK_S", 0.05)
    monkeypatch.setattr("evaluator.service.LOOK_INTERVAL_S", 0.05)
    there = Place(tmp_path / "data", scripted)
    yield there
    for evaluator, _ in list(there.made):
        await there.stop(evaluator)


@pytest.fixture
def drawing_suite(tmp_path):
    """Makes an image generation task, with pictures in and out."""

    def make(instances=3, task="Image-Deraining"):
        folder = tmp_path / "bench" / "image" / "generation" / task
        (folder / "images").mkdir(parents=True, exist_ok=True)
        data = []
        for number in range(instances):
            for name in ("rain", "clean"):
                (folder / "images" / f"{name}{number}.png").write_bytes(PNG + f"{name}{number}".encode())
            data.append(
                {
                    "id": f"d{number}",
                    "input": {"image_file": f"images/rain{number}.png", "prompt": f"Remove the rain {number}."},
                    "output": {"image_file": f"images/clean{number}.png"},
                }
            )
        envelope = {"task": task, "type": "image generation", "modality": {"in": ["image", "text"], "out": ["image"]}, "data": data}
        (folder / "annotation.json").write_text(json.dumps(envelope))
        return tmp_path / "bench"

    return make


@pytest.fixture
def drawing(scripted):
    """The scripted gateway as a model that takes and makes pictures."""
    scripted.info.input_modalities.append(ct.MODALITY_IMAGE)
    scripted.info.output_modalities[:] = [ct.MODALITY_IMAGE]

    async def generate(request, *, timeout_s):
        scripted.requests.append(request)
        question = request.messages[0].parts[-1].text
        scripted.calls[question] += 1
        picture = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", inline=PNG + question.encode())
        usage = gw.Usage(input_tokens=5, output_images=1)
        return gw.GenerateResponse(parts=[ct.Part(media=picture)], usage=usage, cost_nano_usd=scripted.cost)

    scripted.generate = generate
    return scripted
