"""What a run that asks until something is decided may take, as the scorer is asked for it."""

from __future__ import annotations

import pytest

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Task
from genlevel.runtime.errors import UsageError
from genlevel.v1 import scorer_pb2 as sc
from scorer.runs.expecting import NO_TESTS, NO_VALUES, TOO_MANY, expected_message

EXACT = [task for task in general_bench().tasks if task.metric.id == "accuracy" and task.sheet == "Image-Comprehension"][:12]
NONE = next(task for task in general_bench().tasks if task.metric.id == "fid")


def asked(task: Task, instances: int = 100, repeats: int = 1) -> sc.CriteriaTask:
    description = sc.TaskDescription(
        key=task.id,
        name=task.name,
        sheet=task.sheet,
        modality=task.modality.value,
        paradigm=task.paradigm.value if task.paradigm else "",
        metric=task.metric.id,
        metric_label=task.metric.label,
        metric_parameters=dict(task.metric.parameters),
        reference=task.reference_workbook,
    )
    return sc.CriteriaTask(task=description, instances=instances, repeats=repeats)


def request(*tasks: sc.CriteriaTask, aim: int = 1, benchmark: str = "general-bench", **fields: float) -> sc.ExpectDecisionRequest:
    header = sc.ScoreTaskHeader(run_id="r", model="m", suite="s", benchmark=benchmark, plan=1)
    if benchmark != "general-bench":
        header.benchmark_tasks.extend(one.task for one in tasks)
    return sc.ExpectDecisionRequest(header=header, tasks=tasks, aim=aim, **fields)


@pytest.mark.parametrize("aim", [1, 2])
def test_runs_are_simulated_with_published_models(aim: int) -> None:
    found = expected_message(request(*map(asked, EXACT), aim=aim))
    assert not found.note
    assert found.models >= 3
    counts = [run.answers for run in found.runs]
    assert counts == sorted(counts)
    assert all(run.answers == sum(run.answers_of.values()) for run in found.runs)
    assert 0 < counts[len(counts) // 2] < 100 * len(EXACT)
    assert found.SerializeToString(deterministic=True) == expected_message(request(*map(asked, EXACT), aim=aim)).SerializeToString(
        deterministic=True
    )


def test_repeats_and_shared_media_count_in_answers() -> None:
    plain = asked(EXACT[0])
    clustered = asked(EXACT[1], instances=1000, repeats=2)
    clustered.sizes.extend([sc.UnitSize(instances=2, units=200), sc.UnitSize(instances=6, units=100)])
    runs = expected_message(request(plain, clustered)).runs
    assert all(run.answers_of[EXACT[1].id] % 4 == 0 for run in runs)
    assert any(run.answers_of[EXACT[1].id] for run in runs)


def test_a_smaller_error_takes_more_answers() -> None:
    taken = [
        sum(run.answers for run in expected_message(request(*map(asked, EXACT), epsilon=epsilon)).runs) for epsilon in (0.4, 0.0, 1e-9)
    ]
    assert taken == sorted(set(taken))


def test_what_cannot_be_certified_is_asked_whole_if_that_is_wanted() -> None:
    without = expected_message(request(asked(EXACT[0]), asked(NONE)))
    unlisted = asked(EXACT[1], instances=7)
    unlisted.task.key, unlisted.task.unlisted = "mine", True
    beside = expected_message(request(asked(EXACT[0]), asked(NONE, repeats=3), unlisted, with_uncertifiable=True))
    assert all(NONE.id not in run.answers_of for run in without.runs)
    assert all(run.answers_of[NONE.id] == 300 for run in beside.runs)
    assert all(run.answers_of["mine"] == 7 for run in beside.runs)
    assert [run.answers + 307 for run in without.runs] == [run.answers for run in beside.runs]


def test_if_nothing_can_be_expected_it_says_why() -> None:
    assert expected_message(request(asked(NONE))).note == NO_TESTS
    assert expected_message(request(asked(EXACT[0]), benchmark="mine")).note == NO_VALUES
    assert expected_message(request(asked(EXACT[0], instances=1 << 29))).note == TOO_MANY
    assert expected_message(request(*[asked(EXACT[0], instances=1)] * 2001)).note == TOO_MANY


@pytest.mark.parametrize(("fields", "said"), [({"aim": 3}, "wins"), ({"epsilon": 0.7}, "epsilon"), ({"alpha": 0.9}, "alpha")])
def test_what_cannot_be_met_is_refused(fields: dict[str, float], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        expected_message(request(asked(EXACT[0]), **fields))  # type: ignore[arg-type]
