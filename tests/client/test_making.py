"""The client that waits, and the reference, are what the asynchronous client makes them; every value says what each of its fields means."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def make_client() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_client", ROOT / "scripts" / "make_client.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def meant(source: str) -> tuple[set[str], list[str]]:
    """What a module's source means: what it imports, in whichever order, and the rest."""
    body = ast.parse(source).body
    kinds = (ast.Import, ast.ImportFrom, ast.If)
    imports = {ast.unparse(one) for node in body if isinstance(node, kinds) for one in ast.walk(node) if isinstance(one, kinds[:2])}
    flat = {f"{line.partition(' import ')[0]} import {name}" for line in imports for name in line.partition(" import ")[2].split(", ")}
    return flat, [ast.dump(node) for node in body if not isinstance(node, kinds)]


@pytest.mark.parametrize("name", ["client", "results", "runs", "answers", "monitors"])
def test_the_client_that_waits_is_made_of_the_asynchronous_one(name: str, make_client: ModuleType) -> None:
    made, there = make_client.waiting_module(name), (ROOT / "genlevel" / "client" / f"{name}.py").read_text("utf-8")
    assert meant(there) == meant(made), "run: python scripts/make_client.py"


def test_the_reference_is_made_of_the_docstrings(make_client: ModuleType) -> None:
    page = (ROOT / "docs" / "client.md").read_text("utf-8")
    assert page == make_client.page(page), "run: python scripts/make_client.py"


def test_every_field_of_a_value_is_told(make_client: ModuleType) -> None:
    for node in make_client.values():
        fields = [entry.target.id for entry in node.body if isinstance(entry, ast.AnnAssign) and isinstance(entry.target, ast.Name)]
        members = [
            target.id.upper()
            for entry in node.body
            if isinstance(entry, ast.Assign)
            for target in entry.targets
            if isinstance(target, ast.Name)
        ]
        told = re.findall(r"^    (\w+): ", (ast.get_docstring(node) or "").partition("Attributes:\n")[2], re.MULTILINE)
        assert told == fields + members, node.name


def test_every_value_and_every_class_can_be_imported_by_its_name(make_client: ModuleType) -> None:
    from genlevel import client
    from genlevel.client import values

    there = {node.name for node in make_client.values()} - {"Limits", "Traffic", "Until", "Asked"}
    assert set(values.__all__) == there
    assert all(isinstance(getattr(values, name), type) for name in there)
    names = ("Client", "Run", "Answers", "Monitor")
    assert all(getattr(client, f"{kind}{name}").__name__ == f"{kind}{name}" for name in names for kind in ("", "Async"))
