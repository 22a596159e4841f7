"""Small task folders in General-Bench layout, written for a test."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)

WriteTask = Callable[..., Path]


@pytest.fixture
def write_task(tmp_path: Path) -> WriteTask:
    """Writes one annotation: write_task("nlp/Causal-Reasoning", items, type="MultipleChoiceQA", images=["a.png"])."""

    def write(key: str, items: Any, file: str = "annotation.json", images: tuple[str, ...] = (), **envelope: Any) -> Path:
        folder = tmp_path / key
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(json.dumps({**envelope, "data": items}), "utf-8")
        for name in images:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(PNG)
        return tmp_path

    return write
