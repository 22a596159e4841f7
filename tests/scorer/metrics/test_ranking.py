"""Areas and precisions of rankings are those of SciPy and scikit-learn; missing answers rank at the wrong end."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.stats import mannwhitneyu

from scorer.metrics import Metric, NotComparable, Question, UnreadableAnswer, create
from scorer.parsers import Structured

cases = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.7, 1.0]), st.integers(0, 1)), min_size=2, max_size=30).filter(
    lambda rows: {label for _score, label in rows} == {0, 1}
)


def metric_of(name: str) -> Metric[Any]:
    metric = create(name, {"of": "roc"} if name == "auc" else {"of": "anomaly_score"})
    assert metric is not None
    return metric


def value(name: str, rows: list[tuple[float | None, int]]) -> float:
    metric = metric_of(name)
    statistics = []
    for index, (score, label) in enumerate(rows):
        question = Question("number", [str(label)])
        statistics.append((str(index), metric.worst(question) if score is None else metric.statistic(score, question)))
    return metric.compute(statistics).score / 100.0


@settings(max_examples=100)
@given(cases)
def test_the_area_is_that_of_the_rank_sum_test(rows: list[tuple[float, int]]) -> None:
    positives = [score for score, label in rows if label]
    negatives = [score for score, label in rows if not label]
    expected = mannwhitneyu(positives, negatives).statistic / len(positives) / len(negatives)
    assert value("auc", list(rows)) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=100)
@given(cases)
def test_the_precision_follows_its_definition_threshold_by_threshold(rows: list[tuple[float, int]]) -> None:
    wanted, expected, before = sum(label for _score, label in rows), 0.0, 0.0
    for threshold in sorted({score for score, _label in rows}, reverse=True):
        named = [label for score, label in rows if score >= threshold]
        recall = sum(named) / wanted
        expected += (recall - before) * sum(named) / len(named)
        before = recall
    assert value("average_precision", list(rows)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.full
def test_both_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score

    generator = random.Random(0)
    for size in (5, 50, 500):
        rows = [(round(generator.random(), 1), index % 2) for index in range(size)]
        scores, labels = [row[0] for row in rows], [row[1] for row in rows]
        assert value("auc", list(rows)) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
        assert value("average_precision", list(rows)) == pytest.approx(average_precision_score(labels, scores), abs=1e-12)


def test_an_instance_without_an_answer_stands_at_the_wrong_end() -> None:
    assert value("auc", [(0.9, 1), (None, 1), (0.1, 0)]) == 0.5
    assert value("auc", [(0.9, 1), (0.2, 1), (None, 0)]) == 0.0
    assert value("average_precision", [(0.9, 1), (None, 1), (0.1, 0)]) == 0.5
    assert value("average_precision", [(0.9, 1), (None, 0)]) == 0.5
    assert value("average_precision", [(None, 1), (None, 1), (None, 0)]) == 0.0
    assert value("auc", [(None, 1), (None, 1), (None, 0)]) == 0.0


def at_best(name: str, rows: list[tuple[float | str | None, int]]) -> float:
    """score "open": an answer that is not known, at its best."""
    metric = metric_of(name)
    statistics = []
    for index, (score, label) in enumerate(rows):
        question = Question("number", [str(label)])
        found = metric.best(question) if score == "open" else metric.worst(question) if score is None else metric.statistic(score, question)
        statistics.append((str(index), found))
    return metric.compute(statistics).score / 100.0


def test_an_open_instance_at_its_best_stands_at_the_right_end_whatever_the_others_score() -> None:
    # Scores may be above 1 and below 0.
    rows: list[tuple[float | str | None, int]] = [(7.0, 0), (-3.0, 1), (1.0, 0), (0.0, 1)]
    assert at_best("auc", [*rows, ("open", 1)]) == pytest.approx(2 / 6)
    assert at_best("auc", [*rows, ("open", 0)]) == pytest.approx(2 / 6)
    assert at_best("average_precision", [*rows, ("open", 1)]) == pytest.approx((1 + 2 / 4 + 3 / 5) / 3)
    assert at_best("average_precision", [("open", 0), (-3.0, 1)]) == 1.0
    # What was answered wrongly stays where it is.
    assert at_best("auc", [("open", 1), (None, 0)]) == at_best("auc", [("open", 0), (None, 1)]) == 0.0
    assert at_best("average_precision", [("open", 0), (None, 1)]) == 0.0
    assert at_best("auc", [("open", 1), ("open", 0)]) == 1.0
    # Behind a normal instance without an answer a tie is worth more than a place of its own.
    tied = [(None, 0), (0.0, 1), (0.0, 1)]
    assert at_best("average_precision", [*tied[:2], ("open", 1)]) >= value("average_precision", tied)


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.sampled_from([-5.0, 0.0, 0.5, 1.0, 9.0, None]), st.integers(0, 1)), min_size=1, max_size=8),
    st.lists(st.tuples(st.floats(-1e6, 1e6) | st.sampled_from([-5.0, 0.0, 0.5, 1.0, 9.0]), st.integers(0, 1)), min_size=1, max_size=3),
    st.sampled_from(["auc", "average_precision"]),
)
def test_no_answer_of_an_open_instance_is_above_its_best(
    known: list[tuple[float | None, int]], answers: list[tuple[float, int]], name: str
) -> None:
    best = at_best(name, [*known, *(("open", label) for _score, label in answers)])
    assert value(name, [*known, *answers]) <= best + 1e-12
    if name == "average_precision" and (None, 0) in known:
        return
    # It can be had: surer than all others.
    sure = [(1e9 if label else -1e9, label) for _score, label in answers]
    assert value(name, [*known, *sure]) == pytest.approx(best, abs=1e-12)


def test_without_both_kinds_there_is_no_ranking() -> None:
    assert value("auc", [(0.9, 1), (0.2, 1)]) == 0.5
    assert value("average_precision", [(0.9, 0), (0.2, 0)]) == 0.0


@pytest.mark.parametrize(("label", "positive"), [("1", True), ("0", False), ("Anomaly", True), ("good", False), ("normal.", False)])
def test_labels_are_numbers_or_say_it_in_words(label: str, positive: bool) -> None:
    metric = metric_of("average_precision")
    assert metric.statistic(0.3, Question("number", [label])) == [[0.3, int(not positive), int(positive)]]
    assert metric.statistic("anomalous", Question("label", [label])) == [[1.0, int(not positive), int(positive)]]
    with pytest.raises(NotComparable, match="neither 0 nor 1"):
        metric.statistic(0.3, Question("number", ["perhaps"]))


def test_the_standard_error_is_about_that_of_many_samples() -> None:
    metric = metric_of("auc")
    generator = np.random.default_rng(1)

    def sample() -> list[tuple[str, Any]]:
        labels = generator.integers(0, 2, 150)
        scores = np.round(generator.normal(labels * 0.8), 3)
        return [
            (str(index), [[float(score), int(1 - label), int(label)]])
            for index, (score, label) in enumerate(zip(scores, labels, strict=True))
        ]

    values = [metric.compute(sample()) for _run in range(60)]
    spread = float(np.std([found.score for found in values], ddof=1))
    assert np.mean([found.standard_error for found in values]) == pytest.approx(spread, rel=0.25)


def test_the_pixels_of_maps_are_ranked_together(tmp_path: Path) -> None:
    generator = np.random.default_rng(2)
    metric, rows, scores, labels = metric_of("auc"), [], [], []
    for index in range(3):
        mask = generator.random((6, 8)) < 0.3
        found = np.rint(255 * np.clip(generator.normal(0.3 + 0.3 * mask, 0.2), 0, 1)).astype(np.uint8)
        Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / f"label{index}.png")
        Image.fromarray(found).save(tmp_path / f"answer{index}.png")
        question = Question("media", {"file": str(tmp_path / f"label{index}.png")})
        rows.append((str(index), metric.statistic(Structured([{"file": str(tmp_path / f"answer{index}.png")}]), question)))
        assert metric.compute([("a", metric.best(question))]).score == 100.0
        assert metric.compute([("a", metric.worst(question))]).score == 0.0
        scores += found.ravel().tolist()
        labels += mask.ravel().tolist()
    positives, negatives = ([score for score, label in zip(scores, labels, strict=True) if label is kind] for kind in (True, False))
    expected = mannwhitneyu(positives, negatives).statistic / len(positives) / len(negatives)
    assert metric.compute(rows).score == pytest.approx(100.0 * expected, abs=1e-9)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    broken = Structured([{"file": str(tmp_path / "broken.png")}])
    with pytest.raises(UnreadableAnswer, match="broken"):
        metric.statistic(broken, question)
    with pytest.raises(NotComparable, match="broken"):
        metric.statistic(broken, Question("media", {"file": str(tmp_path / "broken.png")}))
