"""Breakdowns: every task counts where it belongs, and the parts add up to the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Modality, Paradigm
from genlevel.benchmark.suites import load_benchmark
from genlevel.runtime.errors import UsageError
from genlevel.v1 import scorer_pb2 as sc
from scorer.levels.breakdown import GroupBy, break_down, breakdown_json
from scorer.levels.published import published_model
from scorer.levels.rules import compute_levels, judge_all
from scorer.reports.run_results import run_results

BENCHMARK = general_bench()


def test_general_bench_has_145_skills_that_add_up_to_all_tasks():
    results = judge_all(BENCHMARK, published_model("GPT-4V").values)
    groups = break_down(results, GroupBy.SKILL)
    assert len(groups) == 145
    assert sum(group.tasks for group in groups) == 699
    assert sum(group.wins for group in groups) == sum(result.win is True for result in results) == 119
    assert sum(group.supported for group in groups) == 290
    assert all(group.modality is not None for group in groups)
    assert groups[0].id == "L-1"
    assert groups[0].name == "Cognitive Question Answering"


def test_a_skill_has_the_mean_of_its_tasks_with_those_without_a_result_as_0():
    tasks = [task for task in BENCHMARK.tasks if task.skill_id == "I-C-24"]
    values = {tasks[0].id: tasks[0].reference_workbook, tasks[1].id: None}
    found = {group.id: group for group in break_down(judge_all(BENCHMARK, values), GroupBy.SKILL, asked=values)}["I-C-24"]
    sigma = judge_all(BENCHMARK, values, only=[tasks[0].id])[0].sigma
    assert sigma is not None
    assert (found.tasks, found.asked, found.supported, found.wins) == (9, 2, 1, 1)
    assert found.mean_sigma == pytest.approx(sigma / 9)
    assert found.mean_sigma_asked == pytest.approx(sigma / 2)
    assert (found.modality, found.paradigm) == (Modality.IMAGE, Paradigm.COMPREHENSION)


def test_a_task_of_two_domains_counts_in_both():
    groups = {group.name: group for group in break_down(judge_all(BENCHMARK, {}), GroupBy.DOMAIN)}
    assert not any(";" in name for name in groups)
    assert groups["Animal"].tasks == sum("Animal" in task.domain.split("; ") for task in BENCHMARK.tasks) > 9
    assert list(groups) == sorted(groups)
    assert groups["General"].modality is None


@given(st.dictionaries(st.sampled_from([task.id for task in BENCHMARK.tasks]), st.floats(0, 100), max_size=60), st.sampled_from(GroupBy))
def test_groups_weighted_by_their_tasks_give_the_whole(values, by):
    results = judge_all(BENCHMARK, values)
    groups = break_down(results, by)
    if by in (GroupBy.SKILL, GroupBy.MODALITY):
        assert sum(group.mean_sigma * group.tasks for group in groups) == pytest.approx(sum(result.contribution for result in results))
    assert all(group.wins <= group.tasks and group.supported <= group.asked for group in groups)
    if by is GroupBy.MODALITY:
        expected = {entry.modality: (entry.supported, entry.wins, entry.tasks) for entry in compute_levels(results).modalities}
        assert {group.modality: (group.supported, group.wins, group.tasks) for group in groups if group.modality in expected} == expected


def test_language_tasks_are_in_no_paradigm():
    groups = break_down(judge_all(BENCHMARK, {}), GroupBy.PARADIGM)
    assert {group.name: group.tasks for group in groups} == {"comprehension": 451, "generation": 133}


def test_a_benchmark_without_skills_is_not_grouped_by_them():
    starter = load_benchmark("starter")
    assert starter is not None
    results = judge_all(starter, {})
    with pytest.raises(UsageError, match="no skill; group by modality"):
        break_down(results, GroupBy.SKILL)
    assert breakdown_json(break_down(results, GroupBy.MODALITY), GroupBy.MODALITY)[0].keys() >= {"modality", "tasks", "mean_sigma"}


def test_the_results_of_a_run_are_joined_to_its_benchmark():
    task = BENCHMARK.tasks[0]
    scored = sc.TaskScore(task=sc.TaskDescription(sheet=task.sheet, name=task.name), score=99.0)
    unlisted = sc.TaskScore(task=sc.TaskDescription(key="nlp/x", name="x", unlisted=True), score=1.0)
    known = run_results(sc.GetVerdictResponse(benchmark="general-bench", tasks=[scored, unlisted]))
    assert len(known.results) == 699
    assert known.asked == {task.id}
    assert known.results[0].win is True


def test_the_results_of_a_suite_of_ones_own_are_over_the_tasks_it_asked():
    description = sc.TaskDescription(
        key="image/a", name="a", sheet="", modality="image", paradigm="comprehension", metric="accuracy", reference=50.0
    )
    known = run_results(sc.GetVerdictResponse(benchmark="mine", tasks=[sc.TaskScore(task=description, score=60.0)]))
    assert [(result.value, result.win) for result in known.results] == [(60.0, True)]
    assert known.asked == {"image/a"}
