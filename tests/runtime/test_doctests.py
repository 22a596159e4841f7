"""The examples in docstrings are true (the scorer's: scorer/metrics/test_doctests.py; the client's: client/test_examples.py)."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OVER_A_SERVER = {
    f"genlevel.client.{name}"
    for name in ("blocking", *(made + name for made in ("", "async_") for name in ("client", "results", "runs", "answers", "monitors")))
}
"""Modules whose examples need a client and a model's server."""
WITH_EXAMPLES = sorted(
    {
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for room in ("genlevel", "evaluator", "gateway")
        for file in (ROOT / room).rglob("*.py")
        if "    >>> " in file.read_text("utf-8")
    }
    - OVER_A_SERVER
)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_are_true(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert (found.failed, found.attempted > 0) == (0, True)
