"""``genlevel certify`` and ``genlevel compare`` over a folder of runs, as a user calls them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from genlevel.benchmark.catalogue import general_bench
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import scorer_pb2 as sc
from scorer.service import Scorer

TASKS = [task for task in general_bench().tasks if task.metric.id == "accuracy" and task.sheet == "Image-Comprehension"][:3]


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """Runs "good", "poor" and, on another suite, "far"."""
    scorer = Scorer(sqlite_url(tmp_path / "genlevel.db"))
    for run, suite, right in (("good", "s", 95), ("poor", "s", 40), ("far", "elsewhere", 50)):
        for task in TASKS[: 2 if run == "poor" else 3]:
            description = sc.TaskDescription(key=task.id, name=task.name, sheet=task.sheet, metric=task.metric.id, metric_label="ACC")
            header = sc.ScoreTaskHeader(run_id=run, model=f"model-{run}", suite=suite, benchmark="general-bench", task=description)

            async def stream(header: sc.ScoreTaskHeader = header, right: int = right) -> AsyncIterator[sc.ScoreTaskRequest]:
                yield sc.ScoreTaskRequest(header=header)
                yield sc.ScoreTaskRequest(
                    instances=[
                        sc.InstanceAnswer(
                            id=str(index),
                            outcome=sc.OUTCOME_ANSWERED,
                            raw_answer="AB"[(index + (index >= right)) % 2],
                            answer_type="choice",
                            label_json=f'"{"AB"[index % 2]}"',  # so that no constant answer is right throughout
                            options=["x", "y"],
                        )
                        for index in range(100)
                    ]
                )

            await scorer.score_task(stream())
    scorer.close()
    return tmp_path


def test_a_run_is_certified_with_bootstrap_intervals(genlevel: Any, folder: Path) -> None:
    done = genlevel.run("certify", "good", "--out", str(folder), "--bootstrap", "500", "--alpha", "0.01", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    certified = document["certified"]
    assert (document["run"], document["model"], certified["alpha"]) == ("good", "model-good", 0.01)
    assert certified["levels"]["3"]["status"] == "attained"
    low, high = certified["levels"]["2"]["bootstrap"]
    assert low < certified["levels"]["2"]["score"] < high
    assert {task["test"] for task in certified["tasks"]} == {"exact binomial"}
    found = json.loads(genlevel.run("certify", "good", "--out", str(folder), "--reference-n", "50", "--json").stdout)
    published, unsure = found["certified"], found["certified_against_specialists"]
    assert published["tasks"] == json.loads(genlevel.run("certify", "good", "--out", str(folder), "--json").stdout)["certified"]["tasks"]
    assert any("50 instances each" in note for note in unsure["notes"])
    for sure, task in zip(published["tasks"], unsure["tasks"], strict=True):
        assert task["p_win"] > sure["p_win"]
        assert (sure["reference_n"], task["reference_n"]) == (None, 50)
        assert task["reference_interval"][0] < task["reference"] < task["reference_interval"][1]
    shown = genlevel.run("certify", "good", "--model", "Model-Good", "--alpha", "1e-9", "--out", str(folder))
    assert "certified: Level 3 (at least one task above the published score; error at most 1e-07 %)" in shown.stdout
    shown = genlevel.run("certify", "good", "--out", str(folder))
    assert "certified: Level 3 (at least one task above the published score; error at most 5 %)" in shown.stdout
    assert "against the specialists themselves: Level 3 (beats the specialist in at least one task; error at most 5 %)" in shown.stdout
    assert shown.stdout.index("above the published scores:") < shown.stdout.index("\nagainst the specialists themselves:")
    assert TASKS[0].name.strip() in shown.stdout


def test_two_runs_are_compared(genlevel: Any, folder: Path) -> None:
    done = genlevel.run("compare", "good", "poor", "--out", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [task["difference"] for task in document["tasks"]] == [55.0, 55.0]
    assert all(task["p_value"] < 1e-9 and task["test"] == "exact McNemar" for task in document["tasks"])
    assert document["not_shared"] == {"a": [TASKS[2].id], "b": []}
    assert set(document["levels"]) == {"2", "3", "4", "5"}
    shown = genlevel.run("compare", "good", "poor", "--out", str(folder))
    assert "+55.00" in shown.stdout
    assert f"1 task(s) that only A has: {TASKS[2].id}" in shown.stdout


async def scored(url: str, run: str, instances: dict[int, range], right: int = 1000) -> None:
    """A run on suite "t" with these instances by task's index; the first so many answers are right."""
    scorer = Scorer(url)
    for index, numbers in instances.items():
        task = TASKS[index]
        description = sc.TaskDescription(key=task.id, name=task.name, sheet=task.sheet, metric=task.metric.id, metric_label="ACC")
        header = sc.ScoreTaskHeader(run_id=run, model=f"model-{run}", suite="t", benchmark="general-bench", task=description)
        answers = [
            sc.InstanceAnswer(
                id=str(number),
                outcome=sc.OUTCOME_ANSWERED,
                raw_answer="A" if number < right else "B",
                answer_type="choice",
                label_json='"A"',
                options=["x", "y"],
            )
            for number in numbers
        ]

        async def stream(
            header: sc.ScoreTaskHeader = header, answers: list[sc.InstanceAnswer] = answers
        ) -> AsyncIterator[sc.ScoreTaskRequest]:
            yield sc.ScoreTaskRequest(header=header)
            yield sc.ScoreTaskRequest(instances=answers)

        await scorer.score_task(stream())
    scorer.close()


