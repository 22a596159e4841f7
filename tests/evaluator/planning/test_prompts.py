"""How each answer type is asked: every one has a format that is stated, and a wording changes only with its version."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from evaluator.planning.prompts import MOST_OUTPUT_TOKENS, prompt_set, prompt_text, wording
from evaluator.planning.schemas import schemas
from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.model import Instance, MediaFile, Modality
from genlevel.benchmark.pictures import Size
from genlevel.benchmark.suites import load_suite


def digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def instance(kind: AnswerType, *media: Modality, **facts: object) -> Instance:
    files = tuple(MediaFile(one, Path("/nowhere/file"), "x/y") for one in media)
    return Instance("1", 0, "What is there?", kind, media=files, **facts)  # type: ignore[arg-type]


def asked(kind: AnswerType, *media: Modality, **facts: object) -> str:
    one = instance(kind, *media, **facts)
    template = prompt_set().for_instance(one)
    assert template is not None
    return prompt_text(one, template)


def test_what_is_asked_changes_only_with_its_version() -> None:
    """Two runs under one version were asked the same. If this fails on purpose, raise the version, then write down the digest."""
    types = wording()["types"]
    words = {name: {key: value for key, value in entry.items() if key != "schema"} for name, entry in types.items()}
    said = {key: wording()[key] for key in ("version", "details", "asked")} | {"types": words}
    data = [said, {"definitions": wording()["definitions"], "types": schemas()}]
    assert {prompt_set().version: digest(data)} == {"4": "6bcec833198ae77a"}


@pytest.mark.parametrize("kind", [kind for kind in AnswerType if kind is not AnswerType.MEDIA])
def test_every_type_has_a_prompt_that_states_its_format(kind: AnswerType) -> None:
    text = asked(kind, options=("yes", "no"))
    assert "What is there?" in text
    assert "Answer " in text.split("What is there?")[1]
    assert "{" not in text.replace('{"', "")  # no placeholder is left; JSON is
    template = prompt_set().for_instance(instance(kind))
    assert template is not None
    assert 64 <= template.max_output_tokens <= 8192, f"max_output_tokens of {kind} in prompts.yaml leaves no room, or too much"


@pytest.mark.parametrize("kind", [kind for kind in AnswerType if kind is not AnswerType.MEDIA])
def test_all_that_an_instance_says_is_asked_in_every_type(kind: AnswerType) -> None:
    said = {"goal": "mend {it}", "language": "Java", "source_language": "English", "target_language": "French"}
    text = asked(kind, context="CONTEXT", options=("dry", "wet"), dialog=("Hi.", "Ho."), details=said)
    assert all(
        one in text for one in ("CONTEXT", "Speaker 1: Hi.\nSpeaker 2: Ho.", "Goal: mend {it}\n", "Java", "What is there?", "dry", "wet")
    )
    assert "Source language: English\nTarget language: French\n" in text
    assert text.count("Java") == 1
    assert ("A. dry\nB. wet" if kind is AnswerType.CHOICE else "Options:\n- dry\n- wet") in text


def test_what_an_instance_does_not_say_leaves_no_trace() -> None:
    assert asked(AnswerType.LABEL, details={"bbox_format": "x"}) == "What is there?\n\nAnswer with the name of the category only."


def test_a_choice_whose_options_stand_in_the_question_alone_names_no_letters() -> None:
    assert asked(AnswerType.CHOICE).endswith("Answer with the letter of the correct option only.")
    assert asked(AnswerType.CHOICE, options=("a", "b")).endswith("Answer with the letter of the correct option only (A, B).")


def test_a_dialogue_that_names_its_speakers_is_given_no_others() -> None:
    assert asked(AnswerType.SHORT_TEXT, dialog=("Ann: Hi.", "Bob B.: Ho.")).startswith("Ann: Hi.\nBob B.: Ho.\n")
    assert asked(AnswerType.SHORT_TEXT, dialog=("Hi.", "Bob: Ho.")).startswith("Speaker 1: Hi.\nSpeaker 2: Bob: Ho.\n")


def test_a_question_about_a_dialogue_asks_for_no_next_turn() -> None:
    assert "next speaker" in asked(AnswerType.SHORT_TEXT, dialog=("Hi.", "Ho."))
    assert "next speaker" not in asked(AnswerType.SHORT_TEXT, dialog=("Hi.", "Ho."), details={"dialog": "context"})
    assert "Speaker 2: Ho." in asked(AnswerType.SHORT_TEXT, dialog=("Hi.", "Ho."), details={"dialog": "context"})


def test_depth_is_asked_for_in_its_labels_unit() -> None:
    assert asked(AnswerType.MEDIA, details={"depth_unit": "mm"}) == "What is there?\n\nGive depths in mm."
    assert asked(AnswerType.MEDIA) == "What is there?"


def test_the_limit_of_an_answer_fits_the_longest_label_of_the_task() -> None:
    def limit(kind: AnswerType, longest: int) -> int:
        template = prompt_set().for_instance(instance(kind, longest_label=longest))
        assert template is not None
        return template.max_output_tokens

    own = {kind: limit(kind, 0) for kind in AnswerType}
    assert limit(AnswerType.LONG_TEXT, 100) == own[AnswerType.LONG_TEXT] >= 1024
    assert limit(AnswerType.LONG_TEXT, 6000) == 3000
    assert limit(AnswerType.SHORT_TEXT, 1000) == 500
    assert limit(AnswerType.BOXES, 3000) == 3000
    assert limit(AnswerType.LONG_TEXT, 10**9) == MOST_OUTPUT_TOKENS
    assert {limit(kind, 6000) - own[kind] for kind in (AnswerType.CHOICE, AnswerType.LABEL, AnswerType.NUMBER, AnswerType.MEDIA)} == {0}


def test_a_medium_may_have_its_own_template() -> None:
    assert "each frame of the video" in asked(AnswerType.MASKS, Modality.VIDEO)
    assert "point cloud" in asked(AnswerType.MASKS, Modality.THREE_D)
    assert "top left corner of the image" in asked(AnswerType.MASKS, Modality.IMAGE)
    assert "subject_box" in asked(AnswerType.RELATIONS, Modality.IMAGE)
    assert "subject_box" not in asked(AnswerType.RELATIONS)


def test_a_number_that_ranks_is_asked_as_a_degree_of_certainty() -> None:
    assert "from 0 to 1" in asked(AnswerType.NUMBER, Modality.IMAGE, details={"number": "anomaly"})
    assert "Answer with the number only." in asked(AnswerType.NUMBER, Modality.IMAGE)


def test_code_is_asked_in_the_instances_own_language_where_it_is_known() -> None:
    assert "Answer with the Java code only, in one fenced" in asked(AnswerType.CODE, details={"language": "Java"})
    assert "Answer with the code only, in one fenced" in asked(AnswerType.CODE)


def test_the_reader_says_which_numbers_rank(tmp_path: Path) -> None:
    for name in ("Bottle Anomaly Detection", "Crowd Counting"):
        folder = tmp_path / "image" / "comprehension" / name
        folder.mkdir(parents=True)
        data = [{"id": "1", "input": {"question": "Is it damaged?", "image_file": "1.png"}, "output": {"answer": 1}}]
        (folder / "annotation.json").write_text(json.dumps({"task": name, "type": "comprehension", "data": data}))
        (folder / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    by_name = {task.name: next(iter(task.instances())) for task in load_suite(tmp_path).tasks}
    assert by_name["Bottle Anomaly Detection"].details == {"number": "anomaly"}
    assert by_name["Crowd Counting"].details == {}
    assert {one.answer_type for one in by_name.values()} == {AnswerType.NUMBER}


@pytest.mark.parametrize(
    ("kind", "media"),
    [
        (AnswerType.BOXES, Modality.IMAGE),
        (AnswerType.MASKS, Modality.IMAGE),
        (AnswerType.MASKS, Modality.VIDEO),
        (AnswerType.KEYPOINTS, Modality.IMAGE),
        (AnswerType.TRACK, Modality.VIDEO),
        (AnswerType.TUBES, Modality.VIDEO),
    ],
)
def test_coordinates_are_asked_for_with_the_size_of_what_is_sent(kind: AnswerType, media: Modality) -> None:
    one = instance(kind, media)
    template = prompt_set().for_instance(one)
    assert template is not None
    assert "which is 640 pixels wide and 480 pixels high" in prompt_text(one, template, Size(640, 480))
    assert "pixels wide" not in prompt_text(one, template)
    assert "{" not in prompt_text(one, template).replace('{"', "")


@pytest.mark.parametrize("kind", [AnswerType.BOXES, AnswerType.MASKS])
def test_a_confidence_is_asked_for_if_the_metric_ranks_by_it(kind: AnswerType) -> None:
    assert "confidence" not in asked(kind, Modality.IMAGE)
    assert '"score": confidence from 0 to 1' in asked(kind, Modality.IMAGE, details={"confidence": "asked"})


def test_what_earlier_versions_asked_is_kept() -> None:
    earlier = prompt_set("3")
    assert earlier.version == "3"
    template = earlier.for_instance(instance(AnswerType.BOXES, Modality.IMAGE))
    assert template is not None
    assert "pixels wide" not in prompt_text(instance(AnswerType.BOXES), template, Size(640, 480))
    assert prompt_set("2").version == prompt_set("../3").version == prompt_set().version == "4"
