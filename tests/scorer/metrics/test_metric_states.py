"""Laws that every metric keeps: free of order, split and repetition; bounded by worst and best; sensible errors.

Every file of metric_examples/ adds metrics to the laws: it has EXAMPLES, a list of rows, one for each metric and its parameters:
    metric, parameters, variant   as ``create`` takes them; the last two may be left out
    make        instead: a function that returns the metric, where ``create`` needs what is not installed here
    pairs       (answer, question) as a hypothesis strategy or a list; or a function from a folder for files to one of these
    best        the score where every answer is the label itself (default: the metric's best value); None: it depends
    worst       the score where every answer is wrong (default: 0 where higher is better, else None); None: it depends
    bounds      False where an answer can be worse than none, as one that adds words without end can
    draws       how many cases hypothesis tries (default 25), fewer for what is slow
"""

from __future__ import annotations

import json
import math
import random
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scorer.metrics import Metric, MetricState, NotComparable, Question, create, implemented
from scorer.parsers import Box, Parsed

FILES = sorted((Path(__file__).parent / "metric_examples").glob("*.py"))
ROWS: list[dict[str, Any]] = [row for file in FILES for row in runpy.run_path(str(file))["EXAMPLES"]]


def name_of(row: dict[str, Any]) -> str:
    return " ".join(
        [row["metric"], *(f"{key}={value}" for key, value in row.get("parameters", {}).items()), row.get("variant", "")]
    ).strip()


def metric_of(row: dict[str, Any]) -> Metric[Any]:
    metric = row["make"]() if "make" in row else create(row["metric"], row.get("parameters", {}), row.get("variant", "default"))
    assert metric is not None
    assert metric.id == row["metric"]
    return metric


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("examples")


def pairs_of(row: dict[str, Any], folder: Path) -> st.SearchStrategy[tuple[Any, Question]]:
    if not hasattr(row["pairs"], "example") and callable(row["pairs"]):
        row["pairs"] = row["pairs"](folder)  # once: files are written to the folder
    found = row["pairs"]
    return st.sampled_from(found) if isinstance(found, list) else found


