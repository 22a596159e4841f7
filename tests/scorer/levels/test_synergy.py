"""The synergy map: every task once, with what it says of synergy."""

from __future__ import annotations

import pytest

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Modality, Paradigm
from genlevel.benchmark.suites import load_benchmark
from genlevel.runtime.errors import UsageError
from scorer.levels.published import published_model
from scorer.levels.rules import judge_all
from scorer.levels.synergy import Mark, SynergyMap, synergy_json, synergy_map

BENCHMARK = general_bench()
GPT_4V = published_model("GPT-4V").values


@pytest.fixture(scope="module")
def gpt_4v() -> SynergyMap:
    return synergy_map("GPT-4V", judge_all(BENCHMARK, GPT_4V))


def test_the_map_has_every_task_once_in_its_panel_and_skill(gpt_4v):
    assert [(panel.modality, panel.paradigm) for panel in gpt_4v.panels] == [
        *((modality, paradigm) for modality in (Modality.IMAGE, Modality.VIDEO, Modality.AUDIO, Modality.THREE_D) for paradigm in Paradigm),
        (Modality.LANGUAGE, None),
    ]
    listed = [task.result.task.id for panel in gpt_4v.panels for skill in panel.skills for task in skill.tasks]
    assert sorted(listed) == sorted(task.id for task in BENCHMARK.tasks)
    assert (gpt_4v.tasks, gpt_4v.skills) == (699, 145)


def test_wins_are_those_of_the_levels(gpt_4v):
    assert gpt_4v.wins == 119
    assert {(panel.modality, panel.paradigm): panel.wins for panel in gpt_4v.panels if panel.wins} == {
        (Modality.IMAGE, Paradigm.COMPREHENSION): 105,
        (Modality.LANGUAGE, None): 14,
    }
    assert synergy_map("m", judge_all(BENCHMARK, GPT_4V, "appendix"), "appendix").wins == 105


def test_what_is_no_win_is_told_apart():
    tasks = [task for task in BENCHMARK.tasks if task.skill_id == "I-C-28"]
    assert all(task.reference_workbook and task.metric.id == "accuracy" for task in tasks[:3])
    values = {tasks[0].id: tasks[0].reference_workbook, tasks[1].id: 0.5, tasks[2].id: 0.0, tasks[3].id: None}
    found = synergy_map("m", judge_all(BENCHMARK, values), asked=values)
    marks = next(skill for panel in found.panels for skill in panel.skills if skill.id == "I-C-28").tasks
    assert [task.mark for task in marks[:5]] == [Mark.WON, Mark.LOST, Mark.ZERO, Mark.OPEN, Mark.UNASKED]


def test_the_data_says_value_reference_and_specialist(gpt_4v):
    document = synergy_json(gpt_4v)
    assert document["panels"][0]["modality"] == "image"
    task = document["panels"][0]["skills"][0]["tasks"][0]
    assert task["mark"] == ("won" if task["value"] >= task["reference"] else "lost")
    assert task["specialist"]
    assert sum(task["mark"] == "won" for panel in document["panels"] for skill in panel["skills"] for task in skill["tasks"]) == 119


def test_a_benchmark_without_skills_is_refused():
    starter = load_benchmark("starter")
    assert starter is not None
    with pytest.raises(UsageError, match="no skills"):
        synergy_map("m", judge_all(starter, {}))
