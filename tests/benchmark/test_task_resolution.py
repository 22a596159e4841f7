"""From folder and annotation names to tasks, never to a wrong one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Modality, Paradigm, Task
from genlevel.benchmark.resolve import resolve, resolve_task

TASKS = general_bench().tasks


@pytest.mark.parametrize("form", ["workbook", "paper", "kebab", "snake", "camel", "id"])
def test_every_task_is_found_under_its_usual_spellings(form: str) -> None:
    def spelled(task: Task) -> str:
        return {
            "workbook": task.name,
            "paper": task.paper_name,
            "kebab": task.name.strip().replace(" ", "-"),
            "snake": task.name.strip().replace(" ", "_").casefold(),
            "camel": "".join(word[:1].upper() + word[1:] for word in task.name.split()),
            "id": task.id.split("/")[1],
        }[form]

    for task in TASKS:
        assert resolve_task(spelled(task), "", task.modality, task.paradigm) is task
        assert resolve_task("annotations", spelled(task), task.modality, task.paradigm) is task


def test_question_answering_may_be_abbreviated() -> None:
    for task in TASKS:
        short = task.name.replace("Visual Question Answering", "VQA").replace("Question Answering", "QA")
        assert resolve_task(short, "", task.modality, task.paradigm) is task


@pytest.mark.parametrize(
    ("folder", "annotation", "modality", "name"),
    [
        ("chemistry_vqa", "chemistry vqa", Modality.IMAGE, "Chemistry Visual Question Answering"),
        ("Document-Level-Causal-Reasoning", "Document-Level Causal", Modality.LANGUAGE, "Document-Level Causal Reasoning"),
        ("data", "Document-Level Causal", Modality.LANGUAGE, "Document-Level Causal Reasoning"),
        ("data", "Multi-Turn_Daily_Dialogue_Generationid", Modality.LANGUAGE, "Multi-Turn Daily Dialogue Generation"),
        ("data", "event_coreference_mcq", Modality.LANGUAGE, "Event Coreference Resolution"),
        ("data", "natural_language_inference", None, "Natural Language Inference"),
        ("SpeechTranslation (zh-to-en)", "", Modality.AUDIO, "SpeechTranslation （zh-to-en）"),
    ],
)
def test_names_seen_in_the_data_resolve(folder: str, annotation: str, modality: Modality | None, name: str) -> None:
    task = resolve_task(folder, annotation, modality)
    assert task is not None
    assert task.name == name


def test_a_name_that_is_no_task_is_unlisted() -> None:
    found = resolve("Dialogue-Relation-Extraction", "dialogue_relation_extraction", Modality.LANGUAGE)
    assert found.task is None
    assert found.reason == "'Dialogue-Relation-Extraction' is not one of the 699 published tasks"


def test_a_name_of_two_tasks_resolves_to_neither() -> None:
    found = resolve("Video Superresolution", "", Modality.VIDEO, Paradigm.GENERATION)
    assert found.task is None
    assert "'Road Scene Video Superresolution'" in found.reason
    assert "'Real World Video Superresolution'" in found.reason


def test_a_task_of_another_sheet_is_not_taken() -> None:
    found = resolve("Bird Detection", "", Modality.VIDEO, Paradigm.COMPREHENSION)
    assert found.task is None
    assert "which is in Image-Comprehension" in found.reason


def test_the_folders_name_counts_where_the_annotation_says_another_task() -> None:
    found = resolve("Fire Detection", "Gun Detection", Modality.IMAGE, Paradigm.COMPREHENSION)
    assert found.task is not None
    assert found.task.name == "Fire Detection"
    assert "'Gun Detection'" in found.reason


@given(folder=st.text(max_size=60), annotation=st.text(max_size=60), modality=st.none() | st.sampled_from(Modality))
def test_any_names_resolve_to_a_task_of_the_modality_or_a_reason(folder: str, annotation: str, modality: Modality | None) -> None:
    found = resolve(folder, annotation, modality)
    assert found.task is not None or found.reason
    if found.task is not None and modality is not None:
        assert found.task.modality is modality


@given(task=st.sampled_from(TASKS), word=st.text("abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=12))
def test_a_further_word_in_a_name_is_never_ignored(task: Task, word: str) -> None:
    found = resolve_task(f"{task.name} {word}", "", task.modality, task.paradigm)
    assert found is None or word in "".join(found.name.casefold().split()) or word in "".join(found.paper_name.casefold().split())


@pytest.mark.parametrize(
    ("folder", "paradigm", "task_id"),
    [
        ("AnimalVOS", Paradigm.COMPREHENSION, "video-comprehension/animal-video-object-segmentation"),
        ("IWAutoVOS", Paradigm.COMPREHENSION, "video-comprehension/in-the-wild-automobile-video-object-segmentation"),
        ("HumanPartCReVOS", Paradigm.COMPREHENSION, "video-comprehension/human-and-part-complex-scene-reasoning-video-object-segmentation"),
        ("SynVDE", Paradigm.COMPREHENSION, "video-comprehension/synthetic-video-depth-estimation"),
        ("AutoVG", Paradigm.COMPREHENSION, "video-comprehension/automobile-video-grounding"),
        ("CrowdTrack", Paradigm.COMPREHENSION, "video-comprehension/video-object-tracking-in-crowd-sense"),
        ("OtherPartTrack", Paradigm.COMPREHENSION, "video-comprehension/general-objects-part-tracking"),
        ("MultiClassConditionedT2V", Paradigm.GENERATION, "video-generation/multi-class-conditioned-text-to-video-generation"),
        ("VehicleI2V", Paradigm.GENERATION, "video-generation/vehicle-image-to-video-generation"),
    ],
)
def test_the_short_folder_names_of_the_video_tasks_are_known(folder: str, paradigm: Paradigm, task_id: str) -> None:
    task = resolve_task(folder, "", Modality.VIDEO, paradigm)
    assert task is not None
    assert task.id == task_id
