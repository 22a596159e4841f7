"""A card within somebody else's page: self-contained, harmless, and alone."""

from __future__ import annotations

import asyncio
from typing import Any

import html5lib
import pytest

from genlevel.benchmark.catalogue import general_bench
from genlevel.connection.services import verdict_of
from genlevel.documents.runs import result_document
from genlevel.views.card_html import card_html
from tests.web.scored import ScoredRuns, choices

TASKS = [task for task in general_bench().tasks if task.metric.id == "accuracy" and task.sheet == "Image-Comprehension"][:2]
HOSTILE = "</style></div><script>alert(1)</script><img src=x onerror=alert(2)>\u202e\x00"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    runs = ScoredRuns(tmp_path_factory.mktemp("piece"))
    asyncio.run(runs.store("run", {task.id: choices(70, 100) for task in TASKS}, TASKS, model=HOSTILE))
    return result_document(runs.evaluator.runs["run"], asyncio.run(verdict_of(runs.services(), "run")))


def test_the_piece_is_one_valid_element_that_loads_and_runs_nothing(document: dict[str, Any]) -> None:
    piece = card_html(document)
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree = parser.parse(f"<!DOCTYPE html><html><head><title>t</title></head><body>{piece}</body></html>")
    (body,) = [element for element in tree if element.tag == "body"]
    assert [child.tag for child in body] == ["div"]
    tags = {element.tag for element in body.iter() if isinstance(element.tag, str)}
    assert not tags & {"script", "img", "link", "iframe", "a", "object"}
    assert not [
        name for element in body.iter() for name in element.attrib if name.startswith("on") or name in ("src", "href", "style", "id")
    ]
    assert "url(" not in piece
    assert len(piece.encode()) < 100_000


def test_names_are_texts(document: dict[str, Any]) -> None:
    piece = card_html(document)
    assert "<script" not in piece
    assert piece.count("</style>") == 1
    assert r"\u202e\x00" in piece


def test_a_run_without_a_score_is_told(document: dict[str, Any]) -> None:
    piece = card_html({**document, "level": None})
    assert "No task has been scored yet." in piece
    assert "<svg" not in piece
