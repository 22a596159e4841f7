"""What stays in memory of a task until it is scored: as much as there is room for, and nothing that the journal would tell otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluator.journal.records import Answer, Said
from evaluator.planning.plans import TaskPlan
from evaluator.runs.kept import KeptTask, Room, bytes_each
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.loading import general_bench_suite
from genlevel.benchmark.outcomes import Outcome


@pytest.fixture
def planned(tmp_path: Path) -> TaskPlan:
    folder = tmp_path / "nlp" / "Causal-Reasoning"
    folder.mkdir(parents=True)
    items = [{"id": f"q{n}", "input": {"question": f"Q {n}?", "options": ["a", "b"]}, "output": {"answer": "A"}} for n in range(3)]
    (folder / "annotation.json").write_text(json.dumps({"task": "Causal-Reasoning", "type": "MultipleChoiceQA", "data": items}))
    (task,) = general_bench_suite(tmp_path).tasks
    return TaskPlan(task, None, 3)


def answer(number: int, text: str = "A", outcome: Outcome = Outcome.ANSWERED, repeat: int = 0) -> Answer:
    return Answer("r1", "t", f"q{number}", outcome, raw_answer=text, repeat=repeat)


def begun(planned: TaskPlan, room: Room) -> KeptTask:
    kept = KeptTask(planned, room)
    kept.begin()
    kept.read(list(planned.task.instances()))
    return kept


def test_what_was_read_and_said_is_kept_until_it_is_forgotten_and_gives_its_room_back(planned):
    room = Room(100_000)
    kept = begun(planned, room)
    assert [instance.id for instance in kept.instances] == ["q0", "q1", "q2"]
    for number in range(3):
        assert kept.all_said() is None
        kept.answered(answer(number))
    assert kept.all_said() == {AnswerKey(f"q{number}"): Said(Outcome.ANSWERED, "A", "") for number in range(3)}
    assert room.left < 100_000
    kept.forget()
    assert (kept.instances, kept.all_said(), room.left) == (None, None, 100_000)


def test_without_room_for_answers_the_questions_are_kept_all_the_same(planned):
    room = Room(3 * bytes_each(planned.task) + 1_000)
    kept = begun(planned, room)
    kept.answered(answer(0))
    kept.answered(answer(1, "long " * 200))
    kept.answered(answer(2))
    assert (len(kept.instances), kept.all_said(), room.left) == (3, None, 1_000)


def test_without_room_for_questions_the_answers_are_kept_all_the_same(planned):
    kept = begun(planned, Room(3 * bytes_each(planned.task) - 1))
    for number in range(3):
        kept.answered(answer(number))
    assert kept.instances is None
    assert len(kept.all_said()) == 3


@pytest.mark.parametrize("late", [answer(0, "B"), answer(0, "A", Outcome.FAILED)])
def test_of_two_answers_under_one_key_only_the_journal_says_which_counts(planned, late):
    kept = begun(planned, Room(100_000))
    for number in range(3):
        kept.answered(answer(number))
    kept.answered(late)
    assert kept.all_said() is None


def test_an_answer_that_the_journal_changes_is_read_from_there(planned):
    kept = begun(planned, Room(100_000))
    for number in range(3):
        kept.answered(answer(number, "A\0"))
    assert kept.all_said() is None


def test_repeats_are_answers_of_their_own(planned):
    planned = TaskPlan(planned.task, None, 3, repeats=2)
    kept = begun(planned, Room(100_000))
    for number in range(3):
        kept.answered(answer(number))
    assert kept.all_said() is None
    for number in range(3):
        kept.answered(answer(number, repeat=1))
    assert len(kept.all_said()) == 6


def test_a_task_that_is_read_again_begins_anew(planned):
    room = Room(100_000)
    kept = begun(planned, room)
    left = room.left
    kept.answered(answer(0))
    kept.begin()
    kept.read(list(planned.task.instances()))
    assert (len(kept.instances), kept.said, room.left) == (3, {}, left)
