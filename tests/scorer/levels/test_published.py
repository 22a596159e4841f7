"""The published figures: complete, joined to tasks that exist, and, where they are consistent, met by our levels."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from genlevel.benchmark.catalogue import general_bench, tasks_by_id
from genlevel.benchmark.metrics import METRICS
from genlevel.benchmark.model import Modality
from genlevel.runtime.errors import UsageError
from scorer.levels.published import OVERALL, publication, published_model
from scorer.levels.rules import LEVEL_MODALITIES, levels

# Published scores that are known not to follow from the published task values (level, modality).
KNOWN_EXCEPTIONS = {
    "Emu2-37B": {(2, "image")},  # three unsupported matting tasks counted as 100
    "Qwen2-VL-72B": {(2, "image")},  # the same
    "AnyGPT": {(2, "image"), (2, "audio"), (3, "audio")},
    "NExT-GPT-V1.5": {(2, "image"), (2, "video")},
    "InternVL-2.5-26B": {(2, "image"), (3, "image")},  # its image rows were never published
}
WITH_VALUES = [entry.model for entry in publication().models if entry.values]


def test_48_models_have_levels_and_13_have_task_values():
    models = publication().models
    assert sum(entry.scores is not None for entry in models) == 48
    assert len(WITH_VALUES) == 13
    assert {entry.model for entry in models if entry.scores is None} == {"Meta-Llama-3.1-8B-Instruct"}
    assert len({entry.model.casefold() for entry in models}) == 49
    assert "2505.04620" in publication().source


def test_task_values_are_of_tasks_that_exist_and_values_that_their_metric_can_have():
    for entry in publication().models:
        for task_id, value in entry.values.items():
            info = METRICS[tasks_by_id()[task_id].metric.id]
            assert info.lowest is None or value >= info.lowest, (entry.model, task_id)
            assert info.highest is None or value <= info.highest, (entry.model, task_id)


@pytest.mark.parametrize("name", [name for name in WITH_VALUES if published_model(name).scores is not None])
def test_levels_from_published_task_values_are_the_published_levels(name):
    entry = published_model(name)
    assert entry.scores is not None
    computed = levels(general_bench(), entry.values)
    differing = set()
    for modality in computed.modalities:
        for level, score in ((2, modality.level_2), (3, modality.level_3), (4, modality.level_4)):
            if abs(score - entry.scores[level][modality.modality.value]) > 0.01:
                differing.add((level, modality.modality.value))
    assert differing == KNOWN_EXCEPTIONS.get(name, set())


@pytest.mark.parametrize(
    "name", [name for name in WITH_VALUES if name not in KNOWN_EXCEPTIONS and published_model(name).scores is not None]
)
def test_overall_levels_of_consistent_models_are_the_published_ones(name):
    entry = published_model(name)
    assert entry.scores is not None
    computed = levels(general_bench(), entry.values).scores
    assert [computed[level] for level in (2, 3, 4)] == pytest.approx([entry.scores[level][OVERALL] for level in (2, 3, 4)], abs=0.01)


def test_every_inconsistency_between_published_figures_is_said():
    for entry in publication().models:
        wrong = entry.model in KNOWN_EXCEPTIONS
        if entry.scores is not None:
            for scores in entry.scores.values():
                mean = sum(scores[modality.value] for modality in LEVEL_MODALITIES) / 4
                wrong = wrong or abs(mean - scores[OVERALL]) > 0.01
            wrong = wrong or any(entry.scores[3][place] > entry.scores[2][place] for place in entry.scores[2])
        assert bool(entry.inconsistency) == wrong, entry.model


def test_level_5_is_reached_by_none_with_the_references_of_the_paper():
    assert all(levels(general_bench(), entry.values, "appendix").level_5 == 0.0 for entry in publication().models)


def test_a_model_can_have_scores_without_task_values():
    entry = published_model("internvl-2.5-26b")
    assert entry.lacks_values(Modality.IMAGE)
    assert entry.has_values(Modality.VIDEO)
    assert not entry.lacks_values(Modality.AUDIO)


def test_an_unpublished_model_is_refused_by_name():
    with pytest.raises(UsageError, match=r"'GPT-9'.*GPT-4V"):
        published_model("GPT-9")


@pytest.mark.full
def test_the_figures_are_those_of_the_reference_data(reference_data: Path):
    with (reference_data / "published_levels.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    found = {entry.model: entry for entry in publication().models}
    assert [row["model"] for row in rows] == [entry.model for entry in publication().models if entry.scores is not None]
    for row in rows:
        entry = found[row["model"]]
        assert "+".join(paradigm[0].upper() for paradigm in entry.paradigms) == row["paradigm"]
        assert entry.scores is not None
        for level, scores in entry.scores.items():
            assert {place: float(row[f"L{level}_{place}"]) for place in scores} == scores
    tasks = {(task.sheet, task.name): task.id for task in general_bench().tasks}
    with (reference_data / "published_tasks.csv").open(encoding="utf-8") as stream:
        values = [(row["model"], tasks[row["sheet"], row["task_name"]], float(row["score"])) for row in csv.DictReader(stream)]
    assert sorted(values) == sorted((entry.model, task_id, value) for entry in found.values() for task_id, value in entry.values.items())
