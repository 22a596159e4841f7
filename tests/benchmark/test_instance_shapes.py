"""Instances in every shape the data has: prompts, contexts, options, media and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.mime import mime_type
from genlevel.benchmark.model import Instance, Modality
from genlevel.benchmark.suites import load_suite

CAR = "image/comprehension/Car-Brands-Recognition"


def one(root: Path) -> Instance:
    (task,) = load_suite(root).tasks
    (instance,) = task.instances()
    return instance


def asked(write_task: Any, key: str, given: Any, output: Any = None, **envelope: Any) -> Instance:
    item = {"id": "i", "input": given} | ({} if output is None else {"output": output})
    return one(write_task(key, [item], **envelope))


def test_placeholders_are_filled_from_the_input(write_task: Any) -> None:
    given = {"prompt": "<<<tweets>>> Stance on <<< target >>>?", "tweets": ["one", "two"], "target": "tea", "extra": 3}
    instance = asked(write_task, "nlp/Stance-Detection", given, {"category": "for"}, type="classification")
    assert instance.prompt == "one\ntwo Stance on tea?"
    assert instance.context == "extra: 3"
    assert (instance.answer_type, instance.label) == (AnswerType.LABEL, ["for"])


def test_a_filled_value_is_not_searched_for_placeholders(write_task: Any) -> None:
    instance = asked(write_task, "nlp/Stance-Detection", {"prompt": "<<<a>>>", "a": "<<<b>>>"}, {"category": "x"})
    assert (instance.prompt, instance.problem) == ("<<<b>>>", "")


def test_a_placeholder_without_a_value_is_named(write_task: Any) -> None:
    root = write_task("nlp/Stance-Detection", [{"id": "i7", "input": {"prompt": "<<<aspect>>>?"}, "output": {"category": "x"}}])
    instance = one(root)
    assert "annotation.json: item 0 (id 'i7'): the prompt's placeholder <<<aspect>>> has no value" in instance.problem
    assert any("i7" in problem and "aspect" in problem for problem in load_suite(root).problems)


def test_the_sentence_for_no_prompt_means_the_tasks_own(write_task: Any) -> None:
    none = "users' specifically-defined prompts for different models"
    instance = asked(
        write_task, "nlp/Abstractive-Summarization", {"prompt": none, "document": "Long."}, {"summary": "L."}, type="Summarization"
    )
    assert (instance.prompt, instance.context) == ("Summarize the text.", "Long.")
    instance = asked(
        write_task, "nlp/Abstractive-Summarization", {"prompt": none, "document": "Long."}, {"summary": "L."}, prompt="In one line?"
    )
    assert instance.prompt == "In one line?"


def test_translation_keys_become_text_and_languages(write_task: Any) -> None:
    instance = asked(
        write_task,
        "nlp/English-French-Translation",
        {"in": "English", "out": "French", "input": "Hello"},
        {"translation": "Bonjour"},
        type="Translation",
    )
    assert instance.prompt == "Translate the text from English to French."
    assert instance.context == "Hello"
    assert instance.details == {"source_language": "English", "target_language": "French"}
    assert (instance.answer_type, instance.label) == (AnswerType.LONG_TEXT, ["Bonjour"])


def test_code_items_carry_their_language_and_context(write_task: Any) -> None:
    given = {"language": "python", "goal": "repair", "context": ["x = (", "y = 2"]}
    instance = asked(write_task, "nlp/Code-Repair", given, {"repairCode": "x = ()"})
    assert instance.details == {"language": "python", "goal": "repair"}
    assert instance.context == "x = (\ny = 2"
    assert (instance.answer_type, instance.label) == (AnswerType.CODE, ["x = ()"])


def test_tables_and_documents_are_context(write_task: Any) -> None:
    given = {"question": "Sum?", "table": {"header": ["a", "b"], "rows": [[1, 2], [3, None]]}, "document_list": ["D1", "D2"]}
    instance = asked(write_task, "nlp/Table-Question-Answering", given, {"answer": "4"})
    assert instance.context == "D1\nD2\n\na | b\n1 | 2\n3 |"
    assert instance.prompt == "Sum?"


def test_a_dialog_at_item_level_is_kept_turn_by_turn(write_task: Any) -> None:
    item = {"id": 1, "dialog": ["Hi.", {"speaker": "B", "text": "Hello."}], "output": {"response": "How are you?"}}
    instance = one(write_task("nlp/Multi-Turn-Daily-Dialogue-Generation", [item], type="Dialogue"))
    assert instance.dialog == ("Hi.", "B: Hello.")
    assert (instance.id, instance.label) == ("1", ["How are you?"])


def test_a_question_about_a_dialogue_is_told_from_its_next_turn(write_task: Any) -> None:
    key, turns = "nlp/Conversational-Question-Answering", ["Who?", "Ann.", "When?", "In May."]
    about = asked(write_task, key, {"history": turns, "question": "Where?"}, {"answer": "Rome"})
    assert (about.dialog, about.prompt, about.details) == (tuple(turns), "Where?", {"dialog": "context"})
    assert asked(write_task, key, {"history": turns}, {"answer": "Rome"}).details == {}


@pytest.mark.parametrize(
    ("given", "prompt"),
    [
        ({"question": "It took <MASK> ."}, "It took <MASK> .\nWhat belongs in the place of <MASK>?"),
        ({"question": "It took [mask]."}, "It took [mask].\nWhat belongs in the place of [mask]?"),
        ({"prompt": "Fill the gap.", "question": "It took <MASK>."}, "Fill the gap.\nIt took <MASK>."),
        ({"question": "What mask is it?"}, "What mask is it?"),
    ],
)
def test_a_text_with_a_gap_is_asked_what_belongs_there(write_task: Any, given: dict[str, str], prompt: str) -> None:
    assert asked(write_task, "nlp/Temporal-Reasoning", given, {"answer": "a week"}).prompt == prompt


def test_a_question_to_a_data_base_is_asked_for_its_query(write_task: Any) -> None:
    for question, prompt in (("How many?", "How many?\nWrite the SQL query."), ("Which SQL counts them?", "Which SQL counts them?")):
        instance = asked(
            write_task, "nlp/Text-to-SQL-Generation", {"question": question, "context": "CREATE TABLE t(a)"}, {"sql": "SELECT 1"}
        )
        assert (instance.prompt, instance.context) == (prompt, "CREATE TABLE t(a)")


def test_no_field_of_an_input_is_dropped(write_task: Any) -> None:
    instance = asked(
        write_task, "nlp/Natural-Language-Inference", {"premise": "P.", "hypothesis": "H.", "question": "Follows?"}, {"category": "yes"}
    )
    assert instance.context == "premise: P.\n\nhypothesis: H."


def test_choices_inside_a_question_become_options(write_task: Any) -> None:
    given = {"image_file": "a.png", "prompt": "Choose.", "question": "More? The candidate choices are ['Solution B', 'Solution A']."}
    item = {"id": "c", "input": given, "output": {"text": "Solution A"}}
    instance = one(write_task("image/comprehension/chemistry_vqa", [item], images=("images/a.png",)))
    assert (instance.prompt, instance.options) == ("Choose.\nMore?", ("Solution B", "Solution A"))
    assert (instance.answer_type, instance.label) == (AnswerType.CHOICE, "B")


def test_a_choice_label_that_is_no_option_is_asked_as_a_label_and_reported(write_task: Any) -> None:
    root = write_task(
        "nlp/Causal-Reasoning",
        [{"id": "q", "input": {"question": "?", "options": ["x", "y"]}, "output": {"answer": "z"}}],
        type="MultipleChoiceQA",
    )
    instance = one(root)
    assert (instance.answer_type, instance.label, instance.options) == (AnswerType.LABEL, ["z"], ("x", "y"))
    assert load_suite(root).problems == (
        "nlp/Causal-Reasoning: item 0 (id 'q'): label 'z' is not one of the 2 options; asked as a free label",
    )


@pytest.mark.parametrize("empty", ["", " ", [], [""]])
@pytest.mark.parametrize("name", ["nlp/TriviaQA", "nlp/Causal-Reasoning"])
def test_an_empty_label_is_said_to_be_empty(write_task: Any, name: str, empty: Any) -> None:
    items = [{"id": n, "input": {"question": "?", "options": ["x", "y"]}, "output": {"text": text}} for n, text in enumerate(["x", empty])]
    root = write_task(name, items)
    first, second = load_suite(root).tasks[0].instances()
    assert (second.answer_type, second.label, second.problem) == (first.answer_type, None, "")
    assert load_suite(root).problems == (f"{name}: item 1 (id '1'): its label is empty, so it cannot be scored",)


def test_an_empty_list_among_lists_says_that_there_is_nothing_to_find(write_task: Any) -> None:
    items = [{"id": n, "input": {"question": "?"}, "output": {"text": text}} for n, text in enumerate([["x", "y"], [], ""])]
    root = write_task("nlp/Hate-Speech-Detection", items)
    (task,) = load_suite(root).tasks
    assert [(instance.answer_type.value, instance.label) for instance in task.instances()] == [
        ("items", ["x", "y"]),
        ("items", []),
        ("items", None),
    ]
    assert load_suite(root).problems == ("nlp/Hate-Speech-Detection: item 2 (id '2'): its label is empty, so it cannot be scored",)


def test_an_empty_list_makes_no_lists_of_single_labels(write_task: Any) -> None:
    items = [{"id": n, "input": {"question": "?"}, "output": {"text": text}} for n, text in enumerate(["x", []])]
    (task,) = load_suite(write_task("nlp/Natural-Language-Inference", items)).tasks
    assert {instance.answer_type for instance in task.instances()} == {AnswerType.LABEL}


@pytest.mark.parametrize("empty", ["", [], [""]])
@pytest.mark.parametrize(
    "name", ["nlp/Code-Repair", "nlp/Time-Series", "image/comprehension/Crowd-Counting", "image/comprehension/Bird-Detection"]
)
def test_an_empty_label_that_is_no_text_is_a_problem_of_its_item(write_task: Any, name: str, empty: Any) -> None:
    instance = asked(write_task, name, {"question": "?"}, {"text": empty})
    if (name, empty) == ("image/comprehension/Bird-Detection", []):
        assert (instance.label, instance.problem) == ([], "")
    else:
        assert instance.problem.endswith("annotation.json: item 0 (id 'i'): its label is empty, so it cannot be scored")


def test_an_anomaly_is_no_empty_text_and_an_empty_list_is_none(write_task: Any) -> None:
    key = "image/comprehension/Cable-Anomaly-Detection"
    assert asked(write_task, key, {"question": "?"}, {"text": []}).label == ["0"]
    assert "its label is empty" in asked(write_task, key, {"question": "?"}, {"text": ""}).problem


def test_a_letter_is_a_choice_where_the_options_stand_in_the_text(write_task: Any) -> None:
    instance = asked(
        write_task, "nlp/Event-Coreference-Resolution", {"question": "Same or other (only A/B)?"}, {"answer": "(b)"}, type="multiple choice"
    )
    assert (instance.answer_type, instance.label, instance.options) == (AnswerType.CHOICE, "B", ())
    assert instance.prompt == "Same or other (only A/B)?"


@pytest.mark.parametrize(
    ("question", "prompt"),
    [
        ("A. same B. other", ""),
        ("Are they the same? (A) same, (B) other", "Are they the same?"),
        ("Vitamin A. is meant?\nA: same\nB: other\n", "Vitamin A. is meant?"),
    ],
)
def test_lettered_choices_at_the_end_of_a_question_become_options(write_task: Any, question: str, prompt: str) -> None:
    key, kind = "nlp/Event-Coreference-Resolution", "multiple choice"
    for answer in ("(b)", "other"):
        instance = asked(write_task, key, {"question": question}, {"answer": answer}, type=kind)
        assert (instance.answer_type, instance.label) == (AnswerType.CHOICE, "B")
        assert (instance.prompt, instance.options) == (prompt, ("same", "other"))
    closed = asked(write_task, key, {"question": question}, type=kind)
    assert (closed.answer_type, closed.label, closed.options) == (AnswerType.CHOICE, None, ("same", "other"))


@pytest.mark.parametrize(
    "question", ["A: Hi.\nB: Ho.\nWho is it?", "A. same\nB. other\nAnswer with A/B only.", "A. same C. other", "Plan B. it is"]
)
def test_letters_that_list_no_options_stay_in_the_question(write_task: Any, question: str) -> None:
    instance = asked(write_task, "nlp/Event-Coreference-Resolution", {"question": question}, {"answer": "B"}, type="multiple choice")
    assert (instance.answer_type, instance.prompt, instance.options) == (AnswerType.CHOICE, question, ())


def test_letters_in_a_question_are_options_only_where_all_labels_are_letters(write_task: Any) -> None:
    key = "image/comprehension/General-Document-Visual-Question-Answering"
    for labels, wanted in ((("A", "b"), AnswerType.CHOICE), (("A", "Ann"), AnswerType.SHORT_TEXT)):
        items = [{"id": n, "input": {"question": "Who? A. Ann B. Bob"}, "output": {"text": label}} for n, label in enumerate(labels)]
        (task,) = load_suite(write_task(key, items)).tasks
        assert {instance.answer_type for instance in task.instances()} == {wanted}


def test_lists_with_options_are_lists_still(write_task: Any) -> None:
    """Several options may be right, and one alone would be told from its type."""
    labels = [["B", "joy"], ["fear"], "A, B", []]
    items = [
        {"id": n, "input": {"question": "Which?", "options": ["A. joy", "B. fear", "C. awe"]}, "output": {"text": label}}
        for n, label in enumerate(labels)
    ]
    (task,) = load_suite(write_task("nlp/Hate-Speech-Detection", items)).tasks
    found = list(task.instances())
    assert {instance.answer_type for instance in found} == {AnswerType.ITEMS}
    assert [instance.label for instance in found[:3]] == [["fear", "joy"], ["fear"], ["joy", "fear"]]
    assert {instance.options for instance in found} == {("joy", "fear", "awe")}


@pytest.mark.parametrize("kind", ["", "Syntactic Parsing", "parsing", "extraction", "Semantic Role Labeling"])
@pytest.mark.parametrize(
    "name", ["Constituency-Parsing", "Dependency-Parsing", "Abstract-Meaning-Representation", "Semantic-Role-Labeling"]
)
def test_parses_are_lists_whatever_their_file_calls_its_type(write_task: Any, name: str, kind: str) -> None:
    instance = asked(write_task, f"nlp/{name}", {"question": "Parse: I am."}, {"text": "(I, nsubj, am)"}, type=kind)
    assert (instance.answer_type, instance.label) == (AnswerType.ITEMS, ["I, nsubj, am"])


def test_every_instance_knows_how_long_the_longest_label_of_its_task_is(write_task: Any) -> None:
    items = [{"id": n, "input": {"document": "D."}, "output": {"summary": "wörd " * count}} for n, count in enumerate([1, 1, 500])]
    (task,) = load_suite(write_task("nlp/Abstractive-Summarization", items, type="Summarization")).tasks
    (length,) = {instance.longest_label for instance in task.instances()}
    assert 3000 <= length < 3020


def test_a_closed_set_is_read_without_labels(write_task: Any) -> None:
    root = write_task("nlp/Causal-Reasoning", [{"id": "q", "input": {"question": "?", "options": ["x", "y"]}}], type="MultipleChoiceQA")
    instance = one(root)
    assert (instance.answer_type, instance.label, instance.problem) == (AnswerType.CHOICE, None, "")
    assert load_suite(root).problems == ()


@pytest.mark.parametrize(
    ("key", "output", "answer_type", "label"),
    [
        (
            "image/comprehension/Fall-Human-Detection",
            {"bbox": [{"Fall": [1, 2, 3, 4]}]},
            AnswerType.BOXES,
            [{"label": "Fall", "box": [1.0, 2.0, 3.0, 4.0]}],
        ),
        ("image/comprehension/Crowd-Counting", {"text": "35"}, AnswerType.NUMBER, ["35"]),
        ("image/comprehension/Crowd-Counting", {"answer": 35}, AnswerType.NUMBER, ["35"]),
        ("image/comprehension/License-Plate-OCR", {"text": "AB 123"}, AnswerType.SHORT_TEXT, ["AB 123"]),
        ("image/comprehension/COCO-Image-Captioning", {"text": ["A dog runs.", "Dog."]}, AnswerType.LONG_TEXT, ["A dog runs.", "Dog."]),
        ("image/comprehension/Gender-Recognition", {"text": "female"}, AnswerType.LABEL, ["female"]),
        (
            "image/comprehension/Road-Crack-Detection",
            {"mask": {"crack": [[0, 0, 4, 0, 4, 4]]}},
            AnswerType.MASKS,
            [{"label": "crack", "mask": {"polygons": [[0.0, 0.0, 4.0, 0.0, 4.0, 4.0]]}}],
        ),
        (
            "image/comprehension/lmage-Scene-Graph-Parsing",
            {"relations": [["x", "on", "y"]], "note": "n"},
            AnswerType.RELATIONS,
            [{"subject": "x", "predicate": "on", "object": "y"}],
        ),
        (
            "image/comprehension/Person-Keypoint-Detection",
            {"text": "person", "keypoints": [[1, 2, 2], [3, 4, 1]]},
            AnswerType.KEYPOINTS,
            [{"label": "person", "points": [[1.0, 2.0, 2.0], [3.0, 4.0, 1.0]]}],
        ),
        (
            "image/comprehension/Bird-Detection",
            {"bird": [[1, 2, 3, 4]]},
            AnswerType.BOXES,
            [{"label": "bird", "box": [1.0, 2.0, 3.0, 4.0]}],
        ),
        ("image/comprehension/Cable-Anomaly-Detection", {"text": "good"}, AnswerType.NUMBER, ["0"]),
        ("image/comprehension/Cable-Anomaly-Detection", {"answer": "bent_wire"}, AnswerType.NUMBER, ["1"]),
        ("image/comprehension/Multimodal-Named-Entity-Recognition", {"text": "Paris, Rome"}, AnswerType.ITEMS, ["Paris", "Rome"]),
        ("audio/generation/TextToSpeech", {"text": "Hello."}, AnswerType.MEDIA, "Hello."),
        ("nlp/Disease-NER", {"text": ["flu", "cold"]}, AnswerType.ITEMS, ["flu", "cold"]),
        ("nlp/Aspect-Sentiment-Triplet-Extraction", {"text": "(a, b, c), (d, e, f)"}, AnswerType.ITEMS, ["a, b, c", "d, e, f"]),
        ("nlp/Sentiment-Classification", {"category": "positive"}, AnswerType.LABEL, ["positive"]),
        ("nlp/Text-to-SQL-Generation", {"sql": "SELECT 1"}, AnswerType.LONG_TEXT, ["SELECT 1"]),
        ("nlp/Mathematical-Proof-Generation", {"proof": {"steps": ["s"], "conclusion": "c"}}, AnswerType.LONG_TEXT, ["s\nc"]),
        ("nlp/Mathematical-Word-Problem-Solving", {"solution": {"final_answer": 7}}, AnswerType.NUMBER, ["7"]),
        ("nlp/TriviaQA", {"answer": ["Rome", "Roma"]}, AnswerType.SHORT_TEXT, ["Rome", "Roma"]),
        ("nlp/Story-Generation", {"story": "Once."}, AnswerType.LONG_TEXT, ["Once."]),
        ("nlp/Time-Series", {"target": [1.5, 2.5]}, AnswerType.SERIES, [1.5, 2.5]),
        ("nlp/Code-Generation", {"text": "x", "code": "  y = 1\n"}, AnswerType.CODE, ["  y = 1"]),
        ("video/comprehension/Ball-Tracking", {"bbox": [[1, 2, 3, 4], None]}, AnswerType.TRACK, [[1.0, 2.0, 3.0, 4.0], None]),
        (
            "video/comprehension/Human-Video-Grounding",
            {"text": "man", "start_frame": 2, "bbox": [[1, 2, 3, 4]]},
            AnswerType.TUBES,
            [{"label": "man", "boxes": {"2": [1.0, 2.0, 3.0, 4.0]}}],
        ),
        (
            "3d/comprehension/3D-Detection",
            {"car": [[1, 2, 3, 4, 5, 6, 0.5]]},
            AnswerType.BOXES_3D,
            [{"label": "car", "box": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.5]}],
        ),
        (
            "3d/comprehension/3D-Tracking",
            [{"frame": 0, "id": 3, "label": "car", "box": [1, 2, 3, 4, 5, 6, 0.5]}],
            AnswerType.TRACKS,
            [{"frame": 0, "id": "3", "label": "car", "box": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.5]}],
        ),
        ("3d/comprehension/3D-Odometry", {"poses": [list(range(12))]}, AnswerType.POSES, [[float(n) for n in range(12)]]),
        ("audio/comprehension/Speech-Command", {"text": "go"}, AnswerType.LABEL, ["go"]),
    ],
)
def test_the_answer_type_follows_task_and_label(write_task: Any, key: str, output: Any, answer_type: AnswerType, label: Any) -> None:
    root = write_task(key, [{"id": "i", "input": {"question": "What?"}, "output": output}])
    suite = load_suite(root)
    assert suite.tasks[0].task is not None
    assert suite.problems == ()
    instance = one(root)
    assert (instance.answer_type, instance.label) == (answer_type, label)


def test_one_label_does_not_betray_itself_by_its_type(write_task: Any) -> None:
    items = [{"id": n, "input": {"question": "?"}, "output": {"text": label}} for n, label in enumerate(["2", "yes", "three dogs"])]
    (task,) = load_suite(write_task("image/comprehension/General-Document-Visual-Question-Answering", items)).tasks
    assert {instance.answer_type for instance in task.instances()} == {AnswerType.SHORT_TEXT}


@pytest.mark.parametrize(
    "written",
    ["a.png", "images/a.png", "./images/a.png", "./data/comprehension/Car-Brands-Recognition/images/a.png", "data\\x\\images\\a.png"],
)
def test_media_are_found_where_the_data_puts_them(write_task: Any, written: str) -> None:
    item = {"id": "p", "input": {"image_file": written, "prompt": "Brand?"}, "output": {"prediction": "GMC"}}
    instance = one(write_task(CAR, [item], images=("images/a.png",)))
    (media,) = instance.media
    assert (media.modality, media.path.name, media.mime_type) == (Modality.IMAGE, "a.png", "image/png")
    assert "a.png" not in instance.context


def test_paths_relative_to_the_json_folder_stay_in_the_task(write_task: Any) -> None:
    item = {"id": "p", "input": {"image_file": "../images/a.png", "prompt": "Brand?"}, "output": {"prediction": "GMC"}}
    assert one(write_task(CAR, [item], file="json/annotation.json", images=("images/a.png",))).problem == ""


def test_several_media_keep_their_order(write_task: Any) -> None:
    given = {"image_1": "b.png", "image_2": "a.png", "images": ["a.png", "b.png"], "prompt": "Same?"}
    instance = one(write_task(CAR, [{"id": "p", "input": given, "output": {"text": "no"}}], images=("images/a.png", "images/b.png")))
    assert [media.path.name for media in instance.media] == ["b.png", "a.png", "a.png", "b.png"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("missing.png", "the file 'missing.png' is missing"),
        ("../../secret.png", "leads out of the task folder"),
        ("images/../../../secret.png", "leads out of the task folder"),
        ("/etc/hostname", "is not a path relative to the task folder"),
        ("https://example.org/a.png", "is not a path relative to the task folder"),
        ("C:/a.png", "is not a path relative to the task folder"),
        ("empty.png", "is empty"),
        ("link.png", "is a link out of the suite's folder"),
        ("a\x00.png", "is not a file name"),
        ("x" * 300 + ".png", "is not a file name"),
    ],
)
def test_a_media_file_that_cannot_be_used_is_named_with_its_item(write_task: Any, tmp_path: Path, written: str, said: str) -> None:
    items = [{"id": "p1", "input": {"image_file": name, "prompt": "?"}, "output": {"text": "x"}} for name in (written, "a.png")]
    root = write_task(f"suite/{CAR}", items, images=("images/a.png",)) / "suite"
    (root / CAR / "images" / "empty.png").write_bytes(b"")
    outside = tmp_path / "secret.png"
    outside.write_bytes(b"\x89PNG\r\n\x1a\n")
    (root / CAR / "images" / "link.png").symlink_to(outside)
    suite = load_suite(root)
    bad, good = suite.tasks[0].instances()
    assert said in bad.problem
    assert "annotation.json: item 0 (id 'p1')" in bad.problem
    assert (good.problem, len(good.media)) == ("", 1)
    assert suite.tasks[0].count() == 2
    assert any(said in problem for problem in suite.problems)


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
        (b"\x00\x00\x00\x18ftypqt  ", "video/quicktime"),
        (b"\x1aE\xdf\xa3", "video/webm"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90\x44", "audio/mpeg"),
        (b"ply\nformat ascii", "model/ply"),
        (b"", "application/octet-stream"),
        (b"hello world", "application/octet-stream"),
    ],
)
def test_mime_types_come_from_the_first_bytes(head: bytes, mime: str) -> None:
    assert mime_type(head) == mime


def test_missing_and_repeated_ids_are_made_unique_and_reported(write_task: Any) -> None:
    ids: list[Any] = ["a", "a", None, "a#1", "b", 7, "7"]
    items = [{"id": identity, "input": {"question": "?"}, "output": {"answer": "x"}} for identity in ids]
    suite = load_suite(write_task("nlp/TriviaQA", items))
    found = [instance.id for instance in suite.tasks[0].instances()]
    assert found == ["a#0", "a#1", "#2", "a#1#3", "b", "7#5", "7#6"]
    assert any("ids are missing or repeated" in problem for problem in suite.problems)


def test_unique_ids_stay_as_written(write_task: Any) -> None:
    items = [{"id": f"x#{n}", "input": {"question": "?"}, "output": {"answer": "x"}} for n in range(3)]
    (task,) = load_suite(write_task("nlp/TriviaQA", items)).tasks
    assert [instance.id for instance in task.instances()] == ["x#0", "x#1", "x#2"]


def test_only_the_wanted_positions_are_read_in_file_order(write_task: Any) -> None:
    items = [{"id": str(n), "input": {"question": "?"}, "output": {"answer": "x"}} for n in range(50)]
    (task,) = load_suite(write_task("nlp/TriviaQA", items)).tasks
    assert [instance.id for instance in task.instances([30, 2, 2, 99])] == ["2", "30"]
    assert list(task.instances([])) == []


def test_an_item_of_a_wrong_type_is_an_instance_with_a_problem(write_task: Any) -> None:
    items: list[Any] = [
        {"id": "good", "input": {"question": "?"}, "output": {"answer": "x"}},
        17,
        None,
        [],
        {"id": "p", "input": 3},
        {"id": "e", "input": {}},
    ]
    suite = load_suite(write_task("nlp/TriviaQA", items))
    instances = list(suite.tasks[0].instances())
    assert [bool(instance.problem) for instance in instances] == [False, True, True, True, True, True]
    assert suite.tasks[0].count() == 6
    assert sum("TriviaQA/annotation.json: item" in problem for problem in suite.problems) == 5


def test_a_box_format_that_is_not_understood_is_a_problem_not_a_guess(write_task: Any) -> None:
    item = {"id": "b", "input": {"prompt": "Detect."}, "output": {"text": {"bird": [[1, 2, 3, 4]]}}}
    instance = one(write_task("image/comprehension/Bird-Detection", [item], others={"bbox_format": "(y, x, h, w)"}))
    assert "bbox_format '(y, x, h, w)' is not understood" in instance.problem
