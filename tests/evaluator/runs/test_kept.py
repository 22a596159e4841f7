"""What stays in memory of a task until it is scored: as much as there is room for, and nothing that the journal would tell otherwise."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluator.journal.records import Answer, Said
from evaluator.planning.plans import TaskPlan
from evaluator.runs import execution
from evaluator.runs.kept import KeptTask, Room, bytes_each
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.loading import general_bench_suite
from genlevel.benchmark.model import MediaFile, Modality
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import CallFailed
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.evaluator.runs.asking import start


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


def test_room_that_just_suffices_is_used_and_given_back_once(planned):
    room = Room(3 * bytes_each(planned.task))
    kept = begun(planned, room)
    assert (len(kept.instances), room.left) == (3, 0)
    kept.forget()
    kept.forget()
    assert room.left == 3 * bytes_each(planned.task)


def test_questions_that_no_longer_fit_give_back_what_the_first_ones_took(planned):
    room = Room(4 * bytes_each(planned.task))
    kept = begun(planned, room)
    kept.read(list(planned.task.instances()))
    assert (kept.instances, room.left) == (None, 4 * bytes_each(planned.task))


def test_questions_with_media_are_not_kept(planned, tmp_path):
    kept = KeptTask(planned, Room(100_000))
    kept.begin()
    kept.read(
        [replace(instance, media=(MediaFile(Modality.IMAGE, tmp_path / "a.png", "image/png"),)) for instance in planned.task.instances()]
    )
    assert kept.instances is None


@pytest.mark.parametrize("large", [True, False])
def test_questions_of_an_annotation_that_is_large_or_away_are_not_kept(planned, large):
    annotation = planned.task.annotation
    instances = list(planned.task.instances())
    if large:
        annotation.write_bytes(annotation.read_bytes() + b" " * (512 << 10))
    else:
        annotation.unlink()
    kept = KeptTask(planned, Room(10 << 20))
    kept.begin()
    kept.read(instances)
    assert kept.instances is None


def test_an_answer_takes_room_for_its_text_in_any_script_and_for_its_files(planned):
    room = Room(100_000)
    kept = begun(planned, room)
    before = room.left
    kept.answered(answer(0, "\U0001d11e" * 1000)._replace(files="f" * 500))
    assert before - room.left >= sys.getsizeof("\U0001d11e" * 1000) + 500
    assert kept.said == {AnswerKey("q0"): Said(Outcome.ANSWERED, "\U0001d11e" * 1000, "f" * 500)}


_KEYS = [(number, repeat) for number in range(3) for repeat in range(2)]
_TEXTS = st.sampled_from(["", "A", "\U0001d11e", "A\0", "long " * 50])
_OUTCOMES = st.sampled_from([Outcome.ANSWERED, Outcome.FAILED, Outcome.REFUSED])
_ANSWERS = st.builds(lambda key, text, outcome: answer(key[0], text, outcome, key[1]), st.sampled_from(_KEYS), _TEXTS, _OUTCOMES)


@given(passes=st.lists(st.lists(_ANSWERS, max_size=8, unique_by=lambda one: one.key), max_size=4), late=st.lists(_ANSWERS, max_size=1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_said_is_what_the_journal_has_or_nothing(planned, passes, late):
    """Each pass asks for what has no answer, or has failed."""
    most, journal = 5_000, {}
    room = Room(most)
    kept = KeptTask(TaskPlan(planned.task, None, 3, repeats=2), room)
    for asked in passes:
        kept.begin()
        kept.read(list(planned.task.instances()))
        settled = {key for key, said in journal.items() if said.outcome is not Outcome.FAILED}
        for one in [one for one in asked if one.key not in settled] + late:
            if one.key not in journal or journal[one.key].outcome is Outcome.FAILED:
                journal[one.key] = Said(one.outcome, one.raw_answer.replace("\0", "\ufffd"), one.files)
            kept.answered(one)
            assert kept.all_said() in (None, journal)
            assert 0 <= room.left <= most
    kept.forget()
    assert room.left == most


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


async def test_a_run_has_all_of_its_room_again_once_its_tasks_are_scored(make_evaluator, suite_folder, monkeypatch):
    rooms = []
    monkeypatch.setattr(execution, "Room", lambda most: (rooms.append(Room(most)), rooms[-1])[1])
    suite_folder(6)
    evaluator, _ = make_evaluator()
    await start(evaluator, suite_folder(6, "Commonsense-Reasoning"))
    assert [room.left for room in rooms] == [execution.MOST_KEPT]


async def test_a_task_that_was_read_in_part_is_scored_as_a_whole(make_evaluator, scripted, suite_folder):
    asked = []

    def script(question, calls):
        asked.append(question)
        if len(asked) > 10:
            raise CallFailed(gw.ERROR_CLASS_CREDENTIAL, "no such key")
        return "A"

    scripted.script = script
    evaluator, scorer = make_evaluator()
    run = await start(evaluator, suite_folder(300), ev.TrafficSettings(concurrency=1))
    (task,) = (await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))).tasks
    assert (task.counts.answered, task.counts.pending) == (10, 290)
