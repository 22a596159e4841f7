"""Which of a suite's tasks are meant by a glob, and what is said of these alone."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from genlevel.benchmark.selection import matching_tasks, problems_of
from genlevel.benchmark.suites import load_suite
from genlevel.runtime.errors import UsageError


@pytest.fixture
def suite_root(tmp_path: Path) -> Path:
    for task in ("Causal-Reasoning", "No-Such-Task", "Nor-This-One"):
        folder = tmp_path / "nlp" / task
        folder.mkdir(parents=True)
        data = [{"id": "q0", "input": {"question": "?", "options": ["yes", "no"]}, "output": {"answer": "A"}}]
        (folder / "annotation.json").write_text(json.dumps({"task": task, "type": "MultipleChoiceQA", "data": data}))
    return tmp_path


def test_tasks_match_in_any_case_and_near_ones_are_named_as_they_are_written(suite_root: Path) -> None:
    suite = load_suite(suite_root)
    assert [task.key for task in matching_tasks(suite, "causal-REASONING")] == ["nlp/Causal-Reasoning"]
    with pytest.raises(UsageError, match=r"near: .*Causal-Reasoning") as caught:
        matching_tasks(suite, "Casual-Reasoning")
    assert "causal-reasoning" not in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (",".join(f"*{n}" for n in range(101)), "too many or too long"),
        ("[" * 201, "too many or too long"),
        ("x," * 60_000, "at most 100,000"),
    ],
)
def test_a_pattern_that_takes_long_to_look_at_is_refused(suite_root: Path, pattern: str, said: str) -> None:
    suite = load_suite(suite_root)
    started = time.monotonic()
    with pytest.raises(UsageError, match=said):
        matching_tasks(suite, pattern)
    assert time.monotonic() - started < 20


def test_many_tasks_may_be_named_and_some_be_meant_by_patterns(suite_root: Path) -> None:
    suite = load_suite(suite_root)
    pattern = ",".join([*(f"Task-{n}" for n in range(5_000)), " nor-this-one ", *("*" * 199 + chr(97 + n) for n in range(26))])
    assert [task.name for task in matching_tasks(suite, "*such*,Nor-*")] == ["No-Such-Task", "Nor-This-One"]
    assert [task.key for task in matching_tasks(suite, pattern)] == [task.key for task in suite.tasks]


def test_what_is_said_is_of_the_chosen_tasks_and_of_what_is_no_task(suite_root: Path) -> None:
    (suite_root / "nlp" / "Broken").mkdir()
    (suite_root / "nlp" / "Broken" / "annotation.json").write_text("{")
    suite = load_suite(suite_root)

    def said(pattern: str) -> set[str]:
        return {line.partition(":")[0] for line in problems_of(suite, matching_tasks(suite, pattern))}

    assert said("") == {"nlp/Broken/annotation.json", "nlp/No-Such-Task", "nlp/Nor-This-One"}
    assert said("*causal*") == {"nlp/Broken/annotation.json"}
    assert said("*such*") == {"nlp/Broken/annotation.json", "nlp/No-Such-Task"}
