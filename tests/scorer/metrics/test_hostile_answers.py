"""Whatever stands in an answer or a label of boxes, masks, tracks and relations ends in a statistic or in one of the two typed errors."""

from __future__ import annotations

import contextlib
import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scorer.metrics import NotComparable, Question, UnreadableAnswer, create
from scorer.parsers import Structured

FOLDER = Path(__file__).parent / "metric_examples"
ROWS: list[dict[str, Any]] = [
    row for name in ("detection", "segmentation", "tracking") for row in runpy.run_path(str(FOLDER / f"{name}.py"))["EXAMPLES"]
]
KEYS = ["label", "mask", "box", "boxes", "points", "size", "counts", "polygons", "file", "score", "frame", "id", "subject", "object"]
numbers = st.one_of(st.integers(-3, 40), st.sampled_from([10**400, 2**63, -(2**63), 1e308, float("nan"), float("inf"), 0.5]))
plain = st.one_of(st.none(), st.booleans(), numbers, st.sampled_from(["", "car", "/nowhere.png", "\ud800", "7"]))
values = st.recursive(
    plain, lambda inner: st.one_of(st.lists(inner, max_size=8), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)), max_leaves=12
)


def name_of(row: dict[str, Any]) -> str:
    return " ".join([row["metric"], *(f"{key}={value}" for key, value in row.get("parameters", {}).items())])


@st.composite
def spoiled(draw: st.DrawFn, value: Any) -> Any:
    """The value with one part of it replaced by anything."""
    if isinstance(value, list) and value and draw(st.integers(0, 3)):
        index = draw(st.integers(0, len(value) - 1))
        return [*value[:index], draw(spoiled(value[index])), *value[index + 1 :]]
    if isinstance(value, dict) and value and draw(st.integers(0, 3)):
        key = draw(st.sampled_from(sorted(value)))
        return value | {key: draw(spoiled(value[key]))}
    return draw(values)


@pytest.mark.parametrize("row", [row for row in ROWS if row["metric"] != "average_precision"], ids=name_of)
def test_hostile_answers_and_labels_end_in_typed_errors(row: dict[str, Any]) -> None:
    metric = create(row["metric"], row.get("parameters", {}))
    assert metric is not None

    @settings(max_examples=30, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def law(data: st.DataObject) -> None:
        answer, question = data.draw(row["pairs"])
        if isinstance(answer, Structured):
            hostile = Structured(data.draw(spoiled(answer.value)))
            with contextlib.suppress(UnreadableAnswer):
                found = metric.statistic(hostile, question)
                score = metric.compute([("a", json.loads(json.dumps(found, allow_nan=False)))]).score
                assert 0.0 <= score <= 100.0 + 1e-9 or metric.direction == "lower"
        broken = Question(question.answer_type, data.draw(spoiled(question.label)), details=question.details)
        with contextlib.suppress(NotComparable, UnreadableAnswer):  # pixels cannot be held against what is now points
            json.dumps(metric.statistic(answer, broken), allow_nan=False)
        for measure in (metric.best, metric.worst):
            with contextlib.suppress(NotComparable):
                json.dumps(measure(broken), allow_nan=False)

    law()