def test_every_metric_that_can_be_computed_has_examples() -> None:
    assert implemented() - {row["metric"] for row in ROWS} == set()


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_any_split_in_any_order_delivered_twice_gives_the_same_score(row: dict[str, Any], folder: Path) -> None:
    metric = metric_of(row)

    @settings(max_examples=row.get("draws", 15), suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def law(data: st.DataObject) -> None:
        pairs: list[tuple[Parsed, Question]] = data.draw(st.lists(pairs_of(row, folder), min_size=1, max_size=8))
        statistics = [(f"id{index}", metric.statistic(answer, question)) for index, (answer, question) in enumerate(pairs)]
        whole = MetricState(metric)
        for key, statistic in statistics:
            whole.update(key, statistic)
        shards = [MetricState(metric) for _shard in range(3)]
        for key, statistic in statistics * 2:
            # As it comes back from the store.
            data.draw(st.sampled_from(shards)).update(key, json.loads(json.dumps(statistic, allow_nan=False)))
        merged = MetricState(metric)
        for shard in [*data.draw(st.permutations(shards)), shards[0]]:
            merged.merge(shard)
        assert set(merged.statistics) == set(whole.statistics)
        one, other = whole.compute(), merged.compute()
        assert other.score == pytest.approx(one.score, rel=1e-9, abs=1e-9)
        assert (other.standard_error is None) == (one.standard_error is None)
        assert other.standard_error is None or other.standard_error == pytest.approx(one.standard_error, rel=1e-9, abs=1e-9)
        # Whatever order the instances have, also without the state's sorting.
        shuffled = metric.compute(data.draw(st.permutations(sorted(whole.statistics.items()))))
        assert shuffled.score == pytest.approx(one.score, rel=1e-9, abs=1e-9)
        if (share := metric.weighted(statistics)) is not None:
            assert 100.0 * share(np.ones(len(statistics))) == pytest.approx(one.score, rel=1e-9, abs=1e-9)
        assert metric.info.lowest - 1e-9 <= one.score <= metric.info.highest + 1e-9
        assert one.standard_error is None or (len(pairs) > 1 and one.standard_error >= 0.0)

    law()


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_the_label_as_answer_scores_the_best_and_no_answer_lies_beyond_the_bounds(row: dict[str, Any], folder: Path) -> None:
    metric = metric_of(row)
    higher = metric.direction == "higher"
    best = row.get("best", metric.info.highest if higher else metric.info.lowest)
    worst = row.get("worst", 0.0 if higher else None)

    @settings(max_examples=row.get("draws", 15), suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def law(data: st.DataObject) -> None:
        pairs = data.draw(st.lists(pairs_of(row, folder), min_size=1, max_size=5))
        score = metric.compute([(str(index), metric.statistic(answer, question)) for index, (answer, question) in enumerate(pairs)]).score
        at_best = metric.compute([(str(index), metric.best(question)) for index, (_answer, question) in enumerate(pairs)]).score
        at_worst = metric.compute([(str(index), metric.worst(question)) for index, (_answer, question) in enumerate(pairs)]).score
        assert math.isfinite(score)
        if best is not None:
            assert at_best == pytest.approx(best, abs=1e-7)
        if worst is not None:
            assert at_worst == pytest.approx(worst, abs=1e-7)
        if best is not None and worst is not None and row.get("bounds", True):
            low, high = sorted((at_best, at_worst))
            assert low - 1e-9 <= score <= high + 1e-7

    law()


def test_standard_error_of_a_mean_is_that_of_the_textbook() -> None:
    metric = create("accuracy")
    assert metric is not None
    rows = [(str(index), float(index < 30)) for index in range(100)]
    value = metric.compute(rows)
    assert value.score == 30.0
    assert value.standard_error == pytest.approx(100 * math.sqrt(0.3 * 0.7 / 99))
    assert metric.compute(rows[:1]).standard_error is None


@pytest.mark.parametrize(("metric_id", "parameters"), [("micro_f1", {}), ("bleu_1", {"level": "corpus"})])
def test_delta_method_errors_agree_with_a_bootstrap(metric_id: str, parameters: dict[str, str]) -> None:
    metric = create(metric_id, parameters)
    assert metric is not None
    generator = random.Random(1)
    if metric_id == "micro_f1":
        rows: list[Any] = [[generator.randrange(3), generator.randrange(3), generator.randrange(1, 3)] for _row in range(200)]
    else:
        rows = [[generator.randrange(1, 5), generator.randrange(5, 8), generator.randrange(6, 10)] for _row in range(200)]
    keyed = [(str(index), row) for index, row in enumerate(rows)]
    draws = [metric.compute([(str(index), generator.choice(rows)) for index in range(200)]).score for _draw in range(600)]
    mean = sum(draws) / len(draws)
    spread = math.sqrt(sum((draw - mean) ** 2 for draw in draws) / (len(draws) - 1))
    assert metric.compute(keyed).standard_error == pytest.approx(spread, rel=0.12)


@pytest.mark.parametrize(
    ("answer", "question", "right"),
    [
        ("B", Question("choice", "B", ("x", "y")), 1.0),
        ("A", Question("choice", "b", ("x", "y")), 0.0),
        ("LAND ROVER.", Question("label", ["Land Rover"]), 1.0),
        ("Rover", Question("label", ["Land Rover"]), 0.0),
        ("man", Question("short_text", ["person", "man"]), 1.0),
        ("Ｍan", Question("short_text", ["man"]), 1.0),
        (12.0, Question("number", ["12 %"]), 1.0),
        (12.5, Question("number", ["12"]), 0.0),
        (("b", "A"), Question("items", ["a", "b"]), 1.0),
        (("a",), Question("items", ["a", "b"]), 0.0),
    ],
)
def test_accuracy_and_exact_match_compare_by_answer_type(answer: Parsed, question: Question, right: float) -> None:
    for metric_id in ("accuracy", "exact_match"):
        metric = create(metric_id)
        assert metric is not None
        assert metric.statistic(answer, question) == right


def test_micro_f1_pools_over_instances_and_reads_labels_as_sets() -> None:
    metric = create("micro_f1")
    assert metric is not None
    rows = [
        ("a", metric.statistic(("joy", "(fear"), Question("items", ["Joy", "fear)", "anger"]))),
        ("b", metric.statistic("Neutral", Question("label", ["neutral"]))),
        ("c", metric.statistic("joy, anger", Question("short_text", ["anger, sadness"]))),
    ]
    assert rows == [("a", [2, 0, 1]), ("b", [1, 0, 0]), ("c", [1, 1, 1])]
    assert metric.compute(rows).score == pytest.approx(100 * 8 / (8 + 1 + 2))


def test_text_metrics_compare_a_choice_by_its_options_text() -> None:
    metric = create("f1")
    assert metric is not None
    assert metric.statistic("A", Question("choice", "B", ("the red fox", "the fox"))) == pytest.approx(0.8)


@pytest.mark.parametrize("metric_id", ["accuracy", "exact_match", "f1", "micro_f1", "bleu_1", "bleu_4", "rouge_1", "rouge_l", "anls"])
def test_boxes_are_no_text(metric_id: str) -> None:
    metric = create(metric_id)
    assert metric is not None
    with pytest.raises(NotComparable, match="boxes"):
        metric.statistic((Box(0, 0, 1, 1),), Question("boxes", [{"label": "a", "box": [0, 0, 1, 1]}]))


def test_what_cannot_be_computed_here_is_none_and_what_does_not_exist_is_named() -> None:
    from genlevel.runtime.errors import DatasetError

    assert create("f1", {"of": "no such sense"}) is None
    assert create("accuracy", variant="no such variant") is None
    with pytest.raises(DatasetError, match="no_such"):
        create("no_such")
