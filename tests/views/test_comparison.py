"""What a page shows of a comparison: what is better is to the right, whichever way a metric goes, and numbers are those of the document."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.views.comparison import MOST_DRAWN, comparison_view
from tests.views.figures.svg import drawn, texts

NUMBERS = st.floats(-100.0, 100.0)


def entry(name: str, metric: str, difference: float, interval: list[float] | None, p_adjusted: float | None = 0.5) -> dict[str, Any]:
    scores = {"score_a": difference, "score_b": 0.0, "difference": difference, "interval": interval}
    tested = {"p_value": 0.25, "p_adjusted": p_adjusted, "smallest_detectable": 1.0, "test": "exact McNemar"}
    counts = {"shared": 9, "only_a": 0, "only_b": 0, "open": 0}
    return {"task": name, "key": f"k/{name}", "sheet": None, "metric": metric, **scores, **tested, "instances": counts, "note": None}


def made(name: str, metric: str, difference: float, width: float | None, sure: float | None) -> dict[str, Any]:
    return entry(name, metric, difference, None if width is None else [difference - width, difference + width], sure)


def document(*tasks: dict[str, Any]) -> dict[str, Any]:
    sides = {side: {"run": side, "model": f"model {side}", "suite_hash": None} for side in "ab"}
    level = {name: value for name, value in entry("", "accuracy", 2.0, [1.0, 3.0]).items() if name not in ("task", "key", "metric")}
    return {
        **sides,
        "suite": "s",
        "levels": {"2": level},
        "modalities": {"image": {**level, "tasks": 3}},
        "tasks": list(tasks),
        "not_shared": {"a": ["only/a"], "b": []},
    }


def test_what_surely_differs_comes_first_and_errors_are_better_if_smaller() -> None:
    found = comparison_view(
        document(
            entry("unsure", "accuracy", 9.0, [-1.0, 19.0], 0.9),
            entry("smaller error", "mae", -4.0, [-6.0, -2.0], 0.02),
            entry("worse", "accuracy", -4.0, [-6.0, -2.0], 0.01),
        )
    )
    assert [(row.task, row.better) for row in found.rows] == [("worse", "B"), ("smaller error", "A"), ("unsure", "")]
    assert found.notes == ("left out: 1 task(s) that only A has: only/a",)
    assert found.tasks_picture is not None
    said = " ".join(texts(drawn(found.tasks_picture)))
    assert "smaller error" not in said, "an error has another unit"
    assert "B better, interval below 0" in said


def test_p_values_are_corrected_for_the_comparisons_with_the_first() -> None:
    rows = comparison_view(document(entry("t", "accuracy", 1.0, None, 0.2)), 3).rows
    assert rows[0].cells[8] == pytest.approx(0.6)
    assert comparison_view(document(entry("t", "accuracy", 1.0, None, 0.5)), 3).rows[0].cells[8] == 1.0


def test_what_is_exactly_alike_is_nobody_s_win() -> None:
    found = comparison_view(document(entry("t", "accuracy", 0.0, [-1.0, 1.0])))
    assert found.tasks_picture is not None
    assert "alike" in texts(drawn(found.tasks_picture))


@given(
    tasks=st.lists(
        st.builds(
            made,
            st.text(max_size=30),
            st.sampled_from(["accuracy", "mae", "psnr", "no such metric"]),
            NUMBERS,
            st.none() | st.floats(0.0, 50.0),
            st.none() | st.floats(0.0, 1.0),
        ),
        max_size=28,
    )
)
@settings(max_examples=12, deadline=None)
def test_tables_have_the_numbers_and_pictures_can_be_drawn_of_any(tasks: list[dict[str, Any]]) -> None:
    found = comparison_view(document(*tasks))
    assert len(found.rows) == len(found.tasks.rows) == len(tasks)
    for picture in (found.scores_picture, found.tasks_picture):
        if picture is not None:
            drawn(picture)
    rows = list(csv.DictReader(io.StringIO(found.tasks.csv())))
    assert sorted(float(row["A \u2212 B"]) for row in rows) == sorted(task["difference"] for task in tasks)
    assert MOST_DRAWN < 28
