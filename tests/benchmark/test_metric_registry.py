"""The metrics: what each label means, and how values become sigma."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.benchmark.catalogue import find_task, general_bench
from genlevel.benchmark.metrics import METRICS, is_win, metric, resolve_metric, sigma
from genlevel.runtime.errors import DatasetError

LOWER = sorted(info.id for info in METRICS.values() if info.direction == "lower")
# Metrics that are for suites of one's own alone.
IN_NO_ROW: frozenset[str] = frozenset()
HIGHER = sorted(info.id for info in METRICS.values() if info.direction == "higher")


def test_labels_are_distinct() -> None:
    labels = Counter(label for info in METRICS.values() for label in info.labels)
    assert max(labels.values()) == 1


def test_every_row_of_the_workbook_has_a_metric_and_every_metric_a_row() -> None:
    used = {task.metric.id for task in general_bench().tasks}
    assert len(used) == 58
    assert set(METRICS) == used | IN_NO_ROW, "a metric that no row of the workbook has belongs to IN_NO_ROW in this file"
    assert used.isdisjoint(IN_NO_ROW)
    for task in general_bench().tasks:
        assert task.metric.label in metric(task.metric.id).labels


def test_every_reference_is_a_value_its_metric_can_have() -> None:
    for task in general_bench().tasks:
        for references in ("workbook", "appendix"):
            value = task.reference(references)
            assert value is not None
            info = metric(task.metric.id)
            assert info.lowest <= value <= info.highest, task.name
            assert 0.0 <= sigma(task.metric.id, value) <= 100.0


@pytest.mark.parametrize(
    ("sheet", "name", "metric_id", "parameters"),
    [
        ("Video-Comprehension", "Ball Tracking", "auc", {"of": "success_plot"}),
        ("Image-Generation", "Infection-map Generation", "auc", {"of": "roc"}),
        ("Image-Comprehension", "Bird Detection", "ap_at_iou", {"iou": "0.75", "of": "boxes"}),
        ("Image-Comprehension", "Short Expression Visual Grounding", "ap_at_iou", {"iou": "0.1", "of": "boxes"}),
        ("Image-Comprehension", "Fire Detection", "ap_at_iou", {"iou": "0.5", "of": "boxes"}),
        ("Image-Comprehension", "Pedestrian Instance Segmentation", "ap_at_iou", {"iou": "0.5", "of": "masks"}),
        ("Image-Comprehension", "Person Keypoint Detection", "ap_at_iou", {"iou": "0.5", "of": "keypoints"}),
        ("Image-Comprehension", "Bottle Anomaly Detection", "average_precision", {"of": "anomaly_score"}),
        ("3D-Comprehension", "3D Indoor Instance Segmentation", "map", {"iou": "0.5", "of": "masks"}),
        ("3D-Comprehension", "3D Detection", "map", {"of": "boxes_3d", "match": "centre_distance"}),
        ("Image-Comprehension", "lmage Scene Graph Parsing", "recall_at_k", {"k": "50"}),
        ("NLP", "TriviaQA", "f1", {"of": "tokens"}),
        ("Audio-Comprehension", "Speech Event Extraction", "f1", {"of": "items"}),
        ("NLP", "Temporal Reasoning", "bleu_1", {"level": "sentence"}),
        ("Audio-Comprehension", "Long Audio Captioning", "bleu_1", {"level": "sentence"}),
        ("Video-Comprehension", "Finance Video Captioning", "bleu_1", {"level": "corpus"}),
        ("3D-Generation", "Text to 3D Living and Arts Mesh Generation", "clip_score", {"of": "image_text"}),
        ("3D-Generation", "Living and Arts Image to 3D Mesh Generation", "clip_score", {"of": "image_image"}),
        ("Video-Generation", "Background-Consistency Text to Video Geneation", "clip_score", {"of": "frame_consistency"}),
        ("Video-Generation", "Camera Motion Video Generation", "success_rate", {"of": "viclip"}),
        ("Video-Generation", "Spatial Relation Video Generation", "success_rate", {"of": "detector"}),
        ("Video-Generation", "Action-Specific Text to Video Generation", "success_rate", {"of": "action_classifier"}),
        ("3D-Generation", "Text to 3D Motion Generation", "fid", {"of": "motion"}),
        ("Audio-Generation", "ImageToSpeech", "cider", {"of": "speech"}),
    ],
)
def test_a_label_means_what_its_task_measures(sheet: str, name: str, metric_id: str, parameters: dict[str, str]) -> None:
    task = find_task(sheet, name)
    assert task is not None
    assert (task.metric.id, dict(task.metric.parameters)) == (metric_id, parameters)


def test_video_captioning_is_the_only_corpus_bleu() -> None:
    levels = Counter((dict(task.metric.parameters)["level"], task.sheet) for task in general_bench().tasks if task.metric.id == "bleu_1")
    assert levels[("corpus", "Video-Comprehension")] == 42
    assert [sheet for level, sheet in levels if level == "corpus"] == ["Video-Comprehension"]


@pytest.mark.parametrize(
    ("label", "metric_id", "parameters"),
    [
        ("AP@75", "ap_at_iou", {"iou": "0.75", "of": "boxes"}),
        ("ap@0.5", "ap_at_iou", {"iou": "0.5", "of": "boxes"}),
        ("mAP@25", "map", {"iou": "0.25", "of": "boxes"}),
        ("R@20", "recall_at_k", {"k": "20"}),
        ("accuracy", "accuracy", {}),
        ("  bleu-1 ", "bleu_1", {"level": "sentence"}),
    ],
)
def test_labels_take_thresholds_and_ids(label: str, metric_id: str, parameters: dict[str, str]) -> None:
    found = resolve_metric(label, "Image-Comprehension")
    assert (found.id, dict(found.parameters)) == (metric_id, parameters)


@pytest.mark.parametrize("label", ["", "Accuracyy", "AP0", "AP101", "mAP@0", "R@0", "BLEU"])
def test_an_unknown_label_is_named(label: str) -> None:
    with pytest.raises(DatasetError, match="is not a metric of General-Bench"):
        resolve_metric(label, "NLP", "My Task")


@pytest.mark.parametrize(
    ("metric_id", "value", "expected"),
    [
        ("accuracy", 83.33, 83.33),
        ("mae", 0.0, 100.0),
        ("mae", 50.0, 100 * (2 / (1 + math.exp(-1)) - 1)),
        ("rms", 25.0, 100 * (2 / (1 + math.exp(-2)) - 1)),
        ("mse", 5.0, 100 * (2 / (1 + math.exp(-1)) - 1)),
        ("rmse", 2.31, 100 * (2 / (1 + math.exp(-5 / 2.31)) - 1)),
        ("mcd", 5.0, 100 * (2 / (1 + math.exp(-1)) - 1)),
        ("abs_rel", 0.1, 100 * (2 / (1 + math.exp(-1)) - 1)),
        ("epe", 1.0, 100 * (2 / (1 + math.exp(-1)) - 1)),
        ("chamfer", 2.0, 100 * (2 / (1 + math.exp(-0.5)) - 1)),
        ("fid", 25.0, 100 * (2 / (1 + math.exp(-1)) - 1)),
        ("fvd", 100.0, 100 * (2 / (1 + math.exp(-1)) - 1)),
        ("fad", 10.0, 100 * (2 / (1 + math.exp(-1)) - 1)),
        ("sad", 10.0, 100 * (2 / (1 + math.exp(-1)) - 1)),
        ("rte", 0.5, 100 * (2 / (1 + math.exp(-1)) - 1)),
        ("psnr", 20.0, 100 * math.tanh(1)),
        ("psnr", math.inf, 100.0),
        ("psnr", -3.0, 0.0),
        ("wer", 5.6, 94.4),
        ("wer", 130.0, 0.0),
        ("ms_ssim", -1.0, 0.0),
        ("ms_ssim", 0.5, 75.0),
        ("mos", 1.0, 0.0),
        ("mos", 4.0, 75.0),
        ("cider", 120.0, 100.0),
        ("clip_score", -3.0, 0.0),
        ("fid", 1e-320, 100.0),
        ("fid", 1e308, 0.0),
    ],
)
def test_sigma_follows_the_papers_mapping(metric_id: str, value: float, expected: float) -> None:
    assert sigma(metric_id, value) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("metric_id", sorted(METRICS))
def test_values_that_cannot_be_are_refused(metric_id: str) -> None:
    impossible = [math.nan, -math.inf, *([-0.5, math.inf] if metric_id in LOWER else [] if metric_id == "psnr" else [math.inf])]
    for value in impossible:
        with pytest.raises(DatasetError, match=re.escape(METRICS[metric_id].labels[0])):
            sigma(metric_id, value)
        with pytest.raises(DatasetError):
            is_win(metric_id, 1.0, value)


def test_an_unknown_metric_is_named() -> None:
    with pytest.raises(DatasetError, match="'blue'"):
        sigma("blue", 1.0)


values = st.floats(0, 1e12, allow_nan=False) | st.floats(0, 200)


@given(metric_id=st.sampled_from(sorted(METRICS)), one=values, other=values)
def test_a_better_value_never_has_a_lower_sigma(metric_id: str, one: float, other: float) -> None:
    worse, better = (max(one, other), min(one, other)) if metric_id in LOWER else (min(one, other), max(one, other))
    assert 0.0 <= sigma(metric_id, worse) <= sigma(metric_id, better) <= 100.0


@given(metric_id=st.sampled_from(sorted(METRICS)), value=values, reference=values)
def test_one_of_two_values_wins_and_a_tie_wins_both_ways(metric_id: str, value: float, reference: float) -> None:
    assert is_win(metric_id, value, value)
    assert is_win(metric_id, value, reference) or is_win(metric_id, reference, value)
    assert (is_win(metric_id, value, reference) and is_win(metric_id, reference, value)) == (value == reference)


@pytest.mark.full
def test_a_model_that_copies_the_references_gets_the_published_level_2(reference_data: Path) -> None:
    expected = json.loads((reference_data / "official_cases" / "expected.json").read_text("utf-8"))["copy-of-reference.xlsx"]["paper"][
        "modalities"
    ]
    for modality, figures in expected.items():
        halves = []
        for paradigm in ("comprehension", "generation"):
            tasks = [task for task in general_bench().tasks if (task.modality, task.paradigm) == (modality, paradigm)]
            halves.append(sum(sigma(task.metric.id, task.reference_workbook or 0.0) for task in tasks) / len(tasks))
        assert sum(halves) / 2 == pytest.approx(figures["2"], abs=1e-9)