async def test_runs_that_share_little_are_told_in_one_line_and_have_no_levels(genlevel: Any, tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "genlevel.db")
    await scored(url, "one", {0: range(5), 1: range(5), 2: range(5)})
    await scored(url, "two", {0: range(4, 9), 1: range(5, 10), 2: range(5, 10)})
    shown = genlevel.run("compare", "one", "two", "--out", str(tmp_path))
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    said = "1 of 29 answers is shared (14 only in A, 14 only in B); ask both with the same --seed, --limit and --repeats"
    assert said in shown.stdout.replace("\n", " ")
    assert not any(line.startswith("left out") for line in lines)
    assert sum(line.startswith("not compared: 2 tasks (") for line in lines) == 1
    assert any(line.startswith("no levels: ") for line in lines)
    assert not any(line.strip().startswith("Level 2") for line in lines)
    document = json.loads(genlevel.run("compare", "one", "two", "--out", str(tmp_path), "--json").stdout)
    assert (document["levels"], document["modalities"]) == ({}, {})


async def test_what_runs_that_share_most_leave_out_is_said_task_by_task(genlevel: Any, tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "genlevel.db")
    await scored(url, "one", {0: range(10), 1: range(10)})
    await scored(url, "two", {0: range(8), 1: range(10)}, right=5)
    shown = genlevel.run("compare", "one", "two", "--out", str(tmp_path)).stdout
    assert f"left out: {TASKS[0].name.strip()}: 2 only in A" in shown
    assert f"left out: {TASKS[1].name.strip()}" not in shown
    assert "Level 2" in shown
    assert "--seed" not in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("compare", "good", "far"), "only runs of one suite have instances in common"),
        (("compare", "good", "none"), "no task of run 'none' has been scored"),
        (("certify", "none"), "no task of run 'none' has been scored"),
        (("certify", "result.xlsx"), "a workbook needs --model"),
        (("certify", "nosuch.ods", "--model", "m"), "nosuch.ods: there is no such file"),
        (("certify", "no/such", "--model", "m"), "no/such: there is no such file"),
        (("certify", "result.xlsx", "--model", "m", "--bootstrap", "9"), "--bootstrap needs instances"),
        (("certify", "good", "--model", "other"), "run good is of 'model-good', not of 'other'"),
        (("certify", "good", "--alpha", "0.7"), "--alpha"),
        (("certify", "good", "--alpha", "0"), "--alpha"),
        (("certify", "good", "--alpha", "text"), "--alpha"),
        (("certify", "good", "--alpha", "nan"), "alpha must be at least 1e-09 and below 0.5, such as 0.05, not nan"),
        (("certify", "good", "--alpha", "1e-17"), "such as 0.05, not 1e-17"),
        (("certify", "good", "--reference-n", "0"), "--reference-n"),
        (("certify", "good", "--reference-n", "99999999999999999999"), "--reference-n"),
        (("certify", "good", "--model", "other"), "run good is of 'model-good', not of 'other'; leave out --model"),
        (("compare", "good", "poor", "--alpha", "nan"), "such as 0.05, not nan"),
        (("compare", "good", "poor", "--seed", "-1"), "--seed"),
        (("compare", "good", "poor", "--seed", "99999999999999999999"), "--seed"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(genlevel: Any, folder: Path, arguments: tuple[str, ...], said: str) -> None:
    done = genlevel.run(*arguments, "--out", str(folder))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_workbook_is_certified_by_the_task_lists_numbers(genlevel: Any, tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Image-Comprehension"
    sheet.append(["No", "Task Name", "Task Short Name", "Metrics", "M"])
    for task in TASKS:
        sheet.append([task.number, task.name, task.short_name, task.metric.label, 99.0])
    path = tmp_path / "result.xlsx"
    book.save(path)
    done = genlevel.run("certify", str(path), "--model", "m", "--json")
    assert done.returncode == 0, done.stderr
    certified = json.loads(done.stdout)["certified"]
    assert certified["certified_wins"] == 3
    for alpha in ("nan", "1e-17"):
        refused = genlevel.run("certify", str(path), "--model", "m", "--alpha", alpha)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.endswith(f"alpha must be at least 1e-09 and below 0.5, such as 0.05, not {alpha}\n")
    assert certified["condition"] == "if instances are independent"
    assert "n is the task list's" in certified["notes"]
    assert "certified, if instances are independent: Level 3" in genlevel.run("certify", str(path), "--model", "m").stdout
    assert [task["units"] for task in certified["tasks"]] == [task.instances for task in TASKS]
