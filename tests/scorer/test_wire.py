"""Tasks come over the wire and go back as they were, whatever fields they have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.benchmark.model import Modality, Paradigm, TaskMetric
from genlevel.runtime.errors import RequestTooLarge, UsageError
from genlevel.v1 import scorer_pb2 as sc
from scorer.parsers.conventions import Picture, Place, declared
from scorer.scoring.agreement import Agreement
from scorer.scoring.files import FileAccess
from scorer.store.encoding import decoded_evidence, decoded_task, encoded_evidence, encoded_task, is_current
from scorer.tasks import Rater, RatingSource, TaskRecord
from scorer.wire import MOST_LABEL_VALUES, instance_of, read_tasks, task_message, task_of, written_tasks

texts = st.text(max_size=8)
counts = st.integers(0, 2**40)
numbers = st.floats(allow_nan=False)
maybe = st.none() | numbers
metrics = st.builds(
    TaskMetric,
    st.text(min_size=1, max_size=8),
    texts,
    st.dictionaries(texts, texts, max_size=3).map(lambda found: tuple(sorted(found.items()))),
)
agreements = st.builds(Agreement, counts, maybe, maybe, numbers, maybe)
sources = st.builds(
    RatingSource,
    kind=st.sampled_from(Rater),
    judge=texts,
    prompt_version=texts,
    prompt_hash=texts,
    rated=counts,
    failed=counts,
    pending=counts,
    agreement=st.none() | agreements,
)
records = st.builds(
    TaskRecord,
    key=texts,
    name=texts,
    sheet=texts,
    modality=st.none() | st.sampled_from(Modality),
    paradigm=st.none() | st.sampled_from(Paradigm),
    metric=st.none() | metrics,
    unlisted=st.booleans(),
    reference=maybe,
    rating_source=st.none() | sources,
    provenance=texts,
    fingerprint=texts,
)


@given(st.lists(records, max_size=3))
def test_tasks_come_back_from_the_wire_and_from_the_database_as_they_were(tasks: list[TaskRecord]) -> None:
    assert [task_of(task_message(task)) for task in tasks] == tasks
    assert [decoded_task(encoded_task(task)) for task in tasks] == tasks
    assert read_tasks(written_tasks(tuple(tasks))) == tuple(tasks)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (sc.TaskDescription(key="k", modality="smell"), "task 'k': 'smell' is not a valid Modality"),
        (sc.TaskDescription(key="k", paradigm="both"), "task 'k': 'both' is not a valid Paradigm"),
        (sc.TaskDescription(key="k", rating_source=sc.RatingSource(kind="dice")), "task 'k': 'dice' is not a valid Rater"),
    ],
)
def test_words_that_no_task_has_are_refused_by_the_tasks_key(message: sc.TaskDescription, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        task_of(message)


@pytest.mark.parametrize("column", [None, "null"])
def test_a_score_may_have_no_evidence(column: str | None) -> None:
    assert decoded_evidence(column) is None
    assert decoded_evidence(encoded_evidence(None)) is None
    assert is_current(encoded_evidence(None))
    assert not is_current(column)


def test_a_label_of_millions_of_values_is_refused_before_it_is_read() -> None:
    label = "[" + "[]," * MOST_LABEL_VALUES + "[]]"
    answer = sc.InstanceAnswer(id="i7", outcome=sc.OUTCOME_ANSWERED, answer_type="boxes", label_json=label)
    with pytest.raises(RequestTooLarge, match=r"instance 'i7': its label has more than 2,000,000 values"):
        instance_of(answer, FileAccess(None, from_network=True))


PICTURE = sc.PictureSize(width=640, height=480)


@pytest.mark.parametrize(
    ("told", "place"),
    [
        (sc.InstanceAnswer(), Place(None, declared(""))),
        (sc.InstanceAnswer(boxes="thousandths"), Place(None, declared("thousandths"))),
        (sc.InstanceAnswer(sent=PICTURE), Place(None, declared(""))),
        (sc.InstanceAnswer(picture=PICTURE), Place(Picture(640, 480, 640, 480), declared(""))),
        (sc.InstanceAnswer(picture=PICTURE, sent=sc.PictureSize(width=64, height=48)), Place(Picture(640, 480, 64, 48), declared(""))),
    ],
)
def test_an_answer_s_coordinates_lie_in_the_picture_that_is_told(told: sc.InstanceAnswer, place: Place) -> None:
    told.MergeFrom(sc.InstanceAnswer(id="q", outcome=sc.OUTCOME_ANSWERED, answer_type="choice"))
    assert instance_of(told, FileAccess(None, from_network=True)).place == place
