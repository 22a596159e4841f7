"""Laws that every metric keeps: free of order, split and repetition; bounded by worst and best; sensible errors."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.benchmark.metrics import metric as metric_info
from scorer.metrics import IMPLEMENTED, MetricState, NotComparable, Question, create
from scorer.parsers import Box, Parsed

CASES = [(metric_id, {}) for metric_id in sorted(IMPLEMENTED)] + [
    ("bleu_1", {"level": "corpus"}),
    ("f1", {"of": "items"}),
    ("ap_at_iou", {"iou": "0.75"}),
]
names = [f"{metric_id} {parameters}" for metric_id, parameters in CASES]
WORDS = ["red", "green fox", "the dog ran", "Blue", "2", ""]
text_pairs = st.tuples(st.sampled_from(WORDS), st.lists(st.sampled_from(WORDS[:-1]), min_size=1, max_size=3)).map(
    lambda pair: (pair[0], Question("short_text", pair[1]))
)
item_pairs = st.tuples(st.lists(st.sampled_from("abc"), max_size=3), st.lists(st.sampled_from("abc"), min_size=1, max_size=3)).map(
    lambda pair: (tuple(pair[0]), Question("items", pair[1]))
)
one_box = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 4), st.integers(1, 4))
box_pairs = st.tuples(st.lists(one_box, max_size=3), st.lists(one_box, min_size=1, max_size=3), st.sampled_from([None, 0.3, 0.7])).map(
    lambda case: (
        tuple(Box(*map(float, box), label="a", confidence=case[2]) for box in case[0]),
        Question("boxes", [{"label": "a", "box": list(box)} for box in case[1]]),
    )
)


def pairs_for(metric_id: str, parameters: dict[str, str]) -> st.SearchStrategy[tuple[Any, Question]]:
    if metric_id == "ap_at_iou":
        return box_pairs
    return item_pairs if parameters.get("of") == "items" else text_pairs


@pytest.mark.parametrize(("metric_id", "parameters"), CASES, ids=names)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_split_in_any_order_delivered_twice_gives_the_same_score(
    metric_id: str, parameters: dict[str, str], data: st.DataObject
) -> None:
    metric = create(metric_id, parameters)
    assert metric is not None
    pairs: list[tuple[Parsed, Question]] = data.draw(st.lists(pairs_for(metric_id, parameters), min_size=1, max_size=8))
    statistics = [(f"id{index}", metric.statistic(answer, question)) for index, (answer, question) in enumerate(pairs)]
    whole = MetricState(metric)
    for key, statistic in statistics:
        whole.update(key, statistic)
    shards = [MetricState(metric) for _shard in range(3)]
    for key, statistic in statistics * 2:
        # As it comes back from the store.
        data.draw(st.sampled_from(shards)).update(key, json.loads(json.dumps(statistic)))
    merged = MetricState(metric)
    for shard in [*data.draw(st.permutations(shards)), shards[0]]:
        merged.merge(shard)
    assert set(merged.statistics) == set(whole.statistics)
    assert merged.compute() == whole.compute()
    assert metric_info(metric_id).lowest <= whole.compute().score <= metric_info(metric_id).highest + 1e-9


@pytest.mark.parametrize(("metric_id", "parameters"), CASES, ids=names)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_label_as_answer_scores_the_best_and_no_answer_lies_beyond_the_bounds(
    metric_id: str, parameters: dict[str, str], data: st.DataObject
) -> None:
    metric = create(metric_id, parameters)
    assert metric is not None
    pairs = data.draw(st.lists(pairs_for(metric_id, parameters), min_size=1, max_size=5))
    given_answers = {str(index): metric.statistic(answer, question) for index, (answer, question) in enumerate(pairs)}
    best = {str(index): metric.best(question) for index, (_answer, question) in enumerate(pairs)}
    worst = {str(index): metric.worst(question) for index, (_answer, question) in enumerate(pairs)}
    highest = metric.compute(sorted(best.items())).score
    # BLEU-4 smooths texts of fewer than four tokens, so even the label itself stays below 100 there.
    assert highest == pytest.approx(100.0) or metric_id == "bleu_4"
    assert metric.compute(sorted(worst.items())).score == 0.0
    assert 0.0 <= metric.compute(sorted(given_answers.items())).score <= highest + 1e-9


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


@pytest.mark.parametrize("metric_id", sorted(IMPLEMENTED - {"ap_at_iou"}))
def test_boxes_are_no_text(metric_id: str) -> None:
    metric = create(metric_id)
    assert metric is not None
    with pytest.raises(NotComparable, match="boxes"):
        metric.statistic((Box(0, 0, 1, 1),), Question("boxes", [{"label": "a", "box": [0, 0, 1, 1]}]))


def test_what_cannot_be_computed_here_is_none_and_what_does_not_exist_is_named() -> None:
    from genlevel.runtime.errors import DatasetError

    assert create("fid") is None
    assert create("f1", {"of": "pixels"}) is None
    assert create("accuracy", variant="official") is None
    with pytest.raises(DatasetError, match="no_such"):
        create("no_such")
