"""Predictions in every form a submission has them: found, joined by id, read as answers, with nothing dropped unsaid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from genlevel.benchmark.annotation import stream_items
from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.labels import LabelKinds, find_label
from genlevel.benchmark.model import Instance, Modality
from genlevel.benchmark.suites import load_suite
from genlevel.runtime.errors import DatasetError
from scorer.parsers import Box, Unparsable, parse_answer
from scorer.predictions.answers import LabelForm, as_answer
from scorer.predictions.files import PredictionFolder, read_predictions
from scorer.predictions.scoring import ScoredPredictions, score_predictions, scored_json

CHOICES = {"question": "Which?", "options": ["dry", "wet", "cold"]}


def suite(
    root: Path, key: str, data: list[dict[str, Any]], *, type_: str = "MultipleChoiceQA", others: dict[str, Any] | None = None
) -> Path:
    folder = root / key
    folder.mkdir(parents=True, exist_ok=True)
    modality = {"in": ["text" if key.startswith("nlp") else "image"], "out": ["text"]}
    envelope = {"task": folder.name, "type": type_, "modality": modality, "others": others or {}, "data": data}
    (folder / "annotation.json").write_text(json.dumps(envelope), encoding="utf-8")
    return root


def choice_data(*labels: Any) -> list[dict[str, Any]]:
    return [{"id": f"q{number}", "input": CHOICES, "output": {"answer": label}} for number, label in enumerate(labels)]


def predict(root: Path, key: str, entries: Any, name: str = "prediction.json") -> Path:
    folder = root / key
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(entries), encoding="utf-8")
    return root


def given_as(*predictions: Any) -> list[dict[str, Any]]:
    return [{"id": f"q{number}", "prediction": prediction} for number, prediction in enumerate(predictions)]


def scored(tmp_path: Path, key: str, data: list[dict[str, Any]], entries: Any, **options: Any) -> ScoredPredictions:
    return score_predictions(suite(tmp_path / "a", key, data, **options), predict(tmp_path / "p", key, entries), "M")


def outcome(found: ScoredPredictions) -> tuple[float, int, int]:
    """Score, answered and unparsable of the only task."""
    (task,) = found.tasks
    return task.score.score, task.score.counts.answered, task.score.counts.unparsable


@pytest.mark.parametrize("prediction", ["B", "b)", "The answer is (B).", "wet", "Answer: wet", ["B"], {"answer": "B"}, "\\boxed{B}"])
def test_a_choice_is_a_letter_or_its_text_in_any_structure(tmp_path: Path, prediction: Any) -> None:
    found = scored(tmp_path, "nlp/Causal-Reasoning", choice_data("B"), given_as(prediction))
    assert outcome(found) == (100.0, 1, 0)


@pytest.mark.parametrize("prediction", ["D", "warm", "A or B", ["A", "B"], 7, True, {}, [], "", "   ", {"a": {"b": []}}])
def test_what_is_no_choice_is_wrong_and_never_guessed(tmp_path: Path, prediction: Any) -> None:
    found = scored(tmp_path, "nlp/Causal-Reasoning", choice_data("A"), given_as(prediction))
    assert outcome(found) == (0.0, 0, 1)


@pytest.mark.parametrize("predictions", [(0, 1, 2), ("0", "1", "2"), (" " * 9 + "0", "1", "2\n"), ("A", "B", "C")])
def test_an_index_counts_from_where_the_tasks_labels_do(tmp_path: Path, predictions: tuple[Any, ...]) -> None:
    found = scored(tmp_path, "nlp/Causal-Reasoning", choice_data(0, 1, 2), given_as(*predictions))
    assert outcome(found) == (100.0, 3, 0)


def test_boxes_are_read_in_the_format_of_the_tasks_labels(tmp_path: Path) -> None:
    data = [
        {
            "id": "q0",
            "input": {"prompt": "Find birds.", "image_file": "images/not_here.jpg"},
            "output": {"bbox": {"bird": [[10, 20, 40, 60]]}},
        },
        {
            "id": "q1",
            "input": {"prompt": "Find birds.", "image_file": "images/nor_here.jpg"},
            "output": {"bbox": {"bird": [[0, 0, 30, 30]]}},
        },
    ]
    entries = given_as({"bird": [[10, 20, 40, 60]]}, [{"label": "bird", "bbox": [0, 0, 30, 30], "score": 0.9}])
    key = "image/comprehension/BirdDetection"
    found = scored(tmp_path, key, data, entries, type_="comprehension", others={"bbox_format": "(x1, y1, x2, y2)"})
    assert outcome(found) == (pytest.approx(100.0), 2, 0)
    wrong = score_predictions(tmp_path / "a", predict(tmp_path / "p", key, given_as({"bird": [[10, 20, 30, 40]]}, [[0, 0, 1, 1]])), "M")
    assert outcome(wrong) == (0.0, 2, 0)
    assert not found.problems, "media need not be there to score predictions"


def test_what_a_model_wrote_in_thousandths_is_read_with_the_size_of_its_picture(tmp_path: Path) -> None:
    key = "image/comprehension/BirdDetection"
    label = {"bbox": {"bird": [[64, 96, 128, 192]]}}
    data = [{"id": "q0", "input": {"prompt": "Find birds.", "image_file": "images/a.png"}, "output": label}]
    written = '[{"label": "bird", "box_2d": [200, 100, 600, 300]}]'
    assert outcome(scored(tmp_path, key, data, given_as(written), type_="comprehension")) == (0.0, 0, 1), "no picture, no size"
    pictures = tmp_path / "a" / key / "images"
    pictures.mkdir(parents=True)
    Image.new("RGB", (640, 480)).save(pictures / "a.png")
    assert outcome(score_predictions(tmp_path / "a", tmp_path / "p", "M")) == (pytest.approx(100.0), 1, 0)


@pytest.mark.parametrize(
    "prediction",
    [
        {"bird": [[10, 20, 40, 60]]},
        {"bbox": [{"bird": [10, 20, 40, 60]}]},
        {"text": {"bird": [[10, 20, 40, 60]]}},
        {"text": "bird", "bbox": [[10, 20, 40, 60]]},
        {"bboxes": [[10, 20, 40, 60]], "category": "bird"},
        [{"label": "bird", "x1": 10, "y1": 20, "x2": 40, "y2": 60}],
        [{"label": "bird", "box": {"x": 10, "y": 20, "width": 30, "height": 40}, "score": 0.5}],
        [{"label": "bird", "bbox_2d": [10, 20, 40, 60]}, {"label": "bird", "bbox": [50, 50, 40, 60]}],
        {"annotations": [{"category_id": 7, "bbox": [10, 20, 40, 60]}], "categories": [{"id": 7, "name": "bird"}], "info": "x"},
    ],
)
def test_boxes_may_have_any_shape_that_labels_have(prediction: Any) -> None:
    """Bare numbers are corners, as the labels are; names say their own format; a box that cannot be is one that matches nothing."""
    answer = as_answer(prediction, Instance("1", 0, "?", AnswerType.BOXES), LabelForm(LabelKinds(), "(x1, y1, x2, y2)", Modality.IMAGE))
    parsed = parse_answer("boxes", answer.text)
    assert isinstance(parsed, tuple)
    first, *rest = parsed
    assert isinstance(first, Box)
    assert (first.x, first.y, first.width, first.height, first.label) == (10, 20, 30, 40, "bird")
    assert [box.width for box in rest if isinstance(box, Box)] == [0] * len(rest)


@pytest.mark.parametrize("prediction", [{"label": "bird"}, [[1, 2, 3]], 7, [{"label": "bird", "box_2d": [1, 2, 3, 4]}]])
def test_what_holds_no_box_is_an_unparsable_prediction(prediction: Any) -> None:
    answer = as_answer(prediction, Instance("1", 0, "?", AnswerType.BOXES), LabelForm(LabelKinds(), "(x1, y1, x2, y2)", Modality.IMAGE))
    assert isinstance(parse_answer("boxes", answer.text), Unparsable)


def test_several_texts_count_by_the_first(tmp_path: Path) -> None:
    data = [{"id": f"q{n}", "input": {"question": "When?"}, "output": {"answer": ["four", "4 PM"]}} for n in range(2)]
    found = scored(
        tmp_path,
        "image/comprehension/ArtImageVisualQuestionAnswering",
        data,
        given_as(["4 PM", "no"], ["no", "4 PM"]),
        type_="comprehension",
    )
    assert outcome(found) == (50.0, 2, 0)


def test_missing_unknown_and_double_ids_are_counted_and_named(tmp_path: Path) -> None:
    entries = [
        *given_as("A", "A"),
        {"id": "q1", "prediction": "B"},
        {"id": "stranger", "prediction": "A"},
        {"id": "q2", "prediction": None},
    ]
    found = scored(tmp_path, "nlp/Causal-Reasoning", choice_data("A", "A", "A", "A"), entries)
    assert outcome(found) == (50.0, 2, 2)
    joined = found.tasks[0].joined
    assert joined is not None
    assert (joined.missing, joined.unknown, joined.duplicates) == (("q2", "q3"), ("stranger",), ("q1",))
    said = " ".join(found.problems)
    assert all(name in said for name in ("'q2'", "'q3'", "'stranger'", "'q1'"))


def test_predictions_under_a_repeated_id_are_taken_in_order_if_all_are_there(tmp_path: Path) -> None:
    data = [{"id": "same", "input": CHOICES, "output": {"answer": label}} for label in "AB"] + choice_data("C")
    entries = [{"id": "same", "prediction": "A"}, {"id": "same", "prediction": "B"}, {"id": "q0", "prediction": "C"}]
    assert outcome(scored(tmp_path, "nlp/Causal-Reasoning", data, entries)) == (100.0, 3, 0)
    fewer = score_predictions(tmp_path / "a", predict(tmp_path / "p", "nlp/Causal-Reasoning", entries[1:]), "M")
    assert outcome(fewer) == (pytest.approx(100 / 3), 1, 2)
    assert [
        problem
        for problem in fewer.problems
        if "2 instances have the id" in problem and "and 1 predictions" in problem and "same#0" in problem
    ]
    exact = [{"id": "same#1", "prediction": "B"}, {"id": "same#0", "prediction": "A"}, entries[2]]
    assert outcome(score_predictions(tmp_path / "a", predict(tmp_path / "p", "nlp/Causal-Reasoning", exact), "M")) == (100.0, 3, 0)


def test_a_task_without_a_file_is_unsupported_and_a_file_without_a_task_is_named(tmp_path: Path) -> None:
    suite(tmp_path / "a", "nlp/Causal-Reasoning", choice_data("A"))
    suite(tmp_path / "a", "nlp/Social-Science-Question-Answering", choice_data("A", "B"))
    predict(tmp_path / "p", "nlp/causal-reasoning", given_as("A"))
    stray = predict(tmp_path / "p", "nlp/Elsewhere", given_as("A")) / "nlp/Elsewhere/prediction.json"
    found = score_predictions(tmp_path / "a", tmp_path / "p", "M")
    by_key = {task.key: task.score for task in found.tasks}
    assert by_key["nlp/Causal-Reasoning"].score == 100
    other = by_key["nlp/Social-Science-Question-Answering"]
    assert not other.HasField("score")
    assert (other.counts.unsupported, other.note) == (2, "no prediction.json for this task: counted as unsupported")
    assert found.unused == (stray,)
    assert any(str(stray) in problem for problem in found.problems)


@pytest.mark.parametrize("place", ["nlp/Causal-Reasoning", "nlp/Causal-Reasoning/json", "NLP/Causal-Reasoning"])
@pytest.mark.parametrize("annotation_in_json", [False, True])
def test_predictions_lie_beside_the_annotation_or_in_the_tasks_folder(tmp_path: Path, place: str, annotation_in_json: bool) -> None:
    root = suite(tmp_path / "a", "nlp/Causal-Reasoning" + ("/json" if annotation_in_json else ""), choice_data("A"))
    assert outcome(score_predictions(root, predict(tmp_path / "p", place, given_as("A")), "M")) == (100.0, 1, 0)


def test_one_tasks_folder_is_scored_by_a_folder_with_its_predictions_alone(tmp_path: Path) -> None:
    root = suite(tmp_path / "a", "nlp/Causal-Reasoning", choice_data("A")) / "nlp" / "Causal-Reasoning"
    assert outcome(score_predictions(root, predict(tmp_path, "p", given_as("A")) / "p", "M")) == (100.0, 1, 0)
    # And beside the annotation itself.
    assert outcome(score_predictions(root, predict(root, "", given_as("B")), "M")) == (0.0, 1, 0)


def test_several_files_for_one_task_are_refused_unless_one_has_the_documented_name(tmp_path: Path) -> None:
    root = suite(tmp_path / "a", "nlp/Causal-Reasoning", choice_data("A"))
    for name in ("mine_prediction.json", "predictions.json"):
        predict(tmp_path / "p", "nlp/Causal-Reasoning", given_as("B"), name)
    with pytest.raises(DatasetError, match="several prediction files"):
        score_predictions(root, tmp_path / "p", "M")
    predict(tmp_path / "p", "nlp/Causal-Reasoning", given_as("A"))
    assert outcome(score_predictions(root, tmp_path / "p", "M")) == (100.0, 1, 0)


def test_predicted_files_that_are_not_there_are_said(tmp_path: Path) -> None:
    images = tmp_path / "a/image/generation/Text-to-Image-Generation/images"
    images.mkdir(parents=True)
    for n in range(2):
        (images / f"{n}.png").write_bytes(b"a picture")
    data = [{"id": f"q{n}", "input": {"prompt": "Draw."}, "output": {"image_file": f"images/{n}.png"}} for n in range(2)]
    found = scored(tmp_path, "image/generation/Text-to-Image-Generation", data, given_as("there.png", "gone.png"), type_="generation")
    assert [problem for problem in found.problems if "2 predictions name files that cannot be used" in problem and "there.png" in problem]
    assert not found.tasks[0].score.HasField("score")
    assert found.tasks[0].score.counts.total == 2


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"", "not JSON"),
        (b"[{]", "prediction.json:1"),
        (b'{"id": "q0"}', "neither a list"),
        (b"\xff\xfe[\x00]\x00", "UTF-8"),
        (b"[" * 200_000, "not JSON that can be read"),
        (b"[" + b"9" * 5_000 + b"]", "not JSON that can be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_in_a_line(tmp_path: Path, written: bytes, said: str) -> None:
    (tmp_path / "prediction.json").write_bytes(written)
    with pytest.raises(DatasetError, match=said) as caught:
        read_predictions(tmp_path / "prediction.json")
    assert "\n" not in str(caught.value)


def test_a_folder_without_predictions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no prediction\.json found"):
        PredictionFolder(tmp_path)


json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6), st.sampled_from(["A", "wet", "\ud800", "bird", "q0"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.text(max_size=4), st.sampled_from(["answer", "bbox", "bird", "score", "text"])), inner, max_size=3),
    ),
    max_leaves=10,
)
KEYS = {
    "nlp/Causal-Reasoning": ("MultipleChoiceQA", choice_data("A", "wet")),
    "image/comprehension/BirdDetection": (
        "comprehension",
        [{"id": f"q{n}", "input": {"prompt": "Find."}, "output": {"bbox": {"bird": [[1, 2, 3, 4]]}}} for n in range(2)],
    ),
    "nlp/Dialogue-Relation-Extraction": (
        "extraction",
        [{"id": f"q{n}", "input": {"prompt": "Extract."}, "output": {"text": "(a (X) => r => b (Y))"}} for n in range(2)],
    ),
}


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    key=st.sampled_from(sorted(KEYS)),
    predictions=st.lists(json_values, min_size=2, max_size=2),
    ids=st.lists(st.one_of(st.sampled_from(["q0", "q1"]), json_values), min_size=2, max_size=2),
)
def test_no_prediction_crashes_scoring_and_every_instance_is_counted(
    tmp_path: Path, key: str, predictions: list[Any], ids: list[Any]
) -> None:
    type_, data = KEYS[key]
    root = suite(tmp_path / key.replace("/", "-"), key, data, type_=type_)
    entries = [{"id": one, "prediction": prediction} for one, prediction in zip(ids, predictions, strict=True)]
    folder = predict(tmp_path / "p" / key.replace("/", "-"), key, entries)
    document = scored_json(score_predictions(root, folder, "M"))
    json.dumps(document, ensure_ascii=False, allow_nan=False).encode("utf-8")
    counts = document["instances"]
    assert counts["total"] == 2 == sum(count for name, count in counts.items() if name != "total")
    assert 0 <= document["tasks"][0]["score"] <= 100 + 1e-9


@pytest.mark.full
@pytest.mark.parametrize("whole_output", [False, True])
def test_labels_exactly_as_the_open_set_writes_them_score_100(openset: Path, tmp_path: Path, whole_output: bool) -> None:
    """The raw label, in whatever structure the annotation has it, or all of its output."""
    for task in load_suite(openset).tasks:
        assert isinstance(task, FolderTask)
        entries = []
        for instance, item in zip(task.labelled(), stream_items(task.annotation), strict=True):
            label = item["output"] if whole_output else find_label(item, instance.answer_type)
            entries.append({"id": instance.id, "prediction": label})
        predict(tmp_path, task.key, entries)
    found = score_predictions(openset, tmp_path, "labels")
    assert len(found.tasks) == 12
    for scored_task in found.tasks:
        assert scored_task.score.score == pytest.approx(100.0), scored_task.key
        assert scored_task.joined is not None
        assert (scored_task.joined.missing, scored_task.joined.unknown, scored_task.joined.duplicates) == ((), (), ())
