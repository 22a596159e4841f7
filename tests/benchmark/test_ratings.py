"""The CSV of ratings by people: what is read, what is refused with its place, what is left out and named."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genlevel.benchmark.metrics import resolve_metric
from genlevel.benchmark.ratings import SCALES, Rating, read_ratings, resolve_ratings
from genlevel.runtime.errors import DatasetError


def task(key: str, name: str, metric: str = "MOS", listed_id: str = "") -> Any:
    listed = SimpleNamespace(id=listed_id, name=name) if listed_id else None
    return SimpleNamespace(key=key, name=name, task=listed, metric=resolve_metric(metric, "", name))


SPEECH = task("audio/generation/MultimodalTTS", "MultimodalTTS", "MOS", "a-g-4-multimodal-tts")
STYLE = task("video/generation/Style", "Portrait Video Style Transfer", "User preference rates")
CHOICE = task("nlp/Choice", "Choice", "ACC")


def resolved(*rows: tuple[str, str, str, str], tasks: tuple[Any, ...] = (SPEECH, STYLE, CHOICE)) -> Any:
    given = [Rating(*row, where=f"r.csv:{line}") for line, row in enumerate(rows, start=2)]
    return resolve_ratings(given, tasks, lambda _task: ["i1", "i2"])


def written(folder: Path, text: str) -> Path:
    path = folder / "r.csv"
    path.write_bytes(text.encode("utf-8"))
    return path


def test_rows_are_read_whatever_the_order_of_columns(tmp_path: Path) -> None:
    text = '\ufeffRater,Rating,Task,Instance,when\r\n" anna ",4,"A, B",i1,today\r\n\r\nben,win,T,i2,\r\n'
    rows = read_ratings(written(tmp_path, text))
    assert [(row.task, row.instance, row.rater, row.rating) for row in rows] == [("A, B", "i1", "anna", "4"), ("T", "i2", "ben", "win")]
    assert [row.where.rpartition(":")[2] for row in rows] == ["2", "4"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column task, instance, rater, rating"),
        ("task;instance;rater;rating\n", "by commas"),
        ("task,instance,rater\n", "no column rating"),
        ("task,task,instance,rater,rating\n", "there twice"),
        ("task,instance,rater,rating\n", "no ratings"),
        ("task,instance,rater,rating\nT,i1,anna\n", ":2: 3 cells, and the header has 4"),
        ("task,instance,rater,rating\nT,i1,,4\nT,,anna,\n", ":2: rater: is empty"),
        ('task,instance,rater,rating\n"T,i1,anna,4\n', "not CSV"),
    ],
)
def test_a_file_that_is_no_such_csv_is_refused_naming_the_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DatasetError) as refused:
        read_ratings(written(tmp_path, text))
    assert said in str(refused.value)
    assert "r.csv" in str(refused.value)


def test_each_problem_has_a_line_and_many_are_counted(tmp_path: Path) -> None:
    text = "task,instance,rater,rating\n" + "T,i1,,4\n" * 30
    with pytest.raises(DatasetError) as refused:
        read_ratings(written(tmp_path, text))
    lines = str(refused.value).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 10 more problems"
    with pytest.raises(DatasetError, match="cannot be read"):
        read_ratings(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(b"task,instance,rater,rating\nT\xe4,i,r,4\n")
    with pytest.raises(DatasetError, match="UTF-8"):
        read_ratings(tmp_path / "latin.csv")


def test_a_task_goes_by_its_name_its_id_or_its_folder() -> None:
    found = resolved(
        ("MultimodalTTS", "i1", "anna", "4"),
        ("a-g-4-multimodal-tts", "i1", "ben", "3.5"),
        ("audio/generation/multimodaltts", "i2", "anna", "5"),
        ("Portrait  Video Style Transfer", "i1", "anna", "Tie"),
        ("Style", "i2", "anna", "0"),
    )
    assert found.tasks == {
        SPEECH.key: {"i1": {"anna": 4.0, "ben": 3.5}, "i2": {"anna": 5.0}},
        STYLE.key: {"i1": {"anna": 0.5}, "i2": {"anna": 0.0}},
    }
    assert found.notes == ()


@pytest.mark.parametrize(
    ("rating", "said"),
    [
        ("5.5", "out of range; it has to be a number from 1 to 5"),
        ("0", "out of range"),
        ("nan", "not a rating"),
        ("1e0", "not a rating"),
        ("win", "not a rating"),
        ("4,5", "write 4.5"),
    ],
)
def test_what_the_metric_cannot_have_is_refused(rating: str, said: str) -> None:
    with pytest.raises(DatasetError) as refused:
        resolved(("MultimodalTTS", "i1", "anna", "4"), ("MultimodalTTS", "i2", "anna", rating))
    assert str(refused.value).startswith("r.csv:3: rating: ")
    assert said in str(refused.value)


def test_a_preference_is_won_lost_or_tied() -> None:
    assert [SCALES["user_preference"].read(text) for text in ("win", "LOSS", "tie", "1", "0", "0.5", ".5")] == [1, 0, 0.5, 1, 0, 0.5, 0.5]
    with pytest.raises(ValueError, match=r"win, loss, tie or 1, 0, 0\.5"):
        SCALES["user_preference"].read("0.7")


def test_a_rater_who_rates_an_answer_twice_is_refused_naming_both_lines() -> None:
    with pytest.raises(DatasetError) as refused:
        resolved(("MultimodalTTS", "i1", "anna", "4"), (SPEECH.key, "i1", "anna", "4"))
    assert str(refused.value) == (
        "r.csv:3: rater: 'anna' rated 'i1' of audio/generation/MultimodalTTS before, in line 2; keep one of the two rows"
    )


def test_unknown_tasks_and_instances_are_left_out_and_named() -> None:
    found = resolved(
        ("No such", "i1", "anna", "4"),
        ("No such", "i2", "anna", "4"),
        ("Choice", "i1", "anna", "4"),
        *[("MultimodalTTS", f"x{number}", "anna", "4") for number in range(5)],
        ("MultimodalTTS", "i1", "anna", "4"),
    )
    assert found.tasks == {SPEECH.key: {"i1": {"anna": 4.0}}}
    assert found.notes == (
        "2 ratings left out: task 'No such' is not a task of this suite that was asked",
        "1 rating left out: task 'Choice' is scored by ACC, which takes no ratings",
        "5 ratings left out: audio/generation/MultimodalTTS has no such instance here: 'x0', 'x1', 'x2' and 2 more",
    )


def test_a_name_of_several_tasks_needs_the_folder() -> None:
    two = (task("a/One", "One"), task("b/One", "One"))
    with pytest.raises(DatasetError, match=r"several tasks \(a/One, b/One\); write the folder"):
        resolved(("one", "i1", "anna", "4"), tasks=two)
    assert resolved(("b/One", "i1", "anna", "4"), tasks=two).tasks == {"b/One": {"i1": {"anna": 4.0}}}


@given(st.one_of(st.binary(max_size=300), st.text(alphabet='task,inercg"\n;1.5\0', max_size=200).map(lambda text: text.encode())))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_bytes_are_ratings_or_refused_in_lines(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "any.csv").write_bytes(b"task,instance,rater,rating\n" + content)
    rows: tuple[Rating, ...] = ()
    with contextlib.suppress(DatasetError):
        rows = read_ratings(tmp_path / "any.csv")
    assert all(row.task and row.instance and row.rater and row.rating for row in rows)
