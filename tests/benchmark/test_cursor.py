"""Portions of an annotation, read one after the other, are what reading it at once gives."""

from __future__ import annotations

import json

import pytest

from evaluator.planning.suites import AnySuites
from genlevel.benchmark import annotation


@pytest.fixture(params=["at once", "streamed"])
def task(request, tmp_path, monkeypatch):
    if request.param == "streamed":
        monkeypatch.setattr(annotation, "_MOST_STREAMED_AT_ONCE", 0)
    folder = tmp_path / "bench" / "nlp" / "Causal-Reasoning"
    folder.mkdir(parents=True)
    data = [{"id": f"q{number}", "input": {"question": f"Question {number}?"}, "output": {"answer": "A"}} for number in range(30)]
    (folder / "annotation.json").write_text(json.dumps({"task": "Causal-Reasoning", "type": "QA", "data": data}))
    return AnySuites().named(str(tmp_path / "bench")).suite.tasks[0]


def test_portions_are_what_the_whole_has(task):
    whole = list(task.instances())
    cursor = task.cursor()
    for positions in (range(3), range(3, 4), (6, 9, 20), range(20, 30), (0, 29), range(28, 40), ()):
        assert cursor.take(positions) == [whole[position] for position in positions if position < 30]
    cursor.close()
    assert cursor.take([5]) == [whole[5]]
    cursor.close()


def test_a_portion_further_on_does_not_begin_anew(task, monkeypatch):
    begun = []
    stream = annotation.stream_items
    monkeypatch.setattr("genlevel.benchmark.folder_task.stream_items", lambda *told, **more: begun.append(1) or stream(*told, **more))
    cursor = task.cursor()
    for first in range(0, 30, 5):
        cursor.take(range(first, first + 5))
    assert len(begun) == 1
    cursor.take([4])
    assert len(begun) == 2
    cursor.close()
