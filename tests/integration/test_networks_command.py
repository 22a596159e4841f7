"""``genlevel score`` of generated pictures by networks whose weights genlevel.yaml names: small ones, in the published ones' forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.full
TASKS = {"Edge-to-Image Generation": 20, "Image Editing with Text and Image Prompt": 6}


def test_pictures_are_scored_by_the_weights_that_are_named(genlevel: Any) -> None:
    generator = np.random.default_rng(0)
    for name, count in TASKS.items():
        labels, given = (genlevel.folder / side / "image" / "generation" / name.replace(" ", "-") for side in ("labels", "given"))
        data = []
        for index in range(count):
            for path in (labels / "images" / f"{index}.png", labels / "images" / f"in{index}.png", given / f"{index}.png"):
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(generator.integers(0, 256, (24, 32, 3)).astype(np.uint8)).save(path)
            asked = {"image_file": f"images/in{index}.png", "prompt": "a red fox"}
            data.append({"id": f"q{index}", "input": asked, "output": {"image_file": f"images/{index}.png"}})
        modality = {"in": ["image", "text"], "out": ["image"]}
        (labels / "annotation.json").write_text(json.dumps({"task": name, "type": "image generation", "modality": modality, "data": data}))
        predicted = [{"id": f"q{index}", "prediction": f"{index}.png"} for index in range(count)]
        (given / "prediction.json").write_text(json.dumps(predicted))
    ask = ("score", "--annotations", "labels", "--predictions", "given", "--model", "m", "--out", "r.xlsx", "--json")
    without = json.loads(genlevel.run(*ask, HF_HUB_CACHE=str(genlevel.folder / "none")).stdout)
    assert [task["score"] for task in without["tasks"]] == [None, None]
    assert all(task["note"].startswith("not scored: needs ") for task in without["tasks"])

    toys = toy_networks()
    toys.script(toys.Plain(), genlevel.folder / "inception.pt")
    toys.clip(genlevel.folder / "clip")
    (genlevel.folder / "genlevel.yaml").write_text("scorer: {weights: {inception: inception.pt, clip: clip}}\n")
    ran = genlevel.run(*ask)
    assert "Warning" not in ran.stderr
    fid, clip_score = json.loads(ran.stdout)["tasks"]
    assert fid["score"] > 0.0
    assert fid["stderr"] > 0.0
    assert fid["provenance"].startswith("inception: inception.pt, sha256 ")
    assert 0.0 <= clip_score["score"] <= 100.0
    assert clip_score["provenance"].startswith("clip: clip, sha256 ")


def toy_networks() -> Any:
    import importlib.util
    import sys

    path = Path(__file__).parent.parent / "scorer" / "toy_networks.py"
    spec = importlib.util.spec_from_file_location("toy_networks", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["toy_networks"] = module  # where TorchScript looks for its classes' names
    spec.loader.exec_module(module)
    return module
